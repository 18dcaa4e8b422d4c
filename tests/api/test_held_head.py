"""The way of one answer to its socket: few writes, nothing lost, nothing late."""

import asyncio

from bursar.api.protocol import HeldHead


class Socket(asyncio.Transport):
    """The wire: remembers what was written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


async def test_head_and_body_leave_together() -> None:
    # An answer whose body follows at once costs one write, and nothing is written twice later.
    socket = Socket()
    held = HeldHead(socket, asyncio.get_running_loop())
    held.write(b"head ")
    held.write(b"body")
    await asyncio.sleep(0)
    assert socket.written == [b"head body"]


async def test_a_stream_begins_before_its_first_event() -> None:
    # Whoever opens a stream hears that it is open, however long nothing happens; the rest flows on.
    socket = Socket()
    held = HeldHead(socket, asyncio.get_running_loop())
    held.write(b"head")
    await asyncio.sleep(0)
    assert socket.written == [b"head"]
    held.write(b"one")
    held.write(b"two")
    assert socket.written == [b"head", b"one", b"two"]


async def test_closing_writes_first() -> None:
    # What was answered is written before the connection ends.
    socket = Socket()
    held = HeldHead(socket, asyncio.get_running_loop())
    held.write(b"head")
    held.close()
    assert (socket.written, held.is_closing()) == ([b"head"], True)
