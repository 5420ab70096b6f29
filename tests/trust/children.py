"""Starting `fault_child.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fault_child import WORK

CHILD = Path(__file__).with_name("fault_child.py")


def start(database: Path, works: tuple[str, ...] = WORK, **options: Any) -> subprocess.Popen[str]:
    """A child that does `works` in turn; options are `limit`, `environment` and those of Popen."""
    limit = options.pop("limit", -1)
    environment: Mapping[str, str] = options.pop("environment", {})
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(database), str(limit), *works],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        **options,
    )


def end_of(child: subprocess.Popen[str]) -> dict[str, str]:
    """What each work of a child was refused with; empty where it was done."""
    out, err = child.communicate()
    assert child.returncode == 0, err[-2000:]
    said: dict[str, str] = json.loads(out.splitlines()[-1])
    return said
