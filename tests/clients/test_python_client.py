"""The Python client and the real API, over HTTP, with the sandbox processor, as its guide says."""

import asyncio
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from tests.architecture.source import ROOT
from tests.support.served import served
from tests.support.world import PASSWORD, World

from bursar_client.client import Bursar
from bursar_client.models import (
    InvoiceStatus,
    LineBody,
    NewApiKey,
    NewCustomer,
    NewInvoice,
    NewMethod,
    PayBody,
    PaymentStatus,
    SignUpBody,
)
from bursar_client.refusals import Conflict, Declined, Invalid, NotAuthenticated, NotFound

GUIDE = ROOT / "docs" / "guides" / "python-client.md"
ADDRESS, KEY = "http://localhost:3000", "bsk_…"


@pytest.fixture(scope="module")
async def key(world: World) -> AsyncIterator[tuple[str, str]]:
    """Where the API is, and a key that its client made for itself."""
    async with served(world) as address:
        url = f"http://{address}"
        yield url, await asyncio.to_thread(signed_up, url)


def signed_up(url: str) -> str:
    """Somebody registers, and makes a key for their organization."""
    body = SignUpBody(
        email=f"{uuid4()}@example.com", password=PASSWORD, name="C", organization_name="Acme"
    )
    with Bursar(url) as stranger:
        welcome = stranger.auth.register_person(body)
    assert welcome.organization is not None
    with Bursar(url, welcome.access_token, org_id=welcome.organization.id) as owner:
        assert [each.name for each in owner.organizations.list_organizations()] == ["Acme"]
        wish = NewApiKey(name="client", scopes=["billing:write"])
        return owner.api_keys.issue_api_key(wish).key


async def test_a_customer_is_billed_and_pays(key: tuple[str, str]) -> None:
    # From a customer to money, each answer as a value; a repeated key is the same answer.
    await asyncio.to_thread(bill, *key)


def bill(url: str, credential: str) -> None:
    with Bursar(url, credential) as bursar:
        body = NewCustomer(name="Grace", email="grace@example.com", metadata={"plan": "b"})
        customer = bursar.because("a test").customers.create_customer(body, idempotency_key="g")
        assert bursar.customers.create_customer(body, idempotency_key="g") == customer
        card = NewMethod(customer_id=customer.id, provider_token="pm_card_visa")
        bursar.payment_methods.attach_payment_method(card)
        lines = [LineBody(description="Platform", unit_amount_cents=4900, quantity=2)]
        order = NewInvoice(customer_id=customer.id, lines=lines)
        assert bursar.invoices.create_draft(order, dry_run=True).total_cents == 9800
        draft = bursar.invoices.create_draft(order)
        invoice = bursar.invoices.finalize_draft(draft.id)
        assert (invoice.status, invoice.total_cents) == (InvoiceStatus.OPEN, 9800)
        started = bursar.invoices.pay(invoice.id, PayBody(mode="charge"))
        assert started.payment.status is PaymentStatus.SUCCEEDED
        shown = bursar.invoices.get_invoice(invoice.id, expand="customer")
        assert (shown.status, shown.amount_due_cents) == (InvoiceStatus.PAID, 0)
        assert shown.customer == bursar.customers.get_customer(customer.id)
        file = bursar.invoices.get_invoice_pdf(invoice.id)
        assert file.etag == f'"{sha256(file.body).hexdigest()}"'
        assert bursar.invoices.get_invoice_pdf(invoice.id, if_none_match=file.etag).is_unchanged


async def test_lists_go_on_by_themselves(key: tuple[str, str]) -> None:
    # Twenty-five in pieces of ten: each once, newest first; and a page with what is said of all.
    await asyncio.to_thread(go_through, *key)


def go_through(url: str, credential: str) -> None:
    with Bursar(url, credential) as bursar:
        customer = bursar.customers.create_customer(NewCustomer(name="L", email="l@example.com"))
        lines = [LineBody(description="One", unit_amount_cents=100)]
        order = NewInvoice(customer_id=customer.id, lines=lines)
        made = [bursar.invoices.create_draft(order).id for _ in range(25)]
        listing = bursar.invoices.list_invoices(customer_id=customer.id, limit=10)
        assert [each.id for each in listing] == made[::-1]
        listing = bursar.invoices.list_invoices(customer_id=customer.id, page=3, page_size=10)
        piece = listing.piece()
        assert [each.id for each in piece.items] == made[4::-1]
        assert (piece.meta.total_count, piece.meta.total_pages) == (25, 3)
        since = bursar.invoices.get_invoice(made[5]).created_at
        later = bursar.invoices.list_invoices(customer_id=customer.id, created_at_gte=since)
        assert {each.id for each in later} >= set(made[6:])


async def test_a_refusal_is_a_class_with_its_facts(key: tuple[str, str]) -> None:
    # Wrong fields, what is not there, what is too late, a card that is declined, and nobody.
    await asyncio.to_thread(be_refused, *key)


def be_refused(url: str, credential: str) -> None:
    with Bursar(url, credential) as bursar:
        with pytest.raises(Invalid) as invalid:
            bursar.customers.create_customer(NewCustomer(name="", email="nobody"))
        assert invalid.value.fields.keys() == {"name", "email"}
        assert invalid.value.request_id
        customer = bursar.customers.create_customer(NewCustomer(name="E", email="e@example.com"))
        with pytest.raises(NotFound):
            bursar.invoices.get_invoice("inv" + customer.id.removeprefix("cust"))
        token = "pm_sandbox_later_insufficient_funds"
        card = NewMethod(customer_id=customer.id, provider_token=token)
        bursar.payment_methods.attach_payment_method(card)
        lines = [LineBody(description="One", unit_amount_cents=100)]
        draft = bursar.invoices.create_draft(NewInvoice(customer_id=customer.id, lines=lines))
        with pytest.raises(Conflict) as conflict:
            bursar.invoices.pay(draft.id, PayBody(mode="charge"))
        assert conflict.value.code == "CONFLICT"
        bursar.invoices.finalize_draft(draft.id)
        with pytest.raises(Declined) as declined:
            bursar.invoices.pay(draft.id, PayBody(mode="charge"))
        assert declined.value.facts["declineCode"] == "insufficient_funds"
    with Bursar(url, credential[:-1]) as nobody, pytest.raises(NotAuthenticated):
        list(nobody.customers.list_customers())


async def test_the_guide_runs(key: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    # Every block of Python in the guide, in order, as it stands there.
    url, credential = key
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == 4
    written = "\n".join(blocks).replace(ADDRESS, url).replace(KEY, credential)
    await asyncio.to_thread(follow, written)
    said = capsys.readouterr().out
    for word in ("succeeded", "CONFLICT paid", "'email'", "Grace", "True"):
        assert word in said


def follow(written: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(written, str(GUIDE), "exec"), names)
    names["bursar"].close()
