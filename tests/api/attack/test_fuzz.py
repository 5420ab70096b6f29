"""A few hundred requests made from the OpenAPI document, as benchmarks.fuzz_api sends thousands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from attack_server import listening

from api.http.app import create_app
from api.http.keys import KeyFile
from api.settings import ServerSettings
from latentdb.database import LatentDB

CONFIG = """
headers = {{ Authorization = "Bearer {key}" }}
[parameters]
"path.item_id" = {item}
"path.name" = "clip"
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]
negative_data_rejection.expected-statuses = ["4xx"]
"""


@pytest.mark.slow
def test_no_answer_is_other_than_the_document_tells(own_db: LatentDB, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key = keys.add("fuzz", "admin")
    item = int(own_db.store.item_ids()[0])
    config, report = tmp_path / "fuzz.toml", tmp_path / "report.json"
    config.write_text(CONFIG.format(key=key, item=item))
    # One check shows a wrong key to every operation.
    settings = ServerSettings(keys=keys.path, runs_jobs=False, max_failures=10**6)
    with listening(create_app(own_db, settings=settings), settings) as port:
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
                *("run", f"http://127.0.0.1:{port}/openapi.json", "--checks", "all"),
                *("--phases", "examples,fuzzing", "--max-examples", "2", "--mode", "all"),
                *("--generation-database", "none", "--seed", "7", "--no-shrink", "--no-color"),
                # Of jobs that nobody runs the events have no end.
                *("--exclude-path-regex", "/events$"),
                *("--request-timeout", "120", "--suppress-health-check", "all"),
                *("--report", "json", "--report-json-path", str(report)),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    found = json.loads(report.read_text())
    assert found["complete"], run.stdout
    assert found["test_cases"]["generated"] > 100
    assert [one["title"] for one in found["failures"]] == [], run.stdout
    assert found["errors"] == [], run.stdout
    assert own_db.check() == []
