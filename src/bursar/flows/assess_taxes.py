"""Has a draft assessed: ask which taxes lie on it, then put them there."""

from collections.abc import Callable

from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice
from bursar.domain.refusals import Unavailable
from bursar.domain.tax_engine import TaxesNotKnown
from bursar.operations.tax_assessments import PutTaxes, put_taxes
from bursar.reads.invoices import tax_question
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer
from bursar.runtime.logging import get_log

log = get_log()


async def assess_taxes(
    caller: Caller, invoice_id: InvoiceId, answer: Callable[[Invoice], Answer] | None = None
) -> Invoice:
    """The draft with the taxes that the engine says; as it was, when nobody can say.

    Raises:
        NotFound: no such invoice.
        IllegalTransition: it is no draft.
        PreconditionFailed: it was changed while the engine was asked.
        Unavailable: the engine gave no answer of use.
    """
    question = await caller.look(tax_question, invoice_id)
    engine = caller.app.taxes
    try:
        advice = await engine.advise(question)
        return await caller.run(put_taxes, PutTaxes(question, advice), answer=answer)
    except TaxesNotKnown as fault:
        log.warning("taxes.not_known", invoice_id=invoice_id, engine=engine.name, why=str(fault))
        raise Unavailable("Nobody could say which taxes lie on it; try again.") from fault
