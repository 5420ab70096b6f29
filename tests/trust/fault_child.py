"""Works on a database, in a process of its own where it is to meet a fault.

    python fault_child.py DATABASE LIMIT WORK...

The last line that it prints is a JSON object: of each work, what an error of the library said,
or nothing where it was done. That it ends otherwise is a defect.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from pathlib import Path

from trust_world import write

import latentdb
from latentdb.errors import LatentDBError

WORK = ("ingest", "index", "fit", "compact", "snapshot", "backup", "label")
BATCHES = 4
BATCH_ROWS = 40


def ingest(database: str) -> None:
    """Write batches that are not there yet, each as a run of its own would."""
    db = latentdb.open(database)
    with db.store.writer():
        known = set(db.store.known_sources().values())
        print("writing", flush=True)
        for number in range(BATCHES):
            ids = range(1000 + number * BATCH_ROWS, 1000 + (number + 1) * BATCH_ROWS)
            if not known.issuperset(ids):
                write(db, ids)


def index(database: str) -> None:
    """Build an index."""
    latentdb.open(database).build_index("clip", metric="euclidean", kind="hnsw")


def fit(database: str) -> None:
    """Fit a map."""
    latentdb.open(database).stitch("clip", "noise", method="ridge")


def compact(database: str) -> None:
    """Merge the pieces of all tables."""
    latentdb.open(database).upkeep.compact()


def snapshot(database: str) -> None:
    """Keep the database as it is, unless it is kept."""
    upkeep = latentdb.open(database).upkeep
    if not upkeep.snapshots():
        upkeep.snapshot("kept")


def backup(database: str) -> None:
    """Put a backup beside the database."""
    latentdb.open(database).upkeep.backup(Path(database).with_suffix(".backup"))


def label(database: str) -> None:
    """Set a label of one item."""
    latentdb.open(database).store.set_labels([5], {"age": [1]})


def search(database: str) -> None:
    """Ask something."""
    db = latentdb.open(database)
    found = db.search(id=5, space="clip", k=3)
    print([hit.id for hit in found.hits])
    print(len(db.check()))


def obey_rights() -> None:
    """Give up root's privilege over the rights of files; they apply to everyone else as it is."""
    if os.geteuid() != 0:
        return
    libc, header = ctypes.CDLL(None, use_errno=True), struct.pack("Ii", 0x20080522, 0)
    held = ctypes.create_string_buffer(24)
    capget, capset = (125, 126) if platform.machine() == "x86_64" else (90, 91)
    failed = libc.syscall(capget, header, held)
    effective, *others = struct.unpack("6I", held.raw)
    # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    less = struct.pack("6I", effective & ~(1 << 1 | 1 << 2), *others)
    if failed or libc.syscall(capset, header, less):
        raise OSError(ctypes.get_errno(), "capset")


def told(what: str, database: str) -> str:
    """What an error of the library says of it; empty where it was done."""
    try:
        globals()[what](database)
    except LatentDBError as error:
        return str(error)
    return ""


def main(database: str, limit: str, *works: str) -> None:
    """Do some of the above, with files of at most `limit` bytes where that is not negative."""
    obey_rights()
    if int(limit) >= 0:
        # Python ignores the signal, so that writing fails as it does on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    print(json.dumps({what: told(what, database) for what in works}))


if __name__ == "__main__":
    main(*sys.argv[1:])
