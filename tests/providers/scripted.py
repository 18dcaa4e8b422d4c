"""A wire to Stripe that answers from a script: for answers no honest processor gives."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from bursar.domain.currencies import Currency
from bursar.domain.ids import CustomerId, InvoiceId, OrgId, PaymentId
from bursar.domain.money import Money
from bursar.domain.provider import (
    ChargeRequest,
    CheckoutRequest,
    CustomerRequest,
    LookupRequest,
    SetupRequest,
)
from bursar.providers.stripe.client import StripeAccount, StripeProvider

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORG = OrgId("org_01900000-0000-7000-8000-000000000001")
PAYMENT = PaymentId("pay_01900000-0000-7000-8000-000000000002")
INVOICE = InvoiceId("inv_01900000-0000-7000-8000-000000000003")
CUSTOMER = CustomerId("cust_01900000-0000-7000-8000-000000000004")
AMOUNT = Money(2_000, Currency("usd"))
SECRET = "whsec_scripted"


@dataclass(frozen=True)
class Sent:
    method: str
    path: str
    params: dict[str, str]
    headers: Mapping[str, str]

    @property
    def key(self) -> str | None:
        return self.headers.get("Idempotency-Key")


@dataclass
class Answer:
    """One answer, as bytes, JSON, or a fault of the line."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


BROKEN = Answer("the line breaks")
HANGING = Answer("no answer comes")


class ScriptedWire(stripe.HTTPClient):
    name = "scripted"

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[Sent] = []

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        parts = urlsplit(url)
        params = dict(parse_qsl(post_data or parts.query, keep_blank_values=True))
        self.sent.append(Sent(method, parts.path, params, headers))
        answer = self.answers.pop(0)
        if answer is BROKEN:
            make: Callable[[str], Exception] = stripe.APIConnectionError
            raise make("the line broke")
        if answer is HANGING:
            await asyncio.sleep(60)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        return body, answer.status, answer.headers

    async def close_async(self) -> None:
        return None


def provider_of(*answers: Answer) -> tuple[StripeProvider, ScriptedWire]:
    wire = ScriptedWire(*answers)
    account = StripeAccount("stripe", "sk_test_x", (SECRET,), timeout_seconds=2)
    return StripeProvider(account, wire), wire


def a_charge(**changes: Any) -> ChargeRequest:
    parts: dict[str, Any] = {
        "org_id": ORG,
        "payment_id": PAYMENT,
        "invoice_id": INVOICE,
        "amount": AMOUNT,
        "customer_reference": "cus_1",
        "method_reference": "pm_1",
        "description": "Invoice 42",
        "return_url": "https://pay.example/i/x",
    }
    return ChargeRequest(**(parts | changes))


def a_checkout(**changes: Any) -> CheckoutRequest:
    parts: dict[str, Any] = {
        "org_id": ORG,
        "payment_id": PAYMENT,
        "invoice_id": INVOICE,
        "amount": AMOUNT,
        "customer_reference": "cus_1",
        "description": "Invoice 42",
        "success_url": "https://pay.example/done",
        "cancel_url": "https://pay.example/back",
    }
    return CheckoutRequest(**(parts | changes))


def a_lookup(**changes: Any) -> LookupRequest:
    parts: dict[str, Any] = {
        "org_id": ORG,
        "payment_id": PAYMENT,
        "amount": AMOUNT,
        "created_at": NOW,
        "now": NOW,
        "customer_reference": "cus_1",
    }
    return LookupRequest(**(parts | changes))


def a_customer(**changes: Any) -> CustomerRequest:
    parts: dict[str, Any] = {
        "org_id": ORG,
        "customer_id": CUSTOMER,
        "email": "ada@example.com",
        "name": "Ada",
    }
    return CustomerRequest(**(parts | changes))


def a_setup(**changes: Any) -> SetupRequest:
    parts: dict[str, Any] = {
        "org_id": ORG,
        "customer_id": CUSTOMER,
        "customer_reference": "cus_1",
        "token": "pm_1",
        "return_url": "https://pay.example/back",
    }
    return SetupRequest(**(parts | changes))


def marks(source: str = "charge", **changes: str) -> dict[str, str]:
    ours = {"org_id": ORG, "payment_id": PAYMENT, "invoice_id": INVOICE, "source": source}
    return ours | changes


def intent(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    received = 2_000 if status == "succeeded" else 0
    parts: dict[str, Any] = {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 2_000,
        "amount_received": received,
        "currency": "usd",
        "status": status,
        "metadata": marks(),
        "payment_method": "pm_1",
        "livemode": False,
    }
    return parts | changes


def session(status: str = "open", payment_status: str = "unpaid", **changes: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "id": "cs_1",
        "object": "checkout.session",
        "status": status,
        "payment_status": payment_status,
        "amount_total": 2_000,
        "currency": "usd",
        "expires_at": int(NOW.timestamp()) + 3_600,
        "url": "https://pay.example/cs_1" if status == "open" else None,
        "metadata": marks("checkout"),
        "payment_intent": None,
    }
    return parts | changes


def listed(*objects: dict[str, Any], has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(objects), "has_more": has_more, "url": "/v1/x"}


def refused(status: int = 402, **error: Any) -> Answer:
    return Answer({"error": {"type": "card_error", "message": "No.", **error}}, status)
