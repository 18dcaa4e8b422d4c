"""Lists show what the filters leave, newest first, page by page or onwards, of one org only."""

from datetime import timedelta
from typing import Any

import pytest
from tests.support.world import World

from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, InvoiceId, PaymentId, WebhookSubscriptionId, uuid_of
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.orgs import Mode
from bursar.domain.paging import Page
from bursar.domain.payments import PaymentMode, PaymentStatus
from bursar.domain.refusals import NotFound
from bursar.operations.customers import DeleteCustomer, delete_customer
from bursar.reads.api_keys import api_keys
from bursar.reads.customers import CustomerFilters, customer, customers
from bursar.reads.invoices import InvoiceFilters, invoice, invoice_document, invoices, timeline
from bursar.reads.ledger import PostingFilters, accounts, postings, trial_balance
from bursar.reads.members import me, members
from bursar.reads.orgs import my_organizations, organization
from bursar.reads.payments import PaymentFilters, payment, payments
from bursar.reads.webhook_subscriptions import (
    DeliveryFilters,
    deliveries,
    webhook_subscription,
    webhook_subscriptions,
)
from bursar.runtime.app import Caller, Glance, Look
from bursar.runtime.db import ReadTx
from bursar.runtime.sql import Query

UNKNOWN = "0195a1b2-c3d4-7006-8000-0123456789ab"


async def test_a_list_is_counted_and_shown_page_by_page(world: World) -> None:
    # Newest first; the pages together are the whole list, once.
    org = await world.org()
    made = [(await org.customer(token=None)).id for _ in range(5)]
    shown: list[str] = []
    for number in (1, 2, 3):
        page = await org.caller.look(customers, Page(number, 2), CustomerFilters())
        assert page.total_count == 5
        shown += [one.id for one in page.items]
    assert shown == made[::-1]


async def test_a_page_that_shows_the_end_is_not_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last page knows; one before it and one behind it ask, and all of them say the same.
    org = await world.org()
    for _ in range(3):
        await org.customer(token=None)
    asked: list[str] = []
    fetchval = ReadTx.fetchval

    async def noting(tx: ReadTx, query: Query, *arguments: object) -> Any:
        asked.append(query.name)
        return await fetchval(tx, query, *arguments)

    monkeypatch.setattr(ReadTx, "fetchval", noting)
    counted: dict[int, bool] = {}
    for number in (1, 2, 3):
        asked.clear()
        page = await org.caller.look(customers, Page(number, 2), CustomerFilters())
        assert page.total_count == 3
        counted[number] = "count_customers" in asked
    assert counted == {1: True, 2: False, 3: True}


async def test_a_list_is_followed_by_its_cursor(world: World) -> None:
    # Nobody counts, nothing is skipped by what is added meanwhile, and the end says so.
    org = await world.org()
    made = [(await org.customer(token=None)).id for _ in range(5)]
    first = await org.caller.look(customers, Page(size=2, is_cursor=True), CustomerFilters())
    await org.customer(token=None)
    assert first.next_cursor is not None
    onwards = Page(size=10, is_cursor=True, after=uuid_of(first.next_cursor))
    rest = await org.caller.look(customers, onwards, CustomerFilters())
    assert [one.id for one in (*first.items, *rest.items)] == made[::-1]
    assert (rest.next_cursor, rest.total_count) == (None, 0)


async def test_customers_are_found_by_mail_text_and_time(world: World) -> None:
    # Each filter alone; wildcards are letters; the end of a range is not in it.
    org = await world.org()
    one, other = await org.customer(token=None), await org.customer(token=None)

    async def found(filters: CustomerFilters) -> list[str]:
        page = await org.caller.look(customers, Page(), filters)
        assert page.total_count == len(page.items)
        return [each.id for each in page.items]

    assert await found(CustomerFilters(email=one.email.upper())) == [one.id]
    assert await found(CustomerFilters(text=other.email[:-5].upper())) == [other.id]
    assert await found(CustomerFilters(text="ada")) == [other.id, one.id]
    assert await found(CustomerFilters(text="%")) == []
    assert await found(CustomerFilters(created_from=other.created_at)) == [other.id]
    assert await found(CustomerFilters(created_before=other.created_at)) == [one.id]


async def test_invoices_are_found_by_status_customer_and_number(world: World) -> None:
    # With all their lines; a number is found by any part of what is printed.
    org = await world.org()
    customer_one, customer_two = await org.customer(token=None), await org.customer(token=None)
    draft = await org.draft(customer_one, 100)
    opened = await org.invoice(customer_two, 200)

    async def found(filters: InvoiceFilters) -> list[str]:
        page = await org.caller.look(invoices, Page(), filters)
        assert page.total_count == len(page.items)
        assert all(one.lines for one in page.items)
        return [each.id for each in page.items]

    assert await found(InvoiceFilters()) == [opened.id, draft.id]
    assert await found(InvoiceFilters(statuses=(InvoiceStatus.DRAFT,))) == [draft.id]
    both = (InvoiceStatus.DRAFT, InvoiceStatus.OPEN)
    assert await found(InvoiceFilters(statuses=both)) == [opened.id, draft.id]
    assert await found(InvoiceFilters(customer_id=customer_two.id)) == [opened.id]
    assert await found(InvoiceFilters(text=str(opened.number).lower())) == [opened.id]
    assert await found(InvoiceFilters(text="00001")) == [opened.id]
    assert await found(InvoiceFilters(created_before=opened.created_at - timedelta(1))) == []


async def test_every_part_of_a_printed_number_finds_all_that_print_it(world: World) -> None:
    # Whatever lies in the series, in the digits, or across the hyphen; and nothing else does.
    org = await world.org()
    buyer = await org.customer(token=None)
    owner = await world.house.as_owner()
    printed: dict[str, str] = {}
    for number in (1, 7, 70, 9_999, 10_000, 120_707):
        renumber = "UPDATE invoice_series SET last_number = $2 WHERE org_id = $1"
        await owner.execute(renumber, uuid_of(org.id), number - 1)
        opened = await org.invoice(buyer, 100)
        assert opened.number is not None
        assert opened.number.number == number
        printed[opened.id] = str(opened.number)
    await owner.close()
    (series,) = {each.rpartition("-")[0] for each in printed.values()}
    parts = {
        each[start:end]
        for each in printed.values()
        for start in range(len(each))
        for end in range(start + 1, len(each) + 1)
    }
    odd = {"-", "--", "%", "_", "٣", "00", "000007", "-7", f"{series}7", "x-00007", "0-0", "7-"}
    for text in sorted({*parts, *map(str.lower, parts), *odd}):
        page = await org.caller.look(invoices, Page(), InvoiceFilters(text=text))
        wanted = {key for key, each in printed.items() if text.lower() in each.lower()}
        assert {each.id for each in page.items} == wanted, text
        assert page.total_count == len(wanted), text
        assert len(page.items) == len(wanted), text


async def test_payments_are_found_by_invoice_customer_and_status(world: World) -> None:
    # And shown as they are.
    org = await world.org()
    buyer = await org.customer()
    charged, waiting = await org.invoice(buyer), await org.invoice(buyer)
    paid = await org.pay(charged.id)
    page_open = await org.pay(waiting.id, PaymentMode.CHECKOUT)

    async def found(filters: PaymentFilters) -> list[str]:
        page = await org.caller.look(payments, Page(), filters)
        assert page.total_count == len(page.items)
        return [each.id for each in page.items]

    assert await found(PaymentFilters()) == [page_open.id, paid.id]
    assert await found(PaymentFilters(invoice_id=charged.id)) == [paid.id]
    assert await found(PaymentFilters(customer_id=buyer.id)) == [page_open.id, paid.id]
    assert await found(PaymentFilters(statuses=(PaymentStatus.SUCCEEDED,))) == [paid.id]
    assert await org.caller.look(payment, paid.id) == paid


async def test_a_deleted_customer_is_gone_but_printed(world: World) -> None:
    # Neither found nor listed; the documents still name them.
    org = await world.org()
    buyer = await org.customer()
    billed = await org.invoice(buyer)
    await org.pay(billed.id)
    await org.caller.run(delete_customer, DeleteCustomer(buyer.id))
    with pytest.raises(NotFound):
        await org.caller.look(customer, buyer.id)
    assert (await org.caller.look(customers, Page(), CustomerFilters())).items == ()
    document = await org.caller.look(invoice_document, billed.id)
    assert document.buyer[0] == buyer.name


async def test_the_books_are_shown_with_their_entries(world: World) -> None:
    # Two postings of a paid invoice; accounts by code; everything sums to zero.
    org = await world.org()
    billed = await org.invoice(await org.customer(), 4999)
    paid = await org.pay(billed.id)
    page = await org.caller.look(postings, Page(), PostingFilters())
    assert [one.kind for one in page.items] == ["payment_succeeded", "invoice_finalized"]
    assert [sum(e.amount.minor for e in one.entries) for one in page.items] == [0, 0]
    caused = await org.caller.look(postings, Page(), PostingFilters(source_id=paid.id))
    assert [one.kind for one in caused.items] == ["payment_succeeded"]
    earned = await org.caller.look(postings, Page(), PostingFilters(account_code="revenue"))
    assert [one.kind for one in earned.items] == ["invoice_finalized"]
    held = await org.caller.look(trial_balance)
    assert {one.account.code.partition(":")[0]: one.balance.minor for one in held} == {
        "processor": 4999,
        "receivable": 0,
        "revenue": 4999,
    }
    assert sum(one.entry_sum.minor for one in held) == 0
    listed = await org.caller.look(accounts, Page(1, 2))
    assert (listed.items, listed.total_count) == (held[:2], 3)


async def test_people_find_themselves_and_each_other(world: World) -> None:
    # Who I am and where I belong needs no organization; the members need one.
    org = await world.org()
    alone = replace(org.caller, org_id=None)
    myself = await alone.look(me)
    assert (myself.user.id, [one.org_id for one in myself.memberships]) == (org.user_id, [org.id])
    assert await alone.look(my_organizations) == myself.memberships
    (colleague,) = (await org.caller.look(members, Page())).items
    assert (colleague.user, colleague.member.role) == (myself.user, "owner")
    found = await org.caller.look(organization)
    assert (found.id, found.mode) == (org.id, Mode.SANDBOX)


async def test_an_empty_organization_has_empty_lists(world: World) -> None:
    # Nothing, counted as nothing.
    org = await world.org()
    for page in (
        await org.caller.look(api_keys, Page()),
        await org.caller.look(webhook_subscriptions, Page()),
        await org.caller.look(invoices, Page(), InvoiceFilters()),
        await org.caller.look(payments, Page(), PaymentFilters()),
        await org.caller.look(postings, Page(), PostingFilters()),
    ):
        assert (page.items, page.total_count, page.next_cursor) == ((), 0, None)


async def refused(caller: Caller, look: Look[Any, Any] | Glance[Any, Any], *wanted: object) -> str:
    """How an id that is not there is refused, without the id."""
    with pytest.raises(NotFound) as refusal:
        await caller.look(look, *wanted)
    return refusal.value.message.replace(str(wanted[0]), "…")


async def test_another_organizations_things_are_not_there(world: World) -> None:
    # The same refusal as for an id that never was, whatever is asked for.
    mine, theirs = await world.org(), await world.org()
    billed = await theirs.invoice(await theirs.customer())
    paid = await theirs.pay(billed.id)
    for look, known, unknown in (
        (customer, billed.customer_id, CustomerId(f"cust_{UNKNOWN}")),
        (invoice, billed.id, InvoiceId(f"inv_{UNKNOWN}")),
        (timeline, billed.id, InvoiceId(f"inv_{UNKNOWN}")),
        (invoice_document, billed.id, InvoiceId(f"inv_{UNKNOWN}")),
        (payment, paid.id, PaymentId(f"pay_{UNKNOWN}")),
    ):
        said = await refused(mine.caller, look, known)
        assert said == await refused(mine.caller, look, unknown)
    nothing = WebhookSubscriptionId(f"wh_{UNKNOWN}")
    await refused(mine.caller, webhook_subscription, nothing)
    await refused(mine.caller, deliveries, nothing, Page(), DeliveryFilters())
    assert (await mine.caller.look(invoices, Page(), InvoiceFilters())).total_count == 0
