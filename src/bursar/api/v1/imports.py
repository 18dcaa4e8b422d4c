"""`/v1/imports`: customers and opening balances, taken over from elsewhere."""

from typing import Annotated, Final

from msgspec import Meta

from bursar.api.envelope import changed, created, resource
from bursar.api.fields import Body, DryRun, NoQuery
from bursar.api.filters import Values, several
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import ImportId
from bursar.domain.import_files import FileFormat
from bursar.domain.imports import ImportKind
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.imports import ImportOut
from bursar.operations.imports import ImportFile, import_customers, import_opening_balances
from bursar.reads.imports import import_of
from bursar.reads.imports import imports as imports_look
from bursar.runtime.idempotency import Answer

CONTENT_MAX: Final = 1_000_000

ROOM = Room(
    "Imports",
    prefix="/v1/imports",
    about="Customers and what they have to their credit, a thousand rows at a time, each once.",
)


class NewImport(Body, frozen=True):
    """A file of at most a thousand rows, as text; CSV has a head that names its columns."""

    content: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=CONTENT_MAX,
            examples=["reference,email,name\nA-1,ada@example.com,Ada\n"],
        ),
    ]
    format: FileFormat = FileFormat.CSV

    def to_command(self) -> ImportFile:
        """What it asks for."""
        return ImportFile(self.format, self.content)


class NewBalances(NewImport, frozen=True):
    """A file of at most a thousand opening balances."""

    content: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=CONTENT_MAX,
            examples=["reference,amountCents\nA-1,2500\n"],
        ),
    ]


class ImportQuery(ListQuery, frozen=True):
    """Which imports; `kind` may name several."""

    kind: Values | None = None


@ROOM.post(
    "/customers",
    Terms(
        needs=Permission.CUSTOMER_WRITE,
        takes=NewImport,
        gives=ImportOut,
        query=DryRun,
        status=201,
    ),
)
async def import_customer_file(call: Call[NewImport, DryRun]) -> Answer:
    """Import customers.

    Columns: `reference` (yours, required), `email`, `name`, `currency`, `taxId`, `taxTreatment`,
    `address.line1` and its like, `metadata.` and a key. A row whose reference came before is left
    alone, so a file may be sent again. A row that cannot be taken is named, and stops no other.
    """
    reply = created(ImportOut.of, ROOM.prefix)
    return await changed(call.caller, import_customers, call.body.to_command(), reply)


@ROOM.post(
    "/opening-balances",
    Terms(
        needs=Permission.PAYMENT_RECORD,
        takes=NewBalances,
        gives=ImportOut,
        query=DryRun,
        status=201,
    ),
)
async def import_balance_file(call: Call[NewBalances, DryRun]) -> Answer:
    """Import opening balances.

    Columns: `reference` of an imported customer or `customerId`, `amountCents`, `currency`. Each
    customer comes with one balance, which is their credit; debts are invoices.
    """
    reply = created(ImportOut.of, ROOM.prefix)
    return await changed(call.caller, import_opening_balances, call.body.to_command(), reply)


@ROOM.get(
    "",
    Terms(needs=Permission.CUSTOMER_READ, gives=ImportOut, is_list=True, query=ImportQuery),
)
async def list_imports(call: Call[None, ImportQuery]) -> Answer:
    """List imports, newest first."""
    page = pages(call.caller, call.query)
    kinds = several(call.query.kind, ImportKind, ImportKind, field="kind")
    shown = await call.caller.look(imports_look, page, kinds)
    return piece(call.caller, page, shown, ImportOut.of)


@ROOM.get(
    "/{importId}",
    Terms(needs=Permission.CUSTOMER_READ, gives=ImportOut, refuses=(NotFound,)),
)
async def get_import(call: Call[None, NoQuery]) -> Answer:
    """Get an import with what was wrong with its rows."""
    found = await call.caller.look(import_of, ImportId(call.id("importId")))
    return resource(ImportOut.of(found))
