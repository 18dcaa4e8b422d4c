"""An API key is issued with known scopes and a future, and revoked for good."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.domain.nouns import AT, LATER, the, told

from bursar.domain.access import SCOPE_PERMISSIONS
from bursar.domain.api_keys import ApiKeyRecord, issue
from bursar.domain.refusals import InvalidInput
from bursar.domain.shapes.samples import API_KEY


@pytest.mark.parametrize("scope", sorted(SCOPE_PERMISSIONS))
def test_every_known_scope_can_be_issued(scope: str) -> None:
    # Each by itself, and the fact is told.
    assert told(issue(replace(API_KEY, scopes=(scope,)), at=AT)) == ["api_key.created"]


@pytest.mark.parametrize("scopes", [(), ("billing:admin",), ("billing:read", "BILLING:READ")])
def test_unknown_scopes_and_none_at_all_are_refused(scopes: tuple[str, ...]) -> None:
    # The refusal names the field and every scope there is.
    with pytest.raises(InvalidInput) as refused:
        issue(replace(API_KEY, scopes=scopes), at=AT)
    (detail,) = refused.value.details
    assert (detail.field, detail.code) == ("scopes", "unknown_scope")
    assert all(scope in detail.message for scope in SCOPE_PERMISSIONS)


def test_a_key_does_not_begin_expired() -> None:
    # The moment itself has passed already; one after it has not.
    for expires_at in (AT, AT - timedelta(days=1)):
        with pytest.raises(InvalidInput) as refused:
            issue(replace(API_KEY, expires_at=expires_at), at=AT)
        assert [detail.field for detail in refused.value.details] == ["expiresAt"]
    assert issue(replace(API_KEY, expires_at=AT + timedelta(seconds=1)), at=AT).rows


def test_a_key_is_revoked_once() -> None:
    # The first time counts; a second one changes nothing.
    change = API_KEY.revoke(AT)
    revoked = the(ApiKeyRecord, change)
    assert (revoked.revoked_at, told(change)) == (AT, ["api_key.revoked"])
    assert revoked.revoke(LATER) is None
