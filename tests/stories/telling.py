"""What happened in an organization, in words: the timeline of its facts, and its trial balance.

Names stand for ids and local times of the story for instants, so that a person can check each line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from tests.support.world import Org

from bursar.domain.currencies import Currency
from bursar.domain.ids import uuid_of
from bursar.domain.money import Money, format_minor
from bursar.reads.ledger import trial_balance

_FACTS: Final = """
    SELECT type, occurred_at, snapshot, resource_id FROM events
    WHERE org_id = $1 AND is_public ORDER BY transaction_id, id
"""
_SILENT: Final = frozenset(
    {
        *("customer.created", "customer.updated", "plan.created", "plan.updated"),
        *("invoice.created", "invoice.updated", "payment.attempted", "wallet.created"),
        *("payment_method.attached", "payment_method.detached"),
        *("transaction.initiated", "transaction.debited", "transaction.credited"),
    }
)


@dataclass
class Names:
    """What each id is called in the story."""

    known: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, thing_id: str) -> str:
        return self.known[thing_id]

    def told(self, text: str) -> str:
        """The text with names for ids."""
        for thing_id, name in self.known.items():
            text = text.replace(thing_id, name)
        return text


async def timeline(org: Org, names: Names, zone: ZoneInfo) -> str:
    """Every public fact, in the order of the log; at one instant, customer by customer.

    What is due at the same instant for two customers has no order.
    """
    connection = await org.world.house.as_owner()
    try:
        rows = await connection.fetch(_FACTS, uuid_of(org.id))
    finally:
        await connection.close()
    lines: list[str] = []
    told = [(row, msgspec.json.decode(row["snapshot"])) for row in rows]
    told.sort(key=lambda each: (each[0]["occurred_at"], _whose(names, each[1])))
    for row, snapshot in told:
        if row["type"] in _SILENT:
            continue
        teller = _TELLERS[row["type"].partition(".")[0]]
        first, *more = teller(_Facts(snapshot, names, zone))
        words = f"{_moment(row['occurred_at'], zone)}  {row['type']}  {first}"
        if row["type"] != "invoice.finalized":
            more = []
        lines += [words, *(f"    {line}" for line in more)]
    return "\n".join(lines)


async def balances(org: Org, names: Names) -> str:
    """Every account that holds something, debit positive; by name."""
    lines: dict[str, str] = {}
    for each in await org.caller.look(trial_balance):
        if each.entry_sum.is_zero:
            continue
        account = each.account
        if account.code not in lines:
            name = names.told(account.code)
            lines[f"{name} {account.currency}"] = f"{name:<30}{_money(each.entry_sum):>12}"
    return "\n".join(lines[key] for key in sorted(lines))


def _whose(names: Names, snapshot: Mapping[str, Any]) -> str:
    return names.known.get(snapshot.get("customerId") or "", "")


@dataclass(frozen=True)
class _Facts:
    """A resource as an event shows it."""

    shown: Mapping[str, Any]
    names: Names
    zone: ZoneInfo

    def name(self, key: str) -> str:
        found = self.shown.get(key)
        return "" if found is None else self.names[found]

    def money(self, key: str) -> str:
        return _money(Money(self.shown[key], Currency(self.shown["currency"])))

    def day(self, text: str) -> str:
        """A boundary: the day, with its time when that is not midnight."""
        local = datetime.fromisoformat(text).astimezone(self.zone)
        return (
            f"{local:%Y-%m-%d}"
            if (local.hour, local.minute) == (0, 0)
            else f"{local:%Y-%m-%d %H:%M}"
        )

    def minute(self, text: str) -> str:
        """An instant, in the story's zone."""
        return _moment(datetime.fromisoformat(text), self.zone)

    def span(self, start: str, end: str) -> str:
        return f"{self.day(self.shown[start])} to {self.day(self.shown[end])}"


def _subscription(facts: _Facts) -> list[str]:
    shown = facts.shown
    many = "" if shown["quantity"] == 1 else f" x{shown['quantity']}"
    period = facts.span("currentPeriodStart", "currentPeriodEnd")
    ends = ", ends with it" if shown["cancelAtPeriodEnd"] else ""
    plan = f"{facts.name('customerId')}: {facts.name('planId')}{many}"
    return [f"{plan}, {shown['status']}, {period}{ends}"]


def _invoice(facts: _Facts) -> list[str]:
    shown = facts.shown
    number = (shown["invoiceNumber"] or "a draft").rpartition("-")[2].lstrip("0")
    first = f"#{number} {facts.name('customerId')} {facts.money('totalCents')}"
    lines = []
    for line in shown["lines"]:
        inner = _Facts({**line, "currency": shown["currency"]}, facts.names, facts.zone)
        period = f", {inner.span('periodStart', 'periodEnd')}" if line.get("periodStart") else ""
        lines.append(
            f"{inner.money('amountCents'):>9}  {line['type']}: {line['description']}{period}"
        )
    if shown["discountCents"]:
        lines.append(f"{'-' + facts.money('discountCents'):>9}  discount")
    if shown["taxAmountCents"]:
        lines.append(f"{facts.money('taxAmountCents'):>9}  tax")
    return [first, *lines]


def _payment(facts: _Facts) -> list[str]:
    code = facts.shown.get("failureCode")
    return [f"{facts.name('customerId')} {facts.money('amountCents')}{f' {code}' if code else ''}"]


def _wallet(facts: _Facts) -> list[str]:
    return [f"{facts.shown['name']} holds {facts.money('balanceCents')}"]


def _hold(facts: _Facts) -> list[str]:
    return [f"{facts.names[facts.shown['walletId']]} {facts.money('amountCents')}"]


def _transaction(facts: _Facts) -> list[str]:
    shown = facts.shown
    way = f"{facts.names[shown['fromWalletId']]} to {facts.names[shown['toWalletId']]}"
    return [f"{way} {facts.money('amountCents')}"]


def _usage(facts: _Facts) -> list[str]:
    shown = facts.shown
    return [f"{facts.names[shown['meterId']]}: {shown['quantity']} of {shown['threshold']}"]


def _dunning(facts: _Facts) -> list[str]:
    shown = facts.shown
    tries = f"{shown['retryCount']} of {shown['maxRetries']} retries"
    if shown["resolution"] is not None:
        return [f"{facts.name('customerId')}: {tries}, {shown['resolution']}"]
    at = shown["nextRetryAt"]
    then = "nothing more" if at is None else f"{shown['currentAction']} at {facts.minute(at)}"
    return [f"{facts.name('customerId')}: {tries}, then {then}"]


def _named(facts: _Facts) -> list[str]:
    return [
        facts.name("customerId")
        or facts.name("planId")
        or facts.names.known.get(facts.shown["id"], "")
    ]


_TELLERS: Final[dict[str, Callable[[_Facts], list[str]]]] = {
    "subscription": _subscription,
    "invoice": _invoice,
    "payment": _payment,
    "wallet": _wallet,
    "hold": _hold,
    "transaction": _transaction,
    "usage": _usage,
    "plan": _named,
    "customer": _named,
    "dunning": _dunning,
    "refund": _payment,
    "credit_note": _named,
    "recurring_invoice": _named,
}


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _money(amount: Money) -> str:
    return format_minor(amount)
