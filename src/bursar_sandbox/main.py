"""The command `bursar-sandbox`: reads arguments, builds a sandbox, serves it until SIGTERM."""

import argparse
import asyncio
import secrets
import signal
import sqlite3
import sys
from pathlib import Path

from msgspec import Struct

from bursar_sandbox.core.journal import SqliteJournal
from bursar_sandbox.core.outbox import Endpoint
from bursar_sandbox.sandbox import Sandbox, SandboxSettings
from bursar_sandbox.server import Shell, bound

HOST = "127.0.0.1"
PORT = 12111
MEMORY = ":memory:"


class ServeOptions(Struct, frozen=True):
    """What a running sandbox needs to know. Without `public_url` pages are at the bound address."""

    secret_key: str
    host: str = HOST
    port: int = PORT
    data: str = MEMORY
    public_url: str | None = None
    seed: str | None = None
    endpoints: tuple[Endpoint, ...] = ()


async def serve(options: ServeOptions, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; prints one line with the address once requests are answered."""
    listener = bound(options.host, options.port)
    url = f"http://{options.host}:{listener.getsockname()[1]}"
    settings = SandboxSettings(
        secret_key=options.secret_key,
        public_url=(options.public_url or url).rstrip("/"),
        seed=options.seed or secrets.token_hex(16),
        endpoints=options.endpoints,
    )
    shell = Shell(Sandbox(settings, journal=_journal(options.data)))
    await shell.start(listener)
    try:
        sys.stdout.write(f"sandbox listening on {url}\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await shell.stop()


def _journal(data: str) -> SqliteJournal | None:
    if data == MEMORY:
        return None
    try:
        return SqliteJournal(Path(data))
    except (sqlite3.Error, OSError) as problem:
        raise SystemExit(f"cannot open the books {data}: {problem}") from problem


def run(arguments: list[str] | None = None) -> None:
    """The process: SIGTERM and SIGINT end it cleanly."""
    asyncio.run(_run(options_of(arguments)))


async def _run(options: ServeOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(options, stop)


def options_of(arguments: list[str] | None) -> ServeOptions:
    """The command line as options."""
    # `@file` reads more arguments from a file: a command line is seen by everybody, secrets too.
    parser = argparse.ArgumentParser(
        prog="bursar-sandbox", description=__doc__, fromfile_prefix_chars="@"
    )
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=PORT, help="0 takes any free port")
    parser.add_argument("--data", default=MEMORY, help="a SQLite file, or :memory:")
    parser.add_argument("--public-url", help="where browsers reach the hosted pages")
    parser.add_argument("--webhook-url", help="where events are posted")
    parser.add_argument("--webhook-secret", help="what they are signed with (whsec_…)")
    parser.add_argument("--secret-key", default="sk_test_sandbox")
    parser.add_argument("--seed", help="the same seed gives the same ids")
    given = parser.parse_args(arguments)
    if bool(given.webhook_url) != bool(given.webhook_secret):
        parser.error("--webhook-url and --webhook-secret go together")
    endpoint = Endpoint(given.webhook_url or "", given.webhook_secret or "")
    return ServeOptions(
        secret_key=given.secret_key,
        host=given.host,
        port=given.port,
        data=given.data,
        public_url=given.public_url,
        seed=given.seed,
        endpoints=(endpoint,) if given.webhook_url else (),
    )
