"""What comes out of a file's bytes: upright RGB, or the reason why not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentdb.errors import PictureError
from latentdb.ingest.decode import decode_picture, picture_of, pixel_id, thumbnail_of
from latentdb.types import Item

GREEN = (0, 128, 0)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def reason_for(data: bytes, **limits: float) -> str:
    with pytest.raises(PictureError, match=r".") as caught:
        decode_picture(data, **limits)
    return caught.value.reason


def test_pixels_of_a_lossless_picture_are_kept(draw) -> None:
    image = draw()
    decoded = decode_picture(saved(image))
    assert decoded.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(decoded), np.asarray(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(draw, orientation: int) -> None:
    # EXIF: (row 0, column 0) of the stored pixels lies at this corner of the upright picture.
    upright = np.asarray(draw())
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.swapaxes(0, 1), 6: np.rot90(upright, 1),
        7: np.rot90(upright.swapaxes(0, 1), 2), 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    np.testing.assert_array_equal(np.asarray(decode_picture(data)), upright)


def test_a_broken_exif_block_leaves_the_picture_as_it_lies(draw) -> None:
    data = saved(draw(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert decode_picture(data).size == draw().size


def test_transparency_is_laid_on_white() -> None:
    half = Image.new("RGBA", (4, 4), (*GREEN, 0))
    half.paste((*GREEN, 255), (0, 0, 2, 4))
    decoded = decode_picture(saved(half))
    assert decoded.getpixel((0, 0)) == GREEN
    assert decoded.getpixel((3, 0)) == (255, 255, 255)


def test_a_transparent_palette_colour_is_laid_on_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, *GREEN])
    image.paste(1, (0, 0, 2, 4))
    decoded = decode_picture(saved(image, transparency=0))
    assert decoded.getpixel((0, 0)) == GREEN
    assert decoded.getpixel((3, 0)) == (255, 255, 255)


def test_a_colour_key_is_laid_on_white() -> None:
    decoded = decode_picture(saved(Image.new("RGB", (4, 4), GREEN), transparency=GREEN))
    assert decoded.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "kind"), [("LA", "PNG"), ("L", "PNG"), ("1", "PNG"), ("P", "GIF")]
)
def test_grey_and_palette_pictures_keep_their_tone(mode: str, kind: str) -> None:
    decoded = decode_picture(saved(Image.new("L", (4, 4), 255).convert(mode), kind))
    assert (decoded.mode, decoded.getpixel((1, 1))) == ("RGB", (255, 255, 255))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind: str) -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    decoded = np.asarray(decode_picture(saved(Image.fromarray(ramp), kind)))
    np.testing.assert_array_equal(decoded[..., 0].ravel(), np.arange(256))


def test_dark_sixteen_bits_stay_dark() -> None:
    dark = Image.fromarray(np.full((4, 4), 257 * 9, dtype=np.uint16))
    assert decode_picture(saved(dark)).getpixel((0, 0)) == (9, 9, 9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 51.0, 255.0], [0, 51, 255]),
        ([-2.0, 0.0, 2.0], [0, 128, 255]),
    ],
)
def test_floating_point_pictures_are_scaled(values: list[float], expected: list[int]) -> None:
    row = np.tile(np.array(values, dtype=np.float32), (3, 1))
    decoded = np.asarray(decode_picture(saved(Image.fromarray(row), "TIFF")))
    np.testing.assert_array_equal(decoded[0, :, 0], expected)


def test_thirty_two_bit_integers_are_scaled() -> None:
    row = np.tile(np.array([0, 1 << 20, 1 << 21], dtype=np.int32), (3, 1))
    decoded = np.asarray(decode_picture(saved(Image.fromarray(row), "TIFF")))
    np.testing.assert_array_equal(decoded[0, :, 1], [0, 128, 255])


def test_a_floating_point_picture_that_is_no_number_is_corrupt() -> None:
    image = Image.fromarray(np.full((4, 4), np.nan, dtype=np.float32))
    assert reason_for(saved(image, "TIFF")) == "corrupt"


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(kind: str) -> None:
    decoded = decode_picture(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), kind))
    red, green, blue = decoded.getpixel((4, 4))
    assert red > 240
    assert max(green, blue) < 15


def test_lab_becomes_the_colour_it_names() -> None:
    decoded = decode_picture(saved(Image.new("LAB", (4, 4), (255, 128, 128)), "TIFF"))
    assert min(decoded.getpixel((0, 0))) > 250


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "red", "blue")]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    assert decode_picture(data).getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_picture_without_its_end_is_truncated(draw, kind: str, kept: float) -> None:
    data = saved(draw(), kind)
    assert reason_for(data[: int(len(data) * kept)]) == "truncated"


def test_a_flipped_bit_in_png_data_is_corrupt(draw) -> None:
    data = bytearray(saved(draw()))
    data[data.index(b"IDAT") + 20] ^= 0x10
    assert reason_for(bytes(data)) == "corrupt"


def test_a_bomb_is_refused_by_its_header(header_only) -> None:
    assert reason_for(header_only(100_000, 100_000)) == "too_large"


def test_the_megapixel_limit_is_the_callers(draw) -> None:
    data = saved(draw(width=100, height=100))
    assert decode_picture(data, max_megapixels=0.01).size == (100, 100)
    assert reason_for(data, max_megapixels=0.0099) == "too_large"


def test_pillows_own_limit_is_left_as_it_was(header_only) -> None:
    before = Image.MAX_IMAGE_PIXELS
    reason_for(header_only(100_000, 100_000))
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_side_below_the_minimum_is_too_small() -> None:
    assert reason_for(saved(Image.new("RGB", (1, 50))), min_side=2) == "too_small"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"just words", "not_an_image"),
        (b"<!DOCTYPE html><html></html>", "not_an_image"),
        (b"\x00\x01\x02\x03" * 99, "not_an_image"),
        (b"\xff\xd8\xff\xe0", "truncated"),
    ],
)
def test_bytes_that_are_no_picture_have_a_reason(data: bytes, reason: str) -> None:
    assert reason_for(data) == reason


def test_identity_is_of_pixels_and_size_not_of_the_file(draw) -> None:
    image = draw()
    same = decode_picture(saved(image, "WEBP", lossless=True))
    assert pixel_id(same) == pixel_id(image)
    assert pixel_id(draw(1)) != pixel_id(image)
    assert pixel_id(Image.new("RGB", (2, 8))) != pixel_id(Image.new("RGB", (8, 2)))
    assert 0 <= pixel_id(image) < 2**63


def test_small_thumbnails_lose_nothing_and_large_ones_are_jpeg(draw) -> None:
    small, large = draw(width=100, height=64), draw(width=900, height=300)
    kept = Image.open(io.BytesIO(thumbnail_of(small)))
    np.testing.assert_array_equal(np.asarray(kept), np.asarray(small))
    shrunk = Image.open(io.BytesIO(thumbnail_of(large)))
    assert (shrunk.format, shrunk.size) == ("JPEG", (256, 85))


def item_of(path: Path, image: Image.Image) -> Item:
    return Item(pixel_id(image), str(path), *image.size, {}, "2025-01-01T00:00:00Z")


def test_the_picture_of_an_item_comes_from_its_file_while_that_holds_it(tmp_path, draw) -> None:
    image, path = draw(width=300, height=300), tmp_path / "a.png"
    image.save(path)
    item, thumbnail = item_of(path, image), thumbnail_of(image)
    assert picture_of(item, thumbnail).size == (300, 300)
    draw(5, width=300, height=300).save(path)
    assert picture_of(item, thumbnail).size == (256, 256)
    path.unlink()
    assert picture_of(item, thumbnail).size == (256, 256)
