"""Test cards: the numbers and tokens Stripe publishes, and how each of them plays.

Besides the published ones there are tokens of our own, for stories that no published card tells:
`pm_sandbox_processing_{seconds}` settles later and succeeds, with `_{decline_code}` after it fails;
`pm_sandbox_later_{decline_code}` attaches to a customer and declines every charge.
"""

import re
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from bursar_sandbox.core.refusals import Refusal

BANK_SETTLES_AFTER_S = 10
NUMBER_LENGTHS = range(12, 20)
OWN_TOKEN = re.compile(
    r"pm_sandbox_(?:processing_(?P<seconds>[0-9]{1,7})(?:_(?P<fails>[a-z_]{1,40}))?"
    r"|later_(?P<later>[a-z_]{1,40}))\Z"
)


class Authentication(StrEnum):
    """When the cardholder has to prove who they are."""

    NEVER = "never"
    ALWAYS = "always"
    UNLESS_SET_UP = "unless_set_up"
    ON_SESSION = "on_session"


class RefundPlay(StrEnum):
    """What becomes of a refund to the card."""

    SUCCEEDS = "succeeds"
    FAILS_LATER = "fails_later"
    SUCCEEDS_LATER = "succeeds_later"


class Decline(Struct, frozen=True):
    """A card error: its published code, decline code and message."""

    code: str
    decline_code: str | None
    message: str


class Play(Struct, frozen=True):
    """How a test card behaves."""

    decline: Decline | None = None
    declines_on_attach: bool = True
    authentication: Authentication = Authentication.NEVER
    settles_after_s: int | None = None
    refund: RefundPlay = RefundPlay.SUCCEEDS
    dispute: str | None = None
    is_inquiry: bool = False


class TestCard(Struct, frozen=True):
    """One card or bank account of the tables below."""

    __test__ = False  # the name is the trade's; pytest must not collect it

    token: str
    number: str
    brand: str = "visa"
    funding: str = "credit"
    play: Play = field(default_factory=Play)

    @property
    def kind(self) -> str:
        return "us_bank_account" if self.token.startswith("pm_usBankAccount") else "card"


def _declined(decline_code: str) -> Decline:
    message = {
        "insufficient_funds": "Your card has insufficient funds.",
        "authentication_required": "Your card was declined. This transaction requires "
        "authentication.",
    }.get(decline_code, "Your card was declined.")
    return Decline("card_declined", decline_code, message)


EXPIRED = Decline("expired_card", None, "Your card has expired.")
WRONG_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
PROCESSING_ERROR = Decline(
    "processing_error",
    None,
    "An error occurred while processing your card. Try again in a little bit.",
)
WRONG_NUMBER = Decline("incorrect_number", None, "Your card number is incorrect.")
LIVE_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card. "
    "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
WITH_OWN_CODE = {"expired_card": EXPIRED, "incorrect_cvc": WRONG_CVC}
WITH_OWN_CODE["processing_error"] = PROCESSING_ERROR


def decline_of(decline_code: str) -> Decline:
    """The decline a code names: some are error codes of their own, the rest decline the card."""
    return WITH_OWN_CODE.get(decline_code) or _declined(decline_code)


def _bank_failure(code: str, message: str) -> Play:
    return Play(Decline(code, None, message), settles_after_s=BANK_SETTLES_AFTER_S)


_LATER = Play(_declined("generic_decline"), declines_on_attach=False)
_FRAUD = Play(_declined("fraudulent"))
CARDS = (
    TestCard("pm_card_visa", "4242424242424242"),
    TestCard("pm_card_visa_debit", "4000056655665556", funding="debit"),
    TestCard("pm_card_mastercard", "5555555555554444", "mastercard"),
    TestCard("pm_card_mastercard_debit", "5200828282828210", "mastercard", "debit"),
    TestCard("pm_card_mastercard_prepaid", "5105105105105100", "mastercard", "prepaid"),
    TestCard("pm_card_amex", "378282246310005", "amex"),
    TestCard("pm_card_discover", "6011111111111117", "discover"),
    TestCard("pm_card_diners", "3056930009020004", "diners"),
    TestCard("pm_card_jcb", "3566002020360505", "jcb"),
    TestCard("pm_card_unionpay", "6200000000000005", "unionpay"),
    TestCard("pm_card_bypassPending", "4000000000000077"),
    TestCard(
        "pm_card_visa_chargeDeclined",
        "4000000000000002",
        play=Play(_declined("generic_decline")),
    ),
    TestCard(
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "4000000000009995",
        play=Play(_declined("insufficient_funds")),
    ),
    TestCard(
        "pm_card_visa_chargeDeclinedLostCard",
        "4000000000009987",
        play=Play(_declined("lost_card")),
    ),
    TestCard(
        "pm_card_visa_chargeDeclinedStolenCard",
        "4000000000009979",
        play=Play(_declined("stolen_card")),
    ),
    TestCard(
        "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        play=Play(_declined("card_velocity_exceeded")),
    ),
    TestCard("pm_card_chargeDeclinedExpiredCard", "4000000000000069", play=Play(EXPIRED)),
    TestCard("pm_card_chargeDeclinedIncorrectCvc", "4000000000000127", play=Play(WRONG_CVC)),
    TestCard(
        "pm_card_chargeDeclinedProcessingError", "4000000000000119", play=Play(PROCESSING_ERROR)
    ),
    TestCard("pm_card_radarBlock", "4100000000000019", play=_FRAUD),
    TestCard("pm_card_chargeCustomerFail", "4000000000000341", play=_LATER),
    TestCard(
        "pm_card_authenticationRequiredOnSetup",
        "4000002500003155",
        play=Play(authentication=Authentication.UNLESS_SET_UP),
    ),
    TestCard(
        "pm_card_authenticationRequired",
        "4000002760003184",
        play=Play(authentication=Authentication.ALWAYS),
    ),
    TestCard(
        "pm_card_authenticationRequiredSetupForOffSession",
        "4000003800000446",
        play=Play(authentication=Authentication.ON_SESSION),
    ),
    TestCard(
        "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        play=Play(
            _declined("insufficient_funds"),
            declines_on_attach=False,
            authentication=Authentication.UNLESS_SET_UP,
        ),
    ),
    TestCard("pm_card_createDispute", "4000000000000259", play=Play(dispute="fraudulent")),
    TestCard(
        "pm_card_createDisputeProductNotReceived",
        "4000000000002685",
        play=Play(dispute="product_not_received"),
    ),
    TestCard(
        "pm_card_createDisputeInquiry",
        "4000000000001976",
        play=Play(dispute="general", is_inquiry=True),
    ),
    TestCard(
        "pm_card_pendingRefund", "4000000000007726", play=Play(refund=RefundPlay.SUCCEEDS_LATER)
    ),
    TestCard("pm_card_refundFail", "4000000000005126", play=Play(refund=RefundPlay.FAILS_LATER)),
    TestCard(
        "pm_sandbox_processing_60",
        "4000900000000011",
        play=Play(settles_after_s=60),
    ),
    TestCard(
        "pm_sandbox_processing_60_insufficient_funds",
        "4000900000000029",
        play=Play(_declined("insufficient_funds"), settles_after_s=60),
    ),
    TestCard(
        "pm_usBankAccount_success",
        "000123456789",
        play=Play(settles_after_s=BANK_SETTLES_AFTER_S, refund=RefundPlay.SUCCEEDS_LATER),
    ),
    TestCard(
        "pm_usBankAccount_accountClosed",
        "000111111113",
        play=_bank_failure("account_closed", "The bank account has been closed."),
    ),
    TestCard(
        "pm_usBankAccount_noAccount",
        "000111111116",
        play=_bank_failure("no_account", "The bank account could not be located."),
    ),
    TestCard(
        "pm_usBankAccount_insufficientFunds",
        "000222222227",
        play=_bank_failure("insufficient_funds", "The customer's account has insufficient funds."),
    ),
    TestCard(
        "pm_usBankAccount_debitNotAuthorized",
        "000333333335",
        play=_bank_failure(
            "debit_not_authorized", "The customer has notified their bank of this debit."
        ),
    ),
)
ALIASES = {
    "pm_card_chargeDeclined": "pm_card_visa_chargeDeclined",
    "pm_card_chargeDeclinedInsufficientFunds": "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_chargeDeclinedLostCard": "pm_card_visa_chargeDeclinedLostCard",
    "pm_card_chargeDeclinedStolenCard": "pm_card_visa_chargeDeclinedStolenCard",
    "pm_card_chargeDeclinedFraudulent": "pm_card_radarBlock",
    "pm_card_threeDSecure2Required": "pm_card_authenticationRequired",
    "pm_card_threeDSecureRequired": "pm_card_authenticationRequired",
    "pm_card_us": "pm_card_visa",
}
BY_TOKEN = {card.token: card for card in CARDS}
BY_NUMBER = {card.number: card for card in CARDS}
ALSO_VISA = {
    "4012888888881881": "pm_card_visa",
    "371449635398431": "pm_card_amex",
    "2223003122003222": "pm_card_mastercard",
}


def by_token(token: str) -> TestCard | None:
    """The card a test token stands for: `pm_card_…`, `tok_…`, a bank account or one of our own."""
    name = "pm_card_" + token[4:] if token.startswith("tok_") else token
    name = ALIASES.get(name, name)
    return BY_TOKEN.get(name) or _own(name)


def _own(token: str) -> TestCard | None:
    match = OWN_TOKEN.match(token)
    if match is None:
        return None
    if match["later"]:
        play = Play(decline_of(match["later"]), declines_on_attach=False)
    else:
        fails = decline_of(match["fails"]) if match["fails"] else None
        play = Play(fails, declines_on_attach=False, settles_after_s=int(match["seconds"]))
    return replace(BY_TOKEN["pm_card_visa"], token=token, play=play)


def by_number(number: str) -> TestCard:
    """The card of a number typed into a form or sent by a test.

    Raises:
        Refusal: the number is mistyped, or belongs to no test card.
    """
    card = BY_NUMBER.get(number) or BY_TOKEN.get(ALSO_VISA.get(number, ""))
    if card is not None and card.kind == "card":
        return replace(card, number=number)
    raise card_error(LIVE_CARD if is_card_number(number) else WRONG_NUMBER, "number")


def is_card_number(number: str) -> bool:
    """Whether the digits carry a right check digit (the Luhn sum)."""
    if not number.isascii() or not number.isdigit() or len(number) not in NUMBER_LENGTHS:
        return False
    digits = [int(d) for d in reversed(number)]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def card_error(decline: Decline, param: str | None = None) -> Refusal:
    """The 402 for a card that says no; what the attempt left in the books stays."""
    error: dict[str, object] = {
        "type": "card_error",
        "code": decline.code,
        "message": decline.message,
    }
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    if param:
        error["param"] = param
    return Refusal(402, error, keeps_effects=True)
