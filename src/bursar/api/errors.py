"""What the API says when it says no: one envelope, one table from a refusal's kind to a status.

Nothing else writes an error's body. A refusal is explained in its own words; whatever is no refusal
is a bug, is logged whole and answered with nothing but the request's id. No stack trace, SQL or
internal name leaves.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from bursar.api.trace import Trace
from bursar.domain.refusals import Away, Detail, Kind, Refusal, reasons
from bursar.runtime.idempotency import Answer
from bursar.runtime.ids import chance
from bursar.runtime.logging import get_log
from bursar.runtime.redaction import redacted_text

DOCS_PATH: Final = "/docs/errors"
DETAILS_MAX: Final = 50
RETRY_AFTER_SECONDS: Final = 1
_UUID_TEXT_LENGTH: Final = 36
_REQUEST_ID_LENGTH: Final = 16
_VARIANTS: Final = "89ab"


class Code(Struct, frozen=True):
    """How a kind of refusal looks on the wire."""

    status: int
    code: str
    meaning: str


CODES: Final[Mapping[Kind, Code]] = {
    Kind.INVALID: Code(400, "VALIDATION_ERROR", "The request is malformed; details name fields."),
    Kind.UNAUTHENTICATED: Code(401, "AUTHENTICATION_ERROR", "No credential, or not a good one."),
    Kind.DECLINED: Code(402, "PAYMENT_DECLINED", "The payment was declined; see `declineCode`."),
    Kind.FORBIDDEN: Code(403, "PERMISSION_DENIED", "The caller lacks the permission named."),
    Kind.NOT_FOUND: Code(404, "NOT_FOUND", "No such thing in this organization."),
    Kind.CONFLICT: Code(409, "CONFLICT", "The state of things does not allow it."),
    Kind.INSUFFICIENT_FUNDS: Code(409, "INSUFFICIENT_FUNDS", "The wallet holds too little."),
    Kind.IN_PROGRESS: Code(
        409, "IDEMPOTENCY_IN_PROGRESS", "The first request with this key is still running."
    ),
    Kind.MISMATCH: Code(422, "IDEMPOTENCY_MISMATCH", "The key belongs to another request."),
    Kind.PRECONDITION: Code(412, "PRECONDITION_FAILED", "`If-Match` names a version that is gone."),
    Kind.TOO_LARGE: Code(413, "PAYLOAD_TOO_LARGE", "The body is larger than the route reads."),
    Kind.UNSUPPORTED: Code(415, "UNSUPPORTED_MEDIA_TYPE", "The route does not read this type."),
    Kind.TOO_MANY: Code(429, "RATE_LIMIT_EXCEEDED", "Too many requests; see `Retry-After`."),
    Kind.PROVIDER: Code(
        502, "PAYMENT_PROVIDER_ERROR", "The payment provider's answer cannot be used."
    ),
    Kind.UNAVAILABLE: Code(503, "SERVICE_UNAVAILABLE", "Away for the moment; send it again."),
}
# What the protocol itself refuses, before there is a noun to speak of.
METHOD_NOT_ALLOWED: Final = Code(405, "METHOD_NOT_ALLOWED", "The path knows other methods.")
URI_TOO_LONG: Final = Code(414, "URI_TOO_LONG", "The URL is longer than 8 kB.")
HEADERS_TOO_LARGE: Final = Code(431, "HEADERS_TOO_LARGE", "Too many or too long header lines.")
INTERNAL: Final = Code(500, "INTERNAL_ERROR", "A fault of ours; quote the `requestId`.")
PROTOCOL_CODES: Final = (METHOD_NOT_ALLOWED, URI_TOO_LONG, HEADERS_TOO_LARGE, INTERNAL)

# Refusals that an operation decided: they are answers, and an idempotency key repeats them.
STORED_KINDS: Final = frozenset({Kind.DECLINED, Kind.CONFLICT, Kind.INSUFFICIENT_FUNDS})


class ErrorDetail(msgspec.Struct, frozen=True, rename="camel"):
    """One field's fault; `field` is spelled as the caller spelled it."""

    field: str
    message: str
    code: str


class ErrorBody(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What went wrong. Some codes carry facts of their own beside these."""

    code: str
    message: str
    request_id: str
    doc_url: str
    details: list[ErrorDetail] = []
    current_status: str | None = None
    allowed_transitions: list[str] | msgspec.UnsetType = msgspec.UNSET
    payment_id: str | None = None
    available_cents: int | None = None
    limit: str | None = None
    limit_cents: int | None = None
    decline_code: str | None = None


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """Every answer from 400 on."""

    error: ErrorBody


class Protocol(Exception):
    """The request breaks a rule of the protocol itself."""

    def __init__(self, code: Code, message: str, *, allow: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.allow = allow


def new_request_id() -> str:
    """A name for a request whose caller gave it none."""
    digits = chance(_REQUEST_ID_LENGTH).hex()
    # A UUID of version 4 and variant 1, spelled by hand: the standard one takes five times as long.
    variant = _VARIANTS[int(digits[16], 16) % len(_VARIANTS)]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def kept_request_id(given: str) -> str | None:
    """The caller's own name for the request, if it is a UUID in its canonical spelling."""
    if len(given) != _UUID_TEXT_LENGTH or not given.isascii():
        return None
    try:
        canonical = str(UUID(given))
    except ValueError:
        return None
    return canonical if canonical == given.lower() else None


def answer_for(error: BaseException, trace: Trace) -> Answer:
    """The whole answer to whatever was raised."""
    request_id = trace.request_id
    match error:
        case Refusal():
            return _refused(error, request_id)
        case Protocol():
            headers = (("Allow", error.allow),) if error.allow else ()
            return _answer(error.code, _body(error.code, error.message, request_id), headers)
        case Away():
            return _unavailable(error.retry_after_seconds, request_id)
        case TimeoutError():
            return _unavailable(RETRY_AFTER_SECONDS, request_id)
        case _:
            trace.is_broken = True
            return _unhandled(error, request_id)


def told_of(refusal: Refusal, request_id: str) -> tuple[int, ErrorBody]:
    """The status and the error of one of many, as they would be for it alone."""
    code = CODES[refusal.kind]
    # A provider may repeat what it was sent, and what it was sent may have been a secret.
    message = redacted_text(refusal.message)
    body = _body(code, message, request_id, anchor=refusal.reason) | refusal.facts
    error = msgspec.convert({**body, "details": []}, ErrorBody)
    return code.status, msgspec.structs.replace(error, details=detailed(refusal.details))


def detailed(details: Sequence[Detail]) -> list[ErrorDetail]:
    """The first faults, as many as anyone reads."""
    return [ErrorDetail(each.field, each.message, each.code) for each in details[:DETAILS_MAX]]


def _refused(refusal: Refusal, request_id: str) -> Answer:
    code = CODES[refusal.kind]
    # A provider may repeat what it was sent, and what it was sent may have been a secret.
    message = redacted_text(refusal.message)
    body = _body(code, message, request_id, anchor=refusal.reason)
    if refusal.details:
        body["details"] = detailed(refusal.details)
    body |= refusal.facts
    return _answer(code, body, _headers_of(refusal))


def _headers_of(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    match refusal.kind:
        case Kind.UNAUTHENTICATED:
            return (("WWW-Authenticate", "Bearer"),)
        case Kind.IN_PROGRESS | Kind.UNAVAILABLE | Kind.TOO_MANY:
            seconds = refusal.facts.get("retryAfterSeconds", RETRY_AFTER_SECONDS)
            return (("Retry-After", str(seconds)),)
        case _:
            return ()


def _unavailable(retry_after_seconds: int, request_id: str) -> Answer:
    code = CODES[Kind.UNAVAILABLE]
    message = "Something this request needs is away for the moment; send the same request again."
    body = _body(code, message, request_id, anchor="unavailable")
    return _answer(code, body, (("Retry-After", str(retry_after_seconds)),))


def _unhandled(error: BaseException, request_id: str) -> Answer:
    get_log().error("http.unhandled", request_id=request_id, exc_info=error)
    message = "Something went wrong on our side; quote the request id."
    return _answer(INTERNAL, _body(INTERNAL, message, request_id))


def _body(code: Code, message: str, request_id: str, *, anchor: str = "") -> dict[str, object]:
    return {
        "code": code.code,
        "message": message,
        "requestId": request_id,
        "docUrl": f"{DOCS_PATH}#{anchor or code.code.lower()}",
    }


def _answer(
    code: Code, body: Mapping[str, object], headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    return Answer(code.status, msgspec.json.encode({"error": body}), headers)


def every_reason() -> dict[str, tuple[Code, str]]:
    """Every reason a refusal may carry, with its code and its meaning, for the reference."""
    return {
        reason: (CODES[refusal.kind], " ".join((refusal.__doc__ or "").split()))
        for reason, refusal in sorted(reasons().items())
    }
