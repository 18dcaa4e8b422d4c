"""Codes of six digits that change every 30 seconds (RFC 6238, SHA-1, as every authenticator has).

A code of the step before or after counts too, for clocks differ. That no step counts twice is for
whoever keeps the last one.
"""

import base64
import hmac
from typing import Final
from urllib.parse import quote, urlencode

from bursar.domain.times import Instant
from bursar.runtime.crypto import random_bytes, same

SECRET_LENGTH: Final = 20
STEP_SECONDS: Final = 30
DIGITS: Final = 6
_DRIFT: Final = (0, -1, 1)


def new_secret() -> bytes:
    """A fresh secret of 160 bits."""
    return random_bytes(SECRET_LENGTH)


def printed(secret: bytes) -> str:
    """The secret as people type it."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri_of(secret: bytes, *, issuer: str, account: str) -> str:
    """What an authenticator reads from a picture."""
    label = quote(f"{issuer}:{account}", safe=":@")
    about = urlencode({"secret": printed(secret), "issuer": issuer})
    return f"otpauth://totp/{label}?{about}"


def code_at(secret: bytes, step: int) -> str:
    """The code of one step."""
    tag = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = tag[-1] & 0x0F
    number = int.from_bytes(tag[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(now: Instant) -> int:
    """Which step of 30 seconds this is."""
    return int(now.timestamp()) // STEP_SECONDS


def matching_step(secret: bytes, code: str, now: Instant) -> int | None:
    """The step whose code this is, now or one step away; nothing, when it is none."""
    here = step_of(now)
    given = code.encode()
    matches = [
        here + drift
        for drift in _DRIFT
        if same(code_at(secret, here + drift).encode(), claimed=given)
    ]
    return matches[0] if matches else None
