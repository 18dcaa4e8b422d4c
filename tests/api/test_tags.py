"""Files by their digest: who has the bytes already is not sent them again."""

from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from tests.api.client import Client, Response
from tests.api.test_credit_notes import final
from tests.support.world import Org


def require_tagged(answer: Response) -> str:
    """The tag of a file, which is the digest of its bytes."""
    assert answer.status == 200, answer.body[:300]
    assert answer.headers["etag"] == f'"{sha256(answer.body).hexdigest()}"'
    return answer.headers["etag"]


async def files(owner: Client) -> list[str]:
    """Every file of an invoice, and of the credit note on it."""
    invoice = await final(owner)
    note = await owner.post("/v1/credit-notes", {"invoiceId": invoice["id"], "amountCents": 1190})
    paths = (f"/v1/invoices/{invoice['id']}", note.headers["location"])
    return [f"{each}/{file}" for each in paths for file in ("pdf", "xml")]


@pytest.mark.parametrize(
    "written", ["{tag}", "W/{tag}", '"0", {tag}', ' W/"3",W/{tag} ', "*"], ids=repr
)
async def test_who_has_a_file_is_told_so(owner: Client, written: str) -> None:
    # 304, the same tag, not one byte, and no type for what is not there; whoever has it by heart.
    for path in await files(owner):
        tag = require_tagged(await owner.get(path))
        again = await owner.get(path, if_none_match=written.format(tag=tag))
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert not {"content-type", "content-disposition"} & again.headers.keys()


@pytest.mark.parametrize("written", ["", '"0"', "0", '"', ",,", "W/", "{bare}", '"{bare}0"'])
async def test_who_has_something_else_is_sent_the_file(
    owner: Client, org: Org, written: str
) -> None:
    # Another tag, half of one and no tag at all are all nothing that the caller has.
    path = f"/v1/invoices/{(await org.invoice(await org.customer())).id}/pdf"
    first = await owner.get(path)
    bare = first.headers["etag"].strip('"')
    again = await owner.get(path, if_none_match=written.format(bare=bare))
    assert (again.status, again.body) == (200, first.body)


async def test_a_document_that_changed_is_sent(owner: Client, org: Org) -> None:
    # A payment changes what the document says; its tag of before is worth nothing from then on.
    invoice = await org.invoice(await org.customer())
    path = f"/v1/invoices/{invoice.id}"
    before = (await owner.get(f"{path}/pdf")).headers["etag"]
    receipt = {"amountCents": 1, "method": "cash", "receivedAt": invoice.created_at.isoformat()}
    paid = await owner.post(f"{path}/record-payment", receipt)
    assert paid.status == 201, paid.body
    after = await owner.get(f"{path}/pdf", if_none_match=before)
    assert (after.status, after.headers["etag"] == before) == (200, False)


async def test_who_may_not_see_it_learns_nothing_by_its_tag(
    anyone: Client, owner: Client, org: Org
) -> None:
    # The tag opens no door: a wrong id is 404 and nobody is 401, even for any tag at all.
    invoice = await org.invoice(await org.customer())
    path = f"/v1/invoices/{invoice.id}/pdf"
    tag = (await owner.get(path)).headers["etag"]
    for each in (tag, "*"):
        assert (await anyone.get(path, if_none_match=each)).status == 401
        wrong = path.replace(invoice.id[-12:], "0" * 12)
        assert (await owner.get(wrong, if_none_match=each)).status == 404


async def test_the_hosted_page_answers_the_same(anyone: Client, owner: Client) -> None:
    # PDF, e-invoice and receipt, to whoever has the link; and none of it once the link is revoked.
    invoice = await final(owner)
    path = f"/v1/invoices/{invoice['id']}"
    receipt = {"amountCents": 16_900, "method": "cash", "receivedAt": invoice["createdAt"]}
    assert (await owner.post(f"{path}/record-payment", receipt)).status == 201
    page, tags = urlsplit(invoice["hostedInvoiceUrl"]).path, {}
    for each in (f"{page}/{file}" for file in ("pdf", "xml", "receipt")):
        first = await anyone.get(each)
        tags[each] = require_tagged(first)
        assert first.headers["cache-control"] == "no-store"
        again = await anyone.get(each, if_none_match=tags[each])
        assert (again.status, again.body) == (304, b"")
    assert (await owner.post(f"{path}/revoke-link")).status == 200
    for each, tag in tags.items():
        assert (await anyone.get(each, if_none_match=tag)).status == 410
