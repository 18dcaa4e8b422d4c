"""Invoices paid by test cards that are drawn by a seed, each judged by what its card means.

A card means an outcome: paid at once, paid a moment later, or declined for a reason. The same seed
draws the same cards and amounts on every machine. Judged are the payment and its invoice, and at
the end the books of the organization.
"""

import asyncio
import hashlib
import statistics
from collections.abc import Callable, Sequence
from typing import Any, Final

import aiohttp
from msgspec import Struct

from bursar.cli.demo_accounts import make_api_key, sign_up
from bursar.cli.demo_cast import Cast
from bursar.cli.demo_http import Api, Browser, Heard, Unexpected
from bursar.cli.demo_invoices import balance_books
from bursar.cli.demo_receiver import Receiver
from bursar.cli.demo_system import System
from bursar.runtime.clock import monotonic

PATIENCE_SECONDS: Final = 120  # whoever is asked too fast says to come back in a minute
SUCCEEDED: Final = "succeeded"
_AT_ONCE: Final = 4
_CREATED: Final = 201
_DECLINED: Final = 402
_ENDED: Final = frozenset({SUCCEEDED, "failed", "canceled"})
_LEAST_CENTS: Final = 100
_SPAN_CENTS: Final = 50_000
_WORD: Final = 4


class Card(Struct, frozen=True):
    """A test card, and what becomes of a charge of it: success, or the bank's reason."""

    token: str
    meant: str = SUCCEEDED


GOOD: Final = (
    Card("pm_card_visa"),
    Card("pm_card_mastercard"),
    Card("pm_sandbox_processing_1"),  # nobody knows for a second; its webhook tells
)
BAD: Final = (
    Card("pm_sandbox_later_insufficient_funds", "insufficient_funds"),
    Card("pm_sandbox_later_do_not_honor", "do_not_honor"),
    Card("pm_card_chargeCustomerFail", "generic_decline"),
)


class Draw(Struct, frozen=True):
    """One payment to be played."""

    card: Card
    amount_cents: int


class Script(Struct, frozen=True):
    """How many payments, and by which cards."""

    count: int
    success: int
    seed: int

    def draw(self, number: int) -> Draw:
        """What is played in this place; it follows from the seed alone."""
        digest = hashlib.sha256(f"{self.seed} {number}".encode()).digest()
        luck, which, amount = (
            int.from_bytes(digest[at : at + _WORD]) for at in (0, _WORD, 2 * _WORD)
        )
        cards = GOOD if luck % 100 < self.success else BAD
        return Draw(cards[which % len(cards)], _LEAST_CENTS + amount % _SPAN_CENTS)


class Played(Struct, frozen=True):
    """What became of one payment."""

    card: Card
    invoice_id: str
    amount_cents: int
    came: str
    status: str
    paid_cents: int
    seconds: float

    @property
    def is_as_meant(self) -> bool:
        """Whether payment and invoice are as the card means."""
        is_paid = self.card.meant == SUCCEEDED
        wanted = ("paid", self.amount_cents) if is_paid else ("open", 0)
        return self.came == self.card.meant and (self.status, self.paid_cents) == wanted


class Sum(Struct, frozen=True):
    """All payments by one card."""

    card: Card
    played: Sequence[Played]

    @property
    def as_meant(self) -> int:
        """How many ended as the card means."""
        return sum(each.is_as_meant for each in self.played)

    def row(self) -> dict[str, object]:
        """As it is printed."""
        seconds = [each.seconds for each in self.played]
        return {
            "card": self.card.token,
            "outcome": self.card.meant,
            "payments": len(self.played),
            "asMeant": self.as_meant,
            "takenCents": sum(each.paid_cents for each in self.played),
            "currency": "usd",
            "medianSeconds": round(statistics.median(seconds), 3),
            "slowestSeconds": round(max(seconds), 3),
        }


def summed(played: Sequence[Played]) -> list[Sum]:
    """Card by card, those that succeed first; a card that was not drawn is not told of."""
    by_card = {card: [each for each in played if each.card == card] for card in (*GOOD, *BAD)}
    return [Sum(card, found) for card, found in by_card.items() if found]


async def play(
    session: aiohttp.ClientSession, system: System, script: Script, tell: Callable[[], None]
) -> list[Played]:
    """All of it in a new organization, a few payments at once; `tell` hears of each.

    Raises:
        Unexpected: it could not be played, or the books do not agree with it.
    """
    browser = Browser(session, patience_seconds=PATIENCE_SECONDS)
    cast = Cast(browser, Api(browser, system.url, {}), Receiver(), PATIENCE_SECONDS)
    await sign_up(cast)
    await make_api_key(cast)
    draws = [script.draw(number) for number in range(script.count)]
    holders = {card: await _holder(cast, card) for card in {draw.card: None for draw in draws}}
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(draw: Draw) -> Played:
        async with turns:
            played = await _pay(cast, draw, holders[draw.card])
        tell()
        return played

    found = await asyncio.gather(*map(one, draws))
    await balance_books(cast)
    await system.verify([cast.org_id])
    return found


async def _holder(cast: Cast, card: Card) -> str:
    """A customer who pays by this card."""
    who = {"email": f"{card.token}-{cast.tag}@example.com", "name": f"Holder of {card.token}"}
    made = (await cast.program.post("/v1/customers", who)).expect(_CREATED).value
    await cast.until(
        f"/v1/customers/{made['id']}",
        lambda customer: customer["stripeCustomerId"] is not None,
        wanted="a customer whom the provider knows",
    )
    method = {"customerId": made["id"], "providerToken": card.token}
    (await cast.program.post("/v1/payment-methods", method)).expect(_CREATED)
    return str(made["id"])


async def _pay(cast: Cast, draw: Draw, customer_id: str) -> Played:
    lines = [{"description": "Simulated", "unitAmountCents": draw.amount_cents}]
    body = {"customerId": customer_id, "lines": lines}
    draft = (await cast.program.post("/v1/invoices", body)).expect(_CREATED).value
    path = f"/v1/invoices/{draft['id']}"
    (await cast.program.post(f"{path}/finalize")).expect(200)
    begun = monotonic()
    came = await _outcome(cast, await cast.program.post(f"{path}/pay", {"mode": "charge"}))
    seconds = monotonic() - begun
    invoice = (await cast.program.get(path)).expect(200).value
    return Played(
        card=draw.card,
        invoice_id=draft["id"],
        amount_cents=draw.amount_cents,
        came=came,
        status=invoice["status"],
        paid_cents=invoice["amountPaidCents"],
        seconds=seconds,
    )


async def _outcome(cast: Cast, heard: Heard) -> str:
    """Success, or why not, also where that is only known later."""
    if heard.status == _DECLINED:
        return str(heard.error["declineCode"])
    payment: Any = heard.expect(200, 202).value["payment"]
    if payment["status"] not in _ENDED:
        path = f"/v1/payments/{payment['id']}"
        try:
            payment = await cast.until(
                path, lambda found: found["status"] in _ENDED, wanted="a known outcome"
            )
        except Unexpected:
            return "still unknown"
    return SUCCEEDED if payment["status"] == SUCCEEDED else str(payment["failureCode"])
