"""Names in any script, with the fonts of Debian's packages."""

import io

import pypdf
import pytest
from tests.providers.test_documents import a_document

from bursar.providers.documents import TypstRenderer

pytestmark = pytest.mark.system


async def test_names_of_every_script_are_printed() -> None:
    # No letter is missing: only then is it a PDF/A, and the text can be copied out again.
    renderer = TypstRenderer(timeout_seconds=30)
    names = ("株式会社サンプル", "삼성전자", "北京公司", "Привет", "Ελλάδα")
    body = await renderer.invoice_pdf(a_document(buyer=(*names, "شركة الأفق", "חברה")))
    renderer.close()
    assert b"pdfaid" in body
    text = pypdf.PdfReader(io.BytesIO(body)).pages[0].extract_text()
    assert [name for name in names if name not in text] == []
