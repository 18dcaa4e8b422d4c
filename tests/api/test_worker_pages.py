"""A worker by itself shows on its port that it lives and what it counts, and nothing else."""

import asyncio

import pytest
from tests.support.tree import free_ports
from tests.support.world import World

from bursar.domain.frozen import replace
from bursar.working import shown


async def _asked(port: int, line: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"{line} HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\r\n".encode())
        return (await reader.read()).decode()
    finally:
        writer.close()


async def _until_it_listens(port: int) -> None:
    for _ in range(200):
        try:
            await _asked(port, "GET /health/live")
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            return


async def test_a_worker_shows_its_metrics_on_a_port_of_its_own(world: World) -> None:
    # Metrics and a sign of life; any other path or method is nothing; at the end nobody listens.
    port, _ = free_ports()
    settings = replace(world.app.settings, metrics_port=port)
    async with shown(replace(world.app, settings=settings)):
        await _until_it_listens(port)
        metrics = await _asked(port, "GET /metrics")
        assert metrics.startswith("HTTP/1.1 200 ")
        assert "worker_pulse_seconds" in metrics
        assert '{"status":"ok"}' in await _asked(port, "GET /health/live")
        assert (await _asked(port, "GET /v1/customers")).startswith("HTTP/1.1 404 ")
        assert (await _asked(port, "POST /metrics")).startswith("HTTP/1.1 404 ")
    with pytest.raises(ConnectionRefusedError):
        await _asked(port, "GET /metrics")
