"""How much waits in a queue, as whoever measures tells whoever counts."""

from msgspec import Struct

from bursar.domain.tasks import Queue


class Depth(Struct, frozen=True):
    """One queue's load; `lag_seconds` is how long the oldest due job has been waiting."""

    queue: Queue
    waiting: int
    running: int
    held: int
    lag_seconds: float
