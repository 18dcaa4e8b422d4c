"""A name server on loopback that answers as it is told, over UDP, and a resolver that asks it."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import cast

from aiohttp.abc import AbstractResolver, ResolveResult

A, CNAME, AAAA, IN = 1, 5, 28, 1
_HEAD = struct.Struct("!HHHHHH")
_TAIL = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
_ANSWERED = 0x8180


def name_bytes(name: str) -> bytes:
    labels = name.rstrip(".").split(".")
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def read_name(raw: bytes, at: int) -> tuple[str, int]:
    """A name, and where what follows it begins; compressed ones are followed once."""
    labels: list[str] = []
    while raw[at]:
        if raw[at] >= 0xC0:
            rest, _ = read_name(raw, ((raw[at] & 0x3F) << 8) | raw[at + 1])
            return ".".join([*labels, rest]), at + 2
        labels.append(raw[at + 1 : at + 1 + raw[at]].decode())
        at += 1 + raw[at]
    return ".".join(labels), at + 1


@dataclass
class Zone:
    """What each name answers, question by question: the last answer stays. TTL is always 0."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def addresses(self, name: str, kind: int) -> list[str]:
        self.asked.append(name)
        name = self.aliases.get(name, name)
        turns = self.answers.get(name, [[]])
        # An address family is asked for on its own: both see the same turn.
        found = turns.pop(0) if kind == AAAA and len(turns) > 1 else turns[0]
        return [each for each in found if (":" in each) == (kind == AAAA)]


class _Server(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self.zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, raw: bytes, address: tuple[str, int]) -> None:
        name, end = read_name(raw, _HEAD.size)
        kind, _ = _TAIL.unpack_from(raw, end)
        found = self.zone.addresses(name, kind)
        records, owner = b"", name_bytes(name)
        count = len(found)
        if name in self.zone.aliases:
            target = name_bytes(self.zone.aliases[name])
            records += owner + _RECORD.pack(CNAME, IN, 0, len(target)) + target
            owner, count = target, count + 1
        for each in found:
            packed = ip_address(each).packed
            records += owner + _RECORD.pack(kind, IN, 0, len(packed)) + packed
        head = _HEAD.pack(struct.unpack_from("!H", raw)[0], _ANSWERED, 1, count, 0, 0)
        question = raw[_HEAD.size : end + _TAIL.size]
        self.transport.sendto(head + question + records, address)


@asynccontextmanager
async def name_server(zone: Zone) -> AsyncIterator[int]:
    """Serves the zone; gives its port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Server(zone), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


class UdpResolver(AbstractResolver):
    """Asks that server, every time anew."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        found = [*await self._asked(host, A), *await self._asked(host, AAAA)]
        if not found:
            raise OSError(f"no address for {host}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        return None

    async def _asked(self, host: str, kind: int) -> list[str]:
        loop = asyncio.get_running_loop()
        question = _HEAD.pack(7, 0x0100, 1, 0, 0, 0) + name_bytes(host) + _TAIL.pack(kind, IN)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.setblocking(False)
            await loop.sock_sendto(wire, question, ("127.0.0.1", self._port))
            async with asyncio.timeout(5):
                raw = await loop.sock_recv(wire, 4096)
        return list(_addresses_in(raw))


def _addresses_in(raw: bytes) -> list[str]:
    count = _HEAD.unpack_from(raw)[3]
    _, at = read_name(raw, _HEAD.size)
    at += _TAIL.size
    found = []
    for _ in range(count):
        _, at = read_name(raw, at)
        kind, _, _, length = _RECORD.unpack_from(raw, at)
        at += _RECORD.size
        if kind in {A, AAAA}:
            found.append(str(ip_address(raw[at : at + length])))
        at += length
    return found
