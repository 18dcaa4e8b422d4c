"""What a worker by itself shows: that it lives, and what it counts."""

from bursar.api.envelope import encoded
from bursar.api.guard import AsgiApp, Receive, Scope, Send
from bursar.runtime.app import App
from bursar.runtime.telemetry import CONTENT_TYPE

_JSON = b"application/json"


def build_worker_pages(app: App) -> AsgiApp:
    """The ASGI application of `METRICS_PORT`."""

    async def pages(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        match scope["method"], scope["path"]:
            case "GET", "/metrics":
                await _answer(send, 200, CONTENT_TYPE.encode(), app.telemetry.exposition())
            case "GET", "/health/live":
                await _answer(send, 200, _JSON, encoded({"status": "ok"}))
            case _:
                await _answer(send, 404, _JSON, b"{}")

    return pages


async def _answer(send: Send, status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
