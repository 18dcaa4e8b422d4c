"""What the API answers from 400 on, as exceptions: one class for each code that it knows.

A refusal carries the code, the fields at fault and the request's id, under which the server's log
tells the rest. A code of tomorrow is a plain `Refused`, never a failure to read the answer.
"""

from typing import Any, Final

import msgspec


class NotReached(Exception):
    """No answer came, however often it was asked: whether it was done is not known.

    The same call with the same `idempotency_key` finds out, and does nothing twice.
    """

    def __init__(self, said: str, idempotency_key: str | None) -> None:
        super().__init__(said)
        self.idempotency_key = idempotency_key


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request, and where."""

    field: str
    message: str
    code: str = ""


class Refused(Exception):
    """The API said no."""

    def __init__(
        self, status: int, body: dict[str, Any], *, retry_after: float | None = None
    ) -> None:
        self.status = status
        self.code: str = str(body.get("code", ""))
        self.message: str = str(body.get("message", f"The answer was {status}."))
        self.request_id: str = str(body.get("requestId", ""))
        self.faults: list[Fault] = _faults(body.get("details"))
        self.facts = body  # some codes carry facts of their own, such as `paymentId`
        self.retry_after = retry_after  # seconds, where the API says when to come back
        super().__init__(f"{self.code or status}: {self.message} (request {self.request_id})")

    @property
    def fields(self) -> dict[str, str]:
        """The fields at fault, each with the code of what is wrong."""
        return {fault.field: fault.code for fault in self.faults}


class Invalid(Refused):
    """The request itself is wrong; `fields` says where."""


class NotAuthenticated(Refused):
    """No credential, or one that is over."""


class Declined(Refused):
    """The card was declined; `facts["declineCode"]` says why."""


class NotAllowed(Refused):
    """The credential is good, but not for this."""


class NotFound(Refused):
    """There is no such thing here."""


class Conflict(Refused):
    """What it is now does not allow it; `facts["currentStatus"]` says what it is."""


class InsufficientFunds(Conflict):
    """There is not enough money in the wallet."""


class StillRunning(Conflict):
    """The first request with this key has not ended yet."""


class VersionPassed(Refused):
    """Somebody was faster: what `if_match` named is no longer so."""


class KeyReused(Refused):
    """This idempotency key was another request's."""


class TooMany(Refused):
    """Asked too often."""


class ServerFailed(Refused):
    """Something went wrong over there; the request's id says what, to who runs it."""


class ProviderFailed(ServerFailed):
    """The payment provider could not be asked."""


class Unavailable(ServerFailed):
    """Not at the moment."""


BY_CODE: Final[dict[str, type[Refused]]] = {
    "AUTHENTICATION_ERROR": NotAuthenticated,
    "CONFLICT": Conflict,
    "HEADERS_TOO_LARGE": Invalid,
    "IDEMPOTENCY_IN_PROGRESS": StillRunning,
    "IDEMPOTENCY_MISMATCH": KeyReused,
    "INSUFFICIENT_FUNDS": InsufficientFunds,
    "INTERNAL_ERROR": ServerFailed,
    "METHOD_NOT_ALLOWED": Invalid,
    "NOT_FOUND": NotFound,
    "PAYLOAD_TOO_LARGE": Invalid,
    "PAYMENT_DECLINED": Declined,
    "PAYMENT_PROVIDER_ERROR": ProviderFailed,
    "PERMISSION_DENIED": NotAllowed,
    "PRECONDITION_FAILED": VersionPassed,
    "RATE_LIMIT_EXCEEDED": TooMany,
    "SERVICE_UNAVAILABLE": Unavailable,
    "UNSUPPORTED_MEDIA_TYPE": Invalid,
    "URI_TOO_LONG": Invalid,
    "VALIDATION_ERROR": Invalid,
}
_FAILED_FROM: Final = 500


def refusal_of(status: int, raw: bytes, retry_after: str | None) -> Refused:
    """The exception for an answer; what is between us and the API may answer anything."""
    body: dict[str, Any] = {}
    try:
        told = msgspec.json.decode(raw)
        if isinstance(told, dict) and isinstance(told.get("error"), dict):
            body = told["error"]
    except msgspec.DecodeError:
        pass
    otherwise = ServerFailed if status >= _FAILED_FROM else Refused
    kind = BY_CODE.get(str(body.get("code", "")), otherwise)
    return kind(status, body, retry_after=_seconds(retry_after))


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None


def _faults(told: object) -> list[Fault]:
    try:
        return msgspec.convert(told or [], type=list[Fault])
    except msgspec.ValidationError:
        return []
