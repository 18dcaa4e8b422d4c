"""Tokens in mail and recovery codes: made here, for one purpose, stored as keyed hashes."""

import pytest

from bursar.runtime.crypto import KeyRing
from bursar.runtime.mailed import (
    mailed_token_hashes,
    new_mailed_token,
    new_recovery_code,
    recovery_code_hashes,
)
from bursar.runtime.tokens import BadToken

OLD, NEW = b"o" * 32, b"n" * 32
RING, ROTATED, FOREIGN = KeyRing(OLD), KeyRing(NEW, (OLD,)), KeyRing(NEW)


def test_a_mailed_token_is_random_and_found_by_its_hash() -> None:
    # Also while keys are rotated; nothing of it is in what is stored.
    made = {new_mailed_token(RING, "reset") for _ in range(100)}
    assert len(made) == 100
    token = made.pop()
    (stored,) = mailed_token_hashes(RING, token, purpose="reset")
    assert stored in mailed_token_hashes(ROTATED, token, purpose="reset")
    assert token.encode()[4:20] not in stored


def test_every_changed_letter_makes_it_no_token() -> None:
    # Nor is one for something else, from elsewhere, or not of the shape; without a look-up.
    token = new_mailed_token(RING, "reset")
    hostile = [
        token[:at] + other + token[at + 1 :]
        for at, letter in enumerate(token)
        for other in {"A", "_", chr(ord(letter) ^ 1)} - {letter}
    ]
    hostile += ["", "bsm_", token + "A", token[:-1], token + "\n", " " + token, "é" * 68]
    for text in hostile:
        with pytest.raises(BadToken):
            mailed_token_hashes(RING, text, purpose="reset")
    with pytest.raises(BadToken):
        mailed_token_hashes(RING, token, purpose="verify")
    with pytest.raises(BadToken):
        mailed_token_hashes(FOREIGN, token, purpose="reset")


def test_a_recovery_code_is_typed_in_any_dress() -> None:
    # Halves together or apart, in capitals or not; another code has another hash.
    codes = {new_recovery_code() for _ in range(1000)}
    assert len(codes) == 1000
    code = codes.pop()
    assert len(code) == 11
    plain = recovery_code_hashes(RING, code)
    assert recovery_code_hashes(RING, code.replace("-", "").upper()) == plain
    assert recovery_code_hashes(RING, codes.pop()) != plain
    assert plain[0] in recovery_code_hashes(ROTATED, code)
