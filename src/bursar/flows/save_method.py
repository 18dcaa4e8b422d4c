"""Saves a payment method without a payment: a token is attached, or proven with its holder.

Where the holder has to act (3-D Secure), nothing is kept yet: the provider's event keeps what they
proved, and so does the same request, sent again when they are back, or a watch that asks the books.
Whichever comes first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from bursar.domain.ids import CustomerId
from bursar.domain.provider import (
    ActionRequired,
    CircuitOpen,
    CustomerRequest,
    Declined,
    Linked,
    MethodAttached,
    MethodOutcome,
    PaymentProvider,
    SetupRequest,
    Unknown,
)
from bursar.domain.refusals import (
    NotFound,
    PaymentDeclined,
    ProviderFailed,
    Refusal,
    Unavailable,
)
from bursar.operations.payment_methods import (
    KeepMethod,
    Kept,
    PrepareMethod,
    keep_method,
    prepare_method,
)
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


class AttachMethod(Struct, frozen=True):
    """A token of the provider; never a card number. Unless told otherwise it is then charged."""

    customer_id: CustomerId
    provider_token: str
    is_default: bool = True


class SetUpMethod(Struct, frozen=True, kw_only=True):
    """A token of the provider, and where its holder comes back to."""

    customer_id: CustomerId
    provider_token: str
    return_url: str
    is_default: bool = True


class _Holder(Struct, frozen=True):
    """Whose method it becomes, and where they are at the provider."""

    provider: PaymentProvider
    request: CustomerRequest
    reference: str
    is_default: bool


async def attach_method(
    caller: Caller, command: AttachMethod, answer: Callable[[Kept], Answer] | None = None
) -> Kept:
    """Make the customer known if need be, attach the method, keep what may be shown of it.

    Raises:
        PaymentDeclined: the provider refused the method.
        ProviderFailed: no usable answer.
        Unavailable: the provider is known to be away.
        NotFound: no such customer, or they went meanwhile.
    """
    holder = await _holder(caller, command)
    with _refused_while_away():
        attached = await holder.provider.attach_method(
            holder.reference, token=command.provider_token, is_default=command.is_default
        )
    return await _kept(caller, holder, attached, answer)


async def set_up_method(
    caller: Caller, command: SetUpMethod, answer: Callable[[Kept], Answer] | None = None
) -> Kept | ActionRequired:
    """Prove the method and keep it, or say where its holder has to go first.

    Raises:
        PaymentDeclined: the provider refused the method, or its holder could not be proven.
        ProviderFailed: no usable answer.
        Unavailable: the provider is known to be away.
        NotFound: no such customer, or they went meanwhile.
    """
    holder = await _holder(caller, command)
    request = SetupRequest(
        org_id=holder.request.org_id,
        customer_id=command.customer_id,
        customer_reference=holder.reference,
        token=command.provider_token,
        return_url=command.return_url,
        is_default=command.is_default,
    )
    with _refused_while_away():
        said = await holder.provider.set_up_method(request)
    if isinstance(said, ActionRequired):
        await caller.release()  # the same key may ask again when the holder is back
        return said
    return await _kept(caller, holder, said, answer)


async def _holder(caller: Caller, command: AttachMethod | SetUpMethod) -> _Holder:
    is_proof = isinstance(command, SetUpMethod)
    prepare = PrepareMethod(command.customer_id, is_watched=is_proof)
    request, mode = await caller.run(prepare_method, prepare)
    provider = caller.provider(mode)
    with _refused_while_away():
        known = await provider.ensure_customer(request)
    if not isinstance(known, Linked):
        raise _refusal(known)
    return _Holder(provider, request, known.reference, command.is_default)


async def _kept(
    caller: Caller,
    holder: _Holder,
    said: MethodOutcome,
    answer: Callable[[Kept], Answer] | None,
) -> Kept:
    if not isinstance(said, MethodAttached):
        raise _refusal(said)
    customer_id = holder.request.customer_id
    keep = KeepMethod(
        customer_id=customer_id,
        customer_reference=holder.reference,
        provider=holder.provider.name,
        method_reference=said.reference,
        face=said.face,
        is_default=holder.is_default,
    )

    def of_kept(kept: Kept | None) -> Answer | None:
        return None if answer is None or kept is None else answer(kept)

    kept = await caller.run(keep_method, keep, answer=of_kept)
    if kept is None:
        raise NotFound(f"No customer {customer_id}.")
    return kept


def _refusal(said: Declined | Unknown) -> Refusal:
    if isinstance(said, Declined):
        return PaymentDeclined(said.message, facts={"declineCode": said.code})
    return ProviderFailed("The payment provider gave no usable answer; try again.")


@contextmanager
def _refused_while_away() -> Iterator[None]:
    """Nothing was sent, and whoever asked hears when to come again."""
    try:
        yield
    except CircuitOpen as away:
        wait = {"retryAfterSeconds": away.retry_after_seconds}
        raise Unavailable("The payment provider is away.", facts=wait) from away
