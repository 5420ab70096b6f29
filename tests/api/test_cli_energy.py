"""`latentdb energy`, and energies in the commands that filter and rank."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from latentdb.database import LatentDB

RUNNER = CliRunner()


@pytest.fixture
def copy(db: LatentDB, tmp_path: Path) -> str:
    """A database that has no energies yet."""
    target = tmp_path / "faces.ldb"
    shutil.copytree(db.uri, target)
    shutil.rmtree(target / "priors" / "energy", ignore_errors=True)
    return str(target)


def run(*words: str) -> str:
    result = RUNNER.invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*words: str) -> str:
    result = RUNNER.invoke(app, list(words))
    assert result.exit_code == 2
    return result.stderr


def test_energies_are_measured_and_told(copy):
    said = json.loads(run("energy", copy, "--space", "clip", "--json"))
    assert (said["rows"], said["method"], said["max_width"]) == (60, "exact", 0)
    assert said["quantiles"]["0.01"] <= said["mean"] <= said["quantiles"]["0.99"]
    table = run("energy", copy, "--space", "clip", "--again", "--tolerance", "0.01")
    assert "clip" in table
    assert "mean" in table


def test_filters_and_rankings_take_energies(copy):
    ranked = json.loads(
        run("rank", copy, "--by", "energy", "--space", "dino", "-k", "60", "--json")
    )
    energies = {hit["id"]: -hit["distance"] for hit in ranked["hits"]}
    assert list(energies.values()) == sorted(energies.values(), reverse=True)
    limit = sorted(energies.values())[-10]
    text = f"energy >= {limit - 1e-9}"
    found = json.loads(
        run(
            "search",
            copy,
            "--id",
            str(ranked["hits"][-1]["id"]),
            "--space",
            "dino",
            "--metric",
            "cosine",
            "--where",
            text,
            "-k",
            "60",
            "--json",
        )
    )
    assert {hit["id"] for hit in found["hits"]} == {
        one for one, energy in energies.items() if energy >= limit
    }
    least = json.loads(
        run("rank", copy, "--by", "energy", "--space", "dino", "--least", "-k", "1", "--json")
    )
    assert least["hits"][0]["id"] == ranked["hits"][-1]["id"]


def test_a_ranking_is_drawn(copy, tmp_path):
    out = tmp_path / "odd.png"
    run("rank", copy, "--by", "energy", "--space", "clip", "--grid", str(out))
    assert out.stat().st_size > 1000


def test_a_ranking_is_by_one_thing(copy):
    assert "give one of them" in refused("rank", copy)
    both = refused("rank", copy, "--by", "energy", "--direction", "hat", "--space", "clip")
    assert "give one of them" in both
    assert "--space" in refused("rank", copy, "--by", "energy")


def test_levels_are_of_noise(copy):
    assert "not of noise" in refused("energy", copy, "--space", "clip", "--levels")
    assert "--levels" in refused("energy", copy, "--space", "clip", "--where", "hat")
