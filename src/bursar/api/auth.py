"""Who is calling: a credential in the Authorization header becomes a `Caller`, or the request ends.

Only the shape, the signature and the time of a credential are judged here; whether its session, key
or membership still stands is asked in the transaction that does the work, so a revocation counts at
once. What a caller may do is not decided here at all.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from bursar.api.headers import Scope, header
from bursar.api.routes import Audience
from bursar.domain.access import Actor, ApiKey, Nobody, Person
from bursar.domain.api_keys import is_allowed
from bursar.domain.ids import MalformedId, OrgId, SessionId, UserId, parse_id
from bursar.domain.refusals import InvalidInput, NotAllowed, NotAuthenticated, NotFound
from bursar.runtime.app import App
from bursar.runtime.clock import now
from bursar.runtime.tokens import BadToken, api_key_hashes

ORG_HEADER: Final = "x-org-id"
ORG_PARAMETER: Final = "organizationId"
_SCHEME: Final = "bearer"
_API_KEY_START: Final = "bsk_"


class Credential(Struct, frozen=True):
    """Who the credential speaks for; an API key also says where."""

    actor: Actor
    org_id: OrgId | None = None


async def credential_of(app: App, scope: Scope, address: str) -> Credential:
    """The credential of a request from this address.

    Raises:
        NotAuthenticated: none, one that was never good, or one that is not good from there.
    """
    given = header(scope, "Authorization")
    if given is None:
        raise NotAuthenticated("This needs a credential: Authorization: Bearer <token or API key>.")
    scheme, _, text = given.partition(" ")
    if scheme.lower() != _SCHEME or not text:
        raise NotAuthenticated("The credential is not of the form: Bearer <token or API key>.")
    try:
        return await _read(app, text.strip(" "), address)
    except BadToken:
        raise NotAuthenticated("The credential is not good.") from None


async def _read(app: App, text: str, address: str) -> Credential:
    if text.startswith(_API_KEY_START):
        known = app.known_hashes.get(text)
        hashes = known or list(api_key_hashes(app.keys, text))
        found = await app.find_api_key(hashes)
        if found is None or not is_allowed(found.allowed_addresses, address):
            raise BadToken
        if known is None:
            app.known_hashes.put(text, hashes)
        return Credential(ApiKey(found.key_id, found.scopes), found.org_id)
    claims = app.access_tokens.read(text, now())
    app.sessions.see(claims.session_id)
    return Credential(Person(UserId(claims.subject), SessionId(claims.session_id)))


def org_of(
    credential: Credential, audience: Audience, scope: Scope, ids: Mapping[str, str]
) -> OrgId | None:
    """The organization the request is about.

    Raises:
        InvalidInput: `x-org-id` is missing or malformed.
        NotAllowed: `x-org-id` is not the API key's organization, or a key where a person must be.
        NotFound: the path names another organization than the API key's.
    """
    is_person = isinstance(credential.actor, Person)
    match audience:
        case Audience.ANYONE:
            return None
        case Audience.PERSON:
            if not is_person:
                raise NotAllowed("This is for a person who signed in, not for an API key.")
            return None
        case Audience.PATH_ORG:
            wanted = OrgId(ids[ORG_PARAMETER])
            if not is_person and wanted != credential.org_id:
                raise NotFound(f"No organization {wanted}.")
            return wanted
        case Audience.ORG:
            return _org_of_header(credential, scope)


def _org_of_header(credential: Credential, scope: Scope) -> OrgId | None:
    given = header(scope, ORG_HEADER)
    if given is None:
        if credential.org_id is None:
            raise InvalidInput.at(ORG_HEADER, "name the organization in this header", "required")
        return credential.org_id
    try:
        parse_id("org", text=given)
    except MalformedId:
        raise InvalidInput.at(ORG_HEADER, "expected org_<uuid>", "wrong_format") from None
    if credential.org_id not in {None, given}:
        raise NotAllowed("The API key belongs to another organization than x-org-id names.")
    return OrgId(given)


NOBODY: Final = Credential(Nobody())
