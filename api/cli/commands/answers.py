"""Questions: `search` and `rank`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from api.cli.files import PICTURE_SUFFIXES, check_output, read_vector, write_picture
from api.cli.options import AsJson, At, Count, Database, Device, Grid, Key, Where
from api.cli.output import note, print_json, print_table
from api.cli.session import open_database
from indexers.types import MetricName, PriorName

if TYPE_CHECKING:
    from latentdb.types import Answer


ASKED, WHERE, HITS = "What to look for", "Where", "Which hits"


def search(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="T", help="In words.", rich_help_panel=ASKED),
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option("--image", metavar="F", help="Like a picture.", rich_help_panel=ASKED),
    ] = None,
    item: Annotated[
        int | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="Like a stored item; latentdb items lists ids.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    vector: Annotated[
        Path | None,
        typer.Option(
            "--vector", metavar="F.npy", help="Like a vector of --from.", rich_help_panel=ASKED
        ),
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(
            "--row",
            metavar="N",
            min=0,
            help="The N-th of several in --vector, from 0.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(
            "--like",
            metavar="ID[=WEIGHT]",
            help="Also like a stored item, which counts 1 unless told; repeatable.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    unlike: Annotated[
        list[str] | None,
        typer.Option(
            "--unlike",
            metavar="ID[=WEIGHT]",
            help="Unlike a stored item; repeatable.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            metavar="PART=WEIGHT",
            help="How much text, image, id or vector counts, such as text=.5; 1 unless told, "
            "below 0 to be unlike it; repeatable.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    direction: Annotated[
        list[str] | None,
        typer.Option(
            "--direction",
            metavar="NAME=STRENGTH",
            help="Move the question along a direction, in standard deviations; repeatable.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    from_space: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="S", help="Space the question is born in.", rich_help_panel=WHERE
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option("--space", metavar="S", help="Space to search.", rich_help_panel=WHERE),
    ] = None,
    metric: Annotated[
        MetricName | None, typer.Option(help="What nearness means.", rich_help_panel=WHERE)
    ] = None,
    prior: Annotated[
        PriorName | None,
        typer.Option(help="Law of the norm, for --metric nao.", rich_help_panel=WHERE),
    ] = None,
    k: Count = 10,
    where: Where = None,
    max_distance: Annotated[
        float | None,
        typer.Option(
            "--max-distance", metavar="X", help="Leave farther hits out.", rich_help_panel=HITS
        ),
    ] = None,
    diverse: Annotated[
        float | None,
        typer.Option(
            "--diverse",
            metavar="LAMBDA",
            min=0.0,
            max=1.0,
            help="Hits unlike one another (MMR): 1 is nearness alone, 0 variety alone.",
            rich_help_panel=HITS,
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Say what each part did for each hit.", rich_help_panel=HITS
        ),
    ] = False,
    grid: Grid = None,
    device: Device = "auto",
    key: Key = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Find the items nearest to what a question is like, and far from what it is unlike.

    A text, a picture, a stored item and a vector can be asked with together, beside any number of
    items liked and unliked; directions move the whole. See docs/queries.md.
    """
    from latentdb.query import Query

    check_output(grid, "--grid", PICTURE_SUFFIXES)
    if row is not None and vector is None:
        raise typer.BadParameter("--row chooses among the vectors of --vector; give both")
    query = Query(
        image=image,
        id=item,
        text=text,
        vector=None if vector is None else read_vector(vector, row),
        like=parse_items("--like", like or ()),
        unlike=parse_items("--unlike", unlike or ()),
        weights=parse_numbers("--weight", weight or (), "PART=WEIGHT, such as text=.5"),
        from_space=from_space,
        space=space,
        metric=metric,
        prior=prior,
        k=k,
        directions=parse_directions(direction or ()),
        where=where,
        max_distance=max_distance,
        diverse=diverse,
        explain=explain,
    )
    opened = open_database(db, device=device, key=key, at=at)
    answer = opened.search(query)
    if grid is not None:
        from latentdb.search_sheet import search_sheet

        write_picture(search_sheet(query, answer, picture=opened.picture), grid)
    _print(answer, as_json=as_json)
    _warn(answer)


def rank(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    direction: Annotated[
        str | None, typer.Option("--direction", metavar="NAME", help="What to rank by.")
    ] = None,
    by: Annotated[
        Literal["energy"] | None,
        typer.Option("--by", help="Instead, by how untypical a row of --space is."),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            "--space", metavar="S", help="Needed with --by, or where NAME is fitted in several."
        ),
    ] = None,
    where: Where = None,
    k: Count = 10,
    least: Annotated[
        bool, typer.Option("--least", help="The least so first, instead of the most.")
    ] = False,
    grid: Grid = None,
    key: Key = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Order the items by how far they lie along a direction, or by their energy.

    The distance shown is minus the signed distance to the direction's boundary, in standard
    deviations, so that the foremost hit has the lowest, as everywhere. By energy, the least
    typical come first and the distance is minus the energy in nats per dimension; with --least the
    most typical come first and it is the energy. See docs/energy.md.
    """
    check_output(grid, "--grid", PICTURE_SUFFIXES)
    if (direction is None) == (by is None):
        raise typer.BadParameter("rank goes --direction NAME or --by energy; give one of them")
    opened = open_database(db, key=key, at=at)
    if direction is not None:
        answer = opened.rank(direction, space=space, where=where, k=k, descending=not least)
    elif space is None:
        raise typer.BadParameter("an energy is of a row in one space: name it with --space")
    else:
        answer = opened.rank_by_energy(space, where=where, k=k, descending=not least)
    if grid is not None:
        from latentdb.pictures import answer_sheet

        write_picture(answer_sheet(answer, picture=opened.picture), grid)
    _print(answer, as_json=as_json)


def parse_directions(given: Sequence[str]) -> dict[str, float]:
    """Strength by name from `NAME=STRENGTH`, in the order given; errors as `parse_numbers`."""
    return parse_numbers("--direction", given, "NAME=STRENGTH, such as smiling=2")


def parse_numbers(option: str, given: Sequence[str], form: str) -> dict[str, float]:
    """Number by name from `NAME=NUMBER`, in the order given; `form` says so with an example.

    Raises
    ------
    typer.BadParameter
        Not of that form, or a name given twice.
    """
    parsed: dict[str, float] = {}
    for text in given:
        refusal = typer.BadParameter(f"{option} is {form}, each once; got {text!r}")
        name, _, number = text.rpartition("=")
        if not name or name in parsed:
            raise refusal
        try:
            parsed[name] = float(number)
        except ValueError as error:
            raise refusal from error
    return parsed


def parse_items(option: str, given: Sequence[str]) -> dict[int, float]:
    """Weight by id from `ID[=WEIGHT]`, in the order given; errors as `parse_numbers`."""
    whole = [text if "=" in text else f"{text}=1" for text in given]
    parsed = parse_numbers(option, whole, "ID or ID=WEIGHT, such as 12=.5")
    for name in parsed:
        if not name.isdigit():
            raise typer.BadParameter(f"{option} takes the id of a stored item; got {name!r}")
    return {int(name): weight for name, weight in parsed.items()}


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
    _print_explanations(answer)
    certainty = "exact" if answer.exact else f"recall@10 {answer.recall_at_10:.2f}"
    if "candidates" in answer.query:
        certainty += f" {answer.query['candidates']} candidates"
    prior = f" under the {answer.query['prior']} prior" if "prior" in answer.query else ""
    note(f"space {answer.space}, metric {answer.metric}{prior}, {certainty}{_mapped(answer)}")


def _print_explanations(answer: Answer) -> None:
    """What each part did for each hit, as a second table."""
    rows: list[list[object]] = []
    for rank, hit in enumerate(answer.hits, start=1):
        if hit.explanation is None:
            continue
        rows.append([rank, f"id {hit.id}", hit.explanation.similarity, None, None, None])
        if hit.explanation.base:
            rows.append([None, "what all share", hit.explanation.base, None, None, None])
        for term in hit.explanation.terms:
            numbers = (term.contribution, term.change, term.similarity, term.position)
            rows.append([None, term.what, *numbers])
    columns = ["rank", "similarity, the sum of", "gives", "without it", "alike", "position"]
    if rows:
        print_table(columns, rows, empty="")


def _mapped(answer: Answer) -> str:
    """The ways that the question's parts were carried over, and how well that does, in words."""
    parts = answer.query.get("parts", [answer.query])
    return "".join(dict.fromkeys(_way(one) for one in parts if "map" in one))


def _way(asked: Mapping[str, Any]) -> str:
    way = asked["map"]
    expected = f"recall@10 {way['expected_recall_at_10']:.2f} among {way['gallery']}"
    if way["is_estimate"]:
        return (
            f"; carried over {' → '.join(way['chain'])} by {way['method']} maps, about {expected}"
        )
    return (
        f"; carried over from {asked['from']} by a {way['method']} map with held-out "
        f"R² {way['r2']:.2f}, {expected} (chance {way['chance_at_10']:.2f})"
    )


def _warn(answer: Answer) -> None:
    """A line on stderr for what is of another kind than the map was fitted on."""
    for asked in answer.query.get("parts", [answer.query]):
        domain = asked.get("domain")
        if domain is None or not domain["is_outside"]:
            continue
        what = (
            "the text says little about these pictures"
            if domain["measure"] == "weakness"
            else f"the question is unlike what is in {asked['from']}"
        )
        note(
            f"warning: {what}, so its answer may mean nothing: {domain['measure']} "
            f"{domain['distance']:.3g}, above {domain['threshold']:.3g}, which "
            f"{domain['false_alarm_rate']:.1%} of what belongs exceeds"
        )
