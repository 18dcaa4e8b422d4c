"""Two API processes behind a real nginx as we ship it, restarted one after the other."""

import asyncio
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import aiohttp
import pytest
from tests.support.database import Installation, installation
from tests.support.program import Place, Program, place
from tests.support.tree import free_ports
from tests.support.waiting import eventually
from tests.support.world import PASSWORD

pytestmark = pytest.mark.system

ROOT: Final = Path(__file__).resolve().parents[2]
CLIENTS: Final = 16
ROUNDS: Final = 2
CALM_SECONDS: Final = 4.0  # the proxy comes back to a process two or three seconds after a refusal
NGINX_SECONDS: Final = 10
END_SECONDS: Final = 10
PATHS: Final = """\
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
"""


@dataclass
class Crowd:
    """Clients that keep their connections and never send anything twice."""

    session: aiohttp.ClientSession
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    seen: Counter[int | str] = field(default_factory=Counter)
    is_over: bool = False

    async def register(self) -> None:
        body = {"email": "roll@example.com", "password": PASSWORD, "name": "Roll"}
        body["organizationName"] = "Rolling"
        url = f"{self.url}/v1/auth/register"
        async with self.session.post(url, json=body) as answer:
            assert answer.status == 201, await answer.text()
            told = (await answer.json())["data"]
        self.headers["authorization"] = f"Bearer {told['accessToken']}"
        self.headers["x-org-id"] = told["organization"]["id"]

    async def write(self) -> None:
        """One customer after the other; what was not answered is noted by its name."""
        while not self.is_over:
            body = {"email": "buyer@example.com", "name": "Buyer"}
            headers = {**self.headers, "idempotency-key": str(uuid4())}
            try:
                async with self.session.post(
                    f"{self.url}/v1/customers", json=body, headers=headers
                ) as answer:
                    await answer.read()
                    self.seen[answer.status] += 1
            except (aiohttp.ClientError, OSError) as error:
                self.seen[type(error).__name__] += 1

    async def count(self) -> int:
        """How many customers there are."""
        url = f"{self.url}/v1/customers?page=1&pageSize=1"
        async with self.session.get(url, headers=self.headers) as answer:
            total: int = (await answer.json())["meta"]["totalCount"]
            return total


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[Installation]:
    async with installation() as made:
        yield made


def configuration(folder: Path, port: int, ports: tuple[int, int]) -> str:
    """What is shipped, at addresses of this machine instead of those of a network of containers."""
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text("utf-8")
    servers = "".join(f"server 127.0.0.1:{each} max_fails=1 fail_timeout=2s; " for each in ports)
    for shipped, here in (
        ("  resolver 127.0.0.11 valid=5s;\n", PATHS.format(folder=folder)),
        ("server api:3000 resolve max_fails=1 fail_timeout=2s;", servers),
        ("listen 3000;", f"listen 127.0.0.1:{port};"),
    ):
        assert shipped in text, f"nginx.conf no longer says {shipped!r}"
        text = text.replace(shipped, here)
    return f"daemon off;\npid {folder}/pid;\nerror_log {folder}/errors;\n{text}"


def _prepare(folder: Path, text: str) -> None:
    folder.chmod(0o755)  # its workers are another user
    (folder / "nginx.conf").write_text(text, "utf-8")


@asynccontextmanager
async def proxy(ports: tuple[int, int]) -> AsyncIterator[str]:
    """A real nginx before the two; where it listens."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program is not None, "nginx-light is in .ci/packages"
    folder, (port, _) = Path(tempfile.mkdtemp(prefix="bursar-proxy-")), free_ports()
    _prepare(folder, configuration(folder, port, ports))
    process = await asyncio.create_subprocess_exec(
        *(program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", f"{folder}/errors")
    )
    try:
        await eventually((folder / "pid").exists, seconds=NGINX_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGQUIT)
        try:
            await asyncio.wait_for(process.wait(), NGINX_SECONDS)
        except TimeoutError:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


async def started(house: Installation, here: Place, port: int) -> Program:
    """One API process on the common database."""
    program = await here.start(
        "serve",
        DATABASE_URL=house.app_url,
        SECRET_KEY=house.settings.secret_key.reveal(),
        APP_ENV="test",
        PORT=str(port),
        RATE_LIMIT_MAX_REQUESTS="1000000",
    )
    await here.until_healthy(program, port)
    return program


async def test_a_rolling_restart_loses_no_request(house: Installation) -> None:
    # Each process is ended and started again under load, twice. Nobody repeats a request, and each
    # is answered by what was asked for: not one 502, not one connection that ends without a word.
    ports = free_ports()
    async with place() as here, proxy(ports) as url:
        programs = [await started(house, here, port) for port in ports]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            crowd = Crowd(session, url)
            await crowd.register()
            writing = [asyncio.create_task(crowd.write()) for _ in range(CLIENTS)]
            for index in [*range(len(ports))] * ROUNDS:
                await asyncio.sleep(CALM_SECONDS)
                programs[index].tell(signal.SIGTERM)
                assert await programs[index].ended(seconds=END_SECONDS) == 0
                programs[index] = await started(house, here, ports[index])
            crowd.is_over = True
            await asyncio.gather(*writing)
            assert set(crowd.seen) == {201}, crowd.seen
            assert await crowd.count() == crowd.seen[201]
    print(f"{crowd.seen[201]} requests through {len(ports) * ROUNDS} restarts, each answered once")
