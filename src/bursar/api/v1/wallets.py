"""`/v1/wallets`: value stored with us, of customers, of members, of the organization itself."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from bursar.api.envelope import changed, created, found, resource
from bursar.api.fields import (
    Body,
    CurrencyCode,
    CustomerRef,
    Metadata,
    MetadataPatch,
    Moment,
    Name,
    NoQuery,
    PositiveCents,
)
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.merging import merged, named, peeked, raced
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import WalletId
from bursar.domain.refusals import NotFound, PreconditionFailed, StaleVersion, WrongCurrency
from bursar.domain.shapes.wallets import WalletOut
from bursar.domain.wallets import Provocation, WalletStatus
from bursar.operations.wallets import (
    CreateWallet,
    UpdateWallet,
    create_wallet,
    update_wallet,
)
from bursar.reads.wallets import WalletFilters
from bursar.reads.wallets import wallet as wallet_look
from bursar.reads.wallets import wallets as wallets_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Wallets",
    prefix="/v1/wallets",
    about="Stored value in one currency each, never below zero.",
)
# What a body calls a limit, and what the wallet does.
_LIMITS = {"transfer_limit_cents": "transfer_limit", "daily_limit_cents": "daily_limit"}


class NewWallet(Body, frozen=True):
    """A wallet for a customer, in their currency; without one it is the organization's own."""

    customer_id: CustomerRef | None = None
    currency: CurrencyCode | None = None
    name: Name = "Wallet"
    transfer_limit_cents: PositiveCents | None = None
    daily_limit_cents: PositiveCents | None = None
    provoke_credit: Provocation = Provocation.NONE
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> CreateWallet:
        """What it asks for."""
        return CreateWallet(
            name=self.name,
            customer_id=self.customer_id,
            currency=self.currency,
            provoke_credit=self.provoke_credit,
            transfer_limit=self.transfer_limit_cents,
            daily_limit=self.daily_limit_cents,
            metadata=self.metadata,
        )


class WalletPatch(Body, frozen=True):
    """What may be changed at will; null takes a limit away, `metadata` is merged."""

    name: Name | UnsetType = UNSET
    transfer_limit_cents: PositiveCents | UnsetType | None = UNSET
    daily_limit_cents: PositiveCents | UnsetType | None = UNSET
    provoke_credit: Provocation | UnsetType = UNSET
    metadata: MetadataPatch | UnsetType | None = UNSET


class WalletQuery(CreatedQuery, frozen=True):
    """Which wallets; `status` may name several."""

    customer_id: CustomerRef | None = None
    currency: CurrencyCode | None = None
    status: Values | None = None


def _id(call: Call[Any, Any]) -> WalletId:
    return WalletId(call.id("walletId"))


@ROOM.post(
    "",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=NewWallet,
        gives=WalletOut,
        status=201,
        refuses=(NotFound, WrongCurrency),
    ),
)
async def open_a_wallet(call: Call[NewWallet, NoQuery]) -> Answer:
    """Make a wallet.

    It is in its customer's currency, or in the organization's when none is named. In a sandbox
    organization `provokeCredit` makes every transfer to it fail, or answer late.
    """
    reply = created(WalletOut.of, ROOM.prefix)
    return await changed(call.caller, create_wallet, call.body.to_command(), reply)


@ROOM.get(
    "",
    Terms(needs=Permission.WALLET_READ, gives=WalletOut, is_list=True, query=WalletQuery),
)
async def list_wallets(call: Call[None, WalletQuery]) -> Answer:
    """List wallets, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = WalletFilters(
        customer_id=query.customer_id,
        currency=query.currency,
        statuses=several(query.status, WalletStatus, WalletStatus, field="status"),
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    return piece(
        call.caller, page, await call.caller.look(wallets_look, page, filters), WalletOut.of
    )


@ROOM.get(
    "/{walletId}",
    Terms(needs=Permission.WALLET_READ, gives=WalletOut, refuses=(NotFound,)),
)
async def get_wallet(call: Call[None, NoQuery]) -> Answer:
    """Get a wallet with its balance and what of it is available."""
    return resource(WalletOut.of(await call.caller.look(wallet_look, _id(call))))


@ROOM.patch(
    "/{walletId}",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=WalletPatch,
        gives=WalletOut,
        is_versioned=True,
        refuses=(NotFound, PreconditionFailed, StaleVersion),
    ),
)
async def change_wallet(call: Call[WalletPatch, NoQuery]) -> Answer:
    """Change a wallet's name, limits or metadata.

    A JSON merge patch: what is not named stays, null takes away.
    """
    changes, version = named(call.body), call.expected_version
    changes = {_LIMITS.get(name, name): value for name, value in changes.items()}
    before, patch = None, call.body.metadata
    if not isinstance(patch, UnsetType):
        before = await peeked(call.caller.look(wallet_look, _id(call)))
    if before is not None and not isinstance(patch, UnsetType):
        changes["metadata"] = merged(before.metadata, patch, "metadata")
        version = before.version if version is None else version
    command = UpdateWallet(_id(call), changes, version)
    async with raced(is_expected=call.expected_version is not None):
        return await changed(call.caller, update_wallet, command, found(WalletOut.of))
