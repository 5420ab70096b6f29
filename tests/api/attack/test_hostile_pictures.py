"""Pictures made to cost time or memory, or to be more than pictures."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from latentdb.errors import PictureError
from latentdb.ingest.decode import decode_picture, decode_upload

LARGEST = (7071, 7071)
HEIC = b"\0\0\0\x18ftypheic"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(between: bytes = b"", side: int = 8) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * (side + 1) * side))
    return b"\x89PNG\r\n\x1a\n" + head + between + pixels + chunk(b"IEND")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpeg(before: bytes) -> bytes:
    plain = saved(Image.new("RGB", (8, 8)), "JPEG")
    return plain[:2] + before + plain[2:]


def gif(before: bytes) -> bytes:
    plain = saved(Image.effect_noise((64, 64), 50).convert("P"), "GIF")
    return plain[: 13 + 768] + before + plain[13 + 768 :]


def scans() -> bytes:
    plain = saved(Image.new("L", (800, 800)), "JPEG", progressive=True)
    last = plain[plain.rindex(b"\xff\xda") : -2]
    return plain[:-2] + last * 100 + b"\xff\xd9"


COSTLY: dict[str, Callable[[], bytes]] = {
    "chunks": lambda: png(chunk(b"abCd") * 800_000),
    "texts": lambda: png(chunk(b"tEXt", b"a\0b") * 500_000),
    "text that inflates": lambda: png(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8), 9))),
    "profile that inflates": lambda: png(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8), 9))),
    "comments": lambda: jpeg(b"\xff\xfe\0\x02" * 2_000_000),
    "exif blocks": lambda: jpeg(b"\xff\xe1\0\x0aExif\0\0ab" * 800_000),
    "gif comments": lambda: gif(b"\x21\xfe\x01a\0" * 2_000_000),
    "one gif comment": lambda: gif(b"\x21\xfe" + b"\x01a" * 4_000_000 + b"\0"),
    "scans": scans,
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_picture_that_costs_more_than_its_pixels_is_refused_at_once(name: str) -> None:
    data = COSTLY[name]()
    started = time.process_time()
    with pytest.raises(PictureError) as caught:
        decode_upload(data, max_megapixels=50)
    # Without the bounds these take from seconds to hours.
    assert time.process_time() - started < 1.5
    assert caught.value.reason == "corrupt"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_costs_one_frame(kind: str) -> None:
    frames = [Image.new("RGB", (64, 64), (at % 255, at % 7, 0)) for at in range(400)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=10)
    assert decode_upload(data, max_megapixels=1).getpixel((5, 5)) == (0, 0, 0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_what_browsers_send_is_read(kind: str) -> None:
    assert decode_upload(saved(Image.new("RGB", (9, 7)), kind), max_megapixels=1).size == (9, 7)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM", "TGA", "ICO", "JPEG2000"])
def test_other_formats_are_for_the_owners_own_files(kind: str) -> None:
    data = saved(Image.new("RGB", (16, 16)), kind)
    with pytest.raises(PictureError, match=r"header|decoder|text"):
        decode_upload(data, max_megapixels=1)
    assert decode_picture(data).size == (16, 16)


@pytest.mark.parametrize(
    "data", [EPS, SVG, HEIC, b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8"]
)
@pytest.mark.parametrize("decode", [decode_picture, decode_upload])
def test_programs_and_heads_without_a_body_are_no_pictures(
    data: bytes, decode: Callable[..., Image.Image]
) -> None:
    with pytest.raises(PictureError, match=r".+"):
        decode(data, max_megapixels=1)


def test_of_a_file_that_is_two_things_only_the_pixels_stay() -> None:
    secret = b"<script>alert(document.cookie)</script>PK\x03\x04"
    hidden = png(chunk(b"tEXt", b"Comment\0" + secret)) + secret
    assert secret not in saved(decode_upload(hidden, max_megapixels=1), "PNG")


def test_a_header_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(png())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    with pytest.raises(PictureError, match=r"header|megapixels"):
        decode_upload(bytes(data), max_megapixels=50)


_MEASURED = """
import sys
from latentdb.ingest.decode import decode_upload
from PIL import Image
Image.init()
data = open(sys.argv[1], "rb").read()
def field(name):
    return next(int(row.split()[1]) for row in open("/proc/self/status") if row.startswith(name))
before = field("VmRSS:")
decode_upload(data, max_megapixels=50)
print((field("VmHWM:") - before) // 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    ("mode", "kind", "options", "most_mib"),
    [
        ("RGBA", "PNG", {"compress_level": 1}, 500),
        ("I;16", "PNG", {"compress_level": 1}, 500),
        ("RGB", "WEBP", {"lossless": True, "method": 0, "quality": 0}, 900),
    ],
)
def test_fifty_megapixels_hold_less_than_a_gigabyte(
    tmp_path, mode: str, kind: str, options: dict[str, object], most_mib: int
) -> None:
    path = tmp_path / "large"
    path.write_bytes(saved(Image.new(mode, LARGEST), kind, **options))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < most_mib
