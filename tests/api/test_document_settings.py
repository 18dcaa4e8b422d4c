"""`/v1/document-settings`: a logo can be printed; what cannot is refused by name."""

import base64
from urllib.parse import urlsplit

import pytest
from tests.api.client import Client
from tests.domain.test_pictures import DOT, a_png, chunk
from tests.support.world import Org, World

from bursar.domain.ids import uuid_of


def sent(body: bytes) -> dict[str, str]:
    return {"logo": base64.b64encode(body).decode()}


@pytest.mark.parametrize(
    "body",
    [b"<svg/>", b"GIF89a", a_png()[:-20], a_png(9_000, 1), a_png(pixels=b"\7" * 20), DOT[:-2]],
)
async def test_a_logo_that_cannot_be_printed_is_refused(owner: Client, body: bytes) -> None:
    # By the name of the field, and nothing is kept.
    answer = await owner.patch("/v1/document-settings", sent(body))
    assert answer.status == 400
    assert [each["field"] for each in answer.error["details"]] == ["logo"]
    assert (await owner.get("/v1/document-settings")).value["logoSha256"] is None


@pytest.mark.parametrize("body", [a_png(40, 20), DOT])
async def test_a_logo_is_kept_bare_and_printed(owner: Client, org: Org, body: bytes) -> None:
    # What a camera wrote beside the picture is gone; what is not issued yet shows it.
    invoice = await org.draft(await org.customer(None))
    plain = await owner.get(f"/v1/invoices/{invoice.id}/pdf")
    answer = await owner.patch("/v1/document-settings", sent(body + b"secret"))
    assert answer.status == 200
    again = await owner.patch("/v1/document-settings", sent(body))
    assert again.value["logoSha256"] == answer.value["logoSha256"]
    printed = await owner.get(f"/v1/invoices/{invoice.id}/pdf")
    assert printed.status == 200
    assert b"/Subtype /Image" in printed.body or b"/Subtype/Image" in printed.body
    assert printed.body != plain.body


async def test_a_broken_logo_that_is_kept_stops_no_document(
    owner: Client, anyone: Client, org: Org, world: World
) -> None:
    # One of before logos were looked into: the PDF is there, without it.
    await owner.patch("/v1/document-settings", sent(a_png()))
    connection = await world.house.as_owner()
    try:
        await connection.execute(
            "UPDATE document_settings SET logo = $2 WHERE org_id = $1",
            uuid_of(org.id),
            a_png()[:-20] + chunk(b"IEND", b""),
        )
    finally:
        await connection.close()
    invoice = await org.invoice(await org.customer(None))
    shown = await owner.get(f"/v1/invoices/{invoice.id}")
    path = urlsplit(shown.value["hostedInvoiceUrl"]).path
    for answer in (
        await owner.get(f"/v1/invoices/{invoice.id}/pdf"),
        await anyone.get(f"{path}/pdf"),
    ):
        assert answer.status == 200
        assert answer.body.startswith(b"%PDF")
