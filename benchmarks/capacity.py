"""What archives of 10⁸ and 10¹⁰ pictures take: bytes, machines and hours, from measured constants.

    python -m benchmarks.capacity

Measures nothing but the memory of a catalogue entry. It reads what `benchmarks.cluster` and
`benchmarks.ingest` measured, the laws that `latentdb.index.costs` was fitted to and the bytes that
each kind of index says it takes, keeps all of these in results/capacity.json beside what is
assumed, and writes the tables of docs/scale.md from that file alone.
"""

from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import RESULTS, record, write_section
from indexers.kinds import make_config
from latentdb.index.costs import COSTS

SIZES = (10**8, 10**10)
KINDS = ("hnsw", "ivf_pq", "rabitq")
SPACES = {"encoder": 512, "noise": 16_384}
# Not measured here, and so said to be assumed wherever they are used.
ASSUMED = {
    "gpus": 8,
    "gpu_encoder_pictures_per_s": 2000.0,
    "gpu_noise_pictures_per_s": 1.0,
    "ram_for_an_index_gb": 192.0,
    "cores_of_a_machine": 32,
}


def main() -> None:
    """Collect the constants, print and write the tables."""
    make_parser(__doc__).parse_args()
    write()


def write() -> None:
    """Constants into results/capacity.json, tables into docs/scale.md."""
    constants = collected()
    record("capacity", {"constants": constants, "plans": plans(constants)}, seed=0)
    write_section("scale.md", "capacity", tables(constants))


def collected() -> dict[str, Any]:
    """Everything that the tables hang on."""
    committer = _results("cluster")["committer"]
    base, slope = commit_law(committer["commit_ms_by_items_there"])
    pictures = _results("ingest_clip")["pipeline_images_per_s"]
    return {
        "assumed": ASSUMED,
        "thumbnail_bytes": committer["thumbnail_bytes"],
        "overhead_bytes": committer["bytes_per_picture"] - committer["payload_bytes_per_picture"],
        "committer_pictures_per_s": committer["pictures_per_s"],
        "batch": committer["batch"],
        "commit_ms": base,
        "commit_ns_per_item_there": slope,
        "small_encoder_pictures_per_s": float(np.median(pictures)),
        "catalogue_bytes": catalogue_bytes(),
        "bytes_per_vector": {
            kind: {name: make_config(kind).bytes_per_vector(dim) for name, dim in SPACES.items()}
            for kind in KINDS
        },
        "laws": {
            kind: {
                "encoder": list(COSTS[kind].embedding),
                "noise": list(COSTS[kind].noise),
                "build": list(COSTS[kind].build),
            }
            for kind in KINDS
        },
    }


def _results(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["results"]


def commit_law(ms_by_items: Mapping[str, float]) -> tuple[float, float]:
    """Milliseconds of a commit, and nanoseconds more for each item there: least squares."""
    items = np.array([float(n) for n in ms_by_items])
    slope, base = np.polyfit(items, np.array(list(ms_by_items.values())), 1)
    return float(base), max(0.0, 1e6 * float(slope))


def catalogue_bytes(n: int = 50_000) -> float:
    """Memory of one known picture while a run lasts: its hash, its id, and the id in two spaces."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    ids = [3 * one + (1 << 60) for one in range(n)]
    held = ({f"{one:064x}": one for one in ids}, set(ids), set(ids), set(ids))
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    del held
    return taken / n


def plans(constants: Mapping[str, Any]) -> dict[str, Any]:
    """What an archive of each size takes."""
    return {str(n): plan(n, constants) for n in SIZES}


def plan(n: int, constants: Mapping[str, Any]) -> dict[str, Any]:
    """Bytes, machines and hours of one size."""
    assumed = constants["assumed"]
    commits = n / constants["batch"]
    held_ms = constants["commit_ns_per_item_there"] * n / 2 / 1e6
    return {
        "items_tb": n * (constants["thumbnail_bytes"] + constants["overhead_bytes"]) / 1e12,
        "vectors_tb": {name: n * 2 * dim / 1e12 for name, dim in SPACES.items()},
        "small_encoder_h": n / constants["small_encoder_pictures_per_s"] / 3600,
        "gpu_encoder_h": n / assumed["gpu_encoder_pictures_per_s"] / assumed["gpus"] / 3600,
        "gpu_noise_h": n / assumed["gpu_noise_pictures_per_s"] / assumed["gpus"] / 3600,
        "commit_h": n / constants["committer_pictures_per_s"] / 3600,
        "commit_growth_h": commits * held_ms / 1000 / 3600,
        "catalogue_gb": n * constants["catalogue_bytes"] / 1e9,
        "row_map_gb": n * 16 / 1e9,
        "indexes": {
            f"{kind}, {space}": index_plan(n, kind, space, constants)
            for space in SPACES
            for kind in KINDS
        },
    }


def index_plan(n: int, kind: str, space: str, constants: Mapping[str, Any]) -> dict[str, float]:
    """An index in shards of the size that one machine's memory holds, a shard to a machine."""
    assumed, dim = constants["assumed"], SPACES[space]
    total_gb = n * constants["bytes_per_vector"][kind][space] / 1e9
    machines = math.ceil(total_gb / assumed["ram_for_an_index_gb"])
    shard = n / machines
    search_s = seconds(constants["laws"][kind][space], shard, dim)
    build_s = seconds(constants["laws"][kind]["build"], shard, dim)
    return {
        "total_gb": total_gb,
        "machines": machines,
        "rows_of_a_shard": shard,
        "search_ms": 1e3 * search_s,
        "questions_per_s": assumed["cores_of_a_machine"] / search_s,
        "build_core_h_of_a_shard": build_s / 3600,
    }


def seconds(law: list[float], count: float, dim: int) -> float:
    """`overhead` ms and `scale · dim · n^power` ns, as `latentdb.index.costs.Law` has it."""
    overhead, scale, power = law
    return 1e-3 * overhead + 1e-9 * scale * dim * count**power


def tables(constants: Mapping[str, Any]) -> str:
    """The tables of docs/scale.md."""
    made, assumed = plans(constants), constants["assumed"]
    sizes = {str(n): f"10{_superscript(n)}" for n in SIZES}
    lines = [
        "| bytes | " + " | ".join(sizes.values()) + " |",
        "|---|---:|---:|",
        _row("items with small pictures, TB", [made[n]["items_tb"] for n in sizes]),
        *(
            _row(f"{name} of {dim:,} float16, TB", [made[n]["vectors_tb"][name] for n in sizes])
            for name, dim in SPACES.items()
        ),
        _row(
            "ids and places of rows, in memory of every reader, GB",
            [made[n]["row_map_gb"] for n in sizes],
        ),
        _row(
            "catalogue of known files, in memory of the committer, GB",
            [made[n]["catalogue_gb"] for n in sizes],
        ),
        "",
        "| hours | " + " | ".join(sizes.values()) + " |",
        "|---|---:|---:|",
        _row(
            "the bundled encoder on the 2 cores measured",
            [made[n]["small_encoder_h"] for n in sizes],
        ),
        _row(
            f"an encoder on {assumed['gpus']} GPUs, *assumed* "
            f"{assumed['gpu_encoder_pictures_per_s']:.0f}/s each",
            [made[n]["gpu_encoder_h"] for n in sizes],
        ),
        _row(
            f"inverted noise on {assumed['gpus']} GPUs, *assumed* "
            f"{assumed['gpu_noise_pictures_per_s']:.0f}/s each",
            [made[n]["gpu_noise_h"] for n in sizes],
        ),
        _row("one committer, into an empty database", [made[n]["commit_h"] for n in sizes]),
        _row(
            "what its commits take more for the items that are there",
            [made[n]["commit_growth_h"] for n in sizes],
        ),
        "",
        f"| index, {assumed['ram_for_an_index_gb']:.0f} GB of memory a machine (*assumed*) | "
        "pictures | GB | shards | rows of a shard | question, ms on one core of each | "
        "build of a shard, core hours |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {sizes[n]} | {one['total_gb']:,.0f} | {one['machines']:,} | "
            f"{one['rows_of_a_shard'] / 1e6:,.1f} M | {_figure(one['search_ms'])} | "
            f"{_figure(one['build_core_h_of_a_shard'])} |"
            for n in sizes
            for name, one in made[n]["indexes"].items()
        ),
    ]
    return "\n".join(lines)


def _row(name: str, values: list[float]) -> str:
    return f"| {name} | " + " | ".join(_figure(value) for value in values) + " |"


def _figure(value: float) -> str:
    """Two digits, or all before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def _superscript(n: int) -> str:
    return str(round(math.log10(n))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


if __name__ == "__main__":
    main()
