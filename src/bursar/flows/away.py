"""A provider that is known to be away, as its caller hears it."""

from collections.abc import Iterator
from contextlib import contextmanager

from bursar.domain.provider import CircuitOpen
from bursar.domain.refusals import Unavailable


@contextmanager
def refused_while_away() -> Iterator[None]:
    """Nothing was sent to the provider, and whoever asked is told when to come again.

    Raises:
        Unavailable: the provider's line is shut.
    """
    try:
        yield
    except CircuitOpen as away:
        wait = {"retryAfterSeconds": away.retry_after_seconds}
        raise Unavailable("The payment provider is away.", facts=wait) from away
