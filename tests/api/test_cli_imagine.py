"""`imagine` as it is typed, over a tiny diffusion model and a tiny CLIP."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import latentdb
from api.cli.main import app
from indexers.errors import ParameterError
from latentdb.database import LatentDB
from latentdb.errors import QueryError, UnknownMapError, UnknownSpaceError
from latentdb.geometry import chi_mode
from latentdb.imagine import ResidualLaw, residual_law
from latentdb.ingest import IngestOptions
from latentdb.space import Space
from latentdb.stitch.chain import MapChain
from latentdb.types import SpaceRows

TEXT = "a face with a hat"


@pytest.fixture(scope="module")
def drawn(
    tmp_path_factory: pytest.TempPathFactory, faces: Path, tiny_model: Callable[[str], Path]
) -> LatentDB:
    """Sixty faces in a noise space that decodes and a text space, and a map between them."""
    noise = f"noise=diffusers:{tiny_model('unconditional')}?steps=3"
    specs = [f"clip=open_clip:{tiny_model('open_clip')}", noise]
    path = tmp_path_factory.mktemp("imagined") / "faces.ldb"
    made = latentdb.create(path, spaces=specs, device="cpu")
    made.ingest(faces, options=IngestOptions(labels=faces / "labels.csv", workers=0))
    made.stitch("clip", "noise", force=True)
    return made


def law_of(db: LatentDB) -> ResidualLaw:
    """Of the map from clip to noise."""
    return residual_law(db.store, MapChain((db.map("clip", "noise"),)))


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_json_says_how_the_pictures_came_about(drawn: LatentDB) -> None:
    result = run("imagine", drawn.uri, "--text", TEXT, "--n", 2, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    said = {"kind": "text", "value": TEXT, "from": "clip", "text": "as pictures"}
    assert said.items() <= found["query"].items()
    assert (found["space"], found["prior"], found["seed"]) == ("noise", "chi", 0)
    assert 0 < found["mean_share"] < 1
    assert [list(one) for one in found["pictures"]] == [["norm", "norm_z", "nearest"]] * 2
    assert found["residual"]["fitted_on"]["n_held_out"] == 12


def test_a_sheet_has_the_question_and_every_picture(drawn: LatentDB, tmp_path: Path) -> None:
    three, five = tmp_path / "three.png", tmp_path / "five.png"
    vectors = tmp_path / "noise.npy"
    words = ("imagine", drawn.uri, "--text", TEXT)
    small = run(*words, "--n", 3, "--out", three, "--vectors", vectors)
    assert (small.exit_code, "drew" in small.stderr) == (0, True)
    assert run(*words, "--n", 5, "--out", five).exit_code == 0
    with Image.open(three) as one, Image.open(five) as other:
        assert other.width - one.width == 2 * (160 + 22)
    assert np.load(vectors).shape == (3, 256)


def test_imagined_noise_is_asked_with(drawn: LatentDB, tmp_path: Path) -> None:
    vectors = tmp_path / "noise.npy"
    run("imagine", drawn.uri, "--text", TEXT, "--n", 2, "--vectors", vectors)
    words = ("--vector", vectors, "--row", 1, "--from", "noise", "-k", 1, "--json")
    assert len(json.loads(run("search", drawn.uri, *words).stdout)["hits"]) == 1


def test_a_seed_gives_the_same_pictures_whatever_their_number(drawn: LatentDB) -> None:
    few, more = (drawn.imagine(text=TEXT, n=n, seed=4) for n in (2, 3))
    np.testing.assert_array_equal(few.vectors, more.vectors[:2])
    assert few.pictures[1].tobytes() == more.pictures[1].tobytes()
    assert not np.allclose(drawn.imagine(text=TEXT, n=2, seed=5).vectors, few.vectors)


def test_pictures_are_the_mean_plus_draws_at_the_priors_norm(drawn: LatentDB) -> None:
    bare = drawn.imagine(text=TEXT, n=3, seed=1, temperature=0.5, prior="none")
    expected = bare.mean + 0.5 * law_of(drawn).draw(3, seed=1)
    np.testing.assert_allclose(bare.vectors, expected, rtol=1e-4, atol=1e-4)
    chi = drawn.imagine(text=TEXT, n=3, seed=1, temperature=0.5)
    assert chi.norms == pytest.approx(np.full(3, chi_mode(256)))
    stored = drawn.store.all_vectors("noise").vectors
    fitted = drawn.imagine(text=TEXT, n=1, prior="fitted")
    assert fitted.norms[0] == pytest.approx(np.linalg.norm(stored, axis=1).mean(), rel=1e-4)


def test_at_temperature_zero_a_question_has_one_answer(drawn: LatentDB) -> None:
    found = drawn.imagine(text=TEXT, n=2, temperature=0.0, prior="none")
    np.testing.assert_array_equal(found.vectors[0], found.vectors[1])
    assert found.vectors[0] == pytest.approx(found.mean, abs=1e-5)
    assert found.mean_share == 1.0


def test_an_item_a_picture_and_a_vector_ask_the_same(drawn: LatentDB) -> None:
    item = int(drawn.store.item_ids()[0])
    vector = drawn.store.vectors("clip", [item])[0]
    by_id, by_vector = drawn.imagine(id=item, n=1), drawn.imagine(vector=vector, n=1)
    by_picture = drawn.imagine(image=drawn.picture(item), n=1)
    np.testing.assert_array_equal(by_id.vectors, by_vector.vectors)
    np.testing.assert_allclose(by_id.vectors, by_picture.vectors, atol=1e-2)


def test_the_law_is_kept_and_fitted_anew_with_its_map(drawn: LatentDB) -> None:
    first = law_of(drawn)
    assert law_of(drawn).to_json() == first.to_json()
    assert len(drawn.maps()) == 1
    drawn.stitch("clip", "noise", seed=1, force=True)
    second = law_of(drawn)
    assert second.map_hash != first.map_hash
    assert drawn.imagine(text=TEXT, n=1).law.map_hash == second.map_hash


def test_where_no_map_leads_the_best_chain_is_taken(drawn: LatentDB, tmp_path: Path) -> None:
    shutil.copytree(drawn.uri, tmp_path / "chained.ldb")
    db = latentdb.open(tmp_path / "chained.ldb", device="cpu")
    rows = db.store.all_vectors("clip")
    db.store.add_space(Space("seen", "embedding", rows.vectors.shape[1], spec="none"))
    seen = {"seen": SpaceRows(rows.ids, rows.vectors[:, ::-1].copy())}
    db.store.write_batch(items=[], sources=[], vectors=seen, quarantine=[])
    db.stitch("clip", "noise", force=True)
    db.stitch("seen", "clip", force=True)
    item = int(rows.ids[0])
    words = ("imagine", db.uri, "--id", item, "--from", "seen", "--n", 1)
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["map"]["chain"] == ["seen", "clip", "noise"]
    assert "over clip by 2 maps;" in run(*words).stderr.replace("\n", " ")
    found = db.imagine(id=item, from_space="seen", n=1)
    halfway = db.map("seen", "clip").transform(db.store.vectors("seen", [item]).astype(float))
    assert found.mean == pytest.approx(db.map("clip", "noise").transform(halfway)[0])
    assert found.law.fitted_on.n_held_out == 12


def test_the_nearest_stored_item_is_that_of_a_search(drawn: LatentDB) -> None:
    found = drawn.imagine(text=TEXT, n=3)
    answers = [drawn.search(vector=row, from_space="noise", k=1) for row in found.vectors]
    assert found.nearest_ids.tolist() == [answer.hits[0].id for answer in answers]
    assert found.metric == answers[0].metric
    distances = [answer.hits[0].distance for answer in answers]
    assert found.nearest_distances == pytest.approx(distances)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, QueryError, "needs something"),
        ({"text": "a", "n": 0}, ParameterError, "n is at least 1"),
        ({"text": "a", "temperature": -1.0}, ParameterError, "temperature"),
        ({"text": "a", "temperature": float("nan")}, ParameterError, "temperature"),
        ({"text": "a", "seed": -1}, ParameterError, "seed"),
        ({"text": "a", "space": "clip"}, QueryError, "no decoder"),
        ({"text": "a", "space": "nowhere"}, UnknownSpaceError, "nowhere"),
        ({"vector": np.zeros(256), "from_space": "noise"}, QueryError, "noise already"),
    ],
)
def test_what_cannot_be_imagined_is_refused(
    drawn: LatentDB, options: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        drawn.imagine(**options)


def test_without_a_map_the_text_says_how_to_fit_one(
    tmp_path: Path, tiny_model: Callable[[str], Path]
) -> None:
    specs = [
        f"clip=open_clip:{tiny_model('open_clip')}",
        f"noise=diffusers:{tiny_model('unconditional')}?steps=3",
    ]
    bare = latentdb.create(tmp_path / "bare.ldb", spaces=specs, device="cpu")
    with pytest.raises(UnknownMapError, match="latentdb stitch DB --from clip --to noise"):
        bare.imagine(text=TEXT)
    with pytest.raises(QueryError, match="no map leads to space 'noise'"):
        bare.imagine(id=1)
