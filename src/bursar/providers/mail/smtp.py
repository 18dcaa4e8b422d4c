"""Mail by SMTP, to the one server that the settings name.

Ours is a fresh connection for each letter: mail is rare, and a connection kept open is one more
thing that can be stale. A password is only said over TLS. What a server says about a letter is kept
as its number; its words may hold anything.
"""

import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib
from msgspec import Struct

from bursar.domain.frozen import printed
from bursar.domain.mails import (
    Letter,
    MailDeferred,
    Mailer,
    MailOutcome,
    MailRefused,
    MailSent,
    PrintedMail,
)
from bursar.domain.pictures import kind_of
from bursar.providers.mail.letters import LOGO, Letters, sender_for
from bursar.runtime.clock import now

TIMEOUT_SECONDS: Final = 15
_PORTS: Final = {"smtp": 587, "smtps": 465}
_PERMANENT: Final = range(500, 600)


class SmtpServer(Struct, frozen=True):
    """Where mail is handed over. `smtps` is TLS from the first byte; `smtp` turns to it."""

    host: str
    port: int
    is_tls: bool
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return printed(self, without="password")

    @classmethod
    def of(cls, url: str) -> "SmtpServer":
        """The server that a URL names."""
        parts = urlsplit(url)
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or _PORTS[parts.scheme],
            is_tls=parts.scheme == "smtps",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class SmtpMailer(Mailer):
    """A `Mailer` over SMTP."""

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        letters: Letters,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._letters = letters
        self._tls = tls

    @property
    def name(self) -> str:
        return "smtp"

    @property
    def takes_files(self) -> bool:
        return True

    def print_letter(self, letter: Letter) -> PrintedMail:
        return self._letters.printed(letter)

    async def send(self, letter: Letter) -> MailOutcome:
        message = message_of(letter, self._letters.printed(letter), self._sender)
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                use_tls=server.is_tls,
                # Without a password TLS is taken where it is offered; with one it is required.
                start_tls=None if server.is_tls or server.password is None else True,
                tls_context=self._tls,
                username=server.username,
                password=server.password,
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPAuthenticationError:
            return MailDeferred("the mail server refused our password")
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _answered(refused.recipients[0].code)
        except aiosmtplib.SMTPResponseException as refused:
            return _answered(refused.code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            return MailDeferred("the mail server could not be reached")
        return MailSent(message["Message-ID"])


def message_of(letter: Letter, printed: PrintedMail, sender: str) -> EmailMessage:
    """The letter as it travels: text and HTML, and headers that no text can break out of."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender_for(letter, sender)
    if letter.parameters.get("reply_to"):
        message["Reply-To"] = letter.parameters["reply_to"]
    message["To"] = letter.recipient
    message["Subject"] = printed.subject
    message["Date"] = format_datetime(now())
    # The same letter has the same name each time it is sent, so a copy is known for one.
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(printed.text)
    message.add_alternative(printed.html, subtype="html")
    if letter.logo is not None:
        # Beside the HTML that shows it, so that nobody sees it as a file.
        shown = message.get_body(("html",))
        assert shown is not None, "it was added just now"
        kind = kind_of(letter.logo)
        shown.add_related(letter.logo, "image", kind, cid=f"<{LOGO}>", filename=f"logo.{kind}")
    if (file := letter.enclosure) is not None:
        message.add_attachment(file.body, "application", "pdf", filename=file.name)
    return message


def _answered(code: int) -> MailOutcome:
    said = f"the mail server said {code}"
    return MailRefused(said) if code in _PERMANENT else MailDeferred(said)
