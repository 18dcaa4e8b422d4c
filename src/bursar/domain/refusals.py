"""The tree of explainable errors: everything Bursar says no with.

A refusal names a situation (`InvoiceNotOpen`), never an accident. Its `kind` decides what each edge
makes of it (an HTTP status, an exit code, a sentence in the console); its `reason` is the stable
word a program may match. A bug is not a refusal: it is an assertion, and is never explained.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct


class Kind(StrEnum):
    """What sort of no this is. Edges map a kind; they never look at the class."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    DECLINED = "declined"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    IN_PROGRESS = "in_progress"
    MISMATCH = "mismatch"
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    TOO_MANY = "too_many"
    PROVIDER = "provider"
    UNAVAILABLE = "unavailable"


class Detail(Struct, frozen=True):
    """One field's fault. `field` is spelled as the caller spelled it: `lines[0].quantity`."""

    field: str
    message: str
    code: str


class Refusal(Exception):
    """The root. `facts` are extra members of the error object, in wire spelling."""

    kind: ClassVar[Kind]
    reason: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        details: Sequence[Detail] = (),
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.facts = dict(facts or {})


class Away(Exception):
    """Nobody said no: something that is needed is away, and the same may be asked again."""

    retry_after_seconds = 1


class InvalidInput(Refusal):
    """The request is malformed; `details` name every field at fault."""

    kind = Kind.INVALID
    reason = "invalid_input"

    @classmethod
    def at(cls, field: str, message: str, code: str = "invalid") -> "InvalidInput":
        """One field at fault."""
        return cls(f"{field}: {message}", details=(Detail(field, message, code),))


class NotAuthenticated(Refusal):
    """No credential, or one that is not good (any more)."""

    kind = Kind.UNAUTHENTICATED
    reason = "not_authenticated"


class WrongCredentials(Refusal):
    """Unknown e-mail or wrong password: one and the same answer for both."""

    kind = Kind.UNAUTHENTICATED
    reason = "wrong_credentials"


class SecondFactorRequired(Refusal):
    """The password was right; the code of the second factor is missing or wrong."""

    kind = Kind.UNAUTHENTICATED
    reason = "second_factor_required"


class WrongPassword(Refusal):
    """Somebody signed in gave a password that is not theirs."""

    kind = Kind.INVALID
    reason = "wrong_password"

    @classmethod
    def at(cls, field: str) -> "WrongPassword":
        """The field that holds it."""
        told = "The password is not right."
        return cls(told, details=(Detail(field, told, cls.reason),))


class WrongCode(Refusal):
    """The code was not made with the new second factor, or not now."""

    kind = Kind.INVALID
    reason = "wrong_code"

    @classmethod
    def in_body(cls) -> "WrongCode":
        """The field `code` of a body."""
        told = "This is not the code of now; is the clock right?"
        return cls(told, details=(Detail("code", told, cls.reason),))


class MailedTokenRefused(Refusal):
    """The token from a mail was used, is too old, or was never sent."""

    kind = Kind.INVALID
    reason = "mailed_token_refused"

    @classmethod
    def in_body(cls) -> "MailedTokenRefused":
        """The field `token` of a body."""
        told = "This link was used or is too old; ask for another one."
        return cls(told, details=(Detail("token", told, cls.reason),))


class FactorExists(Refusal):
    """There is a second factor already."""

    kind = Kind.CONFLICT
    reason = "factor_exists"


class RefreshTokenReused(Refusal):
    """A used refresh token came back; the whole family of tokens is revoked."""

    kind = Kind.UNAUTHENTICATED
    reason = "refresh_token_reused"


class NotAllowed(Refusal):
    """A known caller lacks a permission; the message names it."""

    kind = Kind.FORBIDDEN
    reason = "permission_missing"


class RoleAboveOwn(Refusal):
    """The role to give, change or take away is above the caller's own."""

    kind = Kind.FORBIDDEN
    reason = "role_above_own"


class ScopeAboveOwn(Refusal):
    """A key would have a permission that its maker has not."""

    kind = Kind.FORBIDDEN
    reason = "scope_above_own"


class EmailMismatch(Refusal):
    """The invitation was sent to another address than the one signed in with."""

    kind = Kind.FORBIDDEN
    reason = "email_mismatch"


class AddressNotVerified(Refusal):
    """Inviting people and live mode need a verified e-mail address."""

    kind = Kind.FORBIDDEN
    reason = "address_not_verified"


class LastOwner(Refusal):
    """The organization would be left without an owner."""

    kind = Kind.CONFLICT
    reason = "last_owner"


class AlreadyMember(Refusal):
    """The person belongs to the organization already."""

    kind = Kind.CONFLICT
    reason = "already_member"


class NotFound(Refusal):
    """No such thing in this organization: unknown and foreign ids get the same words."""

    kind = Kind.NOT_FOUND
    reason = "not_found"


class EmailTaken(Refusal):
    """Another person already registered with this e-mail address."""

    kind = Kind.CONFLICT
    reason = "email_taken"


class MeterKeyTaken(Refusal):
    """Another meter of the organization has this key."""

    kind = Kind.CONFLICT
    reason = "meter_key_taken"


class GraceIsOver(Refusal):
    """The subscription ended too long ago to be taken up again."""

    kind = Kind.CONFLICT
    reason = "grace_is_over"


class AlreadySubscribed(Refusal):
    """The customer has a running subscription to the plan; its id is in `subscriptionId`."""

    kind = Kind.CONFLICT
    reason = "already_subscribed"


class PlanIsArchived(Refusal):
    """The plan takes no new subscription."""

    kind = Kind.CONFLICT
    reason = "plan_archived"


class CouponIsArchived(Refusal):
    """The coupon is given to nobody any more."""

    kind = Kind.CONFLICT
    reason = "coupon_archived"


class UsageKeyTaken(Refusal):
    """Another usage event of the organization has this idempotency key, with other content."""

    kind = Kind.CONFLICT
    reason = "usage_key_taken"


class IllegalTransition(Refusal):
    """The noun's state does not allow the step."""

    kind = Kind.CONFLICT
    reason = "illegal_transition"


class NotExpressible(Refusal):
    """The norm of e-invoices has no words for this document."""

    kind = Kind.CONFLICT
    reason = "not_expressible"


class StaleVersion(Refusal):
    """Somebody changed the row in the meantime."""

    kind = Kind.CONFLICT
    reason = "stale_version"


class PreconditionFailed(Refusal):
    """`If-Match` names a version that is gone."""

    kind = Kind.PRECONDITION
    reason = "precondition_failed"


class PaymentInProgress(Refusal):
    """Another payment attempt on this invoice is open; its id is in `paymentId`."""

    kind = Kind.CONFLICT
    reason = "payment_in_progress"


class NothingToPay(Refusal):
    """The invoice has nothing due."""

    kind = Kind.CONFLICT
    reason = "nothing_to_pay"


class NotRefundable(Refusal):
    """Nothing of the payment can be given back: it holds no money, or is disputed."""

    kind = Kind.CONFLICT
    reason = "not_refundable"


class RefundAboveRest(Refusal):
    """More than what is left of the payment, refunds on their way included."""

    kind = Kind.CONFLICT
    reason = "refund_above_rest"


class CreditAboveInvoice(Refusal):
    """More than what is left of the invoice, or of a line of it."""

    kind = Kind.CONFLICT
    reason = "credit_above_invoice"


class CustomerHasNoMethod(Refusal):
    """A charge needs a payment method, and the customer has none."""

    kind = Kind.CONFLICT
    reason = "payment_method_missing"


class ProviderNotConfigured(Refusal):
    """A live organization, and no live payment provider is configured."""

    kind = Kind.CONFLICT
    reason = "provider_not_configured"


class PaymentDeclined(Refusal):
    """The processor declined; `declineCode` and `paymentId` say which and why."""

    kind = Kind.DECLINED
    reason = "payment_declined"


class InsufficientFunds(Refusal):
    """More than what is available; `availableCents` says how much that is, where it is known."""

    kind = Kind.INSUFFICIENT_FUNDS
    reason = "insufficient_funds"


class WalletClosed(Refusal):
    """A closed wallet takes no part in any move."""

    kind = Kind.CONFLICT
    reason = "wallet_closed"


class HoldOverdue(Refusal):
    """The hold's time is over; what it held is free again, or will be in a moment."""

    kind = Kind.CONFLICT
    reason = "hold_overdue"


class WrongCurrency(Refusal):
    """The amount is in another currency; nothing is ever exchanged."""

    kind = Kind.INVALID
    reason = "wrong_currency"


class TransferAboveLimit(Refusal):
    """The wallet may not send so much; `limit` says which limit, `limitCents` how high it is."""

    kind = Kind.CONFLICT
    reason = "transfer_above_limit"


class SandboxOnly(Refusal):
    """A live organization lives in real time."""

    kind = Kind.CONFLICT
    reason = "sandbox_only"


class ClockRunsForward(Refusal):
    """A test clock is set to what is over for the organization, or jumps over what is to come."""

    kind = Kind.CONFLICT
    reason = "clock_runs_forward"


class ClockAdvancing(Refusal):
    """The test clock is on its way already."""

    kind = Kind.CONFLICT
    reason = "clock_advancing"


class StillInUse(Refusal):
    """The thing cannot go while something open depends on it."""

    kind = Kind.CONFLICT
    reason = "still_in_use"


class AmountTooLarge(Refusal):
    """A total would leave the range of exact amounts (2^53 - 1 minor units)."""

    kind = Kind.INVALID
    reason = "amount_out_of_range"


class IdempotencyInProgress(Refusal):
    """The first request with this key is still running."""

    kind = Kind.IN_PROGRESS
    reason = "idempotency_in_progress"


class IdempotencyMismatch(Refusal):
    """This key belongs to another request."""

    kind = Kind.MISMATCH
    reason = "idempotency_mismatch"


class LimitReached(Refusal):
    """A stated maximum of things exists already."""

    kind = Kind.CONFLICT
    reason = "limit_reached"


class TooManyRequests(Refusal):
    """The caller's rate limit is used up; `retryAfterSeconds` says for how long."""

    kind = Kind.TOO_MANY
    reason = "rate_limit_exceeded"


class PayloadTooLarge(Refusal):
    """The body is over the route's limit."""

    kind = Kind.TOO_LARGE
    reason = "payload_too_large"


class UnsupportedMedia(Refusal):
    """The body's type or encoding is not one the route reads."""

    kind = Kind.UNSUPPORTED
    reason = "unsupported_media_type"


class ProviderFailed(Refusal):
    """The payment provider answered in a way that cannot be used."""

    kind = Kind.PROVIDER
    reason = "provider_failed"


class MailNotSent(Refusal):
    """The mail server did not take a mail this time; it is tried again."""

    kind = Kind.UNAVAILABLE
    reason = "mail_not_sent"


class Unavailable(Refusal):
    """Something Bursar stands on is away for the moment; the same request may be sent again."""

    kind = Kind.UNAVAILABLE
    reason = "unavailable"


class TaskSuperseded(Refusal):
    """A worker lost its claim on a task to another worker; whatever it did is rolled back."""

    kind = Kind.CONFLICT
    reason = "task_superseded"


def reasons() -> dict[str, type[Refusal]]:
    """Every registered refusal by its reason; a reason belongs to one class only."""
    found: dict[str, type[Refusal]] = {}
    for refusal in Refusal.__subclasses__():
        assert refusal.reason not in found, refusal.reason
        found[refusal.reason] = refusal
    return found
