"""Credentials as text: access tokens, refresh tokens, API keys, links to hosted documents.

Owns their shapes, their making and the checks that need no database; whether one is revoked is for
the store to say. Only keyed hashes of refresh tokens and API keys are ever stored; a hosted link is
not stored at all, since it can be made again. Time is always a parameter. Refuses every access
token that is not letter for letter one this installation could have made, without saying why.
"""

import base64
import binascii
import re
import string
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt
from jwt.types import Options
from msgspec import Struct

from bursar.domain.times import Instant
from bursar.runtime.crypto import KEY_ID_LENGTH, KeyRing, random_bytes, random_letters, same

ACCESS_LABEL: Final = "access-token"
REFRESH_LABEL: Final = "refresh-token"
API_KEY_LABEL: Final = "api-key"
HOSTED_LABEL: Final = "hosted-link"
INVITATION_LABEL: Final = "invitation"

TOKEN_LENGTH_MAX: Final = 4096
SKEW_MAX_SECONDS: Final = 60
API_KEY_PREFIX_LENGTH: Final = 8

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_HEADER_NAMES: Final = frozenset({"alg", "typ", "kid"})
_TEXT_CLAIMS: Final = ("iss", "aud", "sub", "sid", "jti")
_TIME_CLAIMS: Final = ("iat", "nbf", "exp")
_EPOCH_MAX: Final = 253_402_300_799  # the last second of the year 9999
_SIGNATURE_ONLY: Final[Options] = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

_REFRESH_PREFIX: Final = "bsr_"
_REFRESH_LENGTH: Final = 32
_REFRESH: Final = re.compile(r"bsr_[A-Za-z0-9_-]{43}")
_INVITATION_PREFIX: Final = "bsi_"
_INVITATION: Final = re.compile(r"bsi_[A-Za-z0-9_-]{43}")
_DIGITS62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PAIRS62: Final = [high + low for high in _DIGITS62 for low in _DIGITS62]
_API_KEY: Final = re.compile(r"(bsk_[0-9A-Za-z]{32})([0-9A-Za-z]{6})")
_API_KEY_RANDOM_LENGTH: Final = 32
_CHECK_LENGTH: Final = 6

_HOSTED_VERSION: Final = b"\x01"
_HOSTED_MAC_LENGTH: Final = 24
_UUID_LENGTH: Final = 16
_GENERATION_LENGTH: Final = 4
_HOSTED_BODY_LENGTH: Final = 2 * _UUID_LENGTH + _GENERATION_LENGTH
_HOSTED_LENGTH: Final = 1 + KEY_ID_LENGTH + _HOSTED_BODY_LENGTH + _HOSTED_MAC_LENGTH


class BadToken(Exception):
    """Not a credential of ours, altered, of another kind, or out of its time."""


class AccessClaims(Struct, frozen=True):
    """Who the bearer is. Roles are not in it: they are read per request."""

    subject: str
    session_id: str
    token_id: str
    issued_at: Instant
    expires_at: Instant


class HostedLink(Struct, frozen=True):
    """A document of an organization; raising its generation makes earlier links void."""

    org_id: UUID
    document_id: UUID
    generation: int


class AccessTokens:
    """Makes and reads the short-lived tokens that users send with each request."""

    def __init__(self, ring: KeyRing, *, issuer: str, audience: str, lifetime: timedelta) -> None:
        self._keys = {kid.hex(): key for kid, key in ring.keys(ACCESS_LABEL).items()}
        self._issuer = issuer
        self._audience = audience
        self._lifetime_seconds = lifetime // timedelta(seconds=1)

    def issue(self, *, subject: str, session_id: str, token_id: str, now: Instant) -> str:
        issued = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "sid": session_id,
            "jti": token_id,
            "iat": issued,
            "nbf": issued,
            "exp": issued + self._lifetime_seconds,
        }
        kid, key = next(iter(self._keys.items()))
        return jwt.encode(claims, key, _ALGORITHM, headers={"typ": _TYPE, "kid": kid})

    def read(self, token: str, now: Instant) -> AccessClaims:
        """The claims of a token that is ours and in its time, give or take a minute of skew.

        Raises:
            BadToken: anything else.
        """
        if len(token) > TOKEN_LENGTH_MAX or not _is_canonical(token):
            raise BadToken
        try:
            claims = jwt.decode(
                token,
                self._key_for(jwt.get_unverified_header(token)),
                algorithms=[_ALGORITHM],
                # PyJWT would ask the machine's clock, and takes more shapes than we make.
                options=_SIGNATURE_ONLY,
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise BadToken from None
        return self._checked(claims, int(now.timestamp()))

    def _key_for(self, header: Mapping[str, Any]) -> bytes:
        kid = header.get("kid")
        known = self._keys.get(kid) if isinstance(kid, str) else None
        is_ours = header.get("alg") == _ALGORITHM and header.get("typ") == _TYPE
        if known is None or not is_ours or header.keys() != _HEADER_NAMES:
            raise BadToken
        return known

    def _checked(self, claims: Mapping[str, Any], now: int) -> AccessClaims:
        is_whole = all(isinstance(claims.get(name), str) for name in _TEXT_CLAIMS) and all(
            type(claims.get(name)) is int and 0 <= claims[name] <= _EPOCH_MAX
            for name in _TIME_CLAIMS
        )
        if not is_whole or (claims["iss"], claims["aud"]) != (self._issuer, self._audience):
            raise BadToken
        began = max(claims["iat"], claims["nbf"])
        if not began - SKEW_MAX_SECONDS <= now <= claims["exp"] + SKEW_MAX_SECONDS:
            raise BadToken
        return AccessClaims(
            subject=claims["sub"],
            session_id=claims["sid"],
            token_id=claims["jti"],
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )


def new_refresh_token() -> str:
    """256 random bits; shown once, then known only by its keyed hash."""
    return _REFRESH_PREFIX + _encoded(random_bytes(_REFRESH_LENGTH))


def refresh_token_hash(ring: KeyRing, token: str) -> bytes:
    """What is stored for a refresh token made now."""
    return refresh_token_hashes(ring, token)[0]


def refresh_token_hashes(ring: KeyRing, token: str) -> tuple[bytes, ...]:
    """What may be stored for it, by every live key, the current one first.

    Raises:
        BadToken: it does not even have the shape of one.
    """
    if _REFRESH.fullmatch(token) is None:
        raise BadToken
    return ring.macs(REFRESH_LABEL, token.encode())


def new_invitation_token() -> str:
    """256 random bits for an address's eyes only; known here by its keyed hash."""
    return _INVITATION_PREFIX + _encoded(random_bytes(_REFRESH_LENGTH))


def invitation_hash(ring: KeyRing, token: str) -> bytes:
    """What is stored for an invitation made now."""
    return invitation_hashes(ring, token)[0]


def invitation_hashes(ring: KeyRing, token: str) -> tuple[bytes, ...]:
    """What may be stored for it, by every live key, the current one first.

    Raises:
        BadToken: it does not even have the shape of one.
    """
    if _INVITATION.fullmatch(token) is None:
        raise BadToken
    return ring.macs(INVITATION_LABEL, token.encode())


def new_api_key() -> str:
    """190 random bits with check digits, so that a scanner knows a leaked key from a lookalike."""
    body = "bsk_" + random_letters(_DIGITS62, _API_KEY_RANDOM_LENGTH)
    return body + _check_digits(body)


def is_api_key(text: str) -> bool:
    """Whether the shape and the check digits hold; a mistyped key is refused without a look-up."""
    match = _API_KEY.fullmatch(text)
    return match is not None and same(_check_digits(match[1]).encode(), claimed=match[2].encode())


def api_key_hash(ring: KeyRing, api_key: str) -> bytes:
    """What is stored for an API key made now."""
    return api_key_hashes(ring, api_key)[0]


def api_key_hashes(ring: KeyRing, api_key: str) -> tuple[bytes, ...]:
    """What may be stored for it, by every live key, the current one first.

    Raises:
        BadToken: it is mistyped or no API key at all.
    """
    if not is_api_key(api_key):
        raise BadToken
    return ring.macs(API_KEY_LABEL, api_key.encode())


def api_key_prefix(api_key: str) -> str:
    """The part that may be shown again, to tell keys apart."""
    return api_key[:API_KEY_PREFIX_LENGTH]


def print_hosted_token(ring: KeyRing, link: HostedLink) -> str:
    """The link's token, the same every time: it can be printed again in a reminder."""
    body = (
        link.org_id.bytes
        + link.document_id.bytes
        + link.generation.to_bytes(_GENERATION_LENGTH, "big")
    )
    return _hosted_text(body, ring.mac(HOSTED_LABEL, body))


def read_hosted_token(ring: KeyRing, token: str) -> HostedLink:
    """What the token opens, if a live key made it; the caller compares the generation.

    Raises:
        BadToken: it was not made here, or altered.
    """
    if len(token) > TOKEN_LENGTH_MAX:
        raise BadToken
    raw = _decoded(token)
    if len(raw) != _HOSTED_LENGTH:
        raise BadToken
    body = raw[1 + KEY_ID_LENGTH :][:_HOSTED_BODY_LENGTH]
    candidates = [_hosted_text(body, mac).encode() for mac in ring.macs(HOSTED_LABEL, body)]
    if not any(same(candidate, claimed=token.encode()) for candidate in candidates):
        raise BadToken
    return HostedLink(
        org_id=UUID(bytes=body[:_UUID_LENGTH]),
        document_id=UUID(bytes=body[_UUID_LENGTH : 2 * _UUID_LENGTH]),
        generation=int.from_bytes(body[2 * _UUID_LENGTH :], "big"),
    )


def _hosted_text(body: bytes, mac: bytes) -> str:
    key_id, tag = mac[:KEY_ID_LENGTH], mac[KEY_ID_LENGTH:]
    return _encoded(_HOSTED_VERSION + key_id + body + tag[:_HOSTED_MAC_LENGTH])


def _check_digits(body: str) -> str:
    number, pairs = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK_LENGTH // 2):
        number, pair = divmod(number, len(_PAIRS62))
        pairs = _PAIRS62[pair] + pairs
    return pairs


def _is_canonical(token: str) -> bool:
    """Whether each part is the one base64url spelling of its bytes: no second token like it."""
    if _COMPACT.fullmatch(token) is None:
        return False
    return all(_encoded(_decoded(part)) == part for part in token.split("."))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken from None
