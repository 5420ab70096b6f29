"""docs/http.md, written from the OpenAPI document: `python -m api.http.reference`.

With `--record`, the worked examples are asked anew first, of a database of drawn faces.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.testclient import TestClient

import latentdb
from api.http.app import create_app
from api.http.document import describe
from api.http.examples import COUNT, EXAMPLES, JOB, RECORDED, SEED, cut
from api.http.outline import TAKES_PICTURE, Chapter, Operation, Row, chapters
from api.http.routes import ROUTERS
from api.http.submission import ACCEPTED
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.zoo.faces import write_folder

PAGE: Final = Path(__file__).parents[2] / "docs" / "http.md"
_HEAD: Final = """\
# The HTTP API

Written by `python -m api.http.reference` from the OpenAPI document that a server has at
`/openapi.json`; the same as a page is at `/docs`. `latentdb serve DB` starts a server, and
[serving.md](serving.md) says how to run one for others. Every example was asked of a database of
sixty drawn faces in the bundled spaces; long texts and lists are cut in what is shown.

"""


def document() -> dict[str, Any]:
    """The OpenAPI document of this version."""
    app = FastAPI(title="latentdb", version=latentdb.__version__)
    for router in ROUTERS:
        app.include_router(router)
    describe(app, ROUTERS)
    return app.openapi()


def page(of: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    said: str = of["info"]["description"]
    return _HEAD + said + "".join(_lines(chapters(of)))


def _lines(found: Sequence[Chapter]) -> Iterator[str]:
    for chapter in found:
        yield f"\n## {chapter.name.capitalize()}\n\n{chapter.description}\n"
        for operation in chapter.operations:
            yield from _operation(operation)


def _operation(operation: Operation) -> Iterator[str]:
    yield f"\n### `{operation.name}`\n\n{operation.summary}.\n"
    if operation.description:
        yield f"\n{operation.description}\n"
    if operation.parameters:
        yield from _table("parameter", operation.parameters)
    if operation.takes_picture:
        yield f"\n{TAKES_PICTURE}\n"
    if operation.fields:
        yield from _table("field", operation.fields)
    for one in operation.examples:
        yield f"\n{one.summary}:\n\n```console\n$ {one.command}\n```\n"
        yield f"\n```json\n{one.answer}\n```\n"
    needs = f"Needs scope *{operation.scope}*. " if operation.scope else ""
    yield f"\n{needs}Answers {', '.join(status for status, _ in operation.statuses)}.\n"


def _table(head: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f"\n| {head} | type | |\n|---|---|---|\n"
    for row in rows:
        name = f"**`{row.name}`**" if row.is_required else f"`{row.name}`"
        kind, said = (text.replace("|", "\\|") for text in (row.kind, row.said))
        yield f"| {name} | {kind} | {said} |\n"


def record(db: LatentDB) -> dict[str, list[dict[str, Any]]]:
    """Ask every example, in order, of a server over `db`; jobs are taken on and not done.

    Raises
    ------
    ValueError
        One was refused.
    """
    settings = ServerSettings(runs_jobs=False)
    found: dict[str, list[dict[str, Any]]] = {}
    job = JOB
    with TestClient(create_app(db, settings=settings), base_url="http://localhost") as client:
        for example in EXAMPLES:
            response = client.request(**example.request(job=job))
            if not response.is_success:
                raise ValueError(f"{example.operation} ({example.name}): {response.text}")
            if job == JOB and response.status_code == ACCEPTED:
                job = response.json()["id"]
            answer = cut(json.loads(response.text.replace(job, JOB)))
            found.setdefault(example.operation, []).append({**example.to_json(), "answer": answer})
    return found


def example_database(folder: Path, spaces: Sequence[str], device: str = "cpu") -> LatentDB:
    """The database that the examples are asked of, in a space with text and one of noise."""
    write_folder(folder / "faces", COUNT, seed=SEED)
    labels = folder / "faces" / "labels.csv"
    db = latentdb.create(folder / "faces.ldb", spaces=list(spaces), device=device)
    db.ingest(folder / "faces", options=IngestOptions(labels=labels, workers=0))
    db.store.hide_paths()
    clip, noise = db.spaces()
    db.build_index(clip)
    db.stitch(clip, noise, force=True)
    for name, space in (("hat", clip), ("hat", noise), ("beard", noise)):
        db.fit_direction(name, space=space, label=name)
    return db


def main() -> None:
    """Write docs/http.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="ask the examples anew")
    if parser.parse_args().record:
        with tempfile.TemporaryDirectory() as folder:
            answers = record(example_database(Path(folder), ["faces-clip", "faces-noise"]))
        text = json.dumps(answers, indent=1, ensure_ascii=False, allow_nan=False)
        RECORDED.write_text(text + "\n", encoding="utf-8")
    PAGE.write_text(page(document()), encoding="utf-8")


if __name__ == "__main__":
    main()
