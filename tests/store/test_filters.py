"""Filters: what passes, what is refused, and that nothing else is reached."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from store_batches import make_batch

from latentdb.errors import FilterError, UnknownSpaceError
from latentdb.filters import filter_ids
from latentdb.store import Store


def add_labels(store: Store) -> Store:
    """Labels for items 3, 5, 8, 12; `smiling` is 0 or 1, `score` is missing for 12."""
    names = ["Ann", "bob", "Cy", ""]
    scores = [0.1, 0.5, 0.9, None]
    store.set_labels([3, 5, 8, 12], {"smiling": [1, 0, 1, 1], "score": scores, "name": names})
    return store


@pytest.fixture
def labelled(store):
    return add_labels(store)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A database that tests only read."""
    store = Store.create(str(tmp_path_factory.mktemp("filters") / "tiny.ldb"))
    store.write_batch(**make_batch([8, 3, 12, 5]) | {"vectors": {}})
    return add_labels(store)


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("hat", [8, 12]),
        ("smiling", [3, 8, 12]),
        ("smiling and not hat", [3]),
        ("HAT = true or age < 4", [3, 8, 12]),
        ("age between 4 and 9 and age in (5, 8)", [5, 8]),
        ("age not in (5, 8)", [3, 12]),
        ("score > 0.2", [5, 8]),
        ("not score > 0.2", [3]),
        ("score is null", [12]),
        ("coalesce(score, 1) = 1", [12]),
        ("name like 'A%' or name ilike 'B%'", [3, 5]),
        ("lower(name) = 'cy' -- a comment", [8]),
        ("length(source) = 5 and abs(-age) * 2 >= 10", [5, 8]),
        ("cast(age as varchar) = '12'", [12]),
        ("case when hat then age > 8 else age < 4 end", [3, 12]),
        ("added_at > '2020-01-01'", [3, 5, 8, 12]),
        ("name = 'it''s'", []),
        ('"age" % 4 = 0', [8, 12]),
        ("width = 3 and height <> 3", [3, 5, 8, 12]),
    ],
)
def test_expression_selects(shared, where, ids):
    assert filter_ids(shared, where).tolist() == ids


def test_space_brings_its_quality_and_only_its_items(labelled, noise, batch):
    alone = batch([40])
    labelled.write_batch(**alone | {"vectors": {}})
    assert filter_ids(labelled, "psnr >= 8 and norm > 0", noise.name).tolist() == [8, 12]
    assert 40 in filter_ids(labelled, "true")
    assert 40 not in filter_ids(labelled, "true", noise.name)
    with pytest.raises(FilterError, match="no column 'psnr'"):
        filter_ids(labelled, "psnr >= 8")
    with pytest.raises(UnknownSpaceError, match="sd15"):
        filter_ids(labelled, "true", "sd15")


@pytest.mark.parametrize(
    "where",
    [
        "",
        "  ",
        "name",
        "age >",
        "nope = 1",
        "(select true)",
        "exists (select 1)",
        "age = any (select 1)",
        "hat; drop table metadata",
        "hat; select 1",
        "hat) or (hat",
        "hat order by age",
        "hat limit 1",
        "hat union select 1",
        "hat group by age",
        "hat, hat",
        "count(*) > 1",
        "sum(age) > 1",
        "row_number() over () = 1",
        "abs(age) filter (where hat) = 1",
        "? and hat",
        "$1",
        "#1",
        "*",
        "columns(*)",
        "read_text('/etc/passwd') = ''",
        "getenv('HOME') = ''",
        "current_setting('threads') = 1",
        "nextval('x') = 1",
        "name ~ '(a+)+b'",
        "repeat(name, 1000000000) = ''",
        "range(1000000000) is null",
        "[x for x in [1, 2]] is null",
        "list_filter([1], lambda x: x > 0) is null",
        "metadata is null",
        "rowid = 1",
        "main.lower(name) = ''",
        "source + 1 > 2",
        "name and hat",
        "cast(name as int) = 1",
        "(" * 1500 + "hat" + ")" * 1500,
        "hat and " * 20_000 + "hat",
    ],
)
def test_anything_but_one_plain_expression_is_refused(shared, where):
    with pytest.raises(FilterError, match=r"over the columns id, source, .*; for example: smiling"):
        filter_ids(shared, where)


def test_refusal_names_the_reason(labelled):
    with pytest.raises(FilterError, match="there is no column 'hats'"):
        filter_ids(labelled, "hats and smiling")
    with pytest.raises(FilterError, match="the function 'getenv' is not allowed"):
        filter_ids(labelled, "getenv('HOME') = ''")
    with pytest.raises(FilterError, match="of type VARCHAR, not true or false"):
        filter_ids(labelled, "name")


def test_filters_run_in_threads(labelled):
    found: list[list[int]] = []

    def ask(limit: int) -> None:
        found.extend([filter_ids(labelled, f"age > {limit}").tolist() for _ in range(10)])

    threads = [threading.Thread(target=ask, args=(limit,)) for limit in (4, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [[5, 8, 12]] * 10 + [[12]] * 10


def test_filter_sees_labels_set_meanwhile(labelled):
    assert filter_ids(labelled, "age = 99").tolist() == []
    labelled.set_labels([5], {"age": [99]})
    found = filter_ids(labelled, "age = 99")
    assert found.tolist() == [5]
    assert found.dtype == np.int64
