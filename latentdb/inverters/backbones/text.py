"""Embedding a prompt as the pipeline of its family does, and letting go of the encoders."""

from __future__ import annotations

from typing import Any

from latentdb.errors import ModelError
from latentdb.inverters.backbones.part_loader import PartLoader


def text_parts(loader: PartLoader, n: int, *, optional: int = 0) -> dict[str, Any]:
    """Text encoders and tokenizers, by the names that pipelines of diffusers take them under.

    Parameters
    ----------
    loader : PartLoader
        Of the pipeline.
    n : int
        How many encoders the family has.
    optional : int
        How many of them, the last, a pipeline may go without; they are None then.

    Raises
    ------
    ModelError
        One that is needed is not in the index, or its files are not there.
    """
    loaded: dict[str, Any] = {}
    for number in range(1, n + 1):
        suffix = "" if number == 1 else f"_{number}"
        names = (f"text_encoder{suffix}", f"tokenizer{suffix}")
        missing = [name for name in names if loader.pipeline.class_of(name) is None]
        if missing and (number <= n - optional or len(missing) == 1):
            raise ModelError(
                f"{loader.pipeline.name} goes without {' and '.join(missing)}, so its prompt "
                "cannot be embedded; pass a pipeline with its text encoders"
            )
        loaded[names[0]] = loader.text_encoder(names[0])
        loaded[names[1]] = loader.tokenizer(names[1])
    return loaded
