"""`/v1/api-keys`: how programs sign in."""

from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta, field

from bursar.api.envelope import changed, created, found, resource
from bursar.api.fields import AddressRange, Body, Moment, NoQuery, Nothing, Scope, ShortText
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.api_keys import ADDRESSES_MAX, OVERLAP_MAX, network
from bursar.domain.ids import ApiKeyId
from bursar.domain.refusals import IllegalTransition, InvalidInput, NotFound, ScopeAboveOwn
from bursar.domain.shapes.api_keys import ApiKeyOut
from bursar.operations.api_keys import (
    CreateApiKey,
    IssuedApiKey,
    RevokeApiKey,
    RotateApiKey,
    create_api_key,
    revoke_api_key,
    rotate_api_key,
)
from bursar.reads.api_keys import api_key, api_keys
from bursar.runtime.idempotency import Answer

ROOM = Room("API keys", prefix="/v1/api-keys", about="Programs sign in with these.")


class NewApiKey(Body, frozen=True):
    """A key for a program; without an expiry it works until it is revoked.

    With `allowedAddresses` it works from there only.
    """

    name: ShortText
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=20)]
    allowed_addresses: Annotated[list[AddressRange], Meta(max_length=ADDRESSES_MAX)] = field(
        default_factory=list
    )
    expires_at: Moment | None = None


class Rotation(Body, frozen=True):
    """How long the old key works beside the new one, and until when the new one does."""

    overlap_seconds: Annotated[
        int, Meta(ge=0, le=OVERLAP_MAX // timedelta(seconds=1), examples=[86_400])
    ] = 86_400
    expires_at: Moment | None = None


class ApiKeyIssued(ApiKeyOut, frozen=True, kw_only=True):
    """A new key. `key` is shown this once and never again."""

    key: str


def _issued(issued: IssuedApiKey) -> ApiKeyIssued:
    shape = ApiKeyOut.of(issued.record)
    fields = {name: getattr(shape, name) for name in shape.__struct_fields__}
    return ApiKeyIssued(**fields, key=issued.key)


def _id(call: Call[Any, Any]) -> ApiKeyId:
    return ApiKeyId(call.id("apiKeyId"))


def _networks(texts: list[str]) -> tuple[str, ...]:
    """The networks in their one spelling.

    Raises:
        InvalidInput: one of them is none.
    """
    found = []
    for at, text in enumerate(texts):
        try:
            found.append(network(text))
        except ValueError:
            name = f"allowedAddresses[{at}]"
            raise InvalidInput.at(name, "expected an IP address or a network") from None
    return tuple(dict.fromkeys(found))


@ROOM.post(
    "",
    Terms(
        needs=Permission.API_KEY_WRITE,
        takes=NewApiKey,
        gives=ApiKeyIssued,
        status=201,
        refuses=(ScopeAboveOwn,),
    ),
)
async def issue_api_key(call: Call[NewApiKey, NoQuery]) -> Answer:
    """Make an API key.

    The key is in this answer only; keep it where secrets are kept.
    """
    body = call.body
    command = CreateApiKey(
        name=body.name,
        scopes=tuple(dict.fromkeys(body.scopes)),
        allowed_addresses=_networks(body.allowed_addresses),
        expires_at=Moment.plainly(body.expires_at),
    )
    return await changed(call.caller, create_api_key, command, created(_issued, ROOM.prefix))


@ROOM.get("", Terms(needs=Permission.API_KEY_READ, gives=ApiKeyOut, is_list=True, query=ListQuery))
async def list_api_keys(call: Call[None, ListQuery]) -> Answer:
    """List API keys, newest first; never the keys themselves."""
    page = pages(call.caller, call.query)
    return piece(call.caller, page, await call.caller.look(api_keys, page), ApiKeyOut.of)


@ROOM.get("/{apiKeyId}", Terms(needs=Permission.API_KEY_READ, gives=ApiKeyOut, refuses=(NotFound,)))
async def get_api_key(call: Call[None, NoQuery]) -> Answer:
    """Get what is kept of an API key."""
    return resource(ApiKeyOut.of(await call.caller.look(api_key, _id(call))))


@ROOM.post(
    "/{apiKeyId}/rotate",
    Terms(
        needs=Permission.API_KEY_WRITE,
        takes=Rotation,
        gives=ApiKeyIssued,
        status=201,
        refuses=(NotFound, IllegalTransition, ScopeAboveOwn),
    ),
)
async def rotate_one_api_key(call: Call[Rotation, NoQuery]) -> Answer:
    """Rotate an API key: a new one that may do the same, shown this once.

    The old one works on for the overlap, then no more.
    """
    body = call.body
    command = RotateApiKey(
        _id(call), timedelta(seconds=body.overlap_seconds), Moment.plainly(body.expires_at)
    )
    return await changed(call.caller, rotate_api_key, command, created(_issued, ROOM.prefix))


@ROOM.post(
    "/{apiKeyId}/revoke",
    Terms(needs=Permission.API_KEY_WRITE, takes=Nothing, gives=ApiKeyOut, refuses=(NotFound,)),
)
async def revoke_one_api_key(call: Call[Nothing, NoQuery]) -> Answer:
    """Revoke an API key; it stops working at once."""
    return await changed(call.caller, revoke_api_key, RevokeApiKey(_id(call)), found(ApiKeyOut.of))
