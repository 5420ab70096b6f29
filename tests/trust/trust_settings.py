"""How long the tests of trust go on: a moment here, longer where `benchmarks.reliability` asks."""

from __future__ import annotations

import os

# Multiplies what every test of this folder repeats.
ROUNDS = int(os.environ.get("LATENTDB_TRUST_ROUNDS", "1"))
