"""Commits that are whole: one with a torn file is taken back.

LanceDB 0.40 flushes the end of a file without looking whether that succeeded: on a disk that fills
up at that moment a merge of pieces reports success, names a torn file, and prunes the pieces it was
made of. The files of Lance end in a mark, so a torn one is told by its last bytes. Taking a commit
back deletes its manifest, which needs no room on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentdb.errors import StoreIOError
from latentdb.store.seals import sealed_files

_ENDS = {".lance": b"LANC", ".manifest": b"LANC", ".arrow": b"ARROW1"}


@contextmanager
def whole_commits(table: Path) -> Iterator[None]:
    """Take back what is committed to a table in the block, where a file of it is torn.

    Parameters
    ----------
    table : Path
        Its folder; of a table that lies elsewhere there is none, and nothing is looked at. Versions
        from before the block must not be pruned in it. The caller holds the writer's lock.

    Raises
    ------
    StoreIOError
        A file was torn; the table is as it was before.
    """
    before = set(sealed_files(table))
    yield
    new = [name for name in sealed_files(table) if name not in before]
    torn = [name for name in new if not _is_whole(table / name)]
    if torn:
        # The newest version first: those before it are named by none of the ones that stay.
        for name in sorted(name for name in new if name.endswith(".manifest")):
            (table / name).unlink()
        raise StoreIOError(
            f"{table.name}/{torn[0]} could not be written whole: the disk may be full; the table "
            "is as it was before"
        )


def _is_whole(path: Path) -> bool:
    end = _ENDS.get(path.suffix)
    if end is None:
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(end)))
        return file.read() == end
