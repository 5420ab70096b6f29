"""What a space's spec may say about an encoder, one dataclass per loader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from latentdb.errors import SpaceSpecError
from latentdb.space import VectorDType
from latentdb.torch_compat import ComputeDType

Resample = Literal["bicubic", "bilinear", "lanczos"]
Pooling = Literal["cls", "pooled", "mean"]


@final
@dataclass(frozen=True)
class OpenClipOptions:
    """Options of `open_clip:`.

    Parameters
    ----------
    pretrained : str or None
        For a source that is a model name of open_clip, such as `ViT-B-32`: its checkpoint, a
        file or a tag of open_clip's list. None for a folder or hub id, which bring their own.
    dtype : "float32", "float16" or "bfloat16"
        What the network computes in.
    store : "float32" or "float16"
        How vectors are stored.
    """

    pretrained: str | None = None
    dtype: ComputeDType = "float32"
    store: VectorDType = "float32"


@final
@dataclass(frozen=True)
class TimmOptions:
    """Options of `timm:`; the pooling is the one that the model's config names.

    Parameters
    ----------
    size : int or None
        Side of the pictures in pixels; None for the size of the model's config.
    crop_pct : float or None
        Share of the short side that is kept, in (0, 1], of a square from the middle; None for
        the crop of the model's config. 1 keeps all that fits into a square.
    dtype, store : str
        As for `OpenClipOptions`.
    """

    size: int | None = None
    crop_pct: float | None = None
    dtype: ComputeDType = "float32"
    store: VectorDType = "float32"

    def __post_init__(self) -> None:
        if self.crop_pct is not None and not 0 < self.crop_pct <= 1:
            raise SpaceSpecError(f"expected 0 < crop_pct ≤ 1, got crop_pct={self.crop_pct}")


@final
@dataclass(frozen=True)
class TransformersOptions:
    """Options of `transformers:`.

    Parameters
    ----------
    pooling : "cls", "pooled" or "mean"
        First token of the last layer, the model's own pooled output, or the mean of all tokens
        but the first.
    size : int or None
        Side of the pictures in pixels; None for the size of the model's image processor.
    dtype, store : str
        As for `OpenClipOptions`.
    """

    pooling: Pooling = "cls"
    size: int | None = None
    dtype: ComputeDType = "float32"
    store: VectorDType = "float32"
