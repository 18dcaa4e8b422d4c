"""Who looks at a page: the person behind the cookie, where they are, and what they may do there.

A visit is made anew for each request. Without a good cookie it ends at the sign-in page; in an
organization that is not theirs it ends like one that is not there.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from bursar.api.auth import Credential
from bursar.api.dispatch import Edge, Wire
from bursar.api.headers import Scope, header
from bursar.api.trace import traced
from bursar.console.asking import BY_NAME, Asker
from bursar.console.cells import Eyes, locale_of
from bursar.console.passes import Pass, read_pass
from bursar.domain.access import Permission, Person, Role, permissions_of
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId
from bursar.domain.refusals import NotAllowed, NotFound
from bursar.runtime.app import App
from bursar.runtime.clock import now


class SignedOut(Exception):
    """Nobody is signed in, or no more."""


class Visit(Struct, frozen=True, kw_only=True):
    """One request of somebody signed in."""

    request: Wire
    asker: Asker
    given: Pass
    me: Mapping[str, Any]
    permissions: frozenset[Permission]
    org: Mapping[str, Any] | None
    role: Role | None
    eyes: Eyes

    @property
    def app(self) -> App:
        """The application."""
        return self.asker.edge.app

    @property
    def root(self) -> str:
        """Where the pages of the organization begin."""
        return f"/console/{self.asker.org_id}"

    def may(self, needed: Permission) -> bool:
        """Whether they may, as far as is known here; the route asks again."""
        return needed in self.permissions

    def require(self, needed: Permission) -> None:
        """Refuse a page as its route would.

        Raises:
            NotAllowed: the permission is missing.
        """
        if not self.may(needed):
            raise NotAllowed(
                f"This needs the permission {needed.value}.", facts={"permission": needed.value}
            )


def is_secure(app: App) -> bool:
    """Whether browsers come by TLS."""
    return app.settings.public_url.startswith("https://")


def pass_of(app: App, scope: Scope) -> Pass | None:
    """The pass of a request that is still good."""
    found = read_pass(app.keys, header(scope, "Cookie") or "", is_secure=is_secure(app))
    return found if found is not None and found.is_good(now()) else None


async def visit_of(edge: Edge, request: Wire) -> Visit:
    """The visit that a request is.

    Raises:
        SignedOut: no cookie, an old one, or a session that ended.
        NotFound: the path names an organization that is not theirs.
    """
    given = pass_of(edge.app, request.scope)
    if given is None:
        raise SignedOut
    actor = Person(given.user_id, given.session_id)
    trace = traced(request.scope)
    await edge.limits.admit_actor(actor, BY_NAME["getMe"], request.scope, trace)
    asker = Asker(edge, request.scope, Credential(actor))
    me = await asker.get("getMe")
    locale = locale_of(header(request.scope, "Accept-Language"))
    outside = Visit(
        request=request,
        asker=asker,
        given=given,
        me=me,
        permissions=permissions_of(actor, None),
        org=None,
        role=None,
        eyes=Eyes(locale, ZoneInfo("UTC"), "usd"),
    )
    wanted = request.path_params.get("organizationId")
    return outside if wanted is None else await _inside(outside, wanted)


async def _inside(outside: Visit, wanted: str) -> Visit:
    places = [each for each in outside.me["memberships"] if each["organizationId"] == wanted]
    if not places:
        raise NotFound(f"No organization {wanted}.")
    role = Role(places[0]["role"])
    asker = replace(outside.asker, org_id=OrgId(wanted))
    org = await asker.get("getOrganization", organizationId=wanted)
    actor = outside.asker.credential.actor
    return replace(
        outside,
        asker=asker,
        org=org,
        role=role,
        permissions=permissions_of(actor, role),
        eyes=replace(outside.eyes, zone=ZoneInfo(org["timezone"]), currency=org["currency"]),
    )
