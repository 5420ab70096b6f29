"""Indexes: `index` builds one, `indexes` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.options import Address, AsJson, Database, Engine, Key
from api.cli.output import note, print_json, print_table
from api.cli.progress import steps
from api.cli.session import open_database, open_files
from api.cli.sizes import bytes_of
from indexers.types import IndexKind, MetricName, PriorName

if TYPE_CHECKING:
    from latentdb.index import IndexInfo
    from latentdb.protocol import IndexOptions


def index(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    space: Annotated[str, typer.Option("--space", metavar="S", help="Whose vectors.")],
    metric: Annotated[
        MetricName | None, typer.Option(help="What nearness means; may be left out of --refresh.")
    ] = None,
    prior: Annotated[
        PriorName | None,
        typer.Option(help="Law of the norm, for --metric nao; chi where not given."),
    ] = None,
    kind: Annotated[
        Literal[IndexKind, "auto"] | None,
        typer.Option(
            help="flat and sq8 are exact, sq8 in about half of the time. hnsw is quickest from "
            "about 100,000 vectors on; ivf is built sooner; ivf_pq and rabitq keep codes alone, in "
            "a small part of the memory. auto chooses and says why.",
            show_default="flat",
        ),
    ] = None,
    target_recall: Annotated[
        float | None,
        typer.Option(
            help="Share of the true 10 nearest that every kind of question is to find.",
            show_default="0.95",
        ),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE",
            parser=bytes_of,
            help="What the index may take, such as 4GB; for auto what is free where not given.",
        ),
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Build it in N parts, each in the memory of one, and search them together.",
            show_default="one piece",
        ),
    ] = None,
    engine: Engine = "local",
    address: Address = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Bring the index that is there up to its table.")
    ] = False,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Build the index of a space under a metric, or build it anew."""
    if prior is not None and metric != "nao":
        raise typer.BadParameter(f"--prior belongs to --metric nao, got --metric {metric}")
    with steps() as tell:
        if refresh:
            _refuse_building_options(
                {"--kind": kind, "--target-recall": target_recall, "--memory": memory}
                | {"--key": key, "--shards": shards, "--address": address}
            )
            upkeep = open_files(db).upkeep
            built = upkeep.refresh_index(space, metric=metric, prior=prior, progress=tell)
        else:
            if metric is None:
                raise typer.BadParameter("--metric is missing: euclidean, cosine or nao")
            asked: IndexOptions = {"metric": metric, "prior": prior, "kind": kind or "flat"}
            asked |= {"target_recall": target_recall, "memory": memory, "progress": tell}
            asked |= {"shards": shards, "engine": engine, "address": address}
            built = open_database(db, key=key).build_index(space, **asked)
    if as_json:
        print_json(built.to_json())
    else:
        _print([built])
        note("brought up to date" if refresh else f"built in {built.seconds:.2f} s")
    _tell_of(built)


def indexes(db: Database = None, *, key: Key = None, as_json: AsJson = False) -> None:
    """List the indexes, what each finds, and how far it is behind its table."""
    found = open_database(db, key=key).indexes()
    if as_json:
        print_json([info.to_json() for info in found])
        return
    _print(found)


def _refuse_building_options(given: Mapping[str, object]) -> None:
    """An index that is refreshed stays what it was asked to be."""
    if wrong := [name for name, value in given.items() if value is not None]:
        raise typer.BadParameter(
            f"{', '.join(wrong)} does not go with --refresh, which leaves an index what it is; "
            "build it anew without --refresh"
        )


def _tell_of(built: IndexInfo) -> None:
    """Why the kind was chosen, and how its search was tuned."""
    if built.reason is not None:
        note(built.reason)
    tuning = built.tuning
    if tuning is None:
        return
    settings = ", ".join(f"{name} {value}" for name, value in tuning.settings.items())
    least = f"{tuning.worst} questions find least, {tuning.least:.3f} of their 10 nearest"
    if tuning.target_met:
        note(f"searched with {settings}: {least}, where {tuning.target:g} was the target")
    else:
        note(
            f"the target {tuning.target:g} is not met: {least}, with {settings}; sq8 is exact, "
            "and hnsw with more links (m) may find more"
        )


def _print(found: list[IndexInfo]) -> None:
    print_table(
        [
            "space",
            "metric",
            "prior",
            "kind",
            "vectors",
            "recall@10",
            "by question",
            "target",
            "newer rows",
            "removed rows",
            "MB",
        ],
        [
            [
                info.space,
                info.metric,
                info.prior,
                info.kind,
                info.count,
                info.recall_at_10,
                _by_question(info),
                _target(info),
                info.newer_rows,
                info.removed_rows,
                info.index_bytes / 1e6,
            ]
            for info in found
        ],
        empty="no index yet; searches are exact. Build one: latentdb index DB --space S --metric M",
    )


def _by_question(info: IndexInfo) -> str:
    if info.tuning is None:
        return "exact" if info.recall_at_10 == 1.0 else "not measured"
    return ", ".join(f"{kind} {value:.3f}" for kind, value in info.tuning.recall.items())


def _target(info: IndexInfo) -> str | None:
    if info.tuning is None:
        return None
    return f"{info.tuning.target:g}{'' if info.target_met else ' missed'}"
