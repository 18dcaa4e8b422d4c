"""`/v1/wallets/me` and what moves money: deposits, withdrawals, history, the end of a wallet."""

from typing import Any

from bursar.api.envelope import changed, found, resource
from bursar.api.fields import Body, CurrencyCode, DryRun, NoQuery, Nothing, PositiveCents
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission, Person
from bursar.domain.ids import UserId, WalletId
from bursar.domain.refusals import (
    AmountTooLarge,
    IllegalTransition,
    InsufficientFunds,
    NotAllowed,
    NotFound,
    ProviderNotConfigured,
    StillInUse,
    WalletClosed,
    WrongCurrency,
)
from bursar.domain.shapes.wallets import WalletBalanceOut, WalletEntryOut, WalletOut
from bursar.domain.wallets import Wallet
from bursar.operations.deposits import BeginDeposit, begin_deposit, begin_own_deposit
from bursar.operations.wallets import (
    CloseWallet,
    OpenOwnWallet,
    WithdrawMoney,
    close_wallet,
    open_own_wallet,
    withdraw_money,
)
from bursar.reads.wallets import own_history, own_wallet, wallet_history
from bursar.reads.wallets import wallet as wallet_look
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

ROOM = Room("Wallets", prefix="/v1/wallets", about="Money in, money out, and what became of it.")

_NOT_TAKEN = (WalletClosed, WrongCurrency, AmountTooLarge, ProviderNotConfigured)


class AmountBody(Body, frozen=True):
    """How much; the currency, if it is named, is the wallet's."""

    amount_cents: PositiveCents
    currency: CurrencyCode | None = None


def _id(call: Call[Any, Any]) -> WalletId:
    return WalletId(call.id("walletId"))


def _own_user_id(caller: Caller) -> UserId:
    if not isinstance(caller.actor, Person):
        needed = Permission.SELF.value
        message = f"Only a person has a wallet of their own; this needs {needed}."
        raise NotAllowed(message, facts={"permission": needed})
    return caller.actor.user_id


async def _own(caller: Caller) -> Wallet:
    """The caller's wallet, made at first use."""
    user_id = _own_user_id(caller)
    known = await caller.look(own_wallet, user_id)
    if known is not None:
        return known
    return await caller.run(open_own_wallet, OpenOwnWallet(user_id))


@ROOM.get("/me", Terms(needs=Permission.SELF, gives=WalletOut, refuses=(NotFound,)))
async def get_own_wallet(call: Call[None, NoQuery]) -> Answer:
    """Get one's own wallet; it is made at first use.

    Being a member of the organization suffices. It is in the organization's currency.
    """
    return resource(WalletOut.of(await _own(call.caller)))


@ROOM.get(
    "/me/history",
    Terms(
        needs=Permission.SELF,
        gives=WalletEntryOut,
        is_list=True,
        query=ListQuery,
        refuses=(NotFound,),
    ),
)
async def list_own_history(call: Call[None, ListQuery]) -> Answer:
    """List what came into one's own wallet and went out, newest first."""
    page = pages(call.caller, call.query)
    shown = await call.caller.look(own_history, _own_user_id(call.caller), page)
    return piece(call.caller, page, shown, WalletEntryOut.of)


@ROOM.post(
    "/me/deposit",
    Terms(
        needs=Permission.SELF,
        takes=AmountBody,
        gives=WalletOut,
        query=DryRun,
        refuses=(NotFound, *_NOT_TAKEN),
    ),
)
async def deposit_into_own_wallet(call: Call[AmountBody, DryRun]) -> Answer:
    """Store money in one's own wallet: at once in a sandbox organization."""
    wallet = await _own(call.caller)
    command = _deposit(wallet.id, call.body)
    return await changed(call.caller, begin_own_deposit, command, found(WalletOut.of))


@ROOM.post(
    "/{walletId}/deposit",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=AmountBody,
        gives=WalletOut,
        query=DryRun,
        refuses=(NotFound, *_NOT_TAKEN),
    ),
)
async def deposit_into_wallet(call: Call[AmountBody, DryRun]) -> Answer:
    """Store money in a wallet: at once in a sandbox organization."""
    command = _deposit(_id(call), call.body)
    return await changed(call.caller, begin_deposit, command, found(WalletOut.of))


@ROOM.post(
    "/{walletId}/withdraw",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=AmountBody,
        gives=WalletOut,
        query=DryRun,
        refuses=(NotFound, InsufficientFunds, WalletClosed, WrongCurrency),
    ),
)
async def withdraw_from_wallet(call: Call[AmountBody, DryRun]) -> Answer:
    """Pay stored money out.

    It goes to the bank, in a sandbox organization to nowhere. Only what is available can go; what
    open holds set aside cannot.
    """
    body = call.body
    command = WithdrawMoney(
        wallet_id=_id(call), amount_minor=body.amount_cents, currency=body.currency
    )
    return await changed(call.caller, withdraw_money, command, found(WalletOut.of))


@ROOM.post(
    "/{walletId}/close",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=Nothing,
        gives=WalletOut,
        refuses=(NotFound, IllegalTransition, StillInUse),
    ),
)
async def close_a_wallet(call: Call[Nothing, NoQuery]) -> Answer:
    """Close a wallet that is empty and holds nothing; it takes no more part in any move."""
    command = CloseWallet(_id(call))
    return await changed(call.caller, close_wallet, command, found(WalletOut.of))


@ROOM.get(
    "/{walletId}/balance",
    Terms(needs=Permission.WALLET_READ, gives=WalletBalanceOut, refuses=(NotFound,)),
)
async def get_wallet_balance(call: Call[None, NoQuery]) -> Answer:
    """Get what a wallet has, what of it is held, and what is available."""
    return resource(WalletBalanceOut.of(await call.caller.look(wallet_look, _id(call))))


@ROOM.get(
    "/{walletId}/history",
    Terms(
        needs=Permission.WALLET_READ,
        gives=WalletEntryOut,
        is_list=True,
        query=ListQuery,
        refuses=(NotFound,),
    ),
)
async def list_wallet_history(call: Call[None, ListQuery]) -> Answer:
    """List what came into a wallet and went out, newest first, each with the balance it left."""
    page = pages(call.caller, call.query)
    shown = await call.caller.look(wallet_history, _id(call), page)
    return piece(call.caller, page, shown, WalletEntryOut.of)


def _deposit(wallet_id: WalletId, body: AmountBody) -> BeginDeposit:
    return BeginDeposit(wallet_id=wallet_id, amount_minor=body.amount_cents, currency=body.currency)
