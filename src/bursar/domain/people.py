"""People at the door: their sessions, their second factor, and every fact told about them.

What people do to their own account belongs to no organization, so it is told in a history of its
own, in the person's scope. A fact says what happened, who did it, from where, and never a secret.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.ids import SessionId, UserId
from bursar.domain.times import Instant

SESSION_LIFE: Final = timedelta(days=30)
IDLE_LIFE: Final = timedelta(days=7)
VERIFY_LIFE: Final = timedelta(days=1)
RESET_LIFE: Final = timedelta(minutes=15)
RESET_MINUTES: Final = 15
MAIL_TOKENS_HOURLY_MAX: Final = 3
USER_AGENT_LENGTH_MAX: Final = 200
RECOVERY_CODES: Final = 10


class AuthFact(StrEnum):
    """Everything that is told about people at the door."""

    REGISTERED = "auth.registered"
    REGISTRATION_REPEATED = "auth.registration_repeated"
    ADDRESS_VERIFIED = "auth.address_verified"
    VERIFICATION_SENT = "auth.verification_sent"
    SIGNED_IN = "auth.signed_in"
    SIGN_IN_REFUSED = "auth.sign_in_refused"
    SIGNED_OUT = "auth.signed_out"
    SESSION_ENDED = "auth.session_ended"
    TOKEN_REUSED = "auth.refresh_token_reused"  # noqa: S105 - the name of a fact, not a token
    RESET_REQUESTED = "auth.reset_requested"
    PASSWORD_RESET = "auth.password_reset"  # noqa: S105 - the name of a fact, not a password
    PASSWORD_CHANGED = "auth.password_changed"  # noqa: S105 - the name of a fact, not a password
    PASSWORD_REFUSED = "auth.password_refused"  # noqa: S105 - the name of a fact, not a password
    FACTOR_BEGUN = "auth.factor_begun"
    FACTOR_ADDED = "auth.factor_added"
    FACTOR_REMOVED = "auth.factor_removed"
    RECOVERY_CODE_USED = "auth.recovery_code_used"


TOLD_WHEN: Final[dict[AuthFact, str]] = {
    AuthFact.REGISTERED: "Somebody registers.",
    AuthFact.REGISTRATION_REPEATED: "Somebody registers an address that is taken, unseen.",
    AuthFact.ADDRESS_VERIFIED: "The token that was mailed to an address comes back.",
    AuthFact.VERIFICATION_SENT: "The token is mailed again.",
    AuthFact.SIGNED_IN: "Somebody signs in.",
    AuthFact.SIGN_IN_REFUSED: "A password or a code is wrong.",
    AuthFact.SIGNED_OUT: "Somebody signs out.",
    AuthFact.SESSION_ENDED: "Somebody ends one of their sessions.",
    AuthFact.TOKEN_REUSED: "A used refresh token comes back, and its session ends.",
    AuthFact.RESET_REQUESTED: "Somebody asks for a new password.",
    AuthFact.PASSWORD_RESET: "A password is replaced by a mailed token; every session ends.",
    AuthFact.PASSWORD_CHANGED: "A password is changed; every other session ends.",
    AuthFact.PASSWORD_REFUSED: "Somebody signed in does not know the password.",
    AuthFact.FACTOR_BEGUN: "A second factor is begun, and not asked for yet.",
    AuthFact.FACTOR_ADDED: "A second factor is confirmed.",
    AuthFact.FACTOR_REMOVED: "The second factor is removed.",
    AuthFact.RECOVERY_CODE_USED: "A recovery code stands in for the second factor.",
}


class TokenPurpose(StrEnum):
    """What a token sent by mail is good for."""

    VERIFY = "verify"
    RESET = "reset"


LIFE_OF: Final[dict[TokenPurpose, timedelta]] = {
    TokenPurpose.VERIFY: VERIFY_LIFE,
    TokenPurpose.RESET: RESET_LIFE,
}


class Session(Struct, frozen=True, kw_only=True):
    """Somebody signed in, somewhere."""

    id: SessionId
    address: str | None
    user_agent: str | None
    created_at: Instant
    used_at: Instant
    expires_at: Instant


class Factor(Struct, frozen=True, kw_only=True):
    """A second factor; it counts once its first code was right."""

    secret_sealed: bytes
    confirmed_at: Instant | None
    last_step: int
    codes_left: int


class AuthEvent(Struct, frozen=True, kw_only=True):
    """One line of the history of the door."""

    id: str
    type: str
    actor: str
    address: str | None
    reason: str | None
    request_id: str
    facts: dict[str, str]
    recorded_at: Instant


class Mailed(Struct, frozen=True):
    """Whom a token that was sent by mail belongs to."""

    user_id: UserId
    email: str
    name: str
