"""What is fitted, and the jobs that fit it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.http.models.answers import EncodedArray, Id, ImageAddress
from latentdb.directions.cost import Orthogonality


class SpaceRef(TypedDict):
    """A space as what was fitted remembers it."""

    name: str
    fingerprint: str
    dim: int


class FittedOn(TypedDict):
    """Rows that shaped it, and rows that only scored it."""

    n_train: int
    n_held_out: int
    ids_hash: str
    seed: int


class Estimate(TypedDict):
    """A held-out score with its 95 % interval."""

    value: float
    low: float
    high: float


class NullScores(TypedDict):
    """Maps fitted on permuted pairs."""

    n_permutations: int
    r2_max: float
    centred_cosine_max: float
    recall_at_10_mean: float
    recall_at_10_max: float
    mutual_knn_mean: NotRequired[float]
    mutual_knn_max: NotRequired[float]


class MapScores(TypedDict):
    """Scores of a map on items that did not shape it."""

    n_held_out: int
    r2: Estimate
    cosine: Estimate
    centred_cosine: Estimate
    recall_at_1: Estimate
    recall_at_10: Estimate
    reverse_recall_at_1: Estimate
    reverse_recall_at_10: Estimate
    recall_at_100: NotRequired[Estimate]
    reverse_recall_at_100: NotRequired[Estimate]
    mutual_knn: NotRequired[Estimate]
    baseline_cosine: float
    chance_at_1: float
    chance_at_10: float
    null: NullScores | None


class Map(TypedDict):
    """A linear map from one space into another."""

    source: SpaceRef
    target: SpaceRef
    method: str
    regularisation: float
    rank: NotRequired[int]
    target_norm: float
    target_spread: float
    fitted_on: FittedOn
    scores: MapScores


class Change(TypedDict):
    """A figure before something was done, and after."""

    before: Estimate
    after: Estimate
    difference: Estimate


class TakenOff(TypedDict):
    """How one nuisance goes along with a direction."""

    name: str
    correlation: Change
    label: str | None
    label_correlation: Change | None


class Cost(TypedDict):
    """What leaving others alone did to a direction."""

    kind: Orthogonality
    n_items: int
    auc: Change | None
    nuisances: list[TakenOff]


class ProbeScore(TypedDict):
    """How well a direction tells who has its attribute."""

    auc: Estimate
    balanced_accuracy: Estimate
    n_positive: int
    n_negative: int
    n_held_out: int


class Direction(TypedDict):
    """An attribute as a unit vector of a space."""

    name: str
    space: SpaceRef
    method: str
    label: str
    offset: float
    std: Annotated[float, Field(description="Standard deviation along it: the unit of strength.")]
    orthogonal_to: list[str]
    boundary: str | None
    score_label: str | None
    cost: Cost | None
    recipe: Annotated[dict[str, Any] | None, Field(description="Arguments that make it again.")]
    fitted_on: FittedOn
    scores: ProbeScore | None


class Progress(TypedDict):
    """How far a job is."""

    done: int
    total: int | None
    message: str


class JobError(TypedDict):
    """Why a job failed."""

    code: str
    detail: str


class Job(TypedDict):
    """Long work, which outlives the server."""

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    arguments: dict[str, Any]
    progress: Progress
    result: Annotated[Any, Field(description="Of a job that is done.")]
    error: JobError | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class JobAccepted(TypedDict):
    """A job that was begun; its address is also in the header Location."""

    job: Job


class UploadedPicture(TypedDict):
    """A picture that is safe now."""

    name: str
    id: Id
    image: ImageAddress


class RefusedPicture(TypedDict):
    """A picture that cannot be used."""

    name: str
    reason: str
    message: str


class UploadAccepted(TypedDict):
    """Pictures that are safe, and the job that gives them their vectors."""

    job: Job
    items: list[UploadedPicture]
    quarantined: list[RefusedPicture]


class Report(TypedDict):
    """A finished study."""

    id: str
    created_at: str
    files: Annotated[dict[str, str], Field(description="Address by name of file.")]


class Projection(TypedDict):
    """Items of a space as points of a plane."""

    space: str
    method: Literal["pca", "umap"]
    points: int
    count: Annotated[int, Field(description="How many items qualify.")]
    missing: Annotated[int, Field(description="Rows that came after it was made.")]
    explained: Annotated[
        list[float] | None, Field(description="Share of the variance of each axis, of pca.")
    ]
    params: dict[str, Any]
    fingerprint: str
    ids_hash: str
    created_at: str
    ids: EncodedArray
    xy: EncodedArray


class Values(TypedDict):
    """A value of each point, to colour it by."""

    space: str
    by: str
    kind: Literal["number", "boolean", "category"]
    points: int
    without: Annotated[int, Field(description="Points that have none.")]
    ids_hash: str
    categories: list[str]
    unit: str
    low: float | None
    middle: float | None
    high: float | None
    ids: EncodedArray
    values: EncodedArray
