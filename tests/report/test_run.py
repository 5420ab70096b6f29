"""The whole report, over spaces that are made and one by a tiny diffusion model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_spaces import make_db, views
from typer.testing import CliRunner, Result

import latentdb
from api.cli.main import app
from indexers.errors import ParameterError
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.report.run import STUDIES, study, write_report
from latentdb.report.study import Absent
from latentdb.zoo.faces import write_folder

N = 160


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """A noise space of 4 × 4 × 4 codes and two embeddings of what it is a view of."""
    z, (noise, left, right) = views(N, dims=[64, 12, 9], shared=3, private=1.0)
    spaces = {
        "<b>noise": ("noise", noise),
        "left": ("embedding", left),
        "right": ("embedding", right),
    }
    spaces["noise"] = spaces.pop("<b>noise")
    labels = {"sign": (z[:, 0] > 0).tolist(), "kind": ["<i>cat</i>", "dog", "owl", "elk"] * 40}
    return make_db(tmp_path_factory.mktemp("run") / "made & <b>.ldb", spaces, labels)


@pytest.fixture(scope="module")
def page(db: LatentDB, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its quick report."""
    folder = tmp_path_factory.mktemp("page")
    db.report(folder, quick=True)
    return (folder / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, tiny_model: Callable[[str], Path]) -> LatentDB:
    """Drawn faces in a noise space with its model."""
    folder = tmp_path_factory.mktemp("drawn")
    write_folder(folder / "faces", N, seed=5)
    spec = f"noise=diffusers:{tiny_model('unconditional')}?steps=2&iterations=1"
    made = latentdb.create(folder / "faces.ldb", spaces=[spec], device="cpu")
    labels = folder / "faces" / "labels.csv"
    made.ingest(folder / "faces", options=IngestOptions(labels=labels, workers=0))
    return made


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_database_without_a_model_has_all_but_the_controls(db: LatentDB, tmp_path: Path) -> None:
    told: list[str] = []
    found = db.report(tmp_path / "out" / "deep", quick=True, on_section=told.append)
    assert told == list(STUDIES) == list(found.sections)
    absent = {name: one.why for name, one in found.sections.items() if isinstance(one, Absent)}
    assert list(absent) == ["controls"]
    assert "noise is left out: " in absent["controls"]
    numbers = json.loads((tmp_path / "out" / "deep" / "report.json").read_text("utf-8"))
    assert numbers == json.loads(json.dumps(found.to_json()))
    codes = numbers["sections"]["autocorrelation"]["spaces"]["noise"]
    assert codes["shape"] == [4, 4, 4]


def test_the_page_makes_no_request_and_escapes_texts(page: str) -> None:
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"", page)
    assert "<script" not in page
    assert "made &amp; &lt;b&gt;.ldb" in page
    assert "<i>" not in page
    assert "kind: &lt;i&gt;cat&lt;/i&gt;" in page
    assert "is taken for codes of (4, 4, 4)" in page


def test_drawings_take_their_colours_from_the_page_and_share_no_names(page: str) -> None:
    assert page.count("<svg") >= 7
    assert "var(--s1)" in page
    assert not re.findall(r"#0[01]0[a0][0-9a-f]{2}", page)
    named = re.findall(r' id="([^"]+)"', page)
    assert len(named) == len(set(named))


def test_a_seed_gives_the_same_numbers_whatever_else_is_studied(db: LatentDB) -> None:
    few = study(db.catalog, quick=True, sections=["gaussianity", "neighbourhoods"], seed=3)
    more = study(
        db.catalog, quick=True, sections=["neighbourhoods", "norm_law", "gaussianity"], seed=3
    )
    assert list(more.sections) == ["gaussianity", "norm_law", "neighbourhoods"]
    for name, one in few.sections.items():
        assert one.to_json() == more.sections[name].to_json()
    other = study(db.catalog, quick=True, sections=["gaussianity"], seed=4)
    assert other.sections["gaussianity"].to_json() != few.sections["gaussianity"].to_json()


def test_the_limit_takes_the_same_items_of_every_space(db: LatentDB) -> None:
    found = study(db.catalog, quick=True, sections=["neighbourhoods"], limit=120)
    assert {facts["n"] for facts in found.spaces.values()} == {120}
    assert found.sections["neighbourhoods"].to_json()["n"] == 120


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"sections": ["weather"]}, "there is no section weather; there are gaussianity"),
        ({"limit": 0}, "limit is at least 1"),
        ({"seed": -1}, "seed at least 0"),
    ],
)
def test_what_cannot_be_studied_is_refused(
    db: LatentDB, tmp_path: Path, options: dict[str, Any], match: str
) -> None:
    with pytest.raises(ParameterError, match=match):
        write_report(db.catalog, tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("spaces", "labels", "absent"),
    [
        ({}, {}, dict.fromkeys(STUDIES, "")),
        (
            {"only": ("embedding", 50)},
            {},
            {"gaussianity": r"at least 100 items; there is only \(50\)", "probes": "No item"},
        ),
        (
            {"only": ("embedding", 120)},
            {"hat": [i % 2 == 0 for i in range(120)]},
            {
                "autocorrelation": "needs a noise space of at least 100 items; there is none",
                "singular_values": "noise space",
                "controls": "noise space",
                "probe_agreement": r"needs 2 spaces of at least 100 items; there is only \(120\)",
                "shared_accuracy": "2 spaces",
                "neighbourhoods": "2 spaces",
            },
        ),
    ],
)
def test_a_section_says_why_it_is_not_there(
    tmp_path: Path,
    spaces: dict[str, tuple[Any, int]],
    labels: dict[str, Any],
    absent: dict[str, str],
) -> None:
    rng = np.random.default_rng(0)
    made = {name: (kind, rng.standard_normal((n, 16))) for name, (kind, n) in spaces.items()}
    db = make_db(tmp_path / "a.ldb", made, labels)
    found = db.report(tmp_path / "out", quick=True)
    why = {name: one.why for name, one in found.sections.items() if isinstance(one, Absent)}
    for name, text in absent.items():
        assert re.search(text, why[name]), why[name]
    if len(spaces) == 1 and labels:
        assert set(why) == set(absent)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert page.count("Not here: ") == len(why)


def test_controls_stand_beside_the_noise_of_the_same_items(drawn: LatentDB) -> None:
    found = study(drawn.catalog, quick=True, sections=["controls"]).sections["controls"]
    one = found.to_json()["spaces"]["noise"]
    assert one["n"] == N
    assert list(one["kinds"]) == ["latent", "leak", "noise"]
    # A code that was not trained says much of its picture; what is left under fresh noise, little.
    assert one["kinds"]["latent"]["mean_auc"]["value"] > 0.7
    assert one["alpha_bar_last"] < 0.1
    assert one["kinds"]["leak"]["mean_auc"]["value"] < one["kinds"]["latent"]["mean_auc"]["value"]
    names = [set(kind["attributes"]) for kind in one["kinds"].values()]
    assert names[0] == names[1] == names[2]


def test_the_command_writes_both_files_and_prints_the_numbers(db: LatentDB, tmp_path: Path) -> None:
    words = ("report", db.uri, "--out", tmp_path / "out", "--quick", "--json")
    result = run(*words, "--sections", "norm_law, controls", "--limit", 150, "--seed", 2)
    assert result.exit_code == 0, result.output
    numbers = json.loads(result.stdout)
    assert list(numbers["sections"]) == ["norm_law", "controls"]
    assert (numbers["seed"], numbers["plan"]["limit"]) == (2, 150)
    assert "controls: " in result.stderr
    assert "report.html" in result.stderr
    assert (tmp_path / "out" / "report.json").is_file()


def test_a_section_that_is_not_there_ends_the_command(
    db: LatentDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("report", db.uri, "--out", "out", "--sections", "weather")
    assert result.exit_code == 2
    assert "there is no section weather" in result.stderr
    Path("file").write_text("")
    assert "is a file" in run("report", db.uri, "--out", "file").stderr
