"""Derivations: how the amount of a billed line came about, worked out anew from what it says.

A line keeps the prices and quantities it was made from. Whoever doubts an amount needs neither the
plan nor the usage behind it: the parts add up to the whole, and a part of a period is the share of
the whole that its time is. Refuses to guess: a line without a derivation explains itself.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from bursar.domain.currencies import Currency
from bursar.domain.money import Money, sum_of_products
from bursar.domain.proration import prorated
from bursar.domain.times import Instant, Period

_TOLERANCE_MINOR: Final = 1
"""A derivation tells instants to the millisecond; the amount was worked out from the exact one."""


def explained(derivation: Mapping[str, Any], period: Period, currency: Currency) -> Money:
    """What a line of this period comes to by its derivation; a credit as what it gives back."""
    if "netCents" in derivation:
        net = Money(derivation["netCents"], currency)
        return prorated(net, _period(derivation["period"]), part=period)
    pairs = [(each["quantity"], Decimal(each["unitAmount"])) for each in derivation["parts"]]
    full = sum_of_products(pairs, currency)
    if "billedCents" in derivation:
        return full - Money(derivation["billedCents"], currency)
    if "whole" in derivation:
        return prorated(full, _period(derivation["whole"]), part=period)
    return full


def is_explained(amount: Money, derivation: Mapping[str, Any], period: Period) -> bool:
    """Whether the amount is what its derivation says."""
    found = explained(derivation, period, amount.currency)
    if "netCents" not in derivation:
        return found == amount
    return abs(abs(amount.minor) - abs(found.minor)) <= _TOLERANCE_MINOR


def _period(shown: Mapping[str, str]) -> Period:
    return Period(Instant.fromisoformat(shown["start"]), Instant.fromisoformat(shown["end"]))
