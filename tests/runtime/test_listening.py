"""An address is one program's, from the moment it is given."""

import re
import socket
from collections.abc import Iterator

import pytest

from bursar.runtime.listening import CannotListen, bound

LOOPBACK = "127.0.0.1"


@pytest.fixture
def other() -> Iterator[socket.socket]:
    """Somebody who has an address and does not listen yet."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((LOOPBACK, 0))
        yield held


def test_who_connects_before_it_serves_waits() -> None:
    # It listens before anybody takes connections from it: a client is not refused meanwhile.
    with bound(LOOPBACK, 0) as listener, socket.socket() as client:
        client.settimeout(5)
        client.connect(listener.getsockname())


def test_a_taken_address_is_refused(other: socket.socket) -> None:
    # The address and the reason are said.
    other.listen()
    port = other.getsockname()[1]
    said = f"{LOOPBACK}:{port} cannot be listened on: Address already in use."
    with pytest.raises(CannotListen, match=re.escape(said)), bound(LOOPBACK, port):
        pass


def test_an_address_is_taken_at_once(other: socket.socket) -> None:
    # Two may have the same address until one listens: it is ours when we are told that it is.
    with bound(LOOPBACK, other.getsockname()[1]), pytest.raises(OSError, match="already in use"):
        other.listen()


def test_an_address_of_another_machine_is_refused() -> None:
    # One line with the address and the reason, whatever it is.
    with (
        pytest.raises(CannotListen, match=r"^192\.0\.2\.1:8080 cannot be listened on: "),
        bound("192.0.2.1", 8080),
    ):
        pass
