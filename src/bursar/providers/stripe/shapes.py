"""The parts of Stripe's objects that we read, typed; whatever else they carry is ignored.

A field that is missing or of another type than Stripe documents makes decoding fail, and the answer
is then treated as no answer. The same shapes read HTTP answers and events.
"""

from typing import Any, TypeVar

import msgspec

from bursar.providers.answers import note_answer

T = TypeVar("T")

FROM_CHECKOUT = "checkout"
FROM_CHARGE = "charge"
CHOSEN = "yes"
NOT_CHOSEN = "no"


class Marked(msgspec.Struct, frozen=True):
    """An object that carries our marks: the ids we put in its metadata."""

    metadata: dict[str, str] | None = None

    @property
    def marks(self) -> dict[str, str]:
        return self.metadata or {}


class Named(msgspec.Struct, frozen=True):
    """An expanded object of which only the id matters."""

    id: str


class Redirect(msgspec.Struct, frozen=True):
    url: str | None = None


class NextAction(msgspec.Struct, frozen=True):
    type: str
    redirect_to_url: Redirect | None = None


class PaymentError(msgspec.Struct, frozen=True):
    """Both `error` of an answer and `last_payment_error` of an intent."""

    type: str
    code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None
    message: str | None = None
    payment_intent: "Intent | None" = None


class Intent(Marked, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    status: str
    amount_received: int = 0
    payment_method: str | Named | None = None
    last_payment_error: PaymentError | None = None
    next_action: NextAction | None = None

    @property
    def method(self) -> str | None:
        return id_of(self.payment_method)

    @property
    def is_from_checkout(self) -> bool:
        """A hosted page made it; as long as the page is open, a failure on it is not the end."""
        return self.marks.get("source") == FROM_CHECKOUT


class SetupIntent(Marked, frozen=True, kw_only=True):
    id: str
    status: str
    customer: str | Named | None = None
    payment_method: str | Named | None = None
    last_setup_error: PaymentError | None = None
    next_action: NextAction | None = None

    @property
    def is_default(self) -> bool:
        """Whoever began it wants the method charged from now on."""
        return self.marks.get("is_default") == CHOSEN


class Session(Marked, frozen=True, kw_only=True):
    id: str
    status: str
    payment_status: str
    expires_at: int
    amount_total: int
    currency: str
    url: str | None = None
    payment_intent: str | Intent | None = None


class Charge(Marked, frozen=True, kw_only=True):
    id: str
    status: str
    currency: str
    captured: bool
    amount_captured: int
    amount_refunded: int
    payment_intent: str | Named | None = None


class Refund(Marked, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    status: str | None = None
    payment_intent: str | Named | None = None
    failure_reason: str | None = None


class BalanceMove(msgspec.Struct, frozen=True):
    id: str
    amount: int
    currency: str
    fee: int = 0


class DisputeEvidence(msgspec.Struct, frozen=True):
    due_by: int | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    status: str
    reason: str
    payment_intent: str | Named | None = None
    balance_transactions: tuple[BalanceMove, ...] = ()
    evidence_details: DisputeEvidence = DisputeEvidence()


class MoveSource(Marked, frozen=True, kw_only=True):
    id: str
    object: str
    payment_intent: str | Named | None = None


class BalanceEntry(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: str
    amount: int
    fee: int
    currency: str
    created: int
    source: str | MoveSource | None = None


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str
    amount: int
    currency: str
    created: int
    arrival_date: int
    failure_code: str | None = None


class Card(msgspec.Struct, frozen=True):
    """Of a card, what a receipt may print."""

    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


class Account(msgspec.Struct, frozen=True):
    """Of a bank account, what a receipt may print."""

    bank_name: str | None = None
    last4: str | None = None


class Method(Named, frozen=True, kw_only=True):
    type: str
    customer: str | Named | None = None
    card: Card | None = None
    us_bank_account: Account | None = None


class ListedSetup(SetupIntent, frozen=True, kw_only=True):
    """A setup whose method was expanded."""

    payment_method: Method | None = None


class CustomerDefaults(msgspec.Struct, frozen=True):
    default_payment_method: str | Named | None = None


class Customer(Marked, frozen=True, kw_only=True):
    id: str
    invoice_settings: CustomerDefaults = CustomerDefaults()
    deleted: bool = False


class EventContent(msgspec.Struct, frozen=True):
    object: msgspec.Raw


class Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    created: int
    livemode: bool
    data: EventContent


def read(answer: Any, shape: type[T]) -> T:
    """The SDK's object as one of our shapes.

    Raises:
        msgspec.ValidationError: Stripe answered something else.
    """
    whole = answer.to_dict()
    note_answer(whole)
    return msgspec.convert(whole, type=shape)


def id_of(reference: str | Named | Intent | None) -> str | None:
    """The id, whether or not Stripe expanded the object."""
    if reference is None or isinstance(reference, str):
        return reference
    return reference.id
