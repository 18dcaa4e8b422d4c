"""Who is connected: so many connections from one address, and so many in all.

A connection is cheap to open and holds a descriptor, so whoever opens them without end is refused
at the door. Our own proxies carry everybody's requests and are counted in the total only.
"""

from collections import Counter
from typing import Final

from bursar.api.addresses import place_of, site_of
from bursar.runtime.settings_text import Proxies

PER_ADDRESS_MAX: Final = 256
TOTAL_MAX: Final = 4_096
_PROXY: Final = "proxy"


class Crowd:
    """The open connections of one process."""

    def __init__(
        self, proxies: Proxies, *, each: int = PER_ADDRESS_MAX, total: int = TOTAL_MAX
    ) -> None:
        self._proxies = proxies
        self._each = each
        self._room = total
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> str | None:
        """The name under which the connection leaves again; None when there is no room for it."""
        name = self._name(address)
        if self._room == 0 or (name != _PROXY and self._open[name] >= self._each):
            return None
        self._room -= 1
        self._open[name] += 1
        return name

    def leave(self, name: str) -> None:
        """A connection that had entered is closed."""
        self._room += 1
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]

    def _name(self, address: str) -> str:
        if isinstance(self._proxies, int):
            return _PROXY if self._proxies else site_of(address)
        place = place_of(address)
        is_proxy = place is not None and any(place in network for network in self._proxies)
        return _PROXY if is_proxy else site_of(address)
