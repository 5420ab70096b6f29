"""Files that would cost far more time than their pixels: told by counting parts, not decoding.

Pillow reads the parts of a file before its pixels one at a time, in Python, and joins comments and
EXIF blocks by copying all that came before: 30 MiB of empty PNG chunks take 13 s, as much of GIF
comments or EXIF segments takes minutes, and so does a JPEG of some kilobytes that goes over
50 megapixels a thousand times. No camera or program writes such files.
"""

from __future__ import annotations

from latentdb.errors import PictureError

# libpng writes 8 KiB a chunk: 160 MB of picture.
MAX_CHUNKS = 20_000
MAX_SEGMENTS = 1_000
MAX_HEAD_BYTES = 16 * 2**20
# Programs that write progressive files make about ten.
MAX_SCANS = 64
MAX_GIF_HEAD_BYTES = 2**20

_PNG_START, _JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_GIF_START, _GIF_EXTENSION = b"GIF8", 0x21
_START_OF_SCAN = b"\xff\xda"


def require_plain_structure(data: bytes) -> None:
    """Pass over files of a form that is read in good time.

    Parameters
    ----------
    data : bytes
        A whole file. Of PNG, JPEG and GIF the parts are counted; others are not looked at.

    Raises
    ------
    PictureError
        "corrupt": it has more parts than any program writes.
    """
    if data.startswith(_PNG_START):
        _count_chunks(data)
    elif data.startswith(_JPEG_START):
        _count_segments(data)
    elif data.startswith(_GIF_START):
        _measure_gif_head(data)


def _count_chunks(data: bytes) -> None:
    at, count = len(_PNG_START), 0
    while at < len(data):
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        count += 1
        if count > MAX_CHUNKS:
            raise _refused(f"a PNG of more than {MAX_CHUNKS} chunks")


def _count_segments(data: bytes) -> None:
    """Segments before the first scan, and scans; within a scan 0xFF is never followed by 0xDA."""
    at, count = 2, 0
    while at + 4 <= len(data) and data[at] == 0xFF and data[at : at + 2] != _START_OF_SCAN:
        # Fill bytes and markers without a length are one or two bytes.
        has_length = data[at + 1] not in (0x01, 0xFF) and not 0xD0 <= data[at + 1] <= 0xD8
        if has_length:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        else:
            at += 1 if data[at + 1] == 0xFF else 2
        count += 1
        if count > MAX_SEGMENTS or at > MAX_HEAD_BYTES:
            raise _refused(
                f"a JPEG of more than {MAX_SEGMENTS} segments or {MAX_HEAD_BYTES >> 20} MiB "
                "before its pixels"
            )
    if data.count(_START_OF_SCAN, at) > MAX_SCANS:
        raise _refused(f"a JPEG of more than {MAX_SCANS} scans")


def _measure_gif_head(data: bytes) -> None:
    flags = data[10] if len(data) > 10 else 0
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    while at < len(data) and data[at] == _GIF_EXTENSION:
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
            if at > MAX_GIF_HEAD_BYTES:
                raise _refused(
                    f"a GIF with more than {MAX_GIF_HEAD_BYTES >> 20} MiB before its pixels"
                )
        at += 1


def _refused(found: str) -> PictureError:
    return PictureError("corrupt", f"{found}, which no program writes")
