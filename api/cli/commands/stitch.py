"""Fitting maps: between two spaces, or from several into the one that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.commands.maps import print_maps
from api.cli.options import Address, AsJson, Database, Engine, Key, Seed
from api.cli.output import print_json
from api.cli.session import open_database

if TYPE_CHECKING:
    from latentdb.protocol import Database as AnyDatabase
    from latentdb.shared_space_fit import ShareOptions

_Method = Literal["ridge", "reduced_rank", "procrustes", "cca", "gcca"]


def stitch(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    source: Annotated[
        str | None, typer.Option("--from", metavar="A", help="Space it leads from.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--to", metavar="B", help="Space it leads to.")
    ] = None,
    method: Annotated[_Method, typer.Option(help="How it is fitted.")] = "ridge",
    member: Annotated[
        list[str] | None,
        typer.Option("--space", metavar="S", help="gcca: a space that shares; give two or more."),
    ] = None,
    dim: Annotated[
        int | None, typer.Option(help="gcca: dimensions shared; chosen where not given.")
    ] = None,
    name: Annotated[str, typer.Option(help="gcca: name of the new space.")] = "shared",
    update: Annotated[
        bool, typer.Option("--update", help="Keep the sums, and read only rows since the last.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Keep the map though it does not beat its null.")
    ] = False,
    seed: Seed = 0,
    engine: Engine = "local",
    address: Address = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Fit the map from one space to another, and score it on items it has not seen.

    With --method gcca: a new space that two or more share, and the maps into it.
    """
    if method == "gcca":
        if source or target or update or engine != "local" or address is not None:
            raise typer.BadParameter(
                "gcca takes --space A --space B ..., not --from, --to, --update, --engine"
            )
        options: ShareOptions = {"name": name, "dim": dim, "seed": seed, "force": force}
        _share(open_database(db, key=key), member or [], options, as_json=as_json)
        return
    if source is None or target is None or member or dim is not None:
        raise typer.BadParameter(f"{method} takes --from A --to B; --space and --dim are gcca's")
    fitted = open_database(db, key=key).stitch(
        source,
        target,
        method=method,
        seed=seed,
        update=update,
        force=force,
        engine=engine,
        address=address,
    )
    if as_json:
        print_json(fitted.to_json())
        return
    print_maps([fitted])


def _share(db: AnyDatabase, members: list[str], options: ShareOptions, *, as_json: bool) -> None:
    """Add the shared space and show the maps into it."""
    shared = db.share(members, **options)
    if as_json:
        print_json(shared.to_json())
        return
    print_maps([one for one in db.maps() if one.target == shared.name])
