"""The command line of a benchmark."""

from __future__ import annotations

import argparse


def make_parser(docstring: str | None) -> argparse.ArgumentParser:
    """Parser whose help shows a module's docstring as it is written."""
    return argparse.ArgumentParser(
        description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter
    )
