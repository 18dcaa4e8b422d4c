"""What the database keeps of a noun becomes the very noun again."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import Struct
from tests.domain.nouns import AT, LATER, an_attempt

from bursar.domain import rows, webhook_rows
from bursar.domain.customers import ERASED_NAME
from bursar.domain.frozen import replace
from bursar.domain.ids import PaymentId, uuid_of
from bursar.domain.payment_rows import row_to_payment
from bursar.domain.payments import Payment
from bursar.domain.shapes import render, samples
from bursar.domain.shapes.customers import CustomerOut

LINE_ID = samples.DRAFT.lines[0].id
RENAMED = replace(samples.CUSTOMER, name="Somebody else", version=2)


def kept(noun: Struct, **other: Any) -> dict[str, Any]:
    """A noun's plain fields by their column, with ids as bare UUIDs; the rest is given."""
    columns: dict[str, Any] = {}
    for name in noun.__struct_fields__:
        value = getattr(noun, name)
        is_id = name == "id" or name.endswith("_id")
        columns[name] = uuid_of(value) if is_id and name != "tax_id" and value else value
    return columns | other


@pytest.mark.parametrize("metadata", ['{"a": "b"}', {"a": "b"}, b'{"a": "b"}'])
def test_a_customer_comes_back_however_json_is_read(metadata: object) -> None:
    # As text, as bytes, or decoded by a codec of the driver.
    columns = kept(samples.CUSTOMER, metadata=metadata, address=None)
    wanted = replace(samples.CUSTOMER, metadata={"a": "b"}, address=None)
    assert rows.row_to_customer(columns) == wanted


def test_a_payment_comes_back() -> None:
    # With its amount in its currency.
    attempt: Payment = replace(
        an_attempt(samples.DRAFT), id=PaymentId("pay_0195a1b2-c3d4-7010-8000-0123456789ab")
    )
    columns = kept(
        attempt,
        purpose=attempt.purpose.value,
        wallet_id=None,
        amount_minor=attempt.amount.minor,
        refunded_minor=attempt.refunded.minor,
        refunding_minor=attempt.refunding.minor,
        currency=attempt.amount.currency,
        status=attempt.status.value,
        mode=attempt.mode.value,
        credited_minor=0,
        receipt_method=None,
    )
    assert row_to_payment(columns) == attempt


def test_the_other_nouns_come_back() -> None:
    # An organization under its own id, a member, a key, an endpoint.
    organization, endpoint = samples.ORGANIZATION, samples.WEBHOOK
    columns = kept(organization, org_id=uuid_of(organization.id), mode="sandbox")
    assert rows.row_to_organization(columns) == organization
    for place in (samples.OWNER, samples.INVITED):
        columns = kept(place, role=place.role.value, status=place.status.value)
        assert rows.row_to_member(columns) == place
    key = kept(samples.API_KEY, scopes=list(samples.API_KEY.scopes))
    assert rows.row_to_api_key(key) == samples.API_KEY
    stored = kept(endpoint, event_types=list(endpoint.event_types))
    assert webhook_rows.row_to_webhook_subscription(stored) == endpoint


def test_an_event_keeps_its_bytes_and_gets_its_resource_id_back() -> None:
    # The log has the bare UUID and the type; the stored JSON is not touched.
    columns = {
        "id": UUID(int=1),
        "type": "api_key.created",
        "is_public": False,
        "resource_type": "api_key",
        "resource_id": uuid_of(samples.API_KEY.id),
        "sequence": 1,
        "actor": "cli:ada",
        "reason": None,
        "request_id": "r",
        "address": "192.0.2.1",
        "occurred_at": AT,
        "recorded_at": LATER,
        "snapshot": '{"b":  1}',
        "previous": None,
        "personal": None,
    }
    event = rows.row_to_event(columns)
    assert (event.resource_id, event.snapshot) == (samples.API_KEY.id, b'{"b":  1}')
    assert event.previous is None
    assert rows.row_to_event(columns | {"previous": '{"a": 1}'}).previous == b'{"a": 1}'


def test_what_stands_apart_joins_the_event_again_until_it_is_gone() -> None:
    # A reader sees the whole resource; without what stood apart, the same without a name.
    before, after = CustomerOut.of(samples.CUSTOMER), CustomerOut.of(RENAMED)
    told = render.told(former=before, latter=after, salt=bytes)
    snapshot, previous = told.whole()
    assert msgspec.json.decode(snapshot) == msgspec.to_builtins(after)
    assert msgspec.json.decode(previous or b"") == {"name": before.name}
    bare, former = replace(told, personal=None).whole()
    assert msgspec.json.decode(bare) == msgspec.to_builtins(after.masked())
    assert msgspec.json.decode(former or b"") == {"name": ERASED_NAME}
