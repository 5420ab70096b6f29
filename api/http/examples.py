"""Worked examples of the HTTP API: what is asked, and what a server with bundled models answered.

Asked of a database of the sixty drawn faces of `latentdb.zoo.faces.write_folder(…, 60, seed=5)`
in the bundled spaces faces-clip and faces-noise; `python -m api.http.reference --record` asks
again. Texts longer than `LONGEST` are cut in what is shown, lists and labels after `MOST`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from latentdb.wire.arrays import array_to_wire

RECORDED: Final = Path(__file__).parent / "examples.json"
COUNT, SEED = 60, 5
LONGEST, MOST = 60, 3

_ONE, _OTHER = "34160078700414141", "48942606127486636"
# Stands for the id of the first job that the examples begin, which is drawn.
JOB: Final = "12ba19725d88c64ce40718ba115a2a3a"


@final
@dataclass(frozen=True)
class Example:
    """One request.

    Parameters
    ----------
    operation : str
        Such as "POST /v1/search".
    name, summary : str
        A short name, and a line that says what is asked.
    body : JSON value
        None where there is none.
    parameters : mapping
        Of the path, the query and the headers, by name.
    """

    operation: str
    name: str
    summary: str
    body: Any = None
    parameters: Mapping[str, str | int] = field(default_factory=dict)

    def request(self, *, job: str = JOB) -> dict[str, Any]:
        """Keyword arguments of an HTTP client; `job` is the id of the first job begun."""
        method, _, path = self.operation.partition(" ")
        said: dict[str, Any] = {"method": method, "params": {}, "headers": {}}
        for name, value in self.parameters.items():
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", job if value == JOB else str(value))
            else:
                said["headers" if "-" in name else "params"][name] = value
        if self.body is not None:
            said["json"] = self.body
        return {**said, "url": path}

    def to_json(self) -> dict[str, Any]:
        """As the recorded examples hold it."""
        body = {} if self.body is None else {"body": self.body}
        said = {"name": self.name, "summary": self.summary, "parameters": dict(self.parameters)}
        return {**said, **body}


EXAMPLES: Final[Sequence[Example]] = (
    Example("GET /v1/database", "database", "What there is, and what may be asked"),
    Example("GET /v1/spaces", "spaces", "The spaces"),
    Example("GET /v1/spaces/{name}", "space", "One space", parameters={"name": "faces-noise"}),
    Example(
        "POST /v1/search",
        "text",
        "Nearest to a text",
        {"text": "a face with a hat", "k": 2},
    ),
    Example(
        "POST /v1/search",
        "item",
        "Like a stored item, with beards only, asked of the noise space by its own metric",
        {"id": _ONE, "space": "faces-noise", "metric": "nao", "where": "beard", "k": 2},
    ),
    Example(
        "POST /v1/search",
        "several",
        "A text and items together, moved along a direction, and why each hit is one",
        {
            "text": "a smiling face",
            "like": {_ONE: 1.0},
            "unlike": [_OTHER],
            "weights": {"text": 0.5},
            "directions": {"hat": 1.5},
            "explain": True,
            "k": 1,
        },
    ),
    Example(
        "POST /v1/rank",
        "direction",
        "Those with the most of a hat",
        {"direction": "hat", "space": "faces-clip", "k": 2},
    ),
    Example(
        "POST /v1/rank",
        "energy",
        "The least typical",
        {"by": "energy", "space": "faces-clip", "k": 2},
    ),
    Example(
        "POST /v1/edit",
        "hat",
        "Take the hat away, and add one, leaving beards alone",
        {"id": _ONE, "directions": {"hat": 2.0}, "strengths": [-1.0, 1.0], "keep": ["beard"]},
    ),
    Example(
        "POST /v1/edit",
        "pair",
        "Add what one item has over another, and say where that leads without pictures",
        {
            "id": _ONE,
            "pair": {"start": _ONE, "end": _OTHER, "method": "difference"},
            "pictures": False,
        },
    ),
    Example(
        "POST /v1/interpolate",
        "path",
        "Three points on the shortest path in noise",
        {"start": _ONE, "end": _OTHER, "steps": 3},
    ),
    Example(
        "POST /v1/interpolate",
        "arc",
        "An arc in an encoder's space, where the nearest items stand for its points",
        {"start": _ONE, "end": _OTHER, "space": "faces-clip", "method": "slerp", "steps": 3},
    ),
    Example(
        "POST /v1/centroid",
        "ids",
        "The middle of two items, and its picture",
        {"ids": [_ONE, _OTHER], "k": 1},
    ),
    Example(
        "POST /v1/centroid",
        "where",
        "The middle of all hats in an encoder's space",
        {"where": "hat", "space": "faces-clip", "k": 1},
    ),
    Example(
        "POST /v1/imagine",
        "text",
        "A new picture of a text",
        {"text": "a face with a hat", "n": 1, "seed": 7, "temperature": 0.8},
    ),
    Example(
        "POST /v1/decode",
        "array",
        "The picture of a vector, here of zeros, sent to the bit",
        {
            "space": "faces-noise",
            "vectors": array_to_wire(np.zeros((1, 1024), np.float32)),
        },
    ),
    Example("GET /v1/items", "hats", "Items with hats", parameters={"where": "hat", "limit": 2}),
    Example("GET /v1/items/{item_id}", "item", "One item", parameters={"item_id": _ONE}),
    Example(
        "PUT /v1/items/{item_id}/labels",
        "label",
        "Set one label and take another away",
        {"hat": True, "caption": None},
        {"item_id": _OTHER},
    ),
    Example("GET /v1/quarantine", "none", "Files that could not be used"),
    Example("GET /v1/indexes", "indexes", "Indexes on disk"),
    Example("GET /v1/maps", "maps", "Maps and their scores"),
    Example("GET /v1/directions", "directions", "Directions and their scores"),
    Example(
        "GET /v1/spaces/{name}/projection",
        "pca",
        "Two items of a space as points of a plane",
        parameters={"name": "faces-clip", "limit": 2},
    ),
    Example(
        "GET /v1/spaces/{name}/values",
        "norm",
        "The norms of the same two",
        parameters={"name": "faces-clip", "limit": 2, "by": "norm"},
    ),
    Example(
        "POST /v1/indexes",
        "index",
        "Build an index",
        {"space": "faces-clip", "metric": "cosine", "kind": "hnsw"},
        {"Idempotency-Key": "my-first-index"},
    ),
    Example(
        "POST /v1/indexes",
        "refresh",
        "Bring the index there is up to its table",
        {"space": "faces-clip", "metric": "cosine", "refresh": True},
    ),
    Example("POST /v1/compaction", "compact", "Merge small pieces of the tables", {}),
    Example(
        "POST /v1/audits",
        "audit",
        "Check a sample of what an index finds",
        {"space": "faces-clip", "questions": 50},
    ),
    Example(
        "POST /v1/maps",
        "map",
        "Fit a map that questions go through from one space to another",
        {"source": "faces-noise", "target": "faces-clip"},
    ),
    Example(
        "POST /v1/directions",
        "label",
        "Fit a direction from a label",
        {"name": "scarf", "space": "faces-noise", "label": "scarf"},
    ),
    Example(
        "POST /v1/directions",
        "text",
        "Make a direction of two texts",
        {"name": "glad", "space": "faces-clip", "text": ["a smiling face", "a serious face"]},
    ),
    Example("POST /v1/energy", "energy", "Measure energies", {"space": "faces-clip"}),
    Example("POST /v1/projections", "umap", "Lay a space out by UMAP", {"space": "faces-clip"}),
    Example("POST /v1/reports", "quick", "Study all spaces quickly", {"quick": True}),
    Example("GET /v1/reports", "reports", "Finished studies"),
    Example("GET /v1/jobs", "jobs", "The newest job", parameters={"limit": 1}),
    Example("GET /v1/jobs/{job_id}", "job", "One job", parameters={"job_id": JOB}),
    Example("DELETE /v1/jobs/{job_id}", "cancel", "End a job", parameters={"job_id": JOB}),
)


def recorded() -> dict[str, list[dict[str, Any]]]:
    """The examples as they were asked and answered, by operation."""
    found: dict[str, list[dict[str, Any]]] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def cut(value: Any) -> Any:
    """An answer with its long texts, lists and labels cut short, for people to read."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
    if isinstance(value, list):
        return [cut(one) for one in value[:MOST]]
    if isinstance(value, dict):
        return {name: cut(_few(one) if name == "labels" else one) for name, one in value.items()}
    return value


def _few(labels: Any) -> Any:
    return dict(islice(labels.items(), MOST)) if isinstance(labels, dict) else labels
