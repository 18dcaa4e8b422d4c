"""Outcomes as text and back: how the inbox keeps what a provider's event said."""

from typing import Any, Final, get_args

import msgspec

from bursar.domain.currencies import Currency
from bursar.domain.money import Money
from bursar.domain.provider import DeclineKind, Told

_KINDS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Told)}


def outcome_to_json(outcome: Told) -> str:
    """The outcome with its name, as JSON."""
    values: dict[str, object] = {"outcome": type(outcome).__name__}
    for name in outcome.__struct_fields__:
        value = getattr(outcome, name)
        values[name] = [value.minor, value.currency] if isinstance(value, Money) else value
    return msgspec.json.encode(values).decode()


def outcome_from_json(text: str) -> Told:
    """The outcome that was kept."""
    values = msgspec.json.decode(text)
    kind = _KINDS[values.pop("outcome")]
    if "amount" in values:
        minor, code = values["amount"]
        values["amount"] = Money(minor, Currency(code))
    if "kind" in values:
        values["kind"] = DeclineKind(values["kind"])
    made: Told = kind(**values)
    return made
