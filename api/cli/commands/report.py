"""`report`: the UNE study of a database, as a page and as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from api.cli.options import AsJson, Database, Device, Key
from api.cli.output import note, print_json
from api.cli.session import open_database
from latentdb.report.options import SectionName

if TYPE_CHECKING:
    from latentdb.protocol import SomeReport

_SECTIONS: tuple[SectionName, ...] = get_args(SectionName)


def report(  # noqa: PLR0913 - one parameter per option of the contract
    db: Database = None,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for report.html and report.json.")
    ],
    sections: Annotated[
        str | None,
        typer.Option(
            "--sections", metavar="A,B", help=f"Of {', '.join(_SECTIONS)}; all where not given."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Items per space, at most; 5000."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer items, projections and permutations.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn.")] = 0,
    device: Device = "auto",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Study every space: Gaussianity, norms, spectra, probes, and what spaces share.

    Each figure stands beside what chance, white noise or a Gaussian would give.
    """
    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"--out {out} is a file; name a folder")
    opened = open_database(db, device=device, key=key)
    asked = _names(sections)
    with _shown(len(asked)) as on_section:
        found = opened.report(
            out,
            sections=asked,
            seed=seed,
            quick=quick,
            on_section=on_section,
            **({} if limit is None else {"limit": limit}),
        )
    if as_json:
        print_json(found.to_json())
    _tell(found, out)


def _names(sections: str | None) -> tuple[SectionName, ...]:
    """Names as typed, which the library checks."""
    if sections is None:
        return _SECTIONS
    names = tuple(name.strip() for name in sections.split(",") if name.strip())
    return cast("tuple[SectionName, ...]", names)


@contextmanager
def _shown(total: int) -> Iterator[Callable[[SectionName], None]]:
    """A bar that names the study under way; a line for each where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    )  # fmt: skip
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)
        begun = False

        def tell(name: SectionName) -> None:
            nonlocal begun
            shown = name.replace("_", " ")
            bar.update(task, description=shown, advance=1 if begun else 0)
            begun = True
            if not console.is_terminal:
                note(shown)

        yield tell


def _tell(found: SomeReport, out: Path) -> None:
    from latentdb.report.run import NUMBERS, PAGE

    for name, why in found.absent.items():
        note(f"{name.replace('_', ' ')}: {why}")
    note(f"wrote {out / PAGE} and {out / NUMBERS} in {sum(found.seconds.values()):.0f} s")
