"""Routes as values: what each one takes, gives, needs and may refuse, beside the code that runs.

The table serves the router, the OpenAPI document and the tests alike, so none of them can know a
route the others do not. A route without a permission cannot be written down.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from bursar.api.envelope import JSON
from bursar.api.expanding import expandable, has_expansions
from bursar.api.fields import Body, NoQuery, Query
from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.refusals import Refusal
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

Method = Literal["GET", "POST", "PATCH", "DELETE"]
B = TypeVar("B")
Q = TypeVar("Q")

ID_PREFIXES: Final[Mapping[str, str]] = {
    "accountId": "acct",
    "apiKeyId": "key",
    "couponId": "cpn",
    "creditNoteId": "cn",
    "recurringInvoiceId": "rinv",
    "customerId": "cust",
    "deliveryId": "whd",
    "eventId": "evt",
    "importId": "imp",
    "invoiceId": "inv",
    "meterId": "mtr",
    "memberId": "mem",
    "organizationId": "org",
    "paymentId": "pay",
    "transactionId": "txn",
    "savedViewId": "view",
    "subscriptionId": "sub",
    "sessionId": "ses",
    "taxRateId": "txr",
    "walletId": "wal",
    "planId": "plan",
    "holdId": "hld",
    "refundId": "rfd",
    "disputeId": "dsp",
    "paymentMethodId": "pm",
    "payoutId": "po",
    "webhookSubscriptionId": "wh",
}
"""Path parameters and the prefix of the ids they hold."""

_PARAMETER: Final = re.compile(r"\{([A-Za-z]+)\}")


class Audience(StrEnum):
    """Who a route is for, which decides what credential it asks for."""

    ANYONE = "anyone"  # no credential
    PERSON = "person"  # somebody signed in, about themselves
    ORG = "org"  # a person with `x-org-id`, or an API key
    PATH_ORG = "path_org"  # the same, and the organization stands in the path


class Call(Struct, Generic[B, Q], frozen=True):
    """One request, understood."""

    caller: Caller
    ids: Mapping[str, str]
    body: B
    query: Q
    expected_version: int | None = None
    last_event_id: str | None = None

    def id(self, name: str) -> str:
        """An id from the path; its shape is checked already."""
        return self.ids[name]


Act = Callable[[Call[Any, Any]], Awaitable[Answer]]


class Terms(Struct, frozen=True, kw_only=True):
    """What a route promises. `gives` is the resource inside `data`, or None for no content."""

    needs: Permission
    gives: type[msgspec.Struct] | None = None
    takes: type[Body] | None = None
    query: type[Query] = NoQuery
    is_list: bool = False  # `data` is a list; with `meta`, when the query asks for pieces
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict)  # other good statuses, with their meaning
    audience: Audience = Audience.ORG
    refuses: tuple[type[Refusal], ...] = ()
    is_versioned: bool = False  # reads `If-Match`
    is_tagged: bool = False  # gives a file by its digest, and reads `If-None-Match`
    is_resumed: bool = False  # reads `Last-Event-ID`
    media: str = JSON
    or_media: str | None = None  # what the query may ask for instead
    reads: Callable[[bytes, str], object] | None = None  # of bytes and media type, a body's lane
    also_media: str | None = None  # which such a lane reads beside JSON
    weight: int = 1  # how many requests this one counts as
    is_express: bool = False  # so busy that the framework is passed by
    judges: str | None = None  # the list in the body whose items each have an answer of their own


def litestar_path(path: str) -> str:
    """The path as the router spells it."""
    return _PARAMETER.sub(r"{\1:str}", path)


class Route(Struct, frozen=True):
    """One operation of the API."""

    method: Method
    path: str
    tag: str
    terms: Terms
    act: Act

    @property
    def name(self) -> str:
        """The operation's id, in camelCase and unique."""
        first, *rest = self.act.__name__.split("_")
        return first + "".join(word.capitalize() for word in rest)

    @property
    def spot(self) -> str:
        """Method and path, as tables name a route."""
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return _PARAMETER.findall(self.path)

    @property
    def has_pieces(self) -> bool:
        """Whether the list comes in pieces, which `meta` describes."""
        return any(name in {"page", "limit"} for name in self.terms.query.__struct_fields__)

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def keeps_answers(self) -> bool:
        """Whether an idempotency key means something here; signing in is never repeated."""
        return self.is_write and not self.path.startswith("/v1/auth/")


class Room:
    """The routes of one noun, in the order they are documented."""

    def __init__(self, tag: str, *, prefix: str, about: str) -> None:
        self.tag = tag
        self.about = about
        self.routes: list[Route] = []
        self.prefix = prefix

    def get(self, path: str, terms: Terms) -> Callable[[Act], Act]:
        """A question."""
        assert terms.takes is None, "a question has no body"
        return self._add("GET", path, terms)

    def post(self, path: str, terms: Terms) -> Callable[[Act], Act]:
        """A new thing, or an act on one."""
        return self._add("POST", path, terms)

    def patch(self, path: str, terms: Terms) -> Callable[[Act], Act]:
        """A merge patch."""
        return self._add("PATCH", path, terms)

    def delete(self, path: str, terms: Terms) -> Callable[[Act], Act]:
        """The end of a thing."""
        return self._add("DELETE", path, terms)

    def _add(self, method: Method, path: str, terms: Terms) -> Callable[[Act], Act]:
        def register(act: Act) -> Act:
            assert act.__doc__, f"{act.__name__}: the docstring is the public description"
            route = Route(method, self.prefix + path, self.tag, _with_expand(method, terms), act)
            unknown = set(route.parameters) - ID_PREFIXES.keys()
            assert not unknown, f"{route.path}: {unknown} have no prefix"
            self.routes.append(route)
            return act

        return register


def _with_expand(method: Method, terms: Terms) -> Terms:
    """A look at what names other things may be asked to bring them along."""
    if method != "GET" or terms.gives is None or not has_expansions(terms.gives):
        return terms
    return replace(terms, query=expandable(terms.query, terms.gives))
