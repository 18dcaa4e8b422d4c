"""Mail is written with what causes it, leaves once, and is forgotten when it has left."""

from typing import Final

import pytest
from tests.support.world import World

from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.ids import MailId, OrgId
from bursar.domain.mails import (
    ATTEMPTS_MAX,
    Mail,
    MailDeferred,
    MailKept,
    MailKind,
    MailOutcome,
    MailRefused,
    MailSent,
    MailStatus,
    NewMail,
)
from bursar.domain.paging import Page
from bursar.domain.refusals import MailNotSent, NotFound
from bursar.flows.print_document import print_document
from bursar.flows.send_email import send_email
from bursar.operations.mails import OpenMail, open_mail
from bursar.reads.mails import mails
from bursar.runtime.app import Operation
from bursar.store.mails import post

INVITATION: Final = NewMail(
    kind=MailKind.INVITATION,
    recipient="ann@example.com",
    parameters={
        "organization": "Acme",
        "inviter": "Olga Owner",
        "role": "viewer",
        "token": "canary-token",
    },
)
POST: Final = Operation("post_mail", Permission.ORG_WRITE, post)


async def _one(world: World, org_id: OrgId) -> Mail:
    (found,) = (await world.system(org_id).look(mails, Page())).items
    return found


async def _sent(world: World, org_id: OrgId, mail_id: MailId, outcome: MailOutcome) -> None:
    world.mailbox.mood = lambda _letter: outcome
    try:
        await send_email(world.system(org_id), mail_id, print_document)
    finally:
        world.mailbox.mood = None


async def test_a_mail_leaves_with_its_commit_and_once(world: World) -> None:
    # The task is part of the commit; run again, by hand, it does nothing.
    org = await world.org()
    mail_id = await org.caller.run(POST, INVITATION)
    assert (await _one(world, org.id)).status is MailStatus.PENDING
    await world.drain()
    letter = world.mailbox.newest("ann@example.com", MailKind.INVITATION)
    assert letter.parameters == INVITATION.parameters
    count = len(world.mailbox.letters)
    await send_email(world.system(org.id), mail_id, print_document)
    assert len(world.mailbox.letters) == count
    found = await _one(world, org.id)
    assert (found.status, found.attempt_count, found.transport) == (MailStatus.SENT, 1, "mailbox")


async def test_what_was_rolled_back_is_not_sent(world: World) -> None:
    # Neither the mail nor its task is there after a dry run.
    org = await world.org()
    await replace(org.caller, is_dry_run=True).run(POST, INVITATION)
    assert (await world.system(org.id).look(mails, Page())).items == ()


async def test_a_mail_that_left_is_forgotten(world: World) -> None:
    # Its token is in the database sealed only, and not at all once it has left.
    org = await world.org()
    mail_id = await org.caller.run(POST, INVITATION)
    owner = await world.house.as_owner()
    query = "SELECT parameters_sealed FROM mails WHERE id = $1::uuid"
    sealed = await owner.fetchval(query, mail_id.removeprefix("mail_"))
    assert sealed is not None
    assert b"canary-token" not in sealed
    await _sent(world, org.id, mail_id, MailSent("x"))
    assert await owner.fetchval(query, mail_id.removeprefix("mail_")) is None
    await owner.close()
    with pytest.raises(NotFound):
        await world.operator(org.id).run(open_mail, OpenMail(mail_id))


async def test_a_mail_server_that_is_away_is_asked_again(world: World) -> None:
    # As often as the queue tries; then the mail has failed, and an operator may have it sent.
    org = await world.org()
    mail_id = await org.caller.run(POST, INVITATION)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        with pytest.raises(MailNotSent):
            await _sent(world, org.id, mail_id, MailDeferred("away"))
        is_last = attempt == ATTEMPTS_MAX
        found = await _one(world, org.id)
        assert found.status is (MailStatus.FAILED if is_last else MailStatus.PENDING)
        assert (found.attempt_count, found.failure) == (attempt, "away")
    await _sent(world, org.id, mail_id, MailSent())
    assert (await _one(world, org.id)).status is MailStatus.SENT


async def test_a_refused_mail_is_not_tried_again(world: World) -> None:
    # The flow ends quietly: nobody will take this mail later either.
    org = await world.org()
    mail_id = await org.caller.run(POST, INVITATION)
    await _sent(world, org.id, mail_id, MailRefused("550"))
    assert (await _one(world, org.id)).status is MailStatus.FAILED


async def test_without_a_mail_server_mail_can_be_read_where_it_lies(world: World) -> None:
    # In development the link is found on the command line.
    org = await world.org()
    mail_id = await org.caller.run(POST, INVITATION)
    await _sent(world, org.id, mail_id, MailKept())
    assert (await _one(world, org.id)).status is MailStatus.KEPT
    letter = await world.operator(org.id).run(open_mail, OpenMail(mail_id))
    printed = world.mailbox.print_letter(letter)
    assert "http://localhost:3000/account/invitation/canary-token" in printed.text


async def test_another_organization_sees_no_mail(world: World) -> None:
    # Row-level security holds for mail as for every table.
    org, other = await world.org(), await world.org()
    mail_id = await org.caller.run(POST, INVITATION)
    assert (await other.caller.look(mails, Page())).items == ()
    with pytest.raises(NotFound):
        await world.operator(other.id).run(open_mail, OpenMail(mail_id))
