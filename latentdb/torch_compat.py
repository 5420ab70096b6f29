"""The one place that imports torch first, so that what is built on it can be imported.

A torchvision built for CUDA beside a CPU torch fails to load its extension, and every package
that imports torchvision then fails with `operator torchvision::nms does not exist`. Defining the
two missing schemas lets torchvision import; nothing here calls those operators.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_keep_alive: list[torch.library.Library] = []


def _extension_loads() -> bool:
    """Whether torchvision's compiled operators can be loaded into this torch."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    extensions = list(Path(spec.origin).parent.glob("_C.*"))
    try:
        for extension in extensions:
            torch.ops.load_library(str(extension))
    except OSError:
        return False
    return bool(extensions)


def ensure_torchvision() -> None:
    """Make `import torchvision` work; does nothing where its extension loads by itself."""
    if _keep_alive or _extension_loads():
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms" + _NMS)
    library.define("qnms" + _NMS)
    _keep_alive.append(library)


ensure_torchvision()

__all__ = ["ensure_torchvision", "torch"]
