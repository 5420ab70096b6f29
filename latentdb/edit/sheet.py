"""The picture of an edit: the original, what inversion makes of it, then what was made of that."""

from __future__ import annotations

from PIL import Image

from latentdb.edit.edited import Edited
from latentdb.pictures import Section, SheetStyle, Tile, sectioned_sheet

_MOST_SHOWN = 3
_WIDEST = 10


def edited_sheet(found: Edited) -> Image.Image:
    """The original in a frame, its round trip, and every picture made, with what it was moved by.

    Below each, where it lies along the directions that were asked for, in their standard
    deviations: positive has the attribute.

    Parameters
    ----------
    found : Edited

    Returns
    -------
    Image
        RGB.
    """
    named = list(found.step.strengths)[:_MOST_SHOWN]
    lies = "\n".join(_lies(name, found.projections[name].before) for name in named)
    original = Tile("Original", picture=found.original, is_framed=True)
    fidelity = f"{found.round_trip_psnr:.0f} dB"
    tiles = [original, Tile("Round trip", fidelity, lies, found.round_trip)]
    for at, picture in enumerate(found.pictures):
        lies = "\n".join(_lies(name, found.projections[name].after[at]) for name in named)
        tiles.append(Tile(_title(found, at), f"z {found.norm_z[1 + at]:+.1f}", lies, picture))
    columns = None if len(tiles) > _WIDEST else len(tiles)
    style = SheetStyle(columns, tile_size=144, caption_lines=max(1, len(named)))
    heading, title = _asked(found), _how(found)
    return sectioned_sheet(heading, [Section(tiles, title)], style=style)


def _lies(name: str, deviations: float) -> str:
    return f"{name} at {round(deviations, 1) + 0.0:+.1f}"  # no -0.0


def _title(found: Edited, at: int) -> str:
    """What was added for one picture, in few letters."""
    strengths = found.strengths(at)
    if found.step.pair is None and len(strengths) == 1:
        return f"{next(iter(strengths.values())):+g}"
    if len(found.times) == 1:
        return "Edited"
    return f"×{found.times[at]:g}"


def _asked(found: Edited) -> str:
    """What was to change."""
    step = found.step
    if step.pair is None and len(step.strengths) == 1 and len(found.times) > 1:
        return next(iter(step.strengths))
    parts = [f"{name} {strength:+g}" for name, strength in step.strengths.items()]
    if step.pair is not None:
        parts.append(f"what {step.pair.end} has over {step.pair.start}")
    return " · ".join(parts)


def _how(found: Edited) -> str:
    """Where and under which rules it was done."""
    step = found.step
    rule = {"own": "norm kept", "none": "norm as it came"}.get(step.norm, f"{step.norm} norm")
    shown = "a picture" if found.item_id is None else f"item {found.item_id}"
    parts = [shown, found.space.name, rule]
    if step.pair is not None:
        parts.append(f"pair by {step.pair.method}")
    if step.keep:
        parts.append(f"keeping {', '.join(step.keep)}")
    return " · ".join(parts)
