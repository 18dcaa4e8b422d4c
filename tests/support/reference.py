"""Writes `docs/reference/`: the lists that must not be kept by hand, made from the code itself.

`make docs` runs it; `tests/architecture/test_reference.py` fails when a page is not what it gives.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from tests.support import command_pages
from tests.support.page_parts import page as _page
from tests.support.page_parts import table as _table

from bursar.api.errors import CODES, PROTOCOL_CODES, every_reason
from bursar.api.rooms import ROUTES
from bursar.api.routes import Audience, Route
from bursar.domain import (
    catalog,
    discounts,
    dispute_reports,
    disputes,
    holds,
    invoices,
    payments,
    payout_reports,
    payouts,
    recurring_invoices,
    refunds,
    subscriptions,
    tax_rates,
    transfers,
    wallets,
)
from bursar.domain.access import (
    LINK_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPE_PERMISSIONS,
    Permission,
    Role,
)
from bursar.domain.event_names import EVENTS
from bursar.domain.people import TOLD_WHEN, AuthFact
from bursar.domain.provider import DeclineKind
from bursar.domain.shapes.render import resource_type
from bursar.domain.shapes.samples import SAMPLES
from bursar.providers.stripe.declines import DECLINES
from bursar.runtime.metrics import METRICS
from bursar.runtime.settings import FIELDS

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "docs" / "reference"
SCRIPTS: Final = ROOT / "src" / "bursar" / "migrations" / "sql"

DOORS: Final = (
    "no credential",
    *(role.value for role in Role),
    "ended session",
    "ended key",
    "stranger",
    "stranger's key",
    "deleted organization",
    "its key",
)
_CREATE: Final = re.compile(r"^CREATE TABLE ([\w.]+) \(\n", re.MULTILINE)
_ISOLATE: Final = re.compile(r"^CALL sec\.isolate\('(\w+)'\)", re.MULTILINE)
_CONSTRAINT: Final = re.compile(r"(PRIMARY KEY|FOREIGN KEY|UNIQUE|CONSTRAINT|CHECK|EXCLUDE)\b")
_COLUMN: Final = re.compile(
    r"(?P<name>\w+) (?P<type>[\w.]+(?: with time zone| precision)?(?:\([\d, ]+\))?(?:\[\])?)"
    r"(?P<rest>.*)",
    re.DOTALL,
)


Status = TypeVar("Status", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a migration makes it."""

    name: str
    about: str
    columns: tuple[tuple[str, str, bool], ...]
    constraints: tuple[str, ...]
    is_isolated: bool


LIVED: Final = (
    "*Lived and written by a proof, `tests/flows/test_payment_outcomes.py`, which compares.*"
)
OUTCOMES: Final = "payment_outcomes.md"
"""Lived by a proof, which writes the page and holds it against what happens."""
LOCALSTRIPE: Final = "localstripe.md"
"""Lived by `make localstripe`, which does the same."""


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    return {
        "access.md": access(),
        "checks.md": command_pages.checks(),
        "commands.md": command_pages.commands(),
        "declines.md": declines(),
        "errors.md": errors(),
        "events.md": events(),
        "metrics.md": metrics(),
        "permissions.md": permissions(),
        "settings.md": settings(),
        "states.md": states(),
        "tables.md": tables(),
    }


def access() -> str:
    """Every route, and who gets past its door."""
    rows = (
        (
            f"`{route.method} {route.path}`",
            f"`{route.terms.needs.value}`",
            *(doors_of(route)[column] for column in DOORS),
            _told_scopes(route),
        )
        for route in ROUTES
    )
    return _page(
        "Access",
        "Every route, and what whoever asks is told at its door. `yes` means that the request is "
        "heard: what it then comes to is the route's own affair. `401` is no credential, or one "
        "that is not good (any more); `403` a known caller without the permission; `404` an "
        "organization that, for this caller, is not there. A removed member is a stranger. A test "
        "asks every cell.",
        _table(("route", "permission", *DOORS, "scopes of keys that may"), rows),
    )


def doors_of(route: Route) -> dict[str, str]:
    """What each kind of caller is told at a route's door."""
    audience, needs = route.terms.audience, route.terms.needs
    if audience is Audience.ANYONE:
        return dict.fromkeys(DOORS, "yes")
    roles = {
        role.value: "yes" if needs in {Permission.SELF, *ROLE_PERMISSIONS[role]} else "403"
        for role in Role
    }
    is_org = audience is not Audience.PERSON
    return {
        "no credential": "401",
        **roles,
        "ended session": "401",
        "ended key": "401",
        "stranger": "404" if is_org else "yes",
        "stranger's key": "403" if audience is not Audience.PATH_ORG else "404",
        "deleted organization": "404" if is_org else "yes",
        "its key": "401",
    }


def scopes_of(route: Route) -> list[str]:
    """The scopes each of which gets a key past a route's door."""
    match route.terms.audience:
        case Audience.ANYONE:
            return list(SCOPE_PERMISSIONS)
        case Audience.PERSON:
            return []
        case Audience.ORG | Audience.PATH_ORG:
            needs = route.terms.needs
            return [scope for scope, held in SCOPE_PERMISSIONS.items() if needs in held]


def _told_scopes(route: Route) -> str:
    if route.terms.audience is Audience.ANYONE:
        return "no key needed"
    return ", ".join(f"`{scope}`" for scope in scopes_of(route)) or "none"


def errors() -> str:
    """Codes and reasons."""
    codes = sorted({*CODES.values(), *PROTOCOL_CODES}, key=lambda code: (code.status, code.code))
    return _page(
        "Errors",
        'Every answer from 400 on is `{"error": {…}}` with `code`, `message`, `details`, '
        "`requestId` and `docUrl`. The code decides the status; the reason, which `docUrl` names, "
        "says what it was.",
        "## Codes",
        _table(
            ("status", "code", "means"),
            ((str(code.status), f"`{code.code}`", code.meaning) for code in codes),
        ),
        "## Reasons",
        _table(
            ("reason", "code", "status", "means"),
            (
                (f"`{reason}`", f"`{code.code}`", str(code.status), meaning)
                for reason, (code, meaning) in every_reason().items()
            ),
        ),
    )


def events() -> str:
    """Public and internal facts."""
    public = [
        (
            f"`{name}`",
            str(event.payload_version),
            f"`{resource_type(SAMPLES[name].subject)}`",
            event.when,
        )
        for name, event in sorted(EVENTS.items())
        if event.is_public
    ]
    internal = [
        (f"`{name}`", event.when) for name, event in sorted(EVENTS.items()) if not event.is_public
    ]
    doors = [(f"`{fact.value}`", TOLD_WHEN[fact]) for fact in sorted(AuthFact)]
    return _page(
        "Events",
        "What is told, and when. How events are kept, ordered and read is in "
        "[events](../domain/events.md). `GET /v1/event-types` gives each public type with its "
        "JSON Schema and a sample.",
        "## Public: webhooks, feed, timeline, audit",
        _table(("type", "payload version", "resource in `data`", "told when"), public),
        "## Internal: audit only",
        _table(("type", "told when"), internal),
        "## At the door: a person's own history",
        _table(("type", "told when"), doors),
    )


def metrics() -> str:
    """Every metric of `/metrics`."""
    rows = (
        (f"`{each.name}`", each.kind, ", ".join(f"`{one}`" for one in each.labels), each.tells)
        for each in sorted(METRICS, key=lambda each: each.name)
    )
    return _page(
        "Metrics",
        "What `GET /metrics` shows, of the API and, where they share a folder, of its workers; a "
        "worker by itself shows them on `METRICS_PORT`. Labels are closed: a route is its "
        "template. How they are used is in [observability](../OBSERVABILITY.md).",
        _table(("metric", "kind", "labels", "tells"), rows),
    )


def permissions() -> str:
    """Roles, scopes and links."""
    roles = list(ROLE_PERMISSIONS)
    role_rows = (
        (f"`{each.value}`", *(_mark(each in ROLE_PERMISSIONS[role]) for role in roles))
        for each in Permission
    )
    scope_rows = ((f"`{scope}`", _listed(held)) for scope, held in SCOPE_PERMISSIONS.items())
    return _page(
        "Permissions",
        "One table decides. A person has a role in an organization, an API key has scopes, a "
        "hosted link opens one invoice. A person also has `anyone` and `self:manage` everywhere; "
        "what no role has is for Bursar's own workers.",
        "## Roles",
        _table(("permission", *(role.value for role in roles)), role_rows),
        "## Scopes of API keys",
        _table(("scope", "permissions"), scope_rows),
        "## Hosted links",
        f"{_listed(LINK_PERMISSIONS)}, for that one invoice.",
    )


def settings() -> str:
    """Every environment variable."""
    rows = (
        (
            f"`{each.name}`" + (f" (also `{each.alias}`)" if each.alias else ""),
            each.meaning,
            f"`{each.default}`" if each.default else each.otherwise or "empty",
            "yes" if each.is_secret else "",
        )
        for each in FIELDS.values()
    )
    return _page(
        "Settings",
        "Environment variables, read once at the start. A missing or bad value ends the start with "
        "one line that names the variable. A secret can be given as a file, by `<NAME>_FILE`; in "
        "production no secret has a default.",
        _table(("variable", "meaning", "unset", "secret"), rows),
    )


def states() -> str:
    """Every table of transitions, drawn."""
    return _page(
        "States",
        "Drawn from the tables of transitions. There is no other way from one state to another.",
        "## Plan",
        _diagram(catalog.PlanStatus.ACTIVE, catalog.TRANSITIONS),
        "## Subscription",
        _diagram(
            subscriptions.SubscriptionStatus.ACTIVE,
            {status: tuple(steps) for status, steps in subscriptions.TRANSITIONS.items()},
            subscriptions.SubscriptionStatus.TRIALING,
        ),
        "## Coupon",
        _diagram(discounts.CouponStatus.ACTIVE, discounts.TRANSITIONS),
        "## Tax rate",
        _diagram(tax_rates.TaxRateStatus.ACTIVE, tax_rates.TRANSITIONS),
        "## Invoice",
        _diagram(invoices.InvoiceStatus.DRAFT, invoices.TRANSITIONS),
        "## Recurring invoice",
        _diagram(recurring_invoices.RecurringStatus.ACTIVE, recurring_invoices.TRANSITIONS),
        "## Payment",
        _diagram(payments.PaymentStatus.PENDING, payments.TRANSITIONS),
        "## Refund",
        _diagram(refunds.RefundStatus.PENDING, refunds.TRANSITIONS),
        "## Dispute",
        _diagram(
            dispute_reports.DisputeStatus.NEEDS_RESPONSE,
            disputes.TRANSITIONS,
            dispute_reports.DisputeStatus.WARNING_NEEDS_RESPONSE,
        ),
        "## Payout",
        _diagram(payout_reports.PayoutStatus.PENDING, payouts.TRANSITIONS),
        "## Wallet",
        _diagram(wallets.WalletStatus.OPEN, wallets.TRANSITIONS),
        "## Hold",
        _diagram(holds.HoldStatus.OPEN, holds.TRANSITIONS),
        "## Transaction",
        _diagram(transfers.TransferStatus.INITIATED, transfers.TRANSITIONS),
    )


def tables() -> str:
    """Every table that the migrations make."""
    about = (
        "Every table of the schema. Where an organization sees its own rows only, row-level "
        "security is forced; see [security](../security.md)."
    )
    parts = [about]
    for table in made_tables():
        parts.append(f"## {table.name}")
        isolation = "An organization sees its own rows only." if table.is_isolated else ""
        if table.about or isolation:
            parts.append(f"{table.about} {isolation}".strip())
        rows = (
            (f"`{name}`", kind, "" if is_required else "may be null")
            for name, kind, is_required in table.columns
        )
        parts.append(_table(("column", "type", ""), rows))
        if table.constraints:
            parts.append("\n".join(f"- `{constraint}`" for constraint in table.constraints))
    return _page("Tables", *parts)


def made_tables() -> Iterator[Table]:
    """What the scripts of `migrations/sql` create, read from their text."""
    scripts = [path.read_text() for path in sorted(SCRIPTS.glob("*.sql"))]
    isolated = {name for text in scripts for name in _ISOLATE.findall(text)}
    for text in scripts:
        for found in _CREATE.finditer(text):
            columns: list[tuple[str, str, bool]] = []
            constraints: list[str] = []
            for part in _parts(text, found.end()):
                if _CONSTRAINT.match(part):
                    constraints.append(part)
                    continue
                column = _COLUMN.fullmatch(part)
                assert column is not None, part
                is_required = "NOT NULL" in column["rest"] or "PRIMARY KEY" in column["rest"]
                columns.append((column["name"], column["type"], is_required))
            about = _comment_above(text[: found.start()])
            yield Table(found[1], about, tuple(columns), tuple(constraints), found[1] in isolated)


def declines() -> str:
    """Every decline code, and what it asks of whoever retries."""
    meanings = {
        DeclineKind.RETRY: "the same method may be charged again later",
        DeclineKind.NEW_METHOD: "the customer is asked for another method",
        DeclineKind.AUTHENTICATION: "the cardholder must confirm; nobody is there to, in a retry",
        DeclineKind.NEVER: "nothing is charged by this method again",
    }
    rows = [(f"`{code}`", f"`{kind.value}`") for code, kind in sorted(DECLINES.items())]
    return _page(
        "Decline codes",
        "What the bank's code asks of whoever retries. A network's advice never to try again wins "
        "over the code; a code that is not here may be tried again.",
        _table(("kind", "means"), [(f"`{kind.value}`", meanings[kind]) for kind in DeclineKind]),
        _table(("code", "kind"), rows),
    )


def outcomes(head: Sequence[str], rows: Iterable[Sequence[str]], *, same: str) -> str:
    """The page of payment outcomes, from rows that were lived."""
    about = (
        "Every test card and every fault of the sandbox processor by every mode that meets it: "
        "what the payment and the invoice are when nothing is left to do, and what was booked, "
        "told and written on the way. Tried again by dunning, the payment failed before for lack "
        "of funds. A card that is not attached can be charged by nobody, so it has no more rows."
    )
    return "\n\n".join(["# Payment outcomes", LIVED, about, same, _table(head, rows)]) + "\n"


def outcome_line(row: Sequence[str]) -> str:
    """One row as it stands on that page."""
    return _table(row, ()).splitlines()[0]


def write() -> None:
    """Bring the folder up to date."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


def _parts(text: str, start: int) -> list[str]:
    """What stands between a table's parentheses, split at its own commas, comments left out."""
    parts, depth, part = [], 0, ""
    for letter in re.sub(r"--[^\n]*", "", text[start:]):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    return [" ".join(each.split()) for each in (*parts, part)]


def _comment_above(text: str) -> str:
    lines: list[str] = []
    for line in reversed(text.splitlines()):
        if not line.startswith("-- "):
            break
        lines.append(line.removeprefix("-- "))
    return " ".join(reversed(lines))


def _diagram(
    first: StrEnum, transitions: Mapping[Status, tuple[Status, ...]], *also: StrEnum
) -> str:
    """Every step; `also` are further states that something may begin in."""
    begins = [f"    [*] --> {each}" for each in (first, *also)]
    edges = [f"    {start} --> {end}" for start, ends in transitions.items() for end in ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *begins, *edges, "```"])


def _listed(held: Iterable[Permission]) -> str:
    return ", ".join(f"`{each.value}`" for each in sorted(held))


def _mark(is_held: bool) -> str:
    return "yes" if is_held else ""


if __name__ == "__main__":
    write()
