"""The nearest rows of a whole file of vectors: `nearest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.files import check_output, read_vector
from api.cli.options import AsJson, At, Count, DatabaseFirst, Where
from api.cli.output import note, print_json, print_table
from api.cli.progress import counted
from api.cli.session import address_and, open_files
from indexers.types import MetricName, PriorName

if TYPE_CHECKING:
    from latentdb.database import LatentDB
    from latentdb.nearest import NearestOptions, Neighbours

# So many vectors at once: a bar moves, and an interrupt is heard.
_AT_ONCE = 4096
_SHOWN = 20


def nearest(  # noqa: PLR0913 - one parameter per option
    db: DatabaseFirst = None,
    vectors: Annotated[
        str | None,
        typer.Argument(metavar="VECTORS.npy", help="A matrix, one vector of --space a row."),
    ] = None,
    *,
    space: Annotated[str, typer.Option("--space", metavar="S", help="Space to search.")],
    metric: Annotated[MetricName | None, typer.Option(help="What nearness means.")] = None,
    prior: Annotated[
        PriorName | None, typer.Option(help="Law of the norm, for --metric nao.")
    ] = None,
    k: Count = 10,
    where: Where = None,
    max_distance: Annotated[
        float | None,
        typer.Option("--max-distance", metavar="X", help="Leave farther rows out."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="F.npz", help="Write ids and distances (n, k), padded with -1 and inf."
        ),
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """The items nearest to each of many vectors, thousands a second.

    Nothing is mapped or moved on the way; latentdb search --vector does that for one.
    """
    check_output(out, "--out", (".npz",))
    address, file = address_and(db, vectors, "VECTORS.npy")
    matrix = read_vector(Path(file))
    opened = open_files(address, at=at)
    options: NearestOptions = {
        "k": k,
        "metric": metric,
        "prior": prior,
        "where": where,
        "max_distance": max_distance,
    }
    found = _found(opened, matrix, space, options)
    if out is not None:
        _write(found, out)
    if as_json:
        print_json(found.to_json())
    elif out is None:
        _print(opened, found)
    if not found.exact:
        note(f"recall@10 of such an answer is {found.recall_at_10:.3f}")


def _found(db: LatentDB, matrix: Any, space: str, options: NearestOptions) -> Neighbours:
    if matrix.ndim != 2 or len(matrix) <= _AT_ONCE:
        return db.nearest(matrix, space=space, **options)
    with counted("searching", len(matrix)) as tell:
        parts = []
        for start in range(0, len(matrix), _AT_ONCE):
            block = matrix[start : start + _AT_ONCE]
            parts.append(db.nearest(block, space=space, **options))
            tell(len(block))
    return _joined(parts)


def _joined(parts: list[Neighbours]) -> Neighbours:
    import numpy as np

    def together(name: str) -> Any:
        arrays = [getattr(part, name) for part in parts]
        return None if arrays[0] is None else np.concatenate(arrays)

    return parts[0]._replace(
        ids=together("ids"),
        distances=together("distances"),
        angular=together("angular"),
        radial=together("radial"),
        exact=all(part.exact for part in parts),
        recall_at_10=min(part.recall_at_10 for part in parts),
    )


def _write(found: Neighbours, out: Path) -> None:
    import numpy as np

    arrays: dict[str, Any] = {"ids": found.ids, "distances": found.distances}
    if found.angular is not None:
        arrays |= {"angular": found.angular, "radial": found.radial}
    np.savez(out, **arrays)
    note(f"wrote {out}: {' x '.join(map(str, found.ids.shape))} ids and distances")


def _print(db: LatentDB, found: Neighbours) -> None:
    """The nearest item of each of the first rows."""
    there = [row for row in range(min(_SHOWN, len(found.ids))) if found.ids[row, 0] >= 0]
    items = db.items(found.ids[there, 0].tolist())
    print_table(
        ["row", "nearest", "distance", "source"],
        [
            [row, item.id, round(float(found.distances[row, 0]), 4), item.source]
            for row, item in zip(there, items, strict=True)
        ],
        empty="nothing is near enough",
    )
    note(f"space {found.space}, metric {found.metric}, {'exact' if found.exact else 'approximate'}")
    if len(found.ids) > _SHOWN:
        note(
            f"the nearest of the first {_SHOWN} of {len(found.ids)} rows; all with --out or --json"
        )
