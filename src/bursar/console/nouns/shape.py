"""What a noun of the console is: where it is listed, what is shown of it, what may be done to it.

A declaration names routes of the API and fields of their answers, nothing else; permissions, forms
and the dry run follow from the routes. One declaration is a list page, a page of its own and its
buttons.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from bursar.api.routes import Route
from bursar.console.asking import BY_NAME
from bursar.console.cells import Column
from bursar.domain.access import Permission


class Section(StrEnum):
    """The parts of the navigation, in order."""

    BILLING = "Billing"
    PAYMENTS = "Payments"
    CATALOG = "Catalog"
    WALLETS = "Wallets"
    BOOKS = "Books"
    DEVELOPERS = "Developers"
    ORGANIZATION = "Organization"


class Filter(Struct, frozen=True, kw_only=True):
    """One way to narrow a list: a parameter of its route, with the choices if there are few."""

    name: str
    label: str
    choices: tuple[str, ...] = ()


class Part(Struct, frozen=True, kw_only=True):
    """A table on a thing's page: of a list inside the thing, or of what a route tells about it."""

    title: str
    columns: tuple[Column, ...]
    own: str = ""  # the field of the thing, or of the route's one answer, that holds the rows
    route: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)  # of the path, by the thing's fields
    query: Mapping[str, str] = field(default_factory=dict)  # of the query, by the thing's fields
    asks: Mapping[str, str] = field(default_factory=dict)  # of the query, whatever the thing is
    filters: tuple[Filter, ...] = ()  # of the page that has all of it
    noun: str = ""  # where its rows lead
    total: Column | None = None
    teaches: str = "Nothing yet."

    @property
    def slug(self) -> str:
        """What the page that has all of it is called."""
        return self.title.lower().replace(" ", "-")

    @property
    def has_page(self) -> bool:
        """Whether it is a list inside the thing, which goes on where the thing's page ends."""
        return bool(self.route and self.ids and not self.own and BY_NAME[self.route].terms.is_list)


class Deed(Struct, frozen=True, kw_only=True):
    """A button: a route that changes something, offered while the thing's state allows it."""

    slug: str
    label: str
    route: str
    words: str  # what will happen, before it does
    when: tuple[str, ...] = ()  # the statuses in which it is offered; none means always
    only_if: str = ""  # a field of the thing without which there is nothing to press it for
    tone: str = "plain"
    needs_reason: bool = False  # where money moves or something ends
    fields: tuple[str, ...] = ()  # those of the body that the form shows; none means all
    is_edit: bool = False  # the form begins with what is there
    has_totals: bool = False  # what is typed is added up before it is saved
    given: Mapping[str, str] = field(default_factory=dict)  # of the body, by the thing's fields
    sends: Mapping[str, str] = field(default_factory=dict)  # of the body, whatever the thing is

    @property
    def verb(self) -> Route:
        """The route behind the button."""
        return BY_NAME[self.route]

    @property
    def needs(self) -> Permission:
        """What one must be allowed to see the button at all."""
        return self.verb.terms.needs

    @property
    def has_preview(self) -> bool:
        """Whether the real thing is tried and taken back before the button counts."""
        return not self.has_totals and "dryRun" in self.verb.terms.query.__struct_encode_fields__


class Noun(Struct, frozen=True, kw_only=True):
    """One kind of thing."""

    slug: str
    title: str
    one: str
    section: Section
    teaches: str
    rows: str = ""  # the route that lists them; none: they are found from something else
    columns: tuple[Column, ...] = ()
    filters: tuple[Filter, ...] = ()
    item: str = ""  # the route that tells of one
    id_name: str = ""  # how the item's path calls its id
    id_field: str = "id"
    headline: tuple[str, ...] = ("id",)  # the first of these fields that is there names it
    status: str = "status"
    facts: tuple[Column, ...] = ()
    parts: tuple[Part, ...] = ()
    deeds: tuple[Deed, ...] = ()
    makes: tuple[Deed, ...] = ()  # what the list offers
    command: str = ""  # how the command line lists them
    tells: str = ""  # how it shows one
    flags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # where it says else
    aside: str = ""  # what that command does besides
    is_single: bool = False  # there is one, and its page is the list
    files: Mapping[str, str] = field(default_factory=dict)  # routes that give documents, by name
    leads: Callable[[Mapping[str, Any]], str] | None = None  # where one of them leads, if elsewhere

    @property
    def needs(self) -> Permission:
        """What one must be allowed to see it."""
        return BY_NAME[self.rows or self.item].terms.needs

    def deed(self, slug: str) -> Deed | None:
        """The button of this name, on a thing's page or on the list."""
        return next((each for each in (*self.deeds, *self.makes) if each.slug == slug), None)
