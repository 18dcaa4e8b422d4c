"""`bursar wallet`: stored value, what came and went, and what is held."""

from typing import Annotated

import typer

from bursar.cli.desk import (
    ROWS,
    DryRun,
    Limit,
    Org,
    Reason,
    Yes,
    an_id,
    confirm,
    desk,
    known_currency,
)
from bursar.cli.narrowing import (
    Customer,
    OldestFirst,
    Since,
    Until,
    Wallet,
    customer_of,
    utc,
    wallet_of,
)
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.holds import HoldStatus
from bursar.domain.ids import CustomerId, HoldId, WalletId
from bursar.domain.shapes.holds import HoldOut
from bursar.domain.shapes.wallets import WalletEntryOut, WalletOut
from bursar.domain.wallets import Wallet as StoredValue
from bursar.domain.wallets import WalletStatus
from bursar.flows.deposit_money import deposit_money
from bursar.operations.deposits import BeginDeposit
from bursar.operations.holds import (
    CaptureHold,
    CreateHold,
    SettleHold,
    capture_hold,
    create_hold,
    release_hold,
)
from bursar.operations.wallets import (
    CloseWallet,
    CreateWallet,
    WithdrawMoney,
    close_wallet,
    create_wallet,
    withdraw_money,
)
from bursar.reads.holds import HoldFilters, holds
from bursar.reads.wallets import WalletFilters, wallet, wallet_history, wallets
from bursar.runtime.app import Caller

group = typer.Typer(help="Wallets and holds.", no_args_is_help=True)

_COLUMNS = ("id", "name", "ownerType", "balanceCents", "availableCents", "currency", "status")
_HOLDS = ("id", "walletId", "amountCents", "capturedCents", "currency", "status", "expiresAt")
_LINES = ("createdAt", "kind", "amountCents", "balanceCents", "sourceId")

Amount = Annotated[int, typer.Option(min=1, help="In the currency's minor unit.")]


@group.command("list")
def list_wallets(
    context: typer.Context,
    *,
    org: Org = None,
    customer: Customer = None,
    status: Annotated[list[WalletStatus] | None, typer.Option(help="Only these.")] = None,
    currency: Annotated[str | None, typer.Option(help="Only in this currency: usd.")] = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List wallets, newest first."""
    filters = WalletFilters(
        customer_id=customer_of(customer),
        currency=known_currency(currency),
        statuses=tuple(status or ()),
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(wallets, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([WalletOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_wallet(
    context: typer.Context, wallet_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one wallet with what it has."""
    known = _id(wallet_id)
    found = desk(context).ask(lambda caller: caller.look(wallet, known), org=org)
    show_one(WalletOut.of(found), output)


@group.command("history")
def show_history(
    context: typer.Context,
    wallet_id: str,
    *,
    org: Org = None,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List what came into a wallet and went out, newest first."""
    known = _id(wallet_id)
    found = desk(context).gather(
        lambda caller, page: caller.look(wallet_history, known, page), limit, org=org
    )
    show_list([WalletEntryOut.of(each) for each in found], _LINES, output)


@group.command("holds")
def list_holds(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[HoldStatus] | None, typer.Option(help="Only these.")] = None,
    wallet: Wallet = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List holds, newest first."""
    filters = HoldFilters(wallet_id=wallet_of(wallet), statuses=tuple(status or ()))
    found = desk(context).gather(
        lambda caller, page: caller.look(holds, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([HoldOut.of(each) for each in found], _HOLDS, output)


@group.command("create")
def create_one_wallet(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option()] = "Wallet",
    customer: Annotated[str | None, typer.Option(help="Whose it is (cust_…).")] = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Make a wallet for a customer, or without one for the organization."""
    command = CreateWallet(name=name, customer_id=_customer(customer))
    made = desk(context).ask(
        lambda caller: caller.run(create_wallet, command), org=org, reason=reason
    )
    show_one(WalletOut.of(made), output)


@group.command("deposit")
def deposit(
    context: typer.Context,
    wallet_id: str,
    *,
    amount: Amount,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Store money: at once in a sandbox organization, else by a hosted page."""
    known = _id(wallet_id)

    async def act(caller: Caller) -> StoredValue:
        command = BeginDeposit(
            wallet_id=known,
            amount_minor=amount,
            attempt_key=f"cli:{caller.request_id}",
            providers={mode: each.name for mode, each in caller.app.providers.items()},
            return_url=caller.app.settings.public_url,
        )
        return (await deposit_money(caller, command)).wallet

    made = desk(context).ask(act, org=org, reason=reason, is_dry_run=dry_run)
    show_one(WalletOut.of(made), output)


@group.command("withdraw")
def withdraw(
    context: typer.Context,
    wallet_id: str,
    *,
    amount: Amount,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Pay stored money out."""
    command = WithdrawMoney(wallet_id=_id(wallet_id), amount_minor=amount)
    confirm(f"Pay {amount} out of {wallet_id}?", is_agreed=yes or dry_run)
    paid = desk(context).ask(
        lambda caller: caller.run(withdraw_money, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(WalletOut.of(paid), output)


@group.command("close")
def close(
    context: typer.Context,
    wallet_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Close an empty wallet."""
    command = CloseWallet(_id(wallet_id))
    confirm(f"Close {wallet_id}?", is_agreed=yes)
    closed = desk(context).ask(
        lambda caller: caller.run(close_wallet, command), org=org, reason=reason
    )
    show_one(WalletOut.of(closed), output)


@group.command("hold")
def hold(
    context: typer.Context,
    wallet_id: str,
    *,
    amount: Amount,
    description: Annotated[str | None, typer.Option(help="For whoever reads it later.")] = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Set a part of a wallet's money aside for a week."""
    command = CreateHold(wallet_id=_id(wallet_id), amount_minor=amount, description=description)
    made = desk(context).ask(
        lambda caller: caller.run(create_hold, command), org=org, reason=reason
    )
    show_one(HoldOut.of(made), output)


@group.command("capture")
def capture(
    context: typer.Context,
    hold_id: str,
    *,
    amount: Annotated[int | None, typer.Option(min=1, help="All of it, unless said.")] = None,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Take what a hold set aside, all of it or a part."""
    command = CaptureHold(_hold_id(hold_id), amount)
    confirm(f"Capture {hold_id}?", is_agreed=yes)
    taken = desk(context).ask(
        lambda caller: caller.run(capture_hold, command), org=org, reason=reason
    )
    show_one(HoldOut.of(taken), output)


@group.command("release")
def release(
    context: typer.Context,
    hold_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Free what a hold set aside."""
    command = SettleHold(_hold_id(hold_id))
    freed = desk(context).ask(
        lambda caller: caller.run(release_hold, command), org=org, reason=reason
    )
    show_one(HoldOut.of(freed), output)


def _id(text: str) -> WalletId:
    return WalletId(an_id(text, prefix="wal", name="wallet_id"))


def _hold_id(text: str) -> HoldId:
    return HoldId(an_id(text, prefix="hld", name="hold_id"))


def _customer(text: str | None) -> CustomerId | None:
    return None if text is None else CustomerId(an_id(text, prefix="cust", name="--customer"))
