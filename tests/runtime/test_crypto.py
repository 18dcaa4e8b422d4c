"""Sealed secrets open only for their row; signatures are those that receivers compute."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from bursar.runtime.crypto import (
    KeyRing,
    Undecryptable,
    context_mac,
    new_webhook_secret,
    padded_keys,
    same,
    sign_body,
    sign_standard,
    verify_head,
)

OLD, NEW = b"o" * 32, b"n" * 32
RING, ROTATED, FOREIGN = KeyRing(OLD), KeyRing(NEW, (OLD,)), KeyRing(NEW)
ROW = b"webhook_subscriptions|org_1|wh_1"
ORG = UUID("01900000-0000-7000-8000-000000000001")


@given(st.binary(max_size=200))
def test_what_is_sealed_comes_back_and_never_looks_the_same(secret: bytes) -> None:
    # a fresh row key and fresh nonces each time.
    first, second = (RING.seal(secret, context=ROW) for _ in range(2))
    assert RING.unseal(first, context=ROW) == RING.unseal(second, context=ROW) == secret
    assert first != second
    assert len(secret) < 8 or secret not in first
    boxed = RING.box("answer", secret, context=ROW)
    assert RING.unbox("answer", boxed, context=ROW) == secret
    assert boxed != RING.box("answer", secret, context=ROW)


def test_every_altered_bit_is_noticed() -> None:
    # Version, key id, wrapped key, nonces, text and tags: none can be touched, cut or grown.
    sealed, boxed = RING.seal(b"secret", context=ROW), RING.box("answer", b"secret", context=ROW)
    for at in range(8 * len(sealed)):
        with pytest.raises(Undecryptable):
            RING.unseal(flipped(sealed, at), context=ROW)
    for at in range(8 * len(boxed)):
        with pytest.raises(Undecryptable):
            RING.unbox("answer", flipped(boxed, at), context=ROW)
    for length in range(len(sealed)):
        with pytest.raises(Undecryptable):
            RING.unseal(sealed[:length], context=ROW)
        with pytest.raises(Undecryptable):
            RING.unbox("answer", boxed[:length][:-1], context=ROW)
    with pytest.raises(Undecryptable):
        RING.unseal(sealed + b"\x00", context=ROW)


def flipped(text: bytes, bit: int) -> bytes:
    at, shift = divmod(bit, 8)
    return text[:at] + bytes([text[at] ^ (1 << shift)]) + text[at + 1 :]


def test_a_secret_moved_to_another_row_label_or_ring_does_not_open() -> None:
    # Copying ciphertext between rows or organizations gains nothing.
    sealed, boxed = RING.seal(b"secret", context=ROW), RING.box("answer", b"secret", context=ROW)
    attempts: tuple[Callable[[], bytes], ...] = (
        lambda: RING.unseal(sealed, context=ROW.replace(b"org_1", b"org_2")),
        lambda: FOREIGN.unseal(sealed, context=ROW),
        lambda: RING.unseal(boxed, context=ROW),
        lambda: RING.unbox("seal", sealed, context=ROW),
        lambda: RING.unbox("other", boxed, context=ROW),
        lambda: FOREIGN.unbox("answer", boxed, context=ROW),
    )
    for attempt in attempts:
        with pytest.raises(Undecryptable):
            attempt()


def test_a_rotated_ring_reads_the_old_and_writes_the_new() -> None:
    # Both keys live during a rotation; afterwards the new one alone opens what it sealed.
    assert ROTATED.unseal(RING.seal(b"a", context=ROW), context=ROW) == b"a"
    assert ROTATED.unbox("x", RING.box("x", b"a", context=ROW), context=ROW) == b"a"
    assert FOREIGN.unseal(ROTATED.seal(b"a", context=ROW), context=ROW) == b"a"
    assert ROTATED.macs("x", b"m") == (FOREIGN.mac("x", b"m"), RING.mac("x", b"m"))
    assert ROTATED.is_mac("x", message=b"m", mac=RING.mac("x", b"m"))
    assert not FOREIGN.is_mac("x", message=b"m", mac=RING.mac("x", b"m"))


def test_each_label_has_a_key_of_its_own() -> None:
    # And a given secret takes the secret key's place for its label only.
    labels = ["seal", "api-key", "head", "hosted-link"]
    assert len({RING.key(label) for label in labels}) == len(labels)
    given_one = KeyRing(OLD, given={"api-key": b"short salt"})
    assert given_one.key("api-key") != RING.key("api-key")
    assert given_one.key("seal") == RING.key("seal")
    assert RING.is_mac("a", message=b"m", mac=RING.mac("a", b"m"))
    assert not RING.is_mac("b", message=b"m", mac=RING.mac("a", b"m"))


@pytest.mark.parametrize("secret", [b"", b"x" * 31])
def test_a_short_secret_key_stops_the_start(secret: bytes) -> None:
    # As the current key or as a previous one; a given secret may not be empty.
    with pytest.raises(ValueError, match="at least 32"):
        KeyRing(secret)
    with pytest.raises(ValueError, match="at least 32"):
        KeyRing(OLD, (secret,))
    with pytest.raises(ValueError, match="not empty"):
        KeyRing(OLD, given={"x": b""})


def test_a_ring_prints_no_key() -> None:
    # Neither in a log line nor in a traceback.
    assert repr(ROTATED) == str(ROTATED) == "KeyRing(2 keys)"


def test_derived_keys_never_change() -> None:
    # A changed derivation would lock every stored secret: HKDF-SHA256 by its definition.
    extracted = hmac.digest(bytes(32), OLD, "sha256")
    expected = hmac.digest(extracted, b"bursar/seal\x01", "sha256")
    assert RING.key("seal") == expected


@settings(max_examples=25)
@given(st.text(max_size=200), st.integers(1, 2**31))
def test_receivers_compute_our_signatures(text: str, timestamp: int) -> None:
    # By Standard Webhooks' own package, and by the plain HMAC over the body.
    secret, body = new_webhook_secret(), text.encode()
    at = datetime.fromtimestamp(timestamp, UTC)
    assert sign_standard(secret, message_id="evt_1", timestamp=timestamp, body=body) == Webhook(
        secret
    ).sign("evt_1", at, text)
    plain = hmac.new(secret.encode(), body, "sha256").hexdigest()
    assert sign_body(secret, body) == f"sha256={plain}"


def test_the_published_vector_of_standard_webhooks() -> None:
    # The vector that the specification prints.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signature = sign_standard(
        secret, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=body
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_secret_is_32_random_bytes() -> None:
    # In the spelling of Standard Webhooks, different each time.
    made = {new_webhook_secret() for _ in range(50)}
    assert len(made) == 50
    for secret in made:
        prefix, _, encoded = secret.partition("_")
        assert (prefix, len(base64.b64decode(encoded, validate=True))) == ("whsec", 32)


def test_heads_are_verified_by_anyone_and_forged_by_no_one() -> None:
    # A head signed before a rotation verifies with the previous public key, still derivable.
    signature = RING.sign_head(b"head")
    assert verify_head(RING.head_public_key(), head=b"head", signature=signature)
    assert ROTATED.head_public_keys() == (FOREIGN.head_public_key(), RING.head_public_key())
    assert not verify_head(RING.head_public_key(), head=b"other", signature=signature)
    assert not verify_head(FOREIGN.head_public_key(), head=b"head", signature=signature)
    assert not verify_head(RING.head_public_key(), head=b"head", signature=signature[:-1])
    assert not verify_head(b"short", head=b"head", signature=signature)


def test_the_context_mac_can_be_checked_with_sha256_alone() -> None:
    # The construction PostgreSQL uses, and what is bound: org, backend and expiry.
    key = RING.key("context")
    inner, outer = padded_keys(key)
    message = f"{ORG}|4711|1700000000".encode()
    by_hand = hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).hexdigest()
    assert context_mac(key, ORG, backend_pid=4711, expires_epoch=1_700_000_000) == by_hand
    assert context_mac(key, ORG, backend_pid=4712, expires_epoch=1_700_000_000) != by_hand
    assert context_mac(key, ORG, backend_pid=4711, expires_epoch=1_700_000_001) != by_hand
    assert len(inner) == len(outer) == 64


def test_comparison_is_by_value() -> None:
    # Equal bytes are equal, other lengths are not an error.
    assert same(b"abc", claimed=bytes([97, 98, 99]))
    assert not same(b"abc", claimed=b"abd")
    assert not same(b"abc", claimed=b"abcd")
