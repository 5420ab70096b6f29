"""`index`, `indexes` and `audit` as they are typed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import typer
from asked_world import pictures_of, write
from typer.testing import CliRunner, Result

from api.cli.main import app
from api.cli.sizes import bytes_of
from latentdb.database import LatentDB


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def built(db: LatentDB, *words: object) -> Result:
    result = run("index", db.uri, "--space", "clip", "--metric", "cosine", *words)
    assert result.exit_code == 0, result.output
    return result


def test_a_kind_is_chosen_and_the_reason_told(asked_db: LatentDB) -> None:
    result = built(asked_db, "--kind", "auto", "--memory", "50MB", "--json")
    told = json.loads(result.stdout)
    assert told["reason"] in result.stderr
    assert told["target_met"] is True
    assert "of 50 MB" in told["reason"]


def test_what_every_kind_of_question_finds_is_listed(asked_db: LatentDB) -> None:
    result = built(asked_db, "--kind", "ivf", "--target-recall", ".9")
    assert "searched with nprobe" in result.stderr
    assert "text questions find least" in result.stderr
    listed = run("indexes", asked_db.uri).stdout
    assert "text 0.9" in listed
    assert "shifted" in listed
    (told,) = json.loads(run("indexes", asked_db.uri, "--json").stdout)
    assert told["tuning"]["target"] == 0.9
    assert set(told["tuning"]["recall"]) == {"id", "image", "text", "mapped", "shifted"}


def test_a_kind_that_does_not_fit_is_refused(asked_db: LatentDB) -> None:
    refused = run(
        "index", asked_db.uri, "--space", "clip", "--metric", "cosine", "--memory", "10kB"
    )  # fmt: skip
    assert refused.exit_code == 2
    assert "more than the 0.01 MB that it may take" in refused.stderr


def test_an_audit_ends_with_1_below_its_target(asked_db: LatentDB) -> None:
    built(asked_db, "--kind", "ivf", "--target-recall", ".9")
    sound = run("audit", asked_db.uri, "--questions", 100)
    assert sound.exit_code == 0
    assert "when built" in sound.stdout
    assert "no image: every row is in the index" in sound.stderr
    below = run("audit", asked_db.uri, "--target", 1, "--json")
    assert below.exit_code == 1
    told: list[dict[str, Any]] = json.loads(below.stdout)
    assert told[0]["target_met"] is False
    assert told[0]["alarm"] in below.stderr
    assert "below 1" in told[0]["alarm"]


def test_an_audit_of_no_index_says_so(asked_db: LatentDB) -> None:
    assert "searches are exact" in run("audit", asked_db.uri).stderr


def test_refresh_takes_the_index_there_is(asked_db: LatentDB) -> None:
    built(asked_db, "--kind", "ivf")
    write(asked_db, np.arange(5000, 5020), {"clip": pictures_of(20, 16, seed=5)})
    result = run("index", asked_db.uri, "--space", "clip", "--refresh", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["count"] == 1220
    refused = run("index", asked_db.uri, "--space", "clip", "--refresh", "--kind", "flat")
    assert "--kind does not go with --refresh" in " ".join(refused.stderr.split())


def test_a_metric_is_needed_to_build(asked_db: LatentDB) -> None:
    result = run("index", asked_db.uri, "--space", "clip")
    assert result.exit_code == 2
    assert "--metric is missing" in result.stderr


@pytest.mark.parametrize(
    ("text", "count"),
    [("4GB", 4 * 10**9), ("512 mb", 512 * 10**6), ("1.5GiB", 3 * 2**29), ("2k", 2000), ("7", 7)],
)
def test_amounts_of_memory_are_read(text: str, count: int) -> None:
    assert bytes_of(text) == count


@pytest.mark.parametrize("text", ["", "GB", "4XB", "-1GB", "4 GB please", "0MB", "3i", "0.1"])
def test_other_amounts_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="an amount of memory is"):
        bytes_of(text)


def test_a_tuned_index_crosses_the_wire_whole(asked_db: LatentDB) -> None:
    from latentdb.index import IndexInfo
    from latentdb.wire import decode, encode

    asked_db.build_index("clip", kind="ivf")
    (info,) = asked_db.indexes()
    there = json.loads(json.dumps(encode(info), allow_nan=False))
    assert decode(IndexInfo, there) == info
