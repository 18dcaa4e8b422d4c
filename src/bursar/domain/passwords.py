"""Which passwords are accepted, and the one spelling a password is hashed in.

Length is what counts: 15 characters of anything, or 8 with upper case, lower case and a digit. A
password is brought to Unicode NFC, so that it is the same from every keyboard, and is never cut.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from bursar.domain.popular_passwords import is_popular, stem_of

PASSWORD_LENGTH_MAX: Final = 128
_PRODUCT: Final = "bursar"
PASSWORD_LENGTH_PLAIN: Final = 15
PASSWORD_LENGTH_MIXED: Final = 8
# A character decomposes into a handful at most; beyond this, composing cannot save it.
_RAW_LENGTH_MAX: Final = 4 * PASSWORD_LENGTH_MAX


class PasswordRefused(ValueError):
    """The password is not accepted; the text says what would be."""


def normalized(password: str) -> str:
    """The spelling that is hashed and compared.

    Raises:
        PasswordRefused: longer than any accepted password, or not encodable text.
    """
    if len(password) <= _RAW_LENGTH_MAX:
        composed = unicodedata.normalize("NFC", password)
        if len(composed) <= PASSWORD_LENGTH_MAX:
            if any("\ud800" <= character <= "\udfff" for character in composed):
                raise PasswordRefused("a password is text; this one holds half a character")
            return composed
    raise PasswordRefused(f"a password has at most {PASSWORD_LENGTH_MAX} characters")


def accepted_password(password: str, *, email: str, words: Iterable[str] = ()) -> str:
    """The normalized password, if it may be chosen.

    Raises:
        PasswordRefused: too short, too long, among the first that are tried everywhere, or made of
            the address, the product or the `words`: names of the person and their organization.
    """
    composed = normalized(password)
    is_long = len(composed) >= PASSWORD_LENGTH_PLAIN
    if not (is_long or _is_mixed(composed)):
        raise PasswordRefused(
            f"a password has at least {PASSWORD_LENGTH_PLAIN} characters, or "
            f"{PASSWORD_LENGTH_MIXED} with upper case, lower case and a digit"
        )
    if composed.casefold().strip() == unicodedata.normalize("NFC", email).casefold().strip():
        raise PasswordRefused("a password is not the e-mail address")
    if is_popular(composed):
        raise PasswordRefused("this password is among the first that are tried everywhere")
    stem = stem_of(composed)
    if stem and any(stem == stem_of(word) for word in (_PRODUCT, *_parts(email), *words)):
        raise PasswordRefused("a password is not a name that everybody knows here")
    return composed


def _parts(email: str) -> Iterable[str]:
    return email, email.partition("@")[0], email.partition("@")[2].partition(".")[0]


def _is_mixed(password: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdecimal)
    return len(password) >= PASSWORD_LENGTH_MIXED and all(
        any(map(is_kind, password)) for is_kind in kinds
    )
