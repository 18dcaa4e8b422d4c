"""uvicorn as we run it: quiet, inside our loop, ended by our own signals."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from bursar.api.draining import drain
from bursar.api.guard import AsgiApp

KEEP_ALIVE_SECONDS: Final = 60
_BACKLOG: Final = 2048


class Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would end us before the cleaning up."""

    @classmethod
    def of(cls, app: AsgiApp, *, patience_seconds: int, **more: Any) -> "Server":
        """A server of this application; a stop waits that long for what runs."""
        config = uvicorn.Config(
            app,
            loop="none",  # it runs inside ours
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=patience_seconds,
            **more,
        )
        return cls(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Take no more connections, finish what runs, then return from `serve`."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await drain(self, sockets or ())
        await super().shutdown(sockets)
