"""The link that signs the owner of the demo organization in, once: on a developer's machine only.

`bursar run` makes and prints it; the console takes it. It lies beside the data, for the same eyes
as the installation's other secrets, is renewed by every start, and is gone with its first use.
"""

import hmac
from contextlib import suppress
from pathlib import Path
from typing import Final

from bursar.runtime.secret import kept_text

DEMO_OWNER: Final = "owner@acme-cloud.example"
_KEPT: Final = "console_link"
_SPENT: Final = "console_link.spent"
_LENGTH_MAX: Final = 100


def new_link(folder: Path) -> str:
    """The link that works from now on; no earlier one does."""
    (folder / _KEPT).unlink(missing_ok=True)
    return kept_text(folder / _KEPT)


def is_kept(folder: Path, text: str) -> bool:
    """Whether this is the link that works."""
    if len(text) > _LENGTH_MAX:
        return False
    try:
        kept = (folder / _KEPT).read_bytes().strip()
    except OSError:
        return False
    return hmac.compare_digest(kept, text.encode())


def take_link(folder: Path, text: str) -> bool:
    """Use the link up; of two who try at once, one does."""
    if not is_kept(folder, text):
        return False
    with suppress(FileNotFoundError):
        (folder / _KEPT).rename(folder / _SPENT)
        (folder / _SPENT).unlink(missing_ok=True)
        return True
    return False
