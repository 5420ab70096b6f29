"""RemoteDB: a database that a server has, asked by the names that `LatentDB` has."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar, Unpack, final

from PIL import Image

from latentdb.client.drawn import draw, edit, imagine
from latentdb.client.jobs import Jobs
from latentdb.client.questions import as_asked, given, question, search_body, without_engine
from latentdb.client.studies import fetch_report, more_done, passed_on, point_values, project
from latentdb.client.transport import Call, Transport
from latentdb.client.upkeep import RemoteUpkeep
from latentdb.client.uploads import upload
from latentdb.directions.choose import choose_direction
from latentdb.directions.facts import DirectionFacts
from latentdb.directions.recipe import Recipe, RecipeParts
from latentdb.edit import Edited, EditOptions
from latentdb.energy.facts import EnergyFacts
from latentdb.errors import QueryError, UnknownItemError, UnknownMapError
from latentdb.imagine import Imagined, ImagineOptions
from latentdb.index import IndexInfo
from latentdb.listing import ItemPage
from latentdb.model import Vectors
from latentdb.paths import Centroid, Interpolation
from latentdb.query import Query, QueryParts
from latentdb.shared_facts import SharedFacts
from latentdb.space import Space
from latentdb.stitch.map_facts import MapFacts
from latentdb.types import Answer, IngestSummary, Item, QuarantineRow
from latentdb.wire import decode
from latentdb.wire.fields import Fields
from latentdb.wire.items import cursor_of, label_columns_from_wire

if TYPE_CHECKING:
    from latentdb.energy.run import EnergyOptions
    from latentdb.intake import IntakeOptions
    from latentdb.paths import CentroidOptions, InterpolationOptions
    from latentdb.projection import PointValues, Projection2D, ProjectOptions
    from latentdb.protocol import IndexOptions, RankOptions
    from latentdb.report.facts import ReportFacts
    from latentdb.report.options import ReportOptions
    from latentdb.shared_space_fit import ShareOptions
    from latentdb.stitch.options import StitchOptions

T = TypeVar("T")
# A page that a server gives at most, and ids that fit one filter.
_PAGE: Final = 500
_IDS_AT_ONCE: Final = 128
_AT_ONCE: Final = 8
# A curve comes back whole; its pictures are drawn by `decode`, as of one that was found here.
_ARRAYS_ALONE: Final[Mapping[str, Any]] = {"pictures": False, "vectors": True}


@final
class RemoteDB:
    """A database that a server has; made by `latentdb.connect`.

    Its methods are those of `LatentDB` that do not need the files, with the same parameters,
    results and errors; see `latentdb.protocol.Database`. Of maps, directions and energies it has
    the facts, not the arrays. Safe for several threads. A context manager, which closes it.

    Parameters
    ----------
    transport : Transport
        The server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.jobs = Jobs(transport)
        """Long work of the server: listed, followed, cancelled."""
        self.upkeep = RemoteUpkeep(self.jobs)
        """Compaction and audits."""

    @property
    def uri(self) -> str:
        """Address of the server."""
        return self._transport.server.url

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> RemoteDB:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        # It asks nothing: a repr is shown where a server may be out of reach.
        return f"RemoteDB({self.uri!r})"

    def about(self) -> Mapping[str, Any]:
        """What the server tells of itself: name, version, counts, labels, scope, limits."""
        return Fields(self._get("/v1/database"), "database").whole()

    def __len__(self) -> int:
        return Fields(self.about(), "database").integer("items")

    # Spaces, items

    def spaces(self) -> dict[str, Space]:
        """Spaces by name, as added; their models are the server's."""
        return {space.name: space for space in self._all(Space, "/v1/spaces")}

    def vector_counts(self) -> dict[str, int]:
        """How many items have a vector in each space, in the order of `spaces`."""
        told = Fields({"spaces": self._get("/v1/spaces")}, "answer").each("spaces")
        return {one.text("name"): one.integer("vectors") for one in told}

    def label_columns(self) -> dict[str, type]:
        """Labels of the items, each with bool, int, float or str."""
        return label_columns_from_wire(self.about().get("labels"))

    def list_items(
        self, *, where: str | None = None, limit: int = 100, after: int | None = None
    ) -> ItemPage:
        """One page of the items, by id; a long one is asked for in several requests."""
        if limit < 1:
            raise QueryError(f"limit is the number of items on a page, at least 1; got {limit}")
        items: list[Item] = []
        while True:
            asked = {"limit": str(min(limit - len(items), _PAGE))}
            asked |= {} if where is None else {"where": where}
            asked |= {} if after is None else {"cursor": str(cursor_of(after))}
            page = decode(ItemPage, self._get("/v1/items", asked))
            items += page.items
            after = page.next_after
            if after is None or len(items) >= limit:
                return ItemPage(items, page.count, after)

    def items(self, ids: Sequence[int]) -> list[Item]:
        """Stored pictures in the order asked, without vectors; UnknownItemError of others."""
        wanted = [int(one) for one in ids]
        found = self.known(wanted)
        missing = sorted(set(wanted) - set(found))
        if missing:
            raise UnknownItemError.naming(missing, "items of this database")
        return [found[one] for one in wanted]

    def known(self, ids: Sequence[int]) -> dict[int, Item]:
        """Those of the ids that are items, with what is stored of each."""
        distinct = sorted({one for one in ids if 0 <= one < 2**63})
        found: dict[int, Item] = {}
        for start in range(0, len(distinct), _IDS_AT_ONCE):
            some = distinct[start : start + _IDS_AT_ONCE]
            where = f"id in ({', '.join(str(one) for one in some)})"
            page = self.list_items(where=where, limit=_IDS_AT_ONCE)
            found |= {item.id: item for item in page.items}
        return found

    def delete(self, ids: Sequence[int]) -> int:
        """Delete items with their vectors; how many there were. Unknown ids are passed over."""
        return sum(self._delete(int(one)) for one in dict.fromkeys(ids))

    def _delete(self, item_id: int) -> bool:
        try:
            self._transport.json(Call("DELETE", f"/v1/items/{int(item_id)}"))
        except UnknownItemError:
            return False
        return True

    def thumbnail(self, item_id: int) -> bytes:
        """PNG or JPEG of at most 256 pixels a side; of an item without a picture, a tile."""
        return self._content(f"/v1/items/{int(item_id)}/thumbnail")

    def picture(self, item_id: int) -> Image.Image:
        """The picture as RGB, to the pixel up to 4096 a side, and scaled to that beyond."""
        asked = {"size": "4096", "exact": "true"}
        data = self._content(f"/v1/items/{int(item_id)}/image", asked)
        with Image.open(io.BytesIO(data)) as picture:
            return picture.convert("RGB")

    def quarantine(self) -> list[QuarantineRow]:
        """Files that could not be used, each with its reason."""
        return self._all(QuarantineRow, "/v1/quarantine")

    def ingest(self, source: str | Path, **options: Unpack[IntakeOptions]) -> IngestSummary:
        """Put the pictures of `source`, which lie here, into the database over there.

        Those that it has are known by their pixels and not sent again. See
        `latentdb.client.uploads.upload`.
        """
        return upload(self, self._transport, source, **options)

    # Search

    def build_index(self, space: str, **options: Unpack[IndexOptions]) -> IndexInfo:
        """Have the index of a space built, or built anew."""
        kind = options.get("kind", "flat")
        if not isinstance(kind, str):
            raise QueryError(
                "a server takes an index by the name of its kind, such as hnsw, without arguments"
            )
        tell = passed_on(options.pop("progress", None))
        asked = given(without_engine(options))
        body = {"space": space, "metric": "cosine", "kind": kind, **asked}
        return decode(IndexInfo, self.jobs.run("/v1/indexes", body, tell))

    def indexes(self) -> list[IndexInfo]:
        """Indexes of the server, with how far each is behind its table."""
        return self._all(IndexInfo, "/v1/indexes")

    def search(self, query: Query | None = None, /, **parts: Unpack[QueryParts]) -> Answer:
        """The items nearest to a question, a `latentdb.query.Query` or its parts."""
        asked = query if query is not None else Query(**parts)
        call = question("/v1/search", search_body(asked), asked.image)
        return as_asked(asked, decode(Answer, self._transport.json(call)))

    def search_many(self, queries: Sequence[Query]) -> list[Answer]:
        """Answers to many questions, several of them asked at once."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="latentdb-search") as threads:
            return list(threads.map(self.search, queries))

    def rank(
        self, direction: str, *, space: str | None = None, **options: Unpack[RankOptions]
    ) -> Answer:
        """Items by their distance along a direction."""
        body = {"direction": direction, "space": space, **options}
        return self._ask(Answer, "/v1/rank", body)

    def rank_by_energy(self, space: str, **options: Unpack[RankOptions]) -> Answer:
        """Items from the least typical to the most."""
        return self._ask(Answer, "/v1/rank", {"by": "energy", "space": space, **options})

    def energy(self, space: str, **options: Unpack[EnergyOptions]) -> EnergyFacts:
        """Have the marginal energy of every row of a space measured, where it is not kept."""
        asked = {name: value for name, value in options.items() if name != "progress"}
        tell = more_done(options.get("progress"))
        told = self.jobs.run("/v1/energy", given({"space": space, **asked}), tell)
        return decode(EnergyFacts, told)

    # Between and beyond items

    def interpolate(
        self, start_id: int, end_id: int, **options: Unpack[InterpolationOptions]
    ) -> Interpolation:
        """Points on a curve between two items."""
        body = {"start": start_id, "end": end_id, **options, **_ARRAYS_ALONE}
        return self._ask(Interpolation, "/v1/interpolate", body)

    def centroid(
        self, ids: Sequence[int] | None = None, **options: Unpack[CentroidOptions]
    ) -> Centroid:
        """The middle of several items and what is near it."""
        named = None if ids is None else [int(one) for one in ids]
        body = {"ids": named, **options, **_ARRAYS_ALONE}
        return self._ask(Centroid, "/v1/centroid", body)

    def decode(self, vectors: Vectors, *, space: str | None = None) -> list[Image.Image]:
        """Pictures that the model of a noise space makes of vectors (n, dim) float32."""
        return draw(self._transport, vectors, space)

    def imagine(self, **options: Unpack[ImagineOptions]) -> Imagined:
        """New pictures of what a question says; they all come at once."""
        return imagine(self._transport, options)

    def edit(
        self,
        item_id: int | None = None,
        directions: Mapping[str, float] | None = None,
        **options: Unpack[EditOptions],
    ) -> Edited:
        """A stored item, or a picture, changed along directions."""
        return edit(self._transport, item_id, directions, options)

    # Maps, directions, studies

    def stitch(self, source: str, target: str, **options: Unpack[StitchOptions]) -> MapFacts:
        """Have the map from one space to another fitted and kept, with held-out scores."""
        body = {"source": source, "target": target, **without_engine(options)}
        return decode(MapFacts, self.jobs.run("/v1/maps", body))

    def share(self, members: Sequence[str], **options: Unpack[ShareOptions]) -> SharedFacts:
        """Have the space that `members` share added."""
        told = self.jobs.run("/v1/shared-spaces", given({"members": list(members), **options}))
        return SharedFacts(Fields(told, "shared space").text("name"), told)

    def maps(self) -> list[MapFacts]:
        """All fitted maps."""
        return self._all(MapFacts, "/v1/maps")

    def map(self, source: str, target: str) -> MapFacts:
        """The map from `source` to `target`; UnknownMapError where it was not fitted."""
        there = {(one.source, one.target): one for one in self.maps()}
        if (source, target) not in there:
            raise UnknownMapError.between(source, target)
        return there[source, target]

    def fit_direction(
        self, name: str, *, space: str, **parts: Unpack[RecipeParts]
    ) -> DirectionFacts:
        """Have a direction of `space` made and kept, with what it is worth."""
        recipe = Recipe(**parts).to_json()
        body = {"name": name, "space": space, **recipe}
        return decode(DirectionFacts, self.jobs.run("/v1/directions", body))

    def directions(self) -> list[DirectionFacts]:
        """All fitted directions."""
        return self._all(DirectionFacts, "/v1/directions")

    def has_direction(self, name: str, space: str) -> bool:
        """Whether a direction of that name was fitted in that space."""
        return any((one.name, one.space) == (name, space) for one in self.directions())

    def direction(self, name: str, space: str | None = None) -> DirectionFacts:
        """The direction `name`, in `space` where it was fitted in several."""
        return choose_direction(self.directions(), name, space)

    def project(self, space: str, **options: Unpack[ProjectOptions]) -> Projection2D:
        """The items of a space as points of a plane."""
        return project(self._transport, self.jobs, space, options)

    def point_values(self, space: str, by: str, *, ids: Sequence[int] | None = None) -> PointValues:
        """A value per item to colour points by; categories are those of all items."""
        return point_values(self._transport, space, by, ids)

    def report(self, out: str | Path, **options: Unpack[ReportOptions]) -> ReportFacts:
        """Have every space studied, and bring the page and the numbers into the folder `out`."""
        return fetch_report(self._transport, self.jobs, Path(out), options)

    # Requests

    def _get(self, path: str, asked: Mapping[str, str] | None = None) -> Any:
        return self._transport.json(Call("GET", path, asked or {}, may_repeat=True))

    def _content(self, path: str, asked: Mapping[str, str] | None = None) -> bytes:
        return self._transport.content(Call("GET", path, asked or {}, may_repeat=True))

    def _all(self, kind: type[T], path: str) -> list[T]:
        told = Fields({"list": self._get(path)}, path)
        return [decode(kind, one.whole()) for one in told.each("list")]

    def _ask(self, kind: type[T], path: str, body: Mapping[str, Any]) -> T:
        return decode(kind, self._transport.json(question(path, given(body))))
