"""`/v1/api-keys`: how programs sign in."""

from typing import Annotated

from msgspec import Meta

from bursar.api.envelope import changed, created, found
from bursar.api.fields import Body, Moment, NoQuery, Nothing, Scope, ShortText
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import ApiKeyId
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.api_keys import ApiKeyOut
from bursar.operations.api_keys import (
    CreateApiKey,
    IssuedApiKey,
    RevokeApiKey,
    create_api_key,
    revoke_api_key,
)
from bursar.reads.api_keys import api_keys
from bursar.runtime.idempotency import Answer

ROOM = Room("API keys", prefix="/v1/api-keys", about="Programs sign in with these.")


class NewApiKey(Body, frozen=True):
    """A key for a program; without an expiry it works until it is revoked."""

    name: ShortText
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=20)]
    expires_at: Moment | None = None


class ApiKeyIssued(ApiKeyOut, frozen=True, kw_only=True):
    """A new key. `key` is shown this once and never again."""

    key: str


def _issued(issued: IssuedApiKey) -> ApiKeyIssued:
    shape = ApiKeyOut.of(issued.record)
    fields = {name: getattr(shape, name) for name in shape.__struct_fields__}
    return ApiKeyIssued(**fields, key=issued.key)


@ROOM.post(
    "",
    Terms(needs=Permission.API_KEY_WRITE, takes=NewApiKey, gives=ApiKeyIssued, status=201),
)
async def issue_api_key(call: Call[NewApiKey, NoQuery]) -> Answer:
    """Make an API key.

    The key is in this answer only; keep it where secrets are kept.
    """
    body = call.body
    command = CreateApiKey(
        name=body.name,
        scopes=tuple(dict.fromkeys(body.scopes)),
        expires_at=Moment.plainly(body.expires_at),
    )
    return await changed(call.caller, create_api_key, command, created(_issued, ROOM.prefix))


@ROOM.get("", Terms(needs=Permission.API_KEY_READ, gives=ApiKeyOut, is_list=True, query=ListQuery))
async def list_api_keys(call: Call[None, ListQuery]) -> Answer:
    """List API keys, newest first; never the keys themselves."""
    page = pages(call.caller, call.query)
    return piece(call.caller, page, await call.caller.look(api_keys, page), ApiKeyOut.of)


@ROOM.post(
    "/{apiKeyId}/revoke",
    Terms(needs=Permission.API_KEY_WRITE, takes=Nothing, gives=ApiKeyOut, refuses=(NotFound,)),
)
async def revoke_one_api_key(call: Call[Nothing, NoQuery]) -> Answer:
    """Revoke an API key; it stops working at once."""
    command = RevokeApiKey(ApiKeyId(call.id("apiKeyId")))
    return await changed(call.caller, revoke_api_key, command, found(ApiKeyOut.of))
