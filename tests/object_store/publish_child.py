"""Is killed while it changes an artefact of a database in an object store."""

from __future__ import annotations

import os
import signal
import sys

from latentdb.store import Store

store = Store.open(sys.argv[1])
with store.changing("maps"):
    (store.path / "maps" / "half.safetensors").write_bytes(b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)
