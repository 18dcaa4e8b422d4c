"""The gapless numbers: the next of a series, held until the transaction ends.

The customers whose documents are numbered are locked already, so nobody else gives one a place.
"""

from collections import Counter
from collections.abc import Sequence

from bursar.domain.ids import CustomerId, uuid_of
from bursar.domain.invoices import InvoiceNumber
from bursar.domain.numbering import Numbered, Numbering, NumberScope
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def next_number(
    tx: Tx, numbering: Numbering, customer_id: CustomerId, kind: Numbered = Numbered.INVOICE
) -> InvoiceNumber:
    """The next number for a document of this customer."""
    (number,) = await take_numbers(tx, numbering, [customer_id], kind)
    return number


async def take_numbers(
    tx: Tx,
    numbering: Numbering,
    customer_ids: Sequence[CustomerId],
    kind: Numbered = Numbered.INVOICE,
) -> list[InvoiceNumber]:
    """The next numbers for documents of these customers, in their order."""
    if not customer_ids:
        return []
    places = await _places(tx, numbering, customer_ids)
    names = [numbering.series(kind, tx.now, place=places.get(each)) for each in customer_ids]
    wanted = Counter(names)
    org_id, ordered = uuid_of(tx.org_id), sorted(wanted)
    rows = await tx.fetch(Q.take_numbers, org_id, ordered, [wanted[each] for each in ordered])
    following = {row["series"]: row["first_number"] for row in rows}
    numbers = []
    for name in names:
        numbers.append(InvoiceNumber(name, following[name]))
        following[name] += 1
    return numbers


async def _places(
    tx: Tx, numbering: Numbering, customer_ids: Sequence[CustomerId]
) -> dict[CustomerId, int]:
    """The place of each customer among those who have a series; new ones get the next."""
    if numbering.scope is NumberScope.ORGANIZATION:
        return {}
    org_id = uuid_of(tx.org_id)
    wanted = {uuid_of(each): each for each in customer_ids}
    found = {r["customer_id"]: r["place"] for r in await tx.fetch(Q.places, org_id, [*wanted])}
    fresh = [each for each in wanted if each not in found]
    if fresh:
        last = await tx.fetchval(Q.take_places, org_id, len(fresh))
        given = [last - len(fresh) + at for at in range(1, len(fresh) + 1)]
        await tx.execute(Q.give_places, org_id, fresh, given)
        found |= dict(zip(fresh, given, strict=True))
    return {wanted[key]: place for key, place in found.items()}
