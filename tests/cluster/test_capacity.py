"""The capacity tables of docs/scale.md are what their constants give, by arithmetic done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import capacity

ROOT = Path(__file__).parents[2]
N = 10**8


@pytest.fixture(scope="module")
def kept() -> Any:
    path = ROOT / "benchmarks" / "results" / "capacity.json"
    return json.loads(path.read_text(encoding="utf-8"))["results"]


def test_the_page_shows_what_the_kept_constants_give(kept: Any) -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert f"{capacity.tables(kept['constants'])}\n<!-- end: benchmarks.capacity -->" in page


def test_the_kept_plans_are_those_of_the_kept_constants(kept: Any) -> None:
    assert json.loads(json.dumps(capacity.plans(kept["constants"]))) == kept["plans"]


def test_bytes_are_rows_times_bytes_of_a_row(kept: Any) -> None:
    constants, plan = kept["constants"], kept["plans"][str(N)]
    a_picture = constants["thumbnail_bytes"] + constants["overhead_bytes"]
    assert plan["items_tb"] == pytest.approx(1e-4 * a_picture)
    # 10⁸ rows of 16,384 values of two bytes.
    assert plan["vectors_tb"]["noise"] == pytest.approx(3.2768)
    assert plan["row_map_gb"] == pytest.approx(1.6)


def test_commits_add_up_to_the_integral_of_their_growth(kept: Any) -> None:
    constants = {**kept["constants"], "batch": 500, "commit_ns_per_item_there": 20.0}
    # Of 2,000 commits into a million items, summed one by one.
    seconds = sum(20e-9 * 500 * at for at in range(2000))
    hours = capacity.plan(10**6, constants)["commit_growth_h"]
    assert hours * 3600 == pytest.approx(seconds, rel=1e-3)


def test_shards_fill_a_machine_and_no_more(kept: Any) -> None:
    constants = kept["constants"]
    room = constants["assumed"]["ram_for_an_index_gb"]
    for plan in kept["plans"].values():
        for name, one in plan["indexes"].items():
            a_shard = one["total_gb"] / one["machines"]
            assert a_shard <= room, name
            assert one["machines"] == 1 or one["total_gb"] > room * (one["machines"] - 1), name


def test_the_law_of_commits_is_the_line_through_what_was_measured() -> None:
    base, slope = capacity.commit_law({"0": 50.0, "1000000": 70.0})
    assert (base, slope) == (pytest.approx(50.0), pytest.approx(20.0))
