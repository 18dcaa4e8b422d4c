"""Verifies that Stripe signed a webhook's exact bytes, recently.

Nothing is parsed before it is verified. Every signature is tried against every secret, as bytes and
in constant time, so that a secret can be rotated and a wrong guess learns nothing. A signature from
the future is as wrong as an old one: a clock that runs ahead must not widen the window.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from bursar.domain.provider import BadSignature
from bursar.domain.times import Instant

TOLERANCE_SECONDS: Final = 300
_HEADER_MAX: Final = 2_048
_DIGITS: Final = frozenset("0123456789")
_TIMESTAMP_LENGTHS: Final = (10, 11)


def verify(body: bytes, header: str, secrets: Sequence[str], now: Instant) -> None:
    """Returns only when one of the secrets signed these bytes within the tolerance of `now`.

    Raises:
        BadSignature: it did not, or there is no secret at all.
    """
    timestamp, candidates = _parsed(header)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature("the signature is too old or from the future")
    signed = timestamp.encode() + b"." + body
    is_signed = False
    for secret in filter(None, secrets):
        expected = hmac.new(secret.encode(), signed, sha256).hexdigest().encode()
        for candidate in candidates:
            # No early exit: the time taken says nothing about which one matched.
            is_signed |= hmac.compare_digest(expected, candidate)
    if not is_signed:
        raise BadSignature("no signature matches")


def sign(body: bytes, secret: str, at: Instant) -> str:
    """The header Stripe would send with these bytes at this moment."""
    timestamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()
    return f"t={timestamp},v1={signature}"


def _parsed(header: str) -> tuple[str, list[bytes]]:
    if len(header) > _HEADER_MAX or not header.isascii():
        raise BadSignature("the signature header is too long or not ASCII")
    parts = [part.strip(" ").partition("=") for part in header.split(",")]
    timestamps = [value for name, _, value in parts if name == "t"]
    candidates = [value.encode() for name, _, value in parts if name == "v1"]
    if len(timestamps) != 1 or not candidates:
        raise BadSignature("the signature header is malformed")
    timestamp = timestamps[0]
    if len(timestamp) not in _TIMESTAMP_LENGTHS or not _DIGITS.issuperset(timestamp):
        raise BadSignature("the signature's timestamp is malformed")
    return timestamp, candidates
