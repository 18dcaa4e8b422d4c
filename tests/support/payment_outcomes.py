"""Every test card and every fault of the sandbox processor through every mode, as a table.

Each row is lived: an invoice is made, paid by the mode, and the world comes to rest; what the
payment, the invoice, the ledger, the event log and the mailbox say then is the row.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from msgspec import Struct
from tests.support.sandbox import browse, control
from tests.support.world import Org, World

from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, PaymentId, RefundId, print_id, uuid_of
from bursar.domain.payments import PaymentMode, PaymentStatus
from bursar.domain.refusals import PaymentDeclined, ProviderFailed
from bursar.flows.confirm_payment import confirm_payment
from bursar.flows.confirm_refund import confirm_refund
from bursar.flows.pay_invoice import pay_invoice
from bursar.flows.refund_payment import refund_payment
from bursar.flows.save_method import AttachMethod, attach_method
from bursar.operations.document_settings import (
    UpdateDocumentSettings,
    update_document_settings,
)
from bursar.operations.refunds import BeginRefund
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.payments import payment as payment_look
from bursar.runtime.app import Caller
from bursar_sandbox.core.cards import CARDS, Authentication, TestCard

CENTS: Final = 5_000
GOOD: Final = "pm_card_visa"
LATER: Final = "pm_sandbox_later_insufficient_funds"
SETTLED_S: Final = 90
WIRE: Final = ("checkout", "charge", "dunning retry", "refund")
FAULTS: Final = (
    ("delay", "60000"),
    ("error_before", "500"),
    ("error_after", "500"),
    ("error_after", "502"),
    ("drop_before", ""),
    ("drop_after", ""),
    ("rate_limit", ""),
    ("conflict", ""),
    ("swap", ""),
)
HEAD: Final = ("card or fault", "mode", "outcome", "invoice", "books", "events", "e-mails")
_PATHS: Final = {
    "checkout": "/v1/checkout/sessions",
    "charge": "/v1/payment_intents",
    "dunning retry": "/v1/payment_intents",
    "refund": "/v1/refunds",
}
_PROOF: Final = "/3ds/"
_CHARGED_ALONE: Final = (Authentication.NEVER, Authentication.ON_SESSION)
_NOTHING: Final = "—"
_OPEN: Final = """
    SELECT id FROM payments
    WHERE org_id = $1 AND invoice_id = $2 AND status IN ('pending', 'processing')
"""
_OPEN_REFUNDS: Final = """
    SELECT id FROM refunds WHERE org_id = $1 AND invoice_id = $2 AND status = 'pending'
"""
_LAST: Final = """
    SELECT p.status || coalesce(' (' || p.failure_code || ')', '')
        || coalesce('; refund ' || r.status || coalesce(' (' || r.failure_code || ')', ''), '')
    FROM payments AS p LEFT JOIN refunds AS r ON r.org_id = p.org_id AND r.payment_id = p.id
    WHERE p.org_id = $1 AND p.invoice_id = $2 ORDER BY p.id DESC LIMIT 1
"""
_BOOKED: Final = """
    SELECT kind FROM ledger_transactions WHERE org_id = $1 AND id > $2 ORDER BY id
"""
_TOLD: Final = """
    SELECT type FROM events
    WHERE org_id = $1 AND id > $2 AND type !~ '^(customer|payment_method)[.]'
    AND (snapshot ->> 'id' = 'inv_' || $3::uuid OR snapshot ->> 'invoiceId' = 'inv_' || $3::uuid)
    ORDER BY id
"""
_WRITTEN: Final = "SELECT kind FROM mails WHERE org_id = $1 AND invoice_id = $2 ORDER BY id"
_NEWEST: Final = "SELECT id FROM events WHERE org_id = $1 ORDER BY id DESC LIMIT 1"


class Case(Struct, frozen=True):
    """Which card by which mode, and which fault the processor plays meanwhile."""

    name: str
    mode: str
    token: str = GOOD
    number: str = "4242424242424242"
    fault: tuple[str, str] | None = None


class Stage(Struct, frozen=True):
    """An organization whose payments are lived one after the other.

    Alone with the processor its clock may run, so that what it does later belongs to the row too.
    """

    world: World
    org: Org
    is_alone: bool = False

    async def row(self, case: Case) -> tuple[str, ...]:
        """One row of the table."""
        customer = await self.org.customer(None)
        invoice_id = (await self.org.invoice(customer, CENTS)).id
        await self.world.drain()
        (since,) = await self._ask(_NEWEST)
        try:
            await _ACTS[case.mode](self, case, customer, invoice_id)
        except PaymentDeclined as declined:
            return self._refused(case, str(declined.facts["declineCode"]))
        except ProviderFailed:
            return self._refused(case, "no usable answer")
        await self.rest(invoice_id)
        (status,) = await self._ask(_LAST, uuid_of(invoice_id)) or ("none",)
        invoice = await self.org.caller.look(invoice_look, invoice_id)
        mails = await self._ask(_WRITTEN, uuid_of(invoice_id))
        events = await self._ask(_TOLD, since, uuid_of(invoice_id))
        told = (await self._ask(_BOOKED, since), events, mails)
        lists = (", ".join(each) or _NOTHING for each in told)
        return (f"`{case.name}`", case.mode, status, invoice.status.value, *lists)

    async def open(self) -> "Stage":
        """The organization writes to its customers."""
        said = UpdateDocumentSettings({"sends_receipts": True, "sends_failures": True})
        await self.org.caller.run(update_document_settings, said)
        return self

    @property
    def _system(self) -> Caller:
        return self.world.system(self.org.id)

    def _refused(self, case: Case, why: str) -> tuple[str, ...]:
        said = f"not attached ({why})"
        return (f"`{case.name}`", case.mode, said, "open", *[_NOTHING] * 3)

    async def play(self, case: Case) -> None:
        """The next request of the mode's kind meets the fault."""
        if case.fault is None:
            return
        kind, value = case.fault
        fields = {"kind": kind, "value": value} if value else {"kind": kind}
        control(self.world.sandbox, "POST", "faults", path=_PATHS[case.mode], times=1, **fields)

    async def attach(self, customer: Customer, token: str) -> None:
        """A card on file."""
        await attach_method(self.org.caller, AttachMethod(customer.id, token))

    async def rest(self, invoice_id: InvoiceId) -> None:
        """Slow methods settle, lost answers are asked for, and nothing is left to do."""
        control(self.world.sandbox, "DELETE", "faults")
        await self.world.drain()
        if self.is_alone:
            control(self.world.sandbox, "POST", "clock", advance=SETTLED_S)
            await self.world.drain()
        for key in await self._ask(_OPEN, uuid_of(invoice_id)):
            await confirm_payment(self._system, PaymentId(print_id("pay", key)))
        for key in await self._ask(_OPEN_REFUNDS, uuid_of(invoice_id)):
            await confirm_refund(self._system, RefundId(print_id("rfd", key)))
        await self.world.drain()

    async def _ask(self, query: str, *values: object) -> list[Any]:
        owner = await self.world.house.as_owner()
        try:
            rows = await owner.fetch(query, uuid_of(self.org.id), *values)
        finally:
            await owner.close()
        return [row[0] for row in rows]


Act = Callable[[Stage, Case, Customer, InvoiceId], Awaitable[None]]


async def _checkout(stage: Stage, case: Case, _customer: Customer, invoice_id: InvoiceId) -> None:
    await stage.play(case)
    key = f"page-{invoice_id}"
    opened = await stage.org.pay(invoice_id, PaymentMode.CHECKOUT, key)
    if opened.checkout_url is None:  # the answer was lost: the same request gives the page
        control(stage.world.sandbox, "DELETE", "faults")
        opened = await stage.org.pay(invoice_id, PaymentMode.CHECKOUT, key)
    if opened.checkout_url is not None:
        leads_to = stage.world.type_card(opened.checkout_url, case.number)
        if _PROOF in leads_to:
            browse(stage.world.sandbox, "POST", leads_to, outcome="complete")


async def _charge(stage: Stage, case: Case, customer: Customer, invoice_id: InvoiceId) -> None:
    await stage.attach(customer, case.token)
    await stage.play(case)
    await stage.org.pay(invoice_id)


async def _retry(stage: Stage, case: Case, customer: Customer, invoice_id: InvoiceId) -> None:
    await stage.attach(customer, LATER)
    await stage.org.pay(invoice_id)
    await stage.attach(customer, case.token)
    await stage.play(case)


async def _wallet(stage: Stage, _case: Case, customer: Customer, invoice_id: InvoiceId) -> None:
    filled = await stage.org.wallet(CENTS, customer)
    command = replace(stage.org.begin(invoice_id, PaymentMode.WALLET), wallet_id=filled.id)
    await pay_invoice(stage.org.caller, command)


async def _refund(stage: Stage, case: Case, customer: Customer, invoice_id: InvoiceId) -> None:
    await stage.attach(customer, case.token)
    paid = await stage.org.pay(invoice_id)
    if paid.is_open:
        await stage.rest(invoice_id)
        paid = await stage.org.caller.look(payment_look, paid.id)
    if paid.status is not PaymentStatus.SUCCEEDED:
        return
    await stage.play(case)
    await refund_payment(stage.org.caller, BeginRefund(payment_id=paid.id, attempt_key="whole"))


_ACTS: Final[dict[str, Act]] = {
    "checkout": _checkout,
    "charge": _charge,
    "dunning retry": _retry,
    "wallet": _wallet,
    "refund": _refund,
}


def cases() -> Iterator[Case]:
    """A card of each play by every mode that takes it, every fault by every mode on the wire."""
    for card in CARDS:
        if card is alike(card):
            for mode in _modes(card):
                yield Case(card.token, mode, card.token, card.number)
    yield Case("stored money", "wallet")
    for kind, value in FAULTS:
        for mode in WIRE:
            yield Case(" ".join(filter(None, (kind, value))), mode, fault=(kind, value))


def alike(card: TestCard) -> TestCard:
    """The first card that is taken and plays like this one."""
    return next(each for each in CARDS if (each.kind, each.play) == (card.kind, card.play))


def _modes(card: TestCard) -> Iterator[str]:
    """Where it says something new: a card that is not attached is charged by nobody."""
    declined = card.play.decline
    if card.kind == "card":
        yield "checkout"
    yield "charge"
    if declined is None or not card.play.declines_on_attach or card.play.settles_after_s:
        yield "dunning retry"
    if declined is None and card.play.authentication in _CHARGED_ALONE:
        yield "refund"


def same() -> str:
    """Which cards the rows leave out, since they play like one that is there."""
    first = alike(CARDS[0])
    others = [card for card in CARDS if alike(card) is not card]
    assert all(alike(card) is first for card in others), "say each group"
    return f"Like `{first.token}`: " + ", ".join(f"`{card.token}`" for card in others) + "."
