"""`interpolate` and `centroid` as they are typed, over a tiny diffusion model and a tiny CLIP."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import latentdb
from api.cli.main import app
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions

POINT_KEYS = ["t", "norm", "norm_z", "length", "nearest"]


@pytest.fixture(scope="module")
def drawn(
    tmp_path_factory: pytest.TempPathFactory, faces: Path, tiny_model: Callable[[str], Path]
) -> LatentDB:
    """Sixteen faces in a noise space that decodes and a space that does not."""
    noise = f"noise=diffusers:{tiny_model('unconditional')}?steps=3"
    specs = [f"clip=open_clip:{tiny_model('open_clip')}", noise]
    path = tmp_path_factory.mktemp("drawn") / "faces.ldb"
    made = latentdb.create(path, spaces=specs, device="cpu")
    made.ingest(faces, options=IngestOptions(labels=faces / "labels.csv", workers=0, limit=16))
    return made


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words: object) -> Any:
    """The JSON of a command that must succeed; its stdout holds nothing else."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def ids_of(db: LatentDB, count: int) -> list[int]:
    return [int(one) for one in db.store.item_ids()[:count]]


def test_interpolate_json_has_every_point(drawn: LatentDB) -> None:
    start, end = ids_of(drawn, 2)
    found = answer("interpolate", drawn.uri, start, end, "--steps", 4, "--prior", "fitted")
    assert (found["space"], found["method"], found["prior"]) == ("noise", "nao", "fitted")
    assert [list(point) for point in found["points"]] == [POINT_KEYS] * 4
    assert found["points"][-1]["length"] == found["length"] > 0
    assert [point["nearest"]["id"] for point in found["points"]][::3] == [start, end]


def test_every_point_of_a_noise_space_is_drawn(drawn: LatentDB, tmp_path: Path) -> None:
    out = tmp_path / "strip.png"
    words = ("interpolate", drawn.uri, *ids_of(drawn, 2), "--method", "slerp")
    small, large = run(*words, "--steps", 3, "--out", out), tmp_path / "longer.png"
    assert (small.exit_code, "drew" in small.stderr) == (0, True)
    assert run(*words, "--steps", 5, "--out", large).exit_code == 0
    with Image.open(out) as three, Image.open(large) as five:
        assert five.width - three.width == 2 * (128 + 16)
        assert three.height == five.height


@pytest.mark.parametrize("command", ["interpolate", "centroid"])
def test_an_encoders_space_shows_what_is_nearest_and_says_so(
    drawn: LatentDB, tmp_path: Path, command: str
) -> None:
    out = tmp_path / "sheet.png"
    result = run(command, drawn.uri, *ids_of(drawn, 2), "--space", "clip", "--out", out)
    assert "space clip has no decoder: the nearest stored items are drawn" in result.stderr
    assert "angles in radians; nearest by cosine" in result.stderr
    with Image.open(out) as sheet:
        assert sheet.width > 4 * 128


def test_a_point_of_a_path_can_be_searched_by(drawn: LatentDB, tmp_path: Path) -> None:
    file, (start, end) = tmp_path / "path.npy", ids_of(drawn, 2)
    answer("interpolate", drawn.uri, start, end, "--steps", 3, "--vectors", file)
    assert np.load(file).shape == (3, 256)
    asked = ("search", drawn.uri, "--vector", file, "--from", "noise", "-k", 1)
    assert answer(*asked, "--row", 2)["hits"][0]["id"] == end
    assert "--row 3" in run(*asked, "--row", 3).stderr
    assert "shape (3, 256)" in run(*asked).stderr


def test_centroid_is_drawn_kept_and_answered(drawn: LatentDB, tmp_path: Path) -> None:
    out, file, ids = tmp_path / "centre.png", tmp_path / "centre.npy", ids_of(drawn, 3)
    words = ("--method", "lol", "-k", 2, "--out", out, "--vectors", file)
    found = answer("centroid", drawn.uri, *ids, *words)
    assert found["members"] == ids
    assert [hit["id"] in ids for hit in found["hits"]] == [False, False]
    assert np.linalg.norm(np.load(file)) == pytest.approx(found["norm"], rel=1e-6)
    with Image.open(out) as sheet:
        assert sheet.height > 2 * 128


def test_members_can_be_taken_for_independent(drawn: LatentDB) -> None:
    words = ("centroid", drawn.uri, *ids_of(drawn, 3), "--method", "lol")
    assert answer(*words)["norm"] == pytest.approx(16.0)
    assert answer(*words, "--independent")["norm"] != pytest.approx(16.0)


def test_members_are_chosen_by_their_labels(drawn: LatentDB, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "all.png")
    found = answer("centroid", drawn.uri, "--where", "not hat or hat", "--method", "mean", *out)
    assert len(found["members"]) == len(drawn.store.item_ids())
    hats = answer("centroid", drawn.uri, "--where", "hat", "--space", "clip")
    wearing = {item.id for item in drawn.items(ids_of(drawn, 16)) if item.labels["hat"]}
    assert set(hats["members"]) == wearing


def test_ids_stand_first_where_the_environment_names_the_database(
    drawn: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTDB", drawn.uri)
    ids = ids_of(drawn, 2)
    assert answer("centroid", *ids, "--method", "mean")["members"] == ids
    assert answer("interpolate", *ids, "--method", "lerp")["end"] == ids[1]
    assert answer("centroid", drawn.uri, *ids, "--method", "mean")["members"] == ids


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("interpolate", "5"), "takes two ids, got 1"),
        (("interpolate", "5", "6", "7"), "takes two ids, got 3"),
        (("interpolate", "5", "5"), "5 twice"),
        (("interpolate", "5", "6"), "not items with a vector in space 'noise'"),
        (("interpolate", "5", "six"), "an id is a whole number, got 'six'"),
        (("interpolate", "5", "6", "--out", "x.gif"), "--out writes"),
        (("interpolate", "5", "6", "--vectors", "x.txt"), "--vectors writes .npy"),
        (("centroid",), "got neither"),
        (("centroid", "5"), "not items of this database: 5"),
        (("centroid", "9" * 30), "63-bit"),
        (("centroid", "5", "--where", "hat"), "got both"),
        (("search", "--id", "5", "--row", "1"), "give both"),
    ],
)
def test_errors_are_told_in_a_sentence(drawn: LatentDB, words: tuple[str, ...], text: str) -> None:
    result = run(words[0], drawn.uri, *words[1:])
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in " ".join(result.stderr.replace("│", " ").split())
