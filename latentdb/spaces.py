"""From the text that names a space to the model that fills it.

A spec is the name of a bundled space, or `NAME=LOADER:SOURCE[?key=value&...]`:

    faces-clip
    clip=open_clip:/models/clip
    b32=open_clip:ViT-B-32?pretrained=laion2b_s34b_b79k
    dino=timm:timm/vit_small_patch16_224.dino
    dinov2=transformers:facebook/dinov2-base?pooling=cls
    sd15=diffusers:/models/sd15?inverter=fixed_point&steps=50&prompt=
    short=bundled:faces-noise?steps=10

LOADER is `open_clip`, `timm`, `transformers`, `diffusers` or `bundled`; SOURCE a local folder, a
hub id, or a bundled name; the keys are the fields of the loader's options, written as in a URL.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, final
from urllib.parse import parse_qsl, urlencode

from latentdb.bundled import BUNDLED, ModelDescription, describe_models, require_weights
from latentdb.errors import ModelError, SpaceSpecError
from latentdb.model import AbstractSpaceModel
from latentdb.space import IMPORTED, SHARED

__all__ = [
    "BUNDLED",
    "ModelDescription",
    "SpaceSpec",
    "describe_models",
    "load_model",
    "parse_spec",
]

_SPEC = re.compile(r"(?P<name>[^=:?]+)=(?P<loader>[^=:?]+):(?P<source>[^?]+)(\?(?P<query>.*))?")
_Options = TypeVar("_Options")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@final
@dataclass(frozen=True)
class SpaceSpec:
    """A spec, taken apart and checked.

    Parameters
    ----------
    name : str
        The space's name.
    loader : str
        `open_clip`, `timm`, `transformers`, `diffusers` or `bundled`.
    source : str
        Folder, hub id or bundled name.
    options : mapping of str to str
        As written.
    """

    name: str
    loader: str
    source: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        if self.loader == "bundled" and self.name == self.source and not self.options:
            return self.name
        query = f"?{urlencode(dict(self.options), safe='/:')}" if self.options else ""
        return f"{self.name}={self.loader}:{self.source}{query}"


def parse_spec(spec: str) -> SpaceSpec:
    """Take a spec apart.

    Raises
    ------
    SpaceSpecError
        It is neither a bundled name nor `NAME=LOADER:SOURCE[?key=value&...]`, or names a loader
        that there is not.
    """
    if spec in BUNDLED:
        return SpaceSpec(spec, "bundled", spec, {})
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise SpaceSpecError(
            f"{spec!r} is neither a bundled space ({', '.join(BUNDLED)}) nor of the form "
            "NAME=LOADER:SOURCE[?key=value&...], such as clip=open_clip:/models/clip"
        )
    name, loader, source = match["name"], match["loader"], match["source"]
    if not _NAME.fullmatch(name):
        raise SpaceSpecError(
            f"a space's name is of lower-case letters, digits, '-' and '_', got {name!r}"
        )
    if name in BUNDLED and (loader, source) != ("bundled", name):
        raise SpaceSpecError(f"{name!r} is the name of a bundled space; call yours otherwise")
    if loader not in _LOADERS and loader != "bundled":
        raise SpaceSpecError(
            f"there is no loader {loader!r}; there are {', '.join([*_LOADERS, 'bundled'])}"
        )
    if loader == "bundled" and source not in BUNDLED:
        raise SpaceSpecError(f"{source!r} is not bundled; bundled are {', '.join(BUNDLED)}")
    return SpaceSpec(name, loader, source, _parse_query(match["query"] or "", spec))


def load_model(spec: str, *, device: str = "auto") -> AbstractSpaceModel:
    """The model of a space.

    The model's `space.spec` makes the same model again from any working directory. Errors for
    want of memory pass as they come (`latentdb.device.is_out_of_memory` knows them).

    Parameters
    ----------
    spec : str
        See this module.
    device : str
        `auto` (a GPU where there is one), `cpu`, `cuda:0`, …

    Returns
    -------
    AbstractSpaceModel
        Ready to embed. The same picture gives the same vector, whatever batch it comes in.

    Raises
    ------
    SpaceSpecError
        The spec cannot be read, or has an option that its loader does not know.
    ModelError
        The model cannot be found or loaded.
    """
    if spec.startswith(SHARED):
        raise ModelError(
            f"space {spec.removeprefix(SHARED)!r} is shared by others and has no model of its "
            "own: name the member that embeds the question with --from"
        )
    if spec.startswith(IMPORTED):
        raise ModelError(
            f"space {spec.removeprefix(IMPORTED)!r} was imported as vectors, without a model: ask "
            "with --id or --vector, carry a question over with a map (latentdb stitch), or put a "
            "model in its place (latentdb migrate-space)"
        )
    parsed = parse_spec(spec)
    loader, source, options = parsed.loader, parsed.source, dict(parsed.options)
    if loader == "bundled":
        bundled = BUNDLED[source]
        require_weights(source)
        loader, source = bundled.loader, str(bundled.path)
        options = {**bundled.options, **options}
    else:
        parsed = _absolute(parsed)
        source = parsed.source
    return _LOADERS[loader](source, options, parsed.name, str(parsed), device)


def _parse_query(query: str, spec: str) -> dict[str, str]:
    """The options as written, each given once."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise SpaceSpecError(
            f"the options of {spec!r} are not of the form key=value&key=value: {error}"
        ) from error
    keys = [key for key, _ in pairs]
    if doubled := sorted({key for key in keys if keys.count(key) > 1}):
        raise SpaceSpecError(f"{spec!r} gives {', '.join(doubled)} more than once")
    return dict(pairs)


def _absolute(parsed: SpaceSpec) -> SpaceSpec:
    """The spec with local paths made absolute, so that it holds in any working directory."""
    from latentdb.weights import local_folder

    folder = local_folder(parsed.source)
    options = dict(parsed.options)
    checkpoint = Path(options.get("pretrained", "")).expanduser()
    if checkpoint.is_file():
        options["pretrained"] = str(checkpoint.resolve())
    if "vae" in options:
        options["vae"] = str(local_folder(options["vae"]) or options["vae"])
    source = parsed.source if folder is None else str(folder)
    return dataclasses.replace(parsed, source=source, options=options)


def _typed(options_class: type[_Options], written: Mapping[str, str]) -> _Options:
    """The loader's options, with each value of the type that its field declares."""
    hints = typing.get_type_hints(options_class)
    if unknown := sorted(written.keys() - hints.keys()):
        raise SpaceSpecError(f"unknown option {', '.join(unknown)}; there are {', '.join(hints)}")
    return options_class(**{key: _value(key, text, hints[key]) for key, text in written.items()})


def _value(key: str, text: str, hint: Any) -> str | int | float | bool | None:
    """`text` read as the type `hint`."""
    if typing.get_origin(hint) is types.UnionType:
        (hint,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        if text not in choices:
            raise SpaceSpecError(f"{key}={text!r} is not one of {', '.join(choices)}")
        return text
    if hint is bool:
        if text not in ("true", "false"):
            raise SpaceSpecError(f"{key}={text!r} is neither true nor false")
        return text == "true"
    try:
        number: str | int | float = hint(text)
    except ValueError as error:
        raise SpaceSpecError(f"{key}={text!r} is not of type {hint.__name__}") from error
    return number


def _load_open_clip(
    source: str, options: Mapping[str, str], name: str, spec: str, device: str
) -> AbstractSpaceModel:
    from latentdb.encoders.open_clip import OpenClipEncoder
    from latentdb.encoders.options import OpenClipOptions

    typed = _typed(OpenClipOptions, options)
    return OpenClipEncoder(source, typed, name=name, spec=spec, device=device)


def _load_timm(
    source: str, options: Mapping[str, str], name: str, spec: str, device: str
) -> AbstractSpaceModel:
    from latentdb.encoders.options import TimmOptions
    from latentdb.encoders.timm import TimmEncoder

    typed = _typed(TimmOptions, options)
    return TimmEncoder(source, typed, name=name, spec=spec, device=device)


def _load_transformers(
    source: str, options: Mapping[str, str], name: str, spec: str, device: str
) -> AbstractSpaceModel:
    from latentdb.encoders.options import TransformersOptions
    from latentdb.encoders.transformers import TransformersEncoder

    typed = _typed(TransformersOptions, options)
    return TransformersEncoder(source, typed, name=name, spec=spec, device=device)


def _load_diffusers(
    source: str, options: Mapping[str, str], name: str, spec: str, device: str
) -> AbstractSpaceModel:
    from latentdb.inverters.backbones.backbone import DiffusersBackbone
    from latentdb.inverters.kinds import INVERTERS
    from latentdb.inverters.options import DiffusersOptions

    typed = _typed(DiffusersOptions, options)
    backbone = DiffusersBackbone(source, typed, device=device)
    return INVERTERS[typed.inverter](backbone, typed, name=name, spec=spec)


_LOADERS: Mapping[str, Callable[[str, Mapping[str, str], str, str, str], AbstractSpaceModel]] = {
    "open_clip": _load_open_clip,
    "timm": _load_timm,
    "transformers": _load_transformers,
    "diffusers": _load_diffusers,
}
