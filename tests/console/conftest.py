"""The console in process, an organization with one of everything, and people who look at it."""

from collections.abc import AsyncIterator

import pytest
from msgspec import Struct
from tests.api.client import Client
from tests.api.people import A_VIEW, Things, member, things_of
from tests.console.browser import Browser, signed_in
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.api.routes import ID_PREFIXES
from bursar.console.nouns.shape import Noun
from bursar.console.site import console_routes
from bursar.domain.access import Role
from bursar.domain.frozen import replace
from bursar.domain.ids import print_id
from bursar.operations.saved_views import save_view
from bursar.runtime.ids import new_uuid
from bursar.runtime.limits import RateLimiter


class Stage(Struct, frozen=True):
    """One organization with one of everything, and a browser of each role."""

    org: Org
    things: Things
    browsers: dict[Role, Browser]

    def thing(self, noun: Noun) -> str:
        """One of these; where there is none, an id of its shape."""
        prefix = ID_PREFIXES[noun.id_name]
        return self.things.by_prefix.get(prefix) or print_id(prefix, new_uuid())

    def has(self, noun: Noun) -> bool:
        """Whether there is one of these."""
        return noun.is_single or ID_PREFIXES.get(noun.id_name) in self.things.by_prefix

    @property
    def owner(self) -> Browser:
        return self.browsers[Role.OWNER]


@pytest.fixture(scope="session")
async def anyone(world: World) -> AsyncIterator[Client]:
    """Somebody without a cookie, at an application with a console and limits far away."""
    settings = replace(world.app.settings, rate_limit_requests_max=1_000_000)
    limiter = RateLimiter()
    app = replace(world.app, settings=settings, limiter=limiter)
    yield Client(build_api(app, annexes=(console_routes,)))
    await limiter.close()


@pytest.fixture(scope="session")
async def stage(world: World, anyone: Client) -> Stage:
    """The organization that most tests look at."""
    org = await world.org()
    browsers = {}
    for role in Role:
        token = org.access_token
        if role is not Role.OWNER:
            somebody = await member(world, org, role, anyone)
            token = somebody.headers["authorization"].removeprefix("Bearer ")
        browsers[role] = signed_in(world.app, anyone, token, org.id)
    things = await things_of(org)
    shared = replace(A_VIEW, is_shared=True)  # each role has a page of it
    things.by_prefix["view"] = (await org.caller.run(save_view, shared)).id
    return Stage(org, things, browsers)
