"""The declarations of the nouns say only what the routes can answer."""

import re
from enum import EnumType
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from bursar.api.faults import fields_of
from bursar.api.rooms import ROUTES
from bursar.console import account, queue_deeds
from bursar.console.asking import BY_NAME
from bursar.console.cells import Column
from bursar.console.nouns.every import BY_SLUG, NOUNS, sections
from bursar.console.nouns.shape import Deed, Noun

each_noun = pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.slug)

# What the console leaves to programs, or shows in its own way; everything else has a button.
NOT_BUTTONS = {
    "registerPerson": "people register before there is a console to stand in",
    "login": "the sign-in page",
    "refresh": "for programs: the console keeps a session, no tokens",
    "logout": "the button that signs out ends the session itself",
    **dict.fromkeys(
        ("verifyEmail", "choosePassword", "acceptOneInvitation"), "a link in a letter leads to it"
    ),
    "forgotPassword": "the page that the sign-in page leads to",
    **dict.fromkeys(
        (
            *("foundOrganization", "deleteOneOrganization", "transferOrganization"),
            *("leaveOneOrganization",),
        ),
        "about the whole organization: by the command line or the API, on purpose",
    ),
    **dict.fromkeys(
        ("ingestOneEvent", "ingestBatch", "createTransactions"), "many at once, for programs"
    ),
    **dict.fromkeys(("importCustomerFile", "importBalanceFile"), "whole files, for programs"),
    "duplicateOneInvoice": "a copy of a document is drafted by programs",
    "depositIntoOwnWallet": "of one's own wallet, which is no business of the organization's",
    **dict.fromkeys(
        ("attachPaymentMethod", "setUpPaymentMethod"),
        "needs what the provider's form gives to a program",
    ),
    "editRecurringInvoice": "end it and make another",
    "cancelInvoice": "another word for voiding",
}


DEEDS = [(noun, deed) for noun in NOUNS for deed in (*noun.deeds, *noun.makes)]
each_deed = pytest.mark.parametrize(("noun", "deed"), DEEDS, ids=lambda each: each.slug)


def _fields(shape: Any) -> dict[str, Any]:
    hints = get_type_hints(shape)
    names = zip(shape.__struct_encode_fields__, shape.__struct_fields__, strict=True)
    return {wire: hints[own] for wire, own in names}


def _at(shape: Any, path: str) -> Any:
    """The kind of the field at a path, without what is optional about it."""
    for name in path.split("."):
        kind = _fields(shape)[name]
        inner = [each for each in get_args(kind) if isinstance(each, type)]
        shape = next((each for each in inner if issubclass(each, msgspec.Struct)), kind)
    return shape


def test_names_are_unique() -> None:
    # An address leads to one noun, and a noun's address to one button.
    assert len(BY_SLUG) == len(NOUNS)
    for noun in NOUNS:
        slugs = [deed.slug for deed in noun.deeds]
        assert len(slugs) == len(set(slugs)), noun.slug


def test_everything_is_reachable() -> None:
    # Each noun stands in the navigation, or some other noun's table leads to it.
    shown = {noun.slug for nouns in sections().values() for noun in nouns}
    linked = {part.noun for noun in NOUNS for part in noun.parts}
    assert {noun.slug for noun in NOUNS} <= shown | linked


@each_noun
def test_looks_change_nothing(noun: Noun) -> None:
    # Whatever a page asks is a question: opening it changes nothing.
    asked = [noun.rows, noun.item, *noun.files.values()]
    asked += [part.route for part in noun.parts]
    assert {BY_NAME[name].method for name in asked if name} == {"GET"}


@each_noun
def test_columns_exist(noun: Noun) -> None:
    # Each column and each fact is a field of what the route gives.
    for route, columns in ((noun.rows, noun.columns), (noun.item, noun.facts)):
        for column in columns:
            _at(BY_NAME[route].terms.gives, column.field)
    for part in noun.parts:
        shape = BY_NAME[part.route or noun.item or noun.rows].terms.gives
        _check_part(_at(shape, part.own) if part.own else shape, part.columns)


def _check_part(shape: Any, columns: tuple[Column, ...]) -> None:
    for column in columns:
        _at(shape, column.field)


@each_noun
def test_filters_exist(noun: Noun) -> None:
    # Each filter is a parameter of the list's route.
    known = BY_NAME[noun.rows].terms.query.__struct_encode_fields__ if noun.rows else ()
    assert {each.name for each in noun.filters} <= set(known)
    for part in noun.parts:
        if part.route:
            assert {*part.query, *part.asks} <= set(
                BY_NAME[part.route].terms.query.__struct_encode_fields__
            )


@each_deed
def test_buttons_exist(noun: Noun, deed: Deed) -> None:
    # A button's route changes something, takes the fields its form has, and its states exist.
    takes = deed.verb.terms.takes
    known = set() if takes is None else set(fields_of(takes))
    assert deed.verb.is_write
    assert set(deed.fields) | set(deed.given) <= known
    if deed.when:
        kind = _at(BY_NAME[noun.item].terms.gives, noun.status)
        assert isinstance(kind, EnumType)
        assert set(deed.when) <= set(kind)


@each_deed
def test_ends_ask_why(noun: Noun, deed: Deed) -> None:
    # What gives money away, or cannot be taken back, asks for a reason.
    asks_why = {"refundAPayment", "refundAPart", "createTransaction", "withdrawFromWallet"}
    asks_why.add("eraseOneCustomer")
    asks_nothing = {"deleteDraft", "removeSavedView"}  # nobody was promised anything by them

    if deed.route in asks_why or deed.verb.method == "DELETE":
        assert deed.needs_reason or deed.route in asks_nothing, (noun.slug, deed.slug)


def test_every_verb_has_a_button() -> None:
    # A new route that changes something gets a button, or a reason why not; never both.
    pressed = {deed.route for _, deed in DEEDS} | {
        deed.route for deed in (*queue_deeds.DEEDS, *account.DEEDS)
    }
    verbs = {route.name for route in ROUTES if route.is_write}
    assert verbs - pressed <= NOT_BUTTONS.keys()
    assert not pressed & NOT_BUTTONS.keys()


@each_noun
def test_commands_exist(noun: Noun) -> None:
    # What a page tells to type at a terminal is a command of the reference, which is generated.
    text = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text("utf-8")
    known = set(re.findall("`(bursar [a-z -]+)`", text))
    assert {each for each in (noun.command, noun.tells) if each} <= known
