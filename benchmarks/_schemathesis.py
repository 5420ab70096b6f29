"""schemathesis over the OpenAPI document of a real server: what it asked, and what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

# 422 is this API's answer where each value is of its schema and together they contradict each
# other, or where a filter, a cursor or a picture is none: no schema can say which those are.
_CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]
negative_data_rejection.expected-statuses = ["4xx"]

# To delete a job is to cancel it: it is there to be looked at.
[[operations]]
include-path-regex = "^/v1/jobs/"
checks.use_after_free.enabled = false
"""


@final
@dataclass(frozen=True)
class Findings:
    """What a run came to.

    Attributes
    ----------
    operations, cases : int
        That were tried.
    failures : dict of int
        How often each check failed.
    text : str
        All that schemathesis has to say.
    """

    operations: int
    cases: int
    failures: dict[str, int]
    text: str


def run_schemathesis(
    url: str,
    key: str,
    folder: Path,
    *,
    seed: int,
    examples: int,
    phases: Sequence[str] = ("examples", "coverage", "fuzzing", "stateful"),
    parameters: Mapping[str, Any] | None = None,
) -> Findings:
    """Every check, with data that keep to the document and data that do not.

    Parameters
    ----------
    url, key : str
        The server, and what lets in.
    folder : Path
        Where reports are written.
    seed : int
    examples : int
        At most so many of an operation in a phase.
    phases : sequence of str
    parameters : mapping
        Values that stay as they are, such as `path.name`: what exists, so that a run gets beyond
        404.

    Raises
    ------
    RuntimeError
        It did not run to its end.
    """
    config, report = folder / "schemathesis.toml", folder / "report.json"
    pinned = "".join(
        f"{name!r} = {json.dumps(value)}\n" for name, value in (parameters or {}).items()
    )
    # In a file, because every process of a machine sees the arguments of all others.
    headers = f'headers = {{ Authorization = "Bearer {key}" }}\n'
    config.write_text(headers + (f"[parameters]\n{pinned}\n{_CONFIG}" if pinned else _CONFIG))
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", f"{url}/openapi.json"),
        *("--checks", "all", "--mode", "all", "--max-examples", str(examples)),
        *("--phases", ",".join(phases), "--seed", str(seed), "--continue-on-failure"),
        *("--generation-database", "none", "--no-shrink", "--no-color"),
        # Of jobs that nobody runs the events have no end; tests/api/jobs asks for them.
        *("--exclude-path-regex", "/events$"),
        *("--request-timeout", "120", "--suppress-health-check", "all"),
        *("--report", "json", "--report-json-path", str(report)),
    ]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not report.exists():
        raise RuntimeError(f"schemathesis did not run:\n{run.stdout}\n{run.stderr}")
    found = json.loads(report.read_text())
    failures = {one["title"]: one["count"] for one in found["failures"]}
    if found["errors"]:
        failures["errors"] = len(found["errors"])
    if not found["complete"]:
        raise RuntimeError(f"schemathesis stopped: {found['stop_reason']}\n{run.stdout}")
    return Findings(
        found["operations"]["tested"], found["test_cases"]["generated"], failures, run.stdout
    )
