"""The OpenAPI 3.1 document, drawn from the table of routes and from the structs they read and give.

Nothing is written by hand here but what no table knows: the ways to sign in and the common headers.
A route that exists is in the document, and the document knows no other.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from bursar.api.envelope import JSON
from bursar.api.errors import (
    CODES,
    METHOD_NOT_ALLOWED,
    PROTOCOL_CODES,
    Code,
    ErrorEnvelope,
)
from bursar.api.examples import answer_example, example_of
from bursar.api.expanding import EXPAND, EXPANSIONS, names_of
from bursar.api.fields import Body, example_id, special_schema
from bursar.api.links import links_of
from bursar.api.paging import PageMeta
from bursar.api.rooms import ROOMS, ROUTES
from bursar.api.routes import ID_PREFIXES, Audience, Route
from bursar.domain.refusals import Kind

Schema = dict[str, Any]

VERSION: Final = "3.1.0"
_REF: Final = "#/components/schemas/{name}"
_ID_PATTERN: Final = "_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_CLEAN_TEXT: Final = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
_ALWAYS: Final = (Kind.INVALID, Kind.TOO_MANY, Kind.UNAVAILABLE)
_OF_WRITES: Final = (Kind.TOO_LARGE, Kind.UNSUPPORTED)
_OF_KEYS: Final = (Kind.IN_PROGRESS, Kind.MISMATCH)
_MEANINGS: Final = {
    200: "Done.",
    201: "Created; `Location` names it.",
    202: "Accepted; it goes on.",
    204: "Done; there is nothing to show.",
}
_DESCRIPTION: Final = (
    "Billing, payments and money movement. Amounts are integers in the currency's minor unit, "
    "instants RFC 3339 in UTC, ids carry a prefix. Any POST, PATCH or DELETE takes an "
    "`Idempotency-Key`: the same request again gives the same answer."
)


def document(*, version: str, server_url: str) -> Schema:
    """The whole document."""
    structs = _structs()
    refs, schemas = _described(structs)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Bursar",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "tags": _tags(),
        "paths": _paths(refs, schemas),
        "components": {
            "schemas": schemas,
            "responses": dict(_error_responses()),
            "parameters": _shared_parameters(),
            "securitySchemes": _security_schemes(),
        },
    }


def _structs() -> list[type[msgspec.Struct]]:
    every: list[type[msgspec.Struct]] = [ErrorEnvelope, PageMeta]
    for route in ROUTES:
        every += [kind for kind in (route.terms.takes, route.terms.gives) if kind is not None]
    every += [expansion.gives for expansion in EXPANSIONS.values()]
    return list(dict.fromkeys(every))


def _described(kinds: Iterable[type]) -> tuple[dict[type, Schema], dict[str, Schema]]:
    kinds = list(kinds)
    refs, schemas = msgspec.json.schema_components(
        kinds, schema_hook=special_schema, ref_template=_REF
    )
    codes = sorted({code.code for code in (*CODES.values(), *PROTOCOL_CODES)})
    plain = {name: _portable(schema) for name, schema in schemas.items()}
    for body in _bodies(Body):
        if body.__name__ in plain:
            plain[body.__name__] = _of_clean_text(plain[body.__name__])
    plain["ErrorBody"]["properties"]["code"]["enum"] = codes
    return dict(zip(kinds, refs, strict=True)), plain


def _bodies(kind: type[Body]) -> Iterator[type[Body]]:
    for each in kind.__subclasses__():
        yield each
        yield from _bodies(each)


def _of_clean_text(schema: Any) -> Any:
    """The schema of what callers send, with what holds for each of its texts."""
    if isinstance(schema, list):
        return [_of_clean_text(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    clean = {key: _of_clean_text(value) for key, value in schema.items()}
    if schema.get("type") == "string" and not clean.keys() & {"pattern", "enum", "format"}:
        clean["pattern"] = _CLEAN_TEXT
    return clean


def _portable(schema: Any) -> Any:
    r"""The schema in every validator's dialect: `\Z` is Python's own."""
    if isinstance(schema, list):
        return [_portable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    portable = {key: _portable(value) for key, value in schema.items()}
    if isinstance(schema.get("pattern"), str):
        portable["pattern"] = schema["pattern"].removesuffix(r"\Z") + "$"
    if isinstance(schema.get("description"), str):
        portable["description"] = " ".join(schema["description"].split())
    return portable


def _tags() -> list[Schema]:
    about: dict[str, str] = {}
    for room in ROOMS:
        about.setdefault(room.tag, room.about)
    return [{"name": tag, "description": text} for tag, text in about.items()]


def _paths(refs: Mapping[type, Schema], schemas: Mapping[str, Schema]) -> Schema:
    paths: Schema = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs, schemas)
    return paths


def _operation(route: Route, refs: Mapping[type, Schema], schemas: Mapping[str, Schema]) -> Schema:
    summary, _, description = (route.act.__doc__ or "").strip().partition("\n\n")
    operation: Schema = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": " ".join(summary.split()).removesuffix("."),
        "description": " ".join(description.split()) or " ".join(summary.split()),
        "x-permission": route.terms.needs.value,
        "x-audience": route.terms.audience.value,
        "security": _security(route.terms.audience),
        "parameters": _parameters(route),
        "responses": _responses(route, refs, schemas),
    }
    takes = route.terms.takes
    if takes is not None:
        required = any(field.required for field in msgspec.structs.fields(takes))
        content = {"schema": refs[takes], "example": example_of(refs[takes], schemas)}
        media = {JSON: content}
        if route.terms.also_media is not None:
            media[route.terms.also_media] = {"schema": {"type": "string"}}
        operation["requestBody"] = {"required": required, "content": media}
    return operation


def _security(audience: Audience) -> list[Schema]:
    match audience:
        case Audience.ANYONE:
            return []
        case Audience.PERSON:
            return [{"accessToken": []}]
        case Audience.PATH_ORG:
            return [{"accessToken": []}, {"apiKey": []}]
        case Audience.ORG:
            return [{"accessToken": [], "organization": []}, {"apiKey": []}]


def _parameters(route: Route) -> list[Schema]:
    parameters = [_path_parameter(name) for name in route.parameters]
    (_,), schemas = msgspec.json.schema_components(
        [route.terms.query], schema_hook=special_schema, ref_template=_REF
    )
    for name, schema in next(iter(schemas.values()))["properties"].items():
        described = _of_clean_text(_portable(_present(schema)))
        parameters.append({"name": name, "in": "query", "schema": described})
    if route.keeps_answers:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if route.terms.is_resumed:
        parameters.append({"$ref": "#/components/parameters/LastEventId"})
    if route.terms.is_versioned:
        parameters.append({"$ref": "#/components/parameters/IfMatch"})
    if route.terms.is_tagged:
        parameters.append({"$ref": "#/components/parameters/IfNoneMatch"})
    return parameters


def _present(schema: Schema) -> Schema:
    """A query parameter is given or not; nothing in a query is null."""
    options = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if "anyOf" not in schema:
        return schema
    return options[0] if len(options) == 1 else {"anyOf": options}


def _path_parameter(name: str) -> Schema:
    prefix = ID_PREFIXES[name]
    schema = {"type": "string", "pattern": f"^{prefix}{_ID_PATTERN}"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": schema,
        "example": example_id(prefix),
    }


def _responses(route: Route, refs: Mapping[type, Schema], schemas: Mapping[str, Schema]) -> Schema:
    good = {route.terms.status: _MEANINGS[route.terms.status], **route.terms.also}
    responses: Schema = {
        str(status): _good_response(route, meaning, refs, schemas)
        for status, meaning in sorted(good.items())
    }
    if route.terms.is_tagged:
        responses["304"] = {"description": "What `If-None-Match` names is still what it is."}
    for status in sorted(_error_statuses(route)):
        responses[str(status)] = {"$ref": f"#/components/responses/{_name_of(status)}"}
    return responses


def _good_response(
    route: Route, meaning: str, refs: Mapping[type, Schema], schemas: Mapping[str, Schema]
) -> Schema:
    if route.terms.media != JSON:
        kinds = [each for each in (route.terms.media, route.terms.or_media) if each is not None]
        bodies = {kind: {"schema": {"type": "string", "contentMediaType": kind}} for kind in kinds}
        return {"description": meaning, "content": bodies}
    gives = route.terms.gives
    if gives is None:
        return {"description": meaning}
    one = _with_expansions(route, refs)
    example = answer_example(gives, refs[gives], schemas)
    envelope: Schema = {"data": {"type": "array", "items": one} if route.terms.is_list else one}
    body: Schema = {"data": [example] if route.terms.is_list else example}
    if route.terms.is_list and route.has_pieces:
        envelope["meta"] = refs[PageMeta]
        body["meta"] = {"page": 1, "pageSize": 20, "totalCount": 1, "totalPages": 1}
    content = {
        "schema": {"type": "object", "properties": envelope, "required": list(envelope)},
        "example": body,
    }
    links = links_of(route, ROUTES)
    response = {"description": meaning, "content": {JSON: content}}
    return {**response, "links": links} if links else response


def _with_expansions(route: Route, refs: Mapping[type, Schema]) -> Schema:
    """The resource, and beside it what `expand` may bring along."""
    gives = route.terms.gives
    assert gives is not None, "asked for a route that gives something"
    wanted = names_of(gives, levels=1) if EXPAND in route.terms.query.__struct_fields__ else []
    brought = {name: refs[EXPANSIONS[name].gives] for name in wanted if name in EXPANSIONS}
    if not brought:
        return refs[gives]
    beside = {name: {"anyOf": [ref, {"type": "null"}]} for name, ref in brought.items()}
    return {"allOf": [refs[gives], {"type": "object", "properties": beside}]}


def _error_statuses(route: Route) -> set[int]:
    kinds = {*_ALWAYS, *(refusal.kind for refusal in route.terms.refuses)}
    if route.terms.audience is not Audience.ANYONE:
        kinds |= {Kind.UNAUTHENTICATED, Kind.FORBIDDEN}
    if route.terms.audience is Audience.ORG or route.parameters:
        kinds.add(Kind.NOT_FOUND)
    if route.is_write:
        kinds |= set(_OF_WRITES)
    if route.keeps_answers:
        kinds |= set(_OF_KEYS)
    always = {code.status for code in PROTOCOL_CODES if code is not METHOD_NOT_ALLOWED}
    return {CODES[kind].status for kind in kinds} | always


def _error_responses() -> Iterable[tuple[str, Schema]]:
    for status, codes in _codes_by_status().items():
        example = {
            "code": codes[0].code,
            "message": codes[0].meaning,
            "requestId": "5f0c2b1e-8a55-4c7e-9d43-0b6f1f6a7c21",
            "docUrl": f"/docs/errors#{codes[0].code.lower()}",
        }
        content = {
            "schema": {"$ref": "#/components/schemas/ErrorEnvelope"},
            "example": {"error": example},
        }
        said = " ".join(f"`{code.code}`: {code.meaning}" for code in codes)
        yield _name_of(status), {"description": said, "content": {JSON: content}}


def _codes_by_status() -> dict[int, list[Code]]:
    found: dict[int, list[Code]] = {}
    for code in (*CODES.values(), *PROTOCOL_CODES):
        found.setdefault(code.status, []).append(code)
    return dict(sorted(found.items()))


def _name_of(status: int) -> str:
    return f"Error{status}"


def _shared_parameters() -> Schema:
    return {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Names this request; sent again with it, the answer is the same.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
                "pattern": "^[!-~](?:[ -~]{0,253}[!-~])?$",
            },
            "example": "order-1042-attempt-1",
        },
        "LastEventId": {
            "name": "Last-Event-ID",
            "in": "header",
            "description": "The last event that was seen; the stream goes on after it.",
            "schema": {"type": "string", "maxLength": 40, "pattern": "^evt_[0-9a-f-]{36}$"},
            "example": example_id("evt"),
        },
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` that must still hold.",
            "schema": {
                "type": "string",
                "minLength": 3,
                "maxLength": 12,
                "pattern": '^"[0-9]{1,10}"$',
            },
            "example": '"3"',
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of what the caller has; 304 while it is still that.",
            "schema": {"type": "string"},
            "example": f'"{"0" * 64}"',
        },
    }


def _security_schemes() -> Schema:
    return {
        "accessToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "From `POST /v1/auth/login`; with `x-org-id` where there is one.",
        },
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "bsk_…",
            "description": "From `POST /v1/api-keys`; bound to one organization.",
        },
        "organization": {
            "type": "apiKey",
            "in": "header",
            "name": "x-org-id",
            "description": "The id of the organization a person acts for; an API key has its own.",
        },
    }
