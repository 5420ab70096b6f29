"""Questions asked together are answered as each is alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import FilterError, LatentDBError, QueryError, UnknownItemError
from latentdb.ingest import IngestOptions
from latentdb.query import Query
from latentdb.search import run_search, run_searches
from latentdb.types import Answer
from latentdb.zoo.faces import write_folder


@pytest.fixture(scope="module")
def db(tmp_path_factory, tiny_model) -> LatentDB:
    """Sixty faces in a space with text and one without, with a map and a direction."""
    folder = tmp_path_factory.mktemp("faces")
    write_folder(folder, 60, seed=7)
    specs = [f"clip=open_clip:{tiny_model('open_clip')}", f"dino=timm:{tiny_model('timm')}"]
    made = latentdb.create(tmp_path_factory.mktemp("many") / "m.ldb", spaces=specs, device="cpu")
    made.ingest(folder, options=IngestOptions(labels=folder / "labels.csv", workers=0))
    made.build_index("clip", metric="cosine")
    made.stitch("clip", "dino")
    made.fit_direction("hat", space="clip", label="hat")
    return made


def alone(db: LatentDB, query: Query) -> Answer | LatentDBError:
    try:
        return run_search(db.catalog, query)
    except LatentDBError as error:
        return error


def require_same(together: Answer | LatentDBError, single: Answer | LatentDBError) -> None:
    if isinstance(single, LatentDBError):
        assert (type(together), str(together)) == (type(single), str(single))
        return
    assert isinstance(together, Answer)
    one, other = together.to_json(), single.to_json()
    hits, others = one.pop("hits"), other.pop("hits")
    assert one.pop("query").keys() == other.pop("query").keys()
    assert one == other
    for hit, same in zip(hits, others, strict=True):
        assert abs(hit["distance"] - same["distance"]) <= 1e-6
        tied = [h["id"] for h in others if abs(h["distance"] - hit["distance"]) <= 1e-6]
        assert hit["id"] in tied or hit["id"] not in {h["id"] for h in others}
        if hit["id"] == same["id"]:
            assert (hit["source"], hit["labels"]) == (same["source"], same["labels"])


def questions(db: LatentDB) -> st.SearchStrategy[Query]:
    ids = db.store.item_ids().tolist()
    rng = np.random.default_rng(0)
    vectors = {
        name: rng.standard_normal((4, space.dim)).astype(np.float32)
        for name, space in db.spaces().items()
    }
    common = {
        "k": st.integers(1, 12),
        "where": st.sampled_from([None, None, "hat", "not hat", "no_such_column"]),
        "max_distance": st.sampled_from([None, None, 0.8]),
    }
    spaces = st.sampled_from(["clip", "dino"])
    text = {"text": st.sampled_from(["a hat", "a smile", "red hair, glasses", "nobody"])}
    return st.one_of(
        st.builds(Query, **text, **common, space=st.sampled_from([None, "clip", "dino"])),
        st.builds(Query, **text, directions=st.just({"hat": 1.5}), diverse=st.just(0.6)),
        st.builds(Query, id=st.sampled_from([*ids, 1]), space=spaces, **common),
        st.builds(
            lambda name, at, **rest: Query(vector=vectors[name][at], space=name, **rest),
            spaces,
            st.integers(0, 3),
            metric=st.sampled_from([None, "cosine", "euclidean"]),
            **common,
        ),
        st.builds(
            lambda like, **rest: Query(like=like, **rest),
            st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True),
            **text,
            explain=st.booleans(),
        ),
        st.builds(
            lambda at: Query(image=db.picture(ids[at]), space="dino", k=3), st.integers(0, 5)
        ),
        st.just(Query(vector=np.ones(3, np.float32), space="dino")),
        st.just(Query(text="a", space="nowhere")),
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_answers_together_are_those_of_each_alone(db, data):
    asked = data.draw(st.lists(questions(db), min_size=2, max_size=9))
    for together, query in zip(run_searches(db.catalog, asked), asked, strict=True):
        require_same(together, alone(db, query))


def test_an_error_is_only_of_the_question_that_has_it(db):
    known = int(db.store.item_ids()[0])
    answers = run_searches(
        db.catalog,
        [
            Query(text="a hat", k=2),
            Query(id=1, k=2),
            Query(id=known, k=2),
            Query(text="a hat", where="nope"),
            Query(text="a", from_space="dino"),
        ],
    )
    kinds = [Answer, UnknownItemError, Answer, FilterError, QueryError]
    assert [type(one) for one in answers] == kinds


def test_texts_of_many_questions_are_one_call_of_the_model(db, monkeypatch):
    model = db.model("clip")
    called: list[list[str]] = []
    encode = type(model).encode_text
    monkeypatch.setattr(
        type(model), "encode_text", lambda self, texts: called.append(texts) or encode(self, texts)
    )
    run_searches(db.catalog, [Query(text=f"a {word}") for word in ("hat", "cap", "hat", "nose")])
    assert called == [["a hat", "a cap", "a nose"]]


def test_labels_of_a_hit_belong_to_one_answer(db):
    one, other = run_searches(db.catalog, [Query(text="a hat", k=3)] * 2)
    one.hits[0].labels["hat"] = "changed"
    assert other.hits[0].labels["hat"] != "changed"


def test_a_picture_that_cannot_be_read_is_an_error_of_its_question(db, tmp_path: Path):
    (tmp_path / "torn.png").write_bytes(b"no picture")
    good, bad = run_searches(
        db.catalog,
        [
            Query(image=db.picture(int(db.store.item_ids()[0])), space="dino"),
            Query(image=tmp_path / "torn.png", space="dino"),
        ],
    )
    assert isinstance(good, Answer)
    assert isinstance(bad, QueryError)


def test_questions_of_different_counts_get_each_their_own(db):
    vector = np.ones(db.spaces()["clip"].dim, np.float32)
    asked = [
        Query(vector=vector, space="clip", k=k, max_distance=limit)
        for limit in (None, 1.0)
        for k in (2, 70, 5)
    ]
    for query, answer in zip(asked, run_searches(db.catalog, asked), strict=True):
        alone = run_search(db.catalog, query)
        assert [hit.id for hit in answer.hits] == [hit.id for hit in alone.hits]
        assert len(answer.hits) <= query.k
