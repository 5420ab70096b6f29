"""Numbered steps from one format of the database to the next, oldest first.

To change the format, add a file `m0002_what_it_does.py` with one `STEP` and list it here. A
step must be idempotent: killed half-way, it is applied again.
"""

from latentdb.store.migrations.m0001_initial import STEP as INITIAL
from latentdb.store.migrations.step import Step

__all__ = ["STEPS", "Step"]

STEPS: tuple[Step, ...] = (INITIAL,)
