"""A server that ends without losing a request, as a rolling restart asks for.

A connection that is closed while a request travels on it leaves its sender without an answer, and
a proxy may not send a write twice. So a server that is to end first lets in whoever is at the
door, then shuts the door (who knocks is refused, and may go elsewhere), and then answers everybody
with a last word: `Connection: close`. Only who stays silent is closed upon.
"""

import asyncio
import ctypes
import socket
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

import uvicorn

LULL_SECONDS: Final = 1.0
_DOOR_LOOKS: Final = 5
_LOOK_SECONDS: Final = 0.02
_LAST_WORD: Final = (b"connection", b"close")

_SO_ATTACH_FILTER: Final = 26
_FLAGS_AT: Final = 13
_SYN: Final = 0x02
_PASS: Final = 0xFFFF_FFFF
# Four instructions of Linux's classic packet filter, each (code, jump if so, if not, operand).
_NO_NEW_CONNECTION: Final = (
    (0x30, 0, 0, _FLAGS_AT),  # load the byte of flags
    (0x45, 0, 1, _SYN),  # is it somebody who begins?
    (0x06, 0, 0, 0),  # then it is not heard
    (0x06, 0, 0, _PASS),
)


async def drain(server: uvicorn.Server, listeners: Iterable[socket.socket]) -> None:
    """Wait until nobody holds a connection any more, about a second at most."""
    for listener in listeners:
        _hear_no_new(listener)
    for _ in range(_DOOR_LOOKS):  # who was halfway in is in then; the loop takes them between
        await asyncio.sleep(_LOOK_SECONDS)
    for each in server.servers:
        each.close()
    server.server_state.default_headers.append(_LAST_WORD)
    for _ in range(int(LULL_SECONDS / _LOOK_SECONDS)):
        if not server.server_state.connections:
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _hear_no_new(listener: socket.socket) -> None:
    """The kernel answers no new connection here: who tries does so again, and is refused then.

    Without it there is a moment between the last connection taken and the door's closing, and who
    comes in that moment is told that the connection stands. Elsewhere than on Linux it stays so.
    """
    program = _packed(_NO_NEW_CONNECTION)
    place = ctypes.create_string_buffer(program, len(program))
    given = struct.pack("@HP", len(_NO_NEW_CONNECTION), ctypes.addressof(place))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, given)


def _packed(program: Sequence[tuple[int, int, int, int]]) -> bytes:
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
