"""Where a database is: local folders now; the text says so for anything else."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from latentdb.errors import StoreError

# One letter before the colon is a Windows drive, not a scheme.
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")


def local_path(uri: str) -> Path:
    """Absolute path of a database given as a path or a `file://` address.

    Parameters
    ----------
    uri : str
        Such as `faces.ldb`, `~/faces.ldb` or `file:///data/faces.ldb`.

    Raises
    ------
    StoreError
        The text is empty, or names a scheme that is not supported.
    """
    if not uri.strip():
        raise StoreError("the address of a database is empty; give a folder such as faces.ldb")
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return Path(uri).expanduser().absolute()
    parts = urlsplit(uri)
    if scheme[1].lower() != "file" or parts.netloc not in ("", "localhost"):
        raise StoreError(
            f"{uri}: databases are supported in a local folder, given as a path (faces.ldb) or "
            f"as file:///data/faces.ldb; {scheme[1]}:// is not"
        )
    return Path(unquote(parts.path)).absolute()
