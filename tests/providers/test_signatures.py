"""The corpus of webhook signatures: one shape passes, everything near it does not."""

import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from bursar.domain.provider import BadSignature
from bursar.providers.stripe.signatures import sign, verify

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
STAMP = int(NOW.timestamp())
BODY = b'{"id":"evt_1"}'
SECRET = "whsec_first"


def signature(stamp: str, body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()


GOOD = signature(str(STAMP))


def test_a_published_vector_holds() -> None:
    # The scheme is Stripe's: HMAC-SHA256, keyed by the whole secret, over `t.body`, in hex.
    at = datetime.fromtimestamp(1_700_000_000, tz=UTC)
    header = sign(b"{}", "whsec_test", at)
    assert header == (
        "t=1700000000,v1=" + hmac.new(b"whsec_test", b"1700000000.{}", "sha256").hexdigest()
    )
    verify(b"{}", header, ["whsec_test"], at)


@pytest.mark.parametrize(
    "header",
    [
        f"t={STAMP},v1={GOOD}",
        f"t={STAMP}, v1={GOOD}",
        f"v1={GOOD},t={STAMP}",
        f"t={STAMP},v1={'0' * 64},v1={GOOD},v0=abc",
        f"t={STAMP},v1={GOOD},v2=later",
    ],
)
def test_a_true_signature_passes(header: str) -> None:
    # Order, blanks, further schemes and further candidates do not hide the true one.
    verify(BODY, header, [SECRET], NOW)


def test_either_secret_passes_while_one_replaces_the_other() -> None:
    # During a rotation the old and the new secret both sign.
    for secret in ("whsec_old", "whsec_new"):
        verify(BODY, sign(BODY, secret, NOW), ["whsec_old", "whsec_new"], NOW)


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_within_five_minutes_either_way_passes(seconds: int) -> None:
    # The clock of either side may be off by five minutes.
    verify(BODY, sign(BODY, SECRET, NOW + timedelta(seconds=seconds)), [SECRET], NOW)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_beyond_five_minutes_either_way_is_refused(seconds: int) -> None:
    # An old capture cannot be replayed, and none can be prepared for later.
    with pytest.raises(BadSignature):
        verify(BODY, sign(BODY, SECRET, NOW + timedelta(seconds=seconds)), [SECRET], NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        f"t={STAMP}",
        f"v1={GOOD}",
        f"t={STAMP},v1=",
        f"t={STAMP},v1={GOOD[:-1]}",
        f"t={STAMP},v1={GOOD.upper()}",
        f"t={STAMP},v1={GOOD}\n",
        f"t={STAMP},v0={GOOD}",
        f"t={STAMP} ,v1={GOOD}x",
        f"t=+{STAMP},v1={signature(f'+{STAMP}')}",
        f"t= {STAMP},v1={signature(f' {STAMP}')}",
        f"t=-{STAMP},v1={signature(f'-{STAMP}')}",
        f"t={STAMP}.0,v1={signature(f'{STAMP}.0')}",
        f"t=0{STAMP}0,v1={signature(f'0{STAMP}0')}",
        f"t=00{STAMP},v1={signature(f'00{STAMP}')}",
        f"t=1_{STAMP},v1={GOOD}",
        "t=1e9,v1=" + signature("1e9"),
        f"t={STAMP},t={STAMP},v1={GOOD}",
        f"t={STAMP},t=1,v1={GOOD}",
        "t=" + "".join(chr(0x0660 + int(digit)) for digit in str(STAMP)) + f",v1={GOOD}",
        f"t={STAMP},v1={GOOD},x={'a' * 2_048}",
        f"t={STAMP},v1=\u00e9{GOOD[1:]}",
        f"T={STAMP},V1={GOOD}",
    ],
)
def test_anything_near_a_true_signature_is_refused(header: str) -> None:
    # No spelling of the time, the scheme or the digest but Stripe's own is accepted.
    with pytest.raises(BadSignature):
        verify(BODY, header, [SECRET], NOW)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1], BODY.replace(b"1", b"2"), b"\xff"])
def test_another_body_is_refused(body: bytes) -> None:
    # One byte more, less or other breaks the signature.
    with pytest.raises(BadSignature):
        verify(body, f"t={STAMP},v1={GOOD}", [SECRET], NOW)


@pytest.mark.parametrize("secrets", [[], [""], ["", ""], ["whsec_other"]])
def test_without_the_right_secret_nothing_passes(secrets: list[str]) -> None:
    # An empty secret is none: it must not make every body signed by the empty key acceptable.
    header = f"t={STAMP},v1={signature(str(STAMP), secret='')},v1={GOOD}"
    with pytest.raises(BadSignature):
        verify(BODY, header, secrets, NOW)
