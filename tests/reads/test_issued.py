"""A final document is what was issued: buyer, seller and settings stay as they were then."""

from typing import Any

import pytest
from tests.domain.test_pictures import a_png
from tests.support.billing import Shop, at
from tests.support.world import Org, World

from bursar.domain.customers import Customer
from bursar.domain.document_settings import Language, Paper
from bursar.domain.documents import InvoiceDocument
from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.paging import Page
from bursar.operations.customers import UpdateCustomer, update_customer
from bursar.operations.document_settings import UpdateDocumentSettings, update_document_settings
from bursar.operations.invoices import DuplicateInvoice, duplicate_invoice
from bursar.operations.orgs import UpdateOrganization, update_organization
from bursar.reads.invoices import InvoiceFilters, invoice_document, invoices

FIRST: dict[str, Any] = {
    "language": Language.GERMAN,
    "address": {"line1": "Erste Gasse 1", "city": "Wien", "country": "AT"},
    "tax_id": "ATU00000001",
    "footer": "Erste Fassung",
    "iban": "AT611904300234573201",
    "logo": a_png(4, 4),
}
LATER: dict[str, Any] = {
    "language": Language.FRENCH,
    "paper": Paper.LETTER,
    "address": {"line1": "Rue Neuve 2", "city": "Paris", "country": "FR"},
    "tax_id": "FR00000000002",
    "footer": "Nouvelle version",
    "iban": None,
    "logo": a_png(8, 8),
}


async def document(org: Org, invoice_id: InvoiceId) -> InvoiceDocument:
    return await org.caller.look(invoice_document, invoice_id)


async def say(org: Org, changes: dict[str, Any]) -> None:
    await org.caller.run(update_document_settings, UpdateDocumentSettings(changes))


async def everything_changes(org: Org, customer: Customer, name: str) -> None:
    await say(org, LATER)
    settings = {"name": f"{name} Holding", "timezone": "Pacific/Auckland"}
    await org.caller.run(update_organization, UpdateOrganization(settings))
    moved = {"name": name, "email": f"{name}@new.example", "address": {"country": "NZ"}}
    await org.caller.run(update_customer, UpdateCustomer(customer.id, moved))


@pytest.mark.parametrize("settings", [{}, FIRST])
async def test_what_is_printed_is_what_was_issued(world: World, settings: dict[str, Any]) -> None:
    # Once, twice changed: paper and e-invoice are the same; what is issued next says the new.
    org = await world.org()
    customer = await org.customer(token=None)
    if settings:
        await say(org, settings)
    first = await org.invoice(customer)
    issued = await document(org, first.id)
    await everything_changes(org, customer, "second")
    assert await document(org, first.id) == issued
    second = await org.invoice(customer)
    said = await document(org, second.id)
    assert said.seller[:2] == ("second Holding", "Rue Neuve 2")
    assert said.buyer[0] == "second"
    assert (said.language, said.paper, said.footer) == ("fr", "letter", "Nouvelle version")
    await everything_changes(org, customer, "third")
    await say(org, {"footer": "Third"})
    assert await document(org, first.id) == issued
    assert await document(org, second.id) == said


async def test_what_is_billed_by_itself_is_issued_too(world: World) -> None:
    # One by one and in bulk; and each is found by its subscription.
    shop = Shop(org := await world.org())
    await shop.set_clock(at("2026-01-01"))
    plan = await shop.plan(4_900)
    buyers = [await org.customer(token=None) for _ in range(2)]
    one, other = [await shop.subscribe(plan, buyer) for buyer in buyers]
    await shop.bill(one.id)
    await shop.bill_all()
    for buyer, subscription in zip(buyers, (one, other), strict=True):
        filters = InvoiceFilters(subscription_id=subscription.id)
        found = await org.caller.look(invoices, Page(), filters)
        (billed,) = found.items
        assert (found.total_count, billed.finalized_at is not None) == (1, True)
        issued = await document(org, billed.id)
        await everything_changes(org, buyer, f"{subscription.id[-4:]}x")
        assert await document(org, billed.id) == issued
        assert issued.buyer[0] == buyer.name


async def test_a_draft_says_what_holds_today(world: World) -> None:
    # Nothing of it is issued yet, so nothing of it stays.
    org = await world.org()
    customer = await org.customer(token=None)
    draft = await org.draft(customer)
    await everything_changes(org, customer, "moved")
    said = await document(org, draft.id)
    assert (said.buyer[0], said.seller[0], said.language) == ("moved", "moved Holding", "fr")


async def test_a_void_document_and_its_duplicate(world: World) -> None:
    # What was issued and voided still says what it said; its duplicate is a draft of today.
    org = await world.org()
    customer = await org.customer(token=None)
    first = await org.invoice(customer)
    await everything_changes(org, customer, "moved")
    again = await org.caller.run(duplicate_invoice, DuplicateInvoice(first.id))
    assert (await document(org, again.id)).buyer[0] == "moved"
    assert (await document(org, first.id)).buyer[0] == customer.name


async def test_what_was_final_before_there_were_versions_says_what_holds_today(
    world: World,
) -> None:
    # Nobody knows any more what such a document was issued with, so nothing is claimed.
    org = await world.org()
    customer = await org.customer(token=None)
    old = await org.invoice(customer)
    owner = await world.house.as_owner()
    try:
        await owner.execute(
            "UPDATE invoices SET buyer_version = NULL, seller_version = NULL,"
            " settings_version = NULL WHERE id = $1",
            uuid_of(old.id),
        )
    finally:
        await owner.close()
    await everything_changes(org, customer, "moved")
    assert (await document(org, old.id)).buyer[0] == "moved"
