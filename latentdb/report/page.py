"""One self-contained HTML page: what is in a database, what was learned, what it answers."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from PIL import Image

from latentdb.catalog import Catalog
from latentdb.filters import filter_ids
from latentdb.ingest.decode import thumbnail_of
from latentdb.pictures import describe_query, short_labels
from latentdb.query import read_picture
from latentdb.report.template import render_template
from latentdb.types import Answer, Hit, LabelValue

_PNG = b"\x89PNG"


@final
@dataclass(frozen=True)
class Asked:
    """A question with its answer, as a section of the page.

    Parameters
    ----------
    title : str
        What the section shows.
    command : str
        The command line that asks the same.
    answer : Answer
        What came.
    wanted : mapping of label to value
        What a good hit has; the page counts how many do, beside the share of all items that do.
    """

    title: str
    command: str
    answer: Answer
    wanted: Mapping[str, LabelValue] = field(default_factory=dict)


@final
@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture that was made, as a section of the page, with the command line that makes it."""

    title: str
    command: str
    picture: Image.Image


def render_page(
    catalog: Catalog,
    asked: Sequence[Asked],
    *,
    title: str,
    facts: Mapping[str, str],
    drawn: Sequence[Drawn] = (),
) -> str:
    """HTML of one page, pictures included; it makes no request.

    Parameters
    ----------
    catalog : Catalog
        What is described.
    asked : sequence of Asked
        Sections, in order.
    title : str
        Of the page.
    facts : mapping of str to str
        Shown large at the top, such as the number of pictures.
    drawn : sequence of Drawn
        Sections after those of the questions.
    """
    return render_template(
        "page.html",
        title=title,
        facts=facts,
        spaces=list(catalog.spaces().values()),
        indexes=catalog.indexes.infos(),
        maps=catalog.maps.all(),
        directions=catalog.directions.all(),
        sections=[_section(catalog, question) for question in asked],
        figures=[_figure(one) for one in drawn],
    )


def _figure(drawn: Drawn) -> dict[str, str]:
    file = io.BytesIO()
    drawn.picture.save(file, "PNG", optimize=True)
    picture = _data_uri(file.getvalue())
    return {"title": drawn.title, "command": drawn.command, "picture": picture}


def _section(catalog: Catalog, asked: Asked) -> dict[str, Any]:
    """What the template shows of one question."""
    answer = asked.answer
    question, how = describe_query(answer.query)
    return {
        "title": asked.title,
        "command": asked.command,
        "question": question,
        "how": how,
        "space": answer.space,
        "metric": answer.metric,
        "exact": answer.exact,
        "subject": _subject(catalog, answer),
        "score": _score(catalog, asked) if asked.wanted else None,
        "hits": [_tile(catalog, hit, asked.wanted) for hit in answer.hits],
    }


def _subject(catalog: Catalog, answer: Answer) -> str | None:
    """The picture that was asked with, where there was one and it can still be read."""
    kind, value = answer.query.get("kind"), answer.query.get("value")
    if kind == "id":
        return _data_uri(catalog.store.thumbnail(int(str(value))))
    if kind == "image" and Path(str(value)).is_file():
        return _data_uri(thumbnail_of(read_picture(str(value))))
    return None


def _tile(catalog: Catalog, hit: Hit, wanted: Mapping[str, LabelValue]) -> dict[str, Any]:
    return {
        "picture": _data_uri(catalog.store.thumbnail(hit.id)),
        "distance": f"{hit.distance:.3f}",
        "labels": short_labels(hit.labels) or hit.source,
        "good": _has(hit.labels, wanted) if wanted else None,
    }


def _score(catalog: Catalog, asked: Asked) -> dict[str, Any]:
    """How many hits have what was wanted, and how many of all that could be hits do."""
    hits, where = asked.answer.hits, asked.answer.query.get("where")
    ids = catalog.store.item_ids() if where is None else filter_ids(catalog.store, where, None)
    possible = catalog.store.items(ids.tolist())
    base = sum(_has(item.labels, asked.wanted) for item in possible) / max(1, len(possible))
    named = [name if value else f"not {name}" for name, value in asked.wanted.items()]
    return {
        "wanted": " and ".join(named).replace("_", " "),
        "good": sum(_has(hit.labels, asked.wanted) for hit in hits),
        "total": len(hits),
        "base": f"{base:.0%}",
        "among": "all pictures" if where is None else f"all where {where}",
    }


def _has(labels: Mapping[str, LabelValue], wanted: Mapping[str, LabelValue]) -> bool:
    return all(labels.get(name) == value for name, value in wanted.items())


def _data_uri(picture: bytes) -> str:
    kind = "png" if picture.startswith(_PNG) else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
