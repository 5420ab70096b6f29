"""A diffusers pipeline on this disk: its parts, their classes, and the hash of what moves a vector.

`model_index.json` names the class of each part, and each part has a folder of its own. The oldest
pipelines, google/ddpm-celebahq-256 among them, have the network and the scheduler's config beside
the index instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from latentdb.errors import ModelError
from latentdb.weights import ModelFiles, find_model, local_folder

AUTOENCODER_PARTS = ("vae", "vqvae")
NETWORK_PARTS = ("unet", "transformer")
TEXT_PARTS = ("text_encoder", "text_encoder_2", "text_encoder_3")
TOKENIZER_PARTS = ("tokenizer", "tokenizer_2", "tokenizer_3")

_INDEX = "model_index.json"
_SCHEDULER = "scheduler_config.json"
_NETWORK_STEM, _TEXT_STEM = "diffusion_pytorch_model", "model"
_TEXT_BIN = "pytorch_model.bin"


def network_patterns(folder: str = "") -> tuple[str, ...]:
    """Files of a network in diffusers' layout; `folder` ends in a slash, or is empty."""
    return (
        f"{folder}config.json",
        f"{folder}{_NETWORK_STEM}.safetensors",
        f"{folder}{_NETWORK_STEM}-*-of-*.safetensors",
        f"{folder}{_NETWORK_STEM}.safetensors.index.json",
    )


def network_pickles(folder: str = "") -> tuple[str, ...]:
    """The network's weights where a folder has them in PyTorch's own format only."""
    return (f"{folder}{_NETWORK_STEM}.bin",)


def _text_patterns(part: str) -> tuple[str, ...]:
    return (
        f"{part}/config.json",
        f"{part}/{_TEXT_STEM}.safetensors",
        f"{part}/{_TEXT_STEM}-*-of-*.safetensors",
        f"{part}/{_TEXT_STEM}.safetensors.index.json",
    )


_HUB_PATTERNS = (
    _INDEX,
    *(
        name
        for part in (*AUTOENCODER_PARTS, *NETWORK_PARTS)
        for name in network_patterns(f"{part}/")
    ),
    *network_patterns(),
    *(name for part in TEXT_PARTS for name in _text_patterns(part)),
    *(f"{part}/*" for part in TOKENIZER_PARTS),
    f"scheduler/{_SCHEDULER}",
    _SCHEDULER,
)
_HUB_PICKLES = (
    *(
        name
        for part in (*AUTOENCODER_PARTS, *NETWORK_PARTS)
        for name in network_pickles(f"{part}/")
    ),
    *network_pickles(),
    *(f"{part}/{_TEXT_BIN}" for part in TEXT_PARTS),
)


@final
@dataclass(frozen=True)
class PipelineFolder:
    """A pipeline's files and its index.

    Parameters
    ----------
    files : ModelFiles
        Name and folder.
    index : mapping of str to object
        `model_index.json`.
    """

    files: ModelFiles
    index: Mapping[str, Any]

    @classmethod
    def open(cls, source: str) -> PipelineFolder:
        """The pipeline of a local folder or, downloaded once, of a hub id.

        Raises
        ------
        ModelError
            It cannot be found, or is no pipeline.
        """
        files = find_model(source, patterns=_HUB_PATTERNS)
        path = files.folder / _INDEX
        if not path.is_file():
            raise ModelError(
                f"{files.folder} holds no {_INDEX}, so it is no diffusers pipeline; pass the "
                "folder that `save_pretrained` of a pipeline wrote"
            )
        pipeline = cls(files, json.loads(path.read_text()))
        if local_folder(source) is None and pipeline._lacks_safetensors:
            find_model(source, patterns=(*_HUB_PATTERNS, *_HUB_PICKLES))
        return pipeline

    @property
    def name(self) -> str:
        """What settings and errors call it."""
        return self.files.name

    @property
    def is_noise_conditioned(self) -> bool:
        """Whether the network is told its noise level; a blind one always hears 0.

        Raises
        ------
        ModelError
            The index says neither true nor false.
        """
        told = self.index.get("noise_conditioned", True)
        if not isinstance(told, bool):
            raise ModelError(
                f'the {_INDEX} of {self.name} says "noise_conditioned": {json.dumps(told)}; it '
                "is true or false"
            )
        return told

    @property
    def autoencoder_part(self) -> str | None:
        """`vae` or `vqvae`, or None where the network works on pixels."""
        return self._first(AUTOENCODER_PARTS)

    @property
    def network_part(self) -> str:
        """`unet` or `transformer`.

        Raises
        ------
        ModelError
            The index names neither.
        """
        part = self._first(NETWORK_PARTS)
        if part is None:
            raise ModelError(
                f"the {_INDEX} of {self.name} names neither a unet nor a transformer, so there is "
                "no denoising network to run"
            )
        return part

    def class_of(self, part: str) -> str | None:
        """Name of a part's class, None where the pipeline goes without it."""
        entry = self.index.get(part)
        return str(entry[1]) if entry and entry[1] else None

    def folder_of(self, part: str) -> Path:
        """A part's folder, which is the pipeline's own in the oldest layout.

        Raises
        ------
        ModelError
            The index names a part whose files are not there.
        """
        folder = self.files.folder / part
        if folder.is_dir():
            return folder
        if part in NETWORK_PARTS and (self.files.folder / "config.json").is_file():
            return self.files.folder
        raise ModelError(
            f"{self.name} has no folder {part}/, which its {_INDEX} names ({self.class_of(part)}); "
            "download the pipeline whole, or pass a folder that holds all of it"
        )

    def scheduler_config(self) -> Path:
        """Where the noise levels are described, whether it is there or not."""
        oldest = self.files.folder / _SCHEDULER
        return oldest if oldest.is_file() else self.files.folder / "scheduler" / _SCHEDULER

    def digest(self, parts: Sequence[str]) -> str:
        """Hash over the scheduler's config and the files of those of `parts` that there are."""
        patterns = [str(self.scheduler_config().relative_to(self.files.folder))]
        for part in parts:
            patterns += self._patterns(part) if self.class_of(part) else ()
        return self.files.digest(patterns)

    def _patterns(self, part: str) -> tuple[str, ...]:
        if part in TOKENIZER_PARTS:
            return (f"{part}/*",)
        if part in TEXT_PARTS:
            return (*_text_patterns(part), f"{part}/{_TEXT_BIN}")
        prefix = "" if self.folder_of(part) == self.files.folder else f"{part}/"
        return (*network_patterns(prefix), *network_pickles(prefix))

    @property
    def _lacks_safetensors(self) -> bool:
        """Whether a part of weights came without any in safetensors."""
        parts = [*AUTOENCODER_PARTS, *NETWORK_PARTS, *TEXT_PARTS]
        folders = [self.folder_of(part) for part in parts if self.class_of(part)]
        return any(not list(folder.glob("*.safetensors")) for folder in folders)

    def _first(self, names: Sequence[str]) -> str | None:
        return next((name for name in names if self.class_of(name)), None)
