"""Backfills the open migration of DB in many small commits; the kill test runs and kills it."""

from __future__ import annotations

import sys

import latentdb
from latentdb.migrate import BackfillOptions

migration = latentdb.open(sys.argv[1], device="cpu").migration()
print("ready", flush=True)
options = BackfillOptions(batch_size=2, workers=0, commit_rows=2)
print(migration.backfill(options=options).migration.state, flush=True)
