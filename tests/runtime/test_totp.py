"""Codes are those of RFC 6238, for now and one step around it."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bursar.runtime import totp

SECRET = b"12345678901234567890"
# RFC 6238, appendix B, SHA-1, the last six digits.
VECTORS = {
    59: "287082",
    1_111_111_109: "081804",
    1_111_111_111: "050471",
    1_234_567_890: "005924",
    2_000_000_000: "279037",
    20_000_000_000: "353130",
}


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_the_published_vectors_hold(seconds: int, code: str) -> None:
    # Also far in the future.
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(SECRET, totp.step_of(at)) == code
    assert totp.matching_step(SECRET, code, at) == seconds // 30


def test_a_step_of_drift_and_no_more() -> None:
    # Either way; what is no code at all is not one.
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    code = totp.code_at(SECRET, totp.step_of(at))
    step = timedelta(seconds=30)
    assert totp.matching_step(SECRET, code, at + step) == totp.step_of(at)
    assert totp.matching_step(SECRET, code, at - step) == totp.step_of(at)
    for off in (2 * step, -2 * step):
        assert totp.matching_step(SECRET, code, at + off) is None
    for hostile in ("", "0", code + "0", code[:-1], "é" * 6, "٠" * 6):
        assert totp.matching_step(SECRET, hostile, at) is None


def test_what_an_authenticator_reads() -> None:
    # The address may hold anything an address may hold.
    made = totp.new_secret()
    uri = totp.uri_of(made, issuer="Bursar", account="a+b&c@example.com")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query) == {"secret": [totp.printed(made)], "issuer": ["Bursar"]}
    assert len(made) == totp.SECRET_LENGTH
