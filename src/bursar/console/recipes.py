"""The same question for a program: as curl and at the command line, without any secret in it.

A command says what the page shows: its filters and its order are those of the address. Where the
command line does something else, a word beside it says so.
"""

import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from bursar.console.asking import Question
from bursar.console.nouns.shape import Noun
from bursar.console.orders import SORT
from bursar.console.visits import Visit

OPTIONS: Final[Mapping[str, str]] = {
    "q": "--search",
    "email": "--email",
    "key": "--key",
    "currency": "--currency",
    "status": "--status",
    "type": "--type",
    "customerId": "--customer",
    "invoiceId": "--invoice",
    "paymentId": "--payment",
    "planId": "--plan",
    "subscriptionId": "--subscription",
    "walletId": "--wallet",
    "fromWalletId": "--from-wallet",
    "toWalletId": "--to-wallet",
    "resourceId": "--resource",
    "resourceType": "--resource-type",
    "actor": "--actor",
    "action": "--action",
    "createdAt[gte]": "--since",
    "createdAt[lt]": "--until",
    "sourceId": "--source",
    "account": "--account",
    "list": "--list",
    "at": "--at",
    "limit": "--limit",
    "pageSize": "--limit",
}
"""What the command line calls a parameter of a list."""
FLAGS: Final[Mapping[str, Mapping[str, str]]] = {
    SORT: {"createdAt": "--oldest-first"},
    "includeDetached": {"true": "--detached"},
    "isResolved": {"": "--all", "true": "--resolved"},
}
"""What it says instead of a value; the empty one is that of an address without the parameter."""
_SEVERAL: Final = frozenset({"status", "type"})
_INSTANTS: Final = frozenset({"createdAt[gte]", "createdAt[lt]", "at"})
_FURTHER: Final = "The command line lists from the first row on; --limit says how many."


class Recipe(Struct, frozen=True):
    """One way to ask without the console, and what else there is to know of it."""

    name: str
    text: str
    note: str = ""


def recipes(visit: Visit, question: Question, command: str = "", *, note: str = "") -> list[Recipe]:
    """How to ask this elsewhere."""
    url = shlex.quote(f"{visit.app.settings.public_url}{question.target}")
    curl = f'curl {url} -H "Authorization: Bearer $BURSAR_API_KEY"'
    told = [Recipe("curl", curl)]
    if command:
        told.append(Recipe("CLI", f"{command} --org {visit.asker.org_id}", note))
    return told


def list_recipes(visit: Visit, noun: Noun, question: Question) -> list[Recipe]:
    """How to ask elsewhere for a list as it is narrowed and ordered."""
    asked = question.query
    is_further = "after" in asked or asked.get("page", "1") != "1"
    notes = (noun.aside, _FURTHER if is_further else "")
    return recipes(visit, question, command_of(noun, asked), note=" ".join(filter(None, notes)))


def command_of(noun: Noun, asked: Mapping[str, str]) -> str:
    """The command that lists what a noun's route is asked for; empty where there is none."""
    if not noun.command:
        return ""
    flags = {**FLAGS, **noun.flags}
    names = [each.name for each in noun.filters] + [SORT, "limit", "pageSize"]
    said = [
        word
        for name in names
        for word in _said(flags.get(name), name=name, text=asked.get(name, ""))
    ]
    return " ".join((noun.command, *map(shlex.quote, said)))


def _said(flags: Mapping[str, str] | None, *, name: str, text: str) -> Iterator[str]:
    """The words for one parameter."""
    if flags is not None:
        if flag := flags.get(text):
            yield flag
    elif text:
        for each in text.split(",") if name in _SEVERAL else [text]:
            yield OPTIONS[name]
            yield _in_utc(each) if name in _INSTANTS else each


def _in_utc(text: str) -> str:
    """An instant of the wire, as a terminal takes it."""
    at = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    return f"{at.isoformat()}Z"
