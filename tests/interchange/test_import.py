"""Data of others: NoiseZoo's folders, single files, attributes, pictures, cards."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exported import NAMES, noises, noisezoo, picture, signs, write_celeba
from safetensors.numpy import save_file

from latentdb.errors import ModelError, SpaceExistsError
from latentdb.ingest.decode import pixel_id
from latentdb.interchange import import_vectors
from latentdb.model_shelf import ModelShelf
from latentdb.store import Store


def by_row(store: Store, space: str, n: int, dataset: str = "zoo") -> np.ndarray:
    """Vectors of a space in the order of the rows that items without names have."""
    items = {item.source: item.id for item in store.items(store.item_ids())}
    return store.vectors(space, [items[f"{dataset}/{i + 1:06d}.jpg"] for i in range(n)])


def test_a_noisezoo_folder_becomes_spaces(tmp_path: Path, target: Store) -> None:
    summary = import_vectors(target, noisezoo(tmp_path / "zoo"))
    kinds = {space.name: (space.kind, space.dtype) for space in target.spaces().values()}
    assert kinds == {
        "sd15": ("noise", "float16"),
        "sd2-1": ("noise", "float16"),
        "clip_b16": ("embedding", "float32"),
    }
    assert (summary.items, summary.added, summary.with_picture) == (9, 9, 0)
    assert np.array_equal(by_row(target, "sd15", 9), noises(9))
    assert np.array_equal(by_row(target, "sd2-1", 9), noises(9, seed=3))


def test_signs_become_yes_and_no(tmp_path: Path, target: Store) -> None:
    import_vectors(target, noisezoo(tmp_path / "zoo"))
    assert target.label_columns() == {"Smiling": bool, "label_5_o_Clock_Shadow": bool, "Hat": bool}
    items = sorted(target.items(target.item_ids()), key=lambda item: item.source)
    stored = [list(item.labels.values()) for item in items]
    assert np.array_equal(stored, signs(9) > 0)


def test_items_without_pictures_say_so(tmp_path: Path, target: Store) -> None:
    import_vectors(target, noisezoo(tmp_path / "zoo"))
    item = target.items(target.item_ids()[:1])[0]
    assert not item.has_picture
    assert target.thumbnail(item.id) == b""


def test_a_space_imported_later_finds_the_same_items(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo")
    import_vectors(target, folder, spaces=["sd15"])
    later = import_vectors(target, folder)
    assert (later.items, later.added) == (9, 0)
    assert (later.spaces["sd15"].present, later.spaces["clip_b16"].added) == (9, 9)


def test_rows_without_names_go_by_their_number(tmp_path: Path, target: Store) -> None:
    np.save(tmp_path / "noises_a.npy", noises(5))
    import_vectors(target, tmp_path / "noises_a.npy", name="mine")
    sources = {item.source for item in target.items(target.item_ids())}
    assert sources == {f"mine#{row}" for row in range(5)}


def test_two_data_sets_of_one_card_share_a_space(tmp_path: Path, target: Store) -> None:
    card = {"kind": "noise", "settings": {"model": "sd15", "steps": 50}}
    for number, name in enumerate(("train", "val")):
        folder = tmp_path / name
        folder.mkdir()
        np.save(folder / "noises_sd15.npy", noises(4, seed=number))
        (folder / "noises_sd15.json").write_text(json.dumps(card))
        import_vectors(target, folder)
    assert len(target.vector_ids("sd15")) == 8
    assert target.space("sd15").settings == {"source": "imported", "model": "sd15", "steps": 50}


def test_settings_are_the_fingerprint(tmp_path: Path, target: Store) -> None:
    for steps in (50, 100):
        folder = tmp_path / f"{steps}"
        folder.mkdir()
        np.save(folder / "noises_sd15.npy", noises(4))
        (folder / "noises_sd15.json").write_text(json.dumps({"settings": {"steps": steps}}))
    import_vectors(target, tmp_path / "50")
    with pytest.raises(SpaceExistsError, match=r"otherwise: --space NAME=noises_sd15.npy.*steps"):
        import_vectors(target, tmp_path / "100")
    import_vectors(target, tmp_path / "100", spaces=["hundred=noises_sd15.npy"])
    assert target.space("hundred").kind == "noise"


def test_vectors_of_which_nothing_is_stated_meet_no_others(tmp_path: Path, target: Store) -> None:
    import_vectors(target, noisezoo(tmp_path / "zoo"), spaces=["sd15"])
    with pytest.raises(SpaceExistsError, match="dataset: 'zoo' → 'other'"):
        import_vectors(target, noisezoo(tmp_path / "other"), spaces=["sd15"])


def test_an_imported_space_has_no_model_and_says_what_to_do(tmp_path: Path, target: Store) -> None:
    import_vectors(target, noisezoo(tmp_path / "zoo"))
    assert not target.space("sd15").has_model
    with pytest.raises(ModelError, match="ask with --id or --vector, carry a question over"):
        ModelShelf(target, device="cpu").get("sd15")


def test_pictures_give_items_their_real_ids(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo")
    (tmp_path / "faces").mkdir()
    for i in range(7):
        # Another ending than the list says, as CelebA's aligned pictures have.
        picture(i).save(tmp_path / "faces" / f"{i + 1:06d}.png")
    summary = import_vectors(target, folder, images=tmp_path / "faces")
    assert (summary.added, summary.with_picture) == (9, 7)
    ids = [pixel_id(picture(i)) for i in range(7)]
    assert np.array_equal(target.vectors("sd15", ids), noises(9)[:7])
    assert set(target.known_sources().values()) == set(ids)
    again = import_vectors(target, folder, images=tmp_path / "faces")
    assert (again.added, again.spaces["sd15"].present) == (0, 9)


def test_rows_of_one_picture_are_one_item(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo", 3)
    (tmp_path / "faces").mkdir()
    for name, seed in (("000001", 0), ("000002", 1), ("000003", 0)):
        picture(seed).save(tmp_path / "faces" / f"{name}.png")
    for _ in range(2):
        summary = import_vectors(target, folder, images=tmp_path / "faces", spaces=["sd15"])
        assert (summary.items, summary.spaces["sd15"].duplicates) == (2, 1)


def test_ids_of_items_are_taken_as_they_are(tmp_path: Path, origin: Store) -> None:
    ids = origin.item_ids()[::-1]
    np.save(tmp_path / "mine.npy", noises(20))
    pq.write_table(pa.table({"item": ids, "age2": range(20)}), tmp_path / "attributes.parquet")
    summary = import_vectors(origin, tmp_path, ids="item", spaces=["mine"])
    assert summary.added == 0
    assert np.array_equal(origin.vectors("mine", ids), noises(20))
    assert origin.labels("age2")[1].tolist() == list(range(20))[::-1]


def test_a_foreign_parquet_file_brings_its_labels(tmp_path: Path, target: Store) -> None:
    rows = {
        "id": [0, 1, 2],
        "embedding": noises(3).astype(np.float64).tolist(),
        "file_name": ["a", "b", "c"],
        "Smiling": pa.array([1, -1, 1], pa.int8()),
        "tags": [["x"], [], None],
    }
    pq.write_table(pa.table(rows), tmp_path / "set.parquet")
    import_vectors(target, tmp_path / "set.parquet")
    assert target.space("set").dtype == "float32"
    labels = {item.source: item.labels for item in target.items(target.item_ids())}
    assert labels["set/b"] == {"label_id": 1, "Smiling": False}


def test_a_matrix_of_attributes_is_named(tmp_path: Path, target: Store) -> None:
    np.save(tmp_path / "noises_a.npy", noises(5))
    np.save(tmp_path / "attributes.npy", signs(5).astype(np.int8))
    (tmp_path / "attributes.txt").write_text("\n".join(NAMES))
    import_vectors(target, tmp_path)
    assert set(target.label_columns()) == {"Smiling", "label_5_o_Clock_Shadow", "Hat"}


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_attributes_of_text_are_typed(tmp_path: Path, target: Store, suffix: str) -> None:
    texts = {
        "csv": "path,hat,age,size,code,none\na,true,3,1.5,007,\nb,false,,2,010,\n",
        "jsonl": '{"path":"a","hat":true,"age":3,"size":1.5,"code":"007"}\n'
        '{"path":"b","hat":false,"age":null,"size":2,"code":"010"}\n',
    }
    np.save(tmp_path / "noises_a.npy", noises(2))
    (tmp_path / f"attributes.{suffix}").write_text(texts[suffix])
    import_vectors(target, tmp_path, name="d")
    assert target.label_columns() == {"hat": bool, "age": int, "size": float, "code": str}
    labels = {item.source: item.labels for item in target.items(target.item_ids())}
    assert labels["d/a"] == {"hat": True, "age": 3, "size": 1.5, "code": "007"}


def test_labels_may_come_later(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo")
    import_vectors(target, folder)
    changed = signs(9)
    changed[4] *= -1
    write_celeba(folder / "list_attr_celeba.txt", changed)
    import_vectors(target, folder)
    items = sorted(target.items(target.item_ids()), key=lambda item: item.source)
    assert np.array_equal([list(item.labels.values()) for item in items], changed > 0)


def test_rows_of_a_longer_list_are_chosen(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo")
    write_celeba(folder / "list_attr_celeba.txt", signs(30))
    import_vectors(target, folder, label_rows=(10, 19))
    sources = sorted(item.source for item in target.items(target.item_ids()))
    assert sources[0] == "zoo/000011.jpg"


def test_one_matrix_of_a_safetensors_file_is_enough(tmp_path: Path, target: Store) -> None:
    save_file({"z": noises(6), "step": np.arange(6)}, tmp_path / "noises_x.safetensors")
    import_vectors(target, tmp_path / "noises_x.safetensors")
    assert (target.space("x").kind, len(target.vector_ids("x"))) == ("noise", 6)
