"""What no text from outside may hold, whatever field, parameter or header it stands in."""

import re
from typing import Final

from bursar.runtime.redaction import holds_card_number

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def text_fault(text: str) -> tuple[str, str] | None:
    """What is wrong with a text whatever field it is in: message and code."""
    if _FORBIDDEN.search(text) is not None:
        return "holds a control character or half a character", "control_character"
    if holds_card_number(text):
        return "looks like a card number, which is never sent here", "card_number_not_allowed"
    return None
