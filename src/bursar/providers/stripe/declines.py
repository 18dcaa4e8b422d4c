"""What Stripe's decline codes ask of whoever retries: one table.

The issuer's decline code decides, then the error's own code. A network's advice never to try again
wins over both, since ignoring it is fined. A code nobody has met may be tried again.
"""

from typing import Final

from bursar.domain.provider import DeclineKind

_RETRY: Final = (
    "approve_with_id call_issuer card_declined card_velocity_exceeded do_not_honor "
    "duplicate_transaction generic_decline insufficient_funds invalid_amount issuer_not_available "
    "no_action_taken processing_error reenter_transaction try_again_later "
    "withdrawal_count_limit_exceeded bank_account_declined payment_method_provider_timeout"
)
_NEW_METHOD: Final = (
    "bank_account_closed card_not_supported currency_not_supported debit_not_authorized "
    "expired_card incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip "
    "invalid_account invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number "
    "invalid_pin live_mode_test_card mobile_device_authentication_required "
    "new_account_information_available no_account not_permitted offline_pin_required "
    "online_or_offline_pin_required payment_method_invalid_parameter "
    "payment_method_provider_decline payment_method_unactivated payment_method_unexpected_state "
    "pin_try_exceeded service_not_allowed test_mode_live_card testmode_decline "
    "transaction_not_allowed account_closed"
)
_AUTHENTICATION: Final = (
    "authentication_not_handled authentication_required payment_intent_authentication_failure "
    "setup_intent_authentication_failure"
)
_NEVER: Final = (
    "do_not_try_again fraudulent lost_card merchant_blacklist pickup_card restricted_card "
    "revocation_of_all_authorizations revocation_of_authorization security_violation stolen_card "
    "stop_payment_order highest_risk_level"
)

DECLINES: Final = {
    code: kind
    for kind, codes in (
        (DeclineKind.RETRY, _RETRY),
        (DeclineKind.NEW_METHOD, _NEW_METHOD),
        (DeclineKind.AUTHENTICATION, _AUTHENTICATION),
        (DeclineKind.NEVER, _NEVER),
    )
    for code in codes.split()
}

_ADVICE: Final = {
    "confirm_card_data": DeclineKind.NEW_METHOD,
    "do_not_try_again": DeclineKind.NEVER,
    "try_again_later": DeclineKind.RETRY,
}
# These say only that somebody said no; advice, when there is some, says more.
_VAGUE: Final = frozenset({"card_declined", "generic_decline", "do_not_honor", "call_issuer"})


def kind_of(code: str, advice: str | None) -> DeclineKind:
    """What a decline with this code and this advice asks for."""
    advised = _ADVICE.get(advice or "")
    if advised is DeclineKind.NEVER:
        return advised
    known = DECLINES.get(code)
    if advised is not None and (known is None or code in _VAGUE):
        return advised
    return known or DeclineKind.RETRY
