"""Letters in words: one template for each kind and language, laid out as text and as HTML.

Whatever somebody typed is data: escaped in HTML, on one line in a subject, and rid of everything
that a mail program would make a link of. The only link in a letter leads to this installation.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from email.utils import parseaddr
from pathlib import Path
from typing import Final

from babel.dates import format_date
from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bursar.domain.currencies import Currency, exponent_of
from bursar.domain.mails import LANGUAGE_DEFAULT, Letter, MailKind, PrintedMail

_TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGES: Final = frozenset(each.name for each in _TEMPLATES.iterdir() if each.is_dir())
_LEADS_TO: Final = {
    MailKind.VERIFY_ADDRESS: "/account/verify/",
    MailKind.RESET_PASSWORD: "/account/reset/",
    MailKind.INVITATION: "/account/invitation/",
    MailKind.INVOICE: "/i/",
    MailKind.RECEIPT: "/i/",
    MailKind.PAYMENT_FAILED: "/i/",
    MailKind.REMINDER: "/i/",
    MailKind.CREDIT_NOTE: "/i/",
    MailKind.NEW_LINK: "/i/",
    MailKind.DUNNING_NOTICE: "/i/",
    MailKind.DUNNING_PAUSE: "/i/",
    MailKind.DUNNING_END: "/i/",
}
LOGO: Final = "logo@bursar"
"""Under which name a letter brings its logo."""
_TYPED: Final = frozenset({"name", "organization", "inviter"})
_TYPED_LENGTH_MAX: Final = 80
_NOT_IN_A_NAME: Final = str.maketrans("", "", '"\\<>')
_DAYS: Final = frozenset({"due", "paid"})
# An address begins with a scheme or `www.`, or is letters on both sides of a dot.
_LINKS: Final = re.compile(r"[a-z]*://|www\.|(?<=\w)[.@](?=\w)", re.IGNORECASE)


class Letters:
    """Prints letters whose links lead to one place."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self._plain = _environment(is_html=False)
        self._html = _environment(is_html=True)

    def printed(self, letter: Letter) -> PrintedMail:
        """The letter in words, in its language if we speak it."""
        language = letter.language if letter.language in LANGUAGES else LANGUAGE_DEFAULT
        token = letter.parameters.get("token")
        leads_to = _LEADS_TO.get(letter.kind)
        words: dict[str, str | None] = {
            name: tamed(text) if name in _TYPED else text
            for name, text in letter.parameters.items()
        }
        words |= _formatted(letter.parameters, language)
        words["public_url"] = self._public_url
        words["language"] = language
        words["logo"] = LOGO if letter.logo is not None else None
        words["link"] = f"{self._public_url}{leads_to}{token}" if leads_to and token else None
        name = f"{language}/{letter.kind.value}.j2"

        def laid_out(environment: Environment, layout: str) -> str:
            return environment.get_template(name).render(**words, layout=layout).strip()

        return PrintedMail(
            subject=" ".join(laid_out(self._plain, "layout.subject.j2").split()),
            text=laid_out(self._plain, "layout.text.j2") + "\n",
            html=laid_out(self._html, "layout.html.j2") + "\n",
        )


def sender_for(letter: Letter, sender: str) -> str:
    """Who a letter is from: in the organization's name, from the one address that is ours."""
    if "reply_to" not in letter.parameters:
        return sender
    name = tamed(letter.parameters["organization"]).translate(_NOT_IN_A_NAME)
    return f'"{name}" <{parseaddr(sender)[1]}>'


def _formatted(parameters: Mapping[str, str], language: str) -> dict[str, str | None]:
    """Amounts and days as the language writes them."""
    words: dict[str, str | None] = {}
    if "amount" in parameters:
        minor, _, code = parameters["amount"].partition(" ")
        whole = Decimal(minor).scaleb(-exponent_of(Currency(code)))
        words["amount"] = format_currency(whole, code.upper(), locale=language)
    for name in _DAYS & parameters.keys():
        day = date.fromisoformat(parameters[name])
        words[name] = format_date(day, format="long", locale=language)
    return words


def tamed(text: str) -> str:
    """What somebody typed, fit to stand in a letter that bears our name: no line, no link."""
    one_line = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(_LINKS.sub(" ", one_line).split())[:_TYPED_LENGTH_MAX]


def _environment(*, is_html: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=is_html,  # noqa: S701 - plain text has nothing to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
