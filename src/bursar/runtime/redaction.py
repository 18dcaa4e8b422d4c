"""What must never be written down: fields by their name, values by their shape, at any depth.

Owns both lists. Whatever is about to leave as a log line, an error report or a trace passes
`redacted`, which also makes it plain: only texts, numbers, booleans, lists and maps come out, of
bounded size, so that no object's own printing can tell a secret.
"""

import math
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final, TypeAlias

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"

MASK: Final = "***"
_DEPTH_MAX: Final = 12
_ITEMS_MAX: Final = 200
_CHARACTERS_MAX: Final = 20_000
_NAME_CHARACTERS_MAX: Final = 200
_NAMES_REMEMBERED: Final = 2_048
_PAN_DIGITS_MIN: Final = 13
_PAN_DIGITS_MAX: Final = 19
_PAN_LEAST: Final = 10 ** (_PAN_DIGITS_MIN - 1)
_PLAIN_KINDS: Final = frozenset((str, int, float, bool, type(None)))

# Compared without case, `_`, `-`, `.` and spaces; found anywhere in a name.
_NAME_PARTS: Final = (
    *("password", "passwd", "passphrase", "secret", "token", "credential", "authorization"),
    *("cookie", "apikey", "keyhash", "privatekey", "accesskey", "signingkey", "encryptionkey"),
    *("cardnumber", "securitycode", "signature", "dsn"),
)
_NAMES: Final = frozenset(("auth", "key", "pan", "cvc", "cvv", "pin", "otp", "iban", "ssn", "salt"))
_NAME_NOISE: Final = re.compile(r"[_\-. ]")

_PAN_PATTERN: Final = r"(?<![\w.-])(?P<pan>[0-9](?:[ -]?[0-9]){12,18})(?![\w-])"
_VALUES: Final = re.compile(
    r"(?P<prefixed>\b(?:bs[ikmr]|whsec|whsign|(?:sk|rk)_(?:test|live))_)[A-Za-z0-9+/=_-]{4,}"
    r"|(?P<client>\b[a-z]{2,6}_[A-Za-z0-9_]+_secret_)[A-Za-z0-9]+"
    r"|(?P<jwt>\beyJ)[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,4}"
    r"|(?P<bearer>\b[Bb]earer\s+)[A-Za-z0-9+/=._~-]{12,}"
    r"|(?P<login>://[^\s:/@]*:)[^\s/@]+(?=@)"
    r"|" + _PAN_PATTERN
)
_PAN: Final = re.compile(_PAN_PATTERN)
# What every branch of the pattern needs somewhere in the text; most texts have none of it, and to
# look for that is a tenth of the work.
_MARKS: Final = (
    *("bsi_", "bsm_", "bsr_", "sk_", "rk_", "whsec_", "whsign_"),
    *("_secret_", "eyJ", "earer", "://"),
)
# How a card number begins. What stands before it is looked at after its first digit, since a search
# for a digit is quick. Ids often have as many digits in a row: none begins with one or inside it.
_MANY_DIGITS: Final = re.compile(
    r"[0-9](?<![\w.-][0-9])(?![0-9a-f]{7}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:[ -]?[0-9]){12}"
)
# Without separators, and every digit a zero: a text with no such run has no match of that.
_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
_RUN: Final = b"0" * _PAN_DIGITS_MIN


def redacted(value: object) -> Plain:
    """The value made plain and safe to write down."""
    return _plain(value, _DEPTH_MAX)


def redacted_text(text: str) -> str:
    """The text with everything that has the shape of a secret masked."""
    text = text[:_CHARACTERS_MAX]
    if _may_hide(text):
        return _VALUES.sub(_masked, text)
    return text


def is_plain(fields: Mapping[str, object]) -> bool:
    """Whether these fields are plain as they are, and none is masked for its name."""
    kinds = set(map(type, fields.values()))
    if not (kinds <= _PLAIN_KINDS and _are_shown(tuple(fields))):
        return False
    return all(math.isfinite(each) for each in fields.values() if type(each) is float)


@lru_cache(_NAMES_REMEMBERED)
def _are_shown(names: tuple[str, ...]) -> bool:
    """Whether fields of these names are shown as they are: the same few sets come again."""
    if len(names) > _ITEMS_MAX:
        return False
    return all(len(each) <= _NAME_CHARACTERS_MAX and not _judged(each)[1] for each in names)


def hides_nothing(line: str) -> bool:
    """Whether a line written from plain fields has nothing in it to mask or to cut short.

    What stands in no part of the line stands in no field either: one look instead of many.
    """
    return len(line) <= _CHARACTERS_MAX and not _may_hide(line)


def _may_hide(text: str) -> bool:
    """Whether the pattern could match at all."""
    return _has_many_digits(text) or any(map(text.__contains__, _MARKS))


def _has_many_digits(text: str) -> bool:
    """Whether a card number's worth of digits follow one another; a run is looked for first."""
    if len(text) < _PAN_DIGITS_MIN:
        return False
    if _RUN not in text.encode("ascii", "replace").translate(_ZEROS, b" -"):
        return False
    return _MANY_DIGITS.search(text) is not None


def is_secret_name(name: str) -> bool:
    """Whether a field of this name is masked whatever it holds."""
    plain = _NAME_NOISE.sub("", name).lower()
    return plain in _NAMES or any(part in plain for part in _NAME_PARTS)


def holds_card_number(text: str) -> bool:
    """Whether a card number stands in the text, as far as its digits can tell."""
    if not _has_many_digits(text):
        return False
    return any(_is_card_number(re.sub(r"[ -]", "", found["pan"])) for found in _PAN.finditer(text))


def _plain(value: object, depth: int) -> Plain:
    if isinstance(value, str):
        return redacted_text(str(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _plain_number(value)
    if isinstance(value, Mapping):
        return _plain_mapping(value, depth) if depth else "…"
    if isinstance(value, list | tuple | AbstractSet):
        return _plain_items(value, depth) if depth else "…"
    return _printed(value)


def _plain_number(value: float) -> Plain:
    if isinstance(value, int):
        is_short = -_PAN_LEAST < value < _PAN_LEAST
        return MASK if not is_short and _is_card_number(str(abs(value))) else value
    return value if math.isfinite(value) else str(value)


def _plain_mapping(value: Mapping[object, object], depth: int) -> dict[str, Plain]:
    plain: dict[str, Plain] = {}
    for name, item in list(value.items())[:_ITEMS_MAX]:
        shown, hides = _judged(str(name)[:_NAME_CHARACTERS_MAX])
        plain[shown] = MASK if hides and item is not None else _plain(item, depth - 1)
    return plain


@lru_cache(_NAMES_REMEMBERED)
def _judged(name: str) -> tuple[str, bool]:
    """The name as it may be shown, and whether it hides its value; few names carry most lines."""
    return redacted_text(name), is_secret_name(name)


def _plain_items(value: Iterable[object], depth: int) -> list[Plain]:
    return [_plain(item, depth - 1) for item in list(value)[:_ITEMS_MAX]]


def _printed(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    try:
        return redacted_text(str(value))
    except Exception:  # noqa: BLE001 - a log line must be written whatever the object does
        return f"<{type(value).__name__}>"


def _masked(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "pan":
        digits = re.sub(r"[ -]", "", found["pan"])
        return MASK if _is_card_number(digits) else found[0]
    assert kind is not None, "every branch of the pattern is named"
    return found[kind] + MASK


def _is_card_number(digits: str) -> bool:
    """Luhn's check over 13 to 19 digits."""
    if not _PAN_DIGITS_MIN <= len(digits) <= _PAN_DIGITS_MAX or not digits.isascii():
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
