"""Ways inside, as they are tried: none gets a packet to a server that should not be reached.

A name server and servers on loopback are real. Whatever would be dialed beyond this machine is
noted and refused, so that a name may be public for a moment without anybody being called.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from tests.providers.hostile_server import answering, endpoint
from tests.providers.local_names import UdpResolver, Zone, name_server

from bursar.domain.sending import SendFailure, WebhookAnswer, WebhookRequest
from bursar.domain.webhooks import EndpointUrlRefused, endpoint_url
from bursar.providers.webhook_sender import Egress, HttpWebhookSender

PUBLIC = "93.184.215.14"
REFUSED = {SendFailure.REFUSED_URL, SendFailure.FORBIDDEN_ADDRESS}

LITERALS = [
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "0", "0.0.0.0", "0.1.2.3",
    "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "017700000001", "0177.0.0.1", "0177.1",
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.254",
    "169.254.169.254", "169.254.170.2", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376",
    "100.64.0.1", "100.127.255.255", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "198.18.0.1", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]",
    "[64:ff9b:1::a9fe:a9fe]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001::1]",
    "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
    "[2001:db8::1]", "[100::1]", "[5f00::1]",
    "localhost", "LOCALHOST", "localhost.", "sub.localhost", "127.0.0.1.",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "127.0.0.1%00.example.com", "example.com@127.0.0.1",
    "127.0.0.1#@example.com", "127.0.0.1\\@example.com", "[::1].example.com",
]  # fmt: skip

# What a name answers, turn by turn; the last answer stays.
NAMES: dict[str, list[list[str]]] = {
    "loopback.example": [["127.0.0.1"]],
    "six.example": [["::1"]],
    "private.example": [["10.0.0.1"]],
    "metadata.example": [["169.254.169.254"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "nowhere.example": [["0.0.0.0"]],
    "mixed.example": [[PUBLIC, "127.0.0.1"]],
    "mixed-six.example": [[PUBLIC, "::1"]],
    "needle.example": [[*(f"93.184.215.{n}" for n in range(1, 10)), "192.168.0.1"]],
    "carrier.example": [["100.64.0.1"]],
    "unique-local.example": [["fd00::1"]],
}


@dataclass
class Ground:
    """A name server, servers that nobody may reach, and a sender as production has it."""

    zone: Zone
    sender: HttpWebhookSender
    port: int
    sinks: list[object] = field(default_factory=list)
    dialed: list[str] = field(default_factory=list)
    reached: int = 0

    async def send(self, url: str) -> WebhookAnswer:
        headers = {"webhook-id": "evt_1"}
        return await self.sender.send(WebhookRequest(url, headers, b"{}"))


@pytest.fixture
async def ground(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ground]:
    zone = Zone({name: [list(turn) for turn in turns] for name, turns in NAMES.items()})
    zone.aliases["alias.example"] = "loopback.example"
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(endpoint(answering(), is_rash=True))
        asked = await stack.enter_async_context(name_server(zone))
        sender = HttpWebhookSender(Egress(2), UdpResolver(asked))
        stack.push_async_callback(sender.aclose)
        made = Ground(zone, sender, sink.port)
        real = asyncio.SelectorEventLoop.sock_connect

        async def connect(loop: asyncio.SelectorEventLoop, sock: socket.socket, to: object) -> None:
            assert isinstance(to, tuple)
            made.dialed.append(to[0])
            if to[0] not in {"127.0.0.1", "::1"}:
                raise ConnectionRefusedError
            await real(loop, sock, to)

        monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", connect)
        yield made
        assert sink.connections == 0, "somebody got inside"


def test_the_corpus_is_not_small() -> None:
    # Each is tried below, with several schemes and ports.
    assert len({*LITERALS, *NAMES}) >= 80


@pytest.mark.parametrize("host", LITERALS)
async def test_no_spelling_of_an_inner_address_is_dialed(ground: Ground, host: str) -> None:
    # Refused when it is registered, and again when something is sent, by whatever scheme and port.
    for url in (f"https://{host}/x", f"https://{host}:{ground.port}/", f"http://{host}:8080/"):
        with pytest.raises(EndpointUrlRefused):
            endpoint_url(url, is_development=False)
        assert (await ground.send(url)).failure is SendFailure.REFUSED_URL
    assert ground.dialed == []
    assert ground.zone.asked == []


@pytest.mark.parametrize("name", [*NAMES, "alias.example"])
async def test_a_name_that_leads_inside_is_refused_whole(ground: Ground, name: str) -> None:
    # Also when only one of its addresses is inside, and behind an alias.
    answer = await ground.send(f"https://{name}:{ground.port}/")
    assert answer.failure is SendFailure.FORBIDDEN_ADDRESS
    assert ground.zone.asked
    assert ground.dialed == []


@pytest.mark.parametrize("inner", ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.7"])
async def test_a_name_that_changes_its_mind_gains_nothing(ground: Ground, inner: str) -> None:
    # Public when it is checked, inside a moment later: what is dialed is what was judged.
    ground.zone.answers["rebinding.example"] = [[PUBLIC], [inner], [PUBLIC], [inner]]
    url = f"https://rebinding.example:{ground.port}/"
    failures = [(await ground.send(url)).failure for _ in range(4)]
    assert failures[1] is failures[3] is SendFailure.FORBIDDEN_ADDRESS
    assert set(ground.dialed) == {PUBLIC}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_inside_is_not_followed(ground: Ground, status: int) -> None:
    # It is an answer like any other, and a failure.
    where = f"Location: http://127.0.0.1:{ground.port}/secret\r\n".encode()
    async with endpoint(answering(f"{status} Moved", where)) as lure:
        sender = HttpWebhookSender(Egress(2, is_development=True))
        answer = await sender.send(WebhookRequest(lure.url, {"webhook-id": "evt_1"}, b"{}"))
        await sender.aclose()
    assert answer.status == status
    assert ground.dialed == ["127.0.0.1"]


async def test_a_network_that_is_allowed_in_development_is_reached_by_name(ground: Ground) -> None:
    # A receiver in a container's network: by name, from the list, and nothing beside it.
    egress = Egress(2, is_development=True, allowed_networks=("10.0.0.0/24",))
    sender = HttpWebhookSender(egress, ground.sender._resolver)
    request = WebhookRequest("https://private.example/", {"webhook-id": "evt_1"}, b"{}")
    assert (await sender.send(request)).failure is SendFailure.CONNECTION_FAILED
    assert ground.dialed == ["10.0.0.1"]
    other = WebhookRequest("https://metadata.example/", {"webhook-id": "evt_1"}, b"{}")
    assert (await sender.send(other)).failure is SendFailure.FORBIDDEN_ADDRESS
    await sender.aclose()
    strict = Egress(2, allowed_networks=("10.0.0.0/24",))
    assert not strict.allows("10.0.0.1"), "the list is for development only"
