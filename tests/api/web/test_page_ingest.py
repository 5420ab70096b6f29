"""Pictures in, and the jobs that read them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Visit
from playwright.sync_api import Page, expect

from latentdb.zoo.faces import write_folder

Begin = Callable[..., Visit]
JOB_MS = 60_000  # a job starts a process, which loads the models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three new faces with labels, a broken picture, and a file that is none."""
    made = tmp_path / "new"
    write_folder(made, 3, seed=77)
    (made / "broken.png").write_bytes(b"no picture")
    (made / "notes.txt").write_text("nothing")
    return made


def drop(page: Page, paths: list[Path]) -> None:
    """Drop files on the page."""
    kinds = {".png": "image/png", ".csv": "text/csv"}
    files = [
        [path.name, kinds.get(path.suffix, "text/plain"), list(path.read_bytes())] for path in paths
    ]
    page.evaluate(
        """files => {
          const carried = new DataTransfer();
          for (const [name, type, bytes] of files)
            carried.items.add(new File([new Uint8Array(bytes)], name, {type}));
          const all = {bubbles: true, cancelable: true, dataTransfer: carried};
          document.body.dispatchEvent(new DragEvent("drop", all));
        }""",
        files,
    )


def test_pictures_are_dropped_sent_and_read_with_their_labels(
    visit: Begin, own_site: str, folder: Path
) -> None:
    tab = visit(site=own_site)
    page = tab.open("#view=ingest")
    drop(page, sorted(folder.iterdir()))
    expect(page.get_by_role("heading", name=re.compile("^4 pictures"))).to_be_visible()
    expect(page.get_by_text("labels.csv: 3 rows")).to_be_visible()
    expect(page.locator("#status")).to_contain_text("1 other file left out")
    assert tab.axe() == []
    page.get_by_label("faces-noise").uncheck()
    page.get_by_role("button", name="Add 4 pictures").click()
    expect(page.get_by_role("cell", name="broken.png")).to_be_visible()
    expect(page.get_by_role("cell", name="not an image")).to_be_visible()
    expect(page).to_have_url(re.compile("job=[0-9a-f]{32}"))
    page.reload()  # the job is in the link, and goes on
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_role("region", name="Progress").get_by_text("3 added")).to_be_visible()
    expect(page.get_by_role("cell", name="broken.png")).to_be_visible()
    expect(page.locator("#facts")).to_contain_text("63 pictures")
    page.get_by_role("link", name="See the pictures").click()
    expect(page.locator(".search .card")).to_have_count(3)
    expect(page.locator(".search .card .chips").first).not_to_be_empty()

    page = tab.open("#view=jobs")
    row = page.locator(".joblist > li").first
    expect(row.get_by_text("done", exact=True)).to_be_visible()
    row.get_by_text("Details").press("Enter")
    expect(row.locator("pre")).to_contain_text('"added": 3')
    assert tab.axe() == []


def test_a_picture_that_was_chosen_can_be_left_out_again(visit: Begin, folder: Path) -> None:
    page = visit().open("#view=ingest")
    page.get_by_label("Choose pictures…").set_input_files(sorted(folder.glob("face_*.png")))
    expect(page.get_by_role("button", name="Add 3 pictures")).to_be_enabled()
    page.get_by_label(re.compile("Remove face_")).first.press("Enter")
    expect(page.get_by_role("button", name="Add 2 pictures")).to_be_visible()
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator(".thumbs li")).to_have_count(0)
    page.get_by_label("Choose a folder…").set_input_files(folder)
    expect(page.get_by_role("button", name="Add 4 pictures")).to_be_visible()
    expect(page.get_by_text("labels.csv: 3 rows")).to_be_visible()


def test_labels_without_paths_are_refused_in_words(visit: Begin, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("name,hat\na.png,true\n")
    page = visit().open("#view=ingest")
    page.get_by_label("Labels (CSV)…").set_input_files(tmp_path / "labels.csv")
    expect(page.get_by_text("labels.csv needs a column path (or file_name)")).to_be_visible()


CASES = [
    ("path,a\nx.png,true\ny.png,false\n", {"x.png": {"a": True}, "y.png": {"a": False}}),
    ('path,a\r\n"x,1.png","say ""hi"""\r\n', {"x,1.png": {"a": 'say "hi"'}}),
    ("file_name,n,f\nx.png,3,.5\ny.png,,2\n", {"x.png": {"n": 3, "f": 0.5}, "y.png": {"f": 2}}),
    ("path,mixed\nx.png,true\ny.png,1\n", {"x.png": {"mixed": "true"}, "y.png": {"mixed": "1"}}),
    ("\ufeffpath,a\n./sub\\x.png, b \n", {"sub/x.png": {"a": "b"}}),
]


@pytest.mark.parametrize(("text", "rows"), CASES)
def test_a_csv_is_read_as_an_ingest_reads_it(
    visit: Begin, text: str, rows: dict[str, dict[str, object]]
) -> None:
    page = visit().open("#view=jobs")
    found = page.evaluate(
        """async text => {
          const {readLabels} = await import("/web/js/csv.js");
          return Object.fromEntries(readLabels(text).rows);
        }""",
        text,
    )
    assert found == rows


def test_a_waiting_job_is_cancelled(visit: Begin, own_site: str, folder: Path) -> None:
    page = visit(site=own_site).open("#view=ingest")
    page.get_by_label("Choose pictures…").set_input_files(sorted(folder.glob("face_*.png")))
    page.get_by_role("button", name="Add 3 pictures").click()
    expect(page).to_have_url(re.compile("job="))
    page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    row = page.locator(".joblist > li").first
    row.get_by_role("button", name="Cancel").click()
    expect(row.get_by_text("cancelled", exact=True)).to_be_visible(timeout=JOB_MS)
    expect(row.get_by_role("button", name="Cancel")).to_be_hidden()
