"""An answer as the server takes it, past the framework."""

from typing import Final

from bursar.api.guard import Send
from bursar.runtime.idempotency import Answer

_JSON: Final = b"application/json"


async def send_answer(send: Send, answer: Answer) -> None:
    """Send it whole."""
    headers = [
        (b"content-type", _JSON),
        (b"content-length", str(len(answer.body)).encode()),
        *((name.lower().encode(), text.encode()) for name, text in answer.headers),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
