"""Curves between items and centroids of them, over a store of made vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

import latentdb
from indexers.metric import ChiPrior, FittedPrior, NaoMetric
from latentdb.database import LatentDB
from latentdb.errors import FilterError, QueryError, UnknownItemError, UnknownSpaceError
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIM, WIDTH, COUNT = 64, 12, 200
START, END = 3, 8


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """Items with noise a little short of white, and with an embedding but for the last."""
    made = latentdb.create(tmp_path_factory.mktemp("paths") / "made.ldb")
    made.store.add_space(Space("seen", "embedding", WIDTH, spec="none"))
    made.store.add_space(Space("noise", "noise", DIM, spec="none"))
    rng = np.random.default_rng(3)
    ids = np.arange(1, COUNT + 1, dtype=np.int64)
    noise = (0.95 * rng.standard_normal((COUNT, DIM))).astype(np.float32)
    seen = rng.standard_normal((COUNT, WIDTH)).astype(np.float32)
    items = [ItemRow(int(i), f"{i}.png", 8, 8, b"", {"n": int(i)}) for i in ids]
    vectors = {"noise": SpaceRows(ids, noise), "seen": SpaceRows(ids[:-1], seen[:-1])}
    made.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
    return made


def _vectors(db: LatentDB, *ids: int) -> np.ndarray:
    return db.store.vectors("noise", list(ids)).astype(np.float64)


@pytest.mark.parametrize("method", ["nao", "lol", "slerp", "lerp"])
def test_a_curve_leads_from_one_stored_vector_to_the_other(db: LatentDB, method: str) -> None:
    path = db.interpolate(START, END, method=method, steps=5)
    assert path.points.shape == (5, DIM)
    assert np.array_equal(path.points[[0, -1]], db.store.vectors("noise", [START, END]))
    assert path.fractions.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert path.norms == pytest.approx(np.linalg.norm(path.points, axis=1))
    assert path.lengths[0] == 0
    assert (np.diff(path.lengths) > 0).all()


@pytest.mark.parametrize("prior", ["chi", "fitted"])
def test_the_nao_curve_is_the_shortest(db: LatentDB, prior: str) -> None:
    lengths = {
        method: db.interpolate(START, END, method=method, prior=prior).lengths[-1]
        for method in ("nao", "lol", "slerp", "lerp")
    }
    assert min(lengths, key=lengths.__getitem__) == "nao"


def test_the_parts_of_a_nao_curve_add_up_to_the_distance(db: LatentDB) -> None:
    path = db.interpolate(START, END)
    metric = NaoMetric(ChiPrior(DIM))
    steps = [metric.distance(*path.points[[i, i + 1]]) for i in range(8)]
    whole = metric.distance(*_vectors(db, START, END))
    assert path.lengths[-1] == pytest.approx(whole)
    assert np.cumsum(steps) == pytest.approx(path.lengths[1:], rel=1e-4)


def test_length_of_a_straight_line_is_the_integral_of_its_cost(db: LatentDB) -> None:
    start, end = _vectors(db, START, END)
    prior = ChiPrior(DIM)

    def cost(t: float) -> float:
        radius = np.linalg.norm(start + t * (end - start))
        return float(prior.cost(np.array([radius]))[0])

    half = np.linalg.norm(end - start) * quad(cost, 0, 0.5, epsabs=1e-10)[0]
    path = db.interpolate(START, END, method="lerp", steps=3)
    assert path.lengths[1] == pytest.approx(half, rel=1e-4)


@pytest.mark.parametrize("method", ["lol", "slerp", "lerp"])
def test_without_a_prior_a_length_is_an_angle(db: LatentDB, method: str) -> None:
    path = db.interpolate(START, END, method=method, prior="none", steps=4)
    units = path.points / path.norms[:, None]
    assert path.lengths == pytest.approx(np.arccos(np.clip(units @ units[0], -1, 1)), abs=1e-3)


def test_nearest_items_are_the_nearest_but_the_ends(db: LatentDB) -> None:
    path = db.interpolate(START, END, steps=4)
    ids = np.setdiff1d(db.store.item_ids(), [START, END])
    distances = NaoMetric(ChiPrior(DIM)).pairwise(path.points[1:-1], _vectors(db, *ids))
    assert path.nearest_ids.tolist() == [START, *ids[distances.argmin(axis=1)], END]
    assert path.nearest_distances[1:-1] == pytest.approx(distances.min(axis=1))
    assert (path.metric, path.exact) == ("nao", True)


def test_two_items_alone_have_no_other_near_them(tmp_path: Path) -> None:
    two = latentdb.create(tmp_path / "two.ldb")
    two.store.add_space(Space("noise", "noise", 2, spec="none"))
    rows = SpaceRows(np.array([1, 2]), np.array([[0, 0], [1, 1]], np.float32))
    items = [ItemRow(i, f"{i}.png", 8, 8, b"") for i in (1, 2)]
    two.store.write_batch(items=items, sources=[], vectors={"noise": rows}, quarantine=[])
    path = two.interpolate(1, 2, method="lerp", steps=3)
    assert [one["nearest"] and one["nearest"]["id"] for one in path.to_json()["points"]] == [
        1,
        None,
        2,
    ]
    assert np.isfinite(path.lengths[1:]).all()


def test_a_fitted_prior_is_fitted_to_the_stored_norms(db: LatentDB) -> None:
    norms = np.linalg.norm(db.store.all_vectors("noise").vectors.astype(np.float64), axis=1)
    expected = NaoMetric(FittedPrior.from_norms(norms)).distance(*_vectors(db, START, END))
    assert db.interpolate(START, END, prior="fitted").lengths[-1] == pytest.approx(expected)


def test_an_encoders_space_has_arcs_angles_and_no_norm_of_noise(db: LatentDB) -> None:
    path, middle = db.interpolate(START, END, space="seen"), db.centroid([3, 8], space="seen")
    assert (path.method, path.prior, path.metric, path.norm_z) == ("slerp", "none", "cosine", None)
    assert (middle.method, middle.prior, middle.norm_z) == ("karcher", "none", None)


def test_a_mean_is_the_mean_wherever_its_members_come_from(db: LatentDB) -> None:
    named = db.centroid([1, 2, 3, 4], method="mean")
    chosen = db.centroid(where="n <= 4", method="mean")
    assert named.vector == pytest.approx(_vectors(db, 1, 2, 3, 4).mean(axis=0), abs=1e-6)
    assert np.array_equal(named.vector, chosen.vector)
    assert chosen.member_ids.tolist() == [1, 2, 3, 4]


def test_weights_follow_the_order_of_the_ids(db: LatentDB) -> None:
    found = db.centroid([8, 3], method="mean", weights=[3.0, 1.0])
    expected = 0.75 * _vectors(db, 8)[0] + 0.25 * _vectors(db, 3)[0]
    assert found.vector == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("method", ["nao", "lol", "karcher", "mean"])
def test_no_method_of_centroid_changes_with_the_order(db: LatentDB, method: str) -> None:
    one, other = (db.centroid(ids, method=method) for ids in ([3, 8, 5], [5, 3, 8]))
    assert one.vector == pytest.approx(other.vector, abs=1e-4)


def test_the_nao_centroid_is_nearer_to_its_members_than_the_others(db: LatentDB) -> None:
    sums = {
        method: db.centroid([3, 8, 5, 21], method=method).member_distances.sum()
        for method in ("nao", "lol", "karcher", "mean")
    }
    assert min(sums, key=sums.__getitem__) == "nao"


def test_the_lol_centroid_of_items_that_share_something_is_on_the_shell(tmp_path: Path) -> None:
    alike = latentdb.create(tmp_path / "alike.ldb")
    alike.store.add_space(Space("noise", "noise", DIM, spec="none"))
    rng = np.random.default_rng(4)
    shared, own = rng.standard_normal(DIM), rng.standard_normal((30, DIM))
    rows = SpaceRows(np.arange(30), (0.6 * shared + 0.8 * own).astype(np.float32))
    items = [ItemRow(i, f"{i}.png", 8, 8, b"") for i in range(30)]
    alike.store.write_batch(items=items, sources=[], vectors={"noise": rows}, quarantine=[])
    middle = alike.centroid(range(30), method="lol")
    assert middle.norm == pytest.approx(np.sqrt(DIM))
    assert (middle.correlated, abs(middle.norm_z) < 0.2) == (True, True)
    apart = alike.centroid(range(30), method="lol", correlated=False)
    assert apart.norm_z > 10
    assert apart.vector / apart.norm == pytest.approx(middle.vector / middle.norm, abs=1e-6)


def test_members_are_taken_for_correlated_in_a_noise_space_alone(db: LatentDB) -> None:
    ids = [3, 8, 5]
    assert db.centroid(ids, method="lol").correlated is True
    assert db.centroid(ids, method="lol", space="seen").correlated is False
    assert db.centroid(ids, method="mean").correlated is None


def test_members_named_by_id_are_left_out_of_the_nearest(db: LatentDB) -> None:
    named = db.centroid([1, 2, 3], method="karcher", k=COUNT)
    chosen = db.centroid(where="n <= 3", method="karcher", k=COUNT)
    assert {hit.id for hit in named.nearest.hits} == set(range(4, COUNT + 1))
    assert [hit["member"] for hit in chosen.to_json()["hits"][:3]] == [True] * 3


def test_json_of_a_centroid_says_who_is_a_member(db: LatentDB) -> None:
    found = db.centroid(where="n <= 3", method="lol", k=5).to_json()
    assert {hit["id"] for hit in found["hits"] if hit["member"]} <= {1, 2, 3}
    assert len(found["hits"]) == 5


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda db: db.interpolate(3, 3), QueryError, "3 twice"),
        (lambda db: db.interpolate(3, 10**9), UnknownItemError, "1000000000"),
        (lambda db: db.interpolate(3, COUNT, space="seen"), UnknownItemError, "'seen': 200"),
        (lambda db: db.interpolate(3, 8, space="nowhere"), UnknownSpaceError, "nowhere"),
        (lambda db: db.centroid(), QueryError, "got neither"),
        (lambda db: db.centroid([]), QueryError, "at least one item"),
        (lambda db: db.centroid([1], where="n = 1"), QueryError, "got both"),
        (lambda db: db.centroid([1, 2, 1]), QueryError, "item 1 is named more than once"),
        (lambda db: db.centroid([1, 10**9]), UnknownItemError, "1000000000"),
        (lambda db: db.centroid([1, COUNT], space="seen"), UnknownItemError, "'seen': 200"),
        (lambda db: db.centroid(where="n > 900"), QueryError, "no item .* passes"),
        (lambda db: db.centroid(where="nope"), FilterError, "nope"),
        (lambda db: db.centroid([1, 2], correlated=False), QueryError, "method 'lol' alone"),
        (lambda db: db.centroid(where="n < 3", weights=[1, 2]), QueryError, "weights belong to"),
        (lambda db: db.decode(np.zeros((1, 12), np.float32), space="seen"), QueryError, "decoder"),
    ],
)
def test_what_cannot_be_done_is_refused(
    db: LatentDB, call: object, error: type, match: str
) -> None:
    with pytest.raises(error, match=match):
        call(db)


def test_more_members_than_fit_are_refused(db: LatentDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentdb.paths.centroid.MOST_BYTES_ITERATED", 10 * 8 * DIM)
    with pytest.raises(QueryError, match="11 members are more than method 'nao' takes"):
        db.centroid(where="n <= 11", method="nao")
    assert len(db.centroid(where="n <= 11", method="mean").member_ids) == 11


def test_a_space_must_be_named_where_several_would_do(tmp_path: Path) -> None:
    several = latentdb.create(tmp_path / "several.ldb")
    several.store.add_space(Space("one", "noise", DIM, spec="none"))
    several.store.add_space(Space("two", "noise", DIM, spec="none"))
    with pytest.raises(QueryError, match=r"one \(noise\), two \(noise\); name one"):
        several.interpolate(1, 2)
