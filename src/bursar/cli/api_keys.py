"""`bursar apikey`: how programs sign in."""

from datetime import timedelta
from typing import Annotated

import msgspec
import typer

from bursar.cli.desk import ROWS, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.narrowing import OldestFirst
from bursar.cli.output import Output, Quiet, say, show_list, show_one
from bursar.domain.access import SCOPE_PERMISSIONS
from bursar.domain.api_keys import OVERLAP_MAX, network
from bursar.domain.ids import ApiKeyId
from bursar.domain.refusals import InvalidInput
from bursar.domain.shapes.api_keys import ApiKeyOut
from bursar.operations.api_keys import (
    CreateApiKey,
    RevokeApiKey,
    RotateApiKey,
    create_api_key,
    revoke_api_key,
    rotate_api_key,
)
from bursar.reads.api_keys import api_keys

group = typer.Typer(help="API keys.", no_args_is_help=True)

_COLUMNS = ("id", "name", "keyPrefix", "scopes", "revokedAt", "createdAt")
_SCOPES = ("billing:write",)


@group.command("create")
def create(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="What it may do; billing:write.")] = None,
    address: Annotated[
        list[str] | None, typer.Option(help="An address or network it works from; anywhere.")
    ] = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Make a key; it is shown this once."""
    scopes = tuple(scope or _SCOPES)
    for each in scopes:
        if each not in SCOPE_PERMISSIONS:
            known = ", ".join(SCOPE_PERMISSIONS)
            raise InvalidInput.at("--scope", f"{each} is none of {known}", "unknown_value")
    addresses = tuple(map(_network, address or ()))
    command = CreateApiKey(name=name, scopes=scopes, allowed_addresses=addresses)
    issued = desk(context).ask(
        lambda caller: caller.run(create_api_key, command), org=org, reason=reason
    )
    shape = msgspec.to_builtins(ApiKeyOut.of(issued.record))
    show_one({**shape, "key": issued.key}, output)
    say("The key is shown this once; keep it where secrets are kept.", is_quiet=quiet)


@group.command("list")
def list_keys(
    context: typer.Context,
    *,
    org: Org = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List API keys, newest first; never the keys themselves."""
    found = desk(context).gather(
        lambda caller, page: caller.look(api_keys, page),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([ApiKeyOut.of(each) for each in found], _COLUMNS, output)


@group.command("rotate")
def rotate(
    context: typer.Context,
    api_key_id: str,
    *,
    overlap_hours: Annotated[
        int,
        typer.Option(
            min=0,
            max=OVERLAP_MAX // timedelta(hours=1),
            help="How long the old key works beside the new one.",
        ),
    ] = 24,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Make a key's successor, shown this once; the old one ends by itself."""
    known = ApiKeyId(an_id(api_key_id, prefix="key", name="api_key_id"))
    command = RotateApiKey(known, timedelta(hours=overlap_hours))
    issued = desk(context).ask(
        lambda caller: caller.run(rotate_api_key, command), org=org, reason=reason
    )
    shape = msgspec.to_builtins(ApiKeyOut.of(issued.record))
    show_one({**shape, "key": issued.key}, output)
    say("The key is shown this once; keep it where secrets are kept.", is_quiet=quiet)


@group.command("revoke")
def revoke(
    context: typer.Context,
    api_key_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Stop a key at once."""
    command = RevokeApiKey(ApiKeyId(an_id(api_key_id, prefix="key", name="api_key_id")))
    confirm(f"Revoke {api_key_id}?", is_agreed=yes)
    done = desk(context).ask(
        lambda caller: caller.run(revoke_api_key, command), org=org, reason=reason
    )
    show_one(ApiKeyOut.of(done), output)


def _network(text: str) -> str:
    try:
        return network(text)
    except ValueError:
        raise InvalidInput.at("--address", f"{text} is no address or network") from None
