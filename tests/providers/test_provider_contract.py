"""The Stripe adapter, plain and guarded, keeps the provider contract against the sandbox."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from tests.providers.method_contract import MethodContract
from tests.providers.provider_contract import Processor, ProviderContract
from tests.support.sandbox import BASE_URL, InProcessClient, browse, control

from bursar.domain.ids import PaymentId
from bursar.domain.provider import PaymentProvider
from bursar.providers.guard import PAYMENT_PROVIDER, CircuitBreaker, GuardedProvider
from bursar.providers.stripe.client import StripeAccount, StripeProvider
from bursar_sandbox.core.outbox import Endpoint
from bursar_sandbox.sandbox import Sandbox, SandboxSettings

START_MS = 1_790_000_000_000
SECRET = "whsec_contract"


class SandboxProcessor(Processor):
    """The sandbox with a clock that is moved by hand, behind the one adapter."""

    def __init__(self) -> None:
        endpoint = Endpoint("https://bursar.test/webhooks/sandbox", SECRET)
        settings = SandboxSettings(public_url=BASE_URL, endpoints=(endpoint,))
        self.sandbox = Sandbox(settings, clock=lambda: START_MS)
        self.wire = InProcessClient(self.sandbox)
        account = StripeAccount("sandbox", settings.secret_key, (SECRET,), BASE_URL)
        self.provider: PaymentProvider = StripeProvider(account, self.wire)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.sandbox.now_ms / 1000, tz=UTC)

    def advance(self, span: timedelta) -> None:
        control(self.sandbox, "POST", "clock", advance=int(span.total_seconds()))

    def break_next(self, kind: str, value: int = 0) -> None:
        """The next request about money: no fault is spent on reading a customer."""
        for method, path in (
            ("POST", "/v1/payment_intents"),
            ("POST", "/v1/checkout/sessions"),
            ("GET", "/v1/charges"),
        ):
            told = {"kind": kind, "method": method, "path": path, "times": 1}
            control(self.sandbox, "POST", "faults", **(told | ({"value": value} if value else {})))

    def type_card(self, url: str, number: str) -> str:
        card = {"number": number, "expiry": "12/34", "cvc": "123"}
        return browse(self.sandbox, "POST", url, **card).headers.get("Location", "")

    def pass_challenge(self, url: str) -> None:
        assert browse(self.sandbox, "POST", url, outcome="complete").status == 303

    def events(self) -> list[tuple[bytes, str]]:
        return [
            (each.body, each.headers["Stripe-Signature"]) for each in self.sandbox.take_deliveries()
        ]

    def charges_of(self, payment_id: PaymentId) -> int:
        books = self.sandbox.books.all("charge")
        mine = [row for row in books if row["metadata"].get("payment_id") == payment_id]
        return len([row for row in mine if row["status"] == "succeeded"])

    def posts(self) -> int:
        return len([request for request in self.wire.requests if request.method == "POST"])


@pytest.fixture(params=["plain", "guarded"])
def processor(request: pytest.FixtureRequest) -> SandboxProcessor:
    made = SandboxProcessor()
    if request.param == "guarded":
        # Every look at this clock is a minute later, so no pause outlasts the next call.
        minutes = count()
        breaker = CircuitBreaker(PAYMENT_PROVIDER, lambda: next(minutes) * 60.0)
        made.provider = GuardedProvider(made.provider, breaker)
    return made


class TestStripeAdapter(ProviderContract, MethodContract):
    """Every test of the contract."""
