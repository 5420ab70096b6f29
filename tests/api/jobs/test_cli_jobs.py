"""`latentdb jobs`."""

from __future__ import annotations

import json

from fastapi.testclient import TestClient
from job_pictures import files_below, picture
from typer.testing import CliRunner

from api.cli.main import app
from latentdb.database import LatentDB

runner = CliRunner()


def test_jobs_are_listed_and_cancelled(client: TestClient, jobs_db: LatentDB) -> None:
    empty = runner.invoke(app, ["jobs", jobs_db.uri])
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert "no job yet" in empty.stderr
    sent = [("files", ("a.png", picture(700)))]
    job = client.post("/v1/items", files=sent).json()["job"]
    table = runner.invoke(app, ["jobs", jobs_db.uri])
    assert job["id"] in table.stdout
    assert "0 running, 1 waiting, 0 over" in table.stderr
    cancelled = runner.invoke(app, ["jobs", jobs_db.uri, "--cancel", job["id"][:12], "--json"])
    [listed] = json.loads(cancelled.stdout)
    assert (listed["id"], listed["state"]) == (job["id"], "cancelled")
    assert files_below(jobs_db.store.path / "uploads") == []


def test_a_job_that_is_not_there_is_said_so(client: TestClient, jobs_db: LatentDB) -> None:
    refused = runner.invoke(app, ["jobs", jobs_db.uri, "--cancel", "nope"])
    assert refused.exit_code == 2
    assert "no job of an id that begins with 'nope'" in refused.output
