"""Errors of the library, as the command line tells them: their own text, and exit code 2."""

from __future__ import annotations

from typing import Any, final

import typer
from typer.core import TyperGroup

from api.cli.output import note

EXIT_PROBLEMS = 1
EXIT_ERROR = 2


@final
class ErrorsAsText(TyperGroup):
    """A command group that shows a `LatentDBError` as its text, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command named in `ctx`."""
        from indexers.errors import LatentDBError

        try:
            return super().invoke(ctx)
        except LatentDBError as error:
            note(f"error: {error}")
            raise typer.Exit(EXIT_ERROR) from error
