"""The hosted page in four languages: what it says by itself, by the English for it.

What somebody typed, and a bank's own words about a card, stay as they are. A reader's language is
the first that they and we speak; without one it is that of whoever sent the invoice.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.domain.document_settings import Language

Said = Callable[[str], str]

_KNOWN: Final = frozenset(each.value for each in Language)
_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{1,3})?))?\s*"
)
_RANGES_MAX: Final = 10

_WORDS: Final = Path(__file__).parent / "templates" / "words.json"
TRANSLATIONS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    msgspec.json.decode(_WORDS.read_bytes(), type=dict[Language, dict[str, str]])
)


def language_of(header: str | None) -> Language | None:
    """The language a reader likes best of those we speak, by `Accept-Language`; none if unsaid."""
    liked: list[tuple[float, int, str]] = []
    for place, part in enumerate((header or "").split(",")[:_RANGES_MAX]):
        found = _RANGE.fullmatch(part)
        if found is not None and found[1].lower() in _KNOWN:
            liked.append((-float(found[2] or 1), place, found[1].lower()))
    return Language(min(liked)[2]) if liked else None


def said_in(language: Language) -> Said:
    """Says in a language what we say in English; what it does not know stays as it is."""
    words = TRANSLATIONS.get(language, {})
    return lambda english: words.get(english, english)
