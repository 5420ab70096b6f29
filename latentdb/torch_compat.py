"""The one place that imports torch first, so that what is built on it can be imported.

A torchvision built for CUDA beside a CPU torch fails to load its extension, and every package
that imports torchvision then fails with `operator torchvision::nms does not exist`. Defining the
two missing schemas lets torchvision import; nothing here calls those operators.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Literal

import torch

from latentdb.errors import ModelError

ComputeDType = Literal["float32", "float16", "bfloat16"]

_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_operators: Any = torch.ops  # these two carry no types
_library: Any = torch.library
_keep_alive: list[Any] = []


def torchvision_extension_loads() -> bool:
    """Whether torchvision's compiled operators can be loaded into this torch."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    extensions = list(Path(spec.origin).parent.glob("_C.*"))
    try:
        for extension in extensions:
            _operators.load_library(str(extension))
    except OSError:
        return False
    return bool(extensions)


def ensure_torchvision() -> None:
    """Make `import torchvision` work; does nothing where its extension loads by itself."""
    if _keep_alive or torchvision_extension_loads():
        return
    library = _library.Library("torchvision", "DEF")
    library.define("nms" + _NMS)
    library.define("qnms" + _NMS)
    _keep_alive.append(library)


def resolve_device(device: str) -> torch.device:
    """The device of that name; `auto` is the first GPU where there is one, else the CPU.

    Raises
    ------
    ModelError
        The name is not a device's, or this torch or machine has no such device.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"device {device!r} cannot be used here: {error}; pass 'auto', 'cpu' or 'cuda:0'"
        ) from error
    return resolved


def torch_dtype(name: ComputeDType) -> torch.dtype:
    """The torch dtype in which a model computes."""
    dtypes = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
    return dtypes[name]


ensure_torchvision()

__all__ = [
    "ComputeDType",
    "ensure_torchvision",
    "resolve_device",
    "torch",
    "torch_dtype",
    "torchvision_extension_loads",
]
