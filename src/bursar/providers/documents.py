"""Prints invoices with typst: our template, the document as JSON, no network and no other file.

Text reaches the template as strings and is never read as markup. The only clock is the document's
own and the only fonts are those inside the typst package and, for letters they lack, those of Noto
where it is installed: the same document gives the same bytes on every machine with the same fonts.
Typst and its fonts take a tenth of an API process's memory and of its start, and few processes
print, so they are loaded with the first document.
"""

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from threading import Lock, get_native_id
from typing import Any, Final, TypeVar
from unicodedata import category

import segno
from msgspec import Struct
from msgspec.structs import asdict

from bursar.domain.documents import (
    PAGES_MAX,
    TEXT_MAX,
    DocumentNotRendered,
    DocumentRenderer,
    InvoiceDocument,
)
from bursar.domain.frozen import replace
from bursar.runtime.logging import get_log

log = get_log()
_Taken = TypeVar("_Taken")
_Given = TypeVar("_Given")
_TYPST: Final = "typst"
_ARCHIVED: Final = "a-3b"
TEMPLATES: Final = Path(__file__).parent / "templates"
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
# These turn the order of what follows around, so that an amount could read as another.
_TURNING: Final = frozenset(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F))
)
_REPLACEMENT: Final = "\ufffd"
_INK: Final = "#1b1f24"
# Of the eight masks the one that is most often the best for our links, and on average: to judge
# all of them for each code took longer than to print its page.
_MASK: Final = 2
_LESS: Final = 5  # of priority, where nobody waits
_UNAWAITED: Final = 4  # times as long may a document take there
# Noto, where it is installed: letters that the fonts inside typst do not have.
FONT_FOLDERS: Final = (
    Path("/usr/share/fonts/truetype/noto"),
    Path("/usr/share/fonts/opentype/noto"),
)


class _Printer(Struct, frozen=True):
    """Typst, and the fonts it was given."""

    typst: Any
    fonts: Any


class TypstRenderer(DocumentRenderer):
    """A `DocumentRenderer`. Its threads are its own, so a slow document delays only documents.

    Where nobody waits for them they step behind all else that the machine has to do.
    """

    def __init__(
        self, timeout_seconds: float = 5, threads: int = 2, *, is_awaited: bool = True
    ) -> None:
        self._timeout_seconds = timeout_seconds if is_awaited else _UNAWAITED * timeout_seconds
        self._threads = ThreadPoolExecutor(
            threads,
            thread_name_prefix="documents",
            initializer=None if is_awaited else _step_behind,
        )
        self._printer: _Printer | None = None
        self._loading = Lock()
        self._press = _press()

    @property
    def press(self) -> str:
        return self._press

    async def draws(self, picture: bytes) -> bool:
        try:
            return await self._waited_for(self._drawn, picture)
        except DocumentNotRendered:
            return False

    async def invoice_pdf(self, document: InvoiceDocument) -> bytes:
        """The PDF; a logo that is broken is left out, and the log says so."""
        try:
            return await self._waited_for(self._rendered, document)
        except DocumentNotRendered:
            if document.logo is None or await self.draws(document.logo):
                raise
            log.warning("document.logo_left_out", sha256=sha256(document.logo).hexdigest())
        return await self._waited_for(self._rendered, replace(document, logo=None))

    async def _waited_for(self, work: Callable[[_Taken], _Given], taken: _Taken) -> _Given:
        loop = asyncio.get_running_loop()
        given = loop.run_in_executor(self._threads, work, taken)
        try:
            return await asyncio.wait_for(given, self._timeout_seconds)
        except TimeoutError as late:
            raise DocumentNotRendered("it took too long") from late

    def _drawn(self, picture: bytes) -> bool:
        self._compiled("picture.typ", sys_inputs={"picture": json.dumps(list(picture))})
        return True

    def close(self) -> None:
        """Wait for nothing: a document under way ends by itself, and nobody reads it."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _rendered(self, document: InvoiceDocument) -> bytes:
        """A file to be kept for years; one that lacks a letter of some name is a plain PDF."""
        inputs = {"document": json.dumps(_content(document))}
        made_at = int(document.made_at.timestamp())
        try:
            return self._compiled(
                "invoice.typ", sys_inputs=inputs, timestamp=made_at, pdf_standards=_ARCHIVED
            )
        except DocumentNotRendered as refused:
            if "PDF/A" not in str(refused):
                raise
            return self._compiled("invoice.typ", sys_inputs=inputs, timestamp=made_at)

    def _compiled(self, template: str, **how: Any) -> bytes:
        printer = self._loaded()
        try:
            found = printer.typst.compile(
                str(TEMPLATES / template),
                root=str(TEMPLATES),
                font_paths=printer.fonts,
                ignore_system_fonts=True,
                format="pdf",
                **how,
            )
        except printer.typst.TypstError as refused:
            raise DocumentNotRendered(str(refused)) from refused
        assert isinstance(found, bytes), "one document is one file"
        return found

    def _loaded(self) -> _Printer:
        """In a thread of ours, by whichever document is the first; another one waits for it."""
        with self._loading:
            if self._printer is None:
                typst = import_module(_TYPST)
                folders = [str(each) for each in FONT_FOLDERS if each.is_dir()]
                fonts = typst.Fonts(include_system_fonts=False, font_paths=folders)
                self._printer = _Printer(typst, fonts)
            return self._printer


def _step_behind() -> None:
    """Let this thread have a third of another one's claim to a core, where threads have one."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), os.nice(0) + _LESS)


def _press() -> str:
    """Another template, printer or set of fonts is another press."""
    template = sha256((TEMPLATES / "invoice.typ").read_bytes()).hexdigest()
    files = sorted(each for folder in FONT_FOLDERS for each in folder.rglob("*") if each.is_file())
    fonts = sha256(repr([(each.name, each.stat().st_size) for each in files]).encode()).hexdigest()
    return f"typst {version('typst')} {template} {fonts}"


def _content(document: InvoiceDocument) -> dict[str, Any]:
    content = asdict(document) | {"pages_max": PAGES_MAX, "code": _code(document.payment_url)}
    del content["made_at"]
    files = {name: content.pop(name) for name in ("logo", "einvoice")}
    code = content.pop("code")
    printed: dict[str, Any] = _printable(content)
    # Typst makes bytes of a list of numbers.
    numbers = {name: body and list(body) for name, body in files.items()}
    return printed | numbers | {"code": code}


def _code(url: str | None) -> str:
    """The link as a QR code in SVG, for whoever holds paper and a phone."""
    if url is None:
        return ""
    drawn = io.BytesIO()
    code = segno.make(url, error="m", micro=False, mask=_MASK)
    code.save(drawn, kind="svg", xmldecl=False, border=0, dark=_INK)
    return drawn.getvalue().decode()


def _printable(value: Any) -> Any:
    """The same tree with every text bounded and free of what has no glyph."""
    if isinstance(value, str):
        return "".join(_shown(letter) for letter in value[:TEXT_MAX])
    if isinstance(value, Struct):
        return _printable(asdict(value))
    if isinstance(value, dict):
        return {key: _printable(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_printable(inner) for inner in value]
    return value


def _shown(letter: str) -> str:
    if letter == "\n":
        return letter
    is_hidden = letter in _TURNING or category(letter) in _UNPRINTABLE
    return _REPLACEMENT if is_hidden else letter
