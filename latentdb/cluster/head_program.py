"""The program that a cluster of this machine is: `python -m latentdb.cluster.head_program CPUS`."""

from __future__ import annotations

import sys

from latentdb.cluster.ray_library import start_here

# What is sent is small, and bounded in number.
_OBJECT_STORE_BYTES = 200 * 2**20


def main() -> None:
    """Start the cluster, say where it is, and end it when nobody listens any more."""
    with start_here(int(sys.argv[1]), object_store_bytes=_OBJECT_STORE_BYTES) as address:
        print("ADDRESS", address, flush=True)  # noqa: T201 - what the caller waits for
        sys.stdin.read()


if __name__ == "__main__":
    main()
