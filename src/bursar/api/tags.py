"""Entity tags of files: a tag is the SHA-256 of the bytes, and who has them is not sent them again.

`If-None-Match` may name several tags, weak ones too, as proxies that compress make them. What is
no tag of ours is one that the caller does not have: it costs them the file, never an error.
"""

from typing import Final

from bursar.api.headers import Scope, header
from bursar.runtime.idempotency import Answer

KNOWN_BY: Final = "If-None-Match"
_TAG: Final = "ETag"
_WEAK: Final = "W/"


def tag_of(digest: bytes) -> tuple[str, str]:
    """The header that names bytes by their digest."""
    return _TAG, f'"{digest.hex()}"'


def unless_known(answer: Answer, scope: Scope) -> Answer:
    """The answer, or 304 and nothing for who has it already.

    Raises:
        InvalidInput: `If-None-Match` is given more than once.
    """
    tag, known = dict(answer.headers).get(_TAG), header(scope, KNOWN_BY)
    if tag is None or known is None:
        return answer
    named = {each.strip().removeprefix(_WEAK) for each in known.split(",")}
    return Answer(304, b"", ((_TAG, tag),)) if named & {tag, "*"} else answer
