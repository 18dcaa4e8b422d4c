"""`bursar report`: figures over the books."""

from typing import Annotated

import typer

from bursar.cli.desk import Org, desk, known_currency
from bursar.cli.failing import Exit
from bursar.cli.narrowing import At, utc
from bursar.cli.output import Output, as_table, is_flat, plain, show_list, show_one
from bursar.domain.reconciliation import Difference
from bursar.domain.refusals import InvalidInput
from bursar.domain.reports import Asked, Interval, Report
from bursar.domain.shapes.analytics import (
    MEASURES,
    AnyReport,
    CustomersOut,
    DunningReportOut,
    InvoicesOut,
    MrrOut,
    PaymentsOut,
    RevenueOut,
)
from bursar.domain.shapes.ledger import TrialBalanceOut
from bursar.domain.shapes.reconciliation import DifferenceOut
from bursar.domain.times import Day
from bursar.flows.reconcile_books import reconcile_books
from bursar.reads.analytics import report, report_with_ageing
from bursar.reads.ledger import trial_balance
from bursar.reads.reconciliation import differences
from bursar.runtime.app import Caller

group = typer.Typer(help="Reports.", no_args_is_help=True)

_DIFFERENCES = ("kind", "resourceId", "reference", "oursCents", "theirsCents", "repair")
_COLUMNS = ("account", "kind", "debitCents", "creditCents", "currency")


@group.command("trial-balance")
def show_trial_balance(
    context: typer.Context, *, at: At = None, org: Org = None, output: Output = None
) -> None:
    """Every account with its balance, and the proof that they sum to zero."""
    held = desk(context).ask(lambda caller: caller.look(trial_balance, utc(at)), org=org)
    balances = TrialBalanceOut.of(held)
    if not is_flat(output):
        show_list(balances, _COLUMNS, output)
    else:
        rows = [
            {**plain(row), "currency": balance.currency}
            for balance in balances
            for row in (*balance.rows, _total(balance))
        ]
        show_list(rows, _COLUMNS, output)
    if not all(balance.is_balanced for balance in balances):
        raise typer.Exit(Exit.PROBLEMS)


@group.command("reconcile")
def show_differences(context: typer.Context, *, org: Org = None, output: Output = None) -> None:
    """Read what the processor moved, mend what it tells, and list what differs; exit 9 if any."""

    async def act(caller: Caller) -> tuple[Difference, ...]:
        for provider in caller.app.providers.values():
            await reconcile_books(caller, provider)
        return await caller.look(differences)

    found = desk(context).ask(act, org=org)
    show_list([DifferenceOut.of(each) for each in found], _DIFFERENCES, output)
    if found:
        raise typer.Exit(Exit.PROBLEMS)


def _report_command(name: str, about: str, kind: AnyReport, columns: tuple[str, ...]) -> None:
    """One command over the figures; a table shows the pieces, every other format all of it."""

    @group.command(name, help=about)
    def show(
        context: typer.Context,
        *,
        start: Annotated[str | None, typer.Option("--from", help="The first day.")] = None,
        end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
        interval: Annotated[Interval, typer.Option(help="How long a piece is.")] = Interval.DAY,
        currency: Annotated[str | None, typer.Option(help="Else the organization's.")] = None,
        org: Org = None,
        output: Output = None,
    ) -> None:
        asked = Asked(_day(start, "--from"), _day(end, "--to"), interval, known_currency(currency))
        measures = MEASURES[kind]

        async def act(caller: Caller) -> Report:
            if kind in _AGED:
                return await caller.look(report_with_ageing, asked, measures)
            return await caller.look(report, asked, measures)

        found = desk(context).ask(act, org=org)
        shape = plain(kind.of(found))
        if as_table(output):
            total = {**shape["totals"], "start": "total"}
            rows = [{**each, "currency": found.currency} for each in (*shape["series"], total)]
            show_list(rows, columns, output)
        else:
            show_one(shape, output)


_AGED = frozenset({InvoicesOut, DunningReportOut})
_report_command(
    "revenue",
    "What was earned, by the books, and what came in.",
    RevenueOut,
    ("start", "revenueCents", "refundedCents", "badDebtCents", "netCents", "collectedCents"),
)
_report_command(
    "mrr",
    "Monthly recurring revenue, and every movement of it.",
    MrrOut,
    (
        *("start", "newCents", "expansionCents", "contractionCents", "churnCents"),
        *("reactivationCents", "netCents", "mrrCents"),
    ),
)
_report_command(
    "invoices",
    "What was invoiced and settled; what is open, by its age (as JSON).",
    InvoicesOut,
    ("start", "invoicedCount", "invoicedCents", "voidedCents", "paidCount", "paidCents"),
)
_report_command(
    "payments",
    "What was collected, and how often it failed.",
    PaymentsOut,
    ("start", "succeededCount", "failedCount", "collectedCents", "successPercent"),
)
_report_command(
    "customers",
    "Who came, who stayed and who left.",
    CustomersOut,
    ("start", "createdCount", "gainedCount", "lostCount", "customerCount", "subscriberCount"),
)
_report_command(
    "dunning",
    "What was not paid as it should be.",
    DunningReportOut,
    ("start", "failedCount", "failedCents", "badDebtCents"),
)


def _day(text: str | None, name: str) -> Day | None:
    try:
        return None if text is None else Day.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(name, "expected a day such as 2026-03-01") from None


def _total(balance: TrialBalanceOut) -> dict[str, object]:
    return {
        "account": "total",
        "kind": "",
        "debitCents": balance.debit_cents,
        "creditCents": balance.credit_cents,
    }
