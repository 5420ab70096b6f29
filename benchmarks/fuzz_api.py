"""Thousands of requests made from the OpenAPI document, sent to a real server.

    python -m benchmarks.fuzz_api --examples 60

schemathesis asks every operation with data that keep to the document and with data that do not,
alone and one request after another (an id of an answer in the next question), and checks each
answer: no 5xx, no status, kind or form that the document does not tell, wrong data refused, no
answer without a key. A second round asks for a space, an item and labels that exist, so that more
than 404 is seen. In the end the database must pass `check`, and the server's log hold no fault.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import latentdb
from api.http.keys import KeyFile
from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from benchmarks._schemathesis import Findings, run_schemathesis
from benchmarks._serving import ServerProcess
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.zoo.faces import write_folder

SPACE = "faces-clip"


def main() -> None:
    """Make a database, serve it, ask, and count."""
    parser = make_parser(__doc__)
    parser.add_argument("--examples", type=int, default=60, help="of an operation in each phase")
    parser.add_argument("--faces", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", action="store_true", help="also run the jobs that are accepted")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/serving.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o700)
        database = _database(folder, asked.faces)
        item = int(database.store.item_ids()[0])
        keys = KeyFile(folder / "keys.json")
        key = keys.add("fuzz", "admin")
        with (folder / "server.log").open("wb") as log:
            server = ServerProcess(
                folder / "fuzzed.ldb",
                log,
                keys=str(keys.path),
                log_format="json",
                runs_jobs=str(asked.jobs),
                max_jobs="100000",
                # One check shows a wrong key to every operation.
                max_failures="1000000",
            )
            server.wait_until_up()
            rounds = []
            exists = {"path.item_id": item, "path.name": SPACE, "query.by": "label:hat"}
            for parameters in ({}, exists):
                rounds.append(
                    run_schemathesis(
                        server.url,
                        key,
                        folder,
                        seed=asked.seed,
                        examples=asked.examples,
                        parameters=parameters,
                    )
                )
                _tell(rounds[-1])
            server.stop()
        results = _results(rounds, folder)
        results["problems"] = [problem.detail for problem in latentdb.open(database.uri).check()]
    record("fuzz_api", results, seed=asked.seed)
    if asked.write:
        write_section("serving.md", "fuzz_api", _table(results))
    if results["failures"] or results["faults_in_the_log"] or results["problems"]:
        sys.exit(1)


def _database(folder: Path, faces: int) -> LatentDB:
    write_folder(folder / "faces", faces, seed=5)
    made = latentdb.create(folder / "fuzzed.ldb", spaces=[SPACE, "faces-ssl"])
    labels = folder / "faces" / "labels.csv"
    made.ingest(folder / "faces", options=IngestOptions(labels=labels, workers=0))
    made.build_index(SPACE)
    made.stitch(SPACE, "faces-ssl", force=True)
    made.fit_direction("hat", space=SPACE, label="hat")
    return made


def _tell(found: Findings) -> None:
    print(found.text, file=sys.stderr)


def _results(rounds: list[Findings], folder: Path) -> dict[str, Any]:
    failures: Counter[str] = Counter()
    for found in rounds:
        failures.update(found.failures)
    statuses: Counter[str] = Counter()
    faults = []
    for line in (folder / "server.log").read_text().splitlines():
        if not line.startswith("{"):  # what is said before the log is set up
            continue
        row = json.loads(line)
        if "status" in row:
            statuses[str(row["status"])] += 1
        elif row["level"] in ("error", "critical"):
            faults.append(row["message"])
    if not statuses:
        raise RuntimeError("the server's log has no line of JSON for a request")
    return {
        "operations": rounds[0].operations,
        "cases": sum(found.cases for found in rounds),
        "failures": dict(failures),
        "requests_by_status": dict(sorted(statuses.items())),
        "faults_in_the_log": faults,
    }


def _table(results: dict[str, Any]) -> str:
    rows = {
        "operations of the document": results["operations"],
        "test cases": results["cases"],
        "requests that the server answered": sum(results["requests_by_status"].values()),
        "answers 5xx": sum(
            count
            for status, count in results["requests_by_status"].items()
            if status.startswith("5")
        ),
        "checks that failed": sum(results["failures"].values()),
        "faults in the server's log": len(results["faults_in_the_log"]),
        "problems that `check` finds afterwards": len(results["problems"]),
    }
    return "\n".join(
        ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    )


if __name__ == "__main__":
    main()
