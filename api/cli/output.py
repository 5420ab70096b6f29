"""How commands speak: answers to stdout, as a table or as JSON; everything else to stderr."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, final

from api.jsonable import jsonable

_WIDTH_OF_A_PIPE = 160


def print_json(data: Any) -> None:
    """Write `data` to stdout as JSON; NaN and infinity, which JSON lacks, become null."""
    text = json.dumps(jsonable(data), indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(text + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Write a table to stdout; figures to the right, text folded where it is too wide.

    Parameters
    ----------
    columns : sequence of str
    rows : iterable of sequences
        A value per column: text, numbers, None.
    empty : str
        Said on stderr instead when there are no rows.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = [list(row) for row in rows]
    if not listed:
        note(empty)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        is_figure = all(_is_number(row[index]) or row[index] is None for row in listed)
        table.add_column(name, justify="right" if is_figure else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text(_shown(value)) for value in row))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    Console(file=sys.stdout, width=width).print(table)


def note(message: str) -> None:
    """Tell the person at the keyboard something that is no part of the answer."""
    sys.stderr.write(message + "\n")


@final
class _Notes(logging.Handler):
    """Says as notes what the library logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one message."""
        note(record.getMessage())


def speak_for_the_library() -> None:
    """Tell what latentdb warns of as every other note, whatever other libraries do to logging."""
    logger = logging.getLogger("latentdb")
    logger.handlers = [_Notes(logging.WARNING)]
    logger.propagate = False


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
