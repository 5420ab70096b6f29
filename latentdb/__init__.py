"""latentdb: a latent vector database and semantic search engine for images.

    import latentdb

    db = latentdb.create("faces.ldb", spaces=["faces-clip", "faces-noise"])
    db.ingest("photos/")
    answer = db.search(text="a smiling face with a hat", k=5)

    served = latentdb.connect("http://127.0.0.1:8000")    # the same methods, over a server

Importing this package loads no model library and no storage engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentdb.backup.facts import RestoreSummary
    from latentdb.client import RemoteDB
    from latentdb.database import LatentDB
    from latentdb.progress import Progress

__all__ = ["__version__", "connect", "create", "open", "restore"]

__version__ = "0.1.0"


def open(  # noqa: A001 - the field's word
    uri: str | Path, *, device: str = "auto", at: str | None = None
) -> LatentDB:
    """Open the database at `uri`.

    Parameters
    ----------
    uri : str or Path
        Folder of the database, or `s3://bucket/name`.
    device : str
        Where models run: "auto", "cpu", "cuda" or "cuda:1".
    at : str, optional
        As it was: the name of a snapshot, or a moment such as "2026-11-21T20:15" (UTC where no
        zone is named), as far back as compaction has left its versions. It can only be read.

    Raises
    ------
    StoreNotFoundError
        There is no database there.
    StoreFormatError
        It was written by a newer latentdb.
    UnknownSnapshotError
        Nothing is known of it as it was then.
    """
    from latentdb.database import LatentDB
    from latentdb.store import Store

    if at is not None:
        from latentdb.store.past import open_past

        return LatentDB(open_past(str(uri), at), device=device)
    return LatentDB(Store.open(str(uri)), device=device)


def create(uri: str | Path, *, spaces: Sequence[str] = (), device: str = "auto") -> LatentDB:
    """Create a database at `uri` and give it `spaces`.

    Parameters
    ----------
    uri : str or Path
        Folder to make, which must not exist or be empty; or `s3://bucket/name`.
    spaces : sequence of str
        Bundled names such as "faces-clip", or specs such as "clip=open_clip:/models/clip".
    device : str
        Where models run.

    Raises
    ------
    StoreExistsError
        There is something at `uri` already.
    SpaceSpecError, ModelError
        A space cannot be understood, or its model not be loaded; nothing is created.
    """
    from latentdb.database import LatentDB
    from latentdb.spaces import load_model
    from latentdb.store import Store

    models = [load_model(spec, device=device) for spec in spaces]
    db = LatentDB(Store.create(str(uri)), device=device)
    for model in models:
        db.adopt(model)
    return db


def restore(
    source: str | Path,
    uri: str | Path,
    *,
    backup: str | None = None,
    progress: Progress | None = None,
) -> RestoreSummary:
    """Make the database at `uri` from a backup in the folder `source`, the last where none is
    named; every file is checked against its hash.

    See `latentdb.backup.restore.restore`, also for its errors. `db.upkeep.backup` makes backups.
    """
    from latentdb.backup.restore import restore as make
    from latentdb.progress import silent

    return make(source, uri, backup=backup, progress=progress or silent)


def connect(
    address: str,
    *,
    key: str | None = None,
    timeout: float = 60.0,
    connect_timeout: float = 5.0,
    retries: int = 4,
    certificates: str | Path | None = None,
) -> RemoteDB:
    """The database that the server at `address` has; nothing is asked of it yet.

    Parameters
    ----------
    address : str
        Such as "http://127.0.0.1:8000"; what `latentdb serve` says.
    key : str, optional
        Made by `latentdb keys`; sent to that server alone, and shown nowhere.
    timeout, connect_timeout : float
        Seconds to wait for the next bytes of an answer, and for a connection.
    retries : int
        How often a request is sent again that found no server, or one without room; only what
        may be sent twice is.
    certificates : str or Path, optional
        File of the authorities that an https:// server's certificate is signed by, in place of
        the usual ones.

    Raises
    ------
    QueryError, AccessError
        The address, a timeout or the key cannot be one.
    """
    from latentdb.client import RemoteDB
    from latentdb.client.retries import Retries
    from latentdb.client.server_address import ServerAddress
    from latentdb.client.transport import Transport, Waits

    transport = Transport(
        ServerAddress.parse(address),
        key=key,
        waits=Waits(connect_timeout, timeout),
        retries=Retries(retries),
        certificates=certificates,
    )
    return RemoteDB(transport)
