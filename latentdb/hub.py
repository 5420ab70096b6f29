"""Getting a model's files from the Hugging Face hub, and saying what to do when it gives none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentdb.errors import ModelError

_SITE = "https://huggingface.co"
_ELSEWHERE = "download it on another machine (`hf download {repo}`) and pass its folder"
_LOGIN = "log in with `hf auth login` (`huggingface-cli login` of old), or set HF_TOKEN"


def download(repo: str, *, revision: str | None, patterns: Sequence[str]) -> Path:
    """The folder of a hub repository's files on this disk, downloaded once.

    Parameters
    ----------
    repo : str
        `owner/name`.
    revision : str or None
        Branch, tag or commit; None for the default branch.
    patterns : sequence of str
        Which files are needed.

    Raises
    ------
    ModelError
        The hub does not know it, does not let us have it, or cannot be reached.
    """
    import huggingface_hub
    from huggingface_hub import errors as untyped

    errors: Any = untyped  # HTTPError is that of the library the hub's client is built on
    try:
        return Path(
            huggingface_hub.snapshot_download(
                repo, revision=revision, allow_patterns=list(patterns), max_workers=2
            )
        )
    except (OSError, errors.HFValidationError, errors.HTTPError) as error:
        name = repo if revision is None else f"{repo}@{revision}"
        raise ModelError(f"model {name!r}: {_cure(error, repo, errors)}") from error


def _cure(error: BaseException, repo: str, errors: Any) -> str:
    """What went wrong, and what to do about it; the narrower classes come first."""
    if isinstance(error, errors.HFValidationError):
        return (
            f"this is neither a local folder nor the id of a model on the hub (owner/name): "
            f"{first_line(error)}"
        )
    if isinstance(error, errors.GatedRepoError):
        return (
            f"it is gated, so accept its licence at {_SITE}/{repo} and {_LOGIN}; or "
            f"{_ELSEWHERE.format(repo=repo)}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"the hub has no such revision; see {_SITE}/{repo}/commits/main"
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            "it is neither a local folder nor a model that the hub lets us see; check the name, "
            f"and if the model is private {_LOGIN}"
        )
    # Where the hub answers with an error of its own, the client looks into its cache and then
    # reports that nothing was there.
    refused = isinstance(error.__cause__, errors.HfHubHTTPError)
    lost = isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled)
    if lost and not refused:
        return (
            "it is neither a local folder nor in the cache of the hub's client, and the hub "
            "cannot be reached (no network, or HF_HUB_OFFLINE is set); "
            f"{_ELSEWHERE.format(repo=repo)}"
        )
    said = first_line(error.__cause__ or error)
    return (
        f"it is no local folder, and the hub did not give it to us: {said}; try again later, or "
        f"{_ELSEWHERE.format(repo=repo)}"
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's text, short enough for one sentence."""
    text = str(error).strip() or repr(error)
    return text.splitlines()[0][:300]
