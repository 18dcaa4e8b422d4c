"""Where an answer leads, for whoever reads the OpenAPI document: from a new thing to its acts.

Drawn from the table of routes: whatever takes the id of the kind of thing that a route gives is a
link from it, whether the id stands in the path or in the body.
"""

from collections.abc import Iterator
from typing import Any, Final

from bursar.api.routes import Route

Schema = dict[str, Any]

_CREATED: Final = 201
_NEW: Final = "$response.body#/data/id"
_FIRST: Final = "$response.body#/data/0/id"


def links_of(route: Route, routes: tuple[Route, ...]) -> Schema:
    """The links of a good answer of this route, by the name of the operation they lead to."""
    own, gives = _own_parameter(route, routes), route.terms.gives
    if own is None or gives is None or "id" not in gives.__struct_encode_fields__:
        return {}
    if route.terms.is_list:
        return {target.name: _by_path(target, own, _FIRST) for target in _looks(own, routes)}
    found = {target.name: _by_path(target, own, _NEW) for target in _acts(own, routes)}
    return found | {target.name: _by_body(target, own) for target in _takers(own, routes)}


def _own_parameter(route: Route, routes: tuple[Route, ...]) -> str | None:
    """How paths call the id of what the collection holds; None where this is no collection."""
    is_creation = route.method == "POST" and route.terms.status == _CREATED
    if not (is_creation or route.terms.is_list) or route.parameters:
        return None
    for other in routes:
        if len(other.parameters) == 1 and other.path == f"{route.path}/{{{other.parameters[0]}}}":
            return other.parameters[0]
    return None


def _acts(parameter: str, routes: tuple[Route, ...]) -> Iterator[Route]:
    return (each for each in routes if each.parameters == [parameter])


def _looks(parameter: str, routes: tuple[Route, ...]) -> Iterator[Route]:
    return (each for each in _acts(parameter, routes) if not each.is_write)


def _takers(parameter: str, routes: tuple[Route, ...]) -> Iterator[Route]:
    for each in routes:
        takes = each.terms.takes
        if (
            not each.parameters
            and takes is not None
            and parameter in takes.__struct_encode_fields__
        ):
            yield each


def _by_path(target: Route, parameter: str, place: str) -> Schema:
    return {"operationId": target.name, "parameters": {parameter: place}}


def _by_body(target: Route, parameter: str) -> Schema:
    return {"operationId": target.name, "requestBody": {parameter: _NEW}}
