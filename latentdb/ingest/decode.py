"""From the bytes of a file to a picture with an identity, or to the reason there is none."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import zlib
from functools import cache

from PIL import Image, ImageOps, UnidentifiedImageError

from latentdb.errors import PictureError
from latentdb.ingest.colour import to_rgb
from latentdb.ingest.recipes import FileBytes
from latentdb.ingest.structure import require_plain_structure
from latentdb.no_picture import no_picture
from latentdb.types import Item

# Formats of pixels that are decoded in this process. Of what else Pillow opens, some formats are
# programs (EPS is run by Ghostscript), and the others hold no photographs.
FORMATS = (
    "AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "QOI",
    "SGI", "TGA", "TIFF", "WEBP", "XBM", "XPM",
)  # fmt: skip
# Of those the ones that are taken from strangers: what browsers and telephones send. Pillow
# decodes run-length BMP in Python, and TIFF has dozens of forms in a large library.
UPLOAD_FORMATS = ("GIF", "JPEG", "PNG", "WEBP")
DEFAULT_MAX_MEGAPIXELS = 100.0
DEFAULT_MIN_SIDE = 2
THUMBNAIL_SIDE = 256
_LOSSLESS_SIDE = 128
# The largest uncompressed picture within the limit: four channels of 16 bits, and metadata.
_BYTES_PER_PIXEL = 8
_SPARE_BYTES = 64 << 20

# What Pillow's decoders are known to raise on bytes that lie.
_DECODER_ERRORS = (
    OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError,
    AttributeError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
_MAGIC = (
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*",
    b"\0\0\0\x0cjP", b"\xffO\xffQ",
)  # fmt: skip
_open_lock = threading.Lock()
# Of a picture of 50 megapixels the decoder holds up to a gigabyte: of such, one at a time.
_LARGE_MEGAPIXELS = 8.0
_large_lock = threading.Lock()


def decode_picture(
    data: bytes,
    *,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    min_side: int = DEFAULT_MIN_SIDE,
    formats: tuple[str, ...] = FORMATS,
) -> Image.Image:
    """RGB picture in `data`, upright, on white where it was transparent.

    Of an animation the first frame is taken. The size is judged by the header, before anything
    is decompressed.

    Parameters
    ----------
    data : bytes
        A whole file.
    max_megapixels : float
        Pictures of more millions of pixels are refused.
    min_side : int
        Pictures with a shorter side, in pixels, are refused.
    formats : tuple of str
        Which are read, as Pillow calls them.

    Raises
    ------
    PictureError
        With a reason of `latentdb.types.QuarantineReason`.
    """
    if not data:
        raise PictureError("empty", "the file is empty")
    require_plain_structure(data)
    image = _open(data, formats)
    try:
        _check_size(image, max_megapixels, min_side)
        _check_sums(image, data)
        image.load()
        return to_rgb(_upright(image))
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError("too_large", "there is not enough memory to decode it") from error
    except _DECODER_ERRORS as error:
        reason = "truncated" if _ends_early(data, error) else "corrupt"
        raise PictureError(reason, f"{image.format}: {error}") from error
    finally:
        image.close()


def decode_upload(data: bytes, *, max_megapixels: float) -> Image.Image:
    """The picture in bytes that a stranger sent; see `decode_picture`.

    Fewer formats are read, and large pictures one at a time: with 50 megapixels, a process holds
    less than 900 MiB more at its peak (measured: 780), whoever sends how many.

    Raises
    ------
    PictureError
        With a reason of `latentdb.types.QuarantineReason`.
    """
    if _header_megapixels(data) <= _LARGE_MEGAPIXELS:
        return decode_picture(data, max_megapixels=max_megapixels, formats=UPLOAD_FORMATS)
    with _large_lock:
        return decode_picture(data, max_megapixels=max_megapixels, formats=UPLOAD_FORMATS)


def max_bytes_of(max_megapixels: float) -> int:
    """Bytes of a file beyond which no picture within the limit can need them."""
    return int(max_megapixels * 1e6) * _BYTES_PER_PIXEL + _SPARE_BYTES


def content_hash(data: bytes) -> str:
    """64 hex digits of the SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def pixel_id(image: Image.Image) -> int:
    """63 bits of the SHA-256 of the RGB pixels with their size: the identity of an item."""
    digest = hashlib.sha256(struct.pack("<II", *image.size))
    digest.update(image.tobytes())
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def thumbnail_of(image: Image.Image) -> bytes:
    """PNG where the picture is at most 128 pixels a side, else JPEG of at most 256."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    if max(small.size) <= _LOSSLESS_SIDE:
        # A third less time than the default, for a twentieth more bytes.
        small.save(file, "PNG", compress_level=1)
    else:
        small.save(file, "JPEG", quality=90)
    return file.getvalue()


def picture_of(item: Item, thumbnail: bytes) -> Image.Image:
    """The picture of an item: from its file while that still holds it, else the thumbnail.

    Of an item without a picture, a tile that says so.

    Parameters
    ----------
    item : Item
        Its `source` may name a file; one inside an archive is not looked for.
    thumbnail : bytes
        What is stored of it.
    """
    if not item.has_picture:
        return no_picture()
    try:
        data = FileBytes(item.source).read(max_bytes_of(DEFAULT_MAX_MEGAPIXELS))
        image = decode_picture(data)
    except PictureError:
        return decode_picture(thumbnail, min_side=1)
    # The file may have been replaced since.
    return image if pixel_id(image) == item.id else decode_picture(thumbnail, min_side=1)


def _header_megapixels(data: bytes) -> float:
    require_plain_structure(data)
    if not data:
        return 0.0
    with _open(data, UPLOAD_FORMATS) as image:
        return image.width * image.height / 1e6


@cache
def _known(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Those that this build of Pillow has, in the order in which it tries them."""
    Image.init()
    return tuple(name for name in Image.ID if name in formats)


def _open(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """The picture with its header read.

    Pillow's own limit is one number for the whole process, so it is lifted while a header is
    read: `_check_size` judges by the caller's limit right after.
    """
    with _open_lock:
        pillows_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(data), formats=_known(formats))
        except _DECODER_ERRORS as error:
            if isinstance(error, UnidentifiedImageError) and not _has_magic(data):
                raise PictureError("not_an_image", _describe(data)) from error
            reason = "truncated" if _ends_early(data, error) else "corrupt"
            raise PictureError(reason, "the header of the picture cannot be read") from error
        finally:
            Image.MAX_IMAGE_PIXELS = pillows_limit


def _check_size(image: Image.Image, max_megapixels: float, min_side: int) -> None:
    width, height = image.size
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise PictureError(
            "too_large",
            f"{width} x {height} is {megapixels:.1f} megapixels, the limit is {max_megapixels:g}",
        )
    if min(width, height) < min_side:
        raise PictureError(
            "too_small", f"{width} x {height} pixels, the shorter side must have {min_side}"
        )


def _check_sums(image: Image.Image, data: bytes) -> None:
    """Check the checksums that PNG carries: Pillow's decoder leaves them out."""
    if image.format == "PNG":
        with Image.open(io.BytesIO(data)) as again:
            again.verify()


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says; where the EXIF block itself is broken, as the pixels lie."""
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except _DECODER_ERRORS:
        return image
    return image


def _has_magic(data: bytes) -> bool:
    """Whether bytes begin as a picture does, even if no decoder could go on from there."""
    return data.startswith(_MAGIC) or data[8:12] == b"WEBP" or data[4:11] == b"ftypavi"


def _ends_early(data: bytes, error: Exception) -> bool:
    """Whether a picture that failed to decode has lost its end."""
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd9" not in data[-64:]
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data[-64:]
    if data.startswith(b"GIF8"):
        return b"\x3b" not in data[-2:]
    if data.startswith(b"RIFF") and len(data) >= 8:
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    said = str(error).lower()
    return "truncated" in said or "only got" in said or isinstance(error, EOFError)


def _describe(data: bytes) -> str:
    """What bytes that are no picture look like."""
    head = data[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page, not a picture"
    if head.startswith((b"<?xml", b"<svg")):
        return "XML, not a picture of pixels"
    if b"ftyp" in data[4:12]:
        return "a film or a picture of a format that no decoder here reads (such as HEIC)"
    if b"\0" not in head and head.isascii():
        return "text, not a picture"
    return "no decoder knows these bytes"
