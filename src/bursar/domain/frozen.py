"""What frozen values share: how one is followed by another, and how one with a secret is printed.

Values are frozen `Struct`s. The type checker holds each field that `dataclasses.replace` is given
against those of the class, also of a `Struct`; at run time it is msgspec's own that knows them.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from dataclasses import replace
else:
    from msgspec.structs import replace

__all__ = ["printed", "replace"]


def printed(value: Struct, *, without: str) -> str:
    """The value as it is printed, without the field that nobody may read."""
    shown = (name for name in value.__struct_fields__ if name != without)
    fields = ", ".join(f"{name}={getattr(value, name)!r}" for name in shown)
    return f"{type(value).__name__}({fields})"
