"""A socket to listen on, or one line that says why there is none."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


class CannotListen(Exception):
    """The address is taken or not ours."""


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens, for as long as the block.

    It listens at once: until one of them does, two programs may hold the same address, and the loop
    of whoever came second need not say so when it serves.

    Raises:
        CannotListen: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
        except OSError as failed:
            raise CannotListen(f"{host}:{port} cannot be listened on: {failed.strerror}.") from None
        yield listener
