"""Amounts of memory as people write them."""

from __future__ import annotations

import re
from typing import Final

import typer

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def bytes_of(text: str) -> int:
    """Bytes of an amount such as 4GB, 512MB, 1.5GiB or 4000000.

    kB, MB, GB and TB are powers of 1,000, as of disks; KiB, MiB, GiB and TiB of 1,024.

    >>> bytes_of("4GB"), bytes_of("1.5 GiB"), bytes_of("512M")
    (4000000000, 1610612736, 512000000)

    Raises
    ------
    typer.BadParameter
        It is no such amount, or less than a byte.
    """
    match = _SIZE.fullmatch(text.strip())
    unit = match[2].lower().removesuffix("b") if match else ""
    base = 1024 if unit.endswith("i") else 1000
    power = _POWERS.get(unit.removesuffix("i"))
    if match is None or power is None or (base == 1024 and power == 0):
        raise typer.BadParameter(
            f"an amount of memory is a number with a unit, such as 4GB, 512MB or 1.5GiB; "
            f"got {text!r}"
        )
    count = int(float(match[1]) * base**power)
    if count < 1:
        raise typer.BadParameter(f"an amount of memory is at least a byte, got {text!r}")
    return count
