"""Ingests SOURCE into DB in many small commits; the kill test runs and kills it."""

from __future__ import annotations

import sys

from pooled_model import PooledEncoder

from latentdb.ingest import IngestOptions, ingest
from latentdb.store import Store

# No `if __name__ == "__main__"`: decoding processes must not import this file again.
db, source = sys.argv[1:]
models = {name: PooledEncoder(name, dim=dim) for name, dim in (("one", 8), ("two", 4))}
store = Store.open(db)
print("ready", flush=True)
print(ingest(store, models, source, options=IngestOptions(batch_size=4, commit_seconds=1e-6)))
