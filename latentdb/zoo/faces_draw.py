"""Drawing of one face: attributes and a style in, a 64x64 picture out.

Everything is drawn four times larger, softened a little and reduced, so edges are antialiased.
Lengths are in final pixels; the head's own coordinates are relative to its centre, which the
style moves.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE: Final = 64
_SUPERSAMPLE: Final = 4
_SOFTNESS: Final = 2.2

Colour = tuple[int, int, int]
Point = tuple[float, float]


@final
@dataclass(frozen=True, slots=True)
class Style:
    """The continuous choices of a face that no attribute names.

    Lengths are in pixels, hues in turns [0, 1), tones unitless in [0, 1].
    """

    centre_x: float
    centre_y: float
    turn: float
    scale: float
    eye_scale: float
    skin_tone: float
    hair_tone: float
    background_hue: float
    shirt_hue: float
    hat_hue: float
    scarf_hue: float
    earring_hue: float
    scenery: float


def draw_style(rng: np.random.Generator) -> Style:
    """Draw a style from its distribution.

    Parameters
    ----------
    rng : numpy.random.Generator
        Advanced by thirteen draws.

    Returns
    -------
    Style
    """
    return Style(
        centre_x=rng.uniform(30.0, 34.0),
        centre_y=rng.uniform(30.0, 33.0),
        turn=rng.uniform(-1.8, 1.8),
        scale=rng.uniform(1.03, 1.14),
        eye_scale=rng.uniform(0.9, 1.15),
        skin_tone=rng.uniform(),
        hair_tone=rng.uniform(),
        background_hue=rng.uniform(),
        shirt_hue=rng.uniform(),
        hat_hue=rng.uniform(),
        scarf_hue=rng.uniform(),
        earring_hue=rng.uniform(),
        scenery=rng.uniform(),
    )


def draw(attributes: Mapping[str, bool], style: Style) -> Image.Image:
    """Draw the face that has `attributes`, in `style`.

    Parameters
    ----------
    attributes : mapping of str to bool
        One entry per name of `latentdb.zoo.faces.ATTRIBUTES`.
    style : Style
        The nuisance parameters.

    Returns
    -------
    PIL.Image.Image
        RGB, 64 by 64 pixels.

    Raises
    ------
    KeyError
        An attribute is missing.
    """
    face = _Face.plan(attributes, style)
    pen = _Pen(style)
    (_outdoors if attributes["outdoors"] else _indoors)(pen, style)
    if attributes["long_hair"]:
        _long_hair(pen, face)
    _shoulders(pen, face, style)
    if attributes["scarf"]:
        _scarf(pen, style)
    _head(pen, face)
    if attributes["beard"]:
        _beard(pen, face)
    _nose_and_mouth(pen, face, is_smiling=attributes["smiling"])
    _eyes(pen, face, style, is_closed=attributes["closed_eyes"])
    if attributes["glasses"]:
        _glasses(pen, style)
    _fringe(pen, face)
    if attributes["hat"]:
        _hat(pen, face, style)
    if attributes["earrings"]:
        _earrings(pen, face, style)
    return pen.finish()


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """RGB bytes of a colour given as hue in turns, saturation and value in [0, 1]."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _mix(first: Colour, second: Colour, fraction: float) -> Colour:
    red, green, blue = (round(a + (b - a) * fraction) for a, b in zip(first, second, strict=True))
    return red, green, blue


@final
class _Pen:
    """A supersampled canvas; head shapes are placed relative to the head's centre and scale."""

    def __init__(self, style: Style) -> None:
        side = SIZE * _SUPERSAMPLE
        self._image = Image.new("RGB", (side, side))
        self._draw = ImageDraw.Draw(self._image)
        self._origin = (style.centre_x, style.centre_y)
        self._scale = style.scale

    def _place(self, point: Point) -> Point:
        x = self._origin[0] + self._scale * point[0]
        y = self._origin[1] + self._scale * point[1]
        return x * _SUPERSAMPLE, y * _SUPERSAMPLE

    def page(
        self, box: tuple[float, float, float, float], colour: Colour, *, is_round: bool = False
    ) -> None:
        """Fill a box given in page coordinates."""
        scaled = [side * _SUPERSAMPLE for side in box]
        (self._draw.ellipse if is_round else self._draw.rectangle)(scaled, fill=colour)

    def ellipse(self, centre: Point, radii: Point, colour: Colour) -> None:
        """Fill an axis-aligned ellipse."""
        x, y = self._place(centre)
        rx, ry = (radius * self._scale * _SUPERSAMPLE for radius in radii)
        self._draw.ellipse([x - rx, y - ry, x + rx, y + ry], fill=colour)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a closed polygon."""
        self._draw.polygon([self._place(point) for point in points], fill=colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a line with round joints and round ends."""
        thick = width * self._scale * _SUPERSAMPLE
        placed = [self._place(point) for point in points]
        self._draw.line(placed, fill=colour, width=round(thick), joint="curve")
        for x, y in (placed[0], placed[-1]):
            self._draw.ellipse(
                [x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2], fill=colour
            )

    def finish(self) -> Image.Image:
        """Soften and reduce to the final size."""
        return self._image.filter(ImageFilter.GaussianBlur(_SOFTNESS)).reduce(_SUPERSAMPLE)


def _curve(
    centre: Point, radii: Point, start_deg: float, stop_deg: float, power: float = 2.0
) -> list[Point]:
    """Points of a superellipse's arc; 0 degrees is right, 90 is down (the page's y axis)."""
    points = []
    for angle in np.radians(np.linspace(start_deg, stop_deg, 36)):
        c, s = math.cos(angle), math.sin(angle)
        x = math.copysign(abs(c) ** (2 / power), c)
        y = math.copysign(abs(s) ** (2 / power), s)
        points.append((centre[0] + radii[0] * x, centre[1] + radii[1] * y))
    return points


@final
@dataclass(frozen=True, slots=True)
class _Face:
    """Sizes and colours that several parts share."""

    radii: Point
    power: float
    skin: Colour
    shade: Colour
    hair: Colour
    turn: float

    @staticmethod
    def plan(attributes: Mapping[str, bool], style: Style) -> _Face:
        if attributes["pale_skin"]:
            skin = _mix((255, 232, 214), (248, 208, 180), style.skin_tone)
        else:
            skin = _mix((206, 146, 104), (142, 90, 62), style.skin_tone)
        if attributes["dark_hair"]:
            hair = _mix((40, 34, 44), (84, 54, 42), style.hair_tone)
        else:
            hair = _mix((240, 206, 122), (214, 120, 62), style.hair_tone)
        round_face = attributes["round_face"]
        return _Face(
            radii=(15.6, 15.4) if round_face else (11.8, 17.0),
            power=2.15 if round_face else 2.3,
            skin=skin,
            shade=_mix(skin, (150, 60, 50), 0.28),
            hair=hair,
            turn=style.turn,
        )


def _indoors(pen: _Pen, style: Style) -> None:
    wall = hsv(0.02 + 0.12 * style.background_hue, 0.24, 0.90)
    pen.page((0, 0, SIZE, SIZE), wall)
    pen.page((0, 46, SIZE, SIZE), _mix(wall, (120, 72, 58), 0.30))


def _outdoors(pen: _Pen, style: Style) -> None:
    sky = hsv(0.52 + 0.07 * style.background_hue, 0.38, 0.94)
    pen.page((0, 0, SIZE, SIZE), sky)
    sun_x = 6 + 8 * style.scenery
    pen.page((sun_x - 6, 2, sun_x + 6, 14), (255, 236, 160), is_round=True)
    grass = hsv(0.24 + 0.08 * style.background_hue, 0.46, 0.74)
    pen.page((-30, 38 + 4 * style.scenery, 40, 100), _mix(grass, sky, 0.25), is_round=True)
    pen.page((20, 42 - 4 * style.scenery, 100, 100), grass, is_round=True)


def _long_hair(pen: _Pen, face: _Face) -> None:
    width, height = face.radii[0] + 4.6, face.radii[1] + 3.6
    top = _curve((0, -1), (width, height), 180, 360)
    pen.polygon(
        [*top, (width + 1.2, 19), (width - 2.5, 25), (-width + 2.5, 25), (-width - 1.2, 19)],
        face.hair,
    )


def _shoulders(pen: _Pen, face: _Face, style: Style) -> None:
    shirt = hsv(style.shirt_hue, 0.48, 0.78)
    pen.polygon(_curve((0, 37), (25, 17.5), 180, 360, 2.5), shirt)
    pen.polygon([(-6, 10), (6, 10), (6.5, 21), (0, 25), (-6.5, 21)], face.shade)


def _scarf(pen: _Pen, style: Style) -> None:
    wool = hsv(style.scarf_hue, 0.52, 0.80)
    pen.polygon(_curve((0, 21.5), (14.5, 6.2), 0, 360, 2.6), wool)
    pen.polygon([(5, 22), (12, 22), (13.5, 36), (5.5, 36)], _mix(wool, (40, 20, 50), 0.18))


def _head(pen: _Pen, face: _Face) -> None:
    for side in (-1, 1):
        pen.ellipse((side * (face.radii[0] + 0.4) + 0.3 * face.turn, 1.5), (2.6, 3.6), face.shade)
    pen.polygon(_curve((0, 0), face.radii, 0, 360, face.power), face.skin)
    blush = _mix(face.skin, (236, 96, 96), 0.22)
    for side in (-1, 1):
        pen.ellipse((side * (face.radii[0] - 4.4) + 0.6 * face.turn, 5.4), (2.8, 2.2), blush)


def _beard(pen: _Pen, face: _Face) -> None:
    rx, ry = face.radii
    outer = _curve((0, 1), (rx + 0.5, ry + 1.6), 2, 178, face.power)
    inner = _curve((0.8 * face.turn, 3.6), (rx - 2.6, 3.6), 180, 0)
    pen.polygon([*outer, *inner], _mix(face.hair, (70, 34, 26), 0.22))


def _nose_and_mouth(pen: _Pen, face: _Face, *, is_smiling: bool) -> None:
    x = face.turn
    pen.polygon(_curve((1.15 * x, 2.6), (1.9, 1.9), 0, 180), face.shade)
    lip = (196, 70, 78)
    if is_smiling:
        pen.polygon(_curve((x, 7.0), (6.4, 5.4), 0, 180), lip)
        pen.polygon(
            [(x - 5.8, 7.0), (x + 5.8, 7.0), (x + 4.9, 9.4), (x - 4.9, 9.4)], (255, 250, 244)
        )
    else:
        pen.line([(x - 3.2, 9.2), (x + 3.2, 9.2)], 2.0, lip)


def _eyes(pen: _Pen, face: _Face, style: Style, *, is_closed: bool) -> None:
    ink = (46, 36, 48)
    brow = _mix(face.hair, (60, 40, 40), 0.35)
    for side in (-1, 1):
        x = side * 5.7 + face.turn
        pen.line([(x - 2.4, -6.6), (x + 2.4, -6.6)], 1.5, brow)
        if is_closed:
            pen.line(_curve((x, -2.4), (3.0, 2.2), 10, 170), 1.5, ink)
            continue
        pen.ellipse((x, -1.6), (3.1 * style.eye_scale, 3.0 * style.eye_scale), (252, 250, 248))
        pen.ellipse((x + 0.3 * face.turn, -1.5), (1.9, 2.0), ink)


def _glasses(pen: _Pen, style: Style) -> None:
    frame = (52, 44, 74)
    for side in (-1, 1):
        ring = _curve((side * 5.9 + style.turn, -1.4), (4.7, 4.5), 0, 360)
        pen.line(ring, 1.6, frame)
    pen.line([(style.turn - 1.2, -2.0), (style.turn + 1.2, -2.0)], 1.6, frame)


def _fringe(pen: _Pen, face: _Face) -> None:
    rx, ry = face.radii
    outer = _curve((0, -1.6), (rx + 1.6, ry + 1.0), 172, 368, face.power)
    inner = _curve((0.7 * face.turn, -4.6), (rx - 1.2, ry - 9.0), 360, 180, 2.4)
    pen.polygon([*outer, *inner], face.hair)


def _hat(pen: _Pen, face: _Face, style: Style) -> None:
    felt = hsv(style.hat_hue, 0.50, 0.78)
    rx, ry = face.radii
    crown = _curve((0, -8.2), (rx + 2.2, ry - 2.6), 180, 360, 2.4)
    pen.ellipse((0, -ry - 6.4), (3.2, 3.0), _mix(felt, (255, 255, 255), 0.6))
    pen.polygon(crown, felt)
    band = _curve((0, -9.4), (rx + 3.0, 2.7), 0, 360, 4.0)
    pen.polygon(band, _mix(felt, (255, 255, 255), 0.45))


def _earrings(pen: _Pen, face: _Face, style: Style) -> None:
    jewel = hsv(0.80 + 0.16 * style.earring_hue, 0.66, 0.86)
    for side in (-1, 1):
        pen.ellipse((side * (face.radii[0] + 1.4) + 0.3 * face.turn, 7.4), (2.8, 3.0), jewel)
