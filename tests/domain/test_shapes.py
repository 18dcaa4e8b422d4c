"""What the world sees: published names, exact amounts, nothing secret, and true differences."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import AT, LATER, NUMBER, a_draft, an_attempt, an_open_invoice

from bursar.domain import ids
from bursar.domain.event_log import LoggedEvent
from bursar.domain.event_names import EVENTS
from bursar.domain.events import Row
from bursar.domain.frozen import replace
from bursar.domain.invoice_lines import Charge, priced_line
from bursar.domain.invoices import with_lines
from bursar.domain.ledger import Account, AccountBalance, AccountKind, BookedEntry, BookedPosting
from bursar.domain.money import Money
from bursar.domain.orgs import Colleague, Me, Membership, Mode, User
from bursar.domain.shapes import render, samples
from bursar.domain.shapes.catalog import sample_of, schema_of
from bursar.domain.shapes.events import AuditOut, EventOut, TimelineEntryOut, event_body
from bursar.domain.shapes.fields import decimal, whole
from bursar.domain.shapes.ledger import AccountOut, PostingOut, TrialBalanceOut
from bursar.domain.shapes.orgs import ColleagueOut, MeOut, UserOut
from bursar.domain.shapes.sample_taxes import TAX_RATE, note_on
from bursar.domain.shapes.webhook_subscriptions import DeliveryOut
from bursar.domain.webhook_subscriptions import Delivery, DeliveryAttempt, DeliveryStatus

USD = samples.USD
ROWS: tuple[Row, ...] = (
    samples.ORGANIZATION,
    samples.OWNER,
    samples.API_KEY,
    samples.CUSTOMER,
    samples.DRAFT,
    samples.WALLET,
    samples.HOLD,
    samples.WEBHOOK,
    samples.METER,
    samples.PLAN,
    samples.SUBSCRIPTION,
    samples.AGGREGATE,
    samples.COUPON,
    TAX_RATE,
    note_on(an_open_invoice(), 100),
    an_attempt(an_open_invoice()),
)
# Renaming or dropping one of these breaks whoever reads our answers.
PUBLISHED = {
    "organization": "currency timezone mode invoicePrefix netTermsDays reactivationGraceDays name",
    "member": "userId role",
    "api_key": "name keyPrefix scopes isRevoked expiresAt lastUsedAt",
    "customer": "email name currency taxId address metadata stripeCustomerId",
    "invoice": "customerId subscriptionId status currency subtotalCents discountCents "
    "taxAmountCents totalCents amountPaidCents amountDueCents periodStart periodEnd dueDate "
    "paidAt voidedAt invoiceNumber metadata lines",
    "meter": "name key aggregation property thresholds",
    "plan": "name description pricingModel amountCents unitAmountDecimal tiers packageSize "
    "currency billingInterval trialPeriodDays status meterId charges priceVersion metadata",
    "subscription": "customerId planId status quantity currentPeriodStart currentPeriodEnd "
    "billingAnchorDay cancelAtPeriodEnd canceledAt trialEnd metadata",
    "usage": "subscriptionId periodStart periodEnd totalQuantity computedAt threshold",
    "coupon": "name percentOff amountOffCents currency duration months status metadata",
    "tax_rate": "name percentage inclusive category country note automatic status metadata",
    "credit_note": "invoiceId customerId creditNoteNumber totalCents taxAmountCents lines reason",
    "payment": "invoiceId customerId amountCents currency status mode stripePaymentIntentId "
    "failureCode failureMessage attemptCount checkoutUrl nextActionUrl",
    "wallet": "customerId userId ownerType name status currency balanceCents heldCents "
    "availableCents transferLimitCents dailyLimitCents provokeCredit metadata closedAt",
    "hold": "walletId status amountCents capturedCents currency description metadata expiresAt "
    "settledAt",
    "webhook_subscription": "url eventTypes description isActive",
}
SECRETS = ("hash", "secret", "sealed", "password", "attemptKey", "sessionReference")


def seen(shape: msgspec.Struct) -> Any:
    return json.loads(msgspec.json.encode(shape))


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from keys_of(inner)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_every_resource_has_what_all_have_and_what_was_published(row: Row) -> None:
    # Id, object, version and the two instants, beside the fields that callers rely on.
    shown = seen(render.shape_of(row))
    assert list(shown)[:2] == ["id", "object"]
    assert (shown["id"], shown["object"]) == (row.id, render.resource_type(row))
    assert shown["version"] == row.version
    assert (
        shown["createdAt"] == shown["updatedAt"] == "2026-03-02T09:30:00.000Z" or row.id == "pay_1"
    )
    assert set(PUBLISHED[render.resource_type(row)].split()) <= shown.keys()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_nothing_secret_and_nothing_snake_is_shown(row: Row) -> None:
    # One rename rule, and no field that a stranger could use.
    for key in keys_of(seen(render.shape_of(row))):
        assert "_" not in key
        assert not [word for word in SECRETS if word.lower() in key.lower()]


def test_secrets_stay_out_whatever_they_are() -> None:
    # Neither the key's hash nor the endpoint's sealed secret is in any byte of a snapshot.
    key = replace(samples.API_KEY, key_hash=b"canary-hash")
    endpoint = replace(samples.WEBHOOK, secret_sealed=b"canary-secret")
    assert b"canary" not in render.snapshot(key) + render.snapshot(endpoint)


def test_an_invoice_is_shown_to_the_cent() -> None:
    # Integers of minor units; a price below one is a decimal string and no integer.
    lines = [
        priced_line(ids.InvoiceLineId("il_1"), Charge("Seats", 3, Decimal(1999)), USD),
        priced_line(ids.InvoiceLineId("il_2"), Charge("Calls", 1001, Decimal("0.25")), USD),
    ]
    shown = seen(render.shape_of(with_lines(a_draft(), lines)))
    assert (shown["subtotalCents"], shown["totalCents"], shown["amountDueCents"]) == (6247,) * 3
    assert [
        (one["unitAmountCents"], one["unitAmountDecimal"], one["amountCents"])
        for one in shown["lines"]
    ] == [(1999, "1999", 5997), (None, "0.25", 250)]
    assert (shown["invoiceNumber"], shown["dueDate"]) == (None, None)


@given(st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=12))
def test_a_price_is_told_exactly(price: Decimal) -> None:
    # The text reads back as the same number, plainly and as short as can be.
    text = decimal(price)
    assert Decimal(text) == price
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))
    assert whole(price) == (int(price) if price == price.to_integral_value() else None)


def test_what_changed_is_told_by_its_former_value() -> None:
    # Visible fields only, without those that every change moves.
    before = a_draft()
    opened = an_open_invoice()
    assert json.loads(render.changed(before, opened) or b"") == {
        "status": "draft",
        "invoiceNumber": None,
        "dueDate": None,
        "finalizedAt": None,
    }
    assert render.changed(None, before) is None
    attempt = an_attempt(opened)
    assert render.changed(attempt, replace(attempt, watch_step=1, version=2)) == b"{}"


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_event_has_a_schema_and_a_sample_that_keeps_it(name: str) -> None:
    # The reference and what is sent are made from the same shapes.
    schema, sample = schema_of(name), json.loads(sample_of(name))
    assert schema["properties"]["type"] == {"const": name}
    assert schema["description"] == EVENTS[name].when
    assert set(schema["required"]) == set(sample)
    definition = schema["$defs"][schema["properties"]["data"]["$ref"].rpartition("/")[2]]
    assert set(definition["properties"]) == set(sample["data"])
    assert set(sample["previousAttributes"] or {}) <= set(sample["data"])


LOGGED = LoggedEvent(
    address=None,
    id=ids.EventId("evt_1"),
    name="invoice.paid",
    is_public=True,
    resource_type="invoice",
    resource_id="inv_1",
    sequence=7,
    actor="user:usr_1",
    reason="the customer called",
    request_id="r-1",
    occurred_at=AT,
    recorded_at=LATER,
    snapshot=b'{"id": "inv_1",  "status":"paid"}',
    previous=b'{"status":"open"}',
)


def test_a_webhook_carries_the_stored_bytes() -> None:
    # What was rendered with the fact is passed on letter for letter, also its blanks.
    body = event_body(LOGGED)
    assert LOGGED.snapshot in body
    assert list(json.loads(body)) == [
        *("id", "type", "createdAt", "sequence", "data", "previousAttributes")
    ]
    assert json.loads(body)["createdAt"] == "2026-03-02T12:00:00.000Z"
    begun = seen(EventOut.of(replace(LOGGED, previous=None)))
    assert begun["previousAttributes"] is None


def test_the_same_fact_in_the_timeline_and_in_the_audit() -> None:
    # Who, what, when and why; the audit has the whole resource and what it was before.
    entry, audit = seen(TimelineEntryOut.of(LOGGED)), seen(AuditOut.of(LOGGED))
    assert (entry["eventType"], entry["actor"]) == ("invoice.paid", "user:usr_1")
    assert entry["occurredAt"] == audit["createdAt"] == "2026-03-01T12:00:00.000Z"
    assert (audit["action"], audit["reason"]) == ("invoice.paid", "the customer called")
    assert (audit["before"], audit["after"]["status"]) == ({"status": "open"}, "paid")
    assert seen(AuditOut.of(replace(LOGGED, previous=None)))["before"] is None


def held(code: str, kind: AccountKind, minor: int) -> AccountBalance:
    account = Account(code, kind, USD)
    return AccountBalance(ids.AccountId(f"acct_{code}"), account, Money(minor, USD), AT)


def test_the_books_are_shown_on_their_natural_side() -> None:
    # Revenue of 10.00 is 1000, though its entries are -1000; the trial balance has two columns.
    receivable = held("receivable:cust_1", AccountKind.ASSET, 1000)
    revenue = held("revenue", AccountKind.REVENUE, -1000)
    assert [AccountOut.of(one).balance_cents for one in (receivable, revenue)] == [1000, 1000]
    (balance,) = TrialBalanceOut.of([revenue, receivable])
    assert [(row.account, row.debit_cents, row.credit_cents) for row in balance.rows] == [
        ("receivable:cust_1", 1000, 0),
        ("revenue", 0, 1000),
    ]
    assert (balance.debit_cents, balance.credit_cents, balance.is_balanced) == (1000, 1000, True)
    (uneven,) = TrialBalanceOut.of([receivable])
    assert not uneven.is_balanced


def test_a_posting_is_shown_with_signed_entries() -> None:
    # Debit above zero, credit below, and what it corrects.
    posting = BookedPosting(
        id=ids.LedgerTransactionId("led_2"),
        kind="invoice_voided",
        source_id="inv_1",
        description="Reverses invoice_finalized/inv_1",
        occurred_at=AT,
        recorded_at=LATER,
        corrects=ids.LedgerTransactionId("led_1"),
        entries=(BookedEntry("revenue", Money(5, USD)), BookedEntry("bank", Money(-5, USD))),
    )
    shown = seen(PostingOut.of(posting))
    assert (shown["correctsId"], shown["sourceId"]) == ("led_1", "inv_1")
    assert [(one["account"], one["amountCents"]) for one in shown["entries"]] == [
        ("revenue", 5),
        ("bank", -5),
    ]


def test_people_are_shown_without_what_they_sign_in_with() -> None:
    # A person, a colleague, and oneself with everywhere one belongs.
    user = User(
        ids.UserId("usr_1"),
        "ada@acme.example",
        "Ada",
        is_operator=False,
        verified_at=None,
        created_at=AT,
    )
    mine = Membership(ids.OrgId("org_1"), "Acme", Mode.SANDBOX, samples.OWNER.role)
    assert set(seen(UserOut.of(user))) == {
        *("id", "object", "email", "name", "isEmailVerified", "createdAt")
    }
    me = seen(MeOut.of(Me(user, (mine,), has_second_factor=True)))
    assert me["memberships"] == [
        {"organizationId": "org_1", "name": "Acme", "mode": "sandbox", "role": "owner"}
    ]
    colleague = seen(ColleagueOut.of(Colleague(samples.OWNER, user)))
    assert (colleague["id"], colleague["name"], colleague["role"]) == (
        samples.OWNER.id,
        "Ada",
        "owner",
    )


def test_a_delivery_is_shown_with_its_tries() -> None:
    # What the endpoint said, try by try.
    tried = DeliveryAttempt(1, AT, 120, 503, None, "busy")
    delivery = Delivery(
        id=ids.DeliveryId("whd_1"),
        subscription_id=samples.WEBHOOK.id,
        event_id=LOGGED.id,
        event_type="invoice.paid",
        sequence=3,
        status=DeliveryStatus.PENDING,
        attempt_count=1,
        next_attempt_at=LATER,
        last_attempt_at=AT,
        last_status=503,
        created_at=AT,
        attempts=(tried,),
    )
    shown = seen(DeliveryOut.of(delivery))
    assert (shown["status"], shown["lastResponseStatus"]) == ("pending", 503)
    assert shown["attempts"][0]["responseBody"] == "busy"


def test_a_shape_is_remembered_for_its_own_row_only() -> None:
    # Rows that are made and thrown away lie where others lay before: none is shown as another.
    row = a_draft()
    assert render.shape_of(row) is render.shape_of(row)
    for number in range(1_000):
        assert seen(render.shape_of(replace(row, memo=str(number))))["memo"] == str(number)


def test_what_was_logged_is_answered_for_itself_only() -> None:
    # What one draft is logged as never becomes what another one is answered with.
    row = a_draft()
    shape = render.shape_of(row)
    assert render.told(former=None, latter=shape, salt=bytes).snapshot is render.json_of(shape)
    for number in range(1_000):
        shape = render.shape_of(replace(row, memo=str(number)))
        told = render.told(former=None, latter=shape, salt=bytes)
        assert json.loads(told.snapshot) == json.loads(render.json_of(shape)) == seen(shape)


def test_what_is_only_answered_is_not_remembered() -> None:
    # It may be a key or a token, which nobody keeps once it was shown.
    shape = render.shape_of(replace(a_draft(), memo="answered"))
    assert render.json_of(shape) == render.json_of(shape)
    assert render.json_of(shape) is not render.json_of(shape)


def test_what_is_long_is_not_remembered() -> None:
    # Sixty documents of a thousand lines each would be most of what a process may take.
    draft = a_draft()
    long = replace(draft, lines=draft.lines * (21 // len(draft.lines) + 1))
    shape = render.shape_of(long)
    assert shape == render.shape_of(long)
    assert shape is not render.shape_of(long)
    assert render.told(former=None, latter=shape, salt=bytes).snapshot is not render.json_of(shape)


def test_a_number_is_shown_as_it_is_printed() -> None:
    # Series and number in one text, from finalize on.
    finalized = a_draft().finalize(NUMBER, due_at=LATER, at=AT)
    assert seen(render.shape_of(finalized.rows[0]))["invoiceNumber"] == "INV-2026-00001"
