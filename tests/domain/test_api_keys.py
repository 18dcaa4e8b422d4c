"""An API key is issued with known scopes and a future, and revoked for good."""

from datetime import timedelta

import pytest
from tests.domain.nouns import AT, LATER, the, told

from bursar.domain.access import SCOPE_PERMISSIONS, Operator, Person, Role, Standing
from bursar.domain.api_keys import ApiKeyRecord, is_allowed, issue, network
from bursar.domain.frozen import replace
from bursar.domain.ids import ApiKeyId, SessionId, UserId
from bursar.domain.refusals import IllegalTransition, InvalidInput, ScopeAboveOwn
from bursar.domain.shapes.samples import API_KEY

BY = Standing(Operator("ada"), None)


@pytest.mark.parametrize("scope", sorted(SCOPE_PERMISSIONS))
def test_every_known_scope_can_be_issued(scope: str) -> None:
    # Each by itself, and the fact is told.
    assert told(issue(replace(API_KEY, scopes=(scope,)), by=BY, at=AT)) == ["api_key.created"]


@pytest.mark.parametrize("scopes", [(), ("billing:admin",), ("billing:read", "BILLING:READ")])
def test_unknown_scopes_and_none_at_all_are_refused(scopes: tuple[str, ...]) -> None:
    # The refusal names the field and every scope there is.
    with pytest.raises(InvalidInput) as refused:
        issue(replace(API_KEY, scopes=scopes), by=BY, at=AT)
    (detail,) = refused.value.details
    assert (detail.field, detail.code) == ("scopes", "unknown_scope")
    assert all(scope in detail.message for scope in SCOPE_PERMISSIONS)


def test_a_key_does_not_begin_expired() -> None:
    # The moment itself has passed already; one after it has not.
    for expires_at in (AT, AT - timedelta(days=1)):
        with pytest.raises(InvalidInput) as refused:
            issue(replace(API_KEY, expires_at=expires_at), by=BY, at=AT)
        assert [detail.field for detail in refused.value.details] == ["expiresAt"]
    assert issue(replace(API_KEY, expires_at=AT + timedelta(seconds=1)), by=BY, at=AT).rows


def test_a_key_is_revoked_once() -> None:
    # The first time counts; a second one changes nothing.
    change = API_KEY.revoke(AT)
    revoked = the(ApiKeyRecord, change)
    assert (revoked.revoked_at, told(change)) == (AT, ["api_key.revoked"])
    assert revoked.revoke(LATER) is None


def test_a_key_never_has_more_than_its_maker() -> None:
    # Where a scope holds a permission that the maker's role has not, no key is made.
    person = Person(UserId("usr_1"), SessionId("ses_1"))
    viewer, owner = Standing(person, Role.VIEWER), Standing(person, Role.OWNER)
    writing = replace(API_KEY, scopes=("customers:read", "invoices:write"))
    with pytest.raises(ScopeAboveOwn):
        issue(writing, by=viewer, at=AT)
    assert issue(writing, by=owner, at=AT).rows
    assert issue(replace(API_KEY, scopes=("billing:read",)), by=viewer, at=AT).rows
    with pytest.raises(ScopeAboveOwn):
        writing.rotate(writing, by=viewer, overlap=timedelta(0), at=AT)


def test_a_rotated_key_overlaps_with_its_successor() -> None:
    # It ends with the overlap, or when it would have ended anyway; and is rotated once only.
    heir = replace(API_KEY, id=ApiKeyId("key_0195a1b2-c3d4-7777-8000-0123456789ab"))
    day = timedelta(days=1)
    change = API_KEY.rotate(heir, by=BY, overlap=day, at=AT)
    new, old = (row for row in change.rows if isinstance(row, ApiKeyRecord))
    assert new == heir
    assert (old.id, old.successor_id, old.expires_at) == (API_KEY.id, heir.id, AT + day)
    assert told(change) == ["api_key.created", "api_key.rotated"]
    short = replace(API_KEY, expires_at=AT + timedelta(hours=1))
    _, cut = short.rotate(heir, by=BY, overlap=day, at=AT).rows
    assert isinstance(cut, ApiKeyRecord)
    assert cut.expires_at == short.expires_at
    revoked = replace(API_KEY, revoked_at=AT)
    expired = replace(API_KEY, expires_at=AT)
    for over in (old, revoked, expired):
        with pytest.raises(IllegalTransition):
            over.rotate(heir, by=BY, overlap=day, at=AT)


@pytest.mark.parametrize(
    ("networks", "address", "is_good"),
    [
        ((), "203.0.113.9", True),
        (("203.0.113.0/24",), "203.0.113.9", True),
        (("203.0.113.0/24",), "203.0.114.9", False),
        (("203.0.113.9/32", "2001:db8::/32"), "2001:db8::1", True),
        (("203.0.113.9/32",), "::ffff:203.0.113.9", True),
        (("203.0.113.9/32",), "unknown", False),
        (("::/0",), "203.0.113.9", False),
    ],
)
def test_where_a_key_may_be_used(networks: tuple[str, ...], address: str, *, is_good: bool) -> None:
    # From its list, whichever family the address is written in; without a list, from anywhere.
    assert is_allowed(networks, address) is is_good


@pytest.mark.parametrize("text", ["203.0.113.1/24", "300.1.1.1", "::g", "1.2.3.4/33", ""])
def test_what_is_no_network(text: str) -> None:
    # A mask with bits beyond it, or no address at all: whoever wrote it meant something else.
    with pytest.raises(ValueError, match=r".+"):
        network(text)
