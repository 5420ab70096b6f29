"""What points are coloured by."""

from __future__ import annotations

import numpy as np
import pytest

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import LabelsError, QueryError, UnknownDirectionError
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

N = 40
SPACE = Space("codes", "noise", 4, "imported:", {"made": "here"}, quality=("psnr",))


@pytest.fixture(scope="module")
def db(tmp_path_factory) -> LatentDB:
    made = latentdb.create(tmp_path_factory.mktemp("values") / "codes.ldb")
    made.store.add_space(SPACE)
    labels = [
        {
            "hat": None if one == 7 else one % 3 == 0,
            "age": one / 2,
            "count": one % 4,
            "many": one % 17,
            "hair": "red" if one % 5 == 0 else "dark",
            "name": f"n{one}",
        }
        for one in range(N)
    ]
    items = [
        ItemRow(
            one + 1, f"{one}.png", 1, 1, b"png", {k: v for k, v in said.items() if v is not None}
        )
        for one, said in enumerate(labels)
    ]
    vectors = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    vectors[:, 0] += [3.0 * (one % 3 == 0) for one in range(N)]
    ids = np.arange(1, N + 1)
    rows = SpaceRows(ids, vectors, {"psnr": ids.astype(np.float32)})
    made.store.write_batch(items=items, sources=[], vectors={"codes": rows}, quarantine=[])
    made.fit_direction("hat", space="codes", label="hat")
    return made


def test_a_yes_or_no_label_is_boolean_and_may_be_missing(db):
    found = db.point_values("codes", "label:hat")
    assert found.kind == "boolean"
    assert found.ids.tolist() == list(range(1, N + 1))
    assert np.isnan(found.values[7])
    assert found.values[:4].tolist() == [1, 0, 0, 1]
    assert found.to_json()["without"] == 1


def test_the_order_asked_for_is_kept(db):
    found = db.point_values("codes", "quality:psnr", ids=[9, 3, 12345, 5])
    assert found.values[[0, 1, 3]].tolist() == [9, 3, 5]
    assert np.isnan(found.values[2])


@pytest.mark.parametrize(
    ("by", "kind", "categories"),
    [
        ("label:age", "number", ()),
        ("label:many", "number", ()),
        ("label:count", "category", ("0", "1", "2", "3")),
        ("label:hair", "category", ("dark", "red")),
    ],
)
def test_a_label_has_the_kind_of_its_values(db, by, kind, categories):
    found = db.point_values("codes", by)
    assert (found.kind, found.categories) == (kind, categories)


def test_rare_names_are_one_category(db):
    found = db.point_values("codes", "label:name")
    assert len(found.categories) == 13
    assert found.categories[-1] == "(others)"
    assert (found.values == 12).sum() == N - 12


def test_a_direction_is_its_projection(db):
    found = db.point_values("codes", "direction:hat")
    vectors = db.store.vectors("codes", found.ids)
    np.testing.assert_allclose(
        found.values, db.direction("hat").project(vectors), rtol=1e-5, atol=1e-6
    )
    assert found.unit == "standard deviations"


def test_norms_and_energies_are_those_of_the_rows(db):
    vectors = db.store.all_vectors("codes").vectors
    np.testing.assert_allclose(
        db.point_values("codes", "norm").values, np.linalg.norm(vectors, axis=1), rtol=1e-5
    )
    energy = db.point_values("codes", "energy")
    ranked = db.rank_by_energy("codes", k=1).hits[0]
    assert energy.values.max() == pytest.approx(-ranked.distance, rel=1e-5)


@pytest.mark.parametrize(
    ("by", "error"),
    [
        ("label:nope", LabelsError),
        ("direction:nope", UnknownDirectionError),
        ("quality:nope", QueryError),
        ("colour", QueryError),
        ("label:", QueryError),
    ],
)
def test_what_there_is_not_is_refused(db, by, error):
    with pytest.raises(error, match=r"nope|coloured"):
        db.point_values("codes", by)
