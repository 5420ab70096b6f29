"""Questions: `search` and `rank`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.files import PICTURE_SUFFIXES, check_output, read_vector, write_picture
from api.cli.options import AsJson, Count, Database, Device, Grid, Where
from api.cli.output import note, print_json, print_table
from api.cli.session import open_database
from indexers.types import MetricName, PriorName

if TYPE_CHECKING:
    from PIL import Image

    from latentdb.database import LatentDB
    from latentdb.types import Answer


def search(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="F", help="Ask with a picture.")
    ] = None,
    item: Annotated[
        int | None,
        typer.Option(
            "--id", metavar="ID", help="Ask with a stored item; latentdb items lists ids."
        ),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", metavar="T", help="Ask in words.")] = None,
    vector: Annotated[
        Path | None,
        typer.Option("--vector", metavar="F.npy", help="Ask with a vector of --from."),
    ] = None,
    row: Annotated[
        int | None,
        typer.Option("--row", metavar="N", min=0, help="The N-th of several in --vector, from 0."),
    ] = None,
    from_space: Annotated[
        str | None,
        typer.Option("--from", metavar="S", help="Space the question is born in."),
    ] = None,
    space: Annotated[
        str | None, typer.Option("--space", metavar="S", help="Space that is searched.")
    ] = None,
    metric: Annotated[MetricName | None, typer.Option(help="What nearness means.")] = None,
    prior: Annotated[
        PriorName | None, typer.Option(help="Law of the norm, for --metric nao.")
    ] = None,
    k: Count = 10,
    direction: Annotated[
        list[str] | None,
        typer.Option(
            "--direction",
            metavar="NAME=STRENGTH",
            help="Move the question along a direction, in standard deviations; repeatable.",
        ),
    ] = None,
    where: Where = None,
    max_distance: Annotated[
        float | None, typer.Option("--max-distance", metavar="X", help="Leave farther hits out.")
    ] = None,
    grid: Grid = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Find the items nearest to a picture, a stored item, a text or a vector."""
    from latentdb.query import Query

    check_output(grid, "--grid", PICTURE_SUFFIXES)
    if row is not None and vector is None:
        raise typer.BadParameter("--row chooses among the vectors of --vector; give both")
    query = Query(
        image=image,
        id=item,
        text=text,
        vector=None if vector is None else read_vector(vector, row),
        from_space=from_space,
        space=space,
        metric=metric,
        prior=prior,
        k=k,
        directions=parse_directions(direction or ()),
        where=where,
        max_distance=max_distance,
    )
    opened = open_database(db, device=device)
    answer = opened.search(query)
    _show(opened, answer, grid, query_picture=_query_picture(opened, image, item, grid))
    _print(answer, as_json=as_json)
    _warn(answer)


def rank(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    direction: Annotated[str, typer.Option("--direction", metavar="NAME", help="What to rank by.")],
    space: Annotated[
        str | None,
        typer.Option("--space", metavar="S", help="Needed where NAME is fitted in several."),
    ] = None,
    where: Where = None,
    k: Count = 10,
    least: Annotated[
        bool, typer.Option("--least", help="The least so first, instead of the most.")
    ] = False,
    grid: Grid = None,
    as_json: AsJson = False,
) -> None:
    """Order the items by how far they lie along a direction.

    The distance shown is minus the signed distance to the direction's boundary, in standard
    deviations, so that the foremost hit has the lowest, as everywhere.
    """
    check_output(grid, "--grid", PICTURE_SUFFIXES)
    opened = open_database(db)
    answer = opened.rank(direction, space=space, where=where, k=k, descending=not least)
    _show(opened, answer, grid, query_picture=None)
    _print(answer, as_json=as_json)


def parse_directions(given: Sequence[str]) -> dict[str, float]:
    """Strength by name from `NAME=STRENGTH`, in the order given.

    Raises
    ------
    typer.BadParameter
        Not of that form, or a name given twice.
    """
    parsed: dict[str, float] = {}
    for text in given:
        name, _, strength = text.rpartition("=")
        try:
            value = float(strength)
        except ValueError as error:
            raise typer.BadParameter(
                f"--direction is NAME=STRENGTH, such as smiling=2; got {text!r}"
            ) from error
        if not name or name in parsed:
            raise typer.BadParameter(f"--direction names each direction once; got {text!r}")
        parsed[name] = value
    return parsed


def _query_picture(
    db: LatentDB, image: Path | None, item: int | None, grid: Path | None
) -> Image.Image | None:
    """The picture that was asked with, where there is one and it is to be drawn."""
    if grid is None:
        return None
    if item is not None:
        return db.picture(item)
    if image is None:
        return None
    from latentdb.query import read_picture

    return read_picture(image)


def _show(
    db: LatentDB, answer: Answer, grid: Path | None, *, query_picture: Image.Image | None
) -> None:
    """Draw the answer where a contact sheet was asked for."""
    if grid is None:
        return
    from latentdb.pictures import answer_sheet

    write_picture(answer_sheet(answer, picture=db.picture, query_picture=query_picture), grid)


def _print(answer: Answer, *, as_json: bool) -> None:
    """The answer as JSON, or as a table with a line on how it came about."""
    if as_json:
        print_json(answer.to_json())
        return
    from latentdb.pictures import short_labels

    has_parts = any(hit.angular is not None for hit in answer.hits)
    rows = [
        [
            rank,
            hit.id,
            hit.distance,
            *([hit.angular, hit.radial] if has_parts else []),
            short_labels(hit.labels),
            hit.source,
        ]
        for rank, hit in enumerate(answer.hits, start=1)
    ]
    parts = ["angular", "radial"] if has_parts else []
    columns = ["rank", "id", "distance", *parts, "labels", "source"]
    print_table(columns, rows, empty="no item qualifies")
    certainty = "exact" if answer.exact else f"recall@10 {answer.recall_at_10:.2f}"
    prior = f" under the {answer.query['prior']} prior" if "prior" in answer.query else ""
    note(f"space {answer.space}, metric {answer.metric}{prior}, {certainty}{_mapped(answer)}")


def _mapped(answer: Answer) -> str:
    """The way that the question was carried over, and how well that does, in words."""
    way = answer.query.get("map")
    if way is None:
        return ""
    expected = f"recall@10 {way['expected_recall_at_10']:.2f} among {way['gallery']}"
    if way["is_estimate"]:
        return (
            f"; carried over {' → '.join(way['chain'])} by {way['method']} maps, about {expected}"
        )
    return (
        f"; carried over from {answer.query['from']} by a {way['method']} map with held-out "
        f"R² {way['r2']:.2f}, {expected} (chance {way['chance_at_10']:.2f})"
    )


def _warn(answer: Answer) -> None:
    """One line on stderr where the question is of another kind than the map was fitted on."""
    domain = answer.query.get("domain")
    if domain is None or not domain["is_outside"]:
        return
    what = (
        "the text says little about these pictures"
        if domain["measure"] == "weakness"
        else f"the question is unlike what is in {answer.query['from']}"
    )
    note(
        f"warning: {what}, so its answer through the map may mean nothing: {domain['measure']} "
        f"{domain['distance']:.3g}, above {domain['threshold']:.3g}, which "
        f"{domain['false_alarm_rate']:.1%} of what belongs exceeds"
    )
