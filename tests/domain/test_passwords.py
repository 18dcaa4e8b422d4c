"""Which passwords may be chosen, and in which spelling."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.passwords import PasswordRefused, accepted_password, normalized

EMAIL = "ann.longname@example.com"


@pytest.mark.parametrize(
    "password",
    [
        "a" * 15,
        "correct horse battery",
        "Abcdefg1",
        "Ünïcödé1",
        "٣Aaaaaaa",
        "🔑" * 15,
        "x" * 128,
        " " * 15,
        "e\u0301" * 128,
    ],
)
def test_long_or_mixed_passwords_are_accepted(password: str) -> None:
    # Any script, blanks too, up to 128 characters as people count them.
    assert accepted_password(password, email=EMAIL) == unicodedata.normalize("NFC", password)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "a" * 14,
        "Abcdef1",
        "abcdefg1",
        "ABCDEFG1",
        "Abcdefgh",
        "e\u0301" * 14,
        "x" * 129,
        "x" * 1_000_000,
        "e\u0301" * 100_000,
        "Abcdefg1\ud800",
        EMAIL,
        EMAIL.upper(),
        f" {EMAIL} ",
    ],
)
def test_short_overlong_and_obvious_passwords_are_refused(password: str) -> None:
    # The reason never repeats the password.
    with pytest.raises(PasswordRefused) as caught:
        accepted_password(password, email=EMAIL)
    assert not password or password not in str(caught.value)


@given(st.text(max_size=200))
def test_two_keyboards_give_one_password(password: str) -> None:
    # Composed and decomposed spellings are the same; normalizing twice changes nothing.
    try:
        once = normalized(password)
    except PasswordRefused:
        return
    assert normalized(once) == once
    assert normalized(unicodedata.normalize("NFD", password)) == once
