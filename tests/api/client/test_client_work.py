"""What changes a database, over a server that runs jobs: it is as if done to the files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from served import serving
from typer.testing import CliRunner

import latentdb
from api.cli.main import app
from latentdb.client import RemoteDB
from latentdb.database import LatentDB
from latentdb.errors import (
    LabelsError,
    LatentDBError,
    QueryError,
    UnknownItemError,
)
from latentdb.ingest import IngestOptions
from latentdb.ingest.decode import decode_picture, pixel_id
from latentdb.protocol import Database
from latentdb.zoo.faces import write_folder

Both = tuple[LatentDB, RemoteDB]


@pytest.fixture(scope="module")
def worked_on(db: LatentDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """A copy for tests that write: by its files, and over a server that runs jobs."""
    folder = tmp_path_factory.mktemp("worked_on") / "own.ldb"
    shutil.copytree(db.uri, folder)
    with serving(folder) as found, latentdb.connect(found) as connected:
        yield latentdb.open(folder, device="cpu"), connected


@pytest.fixture(scope="module")
def apart(db: LatentDB, tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """Another copy, on which the same is done without a server."""
    folder = tmp_path_factory.mktemp("apart") / "own.ldb"
    shutil.copytree(db.uri, folder)
    return latentdb.open(folder, device="cpu")


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve new faces with labels, one of them twice, one of them in a folder below, one broken
    file, one without a row of labels, and one of no picture type.
    """
    folder = tmp_path_factory.mktemp("more")
    write_folder(folder, 12, seed=77)
    (folder / "below").mkdir()
    (folder / "face_00011.png").rename(folder / "below" / "face_00000.png")
    shutil.copy(folder / "face_00001.png", folder / "twin.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "notes.doc").write_bytes(b"no picture either")
    return folder


class Told:
    """A listener that remembers, and raises what it is told to once so many files are done."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.files = self.quarantined = 0
        self.all: int | None = None
        self.said: list[str] = []
        self._stop_after = stop_after

    def total(self, files: int | None) -> None:
        self.all = files

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:
        self.files += files
        self.quarantined += quarantined
        if self._stop_after is not None and self.files >= self._stop_after:
            raise KeyboardInterrupt

    def message(self, text: str) -> None:
        self.said.append(text)


def test_pictures_are_sent_and_counted_as_an_ingest_counts_them(
    worked_on: Both, apart: LatentDB, more: Path
) -> None:
    files, remote = worked_on
    options = IngestOptions(labels=more / "labels.csv", workers=0)
    there, here = Told(), Told()
    mine = asdict(apart.ingest(more, options=options, progress=here))
    theirs = asdict(remote.ingest(more, options=options, progress=there))
    assert {**theirs, "seconds": 0} == {**mine, "seconds": 0}
    assert (there.all, there.files, there.quarantined) == (here.all, here.files, here.quarantined)
    assert ["broken.png cannot be used" in one for one in there.said] == [True]
    assert len(remote) == len(apart) == 72
    assert files.vector_counts() == apart.vector_counts()
    by_id = {item.id: item.labels for item in apart.list_items(limit=100).items}
    assert {item.id: item.labels for item in remote.list_items(limit=100).items} == by_id


def test_what_is_there_is_not_sent_again_but_its_labels_are_set(
    worked_on: Both, more: Path, tmp_path: Path
) -> None:
    _, remote = worked_on
    jobs = len(remote.jobs.all())
    path = more / "face_00002.png"
    item = remote.known([pixel_id(decode_picture(path.read_bytes()))]).popitem()[1]
    changed = not item.labels["hat"]
    labels = tmp_path / "labels.csv"
    labels.write_text(f"path,hat\n{path.name},{str(changed).lower()}\n")
    summary = remote.ingest(more, options=IngestOptions(labels=labels, workers=0))
    assert (summary.added, summary.known, summary.duplicates) == (0, 12, 1)
    assert len(remote.jobs.all()) == jobs
    assert remote.items([item.id])[0].labels == {**item.labels, "hat": changed}


def test_an_upload_that_was_left_goes_on_where_it_was(
    worked_on: Both, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files, remote = worked_on
    write_folder(tmp_path, 9, seed=78)
    before = len(files)
    options = IngestOptions(workers=0, commit_rows=2)
    with pytest.raises(KeyboardInterrupt):
        remote.ingest(tmp_path, options=options, progress=Told(stop_after=2))
    assert "goes on: latentdb jobs http://127.0.0.1" in caplog.text
    summary = remote.ingest(tmp_path, options=options)
    assert summary.seen == 9
    assert len(remote) == before + 9


FITS: dict[str, Callable[[Database], Any]] = {
    "an index": lambda db: {
        **db.build_index("dino", metric="nao", prior="fitted").to_json(), "seconds": 0
    },
    "a map": lambda db: db.stitch("dino", "clip", method="cca", seed=3, force=True).to_json(),
    "a direction": lambda db: db.fit_direction(
        "glasses", space="dino", label="glasses", method="lda"
    ).to_json(),
    "a direction of items": lambda db: db.fit_direction(
        "liked", space="clip", like=[one.id for one in db.list_items(limit=3).items]
    ).to_json(),
    "energies": lambda db: {**db.energy("dino").to_json(), "created_at": None},
}  # fmt: skip


@pytest.mark.parametrize("fit", FITS.values(), ids=list(FITS))
def test_what_is_fitted_over_there_is_what_is_fitted_here(
    worked_on: Both, fit: Callable[[Database], Any]
) -> None:
    files, remote = worked_on
    # Both work on the same files: fitted again here, it comes to the same.
    assert same(fit(remote), json.loads(json.dumps(fit(files))))


def test_a_shared_space_is_added_over_there(worked_on: Both) -> None:
    files, remote = worked_on
    shared = remote.share(["clip", "dino"], name="une", dim=4, force=True)
    assert (shared.name, shared.to_json()["method"]) == ("une", "gcca")
    assert files.vector_counts()["une"] == remote.vector_counts()["une"] == len(remote)


def same(mine: Any, theirs: Any) -> bool:
    """Whether two JSON values are alike, figures to 1e-6."""
    if isinstance(mine, dict):
        return list(mine) == list(theirs) and all(same(mine[k], theirs[k]) for k in mine)
    if isinstance(mine, list | tuple):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    if isinstance(mine, float):
        return bool(theirs == pytest.approx(mine, abs=1e-6))
    return bool(mine == theirs)


def test_progress_of_long_work_adds_up(worked_on: Both) -> None:
    _, remote = worked_on
    told: list[int] = []
    remote.energy("clip", again=True, progress=told.append)
    assert sum(told) == remote.vector_counts()["clip"]


def test_a_report_is_brought_into_a_folder(worked_on: Both, tmp_path: Path) -> None:
    _, remote = worked_on
    begun: list[str] = []
    found = remote.report(
        tmp_path / "out", sections=["norm_law"], quick=True, on_section=begun.append
    )
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!")
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == found.to_json()
    assert list(found.seconds) == begun == ["norm_law"]


def test_items_are_deleted_and_counted(worked_on: Both) -> None:
    files, remote = worked_on
    ids = [item.id for item in remote.list_items(limit=3).items]
    before = len(files)
    assert remote.delete([*ids, ids[0], 7]) == 3
    assert len(files) == len(remote) == before - 3
    with pytest.raises(UnknownItemError, match="3 ids are not items of this database"):
        remote.items(ids)


REFUSALS: dict[str, Callable[[Database], Any]] = {
    "no such source": lambda db: db.ingest("/no/such/folder"),
    "no such space": lambda db: db.ingest(Path(__file__).parent, spaces=["nope"]),
    "a map of one space": lambda db: db.stitch("clip", "clip"),
    "a label of many values": lambda db: db.fit_direction("x", space="clip", label="caption"),
}


@pytest.mark.parametrize("ask", REFUSALS.values(), ids=list(REFUSALS))
def test_what_cannot_be_done_is_refused_as_without_a_server(
    worked_on: Both, ask: Callable[[Database], Any]
) -> None:
    files, remote = worked_on
    with pytest.raises(LatentDBError) as mine:
        ask(files)
    with pytest.raises(LatentDBError) as theirs:
        ask(remote)
    assert (theirs.type, str(theirs.value)) == (mine.type, str(mine.value))


def test_labels_that_cannot_be_stored_are_refused_before_anything_is_sent(
    worked_on: Both, more: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken.csv").write_text("path,distance\nface_00001.png,3\n")
    with pytest.raises(LabelsError, match="cannot be named 'distance'"):
        worked_on[1].ingest(more, options=IngestOptions(labels=tmp_path / "taken.csv"))


def test_how_many_pictures_a_model_gets_is_the_servers_to_say(worked_on: Both, more: Path) -> None:
    with pytest.raises(QueryError, match="leave batch_size out"):
        worked_on[1].ingest(more, options=IngestOptions(batch_size=4))


def test_upkeep_is_done_by_the_server(worked_on: Both) -> None:
    here, remote = worked_on
    found = remote.upkeep.audit("clip", questions=5)
    assert "clip--cosine" in {str(one.index) for one in found}
    assert found == here.upkeep.audit("clip", questions=5)
    done = remote.upkeep.compact()
    assert done.pieces_after <= done.pieces_before
    assert len(here) == len(remote)


def test_commands_work_over_a_server(worked_on: Both, tmp_path: Path) -> None:
    _, remote = worked_on
    write_folder(tmp_path / "few", 3, seed=79)

    def answer(*words: object) -> Any:
        result = CliRunner().invoke(app, [*(str(word) for word in words), "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    added = answer("ingest", remote.uri, tmp_path / "few", "--labels", tmp_path / "few/labels.csv")
    assert (added["seen"], added["added"]) == (3, 3)
    assert answer("index", remote.uri, "--space", "dino", "--metric", "cosine")["kind"] == "flat"
    fitted = answer("direction", remote.uri, "smiles", "--space", "clip", "--label", "smiling")
    assert fitted["name"] == "smiles"
    assert answer("energy", remote.uri, "--space", "clip")["rows"] == len(remote)
    assert answer("stitch", remote.uri, "--from", "clip", "--to", "dino", "--force")["scores"]
    out = tmp_path / "study"
    report = answer("report", remote.uri, "--out", out, "--sections", "norm_law", "--quick")
    assert report == json.loads((out / "report.json").read_text())
    assert "done" in {job["state"] for job in answer("jobs", remote.uri)}
