"""The one table of who may do what: every permission is reachable, and nobody gains one unseen."""

import pytest

from bursar.domain.access import (
    LINK_PERMISSIONS,
    ROLE_PERMISSIONS,
    SCOPE_PERMISSIONS,
    SYSTEM_PERMISSIONS,
    Actor,
    ApiKey,
    Link,
    Nobody,
    Operator,
    Permission,
    Person,
    Role,
    System,
    actor_label,
    permissions_of,
)
from bursar.domain.ids import ApiKeyId, InvoiceId, SessionId, UserId

PERSON = Person(UserId("usr_1"), SessionId("ses_1"))
MACHINE = {
    Permission.LEDGER_FOLD,
    Permission.PAYMENT_SETTLE,
    Permission.SUBSCRIPTION_RENEW,
    Permission.HOLD_EXPIRE,
    Permission.WEBHOOK_DELIVER,
    Permission.AUDIT_SEAL,
    Permission.MAIL_SEND,
    Permission.TEST_CLOCK_MOVE,
    Permission.OPERATOR_NAME,
}

READS = (
    "org:read customer:read invoice:read payment:read wallet:read ledger:read webhook:read "
    "event:read mail:read "
    "plan:read subscription:read usage:read"
)
MONEY = (
    "customer:write invoice:write invoice:finalize invoice:pay payment:record payment_method:write "
    "wallet:move subscription:write usage:write"
)
SELLING = "plan:write"
RULE = (
    "org:write customer:erase member:write api_key:read api_key:write webhook:write "
    "test_clock:write"
)
REFUNDS = "refund:write"
OWNERSHIP = "org:delete org:transfer"
PEOPLE = "member:read member:leave view:save"
# Whoever changes this table has changed who may do what; the diff is the decision.
ROLES = {
    Role.OWNER: f"{READS} {MONEY} {REFUNDS} {SELLING} {RULE} {OWNERSHIP} {PEOPLE} audit:read",
    Role.ADMIN: f"{READS} {MONEY} {REFUNDS} {SELLING} {RULE} {PEOPLE} audit:read",
    Role.ACCOUNTANT: f"{READS} {MONEY} {REFUNDS} {PEOPLE} audit:read",
    Role.VIEWER: f"{READS} {PEOPLE}",
}
SCOPES = {
    "billing:read": READS,
    "billing:write": f"{READS} {MONEY} {SELLING} webhook:write test_clock:write",
    "customers:read": "customer:read",
    "customers:write": "customer:read customer:write",
    "plans:read": "plan:read",
    "plans:write": "plan:read plan:write",
    "subscriptions:read": "subscription:read",
    "subscriptions:write": "subscription:read subscription:write",
    "usage:read": "usage:read",
    "usage:write": "usage:read usage:write",
    "invoices:read": "invoice:read",
    "invoices:draft": "invoice:read invoice:write",
    "invoices:write": "invoice:read invoice:write invoice:finalize",
    "payments:read": "payment:read",
    "payments:write": "payment:read invoice:pay payment:record",
    "refunds:write": "payment:read refund:write",
    "wallets:read": "wallet:read",
    "wallets:write": "wallet:read wallet:move",
    "webhooks:read": "webhook:read",
    "webhooks:write": "webhook:read webhook:write",
    "events:read": "event:read",
    "ledger:read": "ledger:read",
}


def values(permissions: frozenset[Permission]) -> set[str]:
    return {permission.value for permission in permissions}


def test_roles_are_as_decided() -> None:
    # Role by role, permission by permission.
    assert {role: values(ROLE_PERMISSIONS[role]) for role in Role} == {
        role: set(text.split()) for role, text in ROLES.items()
    }


def test_scopes_are_as_decided() -> None:
    # Scope by scope, permission by permission.
    assert {scope: values(given) for scope, given in SCOPE_PERMISSIONS.items()} == {
        scope: set(text.split()) for scope, text in SCOPES.items()
    }


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_reachable(permission: Permission) -> None:
    # By some role, by Bursar itself, by anybody, or by anybody who is signed in.
    somebody = frozenset().union(
        *ROLE_PERMISSIONS.values(),
        SYSTEM_PERMISSIONS,
        permissions_of(Nobody(), None),
        permissions_of(PERSON, None),
    )
    assert permission in somebody


@pytest.mark.parametrize("role", Role)
def test_nobody_settles_or_seals_by_hand(role: Role) -> None:
    # What only the machine does is in no role, no scope and no link.
    assert MACHINE.isdisjoint(permissions_of(PERSON, role))
    assert all(MACHINE.isdisjoint(given) for given in SCOPE_PERMISSIONS.values())
    assert MACHINE.isdisjoint(LINK_PERMISSIONS)
    assert permissions_of(System("worker"), None) >= MACHINE


def test_a_key_never_manages_keys_people_or_the_audit() -> None:
    # A leaked key cannot make another one, read who is who, or see what it did.
    ever = frozenset().union(*SCOPE_PERMISSIONS.values())
    assert ever.isdisjoint(
        {
            Permission.API_KEY_READ,
            Permission.API_KEY_WRITE,
            Permission.MEMBER_READ,
            Permission.MEMBER_WRITE,
            Permission.MEMBER_LEAVE,
            Permission.VIEW_SAVE,
            Permission.ORG_DELETE,
            Permission.ORG_TRANSFER,
            Permission.ORG_WRITE,
            Permission.AUDIT_READ,
            Permission.SELF,
        }
    )


def test_what_each_actor_may_do() -> None:
    # A key has the union of its scopes; a stranger and a person without a role almost nothing.
    key = ApiKey(ApiKeyId("key_1"), ("customers:read", "events:read"))
    assert values(permissions_of(key, None)) == {"customer:read", "event:read"}
    assert permissions_of(ApiKey(ApiKeyId("key_1"), ()), None) == frozenset()
    assert values(permissions_of(Nobody(), None)) == {"anyone"}
    assert values(permissions_of(PERSON, None)) == {"anyone", "self:manage"}
    assert permissions_of(PERSON, Role.VIEWER) >= ROLE_PERMISSIONS[Role.VIEWER]
    assert values(permissions_of(Link(InvoiceId("inv_1")), None)) == {"invoice:read", "invoice:pay"}
    assert permissions_of(Operator("ada"), None) == SYSTEM_PERMISSIONS


@pytest.mark.parametrize(
    ("actor", "label"),
    [
        (PERSON, "user:usr_1"),
        (ApiKey(ApiKeyId("key_1"), ()), "key:key_1"),
        (Operator("ada"), "cli:ada"),
        (System("worker"), "system:worker"),
        (System("stripe:evt_1"), "stripe:evt_1"),
        (Link(InvoiceId("inv_1")), "link:inv_1"),
        (Nobody(), "nobody"),
    ],
)
def test_every_actor_has_a_name_in_the_log(actor: Actor, label: str) -> None:
    # One spelling each; a provider's event keeps its own.
    assert actor_label(actor) == label
