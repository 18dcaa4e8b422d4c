"""Logos: whole pictures pass, rid of what is no picture; anything torn or swollen is refused."""

import base64
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.pictures import JPEG, PNG, NotAPicture, cleaned

# One gray pixel, baseline, as a camera would write it but for its legends.
DOT = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJ"
    "DRENDg8QEBEQCgwSExIQEw8QEBD/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAA"
    "AAAAAAAAAAD/2gAIAQEAAD8AVN//2Q=="
)


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + checksum


def a_png(
    width: int = 3,
    height: int = 2,
    kind: Sequence[int] = (8, 2, 0, 0, 0),
    pixels: bytes | None = None,
    more: bytes = b"",
) -> bytes:
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes(kind)
    rows = (b"\0" + b"\x80\x10\x90" * width) * height if pixels is None else pixels
    packed = chunk(b"IDAT", zlib.compress(rows, 9))
    return PNG + chunk(b"IHDR", head) + more + packed + chunk(b"IEND", b"")


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def test_whole_pictures_stay_as_they_are() -> None:
    # A picture without anything else in it comes back byte for byte.
    assert cleaned(a_png()) == a_png()
    assert cleaned(DOT) == DOT


@pytest.mark.parametrize(
    ("kind", "row"),
    [((1, 0, 0, 0, 0), 3), ((16, 6, 0, 0, 0), 73), ((2, 3, 0, 0, 0), 4), ((8, 4, 0, 0, 0), 19)],
)
def test_every_kind_of_pixel_is_known(kind: Sequence[int], row: int) -> None:
    # Rows of nine pixels are as long as depth and color say, with one byte for the filter.
    palette = chunk(b"PLTE", b"\0\0\0") if kind[1] == 3 else b""
    picture = a_png(9, 2, kind, bytes(2 * row), palette)
    assert cleaned(picture) == picture
    with pytest.raises(NotAPicture):
        cleaned(a_png(9, 2, kind, bytes(2 * row + 1), palette))


def test_an_interlaced_picture_is_counted_pass_by_pass() -> None:
    # Eight by eight gray pixels in seven passes: 64 bytes and fifteen rows' filters.
    assert cleaned(a_png(8, 8, (8, 0, 0, 0, 1), bytes(64 + 15)))
    with pytest.raises(NotAPicture):
        cleaned(a_png(8, 8, (8, 0, 0, 0, 1), bytes(64 + 8)))


def test_what_is_no_picture_is_left_out() -> None:
    # Places, thumbnails, comments, and a second file behind the end.
    told = chunk(b"tEXt", b"Comment\0secret") + chunk(b"eXIf", b"secret")
    assert cleaned(a_png(more=told) + b"PK secret") == a_png()
    exif = segment(0xE1, b"Exif\0\0secret") + segment(0xFE, b"secret")
    assert cleaned(DOT[:2] + exif + DOT[2:] + b"<script>secret</script>") == DOT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a\x01\0\x01\0\0\0\0;",
        PNG,
        PNG + b"nothing",
        PNG + chunk(b"IEND", b""),
        a_png()[:-13],
        a_png().replace(b"IDAT", b"IDAS"),
        a_png(0),
        a_png(4_001, 1),
        a_png(kind=(8, 5, 0, 0, 0)),
        a_png(kind=(8, 2, 1, 0, 0)),
        a_png(kind=(8, 2, 0, 0, 2)),
        a_png(kind=(8, 2, 0, 0)),
        a_png(kind=(8, 3, 0, 0, 0), pixels=bytes(8)),
        a_png(pixels=b""),
        a_png(pixels=bytes(10_000_000)),
        JPEG,
        JPEG + b"\xff\xd9",
        JPEG + b"\xff\xff\xd9",
        JPEG + b"\xff\xe0\x00\x01",
        DOT[:-2],
        DOT[:40],
        DOT.replace(b"\xff\xc0", b"\xff\xc3"),
        DOT.replace(b"\x08\x00\x01\x00\x01", b"\x08\xff\xff\x00\x01"),
    ],
)
def test_what_is_torn_or_swollen_is_refused(body: bytes) -> None:
    # Neither a torn file nor one that unfolds to more than it says is ever drawn.
    with pytest.raises(NotAPicture):
        cleaned(body)


@given(st.data(), st.sampled_from([a_png(), DOT]))
def test_whatever_is_changed_is_refused_or_a_picture_still(
    data: st.DataObject, body: bytes
) -> None:
    # Any one byte, and any end, without a fault of ours; what is clean stays so.
    at = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[at] = data.draw(st.integers(0, 255))
    for each in (bytes(changed), body[:at]):
        try:
            once = cleaned(each)
        except NotAPicture:
            continue
        assert cleaned(once) == once
