"""Passes new events on to whoever listens, and says when something is to be carried.

What a running transaction holds back is looked for again very soon, and less and less often while
it stays held back: a long transaction delays the log and must not keep a processor busy.
"""

import asyncio
from typing import Final

from bursar.runtime import doors
from bursar.runtime.app import App

_AT_ONCE: Final = 200
_SOON_SECONDS: Final = 0.005
_LATER_SECONDS: Final = 0.5


class Relay:
    """Reads the log for everybody; `bell` rings when deliveries were made."""

    def __init__(self, app: App, bell: asyncio.Event) -> None:
        self._app = app
        self._bell = bell
        self._pause = _SOON_SECONDS

    async def pass_on(self) -> bool:
        """One stretch of the log; says whether there is more."""
        async with self._app.database.machine() as connection:
            count = await doors.relay_events(connection, _AT_ONCE)
        if count > 0:
            self._pause = _SOON_SECONDS
            self._bell.set()
            return True
        if count == 0 or self._pause > _LATER_SECONDS:
            return False
        await asyncio.sleep(self._pause)
        self._pause *= 2
        return True
