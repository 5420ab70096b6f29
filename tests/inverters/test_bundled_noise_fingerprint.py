"""The bundled noise space's fingerprint, which every stored database remembers."""

from __future__ import annotations

from latentdb.spaces import load_model

# As stored in the databases that version 0.1.0 wrote. Another value here leaves every one of them
# with vectors that no model can be asked about.
STORED = "fa99457215a39ee5"


def test_the_bundled_noise_space_is_the_one_that_databases_hold() -> None:
    assert load_model("faces-noise", device="cpu").space.fingerprint == STORED
