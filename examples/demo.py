"""A whole database in one go: faces made, ingested, indexed, stitched and asked.

    python examples/demo.py demo

Everything goes into the one folder; running it again goes on where it was.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import latentdb
from latentdb.database import LatentDB
from latentdb.directions.fit import DirectionMethod
from latentdb.ingest import IngestOptions
from latentdb.ingest.progress import RichProgress
from latentdb.paths.sheets import centroid_sheet, interpolation_sheet
from latentdb.pictures import answer_sheet
from latentdb.query import read_picture
from latentdb.report.page import Asked, Drawn, render_page
from latentdb.types import IngestSummary
from latentdb.zoo.faces import DEMO_SEED, write_folder
from latentdb.zoo.faces import faces as faces_of

COUNT = 600
SPACES = ("faces-clip", "faces-noise", "faces-ssl")
ATTRIBUTES = ("hat", "glasses", "smiling")
DB = "faces.ldb"


def main(folder: Path) -> None:
    """Make, fill, learn, ask, and say where the pictures are."""
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    faces = folder / "faces"
    if not (faces / "labels.csv").exists():
        say(f"drawing {COUNT} faces that no bundled model was trained on")
        write_folder(faces, COUNT, seed=DEMO_SEED)
    path = folder / DB
    db = latentdb.open(path) if path.exists() else latentdb.create(path, spaces=SPACES)
    summary = fill(db, faces)
    learn(db)
    stranger = folder / "query.png"
    next(faces_of(1, seed=DEMO_SEED, start=COUNT)).image.save(stranger)
    asked = ask(db, stranger)
    for number, question in enumerate(asked, start=1):
        draw(db, question, folder / f"{number}-{_file_name(question.title)}.png")
    drawn = between(db)
    for number, figure in enumerate(drawn, start=len(asked) + 1):
        figure.picture.save(folder / f"{number}-{_file_name(figure.title)}.png")
    facts = {
        "pictures": str(len(db)),
        "spaces": str(len(db.spaces())),
        "pictures / s ingested": f"{summary.added / summary.seconds:.1f}" if summary.added else "–",
        "seconds in all": f"{time.monotonic() - started:.0f}",
    }
    page = folder / "report.html"
    page.write_text(
        render_page(db.catalog, asked, title="Faces", facts=facts, drawn=drawn), encoding="utf-8"
    )
    say(f"pictures of the answers are in {folder}/, the whole story is in {page}")
    say(f"a page to search them: .venv/bin/latentdb serve {path}")


def fill(db: LatentDB, faces: Path) -> IngestSummary:
    """Put the faces into every space, and index them."""
    say("ingesting: decoding, encoding, and inverting every face to its noise")
    with RichProgress() as progress:
        summary = db.ingest(
            faces, options=IngestOptions(labels=faces / "labels.csv"), progress=progress
        )
    db.build_index("faces-clip", metric="cosine")
    db.build_index("faces-noise", metric="nao", prior="fitted")
    db.build_index("faces-ssl", metric="cosine", kind="hnsw")
    return summary


def learn(db: LatentDB) -> None:
    """Fit maps both ways between noise and CLIP, and a few directions in each."""
    for source, target in (("faces-clip", "faces-noise"), ("faces-noise", "faces-clip")):
        scores = db.stitch(source, target).scores
        say(f"map {source} → {target}: recall@10 {scores.recall_at_10}")
    # A difference of means moves a question furthest; a logistic boundary ranks most surely.
    methods: dict[str, DirectionMethod] = {
        "faces-clip": "mean_difference",
        "faces-noise": "logistic",
    }
    for space, method in methods.items():
        for name in ATTRIBUTES:
            direction = db.fit_direction(name, space=space, label=name, method=method)
            assert direction.scores is not None
            say(f"direction {name} in {space}: AUC {direction.scores.auc}")


def ask(db: LatentDB, stranger: Path) -> list[Asked]:
    """The questions of the demo, each with the command that asks the same in the demo's folder.

    `stranger` is a picture that is not in the database.
    """
    bare = next(
        item
        for item in db.items(db.store.item_ids().tolist())
        if not (item.labels["hat"] or item.labels["glasses"])
    )
    text, like = "a smiling face with a hat", f"--id {bare.id}"
    return [
        Asked(
            "Text query",
            f'latentdb search {DB} --text "{text}" -k 10',
            db.search(text=text, k=10),
            {"smiling": True, "hat": True},
        ),
        Asked(
            "Image query",
            f"latentdb search {DB} --image {stranger.name} --space faces-ssl -k 10",
            db.search(image=stranger, space="faces-ssl", k=10),
        ),
        Asked(
            "Neighbours in noise space",
            f"latentdb search {DB} {like} --space faces-noise --metric nao -k 10",
            db.search(id=bare.id, space="faces-noise", metric="nao", k=10),
        ),
        Asked(
            "Text answered in noise space",
            f'latentdb search {DB} --text "a face with glasses" --space faces-noise -k 10',
            db.search(text="a face with glasses", space="faces-noise", k=10),
            {"glasses": True},
        ),
        Asked(
            "From noise to CLIP",
            f"latentdb search {DB} {like} --from faces-noise --space faces-clip -k 10",
            db.search(id=bare.id, from_space="faces-noise", space="faces-clip", k=10),
        ),
        Asked(
            "The same face with a hat",
            f"latentdb search {DB} {like} --space faces-clip --direction hat=2 -k 10",
            db.search(id=bare.id, space="faces-clip", directions={"hat": 2.0}, k=10),
            {"hat": True},
        ),
        Asked(
            "Most smiling without a hat",
            f'latentdb rank {DB} --direction smiling --space faces-noise --where "not hat" -k 10',
            db.rank("smiling", space="faces-noise", where="not hat", k=10),
            {"smiling": True, "hat": False},
        ),
    ]


def between(db: LatentDB) -> list[Drawn]:
    """A walk between two faces and the middle of many, by the NAO metric in noise space."""
    start = db.search(text="a smiling face with a hat", k=1).hits[0].id
    end = db.search(text="a face with glasses and a beard", k=1).hits[0].id
    say("decoding a walk between two faces, and the middle of many")
    walk = db.interpolate(start, end, space="faces-noise", prior="fitted", steps=7)
    where = "hat and glasses and not smiling"
    middle = db.centroid(where=where, space="faces-noise", prior="fitted", k=5)
    walk_command = f"latentdb interpolate {DB} {start} {end} --prior fitted --steps 7 --out F.png"
    middle_command = f'latentdb centroid {DB} --where "{where}" --prior fitted -k 5 --out F.png'
    return [
        Drawn("A walk through noise", walk_command, interpolation_sheet(db, walk)),
        Drawn("The middle of many", middle_command, centroid_sheet(db, middle)),
    ]


def draw(db: LatentDB, question: Asked, path: Path) -> None:
    """One contact sheet."""
    asked = question.answer.query
    subject = None
    if asked["kind"] == "id":
        subject = db.picture(int(asked["value"]))
    elif asked["kind"] == "image":
        subject = read_picture(asked["value"])
    answer_sheet(question.answer, picture=db.picture, query_picture=subject).save(path)


def _file_name(title: str) -> str:
    return title.lower().replace(" ", "-")


def say(text: str) -> None:
    """A line for the reader, apart from the output."""
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
