"""Pictures of curves and centroids: what the model makes of them, beside what is stored."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from latentdb.gallery import Gallery, decoded
from latentdb.paths.centroid import Centroid
from latentdb.paths.common import describe_length
from latentdb.paths.interpolation import Interpolation
from latentdb.pictures import Section, SheetStyle, Tile, sectioned_sheet, short_labels
from latentdb.types import Hit

MOST_MEMBERS_SHOWN = 12
WIDEST_STRIP = 12
MOST_COLUMNS = 6


def interpolation_sheet(
    db: Gallery, path: Interpolation, *, on_decoded: Callable[[int], None] | None = None
) -> Image.Image:
    """The stored pictures of the two ends in frames, and between them every point of the curve.

    In a noise space each point is decoded, the two ends too, so that what the model loses is not
    taken for what the curve does. In a space that makes no pictures, an encoder's or one imported
    without its model, the nearest stored item stands for each point.

    Parameters
    ----------
    db : Gallery
        Where the items and the model are.
    path : Interpolation
    on_decoded : callable or None
        Told how many pictures were made since it was last called.

    Returns
    -------
    Image
        RGB.
    """
    start, end = _stored(db, path.start_id, "start"), _stored(db, path.end_id, "end")
    heading = f"{path.space.name}, {path.method}   ·   "
    if path.norm_z is not None and path.space.has_model:
        pictures = decoded(db, path.space, path.points, on_decoded)
        tiles = [
            _point_tile(path, at, f"z {z:+.1f}", picture)
            for at, (z, picture) in enumerate(zip(path.norm_z, pictures, strict=True))
        ]
        heading += "every point decoded"
        title = f"{describe_length(path.prior)}; z: norm against white noise"
    else:
        tiles = [_nearest_tile(db, path, at) for at in range(1, len(path.points) - 1)]
        heading += "no decoder: nearest stored items"
        title = f"each with its {path.metric} distance from the point"
    strip = [start, *tiles, end]
    columns = len(strip) if len(strip) <= WIDEST_STRIP else None
    style = SheetStyle(columns=columns, tile_size=128, gap=16)
    return sectioned_sheet(heading, [Section(strip, title)], style=style)


def centroid_sheet(db: Gallery, found: Centroid) -> Image.Image:
    """Some of the members, then the centroid as its model draws it, and the items nearest to it.

    Parameters
    ----------
    db : Gallery
        Where the items and the model are.
    found : Centroid

    Returns
    -------
    Image
        RGB.
    """
    ids = found.member_ids.tolist()
    shown = db.items(ids[:MOST_MEMBERS_SHOWN])
    members = [
        Tile("member", _figure(distance), short_labels(item.labels), db.picture(item.id))
        for item, distance in zip(shown, found.member_distances, strict=False)
    ]
    middle = Tile(
        "centroid",
        "" if found.norm_z is None else f"z {found.norm_z:+.1f}",
        f"norm {found.norm:.2f}",
        None
        if found.norm_z is None or not found.space.has_model
        else db.decode(found.vector[None], space=found.space.name)[0],
        "no decoder: its nearest stored items",
        is_framed=True,
    )
    hits = [_hit_tile(db, rank, hit, ids) for rank, hit in enumerate(found.nearest.hits, start=1)]
    heading = f"centroid   ·   {found.space.name}, {found.method}"
    chosen = f" where {found.where}" if found.where else ""
    some = f", {len(shown)} of them" if len(shown) < len(ids) else ""
    first = f"{len(ids)} members{chosen}{some}   ·   distances: {describe_length(found.prior)}"
    then = f"the centroid, and the stored items nearest to it by {found.nearest.metric}"
    columns = min(MOST_COLUMNS, max(2, len(members), 1 + len(hits)))
    return sectioned_sheet(
        heading,
        [Section(members, first), Section([middle, *hits], then)],
        style=SheetStyle(columns=columns, tile_size=128, gap=16),
    )


def _stored(db: Gallery, item_id: int, title: str) -> Tile:
    """A stored item in a frame."""
    labels = short_labels(db.items([item_id])[0].labels)
    return Tile(title, "stored", labels, db.picture(item_id), is_framed=True)


def _point_tile(path: Interpolation, at: int, aside: str, picture: Image.Image) -> Tile:
    caption = f"norm {path.norms[at]:.2f}\nlength {path.lengths[at]:.2f}"
    return Tile(f"t {path.fractions[at]:.3g}", aside, caption, picture)


def _nearest_tile(db: Gallery, path: Interpolation, at: int) -> Tile:
    """The stored item that stands for a point of a space without a decoder."""
    title, item_id = f"t {path.fractions[at]:.3g}", int(path.nearest_ids[at])
    if item_id < 0:
        return Tile(title, text="no other item")
    labels = short_labels(db.items([item_id])[0].labels)
    return Tile(title, _figure(path.nearest_distances[at]), labels, db.picture(item_id))


def _hit_tile(db: Gallery, rank: int, hit: Hit, members: list[int]) -> Tile:
    title = f"{rank} member" if hit.id in members else f"{rank}"
    return Tile(title, _figure(hit.distance), short_labels(hit.labels), db.picture(hit.id))


def _figure(distance: float) -> str:
    return f"{distance:.3f}" if abs(distance) < 10 else f"{distance:.1f}"
