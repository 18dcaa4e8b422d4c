"""Who may do what: actors, roles, scopes and the one table that maps them to permissions.

Operations name the permission they need; `caller.run` checks it once, so the API, the console, the
command line and jobs cannot differ. Nothing else in the house decides access.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final, assert_never

from msgspec import Struct

from bursar.domain.ids import ApiKeyId, InvoiceId, SessionId, UserId

_REMEMBERED: Final = 256  # many keys have the same few scopes


class Permission(StrEnum):
    """`noun:verb`. An operation or read without one does not start."""

    ANYONE = "anyone"  # with or without a credential: register, sign in
    SELF = "self:manage"  # any signed-in person, about themselves
    ORG_READ = "org:read"
    ORG_WRITE = "org:write"
    ORG_DELETE = "org:delete"
    ORG_TRANSFER = "org:transfer"
    MEMBER_READ = "member:read"
    MEMBER_WRITE = "member:write"
    MEMBER_LEAVE = "member:leave"
    API_KEY_READ = "api_key:read"
    API_KEY_WRITE = "api_key:write"
    CUSTOMER_READ = "customer:read"
    CUSTOMER_WRITE = "customer:write"
    CUSTOMER_ERASE = "customer:erase"
    PLAN_READ = "plan:read"
    PLAN_WRITE = "plan:write"
    SUBSCRIPTION_READ = "subscription:read"
    SUBSCRIPTION_WRITE = "subscription:write"
    SUBSCRIPTION_RENEW = "subscription:renew"
    USAGE_READ = "usage:read"
    USAGE_WRITE = "usage:write"
    INVOICE_READ = "invoice:read"
    INVOICE_WRITE = "invoice:write"
    INVOICE_FINALIZE = "invoice:finalize"
    INVOICE_PAY = "invoice:pay"
    PAYMENT_READ = "payment:read"
    PAYMENT_RECORD = "payment:record"
    PAYMENT_SETTLE = "payment:settle"
    PAYMENT_METHOD_WRITE = "payment_method:write"
    REFUND_WRITE = "refund:write"
    WALLET_READ = "wallet:read"
    WALLET_MOVE = "wallet:move"
    HOLD_EXPIRE = "hold:expire"
    LEDGER_READ = "ledger:read"
    LEDGER_FOLD = "ledger:fold"
    WEBHOOK_READ = "webhook:read"
    WEBHOOK_WRITE = "webhook:write"
    WEBHOOK_DELIVER = "webhook:deliver"
    EVENT_READ = "event:read"
    AUDIT_READ = "audit:read"
    AUDIT_SEAL = "audit:seal"
    MAIL_READ = "mail:read"
    MAIL_SEND = "mail:send"
    TEST_CLOCK_WRITE = "test_clock:write"
    TEST_CLOCK_MOVE = "test_clock:move"
    OPERATOR_NAME = "operator:name"
    VIEW_SAVE = "view:save"
    QUEUE_READ = "queue:read"
    QUEUE_WRITE = "queue:write"


class Role(StrEnum):
    """The named sets of permissions a person can hold in an organization."""

    OWNER = "owner"
    ADMIN = "admin"
    ACCOUNTANT = "accountant"
    VIEWER = "viewer"

    def reaches(self, other: "Role") -> bool:
        """Whether `other` is no higher than this: what somebody may give, change or take away."""
        order = list(Role)
        return order.index(self) <= order.index(other)


_READS: Final = frozenset(
    {
        Permission.ORG_READ,
        Permission.CUSTOMER_READ,
        Permission.PLAN_READ,
        Permission.SUBSCRIPTION_READ,
        Permission.USAGE_READ,
        Permission.INVOICE_READ,
        Permission.PAYMENT_READ,
        Permission.WALLET_READ,
        Permission.LEDGER_READ,
        Permission.WEBHOOK_READ,
        Permission.EVENT_READ,
        Permission.MAIL_READ,
    }
)
_MONEY: Final = frozenset(
    {
        Permission.CUSTOMER_WRITE,
        Permission.SUBSCRIPTION_WRITE,
        Permission.USAGE_WRITE,
        Permission.INVOICE_WRITE,
        Permission.INVOICE_FINALIZE,
        Permission.INVOICE_PAY,
        Permission.PAYMENT_RECORD,
        Permission.PAYMENT_METHOD_WRITE,
        Permission.WALLET_MOVE,
    }
)
_BILLING: Final = _MONEY | {Permission.REFUND_WRITE}  # a key gives money back by that name only
_SELLING: Final = frozenset({Permission.PLAN_WRITE})  # what is sold, and for how much
_ADMINISTRATION: Final = frozenset(
    {
        Permission.ORG_WRITE,
        Permission.CUSTOMER_ERASE,
        Permission.MEMBER_WRITE,
        Permission.API_KEY_READ,
        Permission.API_KEY_WRITE,
        Permission.WEBHOOK_WRITE,
        Permission.TEST_CLOCK_WRITE,
    }
)
_OWNERSHIP: Final = frozenset({Permission.ORG_DELETE, Permission.ORG_TRANSFER})
_PEOPLE: Final = frozenset({Permission.MEMBER_READ, Permission.MEMBER_LEAVE, Permission.VIEW_SAVE})
_AUDIT: Final = frozenset({Permission.AUDIT_READ})
_MACHINE: Final = frozenset(
    {
        Permission.PAYMENT_SETTLE,
        Permission.SUBSCRIPTION_RENEW,
        Permission.HOLD_EXPIRE,
        Permission.LEDGER_FOLD,
        Permission.WEBHOOK_DELIVER,
        Permission.AUDIT_SEAL,
        Permission.MAIL_SEND,
        Permission.TEST_CLOCK_MOVE,
        Permission.OPERATOR_NAME,
        Permission.QUEUE_READ,
        Permission.QUEUE_WRITE,
    }
)

ROLE_PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.OWNER: _READS | _BILLING | _SELLING | _ADMINISTRATION | _OWNERSHIP | _PEOPLE | _AUDIT,
    Role.ADMIN: _READS | _BILLING | _SELLING | _ADMINISTRATION | _PEOPLE | _AUDIT,
    Role.ACCOUNTANT: _READS | _BILLING | _PEOPLE | _AUDIT,
    Role.VIEWER: _READS | _PEOPLE,
}

SCOPE_PERMISSIONS: Final[dict[str, frozenset[Permission]]] = {
    "billing:read": _READS,
    "billing:write": _READS
    | _MONEY
    | _SELLING
    | {Permission.WEBHOOK_WRITE, Permission.TEST_CLOCK_WRITE},
    "customers:read": frozenset({Permission.CUSTOMER_READ}),
    "customers:write": frozenset({Permission.CUSTOMER_READ, Permission.CUSTOMER_WRITE}),
    "plans:read": frozenset({Permission.PLAN_READ}),
    "plans:write": frozenset({Permission.PLAN_READ, Permission.PLAN_WRITE}),
    "subscriptions:read": frozenset({Permission.SUBSCRIPTION_READ}),
    "subscriptions:write": frozenset({Permission.SUBSCRIPTION_READ, Permission.SUBSCRIPTION_WRITE}),
    "usage:read": frozenset({Permission.USAGE_READ}),
    "usage:write": frozenset({Permission.USAGE_READ, Permission.USAGE_WRITE}),
    "invoices:read": frozenset({Permission.INVOICE_READ}),
    "invoices:draft": frozenset({Permission.INVOICE_READ, Permission.INVOICE_WRITE}),
    "invoices:write": frozenset(
        {Permission.INVOICE_READ, Permission.INVOICE_WRITE, Permission.INVOICE_FINALIZE}
    ),
    "payments:read": frozenset({Permission.PAYMENT_READ}),
    "payments:write": frozenset(
        {Permission.PAYMENT_READ, Permission.INVOICE_PAY, Permission.PAYMENT_RECORD}
    ),
    "refunds:write": frozenset({Permission.PAYMENT_READ, Permission.REFUND_WRITE}),
    "wallets:read": frozenset({Permission.WALLET_READ}),
    "wallets:write": frozenset({Permission.WALLET_READ, Permission.WALLET_MOVE}),
    "webhooks:read": frozenset({Permission.WEBHOOK_READ}),
    "webhooks:write": frozenset({Permission.WEBHOOK_READ, Permission.WEBHOOK_WRITE}),
    "events:read": frozenset({Permission.EVENT_READ}),
    "ledger:read": frozenset({Permission.LEDGER_READ}),
}

# A hosted link shows one invoice and pays it; operations check that it is that invoice.
LINK_PERMISSIONS: Final = frozenset({Permission.INVOICE_READ, Permission.INVOICE_PAY})
SYSTEM_PERMISSIONS: Final = (
    ROLE_PERMISSIONS[Role.OWNER] | _MACHINE | {Permission.ANYONE, Permission.SELF}
)


class Person(Struct, frozen=True):
    """Somebody signed in; the role is read in the transaction, never carried in a token."""

    user_id: UserId
    session_id: SessionId


class ApiKey(Struct, frozen=True):
    """A program; bound to one organization."""

    key_id: ApiKeyId
    scopes: tuple[str, ...]


class Operator(Struct, frozen=True):
    """Somebody at the command line of this installation."""

    name: str


class System(Struct, frozen=True):
    """Bursar itself: a worker, the watchdog, or a provider's event (`stripe:evt_…`)."""

    name: str


class Link(Struct, frozen=True):
    """Whoever holds the hosted link of one invoice."""

    invoice_id: InvoiceId


class Nobody(Struct, frozen=True):
    """No credential at all: may register, sign in, and read the documentation."""


Actor = Person | ApiKey | Operator | System | Link | Nobody


def actor_label(actor: Actor) -> str:
    """How the event log names an actor."""
    match actor:
        case Person(user_id):
            return f"user:{user_id}"
        case ApiKey(key_id):
            return f"key:{key_id}"
        case Operator(name):
            return f"cli:{name}"
        case System(name):
            return name if ":" in name else f"system:{name}"
        case Link(invoice_id):
            return f"link:{invoice_id}"
        case Nobody():
            return "nobody"
        case _:
            assert_never(actor)


def opens_invoice(actor: str, invoice_id: InvoiceId) -> bool:
    """Whether an actor, as the log names it, may come to an invoice: a link opens its own alone."""
    return not actor.startswith("link:") or actor == actor_label(Link(invoice_id))


def permissions_of(actor: Actor, role: Role | None) -> frozenset[Permission]:
    """What an actor may do. `role` is a person's role in the organization, if any."""
    match actor:
        case Person():
            own = frozenset({Permission.ANYONE, Permission.SELF})
            return own | ROLE_PERMISSIONS[role] if role is not None else own
        case ApiKey(scopes=scopes):
            return _permissions_of_scopes(scopes)
        case Operator() | System():
            return SYSTEM_PERMISSIONS
        case Link():
            return LINK_PERMISSIONS
        case Nobody():
            return frozenset({Permission.ANYONE})
        case _:
            assert_never(actor)


@lru_cache(_REMEMBERED)
def _permissions_of_scopes(scopes: tuple[str, ...]) -> frozenset[Permission]:
    return frozenset().union(*(SCOPE_PERMISSIONS[scope] for scope in scopes))


class Standing(Struct, frozen=True):
    """Who acts in an organization, and a person's role there."""

    actor: Actor
    role: Role | None

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do."""
        return permissions_of(self.actor, self.role)

    def reaches(self, role: Role) -> bool:
        """Whether a role is within what they may give, change or take away."""
        match self.actor:
            case Person():
                return self.role is not None and self.role.reaches(role)
            case Operator() | System():
                return True
            case _:
                return False

    def covers(self, scopes: tuple[str, ...]) -> bool:
        """Whether a key with these scopes could do nothing that they cannot."""
        given = frozenset[Permission]().union(*(SCOPE_PERMISSIONS[scope] for scope in scopes))
        return given <= self.permissions
