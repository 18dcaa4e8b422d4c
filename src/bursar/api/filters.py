"""What lists can be narrowed by, wherever it means the same."""

from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from bursar.api.fields import Moment
from bursar.api.paging import ListQuery
from bursar.domain.refusals import InvalidInput

Value = TypeVar("Value")

_VALUES_MAX: Final = 20
Values = Annotated[str, Meta(min_length=1, max_length=500)]
"""Several values, with commas between them."""


class CreatedQuery(ListQuery, frozen=True):
    """When it was created: from an instant on, and before another."""

    created_from: Moment | None = msgspec.field(default=None, name="createdAt[gte]")
    created_before: Moment | None = msgspec.field(default=None, name="createdAt[lt]")


def several(
    text: str | None, read: Callable[[str], Value], known: Iterable[str], *, field: str
) -> tuple[Value, ...]:
    """The values in the text.

    Raises:
        InvalidInput: one of them is not known.
    """
    parts = [] if text is None else text.split(",")
    known = list(known)
    wrong = [part for part in parts if part not in known]
    if wrong or len(parts) > _VALUES_MAX:
        raise InvalidInput.at(field, f"expected some of {', '.join(known)}", "unknown_value")
    return tuple(read(part) for part in dict.fromkeys(parts))
