"""What figures were measured on, for the cards that carry them."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from latentdb.torch_compat import torch


def machine(device: str) -> dict[str, str]:
    """Processor, device and versions, by name."""
    return {
        "processor": platform.machine(),
        "cores": str(os.cpu_count()),
        "device": device,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def commit() -> str | None:
    """Hash of the code's commit, where it is a git checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
