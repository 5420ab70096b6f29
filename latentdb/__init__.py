"""latentdb: a latent vector database and semantic search engine for images.

    import latentdb

    db = latentdb.create("faces.ldb", spaces=["faces-clip", "faces-noise"])
    db.ingest("photos/")
    answer = db.search(text="a smiling face with a hat", k=5)

Importing this package loads no model library and no storage engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentdb.database import LatentDB

__all__ = ["__version__", "create", "open"]

__version__ = "0.1.0"


def open(uri: str | Path, *, device: str = "auto") -> LatentDB:  # noqa: A001 - the field's word
    """Open the database at `uri`.

    Parameters
    ----------
    uri : str or Path
        Folder of the database.
    device : str
        Where models run: "auto", "cpu", "cuda" or "cuda:1".

    Raises
    ------
    StoreNotFoundError
        There is no database there.
    StoreFormatError
        It was written by a newer latentdb.
    """
    from latentdb.database import LatentDB
    from latentdb.store import Store

    return LatentDB(Store.open(str(uri)), device=device)


def create(uri: str | Path, *, spaces: Sequence[str] = (), device: str = "auto") -> LatentDB:
    """Create a database at `uri` and give it `spaces`.

    Parameters
    ----------
    uri : str or Path
        Folder to make; it must not exist, or be empty.
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
