"""A route's body as the fields of a form, and what was typed as a body again.

The fields of a form are the fields that its route takes, so a form cannot ask for what no route
reads; what was typed is turned into the wire's types here, and judged by the route alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Struct, field

from bursar.api.faults import Field, fields_of
from bursar.api.fields import Moment
from bursar.console.cells import Eyes
from bursar.console.forms import REASON, SECRETS, Typed
from bursar.console.nouns.shape import Deed
from bursar.domain.currencies import EXPONENTS, Currency
from bursar.domain.refusals import InvalidInput

_REASON: Final = "reason"
_MONEY_END: Final = "Cents"
_LONG: Final = frozenset({"memo", "footer", "note", "description"})
LINES_SPARE: Final = 4
_DIGITS_MAX: Final = 15  # beyond any amount of money
_LINE: Final = re.compile(r"lines\.[0-9]{1,3}\.[^.]*")
_LINE_FIELDS: Final = ("description", "quantity", "unit")


class Entry(Struct, frozen=True, kw_only=True):
    """One field of a form."""

    name: str
    label: str
    # text, long, secret, "new secret", code, number, money, moment, choice, truth, words, pairs,
    # json, lines, fixed
    kind: str
    value: str = ""
    choices: tuple[str, ...] = ()
    suggestions: tuple[tuple[str, str], ...] = ()  # ids with their names
    lines: tuple[Mapping[str, str], ...] = ()
    is_required: bool = False
    fault: str = ""


class Totals(Struct, frozen=True, kw_only=True):
    """What a draft comes to, or why nobody can say yet."""

    sums: tuple[tuple[str, str], ...] = ()
    fault: str = ""


class Form(Struct, frozen=True, kw_only=True):
    """A button's form: for which thing, as typed before, and what was wrong with that."""

    deed: Deed
    thing: Mapping[str, Any]
    eyes: Eyes
    typed: Typed | None = None
    suggestions: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    totals: Totals | None = None

    @property
    def entries(self) -> list[Entry]:
        """Its fields: as typed before, or as the thing is."""
        takes = self.deed.verb.terms.takes
        known = {} if takes is None else fields_of(takes)
        names = self.deed.fields or tuple(known)
        return [_entry(self, name, known[name]) for name in names if not self._is_asked(name)]

    @property
    def body(self) -> dict[str, Any] | None:
        """The body that it asks for; an empty field, or one left as it was, is not named.

        Raises:
            InvalidInput: a number, an amount or a structure that is none.
        """
        if self.deed.verb.terms.takes is None:
            return None
        assert self.typed is not None, "somebody filled it in"
        body: dict[str, Any] = {}
        for entry in self.entries:
            body |= _named(self, entry, self.typed)
        if self._is_asked(_REASON) and self.typed.get(REASON):
            body[_REASON] = self.typed[REASON]
        return body

    def _is_asked(self, name: str) -> bool:
        """Whether it is the one reason that the page asks for anyway."""
        takes = self.deed.verb.terms.takes
        known = () if takes is None else takes.__struct_encode_fields__
        return name == _REASON and self.deed.needs_reason and name in known


def _named(form: Form, entry: Entry, typed: Typed) -> dict[str, Any]:
    """What one field adds to the body."""
    thing, before = form.thing, form.thing.get(entry.name)
    if entry.kind == "lines":
        there = before if form.deed.is_edit else ()
        lines = _lines(typed, thing, there or ())
        is_same = form.deed.is_edit and lines == _lines_sent(before)
        return {"lines": lines} if lines and not is_same else {}
    if form.deed.is_edit and entry.value == _shown(form, entry.kind, before):
        return {}
    if entry.value:
        return {entry.name: _read(form, entry)}
    return {entry.name: [] if entry.kind == "words" else None} if form.deed.is_edit else {}


def _lines_sent(now: Any) -> list[dict[str, Any]]:
    """Lines as they would be sent if nothing was changed."""
    return [
        {
            "description": line["description"],
            "quantity": line["quantity"],
            "unitAmountDecimal": format(Decimal(line["unitAmountDecimal"]).normalize(), "f"),
            **_agreed(line),
        }
        for line in now or ()
    ]


def _agreed(line: Mapping[str, Any]) -> dict[str, Any]:
    """What a line has that no field asks for: its tax rates and its discounts, which it keeps."""
    agreed: dict[str, Any] = {}
    if "taxes" in line:
        agreed["taxRateIds"] = [tax["taxRateId"] for tax in line["taxes"]]
    elif line.get("taxRateIds") is not None:
        agreed["taxRateIds"] = line["taxRateIds"]
    if line.get("discounts"):
        agreed["discounts"] = [_discount(each) for each in line["discounts"]]
    return agreed


def _discount(agreed: Mapping[str, Any]) -> dict[str, Any]:
    """A discount as it is asked for: by its coupon, or by what was agreed without one."""
    if agreed["couponId"] is not None:
        return {"couponId": agreed["couponId"]}
    return {name: value for name, value in agreed.items() if value is not None}


def _entry(form: Form, name: str, wanted: Field) -> Entry:
    deed, thing, typed = form.deed, form.thing, form.typed
    kind, choices = _kind(name, wanted.core)
    is_known = deed.is_edit or name in deed.given or "id" not in thing
    now = thing.get(deed.given.get(name, name)) if is_known else None
    if name in deed.sends or (name in deed.given and now):
        kind = "fixed"
    value = _shown(form, kind, now) if typed is None else typed.get(name, "")
    value = deed.sends.get(name, value)
    faulty = [
        text for place, text in form.faults.items() if place.split("[")[0].split(".")[0] == name
    ]
    return Entry(
        name=name,
        label=_label(name),
        kind=kind,
        value=value,
        choices=choices,
        suggestions=form.suggestions.get(name, ()),
        lines=_lines_shown(now, typed, thing) if kind == "lines" else (),
        is_required=wanted.is_required,
        fault="; ".join(faulty),
    )


def _label(name: str) -> str:
    letters = name.removesuffix(_MONEY_END).removesuffix("Id")
    spaced = "".join(f" {each.lower()}" if each.isupper() else each for each in letters)
    return spaced[:1].upper() + spaced[1:]


_KINDS: Final[Mapping[str, str]] = {"lines": "lines", **dict.fromkeys(SECRETS, "secret")}
"""What a field of this name is, whatever its type."""


def _kind(name: str, core: Any) -> tuple[str, tuple[str, ...]]:
    """How a field is typed in, and what can be chosen."""
    if name in _KINDS:
        return _KINDS[name], ()
    if isinstance(core, type) and issubclass(core, Enum):
        return "choice", tuple(str(each.value) for each in core)
    outer = get_origin(core)
    if outer is Literal:
        return "choice", tuple(map(str, get_args(core)))
    if core is int:
        return ("money" if name.endswith(_MONEY_END) else "number"), ()
    if outer in {list, tuple}:
        return ("json" if _is_struct(get_args(core)[0]) else "words"), ()
    plain = "long" if name in _LONG else "text"
    return ("json" if _is_struct(core) else _PLAIN.get(outer or core, plain)), ()


_PLAIN: Final[Mapping[Any, str]] = {bool: "truth", dict: "pairs", Moment: "moment"}


def _is_struct(core: Any) -> bool:
    return isinstance(core, type) and issubclass(core, msgspec.Struct)


def _shown(form: Form, kind: str, value: Any) -> str:
    """What is there now, as it would be typed."""
    if value is None:
        return ""
    if kind == "money":
        return str(Decimal(value).scaleb(-_exponent(form.thing)))
    if kind == "moment":
        return form.eyes.typed(value)
    return _SHOWERS.get(kind, str)(value)


_SHOWERS: Final[Mapping[str, Callable[[Any], str]]] = {
    "truth": lambda value: "true" if value else "false",
    "words": lambda value: "\n".join(map(str, value)),
    "pairs": lambda value: "\n".join(f"{key}: {each}" for key, each in value.items()),
    "json": lambda value: msgspec.json.format(msgspec.json.encode(value), indent=2).decode(),
}


def _exponent(thing: Mapping[str, Any]) -> int:
    return EXPONENTS.get(Currency(str(thing.get("currency", "")).lower()), 2)


def _lines_shown(
    now: Any, typed: Typed | None, thing: Mapping[str, Any]
) -> tuple[Mapping[str, str], ...]:
    if typed is not None:
        count = 1 + max((int(name.split(".")[1]) for name in typed if _is_line(name)), default=0)
        return tuple(
            {part: typed.get(f"lines.{at}.{part}", "") for part in _LINE_FIELDS}
            for at in range(count)
        )
    there = [
        {
            "description": line["description"],
            "quantity": str(line["quantity"]),
            "unit": str(Decimal(line["unitAmountDecimal"]).scaleb(-_exponent(thing))),
        }
        for line in now or ()
    ]
    return (*there, *(dict.fromkeys(_LINE_FIELDS, "") for _ in range(LINES_SPARE)))


def _is_line(name: str) -> bool:
    return _LINE.fullmatch(name) is not None


def _read(form: Form, entry: Entry) -> Any:
    if entry.kind == "money":
        return _minor(entry.name, entry.value, form.thing)
    if entry.kind == "moment":
        return form.eyes.moment(entry.value)
    reader = _READERS.get(entry.kind)
    return entry.value if reader is None else reader(entry.name, entry.value)


def _whole(name: str, text: str) -> int:
    if not text.removeprefix("-").isdecimal() or not text.isascii():
        raise InvalidInput.at(name, "expected a whole number", "wrong_format")
    return int(text[:20])


def _minor(name: str, text: str, thing: Mapping[str, Any]) -> int:
    minor = _amount(name, text).scaleb(_exponent(thing))
    if minor != minor.to_integral_value():
        raise InvalidInput.at(name, "has more decimals than the currency", "too_precise")
    return int(minor)


def _amount(name: str, text: str) -> Decimal:
    try:
        amount = Decimal(text.replace(" ", "").replace(",", "."))
    except InvalidOperation:
        raise InvalidInput.at(name, "expected an amount such as 49.90", "wrong_format") from None
    if not amount.is_finite() or abs(amount.adjusted()) > _DIGITS_MAX:
        raise InvalidInput.at(name, "expected an amount such as 49.90", "out_of_range")
    return amount


def _pairs(name: str, text: str) -> dict[str, str]:
    pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
    if any(not mark for _, mark, _ in pairs):
        raise InvalidInput.at(name, "expected one `name: value` a line", "wrong_format")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _structure(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise InvalidInput.at(name, "is not JSON", "malformed_json") from None


def _lines(
    typed: Typed, thing: Mapping[str, Any], there: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The lines that were typed; one that was there keeps its place in the form."""
    found = []
    for at, line in enumerate(_lines_shown(None, typed, thing)):
        if not any(line.values()):
            continue
        place = f"lines[{at}]"
        unit = _amount(f"{place}.unitAmountDecimal", line["unit"] or "0").scaleb(_exponent(thing))
        found.append(
            {
                "description": line["description"],
                "quantity": _whole(f"{place}.quantity", line["quantity"] or "1"),
                "unitAmountDecimal": format(unit.normalize(), "f"),
                **(_agreed(there[at]) if at < len(there) else {}),
            }
        )
    return found


_READERS: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "number": _whole,
    "truth": lambda _, text: text == "true",
    "words": lambda _, text: text.replace(",", "\n").split(),
    "pairs": _pairs,
    "json": _structure,
}
