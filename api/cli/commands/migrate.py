"""`migrate-space`: another model takes the place of a space, step by step, with a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import AsJson, BatchSize, DatabaseFolder, Device
from api.cli.output import note, print_json, print_table
from api.cli.session import open_files

if TYPE_CHECKING:
    from latentdb.database import LatentDB
    from latentdb.migrate import BackfillOptions, MigrationStatus

_SPEC = "A space spec, as init takes it, or the name of a space that is there."


def migrate_space(  # noqa: PLR0913 - one parameter per option
    db: DatabaseFolder = None,
    *,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="OLD",
            help="The space to be replaced; later steps need it only where several are under way.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="NEW", help=f"Begin: what is to take its place. {_SPEC}"),
    ] = None,
    show: Annotated[
        bool, typer.Option("--status", help="Say where it stands; the default.")
    ] = False,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="Embed all other items; killed, give it again.")
    ] = False,
    cut_over: Annotated[
        bool, typer.Option("--cut-over", help="Let NEW answer, also under OLD's name.")
    ] = False,
    roll_back: Annotated[
        bool, typer.Option("--roll-back", help="Let OLD answer again, at once.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Drop OLD with all that is of it; no way back.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --finish: do not ask.")] = False,
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="With --cut-over: although items have no vector."),
    ] = False,
    sample: Annotated[
        int, typer.Option(min=1, help="Items that the maps are fitted and measured on.")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Draws the sample.")] = 0,
    batch_size: BatchSize = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Decoding processes; 0 decodes in this one.", show_default="auto"),
    ] = None,
    no_thumbnails: Annotated[
        bool,
        typer.Option(
            "--no-thumbnails",
            help="Leave out items whose file is gone; else their thumbnails stand in for it.",
        ),
    ] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Replace a space by another model's: begin, backfill, cut over; roll back or finish."""
    steps = {
        "--to": target is not None,
        "--backfill": backfill,
        "--cut-over": cut_over,
        "--roll-back": roll_back,
        "--finish": finish,
        "--status": show,
    }
    step = _one_of(steps)
    if target is not None and source is None:
        raise typer.BadParameter("--to needs --from OLD: the space that is to be replaced")
    opened = open_files(db, device=device)
    from latentdb.migrate import BackfillOptions

    options = BackfillOptions(
        batch_size=batch_size, workers=workers, use_thumbnails=not no_thumbnails
    )
    if step == "--to":
        assert source is not None
        assert target is not None
        status = _begin(opened, source, target, sample=sample, seed=seed, options=options)
    elif step == "--backfill":
        status = _backfill(opened, source, options)
    elif step == "--cut-over":
        status = opened.migration(source).cut_over(allow_missing=allow_missing)
    elif step == "--roll-back":
        status = opened.migration(source).roll_back()
    elif step == "--finish":
        status = _finish(opened, source, yes=yes)
    else:
        _print_all(opened, source, as_json=as_json)
        return
    if as_json:
        print_json(status.to_json())
        return
    _print(status)


def _one_of(steps: dict[str, bool]) -> str:
    """The step that was asked for; --status where none was."""
    asked = [name for name, is_asked in steps.items() if is_asked]
    if len(asked) > 1:
        raise typer.BadParameter(f"{' and '.join(asked)} are steps of their own: give one")
    return asked[0] if asked else "--status"


def _begin(
    opened: LatentDB, old: str, new: str, *, sample: int, seed: int, options: BackfillOptions
) -> MigrationStatus:
    from latentdb.ingest import RichProgress

    with RichProgress("sample") as progress:
        migration = opened.migrate_space(
            old, new, sample=sample, seed=seed, options=options, progress=progress
        )
    return migration.status()


def _backfill(opened: LatentDB, old: str | None, options: BackfillOptions) -> MigrationStatus:
    from latentdb.ingest import RichProgress

    migration = opened.migration(old)
    with RichProgress("backfill") as progress:
        return migration.backfill(options=options, progress=progress)


def _finish(opened: LatentDB, old: str | None, *, yes: bool) -> MigrationStatus:
    migration = opened.migration(old)
    record = migration.record()
    if not yes:
        typer.confirm(
            f"drop space {record.old} with its vectors, indexes, maps and directions? "
            "There is no way back",
            abort=True,
            err=True,
        )
    return migration.finish()


def _print_all(opened: LatentDB, old: str | None, *, as_json: bool) -> None:
    """Every migration, the open ones last."""
    found = [
        migration.status()
        for migration in opened.migrations()
        if old in (None, migration.record().old)
    ]
    if as_json:
        print_json([status.to_json() for status in found])
        return
    for status in found:
        _print(status)
    if not found:
        note("no migration yet: latentdb migrate-space DB --from OLD --to NEW")


def _print(status: MigrationStatus) -> None:
    record, loss = status.migration, status.migration.loss
    pictures = record.pictures
    rows: list[list[object]] = [
        ["state", record.state.replace("_", " ")],
        ["items with a new vector", f"{status.vectors} of {status.items}"],
        ["  from source files", pictures.source],
        ["  from whole thumbnails", pictures.whole_thumbnail],
        ["  from smaller thumbnails", pictures.thumbnail],
        ["  failed in the last run", pictures.failed],
    ]
    if loss is not None:
        rows += [
            ["recall@10 lost through the old space", str(loss.loss)],
            ["  of questions by id", str(loss.own_loss)],
        ]
        texts = ""
        if loss.texts is not None:
            texts = f" and {loss.texts.n_texts} texts"
            rows.append(["  of questions in words", str(loss.texts.loss)])
        rows.append(
            ["  measured with", f"{loss.n_queries} pictures{texts} to {loss.gallery} items"]
        )
    rows += [["fitted anew", what] for what in record.refitted]
    print_table([f"{record.old} → {record.new}", ""], rows, empty="")
    for left in record.to_refit:
        note(f"to refit: {left.what}: {left.why}. {left.command}")
    if pictures.thumbnail:
        note(
            f"{pictures.thumbnail} vectors are of thumbnails, because the files are not where they "
            "were: approximate"
        )
    if status.next:
        note(f"next: latentdb migrate-space DB {_step(status)}")


def _step(status: MigrationStatus) -> str:
    record = status.migration
    if status.next == "--to":
        return f"--from {record.old} --to {record.new}"
    back = {"cut_over": " (or --roll-back)"}.get(record.state, "")
    return f"{status.next}{back}"
