"""`energy`: how typical each stored row is, and whether noise lies at the level it claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.options import AsJson, Database, Device, Key, Where
from api.cli.output import note, print_json, print_table
from api.cli.progress import counted
from api.cli.session import open_database, open_files

if TYPE_CHECKING:
    from latentdb.database import LatentDB
    from latentdb.energy.facts import EnergyFacts

_SHOWN = 20
_METHODS = {"exact": "over all rows", "neighbours": "from neighbours, with bounds"}


def energy(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    space: Annotated[str, typer.Option("--space", metavar="S", help="Whose rows.")],
    schedule: Annotated[
        Literal["exploding", "flow"] | None,
        typer.Option(
            help="Noise levels: exploding, which finds outliers better, or those of flow matching. "
            "[default: those of what is kept, or exploding]"
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance",
            metavar="X",
            help="Nats per dimension that an energy may be uncertain by.",
        ),
    ] = 1e-3,
    again: Annotated[
        bool, typer.Option("--again", help="Measure although what is kept would do.")
    ] = False,
    levels: Annotated[
        bool,
        typer.Option(
            "--levels",
            help="Instead, check that noise rows lie at the last level of their grid, among the "
            "clean codes of the others.",
        ),
    ] = False,
    where: Where = None,
    device: Device = "auto",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Measure how untypical each row of a space is among the others, and keep it.

    The energy is minus the log density of a row among all others at every noise level, in nats per
    dimension: high is untypical. Afterwards --where "energy > 2" or "energy_z > 3" filters by it,
    and latentdb rank DB --by energy --space S orders by it. See docs/energy.md.
    """
    if where is not None and not levels:
        raise typer.BadParameter("--where chooses rows for --levels; energies are of all rows")
    if levels:
        _check_levels(open_files(db, device=device), space, where, as_json=as_json)
        return
    opened = open_database(db, device=device, key=key)
    with counted(f"energies of {space}", opened.vector_counts().get(space, 0)) as advance:
        found = opened.energy(
            space, schedule=schedule, tolerance=tolerance, again=again, progress=advance
        )
    if as_json:
        print_json(found.to_json())
    else:
        from latentdb.energy.facts import EnergyFacts

        _print(found if isinstance(found, EnergyFacts) else found.facts)


def _print(found: EnergyFacts) -> None:
    quantiles = {f"{float(share):.0%} below": value for share, value in found.quantiles.items()}
    print_table(
        ["space", "rows", "mean", "std", *quantiles, "widest interval"],
        [
            [
                found.space_ref.name,
                found.rows,
                found.mean,
                found.std,
                *quantiles.values(),
                found.max_width,
            ]
        ],
        empty="",
    )
    note(
        f"nats per dimension, higher is less typical; {found.schedule} schedule; "
        f"{_METHODS[found.method]}; one deviation of the space is {found.deviation:.4g}"
    )
    if found.later_rows:
        note(f"{found.later_rows} rows came later; --again measures all anew")
    if not found.is_certain:
        note("the index is not exact, so that the interval is not certain: latentdb index DB")


def _check_levels(opened: LatentDB, space: str, where: str | None, *, as_json: bool) -> None:
    with counted(f"clean codes of {space}", opened.vector_counts().get(space, 0)) as advance:
        found = opened.check_levels(space, where=where, progress=advance)
    said = found.to_json()
    if as_json:
        print_json(said)
        return
    low, high = found.expected
    print_table(
        ["id", "flow time", "99 % of fresh noise"],
        [[row["id"], row["flow_time"], f"{low:.3f}–{high:.3f}"] for row in said["off"][:_SHOWN]],
        empty="all lie where fresh noise does",
    )
    note(
        f"{len(found.off)} of {len(found.ids)} rows of {space} are off. Median flow time of the "
        f"rows {said['median']:.3f}, of fresh noise {said['median_of_fresh_noise']:.3f}, of the "
        f"rows by their own codes alone {said['median_by_own_code']:.3f}; the last level of the "
        f"grid has {found.claimed:.4g}"
    )
