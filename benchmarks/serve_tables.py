"""The tables of docs/serving_speed.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_HEAD = (
    "| question | clients | requests/s | p50 ms | p99 ms | server's cores, ms each | failed |\n"
    "|---|---|---|---|---|---|---|"
)
_NAMES = {
    "text": "text",
    "vector": "vector",
    "text_one_at_a_time": "text, one at a time (`max_batch` 1)",
    "vector_one_at_a_time": "vector, one at a time",
    "text_two_workers": "text, two workers",
    "vector_two_workers": "vector, two workers",
    "vector_cached": "vector, the same 50 again (cache)",
}


def tables(results: Mapping[str, Any]) -> str:
    """Everything that was measured, as the page shows it."""
    library, chroma, kept = results["library"], results["chroma"], results["memory"]
    rows = [_row(name, one) for key, name in _NAMES.items() for one in results[key]]
    rows += [_row("vector, Chroma", one) for one in chroma["vector"]]
    gain = _at(results["text"], 128) / _at(results["text_one_at_a_time"], 128)
    others = _at(results["vector"], 128) / _at(chroma["vector"], 128)
    tower = library["tower_alone_ms"] / library["tower_of_64_ms"]
    whole = library["text_alone_ms"] / library["text_of_64_ms"]
    return "\n".join(
        [
            f"`python -m benchmarks.serve`: {results['faces']} drawn faces with texts, "
            f"{results['vectors']} vectors of {results['dim']} values, k = {results['k']}, exact "
            f"(`flat`); wrk for {results['seconds']:g} s a row on the cores that the server has.",
            "",
            _HEAD,
            *rows,
            "",
            f"128 text clients are answered {gain:.1f} times as fast as one question at a time. "
            f"In the library a text takes the model {library['tower_alone_ms']:.2f} ms alone and "
            f"{library['tower_of_64_ms']:.2f} ms among 64 ({tower:.1f} times less), and a text "
            f"question {library['text_alone_ms']:.2f} ms alone and "
            f"{library['text_of_64_ms']:.2f} ms among 64 ({whole:.1f} times less): the rest is "
            "reading requests and writing answers, one Python thread.",
            "",
            f"Of 128 vector clients {others:.2f} times as many are answered a second as by Chroma "
            f"{chroma['version']}, `hnsw` with {_settings(chroma['hnsw'])}. Recall at 10 is "
            f"{results['recall_at_10']:.3f} here and {chroma['recall_at_10']:.3f} there.",
            "",
            f"Memory over {kept['series'][-1][0]:,} requests: "
            f"{_series(kept['series'])}; {kept['mib_per_100000']:+.1f} MiB per 100,000 requests "
            "in the second half.",
        ]
    )


def _row(name: str, one: Mapping[str, float]) -> str:
    bad = one["refused"] + one["broken"]
    return (
        f"| {name} | {one['clients']} | {one['per_second']:.0f} | {one['p50_ms']:.1f} | "
        f"{one['p99_ms']:.1f} | {one['cpu_ms']:.2f} | {bad} |"
    )


def _at(rows: Sequence[Mapping[str, float]], clients: int) -> float:
    return next(one["per_second"] for one in rows if one["clients"] == clients)


def _settings(hnsw: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in hnsw.items())


def _series(series: Sequence[tuple[int, float]]) -> str:
    step = max(1, (len(series) - 1) // 8)
    shown = [*series[:-1:step], series[-1]]
    return ", ".join(f"{count:,}: {mib:.0f} MiB" for count, mib in shown)
