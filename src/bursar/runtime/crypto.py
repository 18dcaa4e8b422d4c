"""Keys and what is made with them: sealed secrets, keyed hashes, signatures.

Every key is derived from one secret key by HKDF-SHA256 under a label, so no two uses share one; a
secret that is given for a label of its own takes the secret key's place there. Every ciphertext and
keyed hash starts with the id of its key, so a rotation needs no flag day: the current key makes,
the previous ones still read. Chance comes from the operating system. Refuses to say why something
could not be opened: wrong key, wrong row and altered bytes are one refusal.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct, field

from bursar.domain.webhooks import signed_content

KEY_LENGTH: Final = 32
KEY_ID_LENGTH: Final = 4
SECRET_KEY_LENGTH_MIN: Final = 32
WEBHOOK_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the public prefix of a secret, not a secret

_DERIVED_MAX: Final = 64
_SIGNED_MAX: Final = 1_024
_NONCE_LENGTH: Final = 12
_TAG_LENGTH: Final = 16
_WRAPPED_LENGTH: Final = _NONCE_LENGTH + KEY_LENGTH + _TAG_LENGTH
_SEALED: Final = b"\x01"
_BOXED: Final = b"\x02"
_HEAD_LENGTH: Final = 1 + KEY_ID_LENGTH


class Undecryptable(Exception):
    """The bytes were not made by a key of ours for this place, or were altered."""


class KeyRing(Struct, frozen=True, eq=False):
    """The secret key, the ones before it, and the secrets given for a label, now and before.

    Printing a ring shows no key.
    """

    secret_key: bytes
    previous: tuple[bytes, ...] = ()
    given: Mapping[str, bytes] = field(default_factory=dict)
    given_before: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(len(key) < SECRET_KEY_LENGTH_MIN for key in (self.secret_key, *self.previous)):
            raise ValueError(f"a secret key has at least {SECRET_KEY_LENGTH_MIN} bytes")
        if not all(self.given.values()):
            raise ValueError("a given secret is not empty")

    def __repr__(self) -> str:
        return f"KeyRing({1 + len(self.previous)} keys)"

    def key(self, label: str) -> bytes:
        """The 32 bytes that this use of this installation's secret works with today."""
        return derived(self._roots(label)[0], label)

    def keys(self, label: str) -> dict[bytes, bytes]:
        """Key id to key, the current one first: what is read may be older than what is made."""
        return {key_id(key): key for key in (derived(root, label) for root in self._roots(label))}

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypts a secret for the row that the context names: table, org and row id.

        A fresh row key per call encrypts the secret, and the ring's key wraps the row key, so
        a rotation rewraps 60 bytes a row.
        """
        ring_key = self.key("seal")
        head = _SEALED + key_id(ring_key)
        row_key = AESGCM.generate_key(8 * KEY_LENGTH)
        wrapped = _encrypt(_cipher(ring_key), row_key, head + b"wrap|" + context)
        return head + wrapped + _encrypt(AESGCM(row_key), plaintext, head + context)

    def unseal(self, sealed: bytes, *, context: bytes) -> bytes:
        """The secret that was sealed for this row.

        Raises:
            Undecryptable: it was sealed for another row or by a key we no longer have, or altered.
        """
        ring_key, head, rest = self._opened("seal", _SEALED, sealed)
        row_key = _decrypt(_cipher(ring_key), rest[:_WRAPPED_LENGTH], head + b"wrap|" + context)
        return _decrypt(AESGCM(row_key), rest[_WRAPPED_LENGTH:], head + context)

    def box(self, label: str, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypts what lives for hours, such as a stored answer, under the label's own key."""
        box_key = self.key(label)
        head = _BOXED + key_id(box_key)
        return head + _encrypt(_cipher(box_key), plaintext, head + context)

    def unbox(self, label: str, boxed: bytes, *, context: bytes) -> bytes:
        """What was put in the box.

        Raises:
            Undecryptable: another label, context or key, or altered bytes.
        """
        box_key, head, rest = self._opened(label, _BOXED, boxed)
        return _decrypt(_cipher(box_key), rest, head + context)

    def mac(self, label: str, message: bytes) -> bytes:
        """A keyed hash to store or to look up: key id, then HMAC-SHA256."""
        return self.macs(label, message)[0]

    def macs(self, label: str, message: bytes) -> tuple[bytes, ...]:
        """The keyed hash by every live key, the current one first, to find a row by any of them."""
        return tuple(key_id + _hmac(key, message) for key_id, key in self.keys(label).items())

    def is_mac(self, label: str, *, message: bytes, mac: bytes) -> bool:
        """Whether a live key made this hash of this message."""
        return any(same(candidate, claimed=mac) for candidate in self.macs(label, message))

    def sign_head(self, head: bytes) -> bytes:
        """An Ed25519 signature over the head of a hash chain, to be kept outside the database."""
        return _signing_key(self.key("head")).sign(head)

    def head_public_key(self) -> bytes:
        """What anyone verifies heads with, from today on; 32 raw bytes."""
        return self.head_public_keys()[0]

    def head_public_keys(self) -> tuple[bytes, ...]:
        """The public keys of every live secret key, the current one first."""
        return tuple(
            _signing_key(key).public_key().public_bytes_raw() for key in self.keys("head").values()
        )

    def _roots(self, label: str) -> tuple[bytes, ...]:
        given = self.given.get(label)
        if given is None:
            return (self.secret_key, *self.previous)
        before = self.given_before.get(label)
        return (given,) if before is None else (given, before)

    def _opened(self, label: str, version: bytes, text: bytes) -> tuple[bytes, bytes, bytes]:
        head, rest = text[:_HEAD_LENGTH], text[_HEAD_LENGTH:]
        key = self.keys(label).get(head[1:])
        if head[:1] != version or key is None:
            raise Undecryptable
        return key, head, rest


@lru_cache(maxsize=_DERIVED_MAX)
def derived(root: bytes, label: str) -> bytes:
    """A key of 32 bytes for one use of a root secret; worked out once, since it never differs."""
    kdf = HKDF(algorithm=SHA256(), length=KEY_LENGTH, salt=None, info=f"bursar/{label}".encode())
    return kdf.derive(root)


@lru_cache(_DERIVED_MAX)
def key_id(key: bytes) -> bytes:
    """The public name of a key; tells nothing about it."""
    return hashlib.sha256(b"bursar/key-id" + key).digest()[:KEY_ID_LENGTH]


def same(secret: bytes, *, claimed: bytes) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(secret, claimed)


def verify_head(public_key: bytes, *, head: bytes, signature: bytes) -> bool:
    """Whether the holder of the key signed this head."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, head)
    except (InvalidSignature, ValueError):
        return False
    return True


def random_bytes(length: int) -> bytes:
    """Bytes nobody can guess."""
    return secrets.token_bytes(length)


def random_letters(alphabet: str, count: int) -> str:
    """Letters drawn evenly, which nobody can guess."""
    return "".join(secrets.choice(alphabet) for _ in range(count))


def new_webhook_secret() -> str:
    """A fresh secret of 32 bytes, as Standard Webhooks prints it."""
    return WEBHOOK_SECRET_PREFIX + base64.b64encode(random_bytes(KEY_LENGTH)).decode()


def sign_standard(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of Standard Webhooks; the key is the decoded part of the secret."""
    key = base64.b64decode(secret.removeprefix(WEBHOOK_SECRET_PREFIX), validate=True)
    tag = _hmac(key, signed_content(message_id, timestamp, body))
    return f"v1,{base64.b64encode(tag).decode()}"


def sign_body(secret: str, body: bytes) -> str:
    """The plain `X-Webhook-Signature`; the key is the secret's whole text, prefix and all.

    It has no timestamp inside, so a receiver that checks only this one can be replayed to.
    """
    return f"sha256={_hmac(secret.encode(), body).hex()}"


def webhook_headers(
    secrets: Sequence[str],
    message_id: str,
    at: datetime,
    body: bytes,
    *,
    is_signed_twice: bool = True,
) -> dict[str, str]:
    """The headers over a webhook's body: signed by every secret the one way, by the first both.

    Not signed twice, it lacks the signature that knows no time and so can be sent again by anybody.
    """
    timestamp = int(at.timestamp())
    signatures = (
        sign_standard(secret, message_id=message_id, timestamp=timestamp, body=body)
        for secret in secrets
    )
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Bursar",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
        "X-Webhook-Id": message_id,
        "X-Webhook-Timestamp": str(timestamp),
    }
    if is_signed_twice:
        headers["X-Webhook-Signature"] = sign_body(secrets[0], body)
    return headers


def context_mac(key: bytes, org_id: UUID, *, backend_pid: int, expires_epoch: int) -> str:
    """What proves to PostgreSQL that this backend may act for this org until that second.

    HMAC-SHA256, in hex, over `<org>|<pid>|<expires>`. With only `sha256` at hand it is
    `H((k ^ opad) || H((k ^ ipad) || m))`, where k is the 32-byte key followed by 32 zero bytes,
    ipad is 64 times 0x36 and opad 64 times 0x5c; the database keeps the two padded keys.
    """
    assert len(key) == KEY_LENGTH, "the database pads exactly 32 bytes"
    return _hmac(key, f"{org_id}|{backend_pid}|{expires_epoch}".encode()).hex()


@lru_cache(_SIGNED_MAX)
def signed_context(key: bytes, org_id: UUID, *, backend_pid: int, expires_epoch: int) -> str:
    """What a transaction is told of whom it is for, with its proof; the last few are remembered."""
    mac = context_mac(key, org_id, backend_pid=backend_pid, expires_epoch=expires_epoch)
    return f"{org_id}|{backend_pid}|{expires_epoch}|{mac}"


def padded_keys(key: bytes) -> tuple[bytes, bytes]:
    """The inner and the outer key of HMAC-SHA256, for a verifier that has only SHA-256."""
    assert len(key) == KEY_LENGTH, "a longer key would be hashed first"
    block = key.ljust(hashlib.sha256().block_size, b"\x00")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _signing_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(_DERIVED_MAX)
def _cipher(key: bytes) -> AESGCM:
    """A key of the ring, ready for use: half of what a short text takes is to make it so."""
    return AESGCM(key)


def _encrypt(cipher: AESGCM, plaintext: bytes, context: bytes) -> bytes:
    nonce = random_bytes(_NONCE_LENGTH)
    return nonce + cipher.encrypt(nonce, plaintext, context)


def _decrypt(cipher: AESGCM, text: bytes, context: bytes) -> bytes:
    nonce, ciphertext = text[:_NONCE_LENGTH], text[_NONCE_LENGTH:]
    if len(ciphertext) < _TAG_LENGTH:
        raise Undecryptable
    try:
        return cipher.decrypt(nonce, ciphertext, context)
    except InvalidTag:
        raise Undecryptable from None
