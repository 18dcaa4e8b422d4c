"""Payment methods: keep what the provider attached, choose the default, detach."""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, OrgId, PaymentMethodId
from bursar.domain.orgs import Mode
from bursar.domain.payment_methods import PaymentMethod, attach
from bursar.domain.provider import CustomerRequest, MethodFace
from bursar.domain.refusals import IllegalTransition, NotFound
from bursar.domain.tasks import SyncCustomer, SyncMethod
from bursar.domain.times import Instant
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import collection, customers, payment_methods
from bursar.store.apply import apply

_SETUP_WATCHED_AFTER: Final = timedelta(minutes=5)
_SETUPS_SINCE: Final = timedelta(hours=25)  # no longer than somebody may prove a method


class PrepareMethod(Struct, frozen=True):
    """Whose method it becomes; one that its holder proves is asked about in the books later."""

    customer_id: CustomerId
    is_watched: bool = False


@operation(requires=Permission.PAYMENT_METHOD_WRITE)
async def prepare_method(tx: Tx, command: PrepareMethod) -> tuple[CustomerRequest, Mode]:
    """What the provider should know of the customer first, and the organization's mode."""
    assert tx.mode is not None
    customer = await customers.lock(tx, command.customer_id)
    if command.is_watched:
        await _watched(tx, customer.id, _SETUP_WATCHED_AFTER)
    return customer.described(tx.org_id), Mode(tx.mode)


class KeepMethod(Struct, frozen=True, kw_only=True):
    """A method that the provider attached to the customer it knows under `customer_reference`."""

    customer_id: CustomerId
    customer_reference: str
    provider: str
    method_reference: str
    face: MethodFace
    is_default: bool = True


class Kept(Struct, frozen=True):
    """A method beside the customer who has it."""

    method: PaymentMethod
    customer: Customer


@operation(requires=Permission.PAYMENT_METHOD_WRITE)
async def keep_method(tx: Tx, command: KeepMethod) -> Kept | None:
    """Keep a method; the first one, and the one that is asked for, is charged from now on.

    What waits in dunning for another method is tried at once. Nothing, if the customer went while
    the provider attached it: then it is taken from them there as well.
    """
    customer = await customers.lock(tx, command.customer_id, even_deleted=True)
    return await _kept(tx, customer, command)


@operation(requires=Permission.PAYMENT_METHOD_WRITE)
async def follow_setup(tx: Tx, command: KeepMethod) -> Kept | None:
    """Keep a method that its holder proved, when nobody has kept it yet.

    What is heard late changes nothing: neither what was kept and detached, nor what is charged by
    default since. Nothing, too, if the provider means another customer.
    """
    customer = await customers.lock(tx, command.customer_id, even_deleted=True)
    if customer.provider_reference not in {None, command.customer_reference}:
        return None
    heard = (command.provider, command.method_reference)
    for method in await payment_methods.of_customer(tx, customer.id):
        if (method.provider, method.provider_reference) == heard:
            return None
    return await _kept(tx, customer, command)


async def _kept(tx: Tx, customer: Customer, command: KeepMethod) -> Kept | None:
    if customer.deleted_at is not None:
        await _turn_away(tx, command)
        return None
    customer = await _written(tx, customer, customer.link(command.customer_reference))
    known = await payment_methods.of_reference(
        tx, provider=command.provider, reference=command.method_reference
    )
    method = known or await _added(tx, command)
    if command.is_default or customer.method_reference is None:
        customer = await _chosen(tx, customer, method)
    return Kept(method, customer)


class AskAboutSetups(Struct, frozen=True):
    """Whose setups."""

    customer_id: CustomerId


class SetupQuestion(Struct, frozen=True):
    """Where a customer is at the provider, if they are yet, and since when setups matter.

    Whoever went before they were known there has no setups that anybody could find.
    """

    org_id: OrgId
    customer_reference: str | None
    mode: Mode
    since: Instant
    is_over: bool


@operation(requires=Permission.PAYMENT_METHOD_WRITE)
async def ask_about_setups(tx: Tx, command: AskAboutSetups) -> SetupQuestion:
    """The question for the provider's books; the task that asks it takes the place of the watch."""
    customer = await customers.lock(tx, command.customer_id, even_deleted=True)
    await apply(tx, Change(agenda=(Undue(DueKind.WATCH_SETUP, customer.id),)))
    assert tx.mode is not None
    reference, since = customer.provider_reference, tx.wall - _SETUPS_SINCE
    is_over = reference is None and customer.deleted_at is not None
    return SetupQuestion(tx.org_id, reference, Mode(tx.mode), since, is_over)


class WatchSetups(Struct, frozen=True):
    """Whose setups to ask about again, and when."""

    customer_id: CustomerId
    after: timedelta


@operation(requires=Permission.PAYMENT_METHOD_WRITE)
async def watch_setups(tx: Tx, command: WatchSetups) -> None:
    """Ask the books again: a holder may still act, or the books could not be read."""
    await _watched(tx, command.customer_id, command.after)


async def _watched(tx: Tx, customer_id: CustomerId, after: timedelta) -> None:
    due = Due(DueKind.WATCH_SETUP, customer_id, tx.wall + after)
    await apply(tx, Change(agenda=(due,)))


class NameMethod(Struct, frozen=True):
    """A method of the organization."""

    method_id: PaymentMethodId


@operation(requires=Permission.PAYMENT_METHOD_WRITE)
async def set_default_method(tx: Tx, command: NameMethod) -> Kept:
    """Charge this method from now on; what waits in dunning for another one is tried at once.

    Raises:
        NotFound: no such method.
        IllegalTransition: it is detached.
    """
    customer, method = await _locked(tx, command.method_id)
    if customer.deleted_at is not None:
        raise NotFound(f"No payment method {method.id}.")
    if method.detached_at is not None:
        raise IllegalTransition(
            f"Payment method {method.id} is detached.", facts={"currentStatus": "detached"}
        )
    return Kept(method, await _chosen(tx, customer, method))


@operation(requires=Permission.PAYMENT_METHOD_WRITE)
async def detach_method(tx: Tx, command: NameMethod) -> Kept:
    """Charge it no more; the provider is told by a task. Detaching twice is the same as once.

    Raises:
        NotFound: no such method.
    """
    customer, method = await _locked(tx, command.method_id)
    change = method.detach(tx.now)
    if change is None:
        return Kept(method, customer)
    lost = customer.lose_method(method.id)
    written = await apply(tx, change if lost is None else change.beside(lost))
    after = written[method.id]
    assert isinstance(after, PaymentMethod)
    return Kept(after, customer)


class MethodStanding(Struct, frozen=True):
    """What the provider should have of a method, and where the customer is there."""

    method: PaymentMethod
    mode: Mode
    customer_reference: str | None
    is_default: bool


@operation(requires=Permission.PAYMENT_METHOD_WRITE)
async def describe_method(tx: Tx, command: NameMethod) -> MethodStanding:
    """How things stand now.

    Raises:
        NotFound: no such method.
    """
    customer, method = await _locked(tx, command.method_id)
    assert tx.mode is not None
    return MethodStanding(
        method, Mode(tx.mode), customer.provider_reference, customer.method_id == method.id
    )


async def _locked(tx: Tx, method_id: PaymentMethodId) -> tuple[Customer, PaymentMethod]:
    """The method, alone with its customer; whose it is never changes."""
    owner = (await payment_methods.get(tx, method_id)).customer_id
    customer = await customers.lock(tx, owner, even_deleted=True)
    return customer, await payment_methods.get(tx, method_id)


async def _turn_away(tx: Tx, command: KeepMethod) -> None:
    """Have the provider take it back, and forget whose it nearly was; nothing is kept of its face.

    What the provider was told of the customer may be as late as the method: it is told again.
    """
    known = await payment_methods.of_reference(
        tx, provider=command.provider, reference=command.method_reference
    )
    faceless = replace(command, face=MethodFace(command.face.kind))
    method = known or await _added(tx, faceless)
    change = method.detach(tx.now)
    if change is not None:
        await apply(tx, change)
    else:
        await tx.enqueue(SyncMethod(method.id))
    await tx.enqueue(SyncCustomer(command.customer_id))


async def _added(tx: Tx, command: KeepMethod) -> PaymentMethod:
    new = PaymentMethod(
        id=PaymentMethodId(tx.new_id("pm")),
        customer_id=command.customer_id,
        provider=command.provider,
        provider_reference=command.method_reference,
        face=command.face,
        detached_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    written = (await apply(tx, attach(new)))[new.id]
    assert isinstance(written, PaymentMethod)
    return written


async def _chosen(tx: Tx, customer: Customer, method: PaymentMethod) -> Customer:
    change = customer.use_method(method.id, reference=method.provider_reference)
    after = await _written(tx, customer, change)
    await apply(tx, await collection.offer_method(tx, before=customer, after=after))
    return after


async def _written(tx: Tx, customer: Customer, change: Change | None) -> Customer:
    if change is None:
        return customer
    written = (await apply(tx, change))[customer.id]
    assert isinstance(written, Customer)
    return written
