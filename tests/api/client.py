"""A client without sockets: one request into the ASGI application, one answer out of it."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from msgspec import Struct, field

from bursar.api.guard import AsgiApp
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId

# Who opens a stream hears its first look. Leaving in the midst of it costs a connection to the
# database, and proves less.
STAY_SECONDS: Final = 0.1


class Response(Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def value(self) -> Any:
        """The resource or the list in `data`."""
        return self.json["data"]

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def fields(self) -> set[str]:
        """The fields that an error names."""
        return {detail["field"] for detail in self.error.get("details", [])}

    @property
    def codes(self) -> set[str]:
        return {detail["code"] for detail in self.error.get("details", [])}


class Client(Struct, frozen=True):
    """Somebody who asks, with the headers they always send."""

    app: AsgiApp
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"

    def bearing(self, credential: str, org_id: OrgId | str | None = None) -> "Client":
        """The same client with a credential."""
        headers = {**self.headers, "authorization": f"Bearer {credential}"}
        if org_id is not None:
            headers["x-org-id"] = org_id
        return replace(self, headers=headers)

    async def get(self, path: str, **headers: str) -> Response:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, body: object = None, **headers: str) -> Response:
        return await self.ask("POST", path, body, headers=headers)

    async def patch(self, path: str, body: object, **headers: str) -> Response:
        return await self.ask("PATCH", path, body, headers=headers)

    async def delete(self, path: str, **headers: str) -> Response:
        return await self.ask("DELETE", path, headers=headers)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request; a body that is not bytes goes as JSON. `_` in a header's name is a dash."""
        given = {**self.headers}
        given |= {name.replace("_", "-").lower(): text for name, text in (headers or {}).items()}
        raw = (
            b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        if raw:
            given.setdefault("content-type", "application/json")
            given.setdefault("content-length", str(len(raw)))
        given.setdefault("host", "localhost:3000")
        pairs = [(name.encode(), text.encode("latin-1")) for name, text in given.items()]
        return await self.send(method, path, raw, pairs)

    async def send(
        self, method: str, path: str, raw: bytes, headers: list[tuple[bytes, bytes]]
    ) -> Response:
        """Exactly these bytes."""
        parts = urlsplit(path)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": quote(parts.path, safe="/%").encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": headers,
            "client": (self.address, 40_000),
            "server": ("127.0.0.1", 3000),
            "state": {},
        }
        sent: list[Any] = []
        chunks = [{"type": "http.request", "body": raw, "more_body": False}]

        async def receive() -> Any:
            if chunks:
                return chunks.pop()
            await asyncio.sleep(STAY_SECONDS)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start = next(message for message in sent if message["type"] == "http.response.start")
        body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        named = {name.decode().lower(): text.decode() for name, text in start["headers"]}
        return Response(start["status"], named, body)
