"""Passes new events on to whoever listens, and with the same commit sends out who carries them.

What a running transaction holds back is looked for again very soon, and less and less often while
it stays held back: a long transaction delays the log and must not keep a processor busy. What may
be left is looked for a moment later: a look at the same time only gets in the way of what is just
on its way out.
"""

import asyncio
from typing import Final

from bursar.jobs.couriers import Couriers

_AT_ONCE: Final = 200
_SOON_SECONDS: Final = 0.005
_LEFT_SECONDS: Final = 0.02
_LATER_SECONDS: Final = 0.5


class Relay:
    """Reads the log for everybody; `bell` makes it look."""

    def __init__(self, couriers: Couriers) -> None:
        self._couriers = couriers
        self._pause = _SOON_SECONDS
        self.bell = asyncio.Event()

    async def pass_on(self) -> bool:
        """One stretch of the log; says whether there is more."""
        count = await self._couriers.pass_on(_AT_ONCE)
        if count > 0:
            self._pause = _SOON_SECONDS
            if count < _AT_ONCE:
                asyncio.get_running_loop().call_later(_LEFT_SECONDS, self.bell.set)
            return count >= _AT_ONCE
        if count == 0 or self._pause > _LATER_SECONDS:
            return False
        await asyncio.sleep(self._pause)
        self._pause *= 2
        return True
