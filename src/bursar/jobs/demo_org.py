"""The demo organization "Acme Cloud": a short history made once, by the verbs everybody uses.

Runs beside a worker after the first start. Each step looks at what is there and does what is
missing, so a kill at any moment costs nothing and a second run changes nothing. What people need
of it is kept in a file of the data directory: its id, an API key, and how far it has come.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from bursar.domain.access import Nobody, Person
from bursar.domain.customers import Customer
from bursar.domain.drafting import NewLine
from bursar.domain.ids import OrgId, SessionId, UserId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.paging import SIZE_MAX, Page
from bursar.domain.payments import PaymentMode
from bursar.domain.refusals import EmailTaken, PaymentInProgress, ProviderFailed, Unavailable
from bursar.flows.attach_method import AttachMethod, attach_method
from bursar.flows.create_customer import create_customer_everywhere
from bursar.flows.pay_invoice import pay_invoice
from bursar.flows.sign_in import SignedIn, SignIn, SignUp, sign_in, sign_up
from bursar.operations.api_keys import CreateApiKey, create_api_key
from bursar.operations.customers import CreateCustomer
from bursar.operations.invoices import (
    CreateInvoice,
    FinalizeInvoice,
    VoidInvoice,
    create_invoice,
    finalize_invoice,
    void_invoice,
)
from bursar.operations.payments import BeginPayment
from bursar.reads.customers import CustomerFilters, customers
from bursar.reads.invoices import InvoiceFilters, invoices
from bursar.reads.orgs import my_organizations
from bursar.reads.payments import PaymentFilters, payments
from bursar.runtime import clock
from bursar.runtime.app import App, Caller
from bursar.runtime.console_links import DEMO_OWNER
from bursar.runtime.db import DatabaseAway
from bursar.runtime.ids import new_uuid
from bursar.runtime.installation import DemoOrg, keep_demo_org, kept_demo_org
from bursar.runtime.logging import get_log

NAME: Final = "Acme Cloud"
INVOICES_EACH: Final = 3

_PEOPLE: Final = (
    *("Alder Analytics", "Birch & Sons", "Cedar Clinic", "Dune Design", "Elm Electric"),
    *("Fjord Foods", "Garnet Games", "Harbor Hotels", "Iris Imaging", "Juniper Jobs"),
    *("Kestrel Kites", "Lumen Labs", "Maple Media", "Nimbus Networks", "Onyx Optics"),
    *("Pine Press", "Quartz Quarries", "Reef Rentals", "Sable Studios", "Tundra Tools"),
)
# The last customers' cards: they attach, and then every charge is declined.
_FAILING: Final = (
    "pm_sandbox_later_insufficient_funds",
    "pm_sandbox_later_expired_card",
    "pm_sandbox_later_lost_card",
)
_WORKING: Final = "pm_card_visa"
_GOODS: Final = (
    ("Platform, monthly", Decimal(4900)),
    ("Seats", Decimal(1200)),
    ("API calls, per thousand", Decimal("0.25")),
)
_SCOPES: Final = ("billing:write", "events:read", "ledger:read")
_START_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.25
_RETRY_SECONDS: Final = 2.0
_AWAY: Final = (DatabaseAway, ProviderFailed, Unavailable, PaymentInProgress)

log = get_log()


@dataclass(frozen=True, slots=True)
class Plan:
    """One invoice to be: who it is for, its name in the plan, and where it should end."""

    customer: int
    name: str
    end: InvoiceStatus
    is_charged: bool

    @property
    def lines(self) -> tuple[NewLine, ...]:
        """What it bills: something different each time, the same at every run."""
        description, price = _GOODS[(self.customer + len(self.name)) % len(_GOODS)]
        support = NewLine("Support", 1, Decimal(1500 + 250 * self.customer))
        return (NewLine(description, 10 + 7 * self.customer, price), support)


def plans() -> Iterator[Plan]:
    """Every invoice of the history."""
    for number in range(len(_PEOPLE)):
        is_failing = _card(number) != _WORKING
        ends = (
            (InvoiceStatus.OPEN, InvoiceStatus.OPEN, InvoiceStatus.DRAFT)
            if is_failing
            else (InvoiceStatus.PAID, InvoiceStatus.PAID, _third(number))
        )
        for place, end in enumerate(ends):
            is_charged = end is InvoiceStatus.PAID or (is_failing and place == 0)
            yield Plan(number, f"{number}-{place}", end, is_charged)


async def found_demo_org(app: App) -> None:
    """Make the organization and its history, or go on where the last run was ended."""
    folder = app.settings.data_dir
    if (kept := kept_demo_org(folder)) is not None and kept.is_complete:
        return
    await _until_api_answers(app.settings.port)
    while True:
        try:
            made = await _make(app, folder)
        except _AWAY as away:
            log.info("demo_org.put_off", reason=str(away))
            await asyncio.sleep(_RETRY_SECONDS)
        except Exception as fault:
            app.telemetry.unhandled(where="worker")
            log.exception("demo_org.failed", reason=str(fault))
            return
        else:
            log.info("demo_org.made", org_id=made.org_id, invoices=made.invoices)
            return


async def _make(app: App, folder: Path) -> DemoOrg:
    caller = await _owner(app)
    kept = kept_demo_org(folder)
    if kept is None or kept.org_id != caller.org_id:
        issued = await caller.run(create_api_key, CreateApiKey(name="Demo", scopes=_SCOPES))
        assert caller.org_id is not None
        kept = DemoOrg(org_id=caller.org_id, api_key=issued.key)
        keep_demo_org(folder, kept)
    buyers = [await _customer(caller, number) for number in range(len(_PEOPLE))]
    known = await caller.look(invoices, Page(size=SIZE_MAX), InvoiceFilters())
    by_name = {one.metadata.get("demo"): one for one in known.items}
    for plan in plans():
        await _bring(caller, plan, buyers[plan.customer], by_name.get(plan.name))
    every = list(plans())
    kept = msgspec.structs.replace(
        kept,
        customers=len(buyers),
        invoices=len(every),
        failing_cards=len(_FAILING),
        is_complete=True,
    )
    keep_demo_org(folder, kept)
    return kept


async def _owner(app: App) -> Caller:
    """The owner, signed up or signed in again, in the organization."""
    nobody = Caller(app=app, org_id=None, actor=Nobody(), request_id=str(new_uuid()))
    password = app.settings.derived("demo-owner").reveal()
    try:
        signed = await sign_up(nobody, SignUp(DEMO_OWNER, "Alex Owner", password, NAME))
    except EmailTaken:
        signed = await sign_in(nobody, SignIn(email=DEMO_OWNER, password=password))
    person = replace(nobody, actor=_person(app, signed))
    found = [each for each in await person.look(my_organizations) if each.name == NAME]
    assert found, "signing up made it, in one transaction"
    return person.as_org(OrgId(found[0].org_id))


def _person(app: App, signed: SignedIn) -> Person:
    claims = app.access_tokens.read(signed.access_token, clock.now())
    return Person(UserId(claims.subject), SessionId(claims.session_id))


async def _customer(caller: Caller, number: int) -> Customer:
    name = _PEOPLE[number]
    email = f"billing@{name.split()[0].lower()}.example"
    found = await caller.look(customers, Page(size=1), CustomerFilters(email=email))
    customer = found.items[0] if found.items else None
    if customer is None:
        command = CreateCustomer(email=email, name=name, metadata={"demo": str(number)})
        customer = await create_customer_everywhere(caller, command)
    if customer.method_reference is None:
        kept = await attach_method(caller, AttachMethod(customer.id, _card(number)))
        customer = kept.customer
    return customer


async def _bring(caller: Caller, plan: Plan, customer: Customer, found: Invoice | None) -> None:
    """Bring one invoice to where it should end, from wherever it is."""
    invoice = found
    if invoice is None:
        command = CreateInvoice(
            customer_id=customer.id, lines=plan.lines, metadata={"demo": plan.name}
        )
        invoice = await caller.run(create_invoice, command)
    if invoice.status is InvoiceStatus.DRAFT and plan.end is not InvoiceStatus.DRAFT:
        invoice = await caller.run(finalize_invoice, FinalizeInvoice(invoice.id))
    if invoice.status is not InvoiceStatus.OPEN:
        return
    if plan.end is InvoiceStatus.VOID:
        await caller.run(void_invoice, VoidInvoice(invoice.id))
    elif plan.is_charged:
        await _charge(caller, plan, invoice)


async def _charge(caller: Caller, plan: Plan, invoice: Invoice) -> None:
    tried = await caller.look(payments, Page(size=1), PaymentFilters(invoice_id=invoice.id))
    if tried.items and not tried.items[0].is_open:
        return
    command = BeginPayment(
        invoice_id=invoice.id,
        mode=PaymentMode.CHARGE,
        attempt_key=f"demo:{plan.name}",
        providers={mode: each.name for mode, each in caller.app.providers.items()},
        return_url=caller.app.settings.public_url,
    )
    await pay_invoice(caller, command)


def _card(number: int) -> str:
    place = number - (len(_PEOPLE) - len(_FAILING))
    return _FAILING[place] if place >= 0 else _WORKING


def _third(number: int) -> InvoiceStatus:
    ends = (InvoiceStatus.PAID, InvoiceStatus.OPEN, InvoiceStatus.VOID, InvoiceStatus.DRAFT)
    return ends[number % len(ends)]


async def _until_api_answers(port: int) -> None:
    """The server comes first; after a minute nobody waits for it any more."""
    deadline = clock.monotonic() + _START_SECONDS
    while clock.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return
