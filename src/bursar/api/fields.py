"""The kinds of fields a request may have, each with its limits, its words and an example.

A kind is a type that `bodies` checks strictly and the OpenAPI document describes; a request struct
is made of these and nothing looser. Text is never trimmed or repaired: it is right or refused.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, TypeAlias

import msgspec
from msgspec import Meta

from bursar.domain.access import SCOPE_PERMISSIONS
from bursar.domain.currencies import EXPONENTS, Currency
from bursar.domain.document_settings import REMINDER_DAYS_MAX, REMINDERS_MAX
from bursar.domain.event_names import PUBLIC_EVENTS
from bursar.domain.ids import (
    PREFIX_OF_RESOURCE,
    CouponId,
    CustomerId,
    EventId,
    InvoiceId,
    InvoiceLineId,
    MemberId,
    MeterId,
    PaymentId,
    PlanId,
    SubscriptionId,
    TaxRateId,
    WalletId,
)
from bursar.domain.money import AMOUNT_MAX
from bursar.domain.times import Instant
from bursar.domain.webhooks import EVENT_TYPE_ALL, URL_LENGTH_MAX

LINES_MAX: Final = 1000
METADATA_KEYS_MAX: Final = 50
_UUID7: Final = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_UUID7_EXAMPLE: Final = "01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"
_UUID_LENGTH: Final = 36
# Years in which every instant and every sum of days fits whatever keeps it.
YEARS: Final = range(1970, 2200)
_MOMENT_LENGTH_MAX: Final = 40


def _text(pattern: str, expected: str, **limits: Any) -> Meta:
    r"""Text matched whole: `\Z`, since `$` lets a newline follow."""
    return Meta(pattern=rf"^(?:{pattern})\Z", extra={"expected": expected}, **limits)


def _id(prefix: str) -> Meta:
    return _text(
        f"{prefix}_{_UUID7}",
        f"expected {prefix}_<uuid>",
        max_length=len(prefix) + 1 + _UUID_LENGTH,
        examples=[example_id(prefix)],
    )


def ids_each_on_a_line(prefix: str) -> re.Pattern[str]:
    """Matches ids of a noun, one a line, all at once: for whoever reads them by the hundred."""
    return re.compile(rf"(?:{prefix}_{_UUID7}\n)*")


def example_id(prefix: str) -> str:
    """An id as the documentation shows it."""
    return f"{prefix}_{_UUID7_EXAMPLE}"


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a request's body, or a part of it, may hold; anything else in it is a fault."""


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a request's query may hold."""


class Nothing(Body, frozen=True):
    """A body without fields: `{}`, or none at all."""


class NoQuery(Query, frozen=True):
    """No query parameter."""


class DryRun(Query, frozen=True):
    """Whether to run the real thing and take it back: the answer is what would have happened."""

    dry_run: bool = False


_LINE: Final = r"[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*"
Name: TypeAlias = Annotated[
    str, _text(_LINE, "expected one line of text", max_length=200, examples=["Acme Cloud"])
]
ShortText: TypeAlias = Annotated[
    str, _text(_LINE, "expected one line of text", max_length=100, examples=["Production"])
]
# A list of the console by the name in its address, and what stands there after the question mark.
ListName: TypeAlias = Annotated[
    str, _text("[a-z][a-z-]{0,39}", "expected the name of a list", examples=["invoices"])
]
ListQueryText: TypeAlias = Annotated[
    str,
    _text(
        r"[A-Za-z0-9%&=+.,:;_~*\[\]@!$'()/?-]*",
        "expected what stands in an address after the question mark",
        max_length=1000,
        examples=["status=open&sort=createdAt"],
    ),
]
Text500: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500, examples=["Consulting"])]
Memo: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=2000, examples=["Thank you for your business."])
]
_MAILBOX: Final = r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL: Final = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
Email: TypeAlias = Annotated[
    str,
    _text(
        rf"{_MAILBOX}@{_LABEL}(?:\.{_LABEL}){{1,8}}",
        "expected an e-mail address",
        max_length=254,
        examples=["billing@example.com"],
    ),
]
# What makes a password good enough is for the domain to say; here is only what may be hashed.
Password: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=128, examples=["correct horse battery staple"])
]
Credential: TypeAlias = Annotated[
    str,
    _text(
        "[A-Za-z0-9_.-]+",
        "expected the token as it was given",
        max_length=4096,
        examples=["bsr_8sX2mVtQeYb0rN4wLkGzJcP1uHdF7aTi9oEyRxWqZvM"],
    ),
]
SecondFactorCode: TypeAlias = Annotated[
    str,
    _text(
        "[0-9]{6}|[A-Za-z0-9]{5}-?[A-Za-z0-9]{5}",
        "expected six digits, or a recovery code",
        max_length=11,
        examples=["492039"],
    ),
]
AuthenticatorCode: TypeAlias = Annotated[
    str, _text("[0-9]{6}", "expected six digits", max_length=6, examples=["492039"])
]
ProviderToken: TypeAlias = Annotated[
    str,
    _text(
        "[A-Za-z][A-Za-z0-9_]{1,254}",
        "expected a token from the payment provider, never a card number",
        max_length=255,
        examples=["pm_card_visa"],
    ),
]
MethodName: TypeAlias = Annotated[
    str,
    _text(
        r"[A-Za-z][A-Za-z0-9_]{1,254}|pm_[0-9a-f-]{36}",
        "expected a payment method (pm_…), or a token from the payment provider",
        max_length=255,
        examples=["pm_card_visa"],
    ),
]
Url: TypeAlias = Annotated[
    str,
    _text(
        r"https?://[!-~]+",
        "expected an absolute URL",
        max_length=URL_LENGTH_MAX,
        examples=["https://example.com/hooks/bursar"],
    ),
]
TaxId: TypeAlias = Annotated[
    str,
    _text(
        "[A-Za-z0-9][A-Za-z0-9 ./-]{0,49}",
        "expected letters and digits",
        max_length=50,
        examples=["DE123456789"],
    ),
]
AddressRange: TypeAlias = Annotated[
    str,
    _text(
        "[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?",
        "expected an IP address or a network such as 203.0.113.0/24",
        max_length=49,
        examples=["203.0.113.0/24"],
    ),
]
Iban: TypeAlias = Annotated[
    str,
    _text(
        "[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}",
        "expected an IBAN without spaces",
        max_length=34,
        examples=["DE02120300000000202051"],
    ),
]
Bic: TypeAlias = Annotated[
    str,
    _text(
        "[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
        "expected a BIC",
        max_length=11,
        examples=["BYLADEM1001"],
    ),
]
# A picture as base64: PNG or JPEG, which the route looks into.
Picture: TypeAlias = Annotated[
    str,
    _text(
        "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
        "expected base64",
        min_length=4,
        max_length=140_000,
        examples=[
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        ],
    ),
]
CountryCode: TypeAlias = Annotated[
    str, _text("[A-Z]{2}", "expected two capital letters", max_length=2, examples=["DE"])
]
TimezoneName: TypeAlias = Annotated[
    str,
    _text(
        "[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}",
        "expected an IANA time zone",
        max_length=64,
        examples=["Europe/Berlin"],
    ),
]
InvoicePrefix: TypeAlias = Annotated[
    str,
    _text(
        "[A-Z0-9](?:[A-Z0-9-]{0,10}[A-Z0-9])?",
        "expected up to 12 capital letters, digits and dashes",
        max_length=12,
        examples=["INV"],
    ),
]
CivilDay: TypeAlias = Annotated[date, Meta(examples=["2026-03-01"])]
ReminderDays: TypeAlias = Annotated[
    list[Annotated[int, Meta(ge=-REMINDER_DAYS_MAX, le=REMINDER_DAYS_MAX)]],
    Meta(max_length=REMINDERS_MAX, examples=[[-3, 1, 7]]),
]
Days: TypeAlias = Annotated[int, Meta(ge=0, le=365, examples=[14])]
GraceHours: TypeAlias = Annotated[int, Meta(ge=0, le=720, examples=[24])]
Quantity: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000, examples=[2])]
PositiveCents: TypeAlias = Annotated[int, Meta(ge=1, le=AMOUNT_MAX, examples=[2500])]
AmountCents: TypeAlias = Annotated[int, Meta(ge=0, le=AMOUNT_MAX, examples=[4900])]
# Minor units with up to twelve decimals, as text: a JSON number would not be exact everywhere.
AmountDecimal: TypeAlias = Annotated[
    str,
    _text(
        r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,12})?",
        "expected a decimal as text, such as 0.25",
        max_length=29,
        examples=["0.25"],
    ),
]
MeterKey: TypeAlias = Annotated[
    str,
    _text(
        "[a-z][a-z0-9_]{0,63}",
        "expected small letters, digits and underscores",
        max_length=64,
        examples=["api_calls"],
    ),
]
PROPERTY_NAME: Final = "[A-Za-z][A-Za-z0-9_]{0,39}"
PropertyName: TypeAlias = Annotated[
    str, _text(PROPERTY_NAME, "expected a name", max_length=40, examples=["region"])
]
MetadataKey: TypeAlias = Annotated[
    str, _text(_LINE, "expected one line of text", max_length=40, examples=["orderId"])
]
MetadataValue: TypeAlias = Annotated[str, Meta(max_length=500, examples=["A-1042"])]
Metadata: TypeAlias = Annotated[
    dict[MetadataKey, MetadataValue],
    Meta(max_length=METADATA_KEYS_MAX, examples=[{"orderId": "A-1042"}]),
]
# In a merge patch, null takes a key away.
MetadataPatch: TypeAlias = Annotated[
    dict[MetadataKey, MetadataValue | None],
    Meta(max_length=METADATA_KEYS_MAX, examples=[{"orderId": "A-1042"}]),
]
CustomerRef: TypeAlias = Annotated[CustomerId, _id("cust")]
SubscriptionRef: TypeAlias = Annotated[SubscriptionId, _id("sub")]
UsageKey: TypeAlias = Annotated[
    str, _text(_LINE, "expected one line of text", max_length=255, examples=["req-8a7f2c"])
]
UsageQuantity: TypeAlias = Annotated[int, Meta(ge=1, le=AMOUNT_MAX, examples=[25])]
PropertyValue: TypeAlias = (
    Annotated[str, Meta(max_length=500)] | Annotated[int, Meta(ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
)
Properties: TypeAlias = Annotated[
    dict[PropertyName, PropertyValue],
    Meta(max_length=METADATA_KEYS_MAX, examples=[{"region": "eu"}]),
]
Percentage: TypeAlias = Annotated[
    str,
    _text(
        r"100(?:\.0{1,4})?|(?:0|[1-9][0-9]?)(?:\.[0-9]{1,4})?",
        "expected a percentage from 0 to 100 as text, such as 12.5",
        max_length=8,
        examples=["20"],
    ),
]
PlanRef: TypeAlias = Annotated[PlanId, _id("plan")]
CouponRef: TypeAlias = Annotated[CouponId, _id("cpn")]
MeterRef: TypeAlias = Annotated[MeterId, _id("mtr")]
PaymentRef: TypeAlias = Annotated[PaymentId, _id("pay")]
TaxRateRef: TypeAlias = Annotated[TaxRateId, _id("txr")]
InvoiceLineRef: TypeAlias = Annotated[InvoiceLineId, _id("il")]
InvoiceRef: TypeAlias = Annotated[InvoiceId, _id("inv")]
WalletRef: TypeAlias = Annotated[WalletId, _id("wal")]
MemberRef: TypeAlias = Annotated[MemberId, _id("mem")]
EventRef: TypeAlias = Annotated[EventId, _id("evt")]
ResourceRef: TypeAlias = Annotated[
    str,
    _text(
        f"(?:{'|'.join(sorted(PREFIX_OF_RESOURCE.values()))})_{_UUID7}",
        "expected the id of a resource",
        max_length=50,
        examples=[example_id("inv")],
    ),
]


class Moment(datetime):
    """An instant as a caller writes it: RFC 3339 with an offset; read strictly, by `special`."""

    expected: Final = "expected an instant such as 2026-01-31T09:30:00.000Z"
    schema: Final[Mapping[str, object]] = {
        "type": "string",
        "format": "date-time",
        "examples": ["2026-01-31T09:30:00.000Z"],
    }

    @classmethod
    def read(cls, text: object) -> Self:
        """The instant this text names, in UTC."""
        if not isinstance(text, str) or not text.isascii() or len(text) > _MOMENT_LENGTH_MAX:
            raise ValueError(cls.expected)
        try:
            utc = msgspec.convert(text, Annotated[datetime, Meta(tz=True)]).astimezone(UTC)
        except (msgspec.ValidationError, OverflowError):
            raise ValueError(cls.expected) from None
        return cls.combine(utc.date(), utc.timetz())

    @staticmethod
    def plainly(moment: datetime | None) -> Instant | None:
        """The same instant without this type, which no encoder knows."""
        return None if moment is None else datetime.combine(moment.date(), moment.timetz())


def special(kind: type, value: object) -> object:
    """Reads the kinds that msgspec does not know by itself; its `dec_hook`."""
    assert kind is Moment, kind
    moment = Moment.read(value)
    if moment.year not in YEARS:
        raise ValueError(f"expected a year from {YEARS[0]} to {YEARS[-1]}")
    return moment


def special_schema(kind: type) -> dict[str, object]:
    """Describes the same kinds; the `schema_hook` beside it."""
    assert kind is Moment, kind
    return dict(Moment.schema)


def exact(text: str) -> Decimal:
    """The decimal this text is; the field's pattern has already judged it."""
    return Decimal(text)


# A closed list is an enumeration to msgspec and plain text to the type checker.
if TYPE_CHECKING:
    CurrencyCode: TypeAlias = Currency
    Scope: TypeAlias = str
    EventType: TypeAlias = str
    OneEventType: TypeAlias = str
else:
    CurrencyCode = Literal[tuple(sorted(EXPONENTS))]
    Scope = Literal[tuple(SCOPE_PERMISSIONS)]
    EventType = Literal[(EVENT_TYPE_ALL, *PUBLIC_EVENTS)]
    OneEventType = Literal[PUBLIC_EVENTS]
