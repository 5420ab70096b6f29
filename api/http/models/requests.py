"""Bodies of the questions: searches, rankings, edits, curves, centroids, imagined pictures."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from PIL import Image
from pydantic import Discriminator, Field, Tag, model_validator

from api.http.models.fields import (
    MAX_DIRECTIONS,
    MAX_MEMBERS,
    MAX_PICTURES,
    MAX_STEPS,
    Count,
    Directions,
    DrawnRequest,
    Finite,
    ItemId,
    ItemWeights,
    Name,
    Request,
    Share,
    Size,
    Strength,
    Text,
    Vector,
    Weight,
    Where,
)
from indexers.types import MetricName, PriorName
from latentdb.directions.pair import PairMethod
from latentdb.edit import NormRule, Pair
from latentdb.geometry.centroid import CentroidMethod
from latentdb.geometry.interpolate import InterpolationMethod
from latentdb.model import Vectors
from latentdb.query import Query
from latentdb.wire.arrays import array_from_wire

_WHERE = "SQL condition on labels and quality columns."
_NOISE = "The noise space that draws; the database's only one where not given."


class SearchRequest(Request):
    """One question: a text, an id, a vector, an uploaded picture, or several of them together."""

    text: Text | None = None
    id: ItemId | None = Field(
        default=None,
        description="A stored item; as a string where the client lacks 63-bit integers.",
    )
    vector: Vector | None = Field(default=None, description="A vector of the space `from`.")
    like: ItemWeights = Field(
        default_factory=dict,
        description="Items to be like: a list of ids, or weights above 0 by id.",
    )
    unlike: ItemWeights = Field(
        default_factory=dict,
        description="Items to be unlike: a list of ids, or weights above 0 by id.",
    )
    weights: Annotated[dict[Name, Weight], Field(max_length=4)] = Field(
        default_factory=dict, description="Weight of text, id, vector or image; 1 where not given."
    )
    from_space: Name | None = Field(
        default=None, alias="from", description="Space the question is born in."
    )
    space: Name | None = Field(default=None, description="Space that is searched.")
    metric: MetricName | None = Field(
        default=None, description="That of an index of the space where not given, else cosine."
    )
    prior: PriorName | None = Field(default=None, description="Of `nao`: law of the norm.")
    k: Count = Field(default=10, description="Number of hits.")
    directions: Directions = Field(
        default_factory=dict, description="Strength by name, in standard deviations."
    )
    where: Where | None = Field(default=None, description=_WHERE)
    max_distance: Finite | None = Field(
        default=None, description="Hits farther than this are left out."
    )
    diverse: Annotated[float, Field(ge=0.0, le=1.0)] | None = Field(
        default=None, description="λ of maximal marginal relevance: 1 is nearness alone."
    )
    explain: bool = Field(default=False, description="Say what each part did for each hit.")

    def to_query(self, picture: Image.Image | None) -> Query:
        """The library's form of this question.

        Raises
        ------
        QueryError
            It contradicts itself.
        """
        vector = None if self.vector is None else np.asarray(self.vector, dtype=np.float64)
        return Query(
            image=picture,
            id=self.id,
            text=self.text,
            vector=vector,
            like=self.like,
            unlike=self.unlike,
            weights=self.weights,
            from_space=self.from_space,
            space=self.space,
            metric=self.metric,
            prior=self.prior,
            k=self.k,
            directions=self.directions,
            where=self.where,
            max_distance=self.max_distance,
            diverse=self.diverse,
            explain=self.explain,
        )


class RankRequest(Request):
    """The items in the order of how much they have of an attribute, or of how typical they are."""

    direction: Name | None = Field(
        default=None, description="A fitted direction; either this or `by`."
    )
    by: Literal["energy"] | None = Field(
        default=None, description="Rank by energy, the least typical first; needs `space`."
    )
    space: Name | None = Field(
        default=None, description="Needed where a direction was fitted in several, and by energy."
    )
    where: Where | None = Field(default=None, description=_WHERE)
    k: Count = Field(default=10, description="Number of hits.")
    descending: bool = Field(default=True, description="False puts the least so first.")

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        if (self.direction is None) == (self.by is None):
            raise ValueError("a ranking is along a direction or by energy: give one of the two")
        if self.by is not None and self.space is None:
            raise ValueError("a ranking by energy needs a space")
        return self


class PairRequest(Request):
    """What item `end` has and item `start` has not."""

    start: ItemId
    end: ItemId
    method: PairMethod = Field(default="svd", description="How it is read out of the two.")
    strength: Strength = Field(default=1.0, description="1 adds all of it.")


class EditRequest(DrawnRequest):
    """A stored item, or an uploaded picture, changed along directions of its noise."""

    id: ItemId | None = Field(default=None, description="A stored item; or upload a picture.")
    directions: Directions = Field(
        default_factory=dict,
        description="Strength by name, in standard deviations, all added at once.",
    )
    pair: PairRequest | None = Field(
        default=None, description="Add what item `end` has and item `start` has not."
    )
    strengths: Annotated[list[Strength], Field(min_length=1, max_length=MAX_PICTURES)] = Field(
        default=[1.0], description="A picture each: how many times all of it is added."
    )
    keep: Annotated[list[Name], Field(max_length=MAX_DIRECTIONS)] = Field(
        default_factory=list, description="Directions that are to stay as they are."
    )
    norm: NormRule = Field(
        default="own", description="Norm given to what was moved: its own, or a prior's."
    )
    space: Name | None = Field(default=None, description=_NOISE)

    def to_options(self) -> dict[str, Any]:
        """Keyword arguments of `LatentDB.edit` beside what is edited."""
        pair = self.pair
        return {
            "directions": self.directions,
            "pair": None
            if pair is None
            else Pair(pair.start, pair.end, pair.method, pair.strength),
            "strengths": self.strengths,
            "keep": self.keep,
            "norm": self.norm,
            "space": self.space,
        }


class InterpolateRequest(DrawnRequest):
    """A curve from one stored item to another."""

    start: ItemId
    end: ItemId
    space: Name | None = Field(default=None, description="The only noise space where not given.")
    method: InterpolationMethod | None = Field(
        default=None, description="The curve; nao in a noise space, slerp in an encoder's."
    )
    prior: PriorName | None = Field(
        default=None, description="Law of the norm; chi in a noise space, else none."
    )
    steps: Annotated[int, Field(ge=2, le=MAX_STEPS)] = Field(
        default=9,
        description=f"Points, both ends included; at most {MAX_PICTURES} with pictures.",
    )

    @model_validator(mode="after")
    def _few_pictures(self) -> Self:
        if self.pictures and self.steps > MAX_PICTURES:
            raise ValueError(f"more than {MAX_PICTURES} points come without pictures alone")
        return self


class CentroidRequest(DrawnRequest):
    """The middle of several stored items."""

    ids: Annotated[list[ItemId], Field(min_length=1, max_length=MAX_MEMBERS)] | None = Field(
        default=None, description="Its members; either these or `where`."
    )
    where: Where | None = Field(default=None, description=f"Its members: {_WHERE}")
    weights: Annotated[list[Share], Field(max_length=MAX_MEMBERS)] | None = Field(
        default=None, description="One for each of `ids`; alike where not given."
    )
    space: Name | None = Field(default=None, description="The only noise space where not given.")
    method: CentroidMethod | None = Field(
        default=None, description="nao in a noise space, karcher in an encoder's."
    )
    prior: PriorName | None = Field(
        default=None, description="Law of the norm; chi in a noise space, else none."
    )
    correlated: bool | None = Field(
        default=None, description="Of `lol`: whether members are taken for correlated."
    )
    k: Count = Field(default=10, description="Number of nearest items.")


class ImagineRequest(DrawnRequest):
    """New pictures of what a question says."""

    text: Text | None = None
    id: ItemId | None = Field(default=None, description="A stored item.")
    vector: Vector | None = Field(default=None, description="A vector of the space `from`.")
    from_space: Name | None = Field(
        default=None, alias="from", description="Space the question is born in."
    )
    space: Name | None = Field(default=None, description=_NOISE)
    n: Annotated[int, Field(ge=1, le=MAX_PICTURES)] = Field(
        default=8, description="Number of pictures; the first are the same whatever their number."
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(default=0, description="Of the draws.")
    temperature: Annotated[float, Field(ge=0.0, le=100.0)] = Field(
        default=1.0, description="Of what the question leaves open: 1 as fitted, 0 its mean."
    )
    prior: PriorName | None = Field(
        default=None, description="Whose likeliest norm is restored; chi where not given."
    )

    def to_options(self, picture: Image.Image | None) -> dict[str, Any]:
        """Keyword arguments of `LatentDB.imagine`."""
        return {
            "image": picture,
            "text": self.text,
            "id": self.id,
            "vector": None if self.vector is None else np.asarray(self.vector, dtype=np.float64),
            "from_space": self.from_space,
            "space": self.space,
            "n": self.n,
            "seed": self.seed,
            "temperature": self.temperature,
            "prior": self.prior,
        }


class ArrayRequest(Request):
    """Vectors to the bit: rows one after the other, little-endian, in base64."""

    dtype: Literal["float32"]
    shape: Annotated[list[Size], Field(min_length=2, max_length=2)]
    base64: str


def _form_of(vectors: object) -> str:
    return "array" if isinstance(vectors, dict) else "rows"


Rows: TypeAlias = Annotated[list[Vector], Field(min_length=1, max_length=MAX_PICTURES)]
# Told apart before they are looked at, so that an error speaks of one of them.
ArrayOrRows: TypeAlias = Annotated[
    Annotated[ArrayRequest, Tag("array")] | Annotated[Rows, Tag("rows")], Discriminator(_form_of)
]


class DecodeRequest(Request):
    """Vectors of a noise space, whose pictures are wanted."""

    vectors: ArrayOrRows = Field(description="Rows of numbers, or an array to the bit.")
    space: Name | None = Field(default=None, description=_NOISE)

    @model_validator(mode="after")
    def _few(self) -> Self:
        if isinstance(self.vectors, list):
            if len({len(row) for row in self.vectors}) > 1:
                raise ValueError("the vectors are of different lengths")
        elif self.vectors.shape[0] > MAX_PICTURES:
            raise ValueError(f"at most {MAX_PICTURES} vectors are decoded at once")
        return self

    def to_vectors(self) -> Vectors:
        """The vectors (n, dim) float32.

        Raises
        ------
        WireError
            The bytes are not those of the shape.
        """
        if isinstance(self.vectors, list):
            return np.asarray(self.vectors, dtype=np.float32)
        return array_from_wire(self.vectors.model_dump(), "vectors", "float32", (None, None))
