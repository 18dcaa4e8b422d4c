"""What the documentation gives to receivers of webhooks: its helpers, and requests to judge."""

import json
import re
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).parents[2] / "docs"


def verification(language: str) -> str:
    """The verification helper as the page shows it."""
    page = (DOCS / "domain/webhooks.md").read_text("utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?is_?[oO]urs.*?)```", page, re.DOTALL)
    return str(found)


def vectors() -> list[dict[str, Any]]:
    """Genuine requests and forged ones."""
    found: list[dict[str, Any]] = json.loads((DOCS / "guides/webhook-vectors.json").read_bytes())
    return found
