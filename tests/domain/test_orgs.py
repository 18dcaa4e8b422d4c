"""An organization begins with an owner, and its settings change as one."""

import pytest
from tests.domain.nouns import AT, the, told

from bursar.domain.access import Role
from bursar.domain.frozen import replace
from bursar.domain.members import Member
from bursar.domain.orgs import Organization, found
from bursar.domain.refusals import StillInUse
from bursar.domain.shapes.samples import ORGANIZATION, OWNER


def test_an_organization_is_founded_with_its_owner() -> None:
    # Both rows and both facts, or none; nobody else can found one.
    change = found(ORGANIZATION, OWNER)
    assert (the(Organization, change), the(Member, change)) == (ORGANIZATION, OWNER)
    assert told(change) == ["organization.created", "member.added"]
    with pytest.raises(AssertionError):
        found(ORGANIZATION, replace(OWNER, role=Role.ADMIN))


def test_settings_change_in_one_version() -> None:
    # Several at once are one change; the same ones are none.
    change = ORGANIZATION.renamed(name="Acme", net_terms_days=30)
    after = the(Organization, change)
    assert (after.name, after.net_terms_days, after.version) == ("Acme", 30, 2)
    assert told(change) == ["organization.updated"]
    assert after.renamed(name="Acme", net_terms_days=30) is None
    assert after.renamed() is None


def test_an_organization_ends_when_nothing_is_open() -> None:
    # What is left over is counted in the refusal; without any, the end is told and dated.
    with pytest.raises(StillInUse, match="2 invoices"):
        ORGANIZATION.delete(unfinished={"invoices": 2, "payments": 0}, at=AT)
    change = ORGANIZATION.delete(unfinished={"invoices": 0, "payments": 0}, at=AT)
    assert the(Organization, change).deleted_at == AT
    assert told(change) == ["organization.deleted"]
