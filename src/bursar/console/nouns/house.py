"""The organization itself: who works in it, how it bills, and its time."""

from collections.abc import Mapping
from typing import Any, Final

from bursar.console.nouns.columns import (
    CREATED,
    CURRENCY,
    EMAIL,
    ID,
    NAME,
    STATUS,
    TOLD,
    UPDATED,
    code,
    count,
    flag,
    instant,
    percent,
    structure,
    text,
    wide,
    words,
)
from bursar.console.nouns.shape import Deed, Filter, Noun, Part, Section


def place_of_view(view: Mapping[str, Any]) -> str:
    """The list that a saved view is of, narrowed and ordered as it says."""
    return f"{view['list']}?{view['query']}" if view["query"] else str(view["list"])


_LIST: Final = text("List", of="list")
_QUERY: Final = code("Filters and order", of="query")

TEAM: Final = Noun(
    slug="team",
    title="Team",
    one="member",
    section=Section.ORGANIZATION,
    teaches="Whoever works here stands here. Press Invite to bring somebody in.",
    rows="listMembers",
    columns=(
        NAME,
        EMAIL,
        text("Role", of="role"),
        STATUS,
    ),
    item="getMember",
    id_name="memberId",
    headline=("name", "email"),
    facts=(
        EMAIL,
        text("Role", of="role"),
        instant("Invited until", of="invitedUntil"),
        ID,
        CREATED,
        UPDATED,
    ),
    deeds=(
        Deed(
            slug="role",
            label="Change role",
            route="changeMember",
            when=("active", "invited"),
            words="It counts from their next click on.",
            is_edit=True,
            needs_reason=True,
        ),
        Deed(
            slug="remove",
            label="Remove",
            route="removeOneMember",
            when=("active", "invited"),
            words="They are out at once; what they did stays told.",
            tone="danger",
            needs_reason=True,
        ),
    ),
    makes=(
        Deed(
            slug="invite",
            label="Invite somebody",
            route="invitePerson",
            words="They get a letter with a link.",
            tone="main",
        ),
    ),
    command="bursar member list",
    flags={"pageSize": {}},  # it lists everybody
)

ROLES: Final = Noun(
    slug="roles",
    title="Roles",
    one="permission",
    section=Section.ORGANIZATION,
    teaches="What each role may do.",
    rows="listPermissions",
    columns=(
        code("Permission", of="permission"),
        words("Roles", of="roles"),
        words("Scopes", of="scopes"),
    ),
)

SETTINGS: Final = Noun(
    slug="settings",
    title="Settings",
    one="organization",
    section=Section.ORGANIZATION,
    teaches="",
    item="getOrganization",
    id_name="organizationId",
    headline=("name",),
    status="mode",
    facts=(
        CURRENCY,
        text("Time zone", of="timezone"),
        text("Mode", of="mode"),
        code("Invoice numbers begin with", of="invoicePrefix"),
        count("Days to pay", of="netTermsDays"),
        count("Hours of grace before an invoice is final", of="invoiceGraceHours"),
        flag("Credit is used by itself", of="isCreditApplied"),
        flag("Invoices of zero are made", of="hasZeroInvoices"),
        flag("One invoice for all of a customer's subscriptions", of="hasConsolidatedInvoices"),
        count("Days to take a cancellation back", of="reactivationGraceDays"),
        structure("Dunning", of="dunning"),
        ID,
        CREATED,
        UPDATED,
    ),
    deeds=(
        Deed(
            slug="edit",
            label="Edit",
            route="changeOrganization",
            words="It counts from now on; what is final stays.",
            is_edit=True,
            tone="main",
        ),
    ),
    is_single=True,
    command="bursar org show",
)

DOCUMENTS: Final = Noun(
    slug="documents",
    title="Documents",
    one="settings",
    section=Section.ORGANIZATION,
    teaches="",
    item="getDocumentSettings",
    headline=("object",),
    facts=(
        text("Language", of="language"),
        text("Paper", of="paper"),
        words("Address", of="address"),
        text("Tax id", of="taxId"),
        text("Footer", of="footer"),
        text("Answers go to", of="replyTo"),
        text("IBAN", of="iban"),
        text("BIC", of="bic"),
        flag("Sends invoices by mail", of="sendsMail"),
        flag("Sends receipts", of="sendsReceipts"),
        flag("Tells of failed payments", of="sendsFailures"),
        words("Reminds after days", of="reminderDays"),
        UPDATED,
    ),
    deeds=(
        Deed(
            slug="edit",
            label="Edit",
            route="changeDocumentSettings",
            words="Documents that are final keep what they say.",
            is_edit=True,
            tone="main",
        ),
    ),
    is_single=True,
)

CLOCK: Final = Noun(
    slug="test-clock",
    title="Test clock",
    one="clock",
    section=Section.ORGANIZATION,
    teaches="",
    item="getTestClock",
    headline=("object",),
    parts=(
        Part(
            title="What happened",
            route="listEvents",
            asks={"sort": "-createdAt"},
            noun="events",
            columns=(TOLD, wide("What", of="type"), ID),
            teaches="Whatever comes due while time passes stands here, the newest first.",
        ),
    ),
    facts=(
        instant("Now", of="now"),
        flag("Stopped", of="frozen"),
        instant("On its way to", of="progress.targetAt"),
        percent("Arrived", of="progress.percent"),
        count("Still due on the way", of="progress.pending"),
    ),
    deeds=(
        Deed(
            slug="stop",
            label="Stop the clock",
            route="stopTestClock",
            words="Time stands still for this organization, and moves only when you say so.",
        ),
        Deed(
            slug="advance",
            label="Advance",
            route="advanceTestClock",
            words="Everything that is due on the way really happens: invoices, charges, mail.",
            tone="main",
        ),
        Deed(
            slug="release",
            label="Let it run",
            route="releaseTestClock",
            words="The clock goes with the world's again.",
        ),
    ),
    is_single=True,
    command="bursar clock show",
)

VIEWS: Final = Noun(
    slug="saved-views",
    title="Saved views",
    one="view",
    section=Section.ORGANIZATION,
    teaches="Filter a list and save it from there: its filters and its order come along.",
    rows="listSavedViews",
    columns=(NAME, _LIST, _QUERY, flag("Shared", of="shared"), flag("Own", of="own"), CREATED),
    filters=(Filter(name="list", label="List"),),
    item="getSavedView",
    id_name="savedViewId",
    headline=("name",),
    facts=(_LIST, _QUERY, flag("Shared", of="shared"), flag("Own", of="own"), ID, CREATED, UPDATED),
    deeds=(
        Deed(
            slug="edit",
            label="Rename",
            route="changeSavedView",
            words="What it shows stays. A shared view is seen by everybody in the organization.",
            fields=("name", "shared"),
            is_edit=True,
        ),
        Deed(
            slug="remove",
            label="Remove",
            route="removeSavedView",
            words="The view goes; what it showed stays.",
            tone="danger",
        ),
    ),
    makes=(
        Deed(
            slug="save",
            label="Save a view",
            route="createSavedView",
            words="It stands above its list from now on. A shared one is seen by everybody here.",
            given={"list": "list", "query": "query"},
            tone="main",
        ),
    ),
    command="bursar saved-view list",
    aside="The command line lists the shared ones; one's own are seen by whoever saved them.",
    leads=place_of_view,
)

ALL: Final = (TEAM, ROLES, SETTINGS, DOCUMENTS, CLOCK, VIEWS)
