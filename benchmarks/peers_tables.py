"""docs/peers.md and its plots, from what `benchmarks.peers` measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

from benchmarks._record import ROOT, write_section
from benchmarks.peers_data import DATASETS
from benchmarks.peers_run import TARGET

_IMAGES = ROOT / "docs" / "images"
_COLOURS = {
    "latentdb": "#d62728",
    "FAISS": "#1f77b4",
    "hnswlib": "#2ca02c",
    "usearch": "#9467bd",
    "autofaiss": "#8c564b",
    "LanceDB": "#ff7f0e",
    "Chroma": "#e377c2",
    "Milvus Lite": "#17becf",
    "Qdrant local": "#7f7f7f",
}
_TITLES = {
    "encoder": "embeddings, questions like the rows",
    "text": "embeddings, text-like questions across the gap",
    "noise": "inverted noise",
    "large": "inverted noise of large pictures",
}

# Recall is drawn by what is missed, on a scale of logarithms: from .95 to 1 is most of the plot.
_ALL_FOUND = 0.0005
_TICKS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.0 - _ALL_FOUND)


@final
@dataclass(frozen=True)
class Row:
    """The least effort of a structure that finds enough; `point` is empty where none does."""

    peer: str
    structure: dict[str, Any]
    point: dict[str, Any]
    most: float

    @property
    def is_nao(self) -> bool:
        """Whether it is by NAO, to which no cosine search compares."""
        return self.structure["build"].get("metric") == "nao"


def write_page(results: dict[str, Any]) -> None:
    """Write every data set's tables between the marks of the page, and its plots."""
    text = "\n\n".join(part for name in results for part in _about(name, results[name]))
    write_section("peers.md", "peers", text)


def _about(name: str, peers: dict[str, Any]) -> Iterator[str]:
    """What was measured on one data set."""
    data = DATASETS[name]
    for kind in data.kinds:
        title = name if kind == "image" else kind
        rows = [row for peer in peers.values() for row in _rows(peer, kind)]
        if not rows:
            continue
        _plot(title, peers, kind)
        yield f"### {data.rows:,} × {data.dim:,}: {_TITLES[title]}"
        yield f"![recall against questions a second](images/peers_{title}.png)"
        yield _ranking(rows)
        yield _verdict(rows)
    yield f"**What {data.rows:,} × {data.dim:,} takes, and what payload and filter cost**"
    yield _costs(peers)
    if gone := list(_missing(peers)):
        yield "Not in the tables:\n\n" + "\n".join(gone)


def _rows(peer: dict[str, Any], kind: str) -> list[Row]:
    """Each structure of a peer; its points come by effort, ascending."""
    rows = []
    for one in peer["structures"]:
        points = [point for point in one.get("points", []) if point["kind"] == kind]
        enough = [point for point in points if point["recall"] >= TARGET]
        if points:
            least: dict[str, Any] = enough[0] if enough else {}
            rows.append(Row(peer["name"], one, least, max(point["recall"] for point in points)))
    return rows


def _ranking(rows: list[Row]) -> str:
    """Every structure at the least effort that reaches the target, the fastest first."""
    lines = [
        f"| at recall@10 ≥ {TARGET:g} | structure | effort | recall | a second, one by one | "
        "together |",
        "|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: -row.point.get("qps", 0)):
        peer = f"**{row.peer}**" if row.peer == "latentdb" else row.peer
        if not row.point:
            built = _told(row.structure["build"])
            lines.append(f"| {peer} | {built} | – | at most {row.most:.3f} | | |")
            continue
        point = row.point
        lines.append(
            f"| {peer} | {_told(row.structure['build'])} | {_told(point['effort'])} | "
            f"{point['recall']:.3f} | {point['qps']:,.0f} | {point['qps_together']:,.0f} |"
        )
    return "\n".join(lines)


def _verdict(rows: list[Row]) -> str:
    """Ours over each peer, one by one and together."""
    there = [row for row in rows if row.point and not row.is_nao]
    ours = [row for row in there if row.peer == "latentdb"]
    if not ours:
        return f"Ours does not reach {TARGET:g}."
    best = {way: max(row.point[way] for row in ours) for way in ("qps", "qps_together")}
    told = []
    for peer in dict.fromkeys(row.peer for row in there if row.peer != "latentdb"):
        theirs = [row.point for row in there if row.peer == peer]
        ratios = [best[way] / max(point[way] for point in theirs) for way in best]
        told.append(f"{peer} {' and '.join(map(_ratio, ratios))}")
    same = [
        f"{_told(row.structure['build'])} {bare.point['qps'] / row.point['qps']:.2f}"
        for row in ours
        for bare in there
        if bare.peer == "FAISS" and bare.structure["build"] == row.structure["build"]
    ]
    alike = f" Time of a question over bare FAISS of the same structure: {', '.join(same)}."
    return (
        "Our questions a second over theirs, one by one and together: "
        f"{'; '.join(told)}.{alike if same else ''}{_with_payload(rows)}"
    )


def _with_payload(rows: list[Row]) -> str:
    """Ours over each peer that keeps a payload, where every hit comes with it."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        told = row.structure["modes"].get("payload")
        if told is not None and told["recall"] >= TARGET and not row.is_nao:
            best = found.setdefault(row.peer, {"qps": 0.0, "qps_together": 0.0})
            for way in best:
                best[way] = max(best[way], told[way])
    ours = found.pop("latentdb", None)
    if ours is None or not found:
        return ""
    told = [
        f"{peer} {' and '.join(_ratio(ours[way] / best[way]) for way in ours)}"
        for peer, best in found.items()
    ]
    return f" With names and labels in every hit: {'; '.join(told)}."


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _costs(peers: dict[str, Any]) -> str:
    """Building, memory, disk, and what answers cost that tell more than ids."""
    lines = [
        "| | structure | built in s | memory MB | disk MB | ids /s | with payload /s | "
        "filtered /s (recall) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for peer in peers.values():
        for one in peer["structures"]:
            if "failed" in one:
                continue
            modes = one["modes"]
            shown = [_speed(modes.get(mode)) for mode in ("ids", "payload")]
            filtered = modes.get("filtered")
            found = f" ({filtered['recall']:.3f})" if filtered else ""
            lines.append(
                f"| {peer['name']} | {_told(one['build'])} | {one['build_s']:.1f} | "
                f"{one['memory_mb']:,.0f} | {one['disk_mb']:,.0f} | {shown[0]} | {shown[1]} | "
                f"{_speed(filtered)}{found} |"
            )
    return "\n".join(lines)


def _speed(point: dict[str, Any] | None) -> str:
    return "–" if point is None else f"{point['qps']:,.0f}"


def _missing(peers: dict[str, Any]) -> Iterator[str]:
    """Peers and structures that failed, each with its reason."""
    for peer in peers.values():
        if "failed" in peer:
            yield f"- {peer['name']}: {peer['failed']}."
        for one in peer["structures"]:
            if "failed" in one:
                yield f"- {peer['name']}, {_told(one['build'])}: {one['failed']}."


def _told(settings: dict[str, Any]) -> str:
    return (
        ", ".join(
            value if isinstance(value, str) else f"{name} {value}"
            for name, value in settings.items()
        )
        or "–"
    )


def _plot(title: str, peers: dict[str, Any], kind: str) -> None:
    """Recall against questions a second, one by one and together; of each peer its best front."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True, layout="constrained")
    for axis, way, said in zip(
        axes, ("qps", "qps_together"), ("one by one, one core", "together, two cores"), strict=True
    ):
        for peer in peers.values():
            front = _front(peer, kind, way)
            if front:
                is_ours = peer["name"] == "latentdb"
                axis.plot(
                    [max(1.0 - point["recall"], _ALL_FOUND) for point in front],
                    [point[way] for point in front],
                    marker="o",
                    markersize=5 if is_ours else 3,
                    linewidth=2.6 if is_ours else 1.4,
                    zorder=3 if is_ours else 2,
                    color=_COLOURS[peer["name"]],
                    label=peer["name"],
                )
        axis.axvline(1.0 - TARGET, color="#bbbbbb", linestyle="--", linewidth=1, zorder=1)
        axis.set(xlabel="recall@10", xscale="log", yscale="log", title=said)
        axis.set_xlim(0.22, 0.8 * _ALL_FOUND)
        shown = [*map("{:g}".format, _TICKS[:-1]), "all"]
        axis.set_xticks([1.0 - recall for recall in _TICKS], shown)
        axis.set_xticks([], minor=True)
        axis.grid(visible=True, which="major", alpha=0.25)
    axes[0].set_ylabel("questions a second")
    axes[1].legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    data = DATASETS["encoder" if title == "text" else title]
    figure.suptitle(f"{data.rows:,} × {data.dim:,}: {_TITLES[title]}")
    figure.savefig(_IMAGES / f"peers_{title}.png", dpi=110)
    plt.close(figure)


def _front(peer: dict[str, Any], kind: str, way: str) -> list[dict[str, Any]]:
    """Points of all structures of a peer that no other beats in both, by recall."""
    points = [
        point
        for one in peer["structures"]
        if one["build"].get("metric") != "nao"
        for point in one.get("points", [])
        if point["kind"] == kind
    ]
    best: list[dict[str, Any]] = []
    for point in sorted(points, key=lambda point: -point["recall"]):
        if not best or point[way] > best[-1][way]:
            best.append(point)
    return best[::-1]
