"""The demo organization "Acme Cloud": a year of history made once, by the verbs everybody uses.

Runs beside a worker after the first start, which moves the organization's clock through the year.
Each step looks at what is there and does what is missing, so a kill at any moment costs nothing and
a second run changes nothing. What people need of it is kept in a file of the data directory: its
id, an API key, and how far it has come.
"""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from bursar.domain.access import Nobody, Person
from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId, SessionId, UserId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.paging import SIZE_MAX, Page
from bursar.domain.payments import PaymentMode
from bursar.domain.refusals import EmailTaken, PaymentInProgress, ProviderFailed, Unavailable
from bursar.flows.pay_invoice import pay_invoice
from bursar.flows.sign_in import SignedIn, SignIn, SignUp, sign_in, sign_up
from bursar.jobs.demo_cast import FAILING_CARDS, PRESENT, Bill, bills
from bursar.jobs.demo_year import Pace, customer_of, live_year
from bursar.operations.api_keys import CreateApiKey, create_api_key
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import CreateInvoice, VoidInvoice, create_invoice, void_invoice
from bursar.operations.payments import BeginPayment
from bursar.reads.customers import CustomerFilters, customers
from bursar.reads.invoices import InvoiceFilters, invoices
from bursar.reads.orgs import my_organizations
from bursar.reads.payments import PaymentFilters, payments
from bursar.runtime import clock
from bursar.runtime.app import App, Caller
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.console_links import DEMO_OWNER
from bursar.runtime.ids import new_uuid
from bursar.runtime.installation import DemoOrg, keep_demo_org, kept_demo_org
from bursar.runtime.logging import get_log

NAME: Final = "Acme Cloud"
_SCOPES: Final = ("billing:write", "events:read", "ledger:read")
_START_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.25
_RETRY_SECONDS: Final = 2.0
_AWAY: Final = (DatabaseAway, ProviderFailed, Unavailable, PaymentInProgress)

log = get_log()


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


async def _make(app: App, folder: Path, pace: Pace | None = None) -> DemoOrg:
    caller = await _owner(app)
    kept = kept_demo_org(folder)
    if kept is None or kept.org_id != caller.org_id:
        issued = await caller.run(create_api_key, CreateApiKey(name="Demo", scopes=_SCOPES))
        assert caller.org_id is not None
        kept = DemoOrg(org_id=caller.org_id, api_key=issued.key)
        keep_demo_org(folder, kept)
    await live_year(caller, pace or Pace(bill_by_hand, months=app.settings.demo_months))
    await bill_by_hand(caller, PRESENT)
    buyers = await caller.look(customers, Page(size=1), CustomerFilters())
    every = await caller.look(invoices, Page(size=1), InvoiceFilters())
    kept = msgspec.structs.replace(
        kept,
        customers=buyers.total_count,
        invoices=every.total_count,
        failing_cards=FAILING_CARDS,
        is_complete=True,
    )
    keep_demo_org(folder, kept)
    return kept


async def bill_by_hand(caller: Caller, month: int) -> None:
    """Every invoice made by hand in this month, brought to where it should end."""
    due = [each for each in bills() if each.month == month]
    for bill in due:
        buyer = await customer_of(caller, bill.member)
        theirs = InvoiceFilters(customer_id=buyer.id)
        known = await caller.look(invoices, Page(size=SIZE_MAX), theirs)
        by_name = {one.metadata.get("demo"): one for one in known.items}
        await _bring(caller, bill, buyer, by_name.get(bill.name))


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


async def _bring(caller: Caller, bill: Bill, customer: Customer, found: Invoice | None) -> None:
    """Bring one invoice to where it should end, from wherever it is."""
    invoice = found
    if invoice is None:
        command = CreateInvoice(
            customer_id=customer.id, lines=bill.lines, metadata={"demo": bill.name}
        )
        invoice = await caller.run(create_invoice, command)
    if invoice.status is InvoiceStatus.DRAFT and bill.end is not InvoiceStatus.DRAFT:
        invoice = await caller.run(finalize_invoice, FinalizeInvoice(invoice.id))
    if invoice.status is not InvoiceStatus.OPEN:
        return
    if bill.end is InvoiceStatus.VOID:
        await caller.run(void_invoice, VoidInvoice(invoice.id))
    elif bill.is_charged:
        await _charge(caller, bill, invoice)


async def _charge(caller: Caller, bill: Bill, invoice: Invoice) -> None:
    tried = await caller.look(payments, Page(size=1), PaymentFilters(invoice_id=invoice.id))
    if tried.items and not tried.items[0].is_open:
        return
    command = BeginPayment(
        invoice_id=invoice.id,
        mode=PaymentMode.CHARGE,
        attempt_key=f"demo:{bill.name}",
        providers={mode: each.name for mode, each in caller.app.providers.items()},
        return_url=caller.app.settings.public_url,
    )
    await pay_invoice(caller, command)


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
