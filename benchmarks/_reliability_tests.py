"""Runs tests/trust for benchmarks.reliability, and reads what they counted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from benchmarks._record import ROOT


def run_tests(rounds: int) -> dict[str, Any]:
    """Tests that passed, failed and were skipped, and the sum of each property that they told."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "trust.xml"
        command = [sys.executable, "-m", "pytest", "tests/trust", "-q", f"--junitxml={report}"]
        environment = os.environ | {"LATENTDB_TRUST_ROUNDS": str(rounds)}
        options = ["-o", "junit_family=xunit1", "-p", "no:cacheprovider"]
        subprocess.run([*command, *options], cwd=ROOT, env=environment, check=False)
        suite = ET.parse(report).getroot().find("testsuite")
    assert suite is not None
    counted: Counter[str] = Counter()
    for one in suite.iter("property"):
        counted[str(one.get("name"))] += int(str(one.get("value")))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    skipped = int(suite.get("skipped", 0))
    passed = int(suite.get("tests", 0)) - failed - skipped
    return {"passed": passed, "failed": failed, "skipped": skipped, "counted": dict(counted)}
