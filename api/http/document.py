"""The OpenAPI document: what FastAPI knows of the routes, with answers and worked examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from api.http.access import Needs
from api.http.examples import recorded
from api.http.models import answers, drawn, learned, requests

_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_VALIDATOR: Final = {"$ref": "#/components/schemas/HTTPValidationError"}
_METHODS: Final = frozenset({"get", "post", "put", "delete"})

TAGS: Final[Mapping[str, str]] = {
    "questions": "Search by text, picture, item or vector, and rank along a direction.",
    "pictures": "Edits, curves, centroids and imagined pictures. They are computed a few at a "
    "time; when too many wait, the answer is 503 with Retry-After.",
    "items": "Stored pictures: list, look at, upload, label, delete.",
    "database": "What there is, and what this server lets its client do.",
    "map": "A space as points of a plane.",
    "learned": "Indexes, maps and directions: what is there, and jobs that make more.",
    "studies": "Jobs that measure a whole space or database.",
    "jobs": "Long work. It outlives a restart of the server, and any server tells of it.",
    "session": "Logging the web page in with a key.",
    "health": "For whatever watches the server.",
}

# What a good answer is, by operation; routes themselves check none of it.
ANSWERS: Final[Mapping[str, Any]] = {
    "POST /v1/search": answers.SearchAnswer,
    "POST /v1/rank": answers.SearchAnswer,
    "POST /v1/edit": drawn.EditAnswer,
    "POST /v1/interpolate": drawn.InterpolateAnswer,
    "POST /v1/centroid": drawn.CentroidAnswer,
    "POST /v1/imagine": drawn.ImagineAnswer,
    "POST /v1/decode": drawn.DecodeAnswer,
    "GET /v1/database": answers.Database,
    "GET /v1/spaces": list[answers.CountedSpace],
    "GET /v1/spaces/{name}": answers.CountedSpace,
    "GET /v1/spaces/{name}/projection": learned.Projection,
    "GET /v1/spaces/{name}/values": learned.Values,
    "GET /v1/items": answers.ItemPage,
    "POST /v1/items": learned.UploadAccepted,
    "GET /v1/items/{item_id}": answers.Item,
    "PUT /v1/items/{item_id}/labels": answers.Item,
    "GET /v1/quarantine": list[answers.Quarantined],
    "GET /v1/indexes": list[answers.Index],
    "POST /v1/indexes": learned.Job,
    "POST /v1/compaction": learned.Job,
    "POST /v1/audits": learned.Job,
    "GET /v1/maps": list[learned.Map],
    "POST /v1/maps": learned.Job,
    "POST /v1/shared-spaces": learned.Job,
    "GET /v1/directions": list[learned.Direction],
    "POST /v1/directions": learned.Job,
    "POST /v1/energy": learned.Job,
    "POST /v1/projections": learned.Job,
    "POST /v1/reports": learned.Job,
    "GET /v1/reports": list[learned.Report],
    "GET /readyz": answers.Ready,
    "GET /v1/jobs": list[learned.Job],
    "GET /v1/jobs/{job_id}": learned.Job,
    "DELETE /v1/jobs/{job_id}": learned.Job,
}
# Bodies that their routes read themselves, so that FastAPI does not see them.
_READ_BODIES: Final[tuple[type[BaseModel], ...]] = (
    requests.SearchRequest,
    requests.RankRequest,
    requests.EditRequest,
    requests.InterpolateRequest,
    requests.CentroidRequest,
    requests.ImagineRequest,
    requests.DecodeRequest,
)
_DESCRIPTION: Final = """\
Search a collection of pictures by text, picture, item or vector, in several spaces; edit, join
and imagine pictures; and keep the collection, over HTTP.

**Keys.** A server that others reach wants a key with every request: `Authorization: Bearer
ldb_…`. Keys have a scope: *read* for every GET and every question, *write* to upload, label,
delete and fit, *admin* to build indexes, studies and shared spaces.

**Ids** have 63 bits. JSON carries them as numbers, which JavaScript rounds: read them from the
field `image` that stands beside each, and send them as strings.

**Pictures** in answers are PNG in base64, in fields named `png`; `"pictures": false` leaves them
out. **Vectors** come where `"vectors": true` asks for them, to the bit: dtype, shape and
little-endian bytes in base64.

**Errors** are problem+json (RFC 9457). The end of `type` is a code that stays the same.

**Long work** is a job: the answer is 202 with the job and its address in `Location`. A POST with
an `Idempotency-Key` can be sent again and begins no second job.
"""


def describe(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Have `app` serve this document of its routers at its `/openapi.json`."""
    app.openapi = partial(_document, app, routers)  # type: ignore[method-assign]


def _document(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The document of an app, made when it is first asked for."""
    if app.openapi_schema is None:
        app.openapi_schema = _made(app, dict(_scopes(routers)))
    return app.openapi_schema


def _made(app: FastAPI, scopes: Mapping[str, str]) -> dict[str, Any]:
    made = get_openapi(
        title="latentdb",
        version=app.version,
        summary="Pictures in the spaces of models: search, edit, imagine.",
        description=_DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": said} for name, said in TAGS.items()],
    )
    schemas = made["components"]["schemas"]
    good = _add_models(schemas)
    shown = recorded()
    for name, operation in operations(made):
        _say(operation)
        operation["x-scope"] = scopes.get(name)
        _share_problems(operation, schemas)
        if name in good:
            _good_answer(operation)["content"] = {_JSON: {"schema": good[name]}}
        for one in shown.get(name, ()):
            _show(operation, one)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return made


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation of a document, with its name, such as `POST /v1/search`."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield f"{method.upper()} {path}", operation


def _scopes(routers: Sequence[APIRouter]) -> Iterator[tuple[str, str]]:
    """The scope that a key needs, by operation."""
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute):
            for one in route.dependant.dependencies:
                if isinstance(one.call, Needs):
                    for method in route.methods or ():
                        yield f"{method} {route.path}", one.call.scope


def _add_models(schemas: dict[str, Any]) -> dict[str, Any]:
    """Add what bodies and answers are made of; the schema of each operation's good answer."""
    read = [(model.__name__, "validation", TypeAdapter(model)) for model in _READ_BODIES]
    told = [(name, "serialization", TypeAdapter(kind)) for name, kind in ANSWERS.items()]
    found, rest = TypeAdapter.json_schemas(
        [*read, *told],  # type: ignore[list-item]
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(rest["$defs"])
    return {str(name): schema for (name, mode), schema in found.items() if mode == "serialization"}


def _say(operation: dict[str, Any]) -> None:
    """The first sentence of a route's docstring as its summary, the rest as its description."""
    text = operation.pop("description", operation["summary"])
    first, ended, rest = text.partition(". ")
    if not ended:
        first, _, rest = text.partition("\n\n")
    operation["summary"] = " ".join(first.split()).rstrip(".")
    if rest:
        operation["description"] = rest


def _share_problems(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Name the schema of problems once; what a validator refuses is told as one, too."""
    for response in operation["responses"].values():
        content = response.get("content", {})
        if _PROBLEM in content:
            schemas["Problem"] = content[_PROBLEM]["schema"]
        is_refusal = content.get(_JSON, {}).get("schema") == _VALIDATOR
        if _PROBLEM in content or is_refusal:
            problem = {"$ref": "#/components/schemas/Problem"}
            response["content"] = {_PROBLEM: {"schema": problem}}


def _good_answer(operation: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = next(
        response for status, response in operation["responses"].items() if status < "3"
    )
    return good


def _show(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    """Add a worked example: what was asked, and what was answered."""
    name = example["name"]
    for parameter in operation.get("parameters", []):
        if (given := example["parameters"].get(parameter["name"])) is not None:
            parameter.setdefault("examples", {})[name] = {"value": given}
    if "body" in example:
        body = operation["requestBody"]["content"][_JSON]
        said = {"summary": example["summary"], "value": example["body"]}
        body.setdefault("examples", {})[name] = said
    if "answer" in example:
        content = _good_answer(operation)["content"][_JSON]
        said = {"summary": example["summary"], "value": example["answer"]}
        content.setdefault("examples", {})[name] = said
