"""What Bursar asks of a payment provider, and the answers it understands.

A decline is an answer, not an exception; so is *unknown*, which means that money may or may not
have moved and only the provider's own books can tell. Nothing here names a provider's words: an
adapter under `bursar.providers` translates them.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from bursar.domain.dispute_reports import DisputeNamed, DisputeReport
from bursar.domain.ids import CustomerId, InvoiceId, OrgId, PaymentId, RefundId
from bursar.domain.money import Money
from bursar.domain.payout_reports import PayoutReport
from bursar.domain.reconciliation import ProviderMove
from bursar.domain.refusals import Away
from bursar.domain.times import Instant


class DeclineKind(StrEnum):
    """What a decline asks of whoever retries."""

    RETRY = "retry"
    NEW_METHOD = "new_method"
    AUTHENTICATION = "authentication"
    NEVER = "never"


class Succeeded(Struct, frozen=True):
    """The provider holds the money. `amount` is what its books say, never what we asked."""

    reference: str
    amount: Money
    method: str | None = None


class Declined(Struct, frozen=True):
    """The provider refused; no money moved and none will for this attempt.

    `ends_page`: the hosted page is over with it, so no other card can be tried there. `is_on_page`:
    the page is not; it takes another card, whatever we know of it, so this ends nothing.
    """

    code: str
    message: str
    kind: DeclineKind
    reference: str | None = None
    ends_page: bool = False
    is_on_page: bool = False


class ActionRequired(Struct, frozen=True):
    """The cardholder must act at `url` (3-D Secure) before the provider decides."""

    reference: str
    url: str


class Processing(Struct, frozen=True):
    """The provider accepted the charge and decides later, by event."""

    reference: str


class CheckoutOpened(Struct, frozen=True):
    """A hosted session waits for the customer. `reference` is the session's id at the provider."""

    reference: str
    url: str
    expires_at: Instant


class Closed(Struct, frozen=True):
    """The attempt or session is over at the provider and no money moved."""

    reference: str | None = None


class NotFound(Struct, frozen=True):
    """The provider's books know nothing of this attempt."""


class Unknown(Struct, frozen=True):
    """No trustworthy answer: timeout, dropped line, 5xx, rate limit, or an unexpected shape.

    `retry_after_seconds` is the provider's own wish, when it named one. `reason` is for the log.
    `is_outage` says that the provider could not be reached or broke; an answer that came in time
    and was not believed, or that names a fault of ours, is none and trips no circuit breaker.
    """

    reason: str
    retry_after_seconds: int | None = None
    is_outage: bool = True


Outcome = Succeeded | Declined | ActionRequired | Processing | Closed | Unknown
LookupOutcome = Outcome | NotFound | CheckoutOpened
CheckoutOutcome = CheckoutOpened | Declined | Unknown


class Linked(Struct, frozen=True):
    """The customer exists at the provider under `reference`."""

    reference: str


CustomerOutcome = Linked | Declined | Unknown


class MethodFace(Struct, frozen=True):
    """What may be shown of a stored method: its kind and, of a card, what a receipt prints."""

    kind: str
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


class MethodAttached(Struct, frozen=True):
    """The provider stores the method for the customer under `reference`."""

    reference: str
    face: MethodFace


MethodOutcome = MethodAttached | Declined | Unknown
SetupOutcome = MethodAttached | ActionRequired | Declined | Unknown


class SetupRequest(Struct, frozen=True, kw_only=True):
    """Prove a method with its holder, so that it may be charged later without them.

    The provider's key derives from what is asked alone, so repeating it finds the same proof.
    """

    org_id: OrgId
    customer_id: CustomerId
    customer_reference: str
    token: str
    return_url: str
    is_default: bool = True


class CustomerRequest(Struct, frozen=True):
    """Create (or find again, by the same key) one customer at the provider."""

    org_id: OrgId
    customer_id: CustomerId
    email: str
    name: str
    reference: str | None = None  # set: update the customer that exists


class ChargeRequest(Struct, frozen=True):
    """Charge a stored method, off session. The provider's key derives from `payment_id` alone."""

    org_id: OrgId
    payment_id: PaymentId
    invoice_id: InvoiceId | None  # None: the payment fills a wallet
    amount: Money
    customer_reference: str
    method_reference: str | None  # None: the customer's default method
    description: str
    return_url: str


class CheckoutRequest(Struct, frozen=True):
    """Open one hosted page for one payment."""

    org_id: OrgId
    payment_id: PaymentId
    invoice_id: InvoiceId | None  # None: the payment fills a wallet
    amount: Money
    customer_reference: str | None
    description: str
    success_url: str
    cancel_url: str
    # 30 minutes to 24 hours away and the same on every resend; None: what the provider does.
    expires_at: Instant | None = None


class LookupRequest(Struct, frozen=True):
    """Ask the provider's books what became of an attempt.

    `reference` (payment intent) or `session_reference` (checkout session) when we know them. When
    we know neither, the adapter resends `resend`, the original request, with the same key while the
    key is younger than 23 h, and otherwise lists by customer and creation range and matches our
    metadata. Never by search, which may lag by an hour.
    """

    org_id: OrgId
    payment_id: PaymentId
    amount: Money
    created_at: Instant
    now: Instant
    customer_reference: str | None = None
    reference: str | None = None
    session_reference: str | None = None
    resend: ChargeRequest | CheckoutRequest | None = None


class RefundDone(Struct, frozen=True):
    """The money was given back. `amount` is what the provider's books say."""

    reference: str
    amount: Money


class RefundUnderway(Struct, frozen=True):
    """The provider has taken the money out of our balance; it is on its way to the payer."""

    reference: str
    amount: Money


class RefundRefused(Struct, frozen=True):
    """Nothing was given back, or what was given came back; we hold the money."""

    code: str
    message: str
    reference: str | None = None


RefundOutcome = RefundDone | RefundUnderway | RefundRefused | Unknown
RefundLookup = RefundOutcome | NotFound


class RefundRequest(Struct, frozen=True):
    """Give a part of a charge back. The provider's key derives from `refund_id` alone."""

    org_id: OrgId
    refund_id: RefundId
    payment_id: PaymentId
    payment_reference: str
    amount: Money
    reason: str | None
    is_theirs: bool = False  # made at the provider itself: it carries no mark of ours


class RefundQuestion(Struct, frozen=True):
    """Ask the provider's books what became of a refund.

    Without a `reference`, the adapter sends `resend` again under the same key while that key lives,
    and later lists the charge's refunds and matches our metadata.
    """

    resend: RefundRequest
    created_at: Instant
    now: Instant
    reference: str | None = None

    @property
    def age(self) -> timedelta:
        """How long ago the refund began, and with it the life of its key."""
        return self.now - self.created_at


class SetupProven(Struct, frozen=True):
    """A method was proven with its holder, whether or not anybody waited for it.

    It is a claim: whoever hears it reads the method in the provider's books.
    """

    customer_id: CustomerId
    customer_reference: str
    method_reference: str
    is_default: bool


class SetupFailed(Struct, frozen=True):
    """A method was not proven, or nobody will try any more; nothing is kept of it."""

    customer_id: CustomerId
    code: str


class SetupSeen(Struct, frozen=True):
    """A setup in the books: what it proved, or nothing while its holder may still act."""

    customer_id: CustomerId
    method: MethodAttached | None
    is_default: bool

    def is_of(self, customer_id: CustomerId) -> bool:
        """Whether it carries the mark of this customer."""
        return self.customer_id == customer_id


SetupTold = SetupProven | SetupFailed
Told = Outcome | RefundOutcome | DisputeNamed | SetupTold


class ProviderEventKind(StrEnum):
    """The provider events that change something here."""

    PAYMENT = "payment"  # the outcome of an attempt
    REFUND = "refund"  # the outcome of a refund
    DISPUTE = "dispute"  # something happened to a dispute
    SETUP = "setup"  # a method was proven, or was not
    OTHER = "other"  # kept, and nothing to do


class ProviderEvent(Struct, frozen=True):
    """One verified event from a provider, in our words.

    `outcome` is what the event says about `payment_id`, or about its refund when `refund_id` is
    there; an event that only says that a checkout session is done carries the payment intent's
    outcome. Of a setup it names the customer. `occurred_at` is the provider's clock.
    """

    event_id: str
    type: str
    kind: ProviderEventKind
    occurred_at: Instant
    is_live: bool
    org_id: OrgId | None = None
    payment_id: PaymentId | None = None
    refund_id: RefundId | None = None
    outcome: Told | None = None
    # What was done at the provider itself names its charge, and carries no mark of ours.
    payment_reference: str | None = None


class CircuitOpen(Away):
    """Nothing was sent: the provider failed so often that it is left alone for a while.

    Whatever was asked had no effect and may be asked again after `retry_after_seconds`.
    """

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"the provider is left alone for {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class BadSignature(Exception):
    """The event was not signed by the provider, or too long ago, or not yet."""


class BookedCharge(Struct, frozen=True):
    """One succeeded charge in the provider's own books, net of refunds for `verify`."""

    reference: str
    payment_id: PaymentId | None
    org_id: OrgId | None
    amount: Money
    refunded: Money


class PaymentProvider(Protocol):
    """One card processor. Every method answers; none raises for what the wire does."""

    @property
    def name(self) -> str:
        """`stripe` or `sandbox`: the ledger account and the hook's path carry it."""
        ...

    def require_open_line(self) -> None:
        """Say now, before anything is written, that a call would not be sent.

        Raises:
            CircuitOpen: the provider is known to be away.
        """

    async def ensure_customer(self, request: CustomerRequest) -> CustomerOutcome:
        """Create or update the customer; repeating it with the same id gives the same customer."""
        ...

    async def attach_method(
        self, customer_reference: str, *, token: str, is_default: bool = True
    ) -> MethodOutcome:
        """Attach a tokenized method (`pm_…`), and make it the customer's default if asked to."""
        ...

    async def set_up_method(self, request: SetupRequest) -> SetupOutcome:
        """Prove a method and attach it; `ActionRequired` while its holder has to act first."""
        ...

    async def find_method(
        self, customer_reference: str, *, method: str
    ) -> MethodAttached | NotFound | Unknown:
        """What the books show of a method; `NotFound` when it is not, or no longer, theirs."""
        ...

    async def setups_since(
        self, customer_reference: str, *, org_id: OrgId, since: Instant
    ) -> tuple[SetupSeen, ...] | Unknown:
        """The customer's setups begun since then that were proven or wait for their holder."""
        ...

    async def choose_method(self, customer_reference: str, *, method: str) -> CustomerOutcome:
        """Make an attached method the customer's default."""
        ...

    async def detach_method(self, method: str) -> CustomerOutcome:
        """Take a method from its customer; `Declined` when it is nobody's any more."""
        ...

    async def detach_methods(self, customer_reference: str) -> CustomerOutcome:
        """Take all methods from a customer, whoever attached them."""
        ...

    async def charge(self, request: ChargeRequest) -> Outcome:
        """Charge off session; the provider's idempotency key is the payment's id."""
        ...

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutOutcome:
        """Open a hosted session; the provider's idempotency key is the payment's id."""
        ...

    async def close_checkout(self, session_reference: str) -> Outcome:
        """Expire the session. `Closed`, or what happened to the money in the meantime."""
        ...

    async def cancel_charge(self, reference: str) -> Outcome:
        """Cancel a payment intent. `Closed`, or what happened to the money in the meantime."""
        ...

    async def lookup(self, request: LookupRequest) -> LookupOutcome:
        """What the provider's books say of an attempt."""
        ...

    async def refund(self, request: RefundRequest) -> RefundOutcome:
        """Give money back; the provider's idempotency key is the refund's id."""
        ...

    async def lookup_refund(self, question: RefundQuestion) -> RefundLookup:
        """What the provider's books say of a refund."""
        ...

    async def dispute(self, reference: str) -> DisputeReport | Unknown:
        """What the provider's books say of a dispute."""
        ...

    async def owner_of(self, payment_reference: str) -> PaymentId | NotFound | Unknown:
        """Which payment of ours a charge carries the mark of."""
        ...

    def read_event(self, body: bytes, signature: str, now: Instant) -> ProviderEvent:
        """Verify, then translate.

        Raises:
            BadSignature: forged, malformed, or more than 300 s away from `now` either way.
        """
        ...

    async def moves_since(self, since: Instant) -> tuple[ProviderMove, ...] | Unknown:
        """Everything that moved money of ours since then, oldest first."""
        ...

    async def payouts_since(self, since: Instant) -> tuple[PayoutReport, ...] | Unknown:
        """Every payout to our bank since then, oldest first."""
        ...

    async def moves_of_payout(self, reference: str) -> tuple[ProviderMove, ...] | Unknown:
        """The movements that a payout is made of."""
        ...

    async def booked_charges(self, org_id: OrgId) -> tuple[BookedCharge, ...] | Unknown:
        """Every succeeded charge of one organization in the provider's books."""
        ...
