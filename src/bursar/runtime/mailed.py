"""Secrets that people carry by hand: tokens in mail, and recovery codes.

A mailed token is 256 random bits under a signature that also names what it is for, so one that was
not made here, or for something else, is refused without a look-up. Both are stored as keyed hashes.
"""

import base64
import re
from typing import Final

from bursar.runtime.crypto import KEY_ID_LENGTH, KeyRing, random_bytes, random_letters, same
from bursar.runtime.tokens import BadToken

TOKEN_LABEL: Final = "mailed-token"  # noqa: S105 - the label of a key, not a token
CODE_LABEL: Final = "recovery-code"
_CHANCE_LENGTH: Final = 32
_TAG_LENGTH: Final = 16
_TOKEN: Final = re.compile(r"bsm_[A-Za-z0-9_-]{64}")
# No letter that is taken for another.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_HALF: Final = 5


def new_mailed_token(ring: KeyRing, purpose: str) -> str:
    """A token for one purpose."""
    chance = random_bytes(_CHANCE_LENGTH)
    tag = ring.mac(f"{TOKEN_LABEL}/{purpose}", chance)[KEY_ID_LENGTH:][:_TAG_LENGTH]
    return "bsm_" + base64.urlsafe_b64encode(chance + tag).decode()


def mailed_token_hashes(ring: KeyRing, token: str, *, purpose: str) -> list[bytes]:
    """What may be stored for it, by every live key, the current one first.

    Raises:
        BadToken: it was not made here for this purpose, or altered.
    """
    if _TOKEN.fullmatch(token) is None:
        raise BadToken
    raw = base64.urlsafe_b64decode(token.removeprefix("bsm_"))
    chance, claimed = raw[:_CHANCE_LENGTH], raw[_CHANCE_LENGTH:]
    tags = [
        mac[KEY_ID_LENGTH:][:_TAG_LENGTH] for mac in ring.macs(f"{TOKEN_LABEL}/{purpose}", chance)
    ]
    if not any(same(tag, claimed=claimed) for tag in tags):
        raise BadToken
    return list(ring.macs(TOKEN_LABEL, token.encode()))


def new_recovery_code() -> str:
    """Ten letters and digits, about 49 bits, in two halves."""
    half = random_letters(_LETTERS, _CODE_HALF), random_letters(_LETTERS, _CODE_HALF)
    return "-".join(half)


def recovery_code_hashes(ring: KeyRing, code: str) -> list[bytes]:
    """What may be stored for a code, however its halves are written."""
    return list(ring.macs(CODE_LABEL, code.replace("-", "").lower().encode()))
