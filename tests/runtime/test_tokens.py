"""Only what this installation made is a credential, letter for letter and in its time."""

import base64
import json
import string
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.runtime.crypto import KeyRing
from bursar.runtime.tokens import (
    ACCESS_LABEL,
    AccessTokens,
    BadToken,
    HostedLink,
    api_key_hash,
    api_key_hashes,
    api_key_prefix,
    is_api_key,
    new_api_key,
    new_refresh_token,
    print_hosted_token,
    read_hosted_token,
    refresh_token_hash,
    refresh_token_hashes,
)

OLD, NEW = b"o" * 32, b"n" * 32
RING, ROTATED, FOREIGN = KeyRing(OLD), KeyRing(NEW, (OLD,)), KeyRing(NEW)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = RING.key(ACCESS_LABEL)
KID = next(iter(RING.keys(ACCESS_LABEL))).hex()


def tokens_of(ring: KeyRing) -> AccessTokens:
    return AccessTokens(
        ring, issuer="https://bursar.test", audience="bursar", lifetime=timedelta(minutes=15)
    )


TOKENS = tokens_of(RING)
GOOD = TOKENS.issue(subject="usr_1", session_id="ses_1", token_id="jti_1", now=NOW)
CLAIMS: dict[str, Any] = jwt.decode(GOOD, options={"verify_signature": False})


def forged(claims: dict[str, Any] | None = None, key: bytes = KEY, **header: Any) -> str:
    """A token with the right key, and one thing wrong."""
    names = {"typ": "at+jwt", "kid": KID, **header}
    return jwt.encode({**CLAIMS, **(claims or {})}, key, names.pop("alg", "HS256"), headers=names)


def raw_token(header: dict[str, Any], signature: str = "") -> str:
    parts = (json.dumps(part).encode() for part in (header, CLAIMS))
    texts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    return ".".join([*texts, signature])


def test_a_token_says_who_and_until_when() -> None:
    # Claims, header and lifetime are the agreed ones; nothing about roles is inside.
    claims = TOKENS.read(GOOD, NOW)
    assert (claims.subject, claims.session_id, claims.token_id) == ("usr_1", "ses_1", "jti_1")
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + 15 * MINUTE)
    assert set(CLAIMS) == {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"}
    assert jwt.get_unverified_header(GOOD) == {"alg": "HS256", "typ": "at+jwt", "kid": KID}


@pytest.mark.parametrize(
    ("moved", "is_accepted"),
    [
        (-MINUTE, True),
        (-MINUTE - timedelta(seconds=1), False),
        (16 * MINUTE, True),
        (16 * MINUTE + timedelta(seconds=1), False),
        (timedelta(days=3650), False),
        (timedelta(days=-3650), False),
    ],
)
def test_a_minute_of_skew_and_no_more(moved: timedelta, is_accepted: bool) -> None:
    # Two processes may disagree by 60 seconds about the time, in either direction.
    if is_accepted:
        assert TOKENS.read(GOOD, NOW + moved).subject == "usr_1"
    else:
        with pytest.raises(BadToken):
            TOKENS.read(GOOD, NOW + moved)


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_every_claim_is_required(name: str) -> None:
    # Missing, null, another type or another value of iss and aud: refused.
    without = {key: value for key, value in CLAIMS.items() if key != name}
    cut = jwt.encode(without, KEY, "HS256", headers={"typ": "at+jwt", "kid": KID})
    signed = jwt.api_jws.PyJWS()
    wrong_values: list[Any] = [None, True, 1.5, ["bursar"], {}, 10**400, -1]
    texts = [
        signed.encode(
            json.dumps({**CLAIMS, name: value}).encode(),
            KEY,
            "HS256",
            headers={"typ": "at+jwt", "kid": KID},
        )
        for value in wrong_values
    ]
    for token in (cut, *texts):
        with pytest.raises(BadToken):
            TOKENS.read(token, NOW)


HOSTILE = {
    "another issuer": forged({"iss": "https://evil.test"}),
    "another audience": forged({"aud": "other"}),
    "expired": forged({"exp": int(NOW.timestamp()) - 61}),
    "not yet": forged({"nbf": int(NOW.timestamp()) + 61}),
    "made in the future": forged({"iat": int(NOW.timestamp()) + 61}),
    "another key": forged(key=b"k" * 32),
    "another kid": forged(kid="00000000"),
    "kid of a path": forged(kid="../../dev/null"),
    "kid missing": jwt.encode(CLAIMS, KEY, "HS256", headers={"typ": "at+jwt"}),
    "typ JWT": forged(typ="JWT"),
    "typ in capitals": forged(typ="AT+JWT"),
    "HS512": forged(key=KEY * 2, alg="HS512"),
    "jku": forged(jku="https://evil.test/keys"),
    "jwk": forged(jwk={"kty": "oct", "k": "AAAA"}),
    "x5u": forged(x5u="https://evil.test/cert"),
    "x5c": forged(x5c=["AAAA"]),
    "crit": forged(crit=["b64"], b64=True),
    "none": raw_token({"alg": "none", "typ": "at+jwt", "kid": KID}),
    "none signed": raw_token({"alg": "none", "typ": "at+jwt", "kid": KID}, GOOD.split(".")[2]),
    "None": raw_token({"alg": "None", "typ": "at+jwt", "kid": KID}, "AAAA"),
    "RS256 confusion": raw_token({"alg": "RS256", "typ": "at+jwt", "kid": KID}, "AAAA"),
    "kid a list": raw_token({"alg": "HS256", "typ": "at+jwt", "kid": [KID]}, "AAAA"),
    "header a list": base64.urlsafe_b64encode(b"[1,2]").decode().rstrip("=") + ".e30.AAAA",
    "over 4 kB": forged({"sub": "x" * 4000}),
    "huge": "a" * 10_000_000,
    "empty": "",
    "dots": "..",
    "two parts": GOOD.rpartition(".")[0],
    "four parts": GOOD + ".AAAA",
    "padding": GOOD + "=",
    "blank": GOOD + " ",
    "newline": GOOD + "\n",
    "not ASCII": GOOD[:-1] + "é",
    "an API key": new_api_key(),
    "a JSON bomb": base64.urlsafe_b64encode(b"[" * 2000).decode().rstrip("=") + ".e30.AAAA",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_token_is_refused_without_a_reason(name: str) -> None:
    # One refusal for all, and nothing else is ever raised.
    with pytest.raises(BadToken) as caught:
        TOKENS.read(HOSTILE[name], NOW)
    assert caught.value.args == ()


def test_every_changed_letter_makes_it_another_token() -> None:
    # Also the last letter of the signature, whose spare bits decoders ignore.
    for at, letter in enumerate(GOOD):
        for other in {"A", "B", chr(ord(letter) ^ 1)} - {letter}:
            with pytest.raises(BadToken):
                TOKENS.read(GOOD[:at] + other + GOOD[at + 1 :], NOW)


@given(st.text(max_size=80))
def test_any_text_is_a_token_or_a_refusal(text: str) -> None:
    # Never another exception.
    for token in (text, f"{text}.{text}.{text}", GOOD + text if text else "x"):
        with pytest.raises(BadToken):
            TOKENS.read(token, NOW)


def test_tokens_survive_a_rotation_of_the_key() -> None:
    # The old key still reads, the new one makes; without the old one the token is foreign.
    assert tokens_of(ROTATED).read(GOOD, NOW).subject == "usr_1"
    fresh = tokens_of(ROTATED).issue(subject="u", session_id="s", token_id="j", now=NOW)
    assert tokens_of(FOREIGN).read(fresh, NOW).subject == "u"
    with pytest.raises(BadToken):
        tokens_of(FOREIGN).read(GOOD, NOW)


def test_refresh_tokens_are_random_and_known_by_their_hash() -> None:
    # 256 bits; the stored hash needs the ring, and old hashes are found during a rotation.
    made = {new_refresh_token() for _ in range(100)}
    assert len(made) == 100
    token = made.pop()
    assert refresh_token_hash(RING, token) in refresh_token_hashes(ROTATED, token)
    assert refresh_token_hash(FOREIGN, token) != refresh_token_hash(RING, token)
    assert token.encode() not in refresh_token_hash(RING, token)
    for hostile in ("", "bsr_", token + "A", token[:-1], token + "\n", "é" * 47, GOOD):
        with pytest.raises(BadToken):
            refresh_token_hash(RING, hostile)


def test_api_keys_have_the_agreed_shape() -> None:
    # 32 random and 6 check letters of base 62, evenly drawn; 8 letters may be shown.
    keys = [new_api_key() for _ in range(500)]
    assert len(set(keys)) == 500
    assert all(is_api_key(key) and len(key) == 42 and key.startswith("bsk_") for key in keys)
    letters = Counter("".join(key[4:36] for key in keys))
    assert set(letters) == set(string.ascii_letters + string.digits)
    assert max(letters.values()) < 2 * min(letters.values())
    assert api_key_prefix(keys[0]) == keys[0][:8]


def test_the_check_digits_are_crc32_in_base_62() -> None:
    # The vector in our documentation, so that a scanner can be written from it.
    assert is_api_key("bsk_" + "0" * 32 + "0WnX44")


def test_one_mistyped_letter_of_an_api_key_is_noticed_without_a_look_up() -> None:
    # Every place, several letters; and any two neighbours swapped.
    key = new_api_key()
    for at, letter in enumerate(key):
        for other in {"0", "Z", "a", "_"} - {letter}:
            assert not is_api_key(key[:at] + other + key[at + 1 :])
        swapped = key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
        assert swapped == key or not is_api_key(swapped)


@pytest.mark.parametrize("text", ["", "bsk_", "bsk_" + "0" * 38, "BSK_" + "0" * 32 + "0WnX44"])
def test_a_lookalike_is_no_api_key(text: str) -> None:
    # It is refused before it is hashed.
    for hostile in (text, text + "\n", " " + text, text + "é"):
        assert not is_api_key(hostile)
        with pytest.raises(BadToken):
            api_key_hash(RING, hostile)


def test_the_stored_hash_of_an_api_key_is_keyed() -> None:
    # The same key gives the same hash, another installation another one, a rotation both.
    key = new_api_key()
    assert api_key_hash(RING, key) == api_key_hash(KeyRing(OLD), key)
    assert api_key_hash(FOREIGN, key) != api_key_hash(RING, key)
    assert api_key_hashes(ROTATED, key) == (api_key_hash(FOREIGN, key), api_key_hash(RING, key))


LINK = HostedLink(
    UUID("01900000-0000-7000-8000-000000000001"), UUID("01900000-0000-7000-8000-000000000002"), 1
)


@given(st.uuids(), st.uuids(), st.integers(0, 2**32 - 1))
def test_a_hosted_link_is_printed_the_same_each_time_and_read_back(
    org_id: UUID, document_id: UUID, generation: int
) -> None:
    # So a reminder, a receipt and the PDF carry one link, stored nowhere.
    link = HostedLink(org_id, document_id, generation)
    token = print_hosted_token(RING, link)
    assert token == print_hosted_token(RING, link)
    assert read_hosted_token(RING, token) == link
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


def test_every_changed_letter_of_a_hosted_link_is_noticed() -> None:
    # Including its spare bits, a cut, an addition and padding.
    token = print_hosted_token(RING, LINK)
    alphabet = string.ascii_letters + string.digits + "-_"
    for at, letter in enumerate(token):
        for other in set(alphabet) - {letter}:
            with pytest.raises(BadToken):
                read_hosted_token(RING, token[:at] + other + token[at + 1 :])
    for hostile in ("", token[:-1], token + "A", token + "=", token + "\n", "é", "A" * 10**6):
        with pytest.raises(BadToken):
            read_hosted_token(RING, hostile)


def test_a_hosted_link_lives_as_long_as_its_key() -> None:
    # Readable during a rotation, void afterwards, and a link made by another key is foreign.
    token = print_hosted_token(RING, LINK)
    assert read_hosted_token(ROTATED, token) == LINK
    assert print_hosted_token(ROTATED, LINK) != token
    with pytest.raises(BadToken):
        read_hosted_token(FOREIGN, token)


def test_another_generation_is_another_token() -> None:
    # Raising it is how a leaked link is taken back.
    second = HostedLink(LINK.org_id, LINK.document_id, 2)
    assert print_hosted_token(RING, second) != print_hosted_token(RING, LINK)
    assert read_hosted_token(RING, print_hosted_token(RING, second)).generation == 2
