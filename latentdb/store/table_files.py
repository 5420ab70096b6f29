"""Which of a table's files its latest version is of, in a folder and in an object store alike.

LanceDB writes the names of data files into the manifest of a version as they are. What older
versions and killed writers left is named by none of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from latentdb.errors import StoreIOError

TABLE: Final = ".lance"

_VERSIONS = "_versions/"
_MANIFEST = ".manifest"
_DATA = "data/"
# What a commit was to do; nobody reads it once the commit is over.
_TRANSACTIONS = "_transactions/"
# Deletions are named by numbers; they are small.
_WHOLE = ("_deletions/", "_indices/")
_FOOTER = 16
# A manifest is named by what its version lacks to the largest number: the latest comes first.
_LARGEST = 2**64 - 1
_NEWER_NAMES = 20


def latest_manifest(paths: Iterable[str], table: str) -> str:
    """The manifest of a table's latest version.

    Parameters
    ----------
    paths : iterable of str
        Of its files, below its folder, with "/".
    table : str
        What it is called in texts.

    Raises
    ------
    StoreIOError
        There is none.
    """
    manifests = [one for one in paths if one.startswith(_VERSIONS) and one.endswith(_MANIFEST)]
    if not manifests:
        raise StoreIOError(f"table {table} has no version; see latentdb check")
    return max(manifests, key=_version_of)


def files_of_version(
    paths: Iterable[str], manifest: str, content: bytes, *, data_files: int, table: str
) -> list[str]:
    """The files among `paths` that one version is of, sorted.

    Parameters
    ----------
    paths : iterable of str
        As above.
    manifest, content : str and bytes
        Path of the version's manifest, and what is in it.
    data_files : int
        How many files of data the version has at least.
    table : str
        What the table is called in texts.

    Raises
    ------
    StoreIOError
        The table lacks files that it names.
    """
    body = _body(content)

    def belongs(path: str) -> bool:
        if path.startswith(_TRANSACTIONS):
            return False
        if path.startswith(_VERSIONS):
            return path == manifest
        is_beside = "/" not in path or path.startswith(_WHOLE)
        return is_beside or path.split("/")[1].encode() in body

    found = sorted(filter(belongs, paths))
    there = sum(1 for path in found if path.startswith(_DATA))
    if there < data_files:
        raise StoreIOError(
            f"table {table} is of {data_files} files of data or more, and {there} are there; see "
            "latentdb check, or restore it from a backup"
        )
    return found


def _body(manifest: bytes) -> bytes:
    """What a manifest says, without the transaction before it, which names what it replaced.

    It ends in the place of that, two numbers of the format, and "LANC".
    """
    place, magic = struct.unpack("<Q4x4s", manifest[-_FOOTER:])
    return manifest[place:] if magic == b"LANC" else manifest


def _version_of(manifest: str) -> int:
    number = manifest.removeprefix(_VERSIONS).removesuffix(_MANIFEST)
    return _LARGEST - int(number) if len(number) == _NEWER_NAMES else int(number)
