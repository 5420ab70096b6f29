"""Names of files: what strangers are told of a stored name, and where its file lies.

An item keeps the name that its picture was first seen under, which is a path of the machine that
read it. Whoever asks over a network is told no folder of that machine: `/data/set.zip!a/b.jpg` is
`set.zip!a/b.jpg` to them, in answers and in filters alike. A relative name says nothing but what
whoever typed it meant to be seen, and stays.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

UPLOADS: Final = "uploads"
"""Folder of a database with the pictures that were uploaded to it; their names begin with it."""

# Up to the last folder before a "!", which an archive's members come after; steps upward.
_FOLDERS = r"^(?:/(?:[^!]*/)?|(?:\.\./)+)"
_PATH_IN_TEXT = re.compile(r"(?<![\w.])/(?:[^\s'\"!]*/)?")


def shown_name(source: str) -> str:
    """A stored name without folders of this machine."""
    return re.sub(_FOLDERS, "", source)


def shown_names(sources: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of stored names without folders of this machine."""
    return pc.replace_substring_regex(sources, pattern=_FOLDERS, replacement="")


def shown_message(message: str, source: str) -> str:
    """What was found about a file, without folders of this machine."""
    return _PATH_IN_TEXT.sub("", message.replace(source, shown_name(source)))


def located(folder: Path, source: str) -> str:
    """Path of the file that a stored name means: below the database `folder` for its uploads."""
    inside = folder / source
    is_upload = source.startswith(f"{UPLOADS}/") and ".." not in inside.parts
    return str(inside) if is_upload and inside.is_file() else source
