"""Examples for the documentation: real ones where the house tells a story, else from the schema.

An example from a schema takes what the fields themselves give as examples, so a request's example
is one that the route would accept.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec

from bursar.api.fields import example_id
from bursar.domain.shapes.render import shape_of
from bursar.domain.shapes.samples import SAMPLES

Schema = dict[str, Any]

_MOMENT: Final = "2026-03-02T09:30:00.000Z"
_AMOUNT: Final = 4900
_BY_NAME: Final[Mapping[str, object]] = {
    "accessToken": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9…",
    "actor": "user:" + example_id("usr"),
    "code": "receivable",
    "currency": "usd",
    "email": "olga@example.com",
    "expiresIn": 900,
    "isBalanced": True,
    "key": "bsk_4fQ9sLr2VxYt7Wm3Bc8Zn5KdPh6Gj1Ta0Xk2Lq",
    "mode": "sandbox",
    "name": "Olga Owner",
    "refreshToken": "bsr_8sX2mVtQeYb0rN4wLkGzJcP1uHdF7aTi9oEyRxWqZvM",
    "requestId": "5f0c2b1e-8a55-4c7e-9d43-0b6f1f6a7c21",
    "role": "viewer",
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "version": 1,
}
# Given instead of another field, or fit for one installation only.
_LEFT_OUT: Final = frozenset(
    (
        *("cancelUrl", "successUrl", "unitAmountDecimal"),
        *("charges", "meterId", "months", "packageSize", "percentOff", "property", "tiers"),
        *("Advance.to", "NewCreditNote.amountCents", "PayBody.walletId"),
        *("DepositBody.mode", "DepositBody.paymentMethodId"),
        "Replay.to",
    )
)
_ID_FIELDS: Final[Mapping[str, str]] = {
    "customerId": "cust",
    "eventId": "evt",
    "invoiceId": "inv",
    "meterId": "mtr",
    "memberId": "mem",
    "organizationId": "org",
    "paymentId": "pay",
    "planId": "plan",
    "refundId": "rfd",
    "disputeId": "dsp",
    "priceId": "price",
    "resourceId": "inv",
    "sourceId": "inv",
    "subscriptionId": "sub",
    "userId": "usr",
    "walletId": "wal",
    "holdId": "hld",
}


@cache
def _told() -> dict[str, dict[str, object]]:
    """Every kind of resource as the last event about it in the story shows it, by its name."""
    shapes = [shape_of(event.subject) for event in SAMPLES.values()]
    return {type(shape).__name__: msgspec.to_builtins(shape) for shape in shapes}


def answer_example(
    kind: type[msgspec.Struct], schema: Schema, schemas: Mapping[str, Schema]
) -> object:
    """The resource as the story has it, if it is in the story; what an heir adds is made up."""
    made_up = example_of(schema, schemas)
    told = next((_told()[each.__name__] for each in kind.__mro__ if each.__name__ in _told()), {})
    return {**made_up, **told} if isinstance(made_up, dict) else made_up


def example_of(schema: Schema, schemas: Mapping[str, Schema], name: str = "") -> object:
    """A value of this schema; `name` is the field it is for."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    for given in ("example", "const", "default"):
        if schema.get(given) not in (None, {}, []):
            return schema[given]
    if "enum" in schema and _BY_NAME.get(name) in schema["enum"]:
        return _BY_NAME[name]
    if schema.get("examples") or schema.get("enum"):
        return (schema.get("examples") or schema["enum"])[0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas, name)
    return _of_type(schema, schemas, name)


def _of_type(schema: Schema, schemas: Mapping[str, Schema], name: str) -> object:
    match schema.get("type"):
        case "object" if "properties" in schema:
            properties = schema["properties"].items()
            return {
                key: example_of(value, schemas, key)
                for key, value in properties
                if not {key, f"{schema.get('title')}.{key}"} & _LEFT_OUT
            }
        case "object" | None:
            return {}
        case "array":
            items: Schema = schema.get("items") or {}
            return [example_of(items, schemas, name)]
        case kind:
            return _scalar(schema, kind, name)


def _scalar(schema: Schema, kind: str, name: str) -> object:
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name in _ID_FIELDS:
        return example_id(_ID_FIELDS[name])
    if schema.get("format") == "date-time":
        return _MOMENT
    by_type = {"integer": _AMOUNT if name.endswith("Cents") else 1, "boolean": False, "null": None}
    return by_type.get(kind, "text")
