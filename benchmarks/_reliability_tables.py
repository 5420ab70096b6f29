"""Tables of benchmarks.reliability."""

from __future__ import annotations

from collections import Counter
from typing import Any

_DAMAGES = {
    "flip": "one bit flipped",
    "cut_short": "file cut short",
    "lose_pages": "the rest of a file zeros",
    "lose": "file lost",
}


def kill_table(works: dict[str, Any]) -> str:
    """One row per work that was killed."""
    lines = [
        "| killed amid | kills | at a change of files | databases compared | wrong |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    columns = ("kills", "at a change of files", "databases compared")
    for name, one in works.items():
        figures = " | ".join(str(one.get(column, 0)) for column in columns)
        lines.append(f"| {name} | {figures} | {len(one['faults'])} |")
    sums = " | ".join(str(sum(one.get(c, 0) for one in works.values())) for c in columns)
    wrong = sum(len(one["faults"]) for one in works.values())
    return "\n".join([*lines, f"| **all** | {sums} | {wrong} |"])


def fault_table(tests: dict[str, Any]) -> str:
    """Damage by what became of it, then the other faults and the state machine."""
    counted = {tuple(name.split("|")): count for name, count in tests["counted"].items()}
    became = ("an error", "check", "harmless", "SILENT")
    lines = [
        "| damage | tried | an error names it | `check` names it | harmless | silently wrong |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for code, what in _DAMAGES.items():
        sums: Counter[str] = Counter()
        for key, count in counted.items():
            if key[:2] == ("damage", code):
                sums[key[3]] += count
        figures = " | ".join(str(sums[one]) for one in became)
        lines.append(f"| {what} | {sums.total()} | {figures} |")
    lines += ["", "| other | count |", "| --- | ---: |"]
    for key, count in sorted(counted.items()):
        if key[0] == "fault":
            lines.append(f"| {key[1]}: {key[2]} | {count} |")
    steps = sum(count for key, count in counted.items() if key[0] == "state")
    lines.append(f"| state machine: operations compared with the model | {steps} |")
    if found := counted.get(("recall", "found")):
        lines.append(f"| … neighbours found, of {counted['recall', 'of']} | {found} |")
    failed = f"{tests['passed']}, {tests['failed']} failed, {tests['skipped']} skipped"
    return "\n".join([*lines, f"| tests passed | {failed} |"])


def cost_sentence(cost: dict[str, float]) -> str:
    """What checksums cost."""
    return (
        f"The hash takes {cost['checksums_s_per_gigabyte']} s of one core per GB written: "
        f"{100 * cost['checksums_share']:.0f} % of what appending vectors alone takes."
    )
