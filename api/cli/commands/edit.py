"""`edit`: stored pictures changed along directions, one as a sheet or many into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from api.cli.commands.answers import parse_directions
from api.cli.files import PICTURE_SUFFIXES, check_output, write_picture
from api.cli.options import AsJson, DatabaseFirst, Device, Key, Where
from api.cli.output import note, print_json, print_table
from api.cli.progress import counted
from api.cli.session import address_and_ids, open_database, open_files

if TYPE_CHECKING:
    from latentdb.edit import Edited, Pair


# Of the cosine of two steps: 45 degrees apart.
_LITTLE = 0.7


def edit(  # noqa: PLR0913 - one parameter per option of the contract
    db: DatabaseFirst = None,
    item: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Stored item; latentdb items lists.")
    ] = None,
    *,
    direction: Annotated[
        list[str] | None,
        typer.Option(
            "--direction",
            metavar="NAME=STRENGTH",
            help="Move along a direction, in standard deviations; repeatable.",
        ),
    ] = None,
    strengths: Annotated[
        str | None,
        typer.Option(
            "--strengths",
            metavar="X,Y,...",
            help="A picture each: how many times all of it is added.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="NAME", help="Leave a direction alone; repeatable."),
    ] = None,
    pair: Annotated[
        tuple[int, int] | None,
        typer.Option("--pair", metavar="A B", help="Add what item B has and item A has not."),
    ] = None,
    pair_method: Annotated[
        Literal["svd", "difference"] | None,
        typer.Option(help="How that is read out of the two; svd."),
    ] = None,
    strength: Annotated[
        float | None, typer.Option(help="Of the pair; 1, where not given, is all of it.")
    ] = None,
    norm: Annotated[
        Literal["own", "chi", "fitted", "none"] | None,
        typer.Option(help="Norm given to what was moved: own, from before, or a prior's; own."),
    ] = None,
    no_norm: Annotated[
        bool, typer.Option("--no-norm", help="Leave the norm as it comes: --norm none.")
    ] = False,
    image: Annotated[
        Path | None,
        typer.Option("--image", metavar="F", help="Edit a picture file, inverted first."),
    ] = None,
    where: Where = None,
    space: Annotated[
        str | None,
        typer.Option("--space", metavar="S", help="The only noise space where not given."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="F.png|FOLDER/",
            help="Draw a sheet; with --where, the folder for every picture.",
        ),
    ] = None,
    device: Device = "auto",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change a picture along named directions of the noise it comes from.

    The sheet shows the original, what its noise regenerates, then the edits. With --where,
    all items that qualify are edited into a folder; interrupted, the same command goes on.
    """
    database, ids = address_and_ids(db, item)
    chosen = [len(ids) == 1, image is not None, where is not None]
    if len(ids) > 1 or sum(chosen) != 1:
        raise typer.BadParameter("edit takes one ID, or --image FILE, or --where SQL")
    if no_norm and norm not in (None, "none"):
        raise typer.BadParameter(f"--no-norm is --norm none, got --norm {norm} beside it")
    asked: dict[str, Any] = {
        "directions": parse_directions(direction or ()),
        "space": space,
        "strengths": _numbers(strengths),
        "pair": _pair(pair, pair_method, strength),
        "keep": keep or (),
        "norm": "none" if no_norm else norm or "own",
    }
    if where is not None:
        _edit_folder(database, where, _folder(out), asked, device=device, as_json=as_json)
        return
    check_output(out, "--out", PICTURE_SUFFIXES)
    opened = open_database(database, device=device, key=key)
    with counted("decoding", 1 + len(asked["strengths"])) as on_decoded:
        found = opened.edit(next(iter(ids), None), image=image, on_decoded=on_decoded, **asked)
    if out is not None:
        from latentdb.edit.sheet import edited_sheet

        write_picture(edited_sheet(found), out)
    _print(found, as_json=as_json)


def _edit_folder(
    database: str, where: str, folder: Path, asked: dict[str, Any], *, device: str, as_json: bool
) -> None:
    opened = open_files(database, device=device)
    planned = opened.edit_folder(folder, where=where, **asked)
    missing = planned.missing
    if missing < planned.total:
        note(f"{planned.total - missing} of {planned.total} pictures are there already")
    with counted("editing", missing) as on_made:
        manifest = planned.run(on_made)
    if as_json:
        print_json(manifest)
        return
    note(f"made {missing} pictures of {len(planned.ids)} items in {folder}, and a manifest.json")


def _pair(
    ids: tuple[int, int] | None, method: Literal["svd", "difference"] | None, strength: float | None
) -> Pair | None:
    """The pair with its options, which nothing else has a use for."""
    from latentdb.edit import Pair

    if ids is not None:
        return Pair(*ids, method=method or "svd", strength=1.0 if strength is None else strength)
    if method is not None or strength is not None:
        raise typer.BadParameter(
            "--pair-method and --strength are of --pair A B; a direction's is in NAME=STRENGTH"
        )
    return None


def _folder(out: Path | None) -> Path:
    """The folder that --out names."""
    if out is None:
        raise typer.BadParameter("--where edits into a folder: name it with --out FOLDER/")
    if out.suffix.lower() in PICTURE_SUFFIXES or out.is_file():
        raise typer.BadParameter(f"--where edits into a folder, and --out {out} is a file")
    return out


def _numbers(text: str | None) -> tuple[float, ...]:
    """Numbers divided by commas; (1,) of nothing."""
    if text is None:
        return (1.0,)
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(
            f"--strengths are numbers divided by commas, such as -2,-1,1,2; got {text!r}"
        ) from error


def _named(strengths: dict[str, float], times: float) -> str:
    """One picture: the strength of what alone was moved along, or how many times all was added."""
    if len(strengths) != 1:
        return f"×{times:g}"
    ((name, strength),) = strengths.items()
    return f"{name} {strength:+g}"


def _print(found: Edited, *, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json())
        return
    names = list(found.projections)
    rows = [["round trip", float(found.norms[0]), f"{found.norm_z[0]:+.2f}"]]
    rows[0] += [f"{found.projections[name].before:+.2f}" for name in names]
    for at, times in enumerate(found.times):
        lies = [f"{found.projections[name].after[at]:+.2f}" for name in names]
        norms = [float(found.norms[1 + at]), f"{found.norm_z[1 + at]:+.2f}"]
        rows.append([_named(found.strengths(at), times), *norms, *lies])
    print_table(["picture", "norm", "z", *names], rows, empty="")
    note(
        f"space {found.space.name}; directions in standard deviations from their boundary; the "
        f"round trip is at {found.round_trip_psnr:.1f} dB from the original"
    )
    if found.step.remaining < _LITTLE:
        note(
            "what is to stay lies along what is to change: the step has a cosine of "
            f"{found.step.remaining:.2f} with the one that was asked for; keep less"
        )
