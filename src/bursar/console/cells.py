"""How a value looks: money, instants and statuses as people read them, and where an id leads.

A cell is text with a tone and maybe a place to go; what HTML becomes of it is the templates' own.
Money and dates are in the reader's language, times in the organization's zone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal
from msgspec import Struct

from bursar.domain.currencies import EXPONENTS, Currency

ABSENT: Final = "–"
_FALLBACK: Final = Locale("en", "US")
_LANGUAGES_MAX: Final = 10
_LANGUAGE_MAX: Final = 200
_SHORT_MAX: Final = 12  # letters of an id that are shown as they are
_TAIL: Final = 8


class Kind(StrEnum):
    """What a value is, which decides how it is written."""

    TEXT = "text"
    MONEY = "money"
    PRICE = "price"
    LINK = "link"
    INSTANT = "instant"
    DAY = "day"
    STATUS = "status"
    REF = "ref"
    COUNT = "count"
    FLAG = "flag"
    PERCENT = "percent"
    CODE = "code"
    WORDS = "words"  # a list of words, or pairs of a map
    JSON = "json"


_NAMING: Final = frozenset({Kind.CODE, Kind.REF})
NUMERIC: Final = frozenset({Kind.MONEY, Kind.PRICE, Kind.COUNT, Kind.PERCENT})
_TONES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        [
            "active",
            "paid",
            "succeeded",
            "delivered",
            "posted",
            "enabled",
            "won",
            "resolved",
            "sent",
            "captured",
            "healthy",
        ],
        "good",
    ),
    **dict.fromkeys(
        [
            "failed",
            "overdue",
            "uncollectible",
            "past_due",
            "lost",
            "off",
            "declined",
            "given_up",
            "suspended",
            "down",
            "canceled_by_dunning",
            "needs_response",
            "revoked",
        ],
        "bad",
    ),
    **dict.fromkeys(
        [
            "open",
            "pending",
            "processing",
            "unknown",
            "action_required",
            "trialing",
            "paused",
            "waiting",
            "draft",
            "retrying",
            "requires_action",
            "under_review",
            "failing",
            "invited",
            "rotating",
            "queued",
            "held",
            "authorized",
        ],
        "busy",
    ),
}


class Column(Struct, frozen=True, kw_only=True):
    """One value of a thing: what it is called, where it stands, what it is."""

    label: str
    field: str
    kind: Kind = Kind.TEXT
    currency: str = "currency"  # the field that says of money what it is
    is_wide: bool = False


class Cell(Struct, frozen=True, kw_only=True):
    """One value, written."""

    label: str
    text: str
    kind: Kind
    href: str | None = None
    tone: str | None = None
    hint: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether it stands at the right."""
        return self.kind in NUMERIC

    @property
    def is_name(self) -> bool:
        """Whether it is what a machine calls something, for people to take along."""
        return self.kind in _NAMING and self.text != ABSENT


class Eyes(Struct, frozen=True):
    """For whom it is written: the language of numbers and dates, and the organization's zone."""

    locale: Locale
    zone: ZoneInfo
    currency: str

    def money(self, minor: int, currency: str) -> str:
        """An amount of minor units in its currency."""
        exponent = EXPONENTS.get(Currency(currency.lower()), 2)
        amount = Decimal(minor).scaleb(-exponent)
        return format_currency(amount, currency.upper(), locale=self.locale)

    def price(self, minor: str, *, currency: str) -> str:
        """A price of one, which may be finer than the currency."""
        exponent = EXPONENTS.get(Currency(currency.lower()), 2)
        amount = Decimal(minor).scaleb(-exponent)
        is_finer = amount != amount.quantize(Decimal(1).scaleb(-exponent))
        return format_currency(
            amount, currency.upper(), locale=self.locale, decimal_quantization=not is_finer
        )

    def moment(self, text: str) -> str:
        """What was typed as a day or a local time, as the wire says it; anything else stays."""
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            return text
        return text if local.tzinfo is not None else local.replace(tzinfo=self.zone).isoformat()

    def typed(self, text: str) -> str:
        """An instant of the wire, as a field for local times has it."""
        return datetime.fromisoformat(text).astimezone(self.zone).strftime("%Y-%m-%dT%H:%M")

    def instant(self, text: str) -> str:
        """An instant of the wire, to the minute."""
        local = datetime.fromisoformat(text).astimezone(self.zone)
        time = format_time(local, "short", tzinfo=self.zone, locale=self.locale)
        return f"{format_date(local, 'medium', locale=self.locale)}, {time}"

    def day(self, text: str) -> str:
        """A day, or the day of an instant."""
        given = datetime.fromisoformat(text)
        local = given if given.tzinfo is None else given.astimezone(self.zone)
        return format_date(local, "medium", locale=self.locale)

    def month(self, text: str) -> str:
        """The month of a day."""
        return format_skeleton("yMMM", datetime.fromisoformat(text), locale=self.locale)

    def count(self, number: int | str) -> str:
        """A plain number."""
        return format_decimal(Decimal(number), locale=self.locale)


def locale_of(accepted: str | None) -> Locale:
    """The first language of an `Accept-Language` header that we can write dates in."""
    for part in (accepted or "")[:_LANGUAGE_MAX].split(",")[:_LANGUAGES_MAX]:
        name = part.partition(";")[0].strip()
        try:
            return Locale.parse(name, sep="-")
        except (ValueError, UnknownLocaleError, TypeError):
            continue
    return _FALLBACK


def plucked(thing: Mapping[str, Any], path: str) -> Any:
    """The value at a path such as `progress.percent`; None where it ends early."""
    value: Any = thing
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def worded(text: str) -> str:
    """A word of the wire as people say it: `past_due` is past due."""
    return text.replace("_", " ").replace(".", " · ")


def written(column: Column, thing: Mapping[str, Any], eyes: Eyes) -> Cell:
    """The cell of a thing in a column."""
    value = plucked(thing, column.field)
    if value is None or value in ("", [], {}):
        return Cell(label=column.label, text=ABSENT, kind=column.kind)
    if column.kind is Kind.STATUS and isinstance(value, bool):
        return _said(column, is_so=value)
    text, hint = _text(column, value, thing, eyes)
    tone = _TONES.get(str(value), "plain") if column.kind is Kind.STATUS else None
    return Cell(label=column.label, text=text, kind=column.kind, tone=tone, hint=hint)


def _said(column: Column, *, is_so: bool) -> Cell:
    """A state that is so or is not, by its own word: `isIntact` is intact, or not intact."""
    word = column.field.removeprefix("is").lower()
    text, tone = (word, "good") if is_so else (f"not {word}", "bad")
    return Cell(label=column.label, text=text, kind=column.kind, tone=tone)


def _text(
    column: Column, value: Any, thing: Mapping[str, Any], eyes: Eyes
) -> tuple[str, str | None]:
    if column.kind in _PRICED:
        currency = plucked(thing, column.currency) or eyes.currency
        if column.kind is Kind.PRICE:
            return eyes.price(value, currency=currency), None
        return eyes.money(value, currency), None
    if column.kind is Kind.REF:
        return _named(column, value, thing), str(value)
    text = _WRITERS[column.kind](value, eyes)
    return text, str(value) if column.kind in _HINTED else None


_NAMES: Final = ("name", "invoiceNumber")


def _named(column: Column, value: Any, thing: Mapping[str, Any]) -> str:
    """What the thing behind an id is called, where it came along."""
    companion = thing.get(column.field.removesuffix("Id"))
    if isinstance(companion, Mapping):
        named = next((companion[name] for name in _NAMES if companion.get(name)), None)
        if named:
            return visible(str(named))
    return short(visible(str(value)))


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return ", ".join(str(each) for each in value)


def short(text: str) -> str:
    """An id as people point at it: its kind and its last letters."""
    head, mark, tail = text.partition("_")
    return f"{head}_…{tail[-_TAIL:]}" if mark and len(tail) > _SHORT_MAX else text


_HIDDEN: Final = frozenset(
    chr(code)
    for code in (
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x206A),
        0x061C,
        0xFEFF,
    )
)


def visible(text: str) -> str:
    """The same text with what turns or hides letters spelled out."""
    return "".join(f"⟨U+{ord(each):04X}⟩" if each in _HIDDEN else each for each in text)


_PRICED: Final = frozenset({Kind.MONEY, Kind.PRICE})
_HINTED: Final = frozenset({Kind.INSTANT, Kind.DAY, Kind.LINK})
_WRITERS: Final[Mapping[Kind, Callable[[Any, Eyes], str]]] = {
    Kind.TEXT: lambda value, _: visible(str(value)),
    Kind.CODE: lambda value, _: visible(str(value)),
    Kind.INSTANT: lambda value, eyes: eyes.instant(value),
    Kind.DAY: lambda value, eyes: eyes.day(value),
    Kind.COUNT: lambda value, eyes: eyes.count(value),
    Kind.PERCENT: lambda value, eyes: f"{eyes.count(value)} %",
    Kind.FLAG: lambda value, _: "yes" if value else "no",
    Kind.STATUS: lambda value, _: worded(str(value)),
    Kind.LINK: lambda *_: "Open",
    Kind.WORDS: lambda value, _: visible(_words(value)),
    Kind.JSON: lambda value, _: visible(_structured(value)),
}


def _structured(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
