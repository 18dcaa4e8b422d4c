"""A browser without a screen: keeps its cookie, reads forms, fills them in and presses."""

import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

from msgspec import Struct
from tests.api.client import Client, Response

from bursar.console.passes import Pass, cookie, cookie_name, form_token
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId, SessionId, UserId
from bursar.runtime.app import App

OWN = {"sec_fetch_site": "same-origin"}


class _Page(HTMLParser):
    """What of a page a test looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.scripts: set[str] = set()
        self._inside = ""  # the field whose value is not an attribute

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: text or "" for name, text in attrs}
        self.tags.append(tag)
        self.attributes |= given.keys()
        if tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        if tag in {"select", "textarea"}:
            self._inside = given["name"]
            self.fields[self._inside] = ""
        if tag == "option" and "selected" in given:
            self.fields[self._inside] = given["value"]
        if tag == "script":
            self.scripts.add(given.get("src", ""))
        if tag == "a":
            self.links.append(given.get("href", ""))

    def handle_data(self, data: str) -> None:
        if self._inside and self.tags[-1] == "textarea":
            self.fields[self._inside] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in {"select", "textarea"}:
            self._inside = ""


def read(answer: Response) -> _Page:
    """The page, taken apart."""
    page = _Page()
    page.feed(answer.body.decode())
    return page


def text_of(answer: Response) -> str:
    """What a reader sees, without the tags."""
    return unescape(re.sub(r"<[^>]+>", " ", answer.body.decode()))


class Browser(Struct, frozen=True):
    """Somebody at a page."""

    client: Client
    jar: str = ""
    org_id: str = ""
    token: str = ""  # what its forms carry

    async def get(self, path: str, **headers: str) -> Response:
        return await self.client.get(path, **self._sent(headers))

    async def see(self, place: str = "") -> Response:
        """A page of the organization."""
        return await self.get(f"/console/{self.org_id}{place}")

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Response:
        """A form, sent as it is."""
        sent = {"content_type": "application/x-www-form-urlencoded"} | self._sent(headers)
        return await self.client.post(path, urlencode(fields).encode(), **sent)

    async def press(self, place: str, **typed: str) -> Response:
        """Open a button's page, fill it in, and press."""
        path = f"/console/{self.org_id}{place}"
        shown = read(await self.get(path))
        hidden = {name: text for name, text in shown.fields.items() if name in {"_token", "_key"}}
        kept = {n: t for n, t in shown.fields.items() if n not in hidden and t and n != "q"}
        return await self.post(path, hidden | kept | typed, **OWN)

    async def sign_in(self, email: str, password: str, **typed: str) -> Response:
        """By the form."""
        fields = {"email": email, "password": password, **typed}
        return await self.post("/console/sign-in", fields, **OWN)

    def keeping(self, answer: Response) -> "Browser":
        """The same browser with the cookie it was given."""
        return replace(self, jar=answer.headers["set-cookie"].partition(";")[0])

    def _sent(self, headers: dict[str, str]) -> dict[str, str]:
        return ({"cookie": self.jar} if self.jar else {}) | headers


def signed_in(app: App, client: Client, access_token: str, org_id: OrgId | str) -> Browser:
    """A browser of whoever holds this token."""
    now = datetime.now(UTC)
    claims = app.access_tokens.read(access_token, now)
    given = Pass(UserId(claims.subject), SessionId(claims.session_id), now, now)
    jar = cookie(app.keys, given, is_secure=False).partition(";")[0]
    assert jar.startswith(cookie_name(is_secure=False))
    return Browser(replace(client, headers={}), jar, org_id, form_token(app.keys, given))
