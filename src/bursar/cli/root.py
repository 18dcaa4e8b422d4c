"""The command line: `bursar <noun> <verb>`, and the programs that have no noun."""

import asyncio
import runpy
import sys
from typing import Annotated

import typer

from bursar.cli import (
    api_keys,
    clocks,
    coupons,
    credit_notes,
    customers,
    dunning,
    events,
    imports,
    invoices,
    ledger,
    mails,
    members,
    meters,
    orgs,
    payment_methods,
    payments,
    payouts,
    plans,
    queues,
    recurring_invoices,
    reports,
    saved_views,
    simulate,
    subscriptions,
    tax_rates,
    transfers,
    usage,
    wallets,
    webhooks,
)
from bursar.cli.backups import back_up
from bursar.cli.bench import measure_installation
from bursar.cli.desk import Desk, Output, Quiet, desk
from bursar.cli.doctor import examine
from bursar.cli.entry import PROGRAMS, refuse_optimized
from bursar.cli.failing import Exit
from bursar.cli.output import say, show_list
from bursar.cli.programs import Programs
from bursar.cli.restoring import restore
from bursar.cli.starting import start
from bursar.cli.verifying import verify
from bursar.runtime import logging
from bursar.runtime.settings import FIELDS
from bursar.runtime.settings_origins import sources_of_settings, unknown_variables

_GROUPS = {
    "org": orgs.group,
    "member": members.group,
    "customer": customers.group,
    "import": imports.group,
    "plan": plans.group,
    "meter": meters.group,
    "subscription": subscriptions.group,
    "usage": usage.group,
    "invoice": invoices.group,
    "credit-note": credit_notes.group,
    "coupon": coupons.group,
    "tax-rate": tax_rates.group,
    "recurring-invoice": recurring_invoices.group,
    "payment": payments.group,
    "payment-method": payment_methods.group,
    "payout": payouts.group,
    "dunning": dunning.group,
    "wallet": wallets.group,
    "transaction": transfers.group,
    "apikey": api_keys.group,
    "webhook": webhooks.group,
    "mail": mails.group,
    "event": events.event_group,
    "audit": events.audit_group,
    "ledger": ledger.group,
    "report": reports.group,
    "queue": queues.group,
    "clock": clocks.group,
    "saved-view": saved_views.group,
    "simulate": simulate.group,
}
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

configuration = typer.Typer(help="This installation's settings.", no_args_is_help=True)


def build_root(programs: Programs) -> typer.Typer:
    """The whole command line."""
    root = typer.Typer(
        add_completion=True,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Bursar: invoices, payments and their books.",
    )

    @root.callback()
    def begin(context: typer.Context) -> None:
        refuse_optimized()
        context.obj = Desk(programs)

    @root.command("version")
    def version() -> None:
        """Print which release this is."""
        print(programs.version)

    for name, about in (
        ("run", "Start the API, workers and the sandbox processor, all in one."),
        ("demo", "Tell the whole story over real HTTP, a line a step."),
    ):
        root.command(name, help=about, context_settings=_PASSED_ON, add_help_option=False)(_beside)
    for verb, name in ((serve, "serve"), (work, "worker"), (migrate, "migrate")):
        root.command(name)(verb)
    root.command("verify")(verify)
    root.command("doctor")(examine)
    root.command("bench")(measure_installation)
    root.command("backup")(back_up)
    root.command("restore")(restore)
    for name, group in _GROUPS.items():
        root.add_typer(group, name=name)
    root.add_typer(configuration, name="config")
    return root


def serve(
    context: typer.Context,
    *,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; all of them in production.")
    ] = None,
) -> None:
    """Serve the API, until SIGTERM."""
    _pass_on(context.info_name, *(() if host is None else ("--host", host)))


def work(
    context: typer.Context,
    *,
    demo_org: Annotated[bool, typer.Option("--demo-org", hidden=True)] = False,
) -> None:
    """Work off the queues and everything that comes round by itself, until SIGTERM."""
    at = desk(context)
    start(at.settings, lambda stop: at.programs.work(at.settings, stop, has_demo_org=demo_org))


def migrate(context: typer.Context, *, quiet: Quiet = False) -> None:
    """Bring the database to this release's schema."""
    at = desk(context)
    logging.configure(level="warning", is_development=not at.settings.is_production)
    is_changed = asyncio.run(at.programs.set_up(at.settings))
    say("schema brought up to date" if is_changed else "schema up to date", is_quiet=quiet)


@configuration.command("show")
def show_settings(context: typer.Context, *, output: Output = None) -> None:
    """List every setting, its value, where that is from, and its meaning; secrets stay hidden."""
    settings, sources = desk(context).settings, sources_of_settings()
    rows = [
        {
            "name": known.name,
            "value": _told(getattr(settings, name)),
            "source": sources[name],
            "default": known.default or known.otherwise,
            "meaning": known.meaning,
        }
        for name, known in FIELDS.items()
    ]
    show_list(rows, ("name", "value", "source", "meaning"), output)


@configuration.command("check")
def check_settings(context: typer.Context, *, quiet: Quiet = False) -> None:
    """Read every variable and name the ones that are nearly ours; exit 2 for a wrong value."""
    _ = desk(context).settings
    strange = unknown_variables()
    for given, meant in strange.items():
        say(f"{given} is not read; did you mean {meant}?")
    if strange:
        raise typer.Exit(Exit.PROBLEMS)
    say("every variable is understood", is_quiet=quiet)


def _told(value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if value is None or isinstance(value, int) else str(value)


def _beside(context: typer.Context) -> None:
    _pass_on(context.info_name, *context.args)


def _pass_on(name: str | None, *arguments: str) -> None:
    """These programs stand beside the application; here they are only reached the long way."""
    assert name is not None, "whoever is passed on to has a name"
    sys.argv = [sys.argv[0], name, *arguments]
    runpy.run_module(PROGRAMS[name], run_name="__main__", alter_sys=True)
