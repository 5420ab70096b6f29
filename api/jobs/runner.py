"""The process that does jobs: `python -m api.jobs.runner DB`, started by a server.

One per database: a file lock that dies with its holder says so. It leaves when it has had nothing
to do for a while, when its standard input ends (the server that started it is gone, however it
went), or at SIGTERM; a job under way then waits for the next runner, which begins it again.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Final

from filelock import Timeout

from api.jobs.book import JobBook
from latentdb.store.locate import locate

IDLE_SECONDS: Final = 300.0
# A server that looks whether there is a runner holds the lock for a moment.
_LOCK_SECONDS: Final = 2.0
_GRACE_SECONDS: Final = 5.0
# Answering comes before this.
_NICENESS: Final = 5

_log = logging.getLogger("latentdb.jobs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the jobs of a database, unless another process does; the exit status."""
    asked = _parsed(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    _log.setLevel(logging.INFO)
    stopping = threading.Event()
    # Ctrl-C goes to the whole group; the server stops its runner by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    if asked.follow_stdin:
        threading.Thread(target=_follow_stdin, args=(stopping,), daemon=True).start()
    place, ended = locate(asked.database), threading.Event()
    book = JobBook(place.folder, uri=place.uri)
    try:
        with book.runner_lock().acquire(timeout=_LOCK_SECONDS):
            ending = (book, asked.name, stopping, ended)
            threading.Thread(target=_end_in_time, args=ending, daemon=True).start()
            _work(book, asked, stopping)
            ended.set()
    except Timeout:
        _log.info("another process does the jobs of this database")
    return 0


def _work(book: JobBook, asked: argparse.Namespace, stopping: threading.Event) -> None:
    # Libraries take seconds to load; a second runner, which is not needed, sees the lock before.
    import latentdb
    from api.jobs.tray import sweep
    from api.jobs.worker import Worker

    os.nice(_NICENESS)
    db = latentdb.open(asked.database, device=asked.device)
    sweep(db.store.path)
    Worker(db, book, asked.name, stopping).work(idle_seconds=asked.idle)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="api.jobs.runner", description="Do a database's jobs.")
    parser.add_argument("database")
    parser.add_argument("--device", default="auto", help="where models run")
    parser.add_argument(
        "--name", default=f"runner-{os.getpid()}", help="what the job book calls it"
    )
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS, help="seconds before it leaves")
    parser.add_argument(
        "--follow-stdin", action="store_true", help="leave once standard input ends"
    )
    return parser.parse_args(arguments)


def _follow_stdin(stopping: threading.Event) -> None:
    """Wait for the server that holds the other end; nothing is ever written there."""
    sys.stdin.buffer.read()
    stopping.set()


def _end_in_time(
    book: JobBook, name: str, stopping: threading.Event, ended: threading.Event
) -> None:
    """End in the middle of a long step, such as a fit: what was begun is begun again."""
    stopping.wait()
    if ended.wait(_GRACE_SECONDS):
        return
    for job in book.unfinished():
        if job.state == "running" and job.runners[-1] == name:
            book.put_back(job.id)
            _log.info("job %s: put back in the middle of a step", job.id)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
