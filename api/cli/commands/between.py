"""Between items: `interpolate` walks from one to another, `centroid` finds their middle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.files import (
    PICTURE_SUFFIXES,
    VECTOR_SUFFIXES,
    check_output,
    write_picture,
    write_vectors,
)
from api.cli.options import AsJson, Count, DatabaseFirst, Device, Key, Where
from api.cli.output import note, print_json, print_table
from api.cli.progress import counted
from api.cli.session import address_and_ids, open_database
from indexers.types import PriorName

if TYPE_CHECKING:
    from latentdb.paths import Centroid, Interpolation
    from latentdb.space import Space as StoredSpace

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="ID...", help="Stored items; latentdb items lists.")
]
Space = Annotated[
    str | None,
    typer.Option("--space", metavar="S", help="The only noise space where not given."),
]
Prior = Annotated[
    PriorName | None, typer.Option(help="Law of the norm; chi in a noise space, else none.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="F.png", help="Draw it: decoded, or the nearest stored items."),
]
VectorsOut = Annotated[
    Path | None,
    typer.Option("--vectors", metavar="F.npy", help="Keep the vectors, for search --vector."),
]


def interpolate(  # noqa: PLR0913 - one parameter per option of the contract
    db: DatabaseFirst = None,
    ids: Ids = None,
    *,
    space: Space = None,
    method: Annotated[
        Literal["nao", "lol", "slerp", "lerp"] | None,
        typer.Option(help="The curve; nao in a noise space, slerp in an encoder's."),
    ] = None,
    prior: Prior = None,
    steps: Annotated[int, typer.Option(min=2, max=1000, help="Points, both ends included.")] = 9,
    out: Out = None,
    vectors: VectorsOut = None,
    device: Device = "auto",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Walk from one stored item to another.

    In a noise space every point is a picture, and --out draws them. In an
    encoder's space the nearest stored items stand for them.
    """
    where, wanted = address_and_ids(db, ids)
    if len(wanted) != 2:
        raise typer.BadParameter(f"interpolate takes two ids, got {len(wanted)}")
    check_output(out, "--out", PICTURE_SUFFIXES)
    check_output(vectors, "--vectors", VECTOR_SUFFIXES)
    opened = open_database(where, device=device, key=key)
    path = opened.interpolate(*wanted, space=space, method=method, prior=prior, steps=steps)
    if out is not None:
        from latentdb.paths.sheets import interpolation_sheet

        with counted("decoding", steps) as on_decoded:
            write_picture(interpolation_sheet(opened, path, on_decoded=on_decoded), out)
        _say_what_is_drawn(path.space)
    write_vectors(path.points, vectors)
    _print_path(path, as_json=as_json)


def centroid(  # noqa: PLR0913 - one parameter per option of the contract
    db: DatabaseFirst = None,
    ids: Ids = None,
    *,
    where: Where = None,
    space: Space = None,
    method: Annotated[
        Literal["nao", "lol", "karcher", "mean"] | None,
        typer.Option(help="Which middle; nao in a noise space, karcher in an encoder's."),
    ] = None,
    prior: Prior = None,
    correlated: Annotated[
        bool | None,
        typer.Option(
            "--correlated/--independent",
            help="lol: whether members share what adds up; --correlated in a noise space.",
        ),
    ] = None,
    k: Count = 10,
    out: Out = None,
    vectors: VectorsOut = None,
    device: Device = "auto",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Find the middle of several stored items, and the items nearest to it.

    Members are named by id or chosen by --where. Those named by id are left
    out of the nearest, as in a search.
    """
    database, wanted = address_and_ids(db, ids)
    check_output(out, "--out", PICTURE_SUFFIXES)
    check_output(vectors, "--vectors", VECTOR_SUFFIXES)
    opened = open_database(database, device=device, key=key)
    found = opened.centroid(
        wanted or None,
        where=where,
        space=space,
        method=method,
        prior=prior,
        correlated=correlated,
        k=k,
    )
    if out is not None:
        from latentdb.paths.sheets import centroid_sheet

        write_picture(centroid_sheet(opened, found), out)
        _say_what_is_drawn(found.space)
    write_vectors(found.vector, vectors)
    _print_centroid(found, as_json=as_json)


def _say_what_is_drawn(space: StoredSpace) -> None:
    if space.kind != "noise":
        note(f"space {space.name} has no decoder: the nearest stored items are drawn")


def _print_path(path: Interpolation, *, as_json: bool) -> None:
    if as_json:
        print_json(path.to_json())
        return
    from latentdb.paths.common import describe_length

    print_table(
        ["t", "norm", "z", "length", "nearest other", "distance"],
        [
            [
                float(path.fractions[i]),
                float(path.norms[i]),
                None if path.norm_z is None else f"{path.norm_z[i]:+.2f}",
                float(path.lengths[i]),
                int(path.nearest_ids[i]) if path.nearest_ids[i] >= 0 else None,
                float(path.nearest_distances[i]) if path.nearest_ids[i] >= 0 else None,
            ]
            for i in range(len(path.points))
        ],
        empty="",
    )
    note(
        f"space {path.space.name}, {path.method}; {describe_length(path.prior)}; "
        f"nearest by {path.metric}"
    )


def _print_centroid(found: Centroid, *, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json())
        return
    from latentdb.paths.common import describe_length
    from latentdb.pictures import short_labels

    members = set(found.member_ids.tolist())
    print_table(
        ["rank", "id", "distance", "member", "labels", "source"],
        [
            [rank, hit.id, hit.distance, hit.id in members, short_labels(hit.labels), hit.source]
            for rank, hit in enumerate(found.nearest.hits, start=1)
        ],
        empty="no other item is stored",
    )
    z = "" if found.norm_z is None else f" (z {found.norm_z:+.2f})"
    note(
        f"space {found.space.name}, {found.method}: {len(members)} members, norm "
        f"{found.norm:.4g}{z}, on average {found.member_distances.mean():.4g} from a member, "
        f"{describe_length(found.prior)}; nearest by {found.nearest.metric}"
    )
