"""Energies of stored rows: measured, kept, brought up to date, filtered and ranked by."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import latentdb
from indexers.errors import ParameterError
from latentdb.catalog import Catalog
from latentdb.energy import columns, run
from latentdb.energy.by_neighbours import measured_by_neighbours
from latentdb.energy.columns import row_energies
from latentdb.energy.kept import EnergyShelf, SpaceEnergy
from latentdb.energy.measure import measured_exactly
from latentdb.energy.run import measure_energy
from latentdb.errors import FilterError, NotEnoughDataError, QueryError
from latentdb.filters import filter_ids
from latentdb.geometry.marginal_energy import EnergyCorpus, NoisePrior, marginal_energy
from latentdb.migrate.dropping import drop_space
from latentdb.rank import run_rank_by_energy
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import ItemRow, SpaceRows

DIM, N = 12, 150
SPACE = Space("codes", "embedding", DIM, "imported:", {"made": "here"})


def vectors_of(ids):
    """A cloud away from the origin; ids that end in 7 lie far from it."""
    made = [
        np.random.default_rng(one).normal(size=DIM) * (6 if one % 10 == 7 else 1) for one in ids
    ]
    return (3.0 + 2.0 * np.array(made)).astype(np.float32)


def add(store, ids, **labels):
    ids = [int(one) for one in ids]
    items = [
        ItemRow(one, f"{one}.png", 1, 1, b"png", {key: make(one) for key, make in labels.items()})
        for one in ids
    ]
    rows = SpaceRows(np.array(ids, np.int64), vectors_of(ids))
    store.write_batch(items=items, sources=[], vectors={"codes": rows}, quarantine=[])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.create(str(tmp_path / "codes.ldb"))
    made.add_space(SPACE)
    add(made, range(N), is_even=lambda one: one % 2 == 0)
    return made


@pytest.fixture
def catalog(store: Store) -> Catalog:
    return Catalog(store, device="cpu")


def test_an_energy_is_that_of_a_row_among_the_others(store):
    found = row_energies(store, SPACE)
    rows = vectors_of(range(N)).astype(np.float64)
    scaled = (rows - rows.mean(axis=0)) / np.sqrt(np.square(rows - rows.mean(axis=0)).mean())
    prior = NoisePrior.exploding(DIM)
    for at in (0, 7, 149):
        others = EnergyCorpus(np.delete(scaled, at, axis=0))
        alone = marginal_energy(scaled[at, None], others, prior).energy[0] / DIM
        assert found.energy[at] == pytest.approx(alone, rel=1e-4)
    assert found.z.mean() == pytest.approx(0, abs=1e-9)
    assert found.z.std() == pytest.approx(1)


def test_energies_do_not_depend_on_where_the_origin_is_or_on_the_unit():
    rows = vectors_of(range(60))
    ids = np.arange(60)
    plain = measured_exactly(SPACE, SpaceRows(ids, rows)).energies
    moved = measured_exactly(
        SPACE, SpaceRows(ids, rows * np.float32(40) - np.float32(900))
    ).energies
    np.testing.assert_allclose(plain, moved, atol=1e-3)


def test_far_rows_have_the_highest_energy(store):
    found = row_energies(store, SPACE)
    far = found.ids % 10 == 7
    assert found.energy[far].min() > found.energy[~far].max()


@pytest.mark.parametrize("schedule", ["exploding", "flow"])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-5])
def test_neighbours_give_what_all_rows_give(store, catalog, tolerance, schedule):
    rows = store.all_vectors("codes")
    index = catalog.indexes.live(SPACE, "euclidean", None)
    near = measured_by_neighbours(SPACE, rows, index, tolerance=tolerance, schedule=schedule)
    exact = measured_exactly(SPACE, rows, schedule=schedule)
    assert near.max_width <= tolerance
    assert near.is_certain
    assert np.abs(near.energies - exact.energies).max() <= tolerance + 1e-9


def test_large_spaces_are_measured_by_neighbours(store, catalog, monkeypatch):
    monkeypatch.setattr(run, "EXACT_ROWS", 100)
    done = []
    found = measure_energy(catalog, "codes", progress=done.append)
    assert (found.method, sum(done)) == ("neighbours", N)
    assert found.max_width <= found.tolerance


def test_what_is_kept_is_read_until_rows_come_or_it_is_too_coarse(store, catalog, monkeypatch):
    monkeypatch.setattr(run, "EXACT_ROWS", 100)
    first = measure_energy(catalog, "codes", tolerance=0.5)
    assert measure_energy(catalog, "codes", tolerance=0.5) is not first
    assert measure_energy(catalog, "codes", tolerance=0.5).created_at
    assert measure_energy(catalog, "codes", tolerance=1e-6).max_width <= 1e-6
    add(store, [500])
    assert 500 in measure_energy(catalog, "codes").ids


def test_another_schedule_is_measured_and_stays(catalog):
    assert measure_energy(catalog, "codes").scale.schedule == "exploding"
    flow = measure_energy(catalog, "codes", schedule="flow")
    again = measure_energy(catalog, "codes")
    assert again.scale.schedule == "flow"
    np.testing.assert_array_equal(flow.energies, again.energies)


def test_energies_are_the_same_when_read_again(store, tmp_path):
    made = measured_exactly(SPACE, store.all_vectors("codes"))
    made = made.with_later(np.array([900, 800]), np.array([2.0, 1.0]))
    made.save(tmp_path / "one.safetensors")
    read = SpaceEnergy.load(tmp_path / "one.safetensors")
    for left, right in zip(made.rows(), read.rows(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert made.to_json() | {"created_at": None} == read.to_json() | {"created_at": None}
    assert read.later_ids.tolist() == [800, 900]
    assert made.scale.deviation == read.scale.deviation


def test_later_rows_are_measured_over_the_corpus_that_was_kept(store, caplog):
    before = row_energies(store, SPACE)
    add(store, [500, 507])
    with caplog.at_level(logging.WARNING, logger="latentdb"):
        after = row_energies(store, SPACE)
    assert "2 rows that came to codes since" in caplog.text
    np.testing.assert_array_equal(after.energy[:N], before.energy)
    assert after.ids.tolist() == [*range(N), 500, 507]
    assert after.z[-1] > 2 > after.z[-2]
    kept = EnergyShelf(store).find(SPACE)
    assert kept is not None
    assert (len(kept.ids), kept.later_ids.tolist()) == (N, [500, 507])
    caplog.clear()
    row_energies(store, SPACE)
    assert not caplog.records


def test_rows_that_are_gone_are_left_out(store):
    row_energies(store, SPACE)
    store.delete([7, 8])
    assert row_energies(store, SPACE).ids.tolist() == [one for one in range(N) if one not in (7, 8)]


def test_vectors_of_other_settings_have_no_energies(store):
    row_energies(store, SPACE)
    other = Space("codes", "embedding", DIM, "imported:", {"made": "elsewhere"})
    assert EnergyShelf(store).find(SPACE) is not None
    assert EnergyShelf(store).find(other) is None


def test_energies_go_with_their_space(store, catalog):
    row_energies(store, SPACE)
    drop_space(catalog, "codes")
    assert not list(Path(store.path).rglob("energy/*"))


def test_filters_ask_for_energies(store):
    found = row_energies(store, SPACE)
    assert (
        filter_ids(store, "energy_z > 1.5", "codes").tolist() == found.ids[found.z > 1.5].tolist()
    )
    mixed = filter_ids(store, f"is_even and ENERGY < {np.median(found.energy)}", "codes")
    keep = (found.energy < np.median(found.energy)) & (found.ids % 2 == 0)
    assert mixed.tolist() == found.ids[keep].tolist()


def test_filters_that_name_no_energy_measure_none(store):
    filter_ids(store, "is_even", "codes")
    assert EnergyShelf(store).find(SPACE) is None


def test_a_label_of_that_name_comes_first(store):
    store.set_labels(list(range(N)), {"energy": [float(one) for one in range(N)]})
    assert filter_ids(store, "energy > 147", "codes").tolist() == [148, 149]
    assert EnergyShelf(store).find(SPACE) is None
    assert len(filter_ids(store, "energy < 100 and energy_z > 2", "codes")) < 100


def test_energies_are_of_a_space(store):
    with pytest.raises(FilterError, match="no column 'energy'"):
        filter_ids(store, "energy > 2")
    with pytest.raises(FilterError, match="energy, energy_z; for example"):
        filter_ids(store, "enrgy > 2", "codes")


def test_too_many_rows_are_measured_by_the_command_alone(store, monkeypatch):
    monkeypatch.setattr(columns, "EXACT_ROWS", 100)
    with pytest.raises(NotEnoughDataError, match="latentdb energy DB --space codes"):
        filter_ids(store, "energy > 2", "codes")


def test_too_many_later_rows_ask_to_measure_anew(store, monkeypatch):
    row_energies(store, SPACE)
    add(store, range(1000, 1100))
    monkeypatch.setattr(columns, "EXACT_ROWS", 100)
    with pytest.raises(
        NotEnoughDataError, match=r"100 rows .* measure them anew with latentdb energy"
    ):
        row_energies(store, SPACE)


def test_a_space_needs_two_different_rows(tmp_path):
    made = Store.create(str(tmp_path / "empty.ldb"))
    made.add_space(SPACE)
    with pytest.raises(NotEnoughDataError, match="holds 0 rows, and needs two"):
        row_energies(made, SPACE)
    same = SpaceRows(np.arange(3), np.ones((3, DIM), np.float32))
    with pytest.raises(NotEnoughDataError, match="two different"):
        measured_exactly(SPACE, same)


def test_a_tolerance_is_above_zero(catalog):
    with pytest.raises(ParameterError, match="above 0"):
        measure_energy(catalog, "codes", tolerance=0.0)


def test_the_least_typical_come_first_unless_told(store, catalog):
    found = row_energies(store, SPACE)
    order = found.ids[np.argsort(-found.energy)]
    most = run_rank_by_energy(catalog, "codes", k=5)
    assert [hit.id for hit in most.hits] == order[:5].tolist()
    assert most.hits[0].distance == pytest.approx(-found.energy.max())
    least = run_rank_by_energy(catalog, "codes", k=3, descending=False, where="is_even")
    assert [hit.id for hit in least.hits] == [one for one in order[::-1] if one % 2 == 0][:3]
    assert (least.metric, least.query["where"]) == ("energy", "is_even")
    with pytest.raises(QueryError, match="at least 1"):
        run_rank_by_energy(catalog, "codes", k=0)


def test_the_facade_measures_and_ranks(store):
    db = latentdb.open(store.path)
    assert db.energy("codes").to_json()["rows"] == N
    assert len(db.rank_by_energy("codes", k=4).hits) == 4
