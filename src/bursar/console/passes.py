"""The cookie of the console: who is signed in, sealed, so that nobody can make or read one.

It holds no right of its own. Whether the session still stands is asked in every transaction, so
signing out or a revocation counts at once; here are only the two clocks that no database needs:
half a day at most, and half an hour without a click.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from bursar.domain.frozen import replace
from bursar.domain.ids import SessionId, UserId, print_id, uuid_of
from bursar.domain.times import Instant
from bursar.runtime.crypto import KeyRing, Undecryptable, same

LIFE: Final = timedelta(hours=12)
IDLE: Final = timedelta(minutes=30)
_REFRESHED_AFTER: Final = timedelta(minutes=1)
_LABEL: Final = "console-pass"
_CONTEXT: Final = b"cookie"
_CSRF_LABEL: Final = "console-form"
_UUID_LENGTH: Final = 16
_TIME_LENGTH: Final = 8
_LENGTH: Final = 2 * _UUID_LENGTH + 2 * _TIME_LENGTH
_COOKIE_MAX: Final = 500


class Pass(Struct, frozen=True):
    """Somebody's session, since when, and when they were last seen."""

    user_id: UserId
    session_id: SessionId
    opened_at: Instant
    seen_at: Instant

    def is_good(self, now: Instant) -> bool:
        """Whether it is still in its time."""
        return now < self.opened_at + LIFE and now < self.seen_at + IDLE

    def seen(self, now: Instant) -> "Pass | None":
        """The same pass seen now, once it is worth a new cookie."""
        return replace(self, seen_at=now) if now > self.seen_at + _REFRESHED_AFTER else None


def cookie_name(*, is_secure: bool) -> str:
    """Without TLS, as on a developer's machine, no browser would keep the stricter name."""
    return "__Host-bursar" if is_secure else "bursar"


def cookie(keys: KeyRing, given: Pass, *, is_secure: bool) -> str:
    """The whole `Set-Cookie` line."""
    plain = b"".join(
        (
            uuid_of(given.user_id).bytes,
            uuid_of(given.session_id).bytes,
            _seconds(given.opened_at),
            _seconds(given.seen_at),
        )
    )
    sealed = base64.urlsafe_b64encode(keys.box(_LABEL, plain, context=_CONTEXT)).decode()
    return _line(sealed.rstrip("="), LIFE // timedelta(seconds=1), is_secure=is_secure)


def no_cookie(*, is_secure: bool) -> str:
    """The line that takes the cookie away."""
    return _line("", 0, is_secure=is_secure)


def read_pass(keys: KeyRing, cookies: str, *, is_secure: bool) -> Pass | None:
    """The pass in a `Cookie` header, if one is there that we made."""
    name = cookie_name(is_secure=is_secure)
    pairs = (pair.strip().partition("=") for pair in cookies.split(";"))
    sealed = [text for key, _, text in pairs if key == name]
    if len(sealed) != 1 or len(sealed[0]) > _COOKIE_MAX:
        return None
    try:
        boxed = base64.b64decode(
            sealed[0] + "=" * (-len(sealed[0]) % 4), altchars=b"-_", validate=True
        )
        plain = keys.unbox(_LABEL, boxed, context=_CONTEXT)
    except (binascii.Error, ValueError, Undecryptable):
        return None
    return _unpacked(plain) if len(plain) == _LENGTH else None


def form_token(keys: KeyRing, given: Pass) -> str:
    """What every form of a session carries: another site cannot know it."""
    return keys.mac(_CSRF_LABEL, given.session_id.encode()).hex()


def is_form_token(keys: KeyRing, given: Pass, text: str) -> bool:
    """Whether a form was ours, and of this session."""
    macs = keys.macs(_CSRF_LABEL, given.session_id.encode())
    return any(same(mac.hex().encode(), claimed=text.encode()) for mac in macs)


def _unpacked(plain: bytes) -> Pass:
    times = plain[2 * _UUID_LENGTH :]
    return Pass(
        UserId(print_id("usr", UUID(bytes=plain[:_UUID_LENGTH]))),
        SessionId(print_id("ses", UUID(bytes=plain[_UUID_LENGTH : 2 * _UUID_LENGTH]))),
        _instant(times[:_TIME_LENGTH]),
        _instant(times[_TIME_LENGTH:]),
    )


def _seconds(at: Instant) -> bytes:
    return int(at.timestamp()).to_bytes(_TIME_LENGTH, "big")


def _instant(raw: bytes) -> Instant:
    return datetime.fromtimestamp(int.from_bytes(raw, "big"), UTC)


def _line(text: str, seconds: int, *, is_secure: bool) -> str:
    secure = "; Secure" if is_secure else ""
    name = cookie_name(is_secure=is_secure)
    return f"{name}={text}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
