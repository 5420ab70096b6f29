"""All that is claimed of the NAO metric's speed, in one run.

    pip install -c constraints.txt -e ".[bench]"
    python -m benchmarks.nao

One after the other: the authors' optimiser against the closed form (`nao_authors`), certified
search against plain cosine search and the exhaustive scan (`nao_search`), graphs against usearch
and re-ranked candidates (`nao_graphs`). About a quarter of an hour; each keeps its own file.
"""

from __future__ import annotations

import subprocess
import sys

PARTS = ("nao_authors", "nao_search", "nao_graphs")


def main() -> None:
    """Run the parts; stop at the first that fails."""
    for part in PARTS:
        print(f"benchmarks.{part}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=True)


if __name__ == "__main__":
    main()
