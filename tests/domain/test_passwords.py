"""Which passwords may be chosen, and in which spelling."""

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.passwords import PasswordRefused, accepted_password, normalized

EMAIL = "ann.longname@example.com"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "Tr4velog",
        "Ünïcödé1",
        "٣Aimpeld",
        "🔑🦉🌵🎻🪐" * 3,
        "  q u i e t  sea  ",
        "Пароль-для-кассы",
        "xkwpz" * 25,
        "e\u0301kwpz" * 25,
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
        "a" * 15,
        " " * 15,
        "🔑" * 15,
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


@pytest.mark.parametrize(
    "password",
    [
        "Password1",
        "P@ssw0rd123!",
        "PASSWORD-password-1",
        "Qwertyuiop1234567",
        "Abcdefgh1234567",
        "zyxwvutsrqponmlkj",
        "1Qaz2wsx3edc4rfv",
        "Summer2026!",
        "iloveyouforever1A",
        "Welcome-Administrator9",
        "Mn8mn8mn8mn8mn8mn",
        "Bursar2026",
        "!!Bursar!!2026A1",
        "Longname1",
        "Ann.Longname99",
        "Ann.longname@Example.com1",
        "Acme Cloud 2026 A1",
    ],
)
def test_what_is_tried_first_everywhere_is_refused(password: str) -> None:
    # Common words in their usual dress, rows of keys, and names that everybody knows here.
    with pytest.raises(PasswordRefused) as caught:
        accepted_password(password, email=EMAIL, words=("Ann Longname", "Acme Cloud", "longname"))
    assert password not in str(caught.value)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH", min_size=16, max_size=128))
def test_judging_a_password_ends(password: str) -> None:
    # Whatever it is, it is accepted as it stands or refused.
    with suppress(PasswordRefused):
        assert accepted_password(password, email=EMAIL) == password


@given(st.text(max_size=200))
def test_two_keyboards_give_one_password(password: str) -> None:
    # Composed and decomposed spellings are the same; normalizing twice changes nothing.
    try:
        once = normalized(password)
    except PasswordRefused:
        return
    assert normalized(once) == once
    assert normalized(unicodedata.normalize("NFD", password)) == once
