"""Mail by Resend: one POST for each letter, under an idempotency key of the letter's own id."""

from base64 import b64encode
from typing import Any, Final

import aiohttp

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

API_URL: Final = "https://api.resend.com"
TIMEOUT_SECONDS: Final = 15
_ANSWER_MAX: Final = 16_384
_OK: Final = range(200, 300)
# Our key, our rate, or their trouble: nothing that is wrong with this letter.
_LATER: Final = frozenset({401, 403, 408, 409, 429})
_THEIR_FAULT: Final = 500


class ResendMailer(Mailer):
    """A `Mailer` over Resend. Close it when done."""

    def __init__(self, key: str, sender: str, letters: Letters, api_url: str = API_URL) -> None:
        self._key = key
        self._sender = sender
        self._letters = letters
        self._url = f"{api_url}/emails"
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        return "resend"

    @property
    def takes_files(self) -> bool:
        return True

    def print_letter(self, letter: Letter) -> PrintedMail:
        return self._letters.printed(letter)

    async def send(self, letter: Letter) -> MailOutcome:
        printed = self._letters.printed(letter)
        body: dict[str, Any] = {
            "from": sender_for(letter, self._sender),
            "to": [letter.recipient],
            "subject": printed.subject,
            "text": printed.text,
            "html": printed.html,
            "headers": {"Auto-Submitted": "auto-generated"},
        }
        if letter.parameters.get("reply_to"):
            body["reply_to"] = letter.parameters["reply_to"]
        if attachments := _attachments(letter):
            body["attachments"] = attachments
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": letter.id}
        try:
            return await self._posted(body, headers)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return MailDeferred("Resend could not be reached, or answered nothing of use")

    async def aclose(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()

    async def _posted(self, body: dict[str, Any], headers: dict[str, str]) -> MailOutcome:
        async with self._opened().post(
            self._url, json=body, headers=headers, allow_redirects=False
        ) as answer:
            if answer.status not in _OK:
                said = f"Resend said {answer.status}"
                is_later = answer.status in _LATER or answer.status >= _THEIR_FAULT
                return MailDeferred(said) if is_later else MailRefused(said)
            if (answer.content_length or 0) > _ANSWER_MAX:
                return MailSent()
            told = await answer.json(content_type=None)
            reference = told.get("id") if isinstance(told, dict) else None
            return MailSent(reference if isinstance(reference, str) else None)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
                trust_env=False,
            )
        return self._session


def _attachments(letter: Letter) -> list[dict[str, str]]:
    """What goes with the letter; what has a name of its own is shown in it."""
    files = []
    if (logo := letter.logo) is not None:
        name = f"logo.{kind_of(logo)}"
        files.append({"filename": name, "content": _said(logo), "content_id": LOGO})
    if (file := letter.enclosure) is not None:
        files.append({"filename": file.name, "content": _said(file.body)})
    return files


def _said(body: bytes) -> str:
    return b64encode(body).decode()
