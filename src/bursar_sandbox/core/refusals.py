"""Errors as Stripe words them: type, code, message, param, and whether their effects stand.

A refusal rolls the request's work back unless it says otherwise: a declined charge is refused and
yet leaves its trace in the books.
"""

from dataclasses import dataclass, field
from typing import Any

DOCS_URL = "https://docs.stripe.com/error-codes#"


@dataclass(eq=False)
class Refusal(Exception):
    """One error answer.

    `is_replayable` is false when the request never began: such answers are not kept under an
    idempotency key, as Stripe documents.
    """

    status: int
    error: dict[str, Any]
    keeps_effects: bool = False
    is_replayable: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The JSON document the caller receives."""
        code = self.error.get("code")
        link = {"doc_url": DOCS_URL + str(code).replace("_", "-")} if code else {}
        return {"error": {**self.error, **link}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    """A 400 for parameters that never reached the engine."""
    error: dict[str, Any] = {"type": "invalid_request_error", "message": message}
    if code:
        error["code"] = code
    if param:
        error["param"] = param
    return Refusal(400, error, is_replayable=False)


def refused(message: str, code: str | None = None, param: str | None = None) -> Refusal:
    """A 400 for a state the books do not allow; it is kept under the idempotency key."""
    refusal = invalid(message, param, code)
    refusal.is_replayable = True
    return refusal


def missing(param: str) -> Refusal:
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def no_such(kind: str, reference: str, param: str = "id", status: int = 404) -> Refusal:
    """An id that the books do not know. A body parameter gives 400, the path gives 404."""
    noun = {"payment_method": "PaymentMethod"}.get(kind, kind)
    error = {
        "type": "invalid_request_error",
        "code": "resource_missing",
        "message": f"No such {noun}: '{reference}'",
        "param": param,
    }
    return Refusal(status, error)


def unauthorized(key: str) -> Refusal:
    """A 401, for a key that is missing or wrong. The key is never echoed whole."""
    if key:
        message = f"Invalid API Key provided: {key[:8]}{'*' * 8}"
    else:
        message = (
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth."
        )
    return Refusal(401, {"type": "invalid_request_error", "message": message}, is_replayable=False)


def key_reused(key: str) -> Refusal:
    return Refusal(
        400,
        {
            "type": "idempotency_error",
            "message": (
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request."
            ),
        },
        is_replayable=False,
    )


def unexpected_state(message: str, intent: dict[str, Any]) -> Refusal:
    """The intent's status does not allow what was asked; the answer carries the intent."""
    kind = intent["object"]
    return Refusal(
        400,
        {
            "type": "invalid_request_error",
            "code": f"{kind}_unexpected_state",
            "message": message,
            kind: intent,
        },
    )
