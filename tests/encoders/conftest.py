"""Makes torchvision importable before the model libraries that these tests use by hand."""

from __future__ import annotations

from latentdb.torch_compat import ensure_torchvision

ensure_torchvision()
