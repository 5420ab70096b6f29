"""The OpenAPI document as a page of its own, without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from api.http.outline import TAKES_PICTURE, Chapter, Operation, Row, Shown, chapters

_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*\s][^*]*)\*"), r"<em>\1</em>"),
)


def html_page(document: Mapping[str, Any]) -> str:
    """The document as HTML; every text of it is escaped."""
    found = chapters(document)
    title = f"{escape(document['info']['title'])} {escape(document['info']['version'])}"
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{title}: HTTP API</title>\n",
            '<link rel="icon" href="/web/icon.svg">\n',
            '<link rel="stylesheet" href="/web/docs.css">\n',
            f"</head>\n<body>\n<header><h1>{title}: HTTP API</h1>\n",
            '<p><a href="/">The page</a> · <a href="/openapi.json">The document as JSON</a></p>\n',
            _prose(document["info"]["description"]),
            "</header>\n",
            *_contents(found),
            "<main>\n",
            *(part for chapter in found for part in _chapter(chapter)),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _contents(found: Sequence[Chapter]) -> Iterator[str]:
    yield '<nav aria-label="Contents">\n<ul>\n'
    for chapter in found:
        yield f"<li>{escape(chapter.name.capitalize())}<ul>\n"
        for one in chapter.operations:
            yield f'<li><a href="#{_anchor(one)}"><code>{escape(one.name)}</code></a></li>\n'
        yield "</ul></li>\n"
    yield "</ul>\n</nav>\n"


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield f"<h2>{escape(chapter.name.capitalize())}</h2>\n{_prose(chapter.description)}"
    for one in chapter.operations:
        yield from _operation(one)


def _operation(one: Operation) -> Iterator[str]:
    yield f'<section id="{_anchor(one)}">\n<h3><code>{escape(one.name)}</code></h3>\n'
    yield _prose(f"{one.summary}.\n\n{one.description}")
    if one.takes_picture:
        yield _prose(TAKES_PICTURE)
    if one.parameters:
        yield from _table("Parameter", one.parameters)
    if one.fields:
        yield from _table("Field", one.fields)
    for example in one.examples:
        yield from _example(example)
    needs = f"Needs scope <em>{escape(one.scope)}</em>. " if one.scope else ""
    yield f"<details><summary>{needs}Answers</summary>\n<dl>\n"
    for status, said in one.statuses:
        yield f"<dt>{escape(status)}</dt><dd>{escape(said)}</dd>\n"
    yield "</dl></details>\n</section>\n"


def _table(head: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f'<table>\n<thead><tr><th scope="col">{head}</th><th scope="col">Type</th>'
    yield '<th scope="col">Meaning</th></tr></thead>\n<tbody>\n'
    for row in rows:
        needed = " <small>required</small>" if row.is_required else ""
        yield f'<tr><th scope="row"><code>{escape(row.name)}</code>{needed}</th>'
        yield f"<td>{escape(row.kind)}</td><td>{_inline(row.said)}</td></tr>\n"
    yield "</tbody>\n</table>\n"


def _example(example: Shown) -> Iterator[str]:
    yield f"<details><summary>{escape(example.summary)}</summary>\n"
    for text in (example.command, example.answer):
        yield f'<pre tabindex="0"><code>{escape(text)}</code></pre>\n'
    yield "</details>\n"


def _prose(text: str) -> str:
    """Paragraphs, with what Markdown marks in them."""
    parts = [part for part in text.split("\n\n") if part.strip()]
    return "".join(f"<p>{_inline(part)}</p>\n" for part in parts)


def _inline(text: str) -> str:
    marked = escape(text)
    for pattern, replaced in _INLINE:
        marked = pattern.sub(replaced, marked)
    return marked


def _anchor(one: Operation) -> str:
    """`POST /v1/items/{id}` as `post-v1-items-id`."""
    return re.sub(r"[^a-z0-9]+", "-", one.name.lower()).strip("-")
