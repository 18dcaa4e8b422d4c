"""What the framework refuses by itself, in our words: it names nothing of its own to a caller."""

from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
)

from bursar.api.errors import CODES, METHOD_NOT_ALLOWED, Protocol
from bursar.domain.refusals import Kind


def reworded(error: Exception) -> Exception:
    """The framework's refusals as ours; whatever else was raised stays what it is."""
    match error:
        case MethodNotAllowedException():
            allow = (error.headers or {}).get("allow", "")
            return Protocol(METHOD_NOT_ALLOWED, f"This path answers to {allow}.", allow=allow)
        case NotFoundException():
            return Protocol(CODES[Kind.NOT_FOUND], "No such path.")
        case HTTPException():
            return Protocol(CODES[Kind.INVALID], "The request cannot be read.")
    return error
