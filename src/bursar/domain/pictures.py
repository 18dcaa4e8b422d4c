"""Pictures that somebody gives us: whether they are whole, and rid of what is no picture in them.

Knows PNG and JPEG down to their pieces: each must be there, in order and in bounds, so that a torn
file or one that unfolds to gigabytes is refused before anybody draws it. Texts, positions and
whatever follows the end are left out. Whether the colors decode is for whoever prints.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

EDGE_MAX: Final = 4_000
PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8"

# Color type to samples a pixel, and the depths a sample may have.
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PALETTE: Final = 3
_KEPT_CHUNKS: Final = frozenset({b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"IDAT"})
_HEAD: Final = b"IHDR"
_END: Final = b"IEND"
_HEAD_LENGTH: Final = 13
_CHUNK_FRAME: Final = 12  # length, name and checksum
# Adam7: first column and row of each pass, and the steps between.
_PASSES: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)

_MARK: Final = 0xFF  # begins every marker, and fills before it
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended and progressive
_TABLES: Final = frozenset({0xC4, 0xDB, 0xDD})
_LEGENDS: Final = frozenset({0xE0, 0xEE})  # how the colors are meant: JFIF, Adobe
_RESTARTS: Final = range(0xD0, 0xD8)
_LENGTH: Final = 2  # bytes that tell a segment's length, themselves included
_FRAME_LENGTH: Final = 7  # length, precision, height and width


class NotAPicture(Exception):
    """What is wrong with it, for whoever sent it."""


def kind_of(picture: bytes) -> str:
    """What a picture that was taken is called among media types."""
    return "png" if picture.startswith(PNG) else "jpeg"


class _Grid(Struct, frozen=True):
    """How many pixels of how many bits."""

    width: int
    height: int
    bits: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.width <= EDGE_MAX and 0 < self.height <= EDGE_MAX):
            raise NotAPicture(f"expected 1 to {EDGE_MAX:,} pixels on each edge")

    def unpacked(self, *, is_interlaced: bool) -> int:
        """How many bytes the pixels of a PNG are, each row with the name of its filter."""
        passes = _PASSES if is_interlaced else ((0, 0, 1, 1),)
        length = 0
        for left, top, step_x, step_y in passes:
            columns = -(-(self.width - left) // step_x)
            rows = -(-(self.height - top) // step_y)
            if columns > 0 and rows > 0:
                length += rows * (1 + -(-columns * self.bits // 8))
        return length


def cleaned(body: bytes) -> bytes:
    """The picture and nothing else.

    Raises:
        NotAPicture: neither PNG nor JPEG, torn, or too large on an edge.
    """
    if body.startswith(PNG):
        return _clean_png(body)
    if body.startswith(JPEG):
        return _clean_jpeg(body)
    raise NotAPicture("expected a PNG or JPEG")


def _clean_png(body: bytes) -> bytes:
    chunks = list(_chunks(body))
    if not chunks or chunks[0][0] != _HEAD or chunks[-1][0] != _END:
        raise NotAPicture("the PNG is torn")
    kept = [(name, content) for name, content in chunks[1:-1] if name in _KEPT_CHUNKS]
    _check_pixels(chunks[0][1], kept)
    parts = (chunks[0], *kept, (_END, b""))
    return PNG + b"".join(_chunk(name, content) for name, content in parts)


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk up to the last, its checksum compared."""
    at = len(PNG)
    while at + _CHUNK_FRAME <= len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        name, content = body[at + 4 : at + 8], body[at + 8 : at + 8 + length]
        at += _CHUNK_FRAME + length
        if at > len(body) or _chunk(name, content)[-4:] != body[at - 4 : at]:
            raise NotAPicture("the PNG is torn")
        yield name, content
        if name == _END:
            return


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + checksum


def _check_pixels(head: bytes, kept: list[tuple[bytes, bytes]]) -> None:
    """Exactly as many bytes unfold as the head promises; never more are unfolded."""
    if len(head) != _HEAD_LENGTH:
        raise NotAPicture("the PNG is torn")
    depth, color, packing, filtering, interlacing = head[8:]
    if depth not in _DEPTHS.get(color, ()) or packing or filtering or interlacing > 1:
        raise NotAPicture("no PNG that is known")
    if color == _PALETTE and b"PLTE" not in dict(kept):
        raise NotAPicture("the PNG has no palette")
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    grid = _Grid(width, height, depth * _SAMPLES[color])
    expected = grid.unpacked(is_interlaced=bool(interlacing))
    packed = b"".join(content for name, content in kept if name == b"IDAT")
    unpacker = zlib.decompressobj()
    try:
        pixels = unpacker.decompress(packed, expected + 1)
    except zlib.error:
        raise NotAPicture("the PNG is torn") from None
    if len(pixels) != expected:
        raise NotAPicture("the PNG is torn")


def _clean_jpeg(body: bytes) -> bytes:
    parts, at, frames = [JPEG], len(JPEG), 0
    while True:
        marker, content, at = _segment(body, at)
        if marker == _END_OF_IMAGE:
            break
        if marker in _FRAMES:
            frames += 1
            _check_frame(content)
        elif marker == _START_OF_SCAN:
            end = _scan_end(body, at)
            content, at = content + body[at:end], end
        elif marker not in _TABLES | _LEGENDS:
            continue
        parts.append(bytes((_MARK, marker)) + content)
    if frames != 1 or not any(part[1] == _START_OF_SCAN for part in parts):
        raise NotAPicture("no JPEG that is known")
    return b"".join(parts) + bytes((_MARK, _END_OF_IMAGE))


def _segment(body: bytes, at: int) -> tuple[int, bytes, int]:
    """The marker at a place, its content with the length before it, and where the next one is."""
    while body[at : at + 2] == b"\xff\xff":
        at += 1
    if len(body) < at + 2 or body[at] != _MARK:
        raise NotAPicture("the JPEG is torn")
    marker = body[at + 1]
    if marker == _END_OF_IMAGE:
        return marker, b"", at + 2
    length = int.from_bytes(body[at + 2 : at + 4], "big")
    end = at + 2 + length
    if length < _LENGTH or end > len(body):
        raise NotAPicture("the JPEG is torn")
    return marker, body[at + 2 : end], end


def _check_frame(content: bytes) -> None:
    if len(content) < _FRAME_LENGTH:
        raise NotAPicture("the JPEG is torn")
    _Grid(int.from_bytes(content[5:7], "big"), int.from_bytes(content[3:5], "big"))


def _scan_end(body: bytes, at: int) -> int:
    """Where a scan ends: at the first marker that is neither a stuffed byte nor a restart."""
    while True:
        at = body.find(b"\xff", at)
        if at < 0 or at + 1 >= len(body):
            raise NotAPicture("the JPEG is torn")
        after = body[at + 1]
        if after != 0 and after not in _RESTARTS and after != _MARK:
            return at
        at += 1 if after == _MARK else 2
