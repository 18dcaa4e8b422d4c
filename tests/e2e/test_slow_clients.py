"""Clients that take their time, before the server as it is shipped: each pause has an end.

This waits for a minute and works for none of it, so it may stand beside others.
"""

import asyncio
import time

import pytest
from tests.e2e.test_raw_sockets import END, GET, HOST, JSON, LOGIN, Said, talk
from tests.support.tree import running


@pytest.mark.proof
async def test_slow_clients() -> None:
    # A head has ten seconds, a body fifteen, an idle connection sixty.
    async with running() as tree:
        port = int(tree.environment["PORT"])
        began = time.monotonic()

        async def ends(*parts: bytes) -> tuple[float, Said]:
            said = await talk(port, *parts, seconds=75)
            return time.monotonic() - began, said

        head, body, idle, silent = await asyncio.gather(
            ends(GET + HOST),
            ends(LOGIN + JSON + b"Content-Length: 100\r\n\r\n{"),
            ends(GET + HOST + END),
            ends(),
        )
    print(
        f"head {head[0]:.1f} s, body {body[0]:.1f} s, idle {idle[0]:.1f} s, none {silent[0]:.1f} s"
    )
    assert 9 < head[0] < 13
    assert 9 < silent[0] < 13
    assert 14 < body[0] < 18
    assert body[1].status == 400
    assert 58 < idle[0] < 66
    assert idle[1].statuses == [200]
