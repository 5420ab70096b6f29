"""Uploaded pictures compared with the hash that ingest kept of each.

They lie below the database and in no table; the tables of sources and of quarantine hold the
SHA-256 of each under its name. One that no ingest has come to yet has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from latentdb.errors import StoreIOError
from latentdb.store import schema
from latentdb.store.names import UPLOADS, located
from latentdb.store.problems import FETCH, Problem, listed
from latentdb.store.published import sha256_of
from latentdb.store.tables import Tables


class AstrayUploads(NamedTuple):
    """Uploads that are not what was taken in: the SHA-256 of what was, by name.

    Attributes
    ----------
    damaged : dict
        They are there, with other content.
    gone : dict
        Originals of items that are not there. That alone is no fault: a file of anybody's that
        was read as `uploads/a.png` has a name like these, and a copy may come without uploads.
    """

    damaged: dict[str, str]
    gone: dict[str, str]


def astray_uploads(tables: Tables, folder: Path) -> AstrayUploads:
    """Compare every upload that the tables know with its hash; reads each file once.

    Parameters
    ----------
    tables : Tables
    folder : Path
        The database.
    """
    found = AstrayUploads({}, {})
    originals = set(_uploaded(tables, schema.ITEMS, ["source"])["source"].to_pylist())
    for name, said in _hashes(tables).items():
        now = _hash_of(folder, name)
        if now is None and name in originals:
            found.gone[name] = said
        elif now not in (None, said):
            found.damaged[name] = said
    return found


def upload_problems(tables: Tables, folder: Path) -> Iterator[Problem]:
    """Uploads that are damaged, and a note of those that are gone."""
    damaged, gone = astray_uploads(tables, folder)
    if damaged:
        detail = listed([f"{name} is not what was taken in" for name in sorted(damaged)])
        cure = f"{FETCH}; as long as it is damaged, the thumbnail is shown"
        yield Problem("damaged_uploads", UPLOADS, len(damaged), detail, False, cure=cure)
    if gone:
        detail = listed([f"{name} is not here; its thumbnail is shown" for name in sorted(gone)])
        yield Problem("missing_uploads", UPLOADS, len(gone), detail, False, "note", FETCH)


def _hash_of(folder: Path, name: str) -> str | None:
    """The hash of an upload as it is now; None where it is not there."""
    path = Path(located(folder, name))
    try:
        return sha256_of(path) if path.is_relative_to(folder) else None
    except FileNotFoundError:
        # Deleted meanwhile, with its item.
        return None


def _hashes(tables: Tables) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for table in (schema.QUARANTINE, schema.SOURCES):
        rows = _uploaded(tables, table, ["source", "content_hash"]).to_pylist()
        hashes |= {row["source"]: row["content_hash"] for row in rows if row["content_hash"]}
    return hashes


def _uploaded(tables: Tables, table: str, columns: Sequence[str]) -> pa.Table:
    """Rows of uploads; none of a table that cannot be read, which is told of the table."""
    try:
        rows = tables.pin(table).scan(columns)
    except StoreIOError:
        return pa.table({name: pa.array([], pa.string()) for name in columns})
    return rows.filter(pc.starts_with(rows["source"], f"{UPLOADS}/"))
