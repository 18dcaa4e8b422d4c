"""The pass that reconciles our books with the processors', every hour."""

from bursar.domain.access import System
from bursar.domain.refusals import ProviderFailed
from bursar.flows.reconcile_books import reconcile_books
from bursar.runtime.app import App, Caller
from bursar.runtime.ids import new_uuid
from bursar.runtime.logging import get_log

log = get_log()


async def reconcile(app: App) -> bool:
    """One look at each processor's books; one that cannot be read is tried again next time."""
    caller = Caller(app=app, org_id=None, actor=System("reconciler"), request_id=str(new_uuid()))
    for provider in app.providers.values():
        try:
            seen = await reconcile_books(caller, provider)
        except ProviderFailed as failed:
            log.warning("reconciliation.put_off", provider=provider.name, reason=failed.message)
        else:
            log.info("reconciliation.done", provider=provider.name, moves=seen)
    return False
