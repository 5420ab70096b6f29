"""What edits, curves, centroids and imagined pictures answer with."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from api.http.models.answers import EncodedArray, Hit, Id, ImageAddress, Space
from api.http.models.learned import FittedOn, Map
from indexers.types import PriorName
from latentdb.directions.pair import PairMethod
from latentdb.edit import NormRule
from latentdb.geometry.centroid import CentroidMethod
from latentdb.geometry.interpolate import InterpolationMethod

Png: TypeAlias = Annotated[str, Field(description="A picture as base64 PNG.")]
NormZ: TypeAlias = Annotated[
    float, Field(description="Standard deviations that the norm lies off white noise's.")
]
Deviations: TypeAlias = Annotated[
    dict[str, float],
    Field(description="Along every direction of the space, in its deviations."),
]
Spaces: TypeAlias = Annotated[
    dict[str, Space], Field(description="The spaces that the answer speaks of.")
]


class Picture(TypedDict):
    """A picture."""

    png: Png


class Nearest(TypedDict):
    """The stored item nearest to a point."""

    id: Id
    distance: float
    image: ImageAddress


class EditPair(TypedDict):
    """What item `end` has and item `start` has not, as a part of an edit."""

    start: Id
    end: Id
    method: PairMethod
    strength: float


class Edit(TypedDict):
    """What was to change."""

    space: str
    directions: dict[str, float]
    pair: EditPair | None
    keep: list[str]
    remaining: Annotated[
        float, Field(description="Cosine of the step with the one that keeps nothing.")
    ]
    norm: NormRule
    digest: Annotated[str, Field(description="Tells two edits of the same names apart.")]


class EditedPicture(TypedDict):
    """One picture of an edit."""

    times: float
    directions: dict[str, float]
    norm: float
    norm_z: NormZ
    projections: Deviations
    png: NotRequired[Png]


class EditAnswer(TypedDict):
    """A picture changed; what differs between the first two pictures is inversion's doing."""

    id: Id | None
    image: NotRequired[ImageAddress]
    edit: Edit
    norm: float
    norm_z: NormZ
    round_trip_psnr: Annotated[float, Field(description="Round trip against original, in dB.")]
    projections: Deviations
    pictures: list[EditedPicture]
    spaces: Spaces
    original: NotRequired[Picture]
    round_trip: NotRequired[Picture]
    start: NotRequired[EncodedArray]
    vectors: NotRequired[EncodedArray]


class Point(TypedDict):
    """One point of a curve."""

    t: float
    norm: float
    norm_z: NormZ | None
    length: Annotated[float, Field(description="Of the curve up to here.")]
    nearest: Nearest | None
    png: NotRequired[Png]


class InterpolateAnswer(TypedDict):
    """A curve from one stored item to another."""

    space: str
    method: InterpolationMethod
    prior: PriorName
    start: Id
    end: Id
    start_image: ImageAddress
    end_image: ImageAddress
    length: float
    metric: str
    exact: bool
    points: list[Point]
    spaces: Spaces
    vectors: NotRequired[EncodedArray]


class CentroidHit(Hit):
    """A stored item near a centroid, and whether it is one of its members."""

    member: bool


class CentroidAnswer(TypedDict):
    """The middle of several items, and the items nearest to it."""

    space: str
    method: CentroidMethod
    prior: PriorName
    correlated: bool | None
    where: str | None
    norm: float
    norm_z: NormZ | None
    mean_distance: float
    members: list[Id]
    member_images: list[ImageAddress]
    metric: str
    exact: bool
    hits: list[CentroidHit]
    query: dict[str, Any]
    recall_at_10: float
    spaces: Spaces
    png: NotRequired[Png]
    vector: NotRequired[EncodedArray]
    member_distances: NotRequired[EncodedArray]


class LawScores(TypedDict):
    """How well a law describes residuals that did not shape it."""

    n_held_out: int
    inflation: float
    ranks: list[int]
    log_likelihoods: list[float]
    isotropic: float


class Residual(TypedDict):
    """The law of what a map leaves open."""

    rank: int
    total_variance: float
    map_hash: str
    fitted_on: FittedOn
    scores: LawScores


class ImaginedPicture(TypedDict):
    """One new picture."""

    norm: float
    norm_z: NormZ
    nearest: Nearest
    png: NotRequired[Png]


class ImagineAnswer(TypedDict):
    """New pictures of what a question says, and how they came about."""

    space: str
    query: dict[str, Any]
    asked: dict[str, Any]
    map: dict[str, Any]
    maps: list[Map]
    residual: Residual
    temperature: float
    seed: int
    prior: PriorName
    mean_norm: float
    mean_share: Annotated[float, Field(description="Of the variance, what the question decides.")]
    metric: str
    pictures: list[ImaginedPicture]
    spaces: Spaces
    mean: NotRequired[EncodedArray]
    vectors: NotRequired[EncodedArray]


class DecodeAnswer(TypedDict):
    """The pictures of the vectors, in their order."""

    pictures: list[Picture]
