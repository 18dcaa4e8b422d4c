"""What a provider last answered, kept for the log in case nobody believes it.

An adapter notes what came, whole; whoever guards it writes it down when it is held, without a word
of whom it is about. Owned by the task that asks, and forgotten with the next question.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

from bursar.runtime.redaction import MASK

_DEPTH_MAX: Final = 12
_OF_PEOPLE: Final = frozenset(
    (
        *("name", "email", "phone", "address", "ip", "ip_address", "tax_id", "tax_ids", "owner"),
        *("customer_email", "receipt_email", "individual_name", "business_name", "bank_name"),
        *("billing_details", "customer_details", "shipping", "shipping_details", "description"),
        *("evidence", "networks_data", "fingerprint"),
    )
)
_answer: ContextVar[object] = ContextVar("answer", default=None)


def note_answer(answer: object) -> None:
    """This came; nothing, when a question begins."""
    _answer.set(answer)


def last_answer() -> object:
    """What came last, without the people in it."""
    return without_people(_answer.get())


def without_people(value: object, depth: int = _DEPTH_MAX) -> object:
    """The same, with everything masked that says whom it is about."""
    if not depth:
        return "…"
    if isinstance(value, Mapping):
        return {
            name: MASK
            if name in _OF_PEOPLE and item is not None
            else without_people(item, depth - 1)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [without_people(item, depth - 1) for item in value]
    return value
