"""A secret text and the secrets that grow from it.

Owns the wrapper that keeps a secret out of every print, log and traceback, the derivation of one
secret per use from a root, and the file in which a root made here is kept. A `Secret` refuses to
be pickled and is compared in constant time.
"""

import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Final

_KEPT_BYTES: Final = 32


class Secret:
    """A text that prints as `***` wherever it is printed; `reveal` is the one way to the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


def derive(root: Secret, label: str) -> Secret:
    """A secret of its own for one use, by HKDF-SHA256 from the root; the same every time."""
    extracted = hmac.digest(b"bursar", root.reveal().encode(), "sha256")
    expanded = hmac.digest(extracted, label.encode() + b"\x01", "sha256")
    return Secret(urlsafe_b64encode(expanded).decode().rstrip("="))


def kept_text(path: Path) -> str:
    """The text kept in a file only its owner may read, made at random when there is none yet."""
    if not path.exists():
        _make(path)
    return path.read_text().strip()


def _make(path: Path) -> None:
    """Write a new key whole under another name, then link it: of several starts one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".secret_key.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEPT_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
