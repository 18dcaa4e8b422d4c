"""The end of a 3-D Secure challenge: the cardholder proved who they are, or did not."""

from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work
from bursar_sandbox.resources import (
    charging,
    checkout_sessions,
    payment_methods,
    setup_intents,
)


def complete(work: Work, kind: str, intent_id: str, *, is_proven: bool) -> Thing:
    """Settle a challenge that is still open; one that is over stays as it ended."""
    intent = work.edit(kind, intent_id)
    if intent["status"] != "requires_action":
        return intent
    method = work.find(payment_methods.KIND, intent["payment_method"])
    if kind == setup_intents.KIND:
        _set_up(work, intent, method, is_proven=is_proven)
        return intent
    if not is_proven:
        charging.refuse(work, intent, method, charging.AUTHENTICATION_FAILED)
    elif intent["confirmation_method"] == "manual":
        intent |= {"status": "requires_confirmation", "next_action": None}
        intent["_is_authenticated"] = True
    else:
        charging.attempt(work, intent, method, "authenticated")
    checkout_sessions.follow(work, intent)
    return intent


def _set_up(work: Work, intent: Thing, method: Thing, *, is_proven: bool) -> None:
    if is_proven:
        setup_intents.succeed(work, intent)
    else:
        setup_intents.refuse(work, intent, method, charging.AUTHENTICATION_FAILED)
