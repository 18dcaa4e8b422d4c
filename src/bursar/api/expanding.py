"""`expand=customer,invoice.customer`: things beside their ids, at most two levels deep.

Whatever a resource names by the id of a kind known here may be expanded, so no route decides it by
itself. Each kind is asked for once a level, under its own permission; what is gone stays null.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from bursar.api.envelope import encoded
from bursar.api.fields import Query
from bursar.domain.ids import CustomerId, InvoiceId, PlanId, SubscriptionId
from bursar.domain.shapes.customers import CustomerOut
from bursar.domain.shapes.invoices import InvoiceOut
from bursar.domain.shapes.plans import PlanOut
from bursar.domain.shapes.subscriptions import SubscriptionOut
from bursar.reads.customers import customers_by_ids
from bursar.reads.invoices import invoices_by_ids
from bursar.reads.plans import plans_by_ids
from bursar.reads.subscriptions import subscriptions_by_ids
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

NAMES_MAX: Final = 10
LEVELS_MAX: Final = 2
EXPAND: Final = "expand"
_LENGTH_MAX: Final = 200
_EMBEDDED: Final = "lines"  # they are always there; asking for them is no mistake

Thing = dict[str, Any]
Fetch = Callable[[Caller, Sequence[str]], Awaitable[Mapping[str, msgspec.Struct]]]


class Expansion(Struct, frozen=True):
    """A field with an id, and how the things behind such ids are had."""

    field: str
    gives: type[msgspec.Struct]
    fetch: Fetch


async def _customers(caller: Caller, ids: Sequence[str]) -> Mapping[str, msgspec.Struct]:
    found = await caller.look(customers_by_ids, [CustomerId(each) for each in ids])
    return {each.id: CustomerOut.of(each) for each in found}


async def _invoices(caller: Caller, ids: Sequence[str]) -> Mapping[str, msgspec.Struct]:
    found = await caller.look(invoices_by_ids, [InvoiceId(each) for each in ids])
    return {each.id: InvoiceOut.of(each) for each in found}


async def _plans(caller: Caller, ids: Sequence[str]) -> Mapping[str, msgspec.Struct]:
    found = await caller.look(plans_by_ids, [PlanId(each) for each in ids])
    return {each.id: PlanOut.of(each) for each in found}


async def _subscriptions(caller: Caller, ids: Sequence[str]) -> Mapping[str, msgspec.Struct]:
    found = await caller.look(subscriptions_by_ids, [SubscriptionId(each) for each in ids])
    return {each.id: SubscriptionOut.of(each) for each in found}


EXPANSIONS: Final[Mapping[str, Expansion]] = {
    "customer": Expansion("customerId", CustomerOut, _customers),
    "invoice": Expansion("invoiceId", InvoiceOut, _invoices),
    "plan": Expansion("planId", PlanOut, _plans),
    "subscription": Expansion("subscriptionId", SubscriptionOut, _subscriptions),
}


def names_of(gives: type[msgspec.Struct] | None, levels: int = LEVELS_MAX) -> list[str]:
    """What of this resource may be expanded, as a caller spells it."""
    fields = set() if gives is None else set(gives.__struct_encode_fields__)
    found = [_EMBEDDED] if _EMBEDDED in fields else []
    for name, expansion in EXPANSIONS.items():
        if expansion.field in fields:
            found.append(name)
            deeper = names_of(expansion.gives, levels - 1) if levels > 1 else []
            found += [f"{name}.{each}" for each in deeper]
    return found


def has_expansions(gives: type[msgspec.Struct] | None) -> bool:
    """Whether anything but what is there anyway may be asked for."""
    return any(name != _EMBEDDED for name in names_of(gives))


@cache
def expandable(query: type[Query], gives: type[msgspec.Struct]) -> type[Query]:
    """The same query, with room for what this resource may be asked to bring along."""
    names = names_of(gives)
    one = "|".join(name.replace(".", r"\.") for name in sorted(names))
    kind = Annotated[
        str,
        Meta(
            pattern=rf"^(?:{one})(?:,(?:{one})){{0,{NAMES_MAX - 1}}}\Z",
            max_length=_LENGTH_MAX,
            examples=[names[-1]],
            extra={"expected": f"expected at most {NAMES_MAX} of {', '.join(names)}"},
        ),
    ]
    name = f"{query.__name__}Of{gives.__name__}"
    fields = [(EXPAND, kind | None, None)]
    made = msgspec.defstruct(name, fields, bases=(query,), frozen=True, kw_only=True)
    assert issubclass(made, Query), "made of one"
    return made


async def expanded(caller: Caller, answer: Answer, wanted: str) -> Answer:
    """The answer with what was asked for beside the ids."""
    body = msgspec.json.decode(answer.body)
    things = body["data"] if isinstance(body["data"], list) else [body["data"]]
    await _expand(caller, things, [name.split(".") for name in wanted.split(",")])
    return Answer(answer.status, encoded(body), answer.headers)


async def _expand(caller: Caller, things: list[Thing], paths: list[list[str]]) -> None:
    for name in dict.fromkeys(path[0] for path in paths if path[0] != _EMBEDDED):
        within = await _brought(caller, things, name)
        deeper = [path[1:] for path in paths if path[0] == name and len(path) > 1]
        if deeper and within:
            await _expand(caller, within, deeper)


async def _brought(caller: Caller, things: list[Thing], name: str) -> list[Thing]:
    """Put the things of one name beside their ids; all that were put there."""
    expansion = EXPANSIONS[name]
    ids = {thing[expansion.field] for thing in things} - {None}
    found = await expansion.fetch(caller, sorted(ids)) if ids else {}
    made: dict[str, Thing] = {key: msgspec.to_builtins(each) for key, each in found.items()}
    for thing in things:
        thing[name] = made.get(thing[expansion.field])
    return list(made.values())
