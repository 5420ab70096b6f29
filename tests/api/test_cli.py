"""Commands as they are typed: what they print, where, and how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from api.cli.main import app
from latentdb.database import LatentDB

HIT_KEYS = ["id", "distance", "angular", "radial", "source", "labels"]


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words: object) -> Any:
    """The JSON of a command that must succeed; its stdout holds nothing else."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(*words: object) -> str:
    """What a command that must fail says on stderr; it says nothing on stdout."""
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_search_json_is_the_contract(db: LatentDB) -> None:
    found = answer("search", db.uri, "--text", "a hat", "-k", 3)
    assert list(found) == ["space", "metric", "exact", "query", "hits", "recall_at_10"]
    assert [list(hit) for hit in found["hits"]] == [HIT_KEYS] * 3
    assert (found["space"], found["metric"], found["exact"]) == ("clip", "cosine", True)
    distances = [hit["distance"] for hit in found["hits"]]
    assert distances == sorted(distances)


def test_database_comes_from_the_environment(db: LatentDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTDB", db.uri)
    item = int(db.store.item_ids()[0])
    assert answer("search", "--id", item) == answer("search", db.uri, "--id", item)


def test_second_positional_shifts_where_the_environment_names_the_database(
    db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = ("--space", "clip", "--label", "hat", "--seed", 3)
    assert "name the database and NAME" in refusal("direction", "again", *fit)
    monkeypatch.setenv("LATENTDB", db.uri)
    assert answer("direction", "again", *fit)["name"] == "again"


def test_a_missing_database_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LATENTDB", raising=False)
    assert "LATENTDB" in refusal("search", "--text", "a hat")


def test_image_and_vector_queries_find_the_item_itself(
    db: LatentDB, faces: Path, tmp_path: Path
) -> None:
    picture = faces / "face_00007.png"
    by_image = answer("search", db.uri, "--image", picture, "--space", "dino", "-k", 1)
    found = by_image["hits"][0]
    assert (Path(found["source"]).name, found["distance"]) == (picture.name, 0.0)
    np.save(tmp_path / "v.npy", db.store.vectors("dino", [found["id"]])[0])
    by_vector = answer("search", db.uri, "--vector", tmp_path / "v.npy", "--from", "dino", "-k", 1)
    assert by_vector["hits"][0]["id"] == found["id"]


def test_filter_direction_and_limit_reach_the_search(db: LatentDB) -> None:
    words = ("--text", "a hat", "--direction", "hat=2", "--where", "hat and outdoors")
    found = answer("search", db.uri, *words, "-k", 50)
    assert found["query"]["directions"] == {"hat": 2.0}
    assert found["hits"]
    assert all(hit["labels"]["hat"] and hit["labels"]["outdoors"] for hit in found["hits"])
    nearest = found["hits"][0]["distance"]
    near = answer("search", db.uri, *words, "--max-distance", nearest)
    assert [hit["distance"] for hit in near["hits"]] == [nearest]


def test_cross_space_query_says_which_map_carried_it(db: LatentDB) -> None:
    found = answer("search", db.uri, "--text", "a hat", "--from", "clip", "--space", "dino")
    assert found["space"] == "dino"
    assert found["query"]["map"]["method"] == "ridge"
    assert (
        "carried over from clip"
        in run("search", db.uri, "--text", "a hat", "--space", "dino").stderr
    )


def test_rank_orders_by_the_direction_and_can_be_turned(db: LatentDB) -> None:
    most = answer("rank", db.uri, "--direction", "hat", "-k", 60)
    least = answer("rank", db.uri, "--direction", "hat", "-k", 60, "--least")
    ids = [hit["id"] for hit in most["hits"]]
    assert most["metric"] == "direction"
    assert ids == [hit["id"] for hit in reversed(least["hits"])]


def test_grid_is_drawn_beside_the_answer(db: LatentDB, tmp_path: Path) -> None:
    grid = tmp_path / "grid.png"
    item = int(db.store.item_ids()[0])
    answer("search", db.uri, "--id", item, "-k", 4, "--grid", grid)
    with Image.open(grid) as sheet:
        assert sheet.width > 4 * 150


def test_a_table_goes_to_stdout_and_the_how_to_stderr(db: LatentDB) -> None:
    result = run("search", db.uri, "--text", "a hat", "-k", 2)
    assert "face_" in result.stdout
    assert "space clip, metric cosine, exact" in result.stderr


def test_labels_are_no_markup(db: LatentDB, capsys: pytest.CaptureFixture[str]) -> None:
    from api.cli.output import print_table

    print_table(["a"], [["[red]x[/red]"]], empty="")
    assert "[red]x[/red]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--id", "5"), "not items with a vector"),
        ((), "something that hits are to be like"),
        (("--text", "a", "--space", "nope"), "nope"),
        (("--text", "a", "--where", "nope > 1"), "no column 'nope'"),
        (("--text", "a", "--direction", "nope=1"), "no direction 'nope'"),
        (("--text", "a", "--direction", "hat"), "NAME=STRENGTH"),
        (("--text", "a", "--direction", "hat=1", "--direction", "hat=2"), "once"),
        (("--text", "a", "--prior", "chi"), "prior"),
        (("--text", "a", "--grid", "x.txt"), "--grid writes"),
        (("--text", "a", "--grid", "/nope/x.png"), "no folder"),
        (("--image", "nope.png"), "nope.png cannot be used"),
        (("--vector", "nope.npy"), "cannot be read as an .npy array"),
    ],
)
def test_errors_are_told_in_a_sentence(db: LatentDB, words: tuple[str, ...], text: str) -> None:
    said = " ".join(refusal("search", db.uri, *words).replace("│", " ").split())
    assert text in said


def test_pickled_vectors_are_refused(db: LatentDB, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "cannot be read" in refusal("search", db.uri, "--vector", tmp_path / "v.npy")


def test_listings_say_what_is_there(db: LatentDB) -> None:
    spaces = {space["name"]: space["vectors"] for space in answer("spaces", db.uri)}
    assert spaces == {"clip": 60, "dino": 60}
    assert [index["metric"] for index in answer("indexes", db.uri)] == ["cosine"]
    assert [found["source"]["name"] for found in answer("maps", db.uri)] == ["clip"]
    assert "hat" in [found["name"] for found in answer("directions", db.uri)]
    assert [row["reason"] for row in answer("quarantine", db.uri)] == ["not_an_image"]
    listed = answer("items", db.uri, "--where", "hat", "--limit", 2)
    assert [item["labels"]["hat"] for item in listed["items"]] == [True, True]
    assert listed["count"] > 2


def test_sensitivity_scores_without_keeping_a_map(db: LatentDB) -> None:
    words = ("sensitivity", db.uri, "--from", "dino", "--to", "clip")
    [only] = answer(*words)
    assert (only["n_fitted"], only["n_held_out"]) == (48, 12)
    assert "48" in run(*words).stdout
    assert ("dino", "clip") not in [(one.source, one.target) for one in db.maps()]


@pytest.mark.parametrize("command", ["spaces", "indexes", "maps", "directions", "items"])
def test_listings_also_come_as_tables(db: LatentDB, command: str) -> None:
    result = run(command, db.uri)
    assert result.exit_code == 0
    assert "clip" in result.stdout or "face_" in result.stdout


def test_a_database_from_nothing_to_an_index(tmp_path: Path, faces: Path, specs: list[str]) -> None:
    path = tmp_path / "new.ldb"
    assert [space["name"] for space in answer("init", path, "--space", specs[1])] == ["dino"]
    words = ("ingest", path, faces, "--limit", 12, "--workers", 0)
    assert answer(*words, "--labels", faces / "labels.csv")["added"] == 11
    assert answer(*words)["known"] == 11
    assert answer("index", path, "--space", "dino", "--metric", "nao", "--kind", "flat")["prior"]
    assert answer("check", path) == []
    assert "exists" in refusal("init", path, "--space", specs[1])


def test_an_index_takes_a_prior_only_with_nao(db: LatentDB) -> None:
    words = ("index", db.uri, "--space", "clip", "--metric", "cosine", "--prior", "chi")
    assert "--metric nao" in refusal(*words)


def test_check_ends_with_one_while_problems_remain(
    tmp_path: Path, faces: Path, specs: list[str]
) -> None:
    path = tmp_path / "torn.ldb"
    run("init", path, "--space", specs[1])
    run("ingest", path, faces, "--limit", 6, "--workers", 0)
    run("index", path, "--space", "dino", "--metric", "cosine")
    for file in (path / "indexes").rglob("*"):
        if file.is_file() and file.suffix != ".json" and file.name != "CURRENT":
            file.write_bytes(b"torn")
    torn = run("check", path)
    assert (torn.exit_code, "index" in torn.stdout) == (1, True)
    assert run("check", path, "--repair").exit_code == 0
    assert run("check", path).exit_code == 0


def test_models_lists_what_is_bundled() -> None:
    names = [model["name"] for model in answer("models")["bundled"]]
    assert names == ["faces-noise", "faces-clip", "faces-ssl", "faces-blind"]


def test_serve_refuses_to_let_other_machines_in(db: LatentDB) -> None:
    assert "loopback" in refusal("serve", db.uri, "--host", "0.0.0.0")


def test_version_is_told() -> None:
    assert run("--version").stdout.startswith("latentdb ")


def test_help_loads_no_model_library() -> None:
    heavy = ["torch", "lancedb", "faiss", "diffusers", "open_clip", "fastapi", "sklearn"]
    code = (
        "import sys; sys.argv = ['latentdb', 'search', '--help']\n"
        "from api.cli.main import main\n"
        "try: main()\n"
        f"finally: sys.stderr.write(str(sorted(set({heavy}) & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "[]")
