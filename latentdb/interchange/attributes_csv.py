"""Attributes as CelebA's readers take them: a file name, then −1 or 1 for each attribute."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from latentdb.interchange.attributes import NAME_COLUMNS
from latentdb.interchange.label_table import original_name


def write_attributes(path: Path, items: pa.Table) -> None:
    """Write labels as CSV, booleans as 1 and −1, rows in their order.

    Parameters
    ----------
    path : Path
    items : pyarrow.Table
        `id`, `source` and the labels. The rows are named by the last part of their source where
        that tells them apart, else by their ids.
    """
    names = [PurePosixPath(source).name for source in items["source"].to_pylist()]
    if len(set(names)) < len(names):
        names = [str(item_id) for item_id in items["id"].to_pylist()]
    columns: dict[str, object] = {NAME_COLUMNS[0]: pa.array(names, pa.string())}
    for field in items.schema:
        if field.name in ("id", "source"):
            continue
        column = items[field.name]
        if pa.types.is_boolean(field.type):
            column = pc.if_else(column, pa.scalar(1, pa.int8()), pa.scalar(-1, pa.int8()))
        columns[original_name(field.name)] = column
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    pyarrow.csv.write_csv(pa.table(columns), path, write_options=options)
