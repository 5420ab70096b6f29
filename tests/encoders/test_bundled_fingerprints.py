"""The bundled encoders' fingerprints, which every stored database remembers."""

from __future__ import annotations

import pytest

from latentdb.spaces import load_model

# As stored in the databases that version 0.1.0 wrote. Another value here leaves every one of them
# with vectors that no model can be asked about: it takes new weights or new preprocessing to be
# worth that, and a line in the changelog.
STORED = {"faces-clip": "ffb2d6f743ad3518", "faces-ssl": "8060fc7e758afbad"}


@pytest.mark.parametrize("name", STORED)
def test_a_bundled_space_is_the_one_that_databases_hold(name: str) -> None:
    assert load_model(name, device="cpu").space.fingerprint == STORED[name]
