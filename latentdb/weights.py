"""Where a model's files are, and the hash that tells one set of weights from another."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, final

from latentdb.device import is_out_of_memory
from latentdb.errors import ModelError
from latentdb.hub import download, first_line

_HUB_PREFIX = "hf-hub:"
_CHUNK_BYTES = 1 << 22
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


@final
@dataclass(frozen=True)
class ModelFiles:
    """A model's folder on this disk.

    Parameters
    ----------
    name : str
        What settings call the model: its hub id, or the folder's name (not its path, so that
        moving a folder does not make another space).
    folder : Path
        Where the files are.
    """

    name: str
    folder: Path

    def digest(self, patterns: Sequence[str]) -> str:
        """Hash over the files that `patterns` match: those that move a vector.

        Raises
        ------
        ModelError
            No file of weights is among them.
        """
        found = {path for pattern in patterns for path in self.folder.glob(pattern)}
        files = sorted(path for path in found if path.is_file())
        if not any(path.suffix in _WEIGHT_SUFFIXES for path in files):
            raise ModelError(
                f"no weights in {self.folder}: expected files such as {', '.join(patterns)}; "
                "download the model again, or name the folder that holds it"
            )
        digest = hashlib.blake2b(digest_size=8)
        for path in files:
            digest.update(f"{path.relative_to(self.folder)}:{file_digest(path)};".encode())
        return digest.hexdigest()


def file_digest(path: Path) -> str:
    """16 hex digits of BLAKE2b over a file; read again only when its size or time changed."""
    status = path.stat()
    return _file_digest(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _file_digest(path: Path, _size: int, _mtime_ns: int) -> str:
    digest = hashlib.blake2b(digest_size=8)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def local_folder(source: str) -> Path | None:
    """The folder that `source` names, absolute, or None when it is a hub id.

    Raises
    ------
    ModelError
        `source` is written as a path, and there is no folder.
    """
    if source.startswith(_HUB_PREFIX):
        return None
    path = Path(source).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.is_absolute() or source.startswith((".", "~")):
        raise ModelError(f"{source} is not a folder; pass a model's folder or a hub id")
    return None


def find_model(source: str, *, patterns: Sequence[str]) -> ModelFiles:
    """The files of a local folder or, downloaded once, of a hub id.

    Parameters
    ----------
    source : str
        A folder, or `owner/name`, `owner/name@revision`, with or without `hf-hub:` before it.
    patterns : sequence of str
        Which files of a hub repository are needed.

    Raises
    ------
    ModelError
        There is no such folder, and the hub does not know it or cannot be reached.
    """
    folder = local_folder(source)
    if folder is not None:
        return ModelFiles(folder.name, folder)
    repo, _, revision = source.removeprefix(_HUB_PREFIX).partition("@")
    return ModelFiles(repo, download(repo, revision=revision or None, patterns=patterns))


def require_weights(folder: Path, stems: Sequence[str]) -> None:
    """Raise unless a folder holds weights that a library of Hugging Face finds by itself.

    Parameters
    ----------
    folder : Path
        Of one network.
    stems : sequence of str
        What the names of its files begin with.

    Raises
    ------
    ModelError
        There are none, only those of a variant such as fp16, or a shard is missing.
    """
    for stem in stems:
        index = folder / f"{stem}.safetensors.index.json"
        if index.is_file():
            shards = set(json.loads(index.read_text())["weight_map"].values())
            if lost := sorted(name for name in shards if not (folder / name).is_file()):
                raise ModelError(
                    f"{folder} lacks {', '.join(lost)}, which {index.name} names; download them "
                    "again, since the first download was not finished"
                )
            return
        if any((folder / f"{stem}{suffix}").is_file() for suffix in (".safetensors", ".bin")):
            return
    found = sorted(path.name for path in folder.iterdir() if path.suffix in _WEIGHT_SUFFIXES)
    wanted = f"{stems[0]}.safetensors"
    if found:
        raise ModelError(
            f"{folder} holds no {wanted}, only {', '.join(found)}; download the full weights, or, "
            f"to use these, copy them to {wanted}"
        )
    raise ModelError(
        f"no weights in {folder}: expected {wanted}; download the model again, and whole"
    )


def require_tokenizer(folder: Path) -> None:
    """Raise unless a folder holds a tokenizer's words, and what is needed to read them.

    Without them transformers makes an empty tokenizer, to which every prompt is alike.

    Raises
    ------
    ModelError
        There are none, or only those that a package which is not installed reads.
    """
    if (folder / "tokenizer.json").is_file():
        return
    if all((folder / name).is_file() for name in ("vocab.json", "merges.txt")):
        return
    if not (folder / "spiece.model").is_file():
        raise ModelError(
            f"no tokenizer in {folder}: expected tokenizer.json, or vocab.json and merges.txt; "
            "download the model again, and whole"
        )
    if lost := [name for name in ("sentencepiece", "google.protobuf") if not _is_installed(name)]:
        raise ModelError(
            f"{folder} holds its words as spiece.model, which {' and '.join(lost)} read: pip "
            "install sentencepiece protobuf, or download the tokenizer.json of the model, too"
        )


def _is_installed(package: str) -> bool:
    parent = package.partition(".")[0]
    return find_spec(parent) is not None and find_spec(package) is not None


@contextmanager
def model_errors(what: str) -> Iterator[None]:
    """Turn what a model library raises while loading into `ModelError`.

    Parameters
    ----------
    what : str
        The model, as the text of the error is to name it.

    Raises
    ------
    ModelError
        The files are missing, torn, or of another architecture. Errors for want of memory pass
        as they come.
    """
    from safetensors import SafetensorError

    try:
        yield
    except ModelError:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        RuntimeError,
        AssertionError,
        SafetensorError,
    ) as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f"{what} cannot be loaded: {type(error).__name__}: {first_line(error)}"
        ) from error


@contextmanager
def without_progress_bars(library: Literal["diffusers", "transformers"]) -> Iterator[None]:
    """Keep a library from drawing a bar for every model it reads; a run has one of its own."""
    logging: Any = importlib.import_module(f"{library}.utils.logging")
    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()
