"""What routes answer with, as the OpenAPI document tells it; hot routes check none of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypeAlias

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from api.http.keys import Scope
from indexers.types import MetricName, PriorName
from latentdb.space import SpaceKind, VectorDType

Id: TypeAlias = Annotated[
    int,
    Field(ge=0, le=2**63 - 1, description="63 bits: more than JavaScript's numbers hold."),
]
ImageAddress: TypeAlias = Annotated[
    str, Field(description="Where the picture is; the id can be read from it.")
]
Scalar: TypeAlias = bool | int | float | str | None
Labels: TypeAlias = dict[str, Scalar]


class EncodedArray(TypedDict):
    """An array to the bit: rows one after the other, little-endian, in base64."""

    dtype: Literal["float32", "float64", "int64"]
    shape: list[int]
    base64: str


class Term(TypedDict):
    """One part of a question or direction, and what it did for a hit."""

    kind: Literal["image", "id", "text", "vector", "direction"]
    what: str
    similarity: Annotated[float | None, Field(description="Cosine of the hit and this part.")]
    position: Annotated[float | None, Field(description="Along a direction, in deviations.")]
    contribution: float
    change: Annotated[float | None, Field(description="What would be lost without it.")]


class Explanation(TypedDict):
    """Why an item is a hit."""

    similarity: float
    base: float
    terms: list[Term]


class Hit(TypedDict):
    """A stored item; lower `distance` is nearer."""

    id: Id
    distance: float
    angular: Annotated[float | None, Field(description="Of the NAO metric: in radians.")]
    radial: Annotated[float | None, Field(description="Of the NAO metric.")]
    source: str
    labels: Labels
    image: ImageAddress
    explain: NotRequired[Explanation]


class SearchAnswer(TypedDict):
    """Hits, nearest first, with what was asked."""

    space: str
    metric: Annotated[str, Field(description="cosine, nao, euclidean, direction or energy.")]
    exact: Annotated[bool, Field(description="Whether the hits are certainly the nearest.")]
    query: dict[str, Any]
    hits: list[Hit]
    recall_at_10: Annotated[
        float, Field(description="What the index was measured to find; 1 where exact.")
    ]


class Item(TypedDict):
    """A stored picture."""

    id: Id
    source: str
    width: Annotated[int, Field(description="In pixels; 0 of an item without a picture.")]
    height: int
    labels: Labels
    added_at: str
    image: ImageAddress


LabelTypes: TypeAlias = Annotated[
    dict[str, Literal["bool", "int", "float", "str"]],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": "string", "enum": ["bool", "int", "float", "str"]},
            "description": "Labels of the items by name, each with its type.",
        }
    ),
]


class ItemPage(TypedDict):
    """Some of the items that qualify, by id."""

    labels: LabelTypes
    count: Annotated[int, Field(description="How many qualify, on all pages.")]
    items: list[Item]
    next: Annotated[
        str | None, Field(description="`cursor` of the next page; null on the last one.")
    ]


class Quarantined(TypedDict):
    """A file that could not be used, and why."""

    source: str
    content_hash: str
    reason: str
    message: str


class Space(TypedDict):
    """A coordinate system, with every setting that moves a vector."""

    name: str
    kind: SpaceKind
    dim: int
    settings: dict[str, Scalar]
    dtype: VectorDType
    quality: Annotated[list[str], Field(description="Its quality columns, for `where`.")]
    has_text: Annotated[bool, Field(description="Whether texts can be asked in it.")]
    fingerprint: str
    has_model: Annotated[bool, Field(description="Whether a model puts pictures into it.")]


class CountedSpace(Space):
    """A space and how many vectors it has."""

    vectors: int


class Limits(TypedDict):
    """What this server takes."""

    max_k: int
    max_uploads: int
    max_megapixels: float
    max_body_mib: float


class Database(TypedDict):
    """The database as a whole, and what the key that asked may do."""

    name: str
    version: Annotated[str, Field(description="Of latentdb.")]
    items: int
    labels: LabelTypes
    spaces: list[str]
    scope: Scope
    limits: Limits


class Ready(TypedDict):
    """That the first question is answered at once."""

    status: Literal["ready"]
    failed: Annotated[list[str], Field(description="Spaces whose model could not be loaded.")]


class Trial(TypedDict):
    """An effort of search that was looked at while an index was tuned."""

    settings: dict[str, int]
    recall: dict[str, float]
    ms_per_question: Annotated[float, Field(description="With all questions asked at once.")]


class Tuning(TypedDict):
    """What approximate search was set to, and what it finds of each kind of question.

    The kinds are id, image, text, mapped (through a map) and shifted (along a direction).
    """

    target: Annotated[float, Field(description="What every kind was to find.")]
    target_met: bool
    k: Annotated[int, Field(description="Neighbours that recall is counted over.")]
    settings: dict[str, int]
    recall: Annotated[
        dict[str, float], Field(description="On questions that nothing was chosen by.")
    ]
    error: Annotated[dict[str, float], Field(description="Standard errors.")]
    questions: Annotated[dict[str, int], Field(description="How many were asked.")]
    not_asked: Annotated[dict[str, str], Field(description="Why the other kinds were not.")]
    tried: list[Trial]


class Index(TypedDict):
    """An index on disk; rows newer than it are searched beside it."""

    space: str
    metric: MetricName
    prior: PriorName | None
    kind: str
    count: int
    recall_at_10: Annotated[float, Field(description="The least of any kind of question.")]
    newer_rows: int
    removed_rows: int
    index_bytes: int
    seconds: float
    reason: Annotated[
        str | None, Field(description="Why the kind was chosen, where it was not asked for.")
    ]
    target_met: bool
    tuning: Annotated[Tuning | None, Field(description="Of approximate search alone.")]
