"""Letters say what they should and no more; mail servers may do whatever they like."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import example, given
from hypothesis import strategies as st
from tests.domain.test_pictures import a_png
from tests.support.mail_server import Peer

from bursar.domain.frozen import replace
from bursar.domain.ids import MailId
from bursar.domain.mails import (
    PARAMETERS,
    Enclosure,
    Letter,
    MailDeferred,
    MailKept,
    MailKind,
    MailOutcome,
    MailRefused,
    MailSent,
    is_mailbox,
)
from bursar.providers.guard import MAIL, CircuitBreaker
from bursar.providers.mail.guarded import GuardedMailer
from bursar.providers.mail.letters import LANGUAGES, Letters, tamed
from bursar.providers.mail.outbox import OutboxMailer
from bursar.providers.mail.resend import ResendMailer
from bursar.providers.mail.smtp import SmtpMailer, SmtpServer, message_of

PUBLIC_URL: Final = "https://billing.example.com"
SENDER: Final = "Bursar <bursar@billing.example.com>"
LETTERS: Final = Letters(PUBLIC_URL)
PDF_NAME: Final = "INV-2026-00001.pdf"


def letter(kind: MailKind = MailKind.INVITATION, typed: Mapping[str, str] | None = None) -> Letter:
    parameters = {name: name.capitalize() for name in PARAMETERS[kind]}
    known = {"amount": "129900 usd", "due": "2026-03-16", "paid": "2026-03-02", "days": "3"}
    parameters |= {name: text for name, text in known.items() if name in parameters}
    if kind is MailKind.REMINDER or "reply_to" in parameters:
        parameters["reply_to"] = "billing@acme.example"
    parameters |= typed or {}
    return Letter(
        id=MailId("mail_0195a1b2-c3d4-7999-8000-0123456789ab"),
        kind=kind,
        language="en",
        recipient="ann@example.com",
        parameters=parameters,
    )


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("kind", MailKind)
def test_every_kind_is_written_in_every_language(kind: MailKind, language: str) -> None:
    # In text and HTML, with each value in both, and one line for a subject.
    written = letter(kind)
    printed = LETTERS.printed(replace(written, language=language))
    assert printed.subject
    assert "\n" not in printed.subject
    unseen = {"change", "note_id", "reason", "reply_to", "amount", "due", "paid"}
    for value in {text for name, text in written.parameters.items() if name not in unseen}:
        assert value in printed.text, value
        assert value in printed.html, value
    assert printed.text.count("https://") == printed.text.count(PUBLIC_URL)
    assert printed.html.count("https://") == printed.html.count(PUBLIC_URL)


def test_an_unknown_language_is_english() -> None:
    # A letter is written before anybody knows which languages we will speak.
    odd = replace(letter(), language="tlh")
    assert LETTERS.printed(odd) == LETTERS.printed(letter())


HOSTILE: Final = (
    "<script>alert(1)</script>",
    "Click https://evil.example/now",
    "www.evil.example",
    "evil.example",
    "a@evil.example",
    "Ann\r\nBcc: all@example.com",
    "Ann\u202e\u2028gro.live",
    "{{ 7 * 7 }}{% include 'x' %}",
    "x" * 10_000,
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["organization", "inviter"])
def test_what_somebody_typed_stays_text(text: str, name: str) -> None:
    # No markup, no link, no second line, no template; our own link is the only one.
    printed = LETTERS.printed(letter(typed={name: text}))
    for part in (printed.text, printed.html, printed.subject):
        assert "evil.example" not in part
        assert "Bcc:" not in part.splitlines()
        assert "49" not in part
        assert len(part) < 4_000
    assert "<script" not in printed.html
    message = message_of(letter(typed={name: text}), printed, SENDER)
    assert message["Bcc"] is None
    assert message["To"] == "ann@example.com"


@given(st.text(max_size=300))
@example("://")
def test_no_name_makes_a_header_or_a_link(text: str) -> None:
    # Whatever is typed: one line, bounded, nothing that a mail program would make a link of.
    kept = tamed(text)
    assert kept.isprintable()
    assert len(kept) <= 80
    assert "://" not in kept
    message = message_of(letter(), LETTERS.printed(letter(typed={"organization": text})), SENDER)
    assert message_from_bytes(message.as_bytes(), policy=policy.default)["To"] == "ann@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c.de",
        "a@b.de\n",
        "a@b.de,c@d.de",
        "<a@b.de>",
        "é@b.de",
        "a" * 250 + "@b.de",
    ],
)
def test_a_recipient_is_one_address(text: str) -> None:
    # Nothing that could become two, or a header.
    assert not is_mailbox(text)
    assert is_mailbox("ann+x@example.com")


def test_a_letter_is_marked_as_sent_by_a_machine() -> None:
    # So that no out-of-office answers it; and it has the same name each time.
    first = message_of(letter(), LETTERS.printed(letter()), SENDER)
    second = message_of(letter(), LETTERS.printed(letter()), SENDER)
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@billing.example.com>")
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]


@asynccontextmanager
async def peer(**moods: str) -> AsyncIterator[tuple[Peer, SmtpMailer]]:
    made = Peer({("." if name == "END" else name): said for name, said in moods.items()})
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield made, SmtpMailer(SmtpServer("127.0.0.1", port, is_tls=False), SENDER, LETTERS)


async def test_mail_leaves_by_smtp() -> None:
    # The server gets one message, whole, in both dresses.
    async with peer() as (server, mailer):
        assert isinstance(await mailer.send(letter()), MailSent)
    (raw,) = server.heard
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    assert message["To"] == "ann@example.com"
    assert "/account/invitation/Token" in str(message.get_body(("plain",)))


async def test_a_file_goes_with_the_letter() -> None:
    # Beside both dresses, under its own name and byte for byte, whichever way it goes.
    enclosed = replace(letter(), enclosure=Enclosure(PDF_NAME, b"%PDF-1.7 \x00\xff"))
    assert enclosed.enclosure is not None
    async with peer() as (server, mailer):
        assert isinstance(await mailer.send(enclosed), MailSent)
    message = message_from_bytes(server.heard[0], _class=EmailMessage, policy=policy.default)
    (file,) = message.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("application/pdf", PDF_NAME)
    assert file.get_content() == enclosed.enclosure.body
    assert "/account/invitation/Token" in str(message.get_body(("plain",)))
    heard: list[tuple[dict[str, str], dict[str, object]]] = []
    async with resend(200, '{"id": "r1"}', heard) as by_post:
        assert await by_post.send(enclosed) == MailSent("r1")
    content = b64encode(enclosed.enclosure.body).decode()
    assert heard[0][1]["attachments"] == [{"filename": PDF_NAME, "content": content}]


async def test_a_logo_is_shown_in_the_letter() -> None:
    # It travels inside, beside the HTML that names it; the text knows nothing of it.
    plain = letter(MailKind.CREDIT_NOTE)
    assert "<img" not in LETTERS.printed(plain).html
    file = Enclosure(PDF_NAME, b"%PDF-1.7")
    shown = replace(plain, logo=a_png(4, 4), enclosure=file)
    printed = LETTERS.printed(shown)
    assert printed.html.count('src="cid:logo@bursar"') == 1
    assert printed.text == LETTERS.printed(plain).text
    message = message_of(shown, printed, SENDER)
    sent = message_from_bytes(message.as_bytes(), _class=EmailMessage, policy=policy.default)
    (pdf,) = sent.iter_attachments()
    assert pdf.get_filename() == PDF_NAME
    (logo,) = (part for part in sent.walk() if part.get_content_maintype() == "image")
    assert (logo["Content-ID"], logo.get_content_type()) == ("<logo@bursar>", "image/png")
    assert logo.get_content() == shown.logo
    assert sent.get_body(("html",)) is not None
    heard: list[tuple[dict[str, str], dict[str, object]]] = []
    async with resend(200, '{"id": "r1"}', heard) as by_post:
        await by_post.send(shown)
    attachments = heard[0][1]["attachments"]
    assert isinstance(attachments, list)
    inside, beside = attachments
    assert inside == {
        "filename": "logo.png",
        "content": b64encode(a_png(4, 4)).decode(),
        "content_id": "logo@bursar",
    }
    assert "content_id" not in beside


@pytest.mark.parametrize(
    ("mood", "outcome"),
    [
        ({"RCPT": "550 no such person secret-words"}, MailRefused("the mail server said 550")),
        ({"RCPT": "450 busy"}, MailDeferred("the mail server said 450")),
        ({"MAIL": "421 closing"}, MailDeferred("the mail server said 421")),
        ({"DATA": "554 spam"}, MailRefused("the mail server said 554")),
        ({"END": "452 full"}, MailDeferred("the mail server said 452")),
    ],
)
async def test_what_a_mail_server_says_decides(mood: dict[str, str], outcome: MailOutcome) -> None:
    # Five hundreds are for ever, four hundreds for now; its words are not kept.
    async with peer(**mood) as (_, mailer):
        assert await mailer.send(letter()) == outcome


async def test_a_mail_server_that_is_not_there_is_asked_later() -> None:
    # Nobody listens, or somebody hangs up, or offers no TLS where a password would be said.
    async with peer() as (server, mailer):
        server.is_mute = True
        assert isinstance(await mailer.send(letter()), MailDeferred)
    assert isinstance(await mailer.send(letter()), MailDeferred)
    async with peer() as (server, plain):
        guarded = SmtpServer("127.0.0.1", plain._server.port, False, "ann", "secret")
        assert isinstance(await SmtpMailer(guarded, SENDER, LETTERS).send(letter()), MailDeferred)
        assert server.heard == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 587, is_tls=False)),
        ("smtps://mail.example.com", SmtpServer("mail.example.com", 465, is_tls=True)),
        (
            "smtp://a%40b:p%2Fq@mail.example.com:25",
            SmtpServer("mail.example.com", 25, is_tls=False, username="a@b", password="p/q"),
        ),
    ],
)
def test_a_mail_server_is_named_by_a_url(url: str, server: SmtpServer) -> None:
    # With the usual ports; printing it shows no password.
    assert SmtpServer.of(url) == server
    assert "p/q" not in repr(SmtpServer.of(url))


@asynccontextmanager
async def resend(
    status: int, text: str, heard: list[tuple[dict[str, str], dict[str, object]]]
) -> AsyncIterator[ResendMailer]:
    async def answer(request: web.Request) -> web.Response:
        heard.append((dict(request.headers), json.loads(await request.text())))
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_post("/emails", answer)
    async with TestServer(app) as server:
        mailer = ResendMailer("re_key", SENDER, LETTERS, str(server.make_url("")).rstrip("/"))
        yield mailer
        await mailer.aclose()


@pytest.mark.parametrize(
    ("status", "text", "outcome"),
    [
        (200, '{"id": "r1"}', MailSent("r1")),
        (200, "[]", MailSent()),
        (200, "not JSON", MailDeferred("Resend could not be reached, or answered nothing of use")),
        (422, "{}", MailRefused("Resend said 422")),
        (401, "{}", MailDeferred("Resend said 401")),
        (429, "{}", MailDeferred("Resend said 429")),
        (302, "{}", MailRefused("Resend said 302")),
        (503, "", MailDeferred("Resend said 503")),
    ],
)
async def test_mail_leaves_by_resend(status: int, text: str, outcome: MailOutcome) -> None:
    # One POST under the letter's own key, so a repetition sends nothing twice.
    heard: list[tuple[dict[str, str], dict[str, object]]] = []
    async with resend(status, text, heard) as mailer:
        assert await mailer.send(letter()) == outcome
    ((headers, body),) = heard
    assert headers["Idempotency-Key"] == letter().id
    assert headers["Authorization"] == "Bearer re_key"
    assert (body["to"], body["from"]) == (["ann@example.com"], SENDER)


async def test_without_a_server_mail_stays() -> None:
    # And can be printed.
    mailer = OutboxMailer(LETTERS)
    assert await mailer.send(letter()) == MailKept()
    assert mailer.print_letter(letter()).subject == "Invitation to Organization"


class Moody(OutboxMailer):
    """Answers what it is told to."""

    outcome: MailOutcome = MailDeferred("away")
    asked = 0

    async def send(self, _letter: Letter) -> MailOutcome:
        self.asked += 1
        return self.outcome


async def test_a_mail_server_in_trouble_is_left_alone() -> None:
    # After three failures in a row nothing is sent for a minute; a refused letter is no failure.
    now = [0.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731 - a clock that is set by hand
    inner = Moody(LETTERS)
    mailer = GuardedMailer(inner, CircuitBreaker(MAIL, clock))
    for _ in range(5):
        assert isinstance(await mailer.send(letter()), MailDeferred)
    assert inner.asked == MAIL.failures_max
    now[0] += MAIL.cooldown_seconds
    inner.outcome = MailRefused("550")
    for _ in range(5):
        assert await mailer.send(letter()) == MailRefused("550")
