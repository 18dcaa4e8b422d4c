"""Idempotency keys as Stripe keeps them: the first answer for 24 hours, for the same request only.

Answers of requests that never began (validation, rate limits, faults before the effect) are not
kept, so the same key may try again.
"""

import hashlib

import msgspec

from bursar_sandbox.core.refusals import invalid, key_reused
from bursar_sandbox.core.wire import Form, Request, Response, Thing
from bursar_sandbox.core.work import Work

KIND = "_key"
LENGTH_MAX = 255
KEPT_MS = 24 * 3_600_000


def read(request: Request) -> str:
    """The key of a request that changes something, or an empty string.

    Raises:
        Refusal: too long.
    """
    key = request.header("Idempotency-Key") if request.method == "POST" else ""
    if len(key) > LENGTH_MAX:
        raise invalid(f"Idempotency keys can be at most {LENGTH_MAX} characters.")
    return key


def replay(work: Work, key: str, request: Request, form: Form) -> Response | None:
    """The answer kept under the key, if there is one young enough.

    Raises:
        Refusal: the key was used for another request.
    """
    row = work.get(KIND, key)
    if row is None or row["created_ms"] <= work.now_ms - KEPT_MS:
        return None
    if row["print"] != _print(request, form):
        raise key_reused(key)
    headers = {
        "Content-Type": "application/json",
        "Idempotent-Replayed": "true",
        "Original-Request": row["request_id"],
    }
    return Response(row["status"], headers, row["body"].encode())


def keep(work: Work, key: str, request: Request, form: Form, response: Response) -> None:
    """Remember the first answer."""
    row: Thing = {
        "print": _print(request, form),
        "status": response.status,
        "body": response.body.decode(),
        "created_ms": work.now_ms,
        "request_id": work.request_id,
    }
    work.books.drop(KIND, key)
    work.books.put(KIND, key, row)


def forget_old(work: Work) -> None:
    """Drop keys past their day; rows are in order of age."""
    while (oldest := work.books.first(KIND)) and oldest[1]["created_ms"] <= work.now_ms - KEPT_MS:
        work.books.drop(KIND, oldest[0])


def _print(request: Request, form: Form) -> str:
    told = msgspec.json.encode([request.method, request.route, form], order="sorted")
    return hashlib.sha256(told).hexdigest()
