"""Who comes, who goes, who may say so: nobody beyond their own role, and never the last owner."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import the, told

from bursar.domain.access import Actor, ApiKey, Operator, Person, Role, Standing
from bursar.domain.frozen import replace
from bursar.domain.ids import ApiKeyId, MemberId, SessionId, UserId
from bursar.domain.members import INVITATION_LIFE, Member, MemberStatus, invite
from bursar.domain.refusals import (
    EmailMismatch,
    IllegalTransition,
    LastOwner,
    NotFound,
    RoleAboveOwn,
)
from bursar.domain.shapes.samples import INVITED, OWNER

PERSON = Person(UserId("usr_1"), SessionId("ses_1"))
ADA = UserId("usr_9")
EMAIL = INVITED.email or ""
AT = INVITED.created_at
roles = st.sampled_from(Role)


def standing(role: Role | None, actor: Actor = PERSON) -> Standing:
    return Standing(actor, role)


def joined(role: Role = Role.ACCOUNTANT) -> Member:
    return the(Member, replace(INVITED, role=role).accept(ADA, EMAIL, AT))


@given(own=roles, given_role=roles)
def test_nobody_invites_above_themselves(own: Role, given_role: Role) -> None:
    # Owner, admin, accountant, viewer: what stands before one's own is out of reach.
    invitation = replace(INVITED, role=given_role)
    if list(Role).index(own) <= list(Role).index(given_role):
        assert told(invite(invitation, by=standing(own))) == ["member.invited"]
    else:
        with pytest.raises(RoleAboveOwn):
            invite(invitation, by=standing(own))


@given(own=roles, before=roles, after=roles, others=st.integers(0, 3))
def test_a_role_changes_within_reach_and_an_owner_stays(
    own: Role, before: Role, after: Role, others: int
) -> None:
    # Both roles are within reach, and the organization has an owner afterwards; or nothing.
    member = joined(before)
    by = standing(own)
    try:
        change = member.change_role(after, by=by, other_owners=others)
    except RoleAboveOwn:
        assert not (own.reaches(before) and own.reaches(after))
        return
    except LastOwner:
        assert (before, others) == (Role.OWNER, 0)
        return
    assert own.reaches(before)
    assert own.reaches(after)
    if change is None:
        assert before is after
        return
    assert the(Member, change).role is after
    assert told(change) == ["member.role_changed"]
    assert after is Role.OWNER or before is not Role.OWNER or others > 0


@given(own=roles, role=roles, others=st.integers(0, 2))
def test_a_removal_keeps_an_owner(own: Role, role: Role, others: int) -> None:
    # As with a change of role; an invitation as owner may always be taken back.
    member = joined(role)
    by = standing(own)
    if not own.reaches(role):
        with pytest.raises(RoleAboveOwn):
            member.remove(by=by, other_owners=others)
    elif role is Role.OWNER and not others:
        with pytest.raises(LastOwner):
            member.remove(by=by, other_owners=others)
        with pytest.raises(LastOwner):
            member.leave(other_owners=others)
    else:
        assert told(member.remove(by=by, other_owners=others)) == ["member.removed"]
        assert told(member.leave(other_owners=others)) == ["member.left"]


def test_an_invitation_is_accepted_once_in_time_by_its_address() -> None:
    # Late, twice, or with another address: nothing happens.
    change = INVITED.accept(ADA, EMAIL, AT + INVITATION_LIFE - timedelta(seconds=1))
    member = the(Member, change)
    assert (member.status, member.user_id, member.token_hash) == (MemberStatus.ACTIVE, ADA, None)
    assert told(change) == ["member.added"]
    late = AT + INVITATION_LIFE
    for again, email, at in ((member, EMAIL, AT), (INVITED, EMAIL, late)):
        with pytest.raises(NotFound):
            again.accept(ADA, email, at)
    with pytest.raises(EmailMismatch):
        INVITED.accept(ADA, "eve@example.com", AT)


def test_inviting_again_replaces_the_token() -> None:
    # The same place, a new token, and all of its time again; also when the first one had run out.
    later = AT + 2 * INVITATION_LIFE
    change = INVITED.invite_again(Role.VIEWER, token_hash=b"new", by=standing(Role.ADMIN), at=later)
    again = the(Member, change)
    assert (again.id, again.role, again.token_hash) == (INVITED.id, Role.VIEWER, b"new")
    assert again.invited_until == later + INVITATION_LIFE
    above = replace(INVITED, role=Role.OWNER)
    with pytest.raises(RoleAboveOwn):
        above.invite_again(Role.VIEWER, token_hash=b"new", by=standing(Role.ADMIN), at=AT)


def test_ownership_is_handed_over_whole() -> None:
    # There is never a moment without an owner, nor two of them out of one.
    heir = replace(joined(), id=MemberId("mem_2"))
    change = OWNER.hand_over(heir)
    after, before = (row for row in change.rows if isinstance(row, Member))
    assert (after.id, after.role) == (heir.id, Role.OWNER)
    assert (before.id, before.role) == (OWNER.id, Role.ADMIN)
    assert told(change) == ["member.role_changed", "member.role_changed"]
    with pytest.raises(IllegalTransition):
        OWNER.hand_over(INVITED)


def test_who_is_gone_stays_gone() -> None:
    # A place that was given up is taken by nobody and changes no more.
    gone = the(Member, joined().leave(other_owners=1))
    owner = standing(Role.OWNER)
    with pytest.raises(NotFound):
        gone.accept(ADA, EMAIL, AT)
    with pytest.raises(NotFound):
        gone.change_role(Role.VIEWER, by=owner, other_owners=1)
    with pytest.raises(IllegalTransition):
        gone.leave(other_owners=1)
    with pytest.raises(IllegalTransition):
        gone.remove(by=owner, other_owners=1)


def test_who_reaches_what() -> None:
    # Whoever sits at the machine reaches every role; a key none, whatever its scopes are.
    key = ApiKey(ApiKeyId("key_1"), ("billing:write",))
    for role in Role:
        assert standing(None, Operator("ada")).reaches(role)
        assert not standing(None, key).reaches(role)
        assert not standing(None).reaches(role)
