"""A sandbox with a clock that stands still, one webhook endpoint, and the official SDK."""

from dataclasses import dataclass, field
from typing import Any

import stripe
from tests.support.sandbox import BASE_URL, InProcessClient, control, stripe_client

from bursar_sandbox.core.books import Journal
from bursar_sandbox.core.outbox import Delivery, Endpoint
from bursar_sandbox.sandbox import Sandbox, SandboxSettings

SECRET = "whsec_for_tests"
START_S = 1_790_000_000


@dataclass
class World:
    """One sandbox and what a merchant needs to speak to it."""

    journal: Journal | None = None
    now_ms: int = START_S * 1000
    wire: InProcessClient = field(init=False)
    sandbox: Sandbox = field(init=False)
    client: stripe.StripeClient = field(init=False)

    def __post_init__(self) -> None:
        endpoint = Endpoint("https://merchant.test/hook", SECRET)
        settings = SandboxSettings(public_url=BASE_URL, endpoints=(endpoint,))
        self.sandbox = Sandbox(settings, clock=lambda: self.now_ms, journal=self.journal)
        self.wire = InProcessClient(self.sandbox)
        self.client = stripe_client(self.sandbox, self.wire)
        self.v1 = self.client.v1

    def advance(self, seconds: int) -> None:
        control(self.sandbox, "POST", "clock", advance=seconds)

    def events(self) -> list[str]:
        """The types of the webhooks that are due, each of them verified."""
        return [self.verified(delivery).type for delivery in self.deliveries()]

    def deliveries(self) -> list[Delivery]:
        return self.sandbox.take_deliveries()

    def verified(self, delivery: Delivery) -> stripe.Event:
        header = delivery.headers["Stripe-Signature"]
        untyped: Any = stripe.Webhook
        event: stripe.Event = untyped.construct_event(
            delivery.body, header, SECRET, tolerance=1 << 40
        )
        return event

    async def customer(self, token: str | None = None) -> str:
        """A customer's id, with a method attached if a token is named."""
        customer = await self.v1.customers.create_async({"email": "jo@example.com"})
        if token:
            await self.v1.payment_methods.attach_async(token, {"customer": customer.id})
        return customer.id

    async def pay(
        self, token: str = "pm_card_visa", amount: int = 1999, **more: Any
    ) -> stripe.PaymentIntent:
        """One confirmed intent."""
        fields: Any = {
            "amount": amount,
            "currency": "usd",
            "payment_method": token,
            "confirm": True,
            "return_url": "https://merchant.test/back",
            **more,
        }
        return await self.v1.payment_intents.create_async(fields)

    async def open_checkout(self, amount: int = 500, **more: Any) -> Any:
        fields: Any = {
            "mode": "payment",
            "line_items": [
                {
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": amount,
                        "product_data": {"name": "Invoice INV-1"},
                    },
                    "quantity": 1,
                }
            ],
            "success_url": "https://merchant.test/ok?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://merchant.test/cancel",
            "payment_intent_data": {"metadata": {"payment_id": "pay_1"}},
            **more,
        }
        return await self.v1.checkout.sessions.create_async(fields)
