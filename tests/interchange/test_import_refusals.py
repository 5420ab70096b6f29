"""What an import refuses before it writes, sets aside row by row, and takes up again."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exported import Interrupting, noises, noisezoo, write_celeba

from latentdb.errors import LabelsError, LatentDBError, SourceError, SpaceSpecError
from latentdb.interchange import import_vectors, vector_file
from latentdb.store import Store


def torn(folder: Path) -> None:
    data = (folder / "noises_sd15.npy").read_bytes()
    (folder / "noises_sd15.npy").write_bytes(data[:-7])


def pickled(folder: Path) -> None:
    array = np.array([{"a": 1}], dtype=object)
    np.save(folder / "noises_sd15.npy", array, allow_pickle=True)


def no_npy(folder: Path) -> None:
    (folder / "noises_sd15.npy").write_bytes(pickle.dumps(noises(9)))


def doubled_names(folder: Path) -> None:
    write_celeba(folder / "list_attr_celeba.txt", np.ones((9, 3), int), ["same.jpg"] * 9)


def miscounted(folder: Path) -> None:
    path = folder / "list_attr_celeba.txt"
    path.write_text(path.read_text().replace("9\n", "8\n", 1))


SPOILED: list[tuple[Callable[[Path], object], str]] = [
    (torn, "cannot be read as an .npy array"),
    (pickled, "cannot be read as an .npy array"),
    (no_npy, "cannot be read as an .npy array"),
    (lambda f: np.save(f / "noises_sd15.npy", noises(8)), "have the same rows in the same order"),
    (lambda f: np.save(f / "clip_b16.npy", noises(9)[0]), "expected 2 dimensions"),
    (lambda f: np.save(f / "clip_b16.npy", np.ones((9, 2, 2))), "flatten each row"),
    (lambda f: np.save(f / "clip_b16.npy", np.ones((9, 2), int)), "vectors are float16, float32"),
    (lambda f: np.save(f / "noises_clip_b16.npy", noises(9)), "two files of .* 'clip_b16'"),
    (lambda f: write_celeba(f / "list_attr_celeba.txt", np.ones((5, 3), int)), "9 rows and .* 5"),
    (doubled_names, "1 different values for 9 rows"),
    (miscounted, "announces 8 rows and has 9"),
    (lambda f: (f / "labels.csv").write_text("a\n1\n"), "could all be the attributes"),
    (lambda f: (f / "card.json").write_text("[]"), "holds list, expected an object"),
    (lambda f: (f / "card.json").write_text("{"), "is not JSON"),
    (lambda f: (f / "noises_sd15.json").write_text('{"steps": 5}'), "a card has `kind`"),
]


@pytest.mark.parametrize(("spoil", "match"), SPOILED)
def test_a_folder_that_is_wrong_is_refused_before_anything_is_written(
    tmp_path: Path, target: Store, spoil: Callable[[Path], object], match: str
) -> None:
    folder = noisezoo(tmp_path / "zoo")
    spoil(folder)
    with pytest.raises(LatentDBError, match=match):
        import_vectors(target, folder)
    assert (target.spaces(), len(target.item_ids())) == ({}, 0)


def test_a_card_names_no_file_elsewhere(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo")
    card = {"spaces": {"x": {"file": "../../secret.npy"}}}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(SourceError, match="not one beside it"):
        import_vectors(target, folder)


def test_a_split_of_celeba_is_told_from_the_whole(
    tmp_path: Path, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentdb.interchange.plan._CELEBA", 30)
    monkeypatch.setattr("latentdb.interchange.plan._CELEBA_SPLITS", {9: (20, 29)})
    folder = noisezoo(tmp_path / "zoo")
    write_celeba(folder / "list_attr_celeba.txt", np.ones((30, 3), int))
    with pytest.raises(SourceError, match="for this split of CelebA give --label-rows 20:29"):
        import_vectors(target, folder)


def test_a_label_of_another_type_is_refused(tmp_path: Path, target: Store) -> None:
    import_vectors(target, noisezoo(tmp_path / "zoo"))
    other = noisezoo(tmp_path / "other")
    (other / "list_attr_celeba.txt").unlink()
    (other / "labels.csv").write_text("Hat\n" + "blue\n" * 9)
    with pytest.raises(LabelsError, match="label 'Hat' is str, and in the database it is bool"):
        import_vectors(target, other, spaces=["second=noises_sd15.npy"])
    assert "second" not in target.spaces()


def test_a_space_that_is_not_there_is_named(tmp_path: Path, target: Store) -> None:
    with pytest.raises(SourceError, match="holds no space sd3"):
        import_vectors(target, noisezoo(tmp_path / "zoo"), spaces=["sd3"])
    with pytest.raises(SpaceSpecError, match="'SD15' cannot name a space"):
        import_vectors(target, tmp_path / "zoo", spaces=["a=clip_b16.npy", "SD15=noises_sd15.npy"])
    assert target.spaces() == {}
    with pytest.raises(SourceError, match="there is no file or folder"):
        import_vectors(target, tmp_path / "nothing")


def test_pictures_need_names(tmp_path: Path, target: Store) -> None:
    np.save(tmp_path / "noises_a.npy", noises(3))
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "a.png").write_bytes(b"")
    with pytest.raises(SourceError, match="does not name its rows"):
        import_vectors(target, tmp_path / "noises_a.npy", images=tmp_path / "faces")


def test_rows_that_are_not_finite_go_to_quarantine(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo")
    spoiled = noises(9)
    spoiled[4, 2], spoiled[7] = np.nan, np.inf
    np.save(folder / "noises_sd15.npy", spoiled)
    summary = import_vectors(target, folder)
    assert (summary.spaces["sd15"].added, summary.spaces["sd15"].quarantined) == (7, 2)
    assert summary.spaces["clip_b16"].added == 9
    first, second = target.quarantined()
    assert first.source.endswith("noises_sd15.npy#4")
    assert (first.reason, first.message) == ("not_finite", "1 of 6 numbers are NaN or infinite")
    assert second.message.startswith("6 of 6")


def test_a_mended_row_leaves_quarantine(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo")
    spoiled = noises(9)
    spoiled[4] = np.nan
    np.save(folder / "noises_sd15.npy", spoiled)
    import_vectors(target, folder)
    np.save(folder / "noises_sd15.npy", noises(9))
    again = import_vectors(target, folder)
    assert (again.spaces["sd15"].added, again.spaces["sd15"].present) == (1, 8)
    assert target.quarantined() == []


def test_lists_of_another_length_are_refused_row_by_row(tmp_path: Path, target: Store) -> None:
    rows = [[1.0, 2.0], None, [1.0], [], [3.0, 4.0]]
    pq.write_table(pa.table({"vector": pa.array(rows)}), tmp_path / "set.parquet")
    summary = import_vectors(target, tmp_path / "set.parquet")
    assert (summary.spaces["set"].added, summary.spaces["set"].quarantined) == (2, 3)
    assert {row.reason for row in target.quarantined()} == {"wrong_shape"}
    assert target.quarantined()[0].message == "no vector"


def test_other_vectors_under_the_same_name_are_refused(tmp_path: Path, target: Store) -> None:
    folder = noisezoo(tmp_path / "zoo")
    import_vectors(target, folder)
    np.save(folder / "noises_sd15.npy", noises(9, seed=11))
    with pytest.raises(SourceError, match=r"row 0 of .* is another vector than item"):
        import_vectors(target, folder)


@pytest.mark.parametrize("at", [1, 2, 4, 7])
def test_an_interrupted_import_goes_on(
    tmp_path: Path, target: Store, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    # Three rows of six half-precision numbers.
    monkeypatch.setattr(vector_file, "BLOCK_BYTES", 36)
    folder = noisezoo(tmp_path / "zoo")
    with pytest.raises(KeyboardInterrupt):
        import_vectors(target, folder, progress=Interrupting(at))
    summary = import_vectors(target, folder)
    for name, counts in summary.spaces.items():
        assert counts.added + counts.present == 9
        assert len(target.vector_ids(name)) == 9
    assert target.check() == []
