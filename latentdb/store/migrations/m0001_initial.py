"""Format 1: items, sources, quarantine and spaces; every space adds a table of its own."""

from __future__ import annotations

from latentdb.store import schema
from latentdb.store.migrations.step import Step
from latentdb.store.tables import Tables


def _create_tables(tables: Tables) -> None:
    schemas = {
        schema.ITEMS: schema.ITEMS_SCHEMA,
        schema.SOURCES: schema.SOURCES_SCHEMA,
        schema.QUARANTINE: schema.QUARANTINE_SCHEMA,
        schema.SPACES: schema.SPACES_SCHEMA,
    }
    there = tables.names()
    for name, columns in schemas.items():
        if name not in there:
            tables.create(name, columns, key=schema.KEYS[name])


STEP = Step(number=1, summary="the first tables", apply=_create_tables, breaks_readers=True)
