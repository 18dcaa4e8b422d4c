"""The API with all that it serves: what `bursar.serving` loads after it began to listen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bursar.api.asgi import build_api
from bursar.api.guard import AsgiApp
from bursar.console.site import console_routes
from bursar.main import build
from bursar.runtime.errands import beside
from bursar.runtime.installation import DatabaseUrls
from bursar.runtime.pulse import keep_pulse
from bursar.runtime.settings import Settings
from bursar.runtime.telemetry import Telemetry


@asynccontextmanager
async def standing(
    settings: Settings, urls: DatabaseUrls, telemetry: Telemetry
) -> AsyncIterator[AsgiApp]:
    """Everything that the API serves, for as long as the block."""
    async with build(settings, part="api", app_url=urls.app, telemetry=telemetry) as app:
        await app.limiter.check()
        whole = await asyncio.to_thread(build_api, app, annexes=(console_routes,))
        async with beside(keep_pulse(app.telemetry, app.sessions)):
            yield whole
