"""What comes in as a tensor goes out as one, with the values that NumPy gets."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from indexers.errors import DtypeError, NonFiniteError
from indexers.metric import ChiPrior
from latentdb.geometry import (
    centroid,
    geodesic,
    interpolate,
    lerp,
    linear_combination,
    restore_norm,
    slerp,
)

ROWS = np.random.default_rng(0).standard_normal((4, 32))
CALLS = {
    "geodesic": lambda x: geodesic(x[0], x[1], steps=5, prior=ChiPrior(32)),
    **{
        f"interpolate {name}": lambda x, name=name: interpolate(x[0], x[1], steps=5, method=name)
        for name in ("nao", "lol", "slerp", "lerp")
    },
    **{
        f"centroid {name}": lambda x, name=name: centroid(x, weights=[1, 2, 1, 1.5], method=name)
        for name in ("nao", "lol", "karcher", "mean")
    },
    "linear_combination": lambda x: linear_combination(x, [1, -1, 2, 0], is_correlated=True),
    "lerp": lambda x: lerp(x[0], x[1], 0.3),
    "slerp": lambda x: slerp(x[0], x[1], 0.3),
    "restore_norm": lambda x: restore_norm(x, [1.0, 2.0, 3.0, 4.0]),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", CALLS)
def test_a_tensor_gives_what_the_array_gives(name, dtype):
    tensor = torch.tensor(ROWS).to(dtype)
    kept = tensor.clone()
    result = CALLS[name](tensor)
    assert (result.dtype, result.device) == (dtype, tensor.device)
    exact = CALLS[name](tensor.double().numpy())
    torch.testing.assert_close(result, torch.tensor(exact).to(dtype), rtol=0, atol=0)
    torch.testing.assert_close(tensor, kept, rtol=0, atol=0)


def test_a_tensor_with_a_gradient_is_read_without_it():
    tensor = torch.tensor(ROWS, requires_grad=True)
    assert not centroid(tensor, method="mean").requires_grad


def test_weights_may_be_a_tensor():
    weights = torch.tensor([1.0, 2.0, 1.0, 1.5], dtype=torch.bfloat16, requires_grad=True)
    np.testing.assert_array_equal(
        centroid(ROWS, weights=weights, method="mean"), CALLS["centroid mean"](ROWS)
    )


def test_kinds_are_not_mixed_and_values_checked():
    with pytest.raises(DtypeError, match="one kind, got ndarray of float64 and Tensor of"):
        slerp(ROWS[0], torch.tensor(ROWS[1]), 0.5)
    with pytest.raises(DtypeError, match=r"Tensor of torch\.int64"):
        centroid(torch.ones((2, 3), dtype=torch.int64))
    with pytest.raises(NonFiniteError, match="finite vectors"):
        restore_norm(torch.tensor([[np.inf, 1.0]]), 1.0)


def test_without_a_tensor_torch_is_not_loaded():
    code = """
import sys
import numpy as np
from latentdb.geometry import centroid, geodesic
from indexers.metric import ChiPrior
rows = np.random.default_rng(0).standard_normal((3, 8))
centroid(rows)
geodesic(rows[0], rows[1], steps=3, prior=ChiPrior(8))
print("torch" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
