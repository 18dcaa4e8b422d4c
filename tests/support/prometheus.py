"""A real Prometheus on a free port, with our own rules: what it scrapes, knows and alerts."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from urllib.request import urlopen

from tests.support.tree import free_ports

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "deploy" / "prometheus" / "alerts.yml"
# The same rules by a faster clock: what takes minutes at night takes seconds here.
_FASTER: Final = {
    "[5m]": "[12s]",
    "[1m]": "[3s]",
    "for: 1m": "for: 1s",
    "for: 2m": "for: 1s",
    "for: 30s": "for: 1s",
    "> 60)": "> 6)",
}
_START_SECONDS: Final = 20


@dataclass(frozen=True)
class Prometheus:
    """A running one, asked over HTTP."""

    url: str

    async def asked(self, path: str) -> Any:
        """The data of an answer of its API."""
        return await asyncio.to_thread(self._asked, path)

    async def alerts(self) -> set[str]:
        """What fires now."""
        found = await self.asked("/api/v1/alerts")
        return {
            each["labels"]["alertname"] for each in found["alerts"] if each["state"] == "firing"
        }

    async def value(self, expression: str) -> float | None:
        """The first value of an instant query."""
        found = await self.asked(f"/api/v1/query?query={quote(expression)}")
        return float(found["result"][0]["value"][1]) if found["result"] else None

    async def until(self, seen: Callable[[set[str]], bool], seconds: float) -> set[str]:
        """The alerts as soon as they are as wanted, or when the time is up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            firing = await self.alerts()
            if seen(firing) or loop.time() > deadline:
                return firing
            await asyncio.sleep(0.3)

    def _asked(self, path: str) -> Any:
        with urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)["data"]


def faster_rules() -> str:
    """Our rules with every span of time shortened, and nothing else changed."""
    text = RULES.read_text()
    for slow, fast in _FASTER.items():
        assert slow in text, slow
        text = text.replace(slow, fast)
    return text


@asynccontextmanager
async def prometheus(folder: Path, targets: Iterable[str]) -> AsyncIterator[Prometheus]:
    """Scrapes the targets twice a second until the block ends."""
    folder.joinpath("alerts.yml").write_text(faster_rules())
    scraped: Mapping[str, object] = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [{"job_name": "bursar", "static_configs": [{"targets": [*targets]}]}],
    }
    config = folder / "prometheus.yml"
    config.write_text(json.dumps(scraped))  # JSON is YAML
    port, _ = free_ports()
    child = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    try:
        yield await _ready(Prometheus(f"http://127.0.0.1:{port}"))
    finally:
        child.terminate()
        await child.wait()


async def _ready(server: Prometheus) -> Prometheus:
    for _ in range(_START_SECONDS * 10):
        try:
            await server.asked("/api/v1/alerts")
        except OSError:
            await asyncio.sleep(0.1)
        else:
            return server
    raise AssertionError("Prometheus does not start")


_STRINGS: Final = re.compile(r'"[^"]*"')
_BRACES: Final = re.compile(r"\{[^}]*\}|\[[^\]]*\]|(?:by|without|on)\s*\([^)]*\)")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")
_LANGUAGE: Final = frozenset(
    {
        *("absent", "and", "histogram_quantile", "increase", "max", "max_over_time", "min"),
        *("or", "rate", "sum", "time", "topk", "e"),
    }
)


def metrics_of(expression: str) -> set[str]:
    """The metrics that an expression reads."""
    bare = _BRACES.sub(" ", _STRINGS.sub('""', expression))
    return set(_WORD.findall(bare)) - _LANGUAGE


def dashboards() -> dict[str, dict[str, Any]]:
    """The dashboards by their titles."""
    folder = ROOT / "deploy" / "grafana" / "dashboards"
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return {each["title"]: each for each in found}


def expressions() -> list[str]:
    """Everything that dashboards ask."""
    return [
        target["expr"]
        for board in dashboards().values()
        for panel in board["panels"]
        for target in panel["targets"]
    ]
