"""`bursar run`: the API, its workers and the sandbox processor as one process tree.

The supervisor holds the database for as long as the tree lives, and says what people need to know.
It loads nothing of the application: what needs that is a child.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct

from bursar.cli.entry import PROGRAMS, THE_REST, refuse_optimized
from bursar.cli.failing import Exit, Misused, explained
from bursar.runtime import logging
from bursar.runtime.clock import monotonic
from bursar.runtime.console_links import new_link
from bursar.runtime.file_lock import LockBusy, exclusively
from bursar.runtime.garbage import LARGE_PAGES
from bursar.runtime.installation import (
    DatabaseUrls,
    DemoOrg,
    database_of,
    keep_ports,
    kept_demo_org,
    sandbox_api_key,
    sandbox_webhook_secret,
)
from bursar.runtime.schema import (
    newest_revision,
    require_revision,
    revision_of,
    server_version,
)
from bursar.runtime.settings import (
    METRICS_FOLDER,
    Settings,
    child_environment,
    from_environment,
    load,
)
from bursar.runtime.supervisor import Child, free_port, run_tree
from bursar.runtime.watching import changes

GRACE_SECONDS: Final = 9.0  # of the ten that a stop may take; the rest is PostgreSQL's
_READY_SECONDS: Final = 120
_KEY_SECONDS: Final = 15
_POLL_SECONDS: Final = 0.05
_PROBE_SECONDS: Final = 2.0
_HERE: Final = "127.0.0.1"
_SOURCES: Final = tuple(
    Path(__file__).parents[2] / package for package in ("bursar", "bursar_sandbox")
)
_MEMORY: Final = Path("/dev") / "shm"
_PROBE: Final = f"GET /health HTTP/1.1\r\nHost: {_HERE}\r\nConnection: close\r\n\r\n".encode()

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Stage(Struct, frozen=True):
    """What the tree is started with."""

    settings: Settings
    environment: dict[str, str]
    has_demo_org: bool


@command.command()
def run(
    *,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Make no demo organization.")] = False,
    port: Annotated[int | None, typer.Option(help="TCP port of the API, instead of PORT.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Start all of it again when its source changes.")
    ] = False,
) -> None:
    """Start the API, workers and the sandbox processor, all in one."""
    with explained():
        refuse_optimized()
        given = {} if port is None else {"PORT": str(port)}
        settings = load(child_environment(given)) if given else from_environment()
        logging.configure(
            level=settings.log_level, is_development=settings.app_env == "development"
        )
        sys.exit(asyncio.run(_run(settings, has_demo=not no_demo, is_watching=watch)))


async def _run(settings: Settings, *, has_demo: bool, is_watching: bool) -> int:
    task = asyncio.current_task()
    assert task is not None
    with _canceled_by(task, signal.SIGTERM, signal.SIGHUP):
        try:
            return await _held(settings, has_demo=has_demo, is_watching=is_watching)
        except asyncio.CancelledError:
            return Exit.DONE


async def _held(settings: Settings, *, has_demo: bool, is_watching: bool) -> int:
    """Hold the data directory, then the database, for as long as the tree lives."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with _alone(settings.data_dir), database_of(settings) as urls:
        where = f"(embedded)   {settings.data_dir}/" if settings.database_url is None else ""
        _say(f"  PostgreSQL {await server_version(urls.direct)} {where}".rstrip())
        if not await _is_set_up(urls):
            return Exit.USAGE
        _say("  schema up to date")
        stage = _staged(settings, has_demo=has_demo)
        telling = asyncio.create_task(_tell_when_ready(stage))
        try:
            return await run_tree(
                _children(stage),
                say=_warn,
                grace_seconds=GRACE_SECONDS,
                changes=changes(*_SOURCES) if is_watching else None,
            )
        finally:
            telling.cancel()
            keep_ports(settings.data_dir, {})
            shutil.rmtree(stage.environment[METRICS_FOLDER], ignore_errors=True)


@asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    """One tree for each data directory: the sandbox's books and the metrics have one writer."""
    try:
        async with exclusively(folder / "run.lock", timeout_seconds=0):
            yield
    except LockBusy:
        raise Misused(
            f"{folder}/ is in use by another `bursar run`; give this one a DATA_DIR of its own."
        ) from None


async def _is_set_up(urls: DatabaseUrls) -> bool:
    """Bring an older schema up to date by a child of its own, which alone loads what that takes."""
    found = await revision_of(urls.owner or urls.direct)
    if found is not None and found >= newest_revision():
        require_revision(found)
        return True
    _warn("bringing the schema up to date …")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", THE_REST, "migrate", "--quiet", process_group=0
    )
    try:
        return await child.wait() == Exit.DONE
    finally:
        with suppress(ProcessLookupError):
            child.terminate()


def _staged(settings: Settings, *, has_demo: bool) -> Stage:
    """Settle ports and what the children are told of each other."""
    api = free_port(settings.port)
    sandbox = free_port(settings.sandbox_port, avoid=(api.port,))
    asked = {settings.port: api, settings.sandbox_port: sandbox}
    for found in asked.values():
        if found.notice is not None:
            _warn(found.notice)
    keep_ports(
        settings.data_dir,
        {wanted: found.port for wanted, found in asked.items() if found.port != wanted},
    )
    told = {
        "PORT": str(api.port),
        "SANDBOX_PORT": str(sandbox.port),
        "DATA_DIR": str(settings.data_dir),
        METRICS_FOLDER: str(_metrics_folder(settings.data_dir)),
        "METRICS_PORT": "",  # the API shows what its workers count
    }
    environment = child_environment(told)
    return Stage(load(environment), environment, has_demo and not settings.is_production)


def _metrics_folder(data_dir: Path) -> Path:
    """Where the children keep what they count; a link tells the next start what to clear away.

    They have it mapped into memory: on a disk without room, writing there would end them at once.
    """
    link = data_dir / "metrics"
    shutil.rmtree(link.resolve(), ignore_errors=True)
    link.unlink(missing_ok=True)
    within = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    made = Path(tempfile.mkdtemp(prefix="bursar-metrics-", dir=within))
    link.symlink_to(made)
    return made


def _children(stage: Stage) -> list[Child]:
    python = (sys.executable, "-m")
    settings = stage.settings
    environment = {**LARGE_PAGES, **stage.environment}
    children = [Child("api", (*python, PROGRAMS["serve"], "serve"), environment)]
    for number in range(1, settings.workers + 1):
        makes_demo = ("--demo-org",) if stage.has_demo_org and number == 1 else ()
        children.append(
            Child(
                f"worker {number}",
                (*python, PROGRAMS["worker"], "worker", *makes_demo),
                stage.environment,
            )
        )
    if settings.sandbox_url == f"http://{_HERE}:{settings.sandbox_port}":
        children.append(Child("sandbox", _sandbox(settings), stage.environment))
    return children


def _sandbox(settings: Settings) -> tuple[str, ...]:
    """The card processor; its secrets stand in a file: a command line is seen by everybody."""
    told = (
        f"--port={settings.sandbox_port}",
        f"--data={settings.data_dir / 'sandbox.db'}",
        f"--secret-key={sandbox_api_key(settings)}",
        f"--webhook-url=http://{_HERE}:{settings.port}/webhooks/sandbox",
        f"--webhook-secret={sandbox_webhook_secret(settings)}",
    )
    path = settings.data_dir / "sandbox.arguments"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("\n".join(told))
    return (sys.executable, "-m", "bursar_sandbox", f"@{path}")


async def _tell_when_ready(stage: Stage) -> None:
    settings, deadline = stage.settings, monotonic() + _READY_SECONDS
    while not await _is_healthy(settings.port):
        if monotonic() > deadline:
            _warn("the API does not answer; its log says why.")
            return
        await asyncio.sleep(_POLL_SECONDS)
    made = await _first_step(settings.data_dir) if stage.has_demo_org else None
    if made is not None and made.is_complete:
        _say(_described(made))
    address = settings.public_url.rstrip("/")
    if made is not None:
        link = f"{address}/console/open/{new_link(settings.data_dir)}"
        _say(f"  Console   {link}    (opens as the owner, works once)")
    _say(f"  API       {address}/v1" + (f"   key {made.api_key}" if made else ""))
    _say(f"  Docs      {address}/docs")
    if stage.has_demo_org and (made is None or not made.is_complete):
        _say('  demo organization "Acme Cloud": being made in the background')
        _say(_described(await _whole(settings.data_dir)))


async def _first_step(folder: Path) -> DemoOrg | None:
    """The demo organization as far as it is known; its first step is waited for a moment."""
    deadline = monotonic() + _KEY_SECONDS
    while True:
        made = kept_demo_org(folder)
        if made is not None or monotonic() > deadline:
            return made
        await asyncio.sleep(_POLL_SECONDS)


async def _whole(folder: Path) -> DemoOrg:
    while True:
        made = kept_demo_org(folder)
        if made is not None and made.is_complete:
            return made
        await asyncio.sleep(_POLL_SECONDS)


def _described(made: DemoOrg) -> str:
    return (
        f'  demo organization "Acme Cloud": {made.customers} customers, '
        f"{made.invoices} invoices, {made.failing_cards} failing cards"
    )


async def _is_healthy(port: int) -> bool:
    """Whether the API says that it and its database are well."""
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(_HERE, port)
            try:
                writer.write(_PROBE)
                return (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


@contextmanager
def _canceled_by(task: "asyncio.Task[object]", *numbers: signal.Signals) -> Iterator[None]:
    """Until the tree listens for itself, a signal ends the start in good order."""
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _warn(line: str) -> None:
    sys.stderr.write(f"bursar: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    command(args=sys.argv[2:], prog_name="bursar run")
