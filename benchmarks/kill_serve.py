"""Kill -9 of a server and all it started, at random moments, while clients write without pause.

    python -m benchmarks.kill_serve --rounds 20

Clients upload pictures, and one more labels and deletes some of those that have become items. The
whole process group is killed at a random moment, mostly while the runner ingests; then a new server
begins with what is on disk. Uploads that got no answer are sent again under the same key. In the
end the queue drains, and every acknowledged picture must be there with vectors in every space, none
twice, every acknowledged label and deletion too, and `check` must find nothing.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

import httpx

import latentdb
from api.jobs.book import JobBook
from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from benchmarks._serving import ServerProcess
from benchmarks.kill_serve_clients import Account, Clients

SPACES = ("faces-clip", "faces-ssl")
_DRAIN_SECONDS = 900.0
_PATIENCE_SECONDS = 120.0
# Clients are faster than models: they are told to wait once so many of their uploads do.
_MAX_JOBS = "40"


def main() -> None:
    """Kill, again and again, and count."""
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--longest", type=float, default=8.0, help="seconds until a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/jobs.md")
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    account = Account()
    clients = Clients(account, count=asked.clients, seed=asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "served.ldb"
        latentdb.create(database, spaces=SPACES)
        book = JobBook(database)
        amid: list[str] = []
        with (Path(folder) / "server.log").open("wb") as log:
            for number in range(asked.rounds):
                server = ServerProcess(database, log, max_jobs=_MAX_JOBS)
                # A runner takes seconds to load its models: of five kills, four wait for that.
                seconds, is_early = rng.uniform(0.2, asked.longest), number % 5 == 4
                amid.append(_round(server, clients, book, seconds, is_early=is_early))
                print(f"kill {number + 1}: {amid[-1]}; {len(account.taken)} taken", file=sys.stderr)
            drained = _drain(database, log, book)
        results = {
            "kills": asked.rounds,
            "kills_amid_a_job": amid.count("running"),
            "clients": asked.clients,
            "lost_answers": account.lost_answers,
            "told_to_wait": account.waits,
            "seconds_to_drain": round(drained, 1),
            "refused": account.refused,
            **_compared(database, account, book),
        }
    record("kill_serve", results, seed=asked.seed)
    if asked.write:
        write_section("jobs.md", "kill_serve", _table(results))
    wrong = ("lost", "without_vectors", "strangers", "wrong_labels", "came_back", "jobs_not_done")
    if results["problems"] or results["refused"] or any(results[name] for name in wrong):
        sys.exit(1)


def _round(
    server: ServerProcess, clients: Clients, book: JobBook, seconds: float, *, is_early: bool
) -> str:
    """Serve and be written to until the kill; what the first job in the queue was at then.

    The kill comes so long after the server is up, or after its runner has done a first job.
    """
    ending = threading.Event()
    server.wait_until_up()
    before = book.counts().get("done", 0)
    threads = clients.run(server.url, ending)
    until = time.monotonic() + _PATIENCE_SECONDS
    while not is_early and book.counts().get("done", 0) == before and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(seconds)
    server.kill()
    ending.set()
    for thread in threads:
        thread.join()
    waiting = book.unfinished()
    return waiting[0].state if waiting else "idle"


def _drain(database: Path, log: IO[bytes], book: JobBook) -> float:
    """Seconds until a last server has done everything that waits."""
    server = ServerProcess(database, log)
    server.wait_until_up()
    started = time.monotonic()
    while book.unfinished():
        if time.monotonic() - started > _DRAIN_SECONDS:
            raise RuntimeError(f"{len(book.unfinished())} jobs are not done")
        time.sleep(0.5)
    httpx.get(f"{server.url}/v1/jobs").raise_for_status()
    server.stop()
    return time.monotonic() - started


def _compared(database: Path, account: Account, book: JobBook) -> dict[str, Any]:
    """What the database lacks of what was promised, and has beyond it."""
    db = latentdb.open(database)
    there = set(db.store.item_ids().tolist())
    deleted = account.deleted - account.unsure
    promised = set(account.taken) - account.deleted - account.unsure
    lacking = [promised - set(db.store.vector_ids(space).tolist()) for space in SPACES]
    labels = {item.id: item.labels.get("seen") for item in db.items(sorted(promised & there))}
    originals = [Path(db.store.original(item_id)) for item_id in promised & there]
    # What was on its way when the server was killed lies in folders of another kind for a day.
    kept = {path for path in (database / "uploads").glob("[0-9a-f]*/*") if path.is_file()}
    return {
        "acknowledged": len(account.taken),
        "labels_acknowledged": len(account.labels),
        "deletions_acknowledged": len(account.deleted),
        "items": len(there),
        "lost": len(promised - there),
        "without_vectors": len(set().union(*lacking)),
        "strangers": len(there - set(account.taken)),
        "wrong_labels": sum(
            labels.get(one) != value for one, value in account.labels.items() if one in labels
        ),
        "came_back": len(deleted & there),
        "without_original": sum(not path.is_file() for path in originals),
        "files_of_no_item": len(kept - {Path(db.store.original(one)) for one in there}),
        "jobs_not_done": sum(job.state != "done" for job in book.all()),
        "problems": [str(problem) for problem in db.check()],
    }


def _table(results: dict[str, Any]) -> str:
    rows = [
        ("kills of the whole process group", "kills"),
        ("… of them with a job under way", "kills_amid_a_job"),
        ("pictures acknowledged", "acknowledged"),
        ("labels and deletions acknowledged", None),
        ("uploads without an answer, sent again", "lost_answers"),
        ("acknowledged pictures lost", "lost"),
        ("… without a vector in some space", "without_vectors"),
        ("items that nobody uploaded, or twice", "strangers"),
        ("acknowledged labels that are wrong", "wrong_labels"),
        ("deleted items that came back", "came_back"),
        ("items without their original", "without_original"),
        ("uploaded files of no item", "files_of_no_item"),
        ("problems that `check` finds", "problems"),
    ]
    lines = ["| what | count |", "| --- | ---: |"]
    for what, name in rows:
        if name is None:
            both = results["labels_acknowledged"] + results["deletions_acknowledged"]
            lines.append(f"| {what} | {both} |")
        else:
            found = results[name]
            lines.append(f"| {what} | {len(found) if isinstance(found, list) else found} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
