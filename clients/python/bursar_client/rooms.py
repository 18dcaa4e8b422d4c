"""The operations, one class for each group of them. Written by `make client`."""

import datetime as dt
from typing import Literal

from bursar_client import models
from bursar_client.listing import Listing
from bursar_client.wire import Asked, File, Wire, key_or_new, path, tag


class Room:
    """Some operations, over one wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire


class Auth(Room):
    """People sign in here; programs use API keys."""

    def register_person(self, body: models.SignUpBody) -> models.Welcome:
        """Register and sign in.

        Where the installation is private the answer is always 202 and empty, and mail says
        the rest.
        """
        asked = Asked("POST", "/v1/auth/register", body=body)
        return self.wire.one(asked, models.Welcome)

    def login(self, body: models.SignInBody) -> models.Session:
        """Sign in; an unknown address and a wrong password get the same answer.

        After five failures at an account from one address the wait grows, up to a quarter
        of an hour; nobody who tries from elsewhere makes the owner wait.
        """
        asked = Asked("POST", "/v1/auth/login", body=body)
        return self.wire.one(asked, models.Session)

    def refresh(self, body: models.RefreshBody) -> models.Tokens:
        """Exchange a refresh token for a new pair.

        A token that was used before ends its whole session: somebody else may have it.
        """
        asked = Asked("POST", "/v1/auth/refresh", body=body)
        return self.wire.one(asked, models.Tokens)

    def logout(self, body: models.RefreshBody) -> None:
        """Sign out; the session's access tokens stop working at once."""
        asked = Asked("POST", "/v1/auth/logout", body=body)
        self.wire.nothing(asked)

    def get_me(self) -> models.MeOut:
        """Get the person signed in, with everywhere they belong."""
        asked = Asked("GET", "/v1/auth/me")
        return self.wire.one(asked, models.MeOut)


class Account(Room):
    """What one signs in with, and where one did."""

    def verify_email(self, body: models.TokenBody) -> None:
        """Confirm an e-mail address with the token that was mailed to it.

        The token works once, and for a day.
        """
        asked = Asked("POST", "/v1/auth/verify-email", body=body)
        self.wire.nothing(asked)

    def resend_verification(self) -> None:
        """Mail the token again, at most three times an hour."""
        asked = Asked("POST", "/v1/auth/verify-email/resend", body={})
        self.wire.nothing(asked)

    def forgot_password(self, body: models.AddressBody) -> None:
        """Mail a token that resets the password.

        The answer is the same, and takes the same time, whether or not anybody has the
        address.
        """
        asked = Asked("POST", "/v1/auth/forgot-password", body=body)
        self.wire.nothing(asked)

    def choose_password(self, body: models.NewPassword) -> None:
        """Choose a new password with the token that was mailed; every session ends.

        The token works once, and for 15 minutes. A refused password does not use it up, and
        a second factor is still asked for.
        """
        asked = Asked("POST", "/v1/auth/reset-password", body=body)
        self.wire.nothing(asked)

    def change_own_password(self, body: models.OtherPassword) -> None:
        """Change the password; every other session ends, and this one goes on."""
        asked = Asked("POST", "/v1/auth/change-password", body=body)
        self.wire.nothing(asked)

    def list_sessions(self) -> list[models.SessionOut]:
        """List where one is signed in, newest first."""
        asked = Asked("GET", "/v1/auth/sessions")
        return self.wire.all_of(asked, models.SessionOut)

    def end_own_session(self, session_id: str) -> None:
        """End a session; its access tokens stop working at once."""
        asked = Asked("DELETE", path("/v1/auth/sessions/{}", session_id))
        self.wire.nothing(asked)

    def begin_totp(self, body: models.Proof) -> models.FactorBegun:
        """Begin a second factor: codes that change every 30 seconds.

        It is asked for once a code made with it was confirmed.
        """
        asked = Asked("POST", "/v1/auth/totp", body=body)
        return self.wire.one(asked, models.FactorBegun)

    def remove_totp(self, body: models.Proof) -> None:
        """Do without the second factor; the password is asked for."""
        asked = Asked("DELETE", "/v1/auth/totp", body=body)
        self.wire.nothing(asked)

    def confirm_totp(self, body: models.CodeBody) -> models.RecoveryCodes:
        """Confirm the second factor; from now on it is asked for at sign-in.

        The recovery codes are in this answer only.
        """
        asked = Asked("POST", "/v1/auth/totp/confirm", body=body)
        return self.wire.one(asked, models.RecoveryCodes)


class Organizations(Room):
    """Each is a world of its own: nothing of one is ever seen in another."""

    def found_organization(
        self, body: models.NewOrganization, *, idempotency_key: str | None = None
    ) -> models.OrganizationOut:
        """Found an organization; whoever asks becomes its owner.

        A live one needs a verified e-mail address.
        """
        asked = Asked("POST", "/v1/organizations", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.OrganizationOut)

    def list_organizations(
        self, *, page: int | None = None, page_size: int | None = None
    ) -> Listing[models.MembershipOut]:
        """List the organizations one belongs to, and as what."""
        asked = Asked("GET", "/v1/organizations", query={"page": page, "pageSize": page_size})
        return Listing(self.wire, asked, models.MembershipOut, has_cursor=False)

    def get_organization(self, organization_id: str) -> models.OrganizationOut:
        """Get an organization with its settings."""
        asked = Asked("GET", path("/v1/organizations/{}", organization_id))
        return self.wire.one(asked, models.OrganizationOut)

    def change_organization(
        self,
        organization_id: str,
        body: models.OrganizationPatch,
        *,
        idempotency_key: str | None = None,
    ) -> models.OrganizationOut:
        """Change an organization's settings; documents that are final keep theirs."""
        asked = Asked(
            "PATCH",
            path("/v1/organizations/{}", organization_id),
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.OrganizationOut)

    def delete_one_organization(
        self, organization_id: str, *, idempotency_key: str | None = None
    ) -> None:
        """Delete an organization in which nothing is open.

        Nobody enters it any more and its keys stop working; its books and its log stay.
        """
        asked = Asked(
            "DELETE", path("/v1/organizations/{}", organization_id), key=key_or_new(idempotency_key)
        )
        self.wire.nothing(asked)

    def transfer_organization(
        self, organization_id: str, body: models.Transfer, *, idempotency_key: str | None = None
    ) -> models.MemberOut:
        """Make another member the owner in one's own place; oneself becomes an administrator."""
        asked = Asked(
            "POST",
            path("/v1/organizations/{}/transfer-ownership", organization_id),
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.MemberOut)

    def leave_one_organization(
        self, organization_id: str, *, idempotency_key: str | None = None
    ) -> None:
        """Leave an organization; its last owner cannot."""
        asked = Asked(
            "POST",
            path("/v1/organizations/{}/leave", organization_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        self.wire.nothing(asked)


class Members(Room):
    """The people of an organization."""

    def list_members(
        self, *, page: int | None = None, page_size: int | None = None
    ) -> Listing[models.ColleagueOut]:
        """List the people of an organization and whoever is invited, first come first."""
        asked = Asked("GET", "/v1/members", query={"page": page, "pageSize": page_size})
        return Listing(self.wire, asked, models.ColleagueOut, has_cursor=False)

    def invite_person(
        self, body: models.Invitation, *, idempotency_key: str | None = None
    ) -> models.MemberOut:
        """Invite somebody by mail, as nothing above oneself.

        The mail's link works for a week. Inviting the same address again sends another, and
        the one before works no more.
        """
        asked = Asked("POST", "/v1/members/invitations", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.MemberOut)

    def get_member(self, member_id: str) -> models.ColleagueOut:
        """Get one member, or one invitation."""
        asked = Asked("GET", path("/v1/members/{}", member_id))
        return self.wire.one(asked, models.ColleagueOut)

    def change_member(
        self,
        member_id: str,
        body: models.RolePatch,
        *,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.MemberOut:
        """Give a member another role; neither the old nor the new one may be above one's own."""
        asked = Asked(
            "PATCH",
            path("/v1/members/{}", member_id),
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.MemberOut)

    def remove_one_member(self, member_id: str, *, idempotency_key: str | None = None) -> None:
        """Remove a member, or take an invitation back; the last owner stays."""
        asked = Asked("DELETE", path("/v1/members/{}", member_id), key=key_or_new(idempotency_key))
        self.wire.nothing(asked)

    def accept_one_invitation(self, body: models.InvitationToken) -> models.JoinedOut:
        """Accept an invitation, signed in with the address it was sent to."""
        asked = Asked("POST", "/v1/auth/accept-invitation", body=body)
        return self.wire.one(asked, models.JoinedOut)


class Permissions(Room):
    """Who may do what."""

    def list_permissions(self) -> list[models.PermissionOut]:
        """List every permission a role can hold, with the roles and scopes that do, and
        oneself.
        """
        asked = Asked("GET", "/v1/permissions")
        return self.wire.all_of(asked, models.PermissionOut)


class ApiKeys(Room):
    """Programs sign in with these."""

    def issue_api_key(
        self, body: models.NewApiKey, *, idempotency_key: str | None = None
    ) -> models.ApiKeyIssued:
        """Make an API key.

        The key is in this answer only; keep it where secrets are kept.
        """
        asked = Asked("POST", "/v1/api-keys", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.ApiKeyIssued)

    def list_api_keys(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
    ) -> Listing[models.ApiKeyOut]:
        """List API keys, newest first; never the keys themselves."""
        asked = Asked(
            "GET",
            "/v1/api-keys",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
            },
        )
        return Listing(self.wire, asked, models.ApiKeyOut, has_cursor=True)

    def get_api_key(self, api_key_id: str) -> models.ApiKeyOut:
        """Get what is kept of an API key."""
        asked = Asked("GET", path("/v1/api-keys/{}", api_key_id))
        return self.wire.one(asked, models.ApiKeyOut)

    def rotate_one_api_key(
        self, api_key_id: str, body: models.Rotation, *, idempotency_key: str | None = None
    ) -> models.ApiKeyIssued:
        """Rotate an API key: a new one that may do the same, shown this once.

        The old one works on for the overlap, then no more.
        """
        asked = Asked(
            "POST",
            path("/v1/api-keys/{}/rotate", api_key_id),
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.ApiKeyIssued)

    def revoke_one_api_key(
        self, api_key_id: str, *, idempotency_key: str | None = None
    ) -> models.ApiKeyOut:
        """Revoke an API key; it stops working at once."""
        asked = Asked(
            "POST",
            path("/v1/api-keys/{}/revoke", api_key_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.ApiKeyOut)


class Customers(Room):
    """Who is billed.

    One currency each.
    """

    def create_customer(
        self, body: models.NewCustomer, *, idempotency_key: str | None = None
    ) -> models.CustomerOut:
        """Create a customer.

        The payment provider learns of them at once, or soon when it is away;
        `stripeCustomerId` is what it calls them.
        """
        asked = Asked("POST", "/v1/customers", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.CustomerOut)

    def list_customers(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        email: str | None = None,
        q: str | None = None,
    ) -> Listing[models.CustomerOut]:
        """List customers, newest first."""
        asked = Asked(
            "GET",
            "/v1/customers",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "email": email,
                "q": q,
            },
        )
        return Listing(self.wire, asked, models.CustomerOut, has_cursor=True)

    def get_customer(self, customer_id: str) -> models.CustomerOut:
        """Get a customer."""
        asked = Asked("GET", path("/v1/customers/{}", customer_id))
        return self.wire.one(asked, models.CustomerOut)

    def update_customer_details(
        self,
        customer_id: str,
        body: models.CustomerPatch,
        *,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.CustomerOut:
        """Change a customer's details.

        A JSON merge patch: what is not named stays, null takes away.
        """
        asked = Asked(
            "PATCH",
            path("/v1/customers/{}", customer_id),
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.CustomerOut)

    def delete_one_customer(self, customer_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete a customer who owes nothing.

        Their documents stay; running subscriptions, drafts, open invoices and open wallets
        prevent it.
        """
        asked = Asked(
            "DELETE", path("/v1/customers/{}", customer_id), key=key_or_new(idempotency_key)
        )
        self.wire.nothing(asked)

    def get_credit_balance(
        self, customer_id: str, *, expand: str | None = None
    ) -> models.WideCreditBalanceOut:
        """Get what a customer has to their credit.

        What came in above what was due, and what was credited; it pays their next invoices
        first when those are finalized, unless the organization switched that off.
        """
        asked = Asked(
            "GET", path("/v1/customers/{}/credit-balance", customer_id), query={"expand": expand}
        )
        return self.wire.one(asked, models.WideCreditBalanceOut)

    def erase_one_customer(
        self,
        customer_id: str,
        body: models.ErasureBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.ErasureOut:
        """Erase who a customer is.

        Name, e-mail, address, tax id and metadata go for good: from the customer, from what
        the log tells of them, from mail, and at the payment provider, which is told. The
        country stays. They are deleted too, if they were not. Documents and books stay,
        with numbers and amounts: keep a copy of those that the law wants with a name. The
        audit log's chain holds as before.
        """
        asked = Asked(
            "POST",
            path("/v1/customers/{}/erase", customer_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.ErasureOut)


class PaymentMethods(Room):
    """Tokens of the payment provider; a card number is refused wherever it stands."""

    def attach_payment_method(
        self, body: models.NewMethod, *, idempotency_key: str | None = None
    ) -> models.PaymentMethodOut:
        """Attach a payment method to a customer.

        It becomes the one that is charged, unless `default` is false. What waits in dunning
        for another method is tried with it at once.
        """
        asked = Asked("POST", "/v1/payment-methods", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.PaymentMethodOut)

    def list_payment_methods(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        customer_id: str | None = None,
        include_detached: bool | None = None,
        expand: str | None = None,
    ) -> Listing[models.WidePaymentMethodOut]:
        """List payment methods, newest first; `customerId` leaves those of one customer."""
        asked = Asked(
            "GET",
            "/v1/payment-methods",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "customerId": customer_id,
                "includeDetached": include_detached,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WidePaymentMethodOut, has_cursor=True)

    def set_up_payment_method(
        self, body: models.SetupBody, *, idempotency_key: str | None = None
    ) -> models.MethodSetupOut:
        """Save a payment method without a payment, proven with its holder.

        A bank may ask the cardholder to prove themselves (3-D Secure). The answer is then
        202: send them to `nextActionUrl`, and send the same request again when they are
        back at `returnUrl`. Who proved a card and never comes back has it too, soon. What
        was proven is charged later without them.
        """
        asked = Asked(
            "POST", "/v1/payment-methods/set-up", body=body, key=key_or_new(idempotency_key)
        )
        return self.wire.one(asked, models.MethodSetupOut)

    def get_payment_method(
        self, payment_method_id: str, *, expand: str | None = None
    ) -> models.WidePaymentMethodOut:
        """Get a payment method."""
        asked = Asked(
            "GET", path("/v1/payment-methods/{}", payment_method_id), query={"expand": expand}
        )
        return self.wire.one(asked, models.WidePaymentMethodOut)

    def detach_payment_method(
        self, payment_method_id: str, *, idempotency_key: str | None = None
    ) -> None:
        """Detach a payment method.

        It is charged no more from this moment; the payment provider is told soon. If it was
        the customer's default, they have none until another one is chosen.
        """
        asked = Asked(
            "DELETE",
            path("/v1/payment-methods/{}", payment_method_id),
            key=key_or_new(idempotency_key),
        )
        self.wire.nothing(asked)

    def set_default_payment_method(
        self, payment_method_id: str, *, idempotency_key: str | None = None
    ) -> models.PaymentMethodOut:
        """Charge this method from now on.

        What waits in dunning for another method is tried with it at once.
        """
        asked = Asked(
            "POST",
            path("/v1/payment-methods/{}/set-default", payment_method_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.PaymentMethodOut)


class Plans(Room):
    """What can be subscribed to.

    Another price is a new version; what runs keeps its own.
    """

    def create_one_plan(
        self, body: models.NewPlan, *, idempotency_key: str | None = None
    ) -> models.PlanOut:
        """Create a plan.

        `flat_rate` is one amount; `per_unit` is an amount for each unit; `graduated` and
        `volume` have `tiers`; `package` is an amount for each begun package of
        `packageSize`. `charges` are metered and come on top.
        """
        asked = Asked("POST", "/v1/plans", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.PlanOut)

    def list_plans(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        status: str | None = None,
        q: str | None = None,
    ) -> Listing[models.PlanOut]:
        """List plans, newest first."""
        asked = Asked(
            "GET",
            "/v1/plans",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "status": status,
                "q": q,
            },
        )
        return Listing(self.wire, asked, models.PlanOut, has_cursor=True)

    def get_plan(self, plan_id: str) -> models.PlanOut:
        """Get a plan with its current prices."""
        asked = Asked("GET", path("/v1/plans/{}", plan_id))
        return self.wire.one(asked, models.PlanOut)

    def edit_plan(
        self,
        plan_id: str,
        body: models.PlanPatch,
        *,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.PlanOut:
        """Change a plan.

        A JSON merge patch. Other prices make a new `priceVersion`; subscriptions that run
        keep the one they have. An archived plan is never edited.
        """
        asked = Asked(
            "PATCH",
            path("/v1/plans/{}", plan_id),
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.PlanOut)

    def archive_one_plan(
        self, plan_id: str, *, idempotency_key: str | None = None
    ) -> models.PlanOut:
        """Archive a plan.

        Nobody subscribes to it any more and nobody edits it; running subscriptions go on.
        """
        asked = Asked(
            "POST", path("/v1/plans/{}/archive", plan_id), body={}, key=key_or_new(idempotency_key)
        )
        return self.wire.one(asked, models.PlanOut)


class Meters(Room):
    """What is counted, and how it is added up."""

    def create_meter(
        self, body: models.NewMeter, *, idempotency_key: str | None = None
    ) -> models.MeterOut:
        """Define a meter.

        `sum` adds the values up, `count` counts events, `max` takes the largest value,
        `unique` counts different values, `latest` takes the value of the event that
        happened last. A meter never changes. Each of the `thresholds` raises
        `usage.threshold_reached` once a period.
        """
        asked = Asked("POST", "/v1/meters", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.MeterOut)

    def list_meters(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        key: str | None = None,
    ) -> Listing[models.MeterOut]:
        """List meters, newest first."""
        asked = Asked(
            "GET",
            "/v1/meters",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "key": key,
            },
        )
        return Listing(self.wire, asked, models.MeterOut, has_cursor=True)

    def get_meter(self, meter_id: str) -> models.MeterOut:
        """Get a meter."""
        asked = Asked("GET", path("/v1/meters/{}", meter_id))
        return self.wire.one(asked, models.MeterOut)


class Subscriptions(Room):
    """What a customer pays for again and again: a plan, how many of it, and since when."""

    def create_one_subscription(
        self,
        body: models.NewSubscription,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.SteppedSubscriptionOut:
        """Create a subscription.

        It begins with a civil day of the organization: today, or that of `startDate`, up to
        a year ago or two ahead. A first period that is shorter than the plan's costs its
        part. It is `trialing` while the plan's trial, or the one that ends with `trialEnd`,
        goes on. A customer has one running subscription to a plan.
        """
        asked = Asked(
            "POST",
            "/v1/subscriptions",
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.SteppedSubscriptionOut)

    def list_subscriptions(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        customer_id: str | None = None,
        plan_id: str | None = None,
        status: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideSubscriptionOut]:
        """List subscriptions, newest first."""
        asked = Asked(
            "GET",
            "/v1/subscriptions",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "customerId": customer_id,
                "planId": plan_id,
                "status": status,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideSubscriptionOut, has_cursor=True)

    def get_subscription(
        self, subscription_id: str, *, expand: str | None = None
    ) -> models.WideSubscriptionOut:
        """Get a subscription."""
        asked = Asked(
            "GET", path("/v1/subscriptions/{}", subscription_id), query={"expand": expand}
        )
        return self.wire.one(asked, models.WideSubscriptionOut)

    def edit_subscription(
        self,
        subscription_id: str,
        body: models.SubscriptionPatch,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.SteppedSubscriptionOut:
        """Change a subscription's quantity, coupons or metadata.

        A JSON merge patch. Another `quantity` is charged at the prices that were agreed to,
        as `proration` says. Other coupons are for the next period on: one that is taken
        away stays for the period that is charged already, `until` its end. `couponId: null`
        takes all of them away.
        """
        asked = Asked(
            "PATCH",
            path("/v1/subscriptions/{}", subscription_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.SteppedSubscriptionOut)

    def list_pending_lines(
        self,
        subscription_id: str,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        expand: str | None = None,
    ) -> Listing[models.WidePendingLineOut]:
        """List the lines that wait for the subscription's next invoice, newest first."""
        asked = Asked(
            "GET",
            path("/v1/subscriptions/{}/pending-lines", subscription_id),
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WidePendingLineOut, has_cursor=True)

    def change_plan_of_subscription(
        self,
        subscription_id: str,
        body: models.PlanChange,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.SteppedSubscriptionOut:
        """Change the plan.

        `create_prorations` gives back the rest of what was charged for the period and
        charges the rest of the new plan, with the next invoice; `none` charges nothing
        before the next period; `at_period_end` changes nothing before it. A plan of another
        interval begins a period today, and is invoiced at once. With `dryRun` the same is
        worked out and taken back: `lines` is what it would cost.
        """
        asked = Asked(
            "POST",
            path("/v1/subscriptions/{}/change-plan", subscription_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.SteppedSubscriptionOut)

    def cancel_one_subscription(
        self,
        subscription_id: str,
        body: models.Cancellation,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.SteppedSubscriptionOut:
        """Cancel a subscription.

        It ends with its current period, or now with `atPeriodEnd: false`; then
        `creditUnusedTime` gives back what is left of the period. What was used and not yet
        billed is billed.
        """
        asked = Asked(
            "POST",
            path("/v1/subscriptions/{}/cancel", subscription_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.SteppedSubscriptionOut)

    def reactivate_one_subscription(
        self,
        subscription_id: str,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.SteppedSubscriptionOut:
        """Take a cancellation back.

        Until it has taken effect, or within the organization's `reactivationGraceDays`
        afterwards. A period that is paid for goes on; else one begins now.
        """
        asked = Asked(
            "POST",
            path("/v1/subscriptions/{}/reactivate", subscription_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.SteppedSubscriptionOut)

    def pause_one_subscription(
        self,
        subscription_id: str,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.SteppedSubscriptionOut:
        """Pause a subscription.

        The rest of the period is given back with the next invoice; periods go by and cost
        nothing until it is resumed.
        """
        asked = Asked(
            "POST",
            path("/v1/subscriptions/{}/pause", subscription_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.SteppedSubscriptionOut)

    def resume_one_subscription(
        self,
        subscription_id: str,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.SteppedSubscriptionOut:
        """Resume a paused subscription; the rest of the period is charged."""
        asked = Asked(
            "POST",
            path("/v1/subscriptions/{}/resume", subscription_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.SteppedSubscriptionOut)


class Usage(Room):
    """Events count once each, in whatever order they come."""

    def ingest_one_event(
        self, body: models.NewUsage, *, idempotency_key: str | None = None
    ) -> models.UsageEventOut:
        """Report a usage event.

        The same event again is a 200 with the event as it is kept; another event under the
        same `idempotencyKey` is a 409. Without `meterId` the plan says which meter it is.
        """
        asked = Asked("POST", "/v1/usage", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.UsageEventOut)

    def ingest_batch(
        self, body: models.NewUsageBatch, *, idempotency_key: str | None = None
    ) -> models.UsageBatchOut:
        """Report up to 1,000 usage events.

        Each is judged by itself: what is good is taken, and `rejected` says what was not. A
        batch that is sent again changes nothing. As `application/x-ndjson`, one event a
        line, a line that cannot be read is rejected like any other.
        """
        asked = Asked("POST", "/v1/usage/batch", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.UsageBatchOut)

    def get_usage_summary(
        self,
        subscription_id: str,
        *,
        period_start: dt.datetime | None = None,
        period_end: dt.datetime | None = None,
        expand: str | None = None,
    ) -> models.WideUsageSummaryOut:
        """Sum up a subscription's usage.

        By meter, for the current period or any window, with the amount that is due for it
        so far.
        """
        asked = Asked(
            "GET",
            path("/v1/usage/subscriptions/{}/summary", subscription_id),
            query={"periodStart": period_start, "periodEnd": period_end, "expand": expand},
        )
        return self.wire.one(asked, models.WideUsageSummaryOut)

    def list_usage_events(
        self,
        subscription_id: str,
        *,
        page: int | None = None,
        page_size: int | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideUsageEventOut]:
        """List a subscription's usage events, the latest to happen first."""
        asked = Asked(
            "GET",
            path("/v1/usage/subscriptions/{}/events", subscription_id),
            query={"page": page, "pageSize": page_size, "expand": expand},
        )
        return Listing(self.wire, asked, models.WideUsageEventOut, has_cursor=False)


class Coupons(Room):
    """A percentage or an amount off, for a time or for ever."""

    def create_one_coupon(
        self, body: models.NewCoupon, *, idempotency_key: str | None = None
    ) -> models.CouponOut:
        """Create a coupon.

        `once` takes off the first period, `repeating` every period that begins within
        `months`. What it takes off is never more than there is, and is shared over the
        lines to the cent.
        """
        asked = Asked("POST", "/v1/coupons", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.CouponOut)

    def list_coupons(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        status: str | None = None,
    ) -> Listing[models.CouponOut]:
        """List coupons, newest first."""
        asked = Asked(
            "GET",
            "/v1/coupons",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "status": status,
            },
        )
        return Listing(self.wire, asked, models.CouponOut, has_cursor=True)

    def get_coupon(self, coupon_id: str) -> models.CouponOut:
        """Get a coupon."""
        asked = Asked("GET", path("/v1/coupons/{}", coupon_id))
        return self.wire.one(asked, models.CouponOut)

    def archive_one_coupon(
        self, coupon_id: str, *, idempotency_key: str | None = None
    ) -> models.CouponOut:
        """Archive a coupon.

        Nobody gets it any more; who has it keeps it.
        """
        asked = Asked(
            "POST",
            path("/v1/coupons/{}/archive", coupon_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.CouponOut)


class TaxRates(Room):
    """The organization's own table of taxes.

    A rate is archived, never changed.
    """

    def create_one_tax_rate(
        self, body: models.NewTaxRate, *, idempotency_key: str | None = None
    ) -> models.TaxRateOut:
        """Create a tax rate.

        An inclusive rate is a part of the price, any other comes on top of it. An automatic
        one lies on what subscriptions bill to customers of its country, or to all when it
        names none.
        """
        asked = Asked("POST", "/v1/tax-rates", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.TaxRateOut)

    def list_tax_rates(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        status: str | None = None,
    ) -> Listing[models.TaxRateOut]:
        """List tax rates, newest first."""
        asked = Asked(
            "GET",
            "/v1/tax-rates",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "status": status,
            },
        )
        return Listing(self.wire, asked, models.TaxRateOut, has_cursor=True)

    def get_tax_rate(self, tax_rate_id: str) -> models.TaxRateOut:
        """Get a tax rate."""
        asked = Asked("GET", path("/v1/tax-rates/{}", tax_rate_id))
        return self.wire.one(asked, models.TaxRateOut)

    def archive_one_tax_rate(
        self, tax_rate_id: str, *, idempotency_key: str | None = None
    ) -> models.TaxRateOut:
        """Archive a tax rate.

        No line gets it any more; documents that have it keep it.
        """
        asked = Asked(
            "POST",
            path("/v1/tax-rates/{}/archive", tax_rate_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.TaxRateOut)


class CreditNotes(Room):
    """What is taken back of an invoice, line by line and tax by tax; never more than it."""

    def create_credit_note(
        self,
        body: models.NewCreditNote,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.CreditNoteOut:
        """Issue a credit note.

        Amounts include taxes. What is still due on the invoice is lowered first; what was
        paid goes to the customer's credit balance, or back by the way it came with
        `destination` `refund`.
        """
        asked = Asked(
            "POST",
            "/v1/credit-notes",
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.CreditNoteOut)

    def list_credit_notes(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        invoice_id: str | None = None,
        customer_id: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideCreditNoteOut]:
        """List credit notes, newest first."""
        asked = Asked(
            "GET",
            "/v1/credit-notes",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "invoiceId": invoice_id,
                "customerId": customer_id,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideCreditNoteOut, has_cursor=True)

    def get_credit_note(
        self, credit_note_id: str, *, expand: str | None = None
    ) -> models.WideCreditNoteOut:
        """Get a credit note with its lines."""
        asked = Asked("GET", path("/v1/credit-notes/{}", credit_note_id), query={"expand": expand})
        return self.wire.one(asked, models.WideCreditNoteOut)

    def get_credit_note_pdf(self, credit_note_id: str, *, if_none_match: str | None = None) -> File:
        """Get a credit note as PDF.

        The same credit note always gives the same bytes, whose SHA-256 is the `ETag`: who
        names it in `If-None-Match` has them already, and is answered 304.
        """
        asked = Asked(
            "GET",
            path("/v1/credit-notes/{}/pdf", credit_note_id),
            headers={"If-None-Match": if_none_match},
        )
        return self.wire.file(asked)

    def get_credit_note_xml(self, credit_note_id: str, *, if_none_match: str | None = None) -> File:
        """Get a credit note as an e-invoice: EN 16931 type 381, which names the invoice it
        takes back.

        The PDF carries the same file as `factur-x.xml`. The SHA-256 of its bytes is the
        `ETag`, which `If-None-Match` may name.
        """
        asked = Asked(
            "GET",
            path("/v1/credit-notes/{}/xml", credit_note_id),
            headers={"If-None-Match": if_none_match},
        )
        return self.wire.file(asked)


class Invoices(Room):
    """Drafts may change; finalizing numbers, books and freezes them."""

    def create_draft(
        self,
        body: models.NewInvoice,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.LinkedInvoice:
        """Create a draft invoice.

        Each line is rounded once, half to even; everything else is exact sums.
        """
        asked = Asked(
            "POST",
            "/v1/invoices",
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def list_invoices(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        customer_id: str | None = None,
        subscription_id: str | None = None,
        status: str | None = None,
        q: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideLinkedInvoice]:
        """List invoices, newest first."""
        asked = Asked(
            "GET",
            "/v1/invoices",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "customerId": customer_id,
                "subscriptionId": subscription_id,
                "status": status,
                "q": q,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideLinkedInvoice, has_cursor=True)

    def get_invoice(
        self, invoice_id: str, *, expand: str | None = None
    ) -> models.WideLinkedInvoice:
        """Get an invoice with its lines."""
        asked = Asked("GET", path("/v1/invoices/{}", invoice_id), query={"expand": expand})
        return self.wire.one(asked, models.WideLinkedInvoice)

    def edit_draft(
        self,
        invoice_id: str,
        body: models.InvoicePatch,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.LinkedInvoice:
        """Edit a draft.

        A JSON merge patch: what is not named stays, null takes away. A final invoice is
        never edited.
        """
        asked = Asked(
            "PATCH",
            path("/v1/invoices/{}", invoice_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def delete_draft(self, invoice_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete a draft.

        It is void from then on; an invoice that is final is voided, never deleted.
        """
        asked = Asked(
            "DELETE", path("/v1/invoices/{}", invoice_id), key=key_or_new(idempotency_key)
        )
        self.wire.nothing(asked)

    def duplicate_one_invoice(
        self, invoice_id: str, *, idempotency_key: str | None = None
    ) -> models.LinkedInvoice:
        """Draft an invoice again.

        A new draft for the same customer with the same lines and discounts, whatever became
        of the first; it is taxed as the table says now, and has neither due date, number
        nor period.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/duplicate", invoice_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def assess_taxes_of_draft(
        self, invoice_id: str, *, dry_run: bool | None = None, idempotency_key: str | None = None
    ) -> models.LinkedInvoice:
        """Have the taxes on a draft assessed.

        The tax service of this installation chooses among the organization's active rates,
        line by line, and its choice replaces what was there; without a service the
        automatic rates of the customer's country lie on every line. Amounts follow by the
        rounding law either way.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/assess-taxes", invoice_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def finalize_draft(
        self, invoice_id: str, *, dry_run: bool | None = None, idempotency_key: str | None = None
    ) -> models.LinkedInvoice:
        """Finalize a draft.

        It gets its gapless number, is booked, and opens for payment; an invoice over
        nothing is paid at once.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/finalize", invoice_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def void_one_invoice(
        self, invoice_id: str, *, dry_run: bool | None = None, idempotency_key: str | None = None
    ) -> models.LinkedInvoice:
        """Void an invoice.

        Its booking is reversed and an open payment page is closed; the number stays used.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/void", invoice_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def revoke_invoice_link(
        self, invoice_id: str, *, dry_run: bool | None = None, idempotency_key: str | None = None
    ) -> models.LinkedInvoice:
        """Revoke the links to an invoice's page.

        All that were given out show nothing any more; the answer has the new one, and
        sending the invoice mails it. Whoever opens an old one can only have the new one
        mailed to the customer.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/revoke-link", invoice_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def mark_invoice_uncollectible(
        self, invoice_id: str, *, dry_run: bool | None = None, idempotency_key: str | None = None
    ) -> models.LinkedInvoice:
        """Write an invoice off.

        What is due becomes a loss and its dunning ends; what was paid stays paid. Money
        that comes all the same is the customer's credit.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/mark-uncollectible", invoice_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def cancel_invoice(
        self, invoice_id: str, *, dry_run: bool | None = None, idempotency_key: str | None = None
    ) -> models.LinkedInvoice:
        """Cancel an invoice: the same as voiding it."""
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/cancel", invoice_id),
            query={"dryRun": dry_run},
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.LinkedInvoice)

    def pay(
        self,
        invoice_id: str,
        body: models.PayBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.PaymentStarted:
        """Pay an invoice.

        `checkout` opens a hosted page; `charge` takes the customer's stored method;
        `wallet` takes stored money, at once: that of `walletId`, or of the customer's only
        wallet. One attempt at a time: while another is open, the answer is 409 with its
        `paymentId`.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/pay", invoice_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.PaymentStarted)

    def record_one_payment(
        self,
        invoice_id: str,
        body: models.ReceiptBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.PaymentOut:
        """Record money that came by bank transfer, check or cash.

        In full or in part: the invoice stays open until nothing is due. What comes in above
        that is the customer's credit. A payment page that is still open is closed.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/record-payment", invoice_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.PaymentOut)

    def get_invoice_pdf(self, invoice_id: str, *, if_none_match: str | None = None) -> File:
        """Get an invoice as PDF.

        The same invoice always gives the same bytes, whose SHA-256 is the `ETag`: who names
        it in `If-None-Match` has them already, and is answered 304. A final one is printed
        once and kept until something changes on it.
        """
        asked = Asked(
            "GET", path("/v1/invoices/{}/pdf", invoice_id), headers={"If-None-Match": if_none_match}
        )
        return self.wire.file(asked)

    def get_invoice_timeline(self, invoice_id: str) -> list[models.TimelineEntryOut]:
        """Get what happened to an invoice and to its payments, oldest first."""
        asked = Asked("GET", path("/v1/invoices/{}/timeline", invoice_id))
        return self.wire.all_of(asked, models.TimelineEntryOut)

    def explain_invoice(self, invoice_id: str) -> models.ExplanationOut:
        """Explain an invoice.

        Every line is worked out anew from its derivation (prices, tiers, parts of a
        period), then discounts, taxes and totals by the rounding law. Whatever was billed
        otherwise is named. Lines for usage say up to when it was known, and name some of
        its events.
        """
        asked = Asked("GET", path("/v1/invoices/{}/explain", invoice_id))
        return self.wire.one(asked, models.ExplanationOut)

    def send_one_invoice(
        self, invoice_id: str, *, idempotency_key: str | None = None
    ) -> models.InvoiceOut:
        """Send an invoice to its customer by mail; a draft is finalized first.

        The mail carries the link to see and pay it, and leaves right after; `/v1/emails`
        says what became of it. Sending again writes again.
        """
        asked = Asked(
            "POST",
            path("/v1/invoices/{}/send", invoice_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.InvoiceOut)

    def get_invoice_xml(self, invoice_id: str, *, if_none_match: str | None = None) -> File:
        """Get an invoice as an e-invoice: Cross Industry Invoice, EN 16931 (Factur-X,
        ZUGFeRD).

        The same file lies in the PDF. A draft has none, and neither has an invoice with a
        line on which several taxes lie. The SHA-256 of the bytes is the `ETag`: who names
        it in `If-None-Match` has the file already, and is answered 304.
        """
        asked = Asked(
            "GET", path("/v1/invoices/{}/xml", invoice_id), headers={"If-None-Match": if_none_match}
        )
        return self.wire.file(asked)


class RecurringInvoices(Room):
    """Templates from which invoices come by themselves, day by day or year by year."""

    def create_one_recurring_invoice(
        self, body: models.NewRecurringInvoice, *, idempotency_key: str | None = None
    ) -> models.RecurringInvoiceOut:
        """Create a recurring invoice.

        The first invoice is made at `startDate`, the others every `intervalCount` intervals
        counted from there, by the organization's calendar and clock; none after `endDate`.
        What was missed is caught up once each, in order. `autoFinalize` numbers, books and
        opens each of them.
        """
        asked = Asked("POST", "/v1/recurring-invoices", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.RecurringInvoiceOut)

    def list_recurring_invoices(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        customer_id: str | None = None,
        status: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideRecurringInvoiceOut]:
        """List recurring invoices, newest first."""
        asked = Asked(
            "GET",
            "/v1/recurring-invoices",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "customerId": customer_id,
                "status": status,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideRecurringInvoiceOut, has_cursor=True)

    def get_recurring_invoice(
        self, recurring_invoice_id: str, *, expand: str | None = None
    ) -> models.WideRecurringInvoiceOut:
        """Get a recurring invoice."""
        asked = Asked(
            "GET", path("/v1/recurring-invoices/{}", recurring_invoice_id), query={"expand": expand}
        )
        return self.wire.one(asked, models.WideRecurringInvoiceOut)

    def edit_recurring_invoice(
        self,
        recurring_invoice_id: str,
        body: models.RecurringInvoicePatch,
        *,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.RecurringInvoiceOut:
        """Change a recurring invoice.

        A JSON merge patch that shows from the next invoice on; what was made stays. The
        rhythm is what it was created with; an `endDate` that has passed completes it.
        """
        asked = Asked(
            "PATCH",
            path("/v1/recurring-invoices/{}", recurring_invoice_id),
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.RecurringInvoiceOut)

    def pause_one_recurring_invoice(
        self, recurring_invoice_id: str, *, idempotency_key: str | None = None
    ) -> models.RecurringInvoiceOut:
        """Pause a recurring invoice.

        It makes no invoices until it is resumed; what falls into the pause is never billed.
        """
        asked = Asked(
            "POST",
            path("/v1/recurring-invoices/{}/pause", recurring_invoice_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.RecurringInvoiceOut)

    def resume_one_recurring_invoice(
        self, recurring_invoice_id: str, *, idempotency_key: str | None = None
    ) -> models.RecurringInvoiceOut:
        """Resume a paused recurring invoice with the first date that is not past."""
        asked = Asked(
            "POST",
            path("/v1/recurring-invoices/{}/resume", recurring_invoice_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.RecurringInvoiceOut)

    def cancel_one_recurring_invoice(
        self, recurring_invoice_id: str, *, idempotency_key: str | None = None
    ) -> models.RecurringInvoiceOut:
        """Cancel a recurring invoice; the invoices it has made stay."""
        asked = Asked(
            "POST",
            path("/v1/recurring-invoices/{}/cancel", recurring_invoice_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.RecurringInvoiceOut)


class Payments(Room):
    """Attempts at collecting an invoice, or at filling a wallet."""

    def list_payments(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        invoice_id: str | None = None,
        customer_id: str | None = None,
        wallet_id: str | None = None,
        status: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WidePaymentOut]:
        """List payments, newest first."""
        asked = Asked(
            "GET",
            "/v1/payments",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "invoiceId": invoice_id,
                "customerId": customer_id,
                "walletId": wallet_id,
                "status": status,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WidePaymentOut, has_cursor=True)

    def get_payment(self, payment_id: str, *, expand: str | None = None) -> models.WidePaymentOut:
        """Get a payment."""
        asked = Asked("GET", path("/v1/payments/{}", payment_id), query={"expand": expand})
        return self.wire.one(asked, models.WidePaymentOut)


class Refunds(Room):
    """Payments given back, in part or whole."""

    def refund_apayment(
        self,
        payment_id: str,
        body: models.RefundBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.RefundOut:
        """Give back all that is left of a payment.

        The amount is reserved before the payment provider is asked, so refunds that race
        each other never give back more than came. The invoice stays as it was; what was
        paid from a wallet is stored there again.
        """
        asked = Asked(
            "POST",
            path("/v1/payments/{}/refund", payment_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.RefundOut)

    def refund_apart(
        self,
        payment_id: str,
        body: models.PartialRefundBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.RefundOut:
        """Give back a part of a payment; more than what is left is refused."""
        asked = Asked(
            "POST",
            path("/v1/payments/{}/partial-refund", payment_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.RefundOut)

    def list_refunds(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        payment_id: str | None = None,
        invoice_id: str | None = None,
        customer_id: str | None = None,
        status: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideRefundOut]:
        """List refunds, newest first."""
        asked = Asked(
            "GET",
            "/v1/refunds",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "paymentId": payment_id,
                "invoiceId": invoice_id,
                "customerId": customer_id,
                "status": status,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideRefundOut, has_cursor=True)

    def get_refund(self, refund_id: str, *, expand: str | None = None) -> models.WideRefundOut:
        """Get a refund."""
        asked = Asked("GET", path("/v1/refunds/{}", refund_id), query={"expand": expand})
        return self.wire.one(asked, models.WideRefundOut)


class Dunning(Room):
    """What is done, step by step, about an invoice whose automatic payment failed."""

    def list_dunning(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        customer_id: str | None = None,
        is_resolved: bool | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideDunningOut]:
        """List invoices in dunning, newest first."""
        asked = Asked(
            "GET",
            "/v1/dunning",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "customerId": customer_id,
                "isResolved": is_resolved,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideDunningOut, has_cursor=True)

    def get_dunning(self, invoice_id: str, *, expand: str | None = None) -> models.WideDunningOut:
        """Get the dunning of an invoice, open or over."""
        asked = Asked("GET", path("/v1/dunning/{}", invoice_id), query={"expand": expand})
        return self.wire.one(asked, models.WideDunningOut)

    def resolve_one_dunning(
        self, invoice_id: str, *, idempotency_key: str | None = None
    ) -> models.DunningOut:
        """End the dunning of an invoice by hand.

        The invoice stays open; its subscription is behind no more, unless another invoice
        is.
        """
        asked = Asked(
            "POST",
            path("/v1/dunning/{}/resolve", invoice_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.DunningOut)

    def retry_dunning_now(
        self, invoice_id: str, *, idempotency_key: str | None = None
    ) -> models.DunningOut:
        """Charge the customer's default payment method for an invoice at once.

        The charge runs right after the answer; events tell what came of it. A pause ends.
        """
        asked = Asked(
            "POST",
            path("/v1/dunning/{}/retry-now", invoice_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.DunningOut)

    def pause_one_dunning(
        self, invoice_id: str, body: models.PauseBody, *, idempotency_key: str | None = None
    ) -> models.DunningOut:
        """Pause the dunning of an invoice: nothing is charged and nobody is written to."""
        asked = Asked(
            "POST",
            path("/v1/dunning/{}/pause", invoice_id),
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.DunningOut)

    def resume_one_dunning(
        self, invoice_id: str, *, idempotency_key: str | None = None
    ) -> models.DunningOut:
        """Resume the dunning of an invoice; what would have been done meanwhile is due now."""
        asked = Asked(
            "POST",
            path("/v1/dunning/{}/resume", invoice_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.DunningOut)


class Disputes(Room):
    """Payments that a cardholder's bank took back."""

    def list_disputes(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        payment_id: str | None = None,
        status: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideDisputeOut]:
        """List disputes, newest first."""
        asked = Asked(
            "GET",
            "/v1/disputes",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "paymentId": payment_id,
                "status": status,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideDisputeOut, has_cursor=True)

    def get_dispute(self, dispute_id: str, *, expand: str | None = None) -> models.WideDisputeOut:
        """Get a dispute."""
        asked = Asked("GET", path("/v1/disputes/{}", dispute_id), query={"expand": expand})
        return self.wire.one(asked, models.WideDisputeOut)


class Payouts(Room):
    """What the payment processor sent to the bank, and what it kept."""

    def list_payouts(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        status: str | None = None,
    ) -> Listing[models.PayoutOut]:
        """List payouts, newest first."""
        asked = Asked(
            "GET",
            "/v1/payouts",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "status": status,
            },
        )
        return Listing(self.wire, asked, models.PayoutOut, has_cursor=True)

    def get_payout(self, payout_id: str) -> models.PayoutOut:
        """Get a payout."""
        asked = Asked("GET", path("/v1/payouts/{}", payout_id))
        return self.wire.one(asked, models.PayoutOut)


class Wallets(Room):
    """Stored value in one currency each, never below zero."""

    def open_awallet(
        self, body: models.NewWallet, *, idempotency_key: str | None = None
    ) -> models.WalletOut:
        """Make a wallet.

        It is in its customer's currency, or in the organization's when none is named. In a
        sandbox organization `provokeCredit` makes every transfer to it fail, or answer
        late.
        """
        asked = Asked("POST", "/v1/wallets", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.WalletOut)

    def list_wallets(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        customer_id: str | None = None,
        currency: str | None = None,
        status: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideWalletOut]:
        """List wallets, newest first."""
        asked = Asked(
            "GET",
            "/v1/wallets",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "customerId": customer_id,
                "currency": currency,
                "status": status,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideWalletOut, has_cursor=True)

    def get_wallet(self, wallet_id: str, *, expand: str | None = None) -> models.WideWalletOut:
        """Get a wallet with its balance and what of it is available."""
        asked = Asked("GET", path("/v1/wallets/{}", wallet_id), query={"expand": expand})
        return self.wire.one(asked, models.WideWalletOut)

    def change_wallet(
        self,
        wallet_id: str,
        body: models.WalletPatch,
        *,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.WalletOut:
        """Change a wallet's name, limits or metadata.

        A JSON merge patch: what is not named stays, null takes away.
        """
        asked = Asked(
            "PATCH",
            path("/v1/wallets/{}", wallet_id),
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.WalletOut)

    def get_own_wallet(self, *, expand: str | None = None) -> models.WideWalletOut:
        """Get one's own wallet; it is made at first use.

        Being a member of the organization suffices. It is in the organization's currency.
        """
        asked = Asked("GET", "/v1/wallets/me", query={"expand": expand})
        return self.wire.one(asked, models.WideWalletOut)

    def list_own_history(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt"] | None = None,
    ) -> Listing[models.WalletEntryOut]:
        """List what came into one's own wallet and went out, newest first."""
        asked = Asked(
            "GET",
            "/v1/wallets/me/history",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
            },
        )
        return Listing(self.wire, asked, models.WalletEntryOut, has_cursor=True)

    def deposit_into_own_wallet(
        self,
        body: models.DepositBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.DepositOut:
        """Store money in one's own wallet.

        At once in a sandbox organization; a live one opens a hosted page at `checkoutUrl`.
        """
        asked = Asked(
            "POST",
            "/v1/wallets/me/deposit",
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.DepositOut)

    def deposit_into_wallet(
        self,
        wallet_id: str,
        body: models.DepositBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.DepositOut:
        """Store money in a wallet.

        At once in a sandbox organization, unless a `mode` is named; in a live one by a
        hosted page, or by the stored method of the wallet's customer.
        """
        asked = Asked(
            "POST",
            path("/v1/wallets/{}/deposit", wallet_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.DepositOut)

    def withdraw_from_wallet(
        self,
        wallet_id: str,
        body: models.AmountBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.WalletOut:
        """Pay stored money out.

        It goes to the bank, in a sandbox organization to nowhere. Only what is available
        can go; what open holds set aside cannot.
        """
        asked = Asked(
            "POST",
            path("/v1/wallets/{}/withdraw", wallet_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.WalletOut)

    def close_awallet(
        self, wallet_id: str, *, idempotency_key: str | None = None
    ) -> models.WalletOut:
        """Close a wallet that is empty and holds nothing; it takes no more part in any move."""
        asked = Asked(
            "POST",
            path("/v1/wallets/{}/close", wallet_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.WalletOut)

    def get_wallet_balance(self, wallet_id: str) -> models.WalletBalanceOut:
        """Get what a wallet has, what of it is held, and what is available."""
        asked = Asked("GET", path("/v1/wallets/{}/balance", wallet_id))
        return self.wire.one(asked, models.WalletBalanceOut)

    def list_wallet_history(
        self,
        wallet_id: str,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt"] | None = None,
    ) -> Listing[models.WalletEntryOut]:
        """List what came into a wallet and went out, newest first, each with the balance it
        left.
        """
        asked = Asked(
            "GET",
            path("/v1/wallets/{}/history", wallet_id),
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
            },
        )
        return Listing(self.wire, asked, models.WalletEntryOut, has_cursor=True)


class Holds(Room):
    """Money of a wallet set aside until it is taken or freed."""

    def authorize_hold(
        self, wallet_id: str, body: models.NewHold, *, idempotency_key: str | None = None
    ) -> models.HoldOut:
        """Set a part of a wallet's money aside.

        It stays in the wallet and is not available any more, until it is captured,
        released, or its time is over.
        """
        asked = Asked(
            "POST",
            path("/v1/wallets/{}/holds", wallet_id),
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.HoldOut)

    def list_holds(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        wallet_id: str | None = None,
        status: str | None = None,
    ) -> Listing[models.HoldOut]:
        """List holds, newest first."""
        asked = Asked(
            "GET",
            "/v1/holds",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "walletId": wallet_id,
                "status": status,
            },
        )
        return Listing(self.wire, asked, models.HoldOut, has_cursor=True)

    def get_hold(self, hold_id: str) -> models.HoldOut:
        """Get a hold."""
        asked = Asked("GET", path("/v1/holds/{}", hold_id))
        return self.wire.one(asked, models.HoldOut)

    def capture_ahold(
        self,
        hold_id: str,
        body: models.CaptureBody,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.HoldOut:
        """Take what a hold set aside, all of it or a part.

        It leaves the wallet as a withdrawal does. A hold is captured once; the rest is free
        again.
        """
        asked = Asked(
            "POST",
            path("/v1/holds/{}/capture", hold_id),
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.HoldOut)

    def release_ahold(self, hold_id: str, *, idempotency_key: str | None = None) -> models.HoldOut:
        """Free what a hold set aside."""
        asked = Asked(
            "POST", path("/v1/holds/{}/release", hold_id), body={}, key=key_or_new(idempotency_key)
        )
        return self.wire.one(asked, models.HoldOut)


class Transactions(Room):
    """Transfers between wallets: debited, credited, or given back; never half done."""

    def create_transaction(
        self, body: models.NewTransfer, *, idempotency_key: str | None = None
    ) -> models.TransferOut:
        """Move an amount from one wallet to another.

        It is debited and credited at once, or debited first and then credited or given
        back; `history` says which. `FAILED` says that the sender has the amount back,
        `DEBITED` that it is underway: look again, or wait for the event. In a sandbox
        organization the metadata key `provoke` asks for a credit that fails (`refuse`),
        that nobody answers (`time_out`) or that comes `later`.
        """
        asked = Asked("POST", "/v1/transactions", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.TransferOut)

    def list_transactions(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        from_wallet_id: str | None = None,
        to_wallet_id: str | None = None,
        wallet_id: str | None = None,
        status: str | None = None,
    ) -> Listing[models.TransferOut]:
        """List transactions, newest first."""
        asked = Asked(
            "GET",
            "/v1/transactions",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "fromWalletId": from_wallet_id,
                "toWalletId": to_wallet_id,
                "walletId": wallet_id,
                "status": status,
            },
        )
        return Listing(self.wire, asked, models.TransferOut, has_cursor=True)

    def create_transactions(
        self, body: models.TransferBatch, *, idempotency_key: str | None = None
    ) -> models.TransferBatchOut:
        """Move up to 1,000 amounts at once.

        Every item has an answer of its own, by its `index`; one that is refused fails no
        other. They are taken in their order, so that what an earlier one brings a later one
        may spend.
        """
        asked = Asked("POST", "/v1/transactions/batch", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.TransferBatchOut)

    def get_transaction(self, transaction_id: str) -> models.TransferOut:
        """Get a transaction with its history."""
        asked = Asked("GET", path("/v1/transactions/{}", transaction_id))
        return self.wire.one(asked, models.TransferOut)


class Ledger(Room):
    """Double entry, append only."""

    def list_accounts(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        at: dt.datetime | None = None,
    ) -> Listing[models.AccountOut]:
        """List the accounts with their balances, by code."""
        asked = Asked(
            "GET", "/v1/ledger/accounts", query={"page": page, "pageSize": page_size, "at": at}
        )
        return Listing(self.wire, asked, models.AccountOut, has_cursor=False)

    def list_statement(
        self,
        account_id: str,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt"] | None = None,
    ) -> Listing[models.StatementLineOut]:
        """List what happened on an account, newest first, each with the balance right after
        it.
        """
        asked = Asked(
            "GET",
            path("/v1/ledger/accounts/{}/statement", account_id),
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
            },
        )
        return Listing(self.wire, asked, models.StatementLineOut, has_cursor=True)

    def list_postings(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        source_id: str | None = None,
        account: str | None = None,
    ) -> Listing[models.PostingOut]:
        """List the postings with their entries, newest first; each sums to zero."""
        asked = Asked(
            "GET",
            "/v1/ledger/postings",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "sourceId": source_id,
                "account": account,
            },
        )
        return Listing(self.wire, asked, models.PostingOut, has_cursor=True)

    def get_trial_balance(self, *, at: dt.datetime | None = None) -> list[models.TrialBalanceOut]:
        """Get the trial balance: one per currency, debits and credits equal."""
        asked = Asked("GET", "/v1/ledger/trial-balance", query={"at": at})
        return self.wire.all_of(asked, models.TrialBalanceOut)


class Reconciliation(Room):
    """Our books beside what the payment processor moved."""

    def list_differences(self) -> list[models.DifferenceOut]:
        """List where our books differ from the processor's, the newest first.

        The processor's own list of movements is read every hour. What can be mended safely
        is mended by it; everything else is here, each with its cause and its repair. An
        empty list: the books agree.
        """
        asked = Asked("GET", "/v1/reconciliation")
        return self.wire.all_of(asked, models.DifferenceOut)


class Webhooks(Room):
    """Endpoints that hear of events, signed twice and tried for half a day."""

    def create_webhook_subscription(
        self, body: models.NewWebhookSubscription, *, idempotency_key: str | None = None
    ) -> models.SubscriptionCreated:
        """Register a webhook endpoint.

        The signing secret is in this answer only.
        """
        asked = Asked(
            "POST", "/v1/webhook-subscriptions", body=body, key=key_or_new(idempotency_key)
        )
        return self.wire.one(asked, models.SubscriptionCreated)

    def list_webhook_subscriptions(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
    ) -> Listing[models.WebhookSubscriptionOut]:
        """List webhook endpoints, newest first."""
        asked = Asked(
            "GET",
            "/v1/webhook-subscriptions",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
            },
        )
        return Listing(self.wire, asked, models.WebhookSubscriptionOut, has_cursor=True)

    def get_webhook_subscription(
        self, webhook_subscription_id: str
    ) -> models.WebhookSubscriptionOut:
        """Get a webhook endpoint."""
        asked = Asked("GET", path("/v1/webhook-subscriptions/{}", webhook_subscription_id))
        return self.wire.one(asked, models.WebhookSubscriptionOut)

    def delete_webhook_subscription(
        self, webhook_subscription_id: str, *, idempotency_key: str | None = None
    ) -> None:
        """Remove a webhook endpoint; what waits for it is given up."""
        asked = Asked(
            "DELETE",
            path("/v1/webhook-subscriptions/{}", webhook_subscription_id),
            key=key_or_new(idempotency_key),
        )
        self.wire.nothing(asked)

    def update_webhook_subscription(
        self,
        webhook_subscription_id: str,
        body: models.WebhookSubscriptionPatch,
        *,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.WebhookSubscriptionOut:
        """Change an endpoint's URL, event types, description, retries or signatures.

        A JSON merge patch. What waits for the endpoint goes to the new URL.
        """
        asked = Asked(
            "PATCH",
            path("/v1/webhook-subscriptions/{}", webhook_subscription_id),
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.WebhookSubscriptionOut)

    def rotate_webhook_subscription(
        self, webhook_subscription_id: str, *, idempotency_key: str | None = None
    ) -> models.SubscriptionCreated:
        """Give an endpoint a new signing secret, shown this once.

        For 24 hours each delivery carries two Standard Webhooks signatures, by the new
        secret and by the one before, so nothing is refused while you exchange it.
        `X-Webhook-Signature` is by the new secret at once.
        """
        asked = Asked(
            "POST",
            path("/v1/webhook-subscriptions/{}/rotate", webhook_subscription_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.SubscriptionCreated)

    def pause_webhook_subscription(
        self, webhook_subscription_id: str, *, idempotency_key: str | None = None
    ) -> models.WebhookSubscriptionOut:
        """Pause an endpoint: what happens waits, and goes out in order when it is resumed."""
        asked = Asked(
            "POST",
            path("/v1/webhook-subscriptions/{}/pause", webhook_subscription_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.WebhookSubscriptionOut)

    def resume_webhook_subscription(
        self, webhook_subscription_id: str, *, idempotency_key: str | None = None
    ) -> models.WebhookSubscriptionOut:
        """Send to an endpoint again.

        One that was switched off is tried one delivery at a time until three have
        succeeded, and gets up to 10,000 events that it missed; replay what is beyond that.
        """
        asked = Asked(
            "POST",
            path("/v1/webhook-subscriptions/{}/resume", webhook_subscription_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.WebhookSubscriptionOut)

    def get_webhook_subscription_health(
        self, webhook_subscription_id: str
    ) -> models.EndpointHealthOut:
        """See how an endpoint is doing, and how much waits for it."""
        asked = Asked("GET", path("/v1/webhook-subscriptions/{}/health", webhook_subscription_id))
        return self.wire.one(asked, models.EndpointHealthOut)


class WebhookDeliveries(Room):
    """Each event on its way to each endpoint, with every try."""

    def list_deliveries(
        self,
        webhook_subscription_id: str,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        status: str | None = None,
        event_type: str | None = None,
        event_id: str | None = None,
        resource_id: str | None = None,
    ) -> Listing[models.DeliveryOut]:
        """List what went or goes to an endpoint, newest first, with every try."""
        asked = Asked(
            "GET",
            path("/v1/webhook-subscriptions/{}/deliveries", webhook_subscription_id),
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "status": status,
                "eventType": event_type,
                "eventId": event_id,
                "resourceId": resource_id,
            },
        )
        return Listing(self.wire, asked, models.DeliveryOut, has_cursor=True)

    def get_delivery(self, delivery_id: str) -> models.DeliveryOut:
        """Get a delivery with every try."""
        asked = Asked("GET", path("/v1/webhook-subscriptions/deliveries/{}", delivery_id))
        return self.wire.one(asked, models.DeliveryOut)

    def retry_one_delivery(
        self, delivery_id: str, *, idempotency_key: str | None = None
    ) -> models.DeliveryOut:
        """Try a delivery now, whatever became of it, with a new schedule.

        The event keeps its id, so a receiver that remembers ids takes it once.
        """
        asked = Asked(
            "POST",
            path("/v1/webhook-subscriptions/deliveries/{}/retry", delivery_id),
            body={},
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.DeliveryOut)

    def test_webhook_subscription(
        self,
        webhook_subscription_id: str,
        body: models.TestEvent,
        *,
        idempotency_key: str | None = None,
    ) -> models.DeliveryOut:
        """Send an endpoint a signed test event, which nobody else hears of.

        Without a type it is `webhook_subscription.tested`, about the endpoint itself; with
        one it is the sample of that type. Look at the delivery for what came back.
        """
        asked = Asked(
            "POST",
            path("/v1/webhook-subscriptions/{}/test", webhook_subscription_id),
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.DeliveryOut)

    def replay_to_webhook_subscription(
        self,
        webhook_subscription_id: str,
        body: models.Replay,
        *,
        idempotency_key: str | None = None,
    ) -> models.ReplayOut:
        """Send the events of some time again, oldest first, so many a second.

        One call takes up at most 10,000; `nextFrom` says where to go on. Each event keeps
        its id and its bytes.
        """
        asked = Asked(
            "POST",
            path("/v1/webhook-subscriptions/{}/replay", webhook_subscription_id),
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.ReplayOut)


class DocumentSettings(Room):
    """How documents and mail look, and which mail customers get by themselves."""

    def get_document_settings(self) -> models.DocumentSettingsOut:
        """Get how documents and mail look; version 0 means that nothing was ever said."""
        asked = Asked("GET", "/v1/document-settings")
        return self.wire.one(asked, models.DocumentSettingsOut)

    def change_document_settings(
        self,
        body: models.DocumentSettingsPatch,
        *,
        idempotency_key: str | None = None,
        if_match: int | None = None,
    ) -> models.DocumentSettingsOut:
        """Change how documents and mail look.

        A JSON merge patch. `sendsReceipts` and `sendsFailures` let customers be written to
        when a payment succeeds or fails, `reminderDays` around the due date: -3 is three
        days before it.
        """
        asked = Asked(
            "PATCH",
            "/v1/document-settings",
            body=body,
            key=key_or_new(idempotency_key),
            headers={"If-Match": tag(if_match)},
        )
        return self.wire.one(asked, models.DocumentSettingsOut)


class Emails(Room):
    """Mail that was sent, and what became of it."""

    def list_emails(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        invoice_id: str | None = None,
        status: str | None = None,
        expand: str | None = None,
    ) -> Listing[models.WideEmailOut]:
        """List mail, newest first; never what stands in it."""
        asked = Asked(
            "GET",
            "/v1/emails",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "invoiceId": invoice_id,
                "status": status,
                "expand": expand,
            },
        )
        return Listing(self.wire, asked, models.WideEmailOut, has_cursor=True)


class Exports(Room):
    """Everything of a kind, newest first, as CSV or JSON Lines; a thousand at a time."""

    def export_invoices(
        self,
        *,
        format: Literal["csv", "jsonl"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> File:
        """Export invoices without their lines.

        Nested fields stand as `address.city`; a text that a spreadsheet would take for a
        formula begins with an apostrophe.
        """
        asked = Asked(
            "GET",
            "/v1/exports/invoices",
            query={"format": format, "limit": limit, "cursor": cursor},
        )
        return self.wire.file(asked)

    def export_invoice_lines(
        self,
        *,
        format: Literal["csv", "jsonl"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> File:
        """Export the lines of invoices, each with its invoice; `limit` counts invoices."""
        asked = Asked(
            "GET",
            "/v1/exports/invoice-lines",
            query={"format": format, "limit": limit, "cursor": cursor},
        )
        return self.wire.file(asked)

    def export_payments(
        self,
        *,
        format: Literal["csv", "jsonl"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> File:
        """Export payments."""
        asked = Asked(
            "GET",
            "/v1/exports/payments",
            query={"format": format, "limit": limit, "cursor": cursor},
        )
        return self.wire.file(asked)

    def export_customers(
        self,
        *,
        format: Literal["csv", "jsonl"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> File:
        """Export customers."""
        asked = Asked(
            "GET",
            "/v1/exports/customers",
            query={"format": format, "limit": limit, "cursor": cursor},
        )
        return self.wire.file(asked)


class Imports(Room):
    """Customers and what they have to their credit, a thousand rows at a time, each once."""

    def import_customer_file(
        self,
        body: models.NewImport,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.ImportOut:
        """Import customers.

        Columns: `reference` (yours, required), `email`, `name`, `currency`, `taxId`,
        `taxTreatment`, `address.line1` and its like, `metadata.` and a key. A row whose
        reference came before is left alone, so a file may be sent again. A row that cannot
        be taken is named, and stops no other.
        """
        asked = Asked(
            "POST",
            "/v1/imports/customers",
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.ImportOut)

    def import_balance_file(
        self,
        body: models.NewBalances,
        *,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.ImportOut:
        """Import opening balances.

        Columns: `reference` of an imported customer or `customerId`, `amountCents`,
        `currency`. Each customer comes with one balance, which is their credit; debts are
        invoices.
        """
        asked = Asked(
            "POST",
            "/v1/imports/opening-balances",
            query={"dryRun": dry_run},
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.ImportOut)

    def list_imports(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        kind: str | None = None,
    ) -> Listing[models.ImportOut]:
        """List imports, newest first."""
        asked = Asked(
            "GET",
            "/v1/imports",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "kind": kind,
            },
        )
        return Listing(self.wire, asked, models.ImportOut, has_cursor=True)

    def get_import(self, import_id: str) -> models.ImportOut:
        """Get an import with what was wrong with its rows."""
        asked = Asked("GET", path("/v1/imports/{}", import_id))
        return self.wire.one(asked, models.ImportOut)


class Events(Room):
    """Everything that happened, by pull."""

    def list_events(
        self,
        *,
        limit: int | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        after: str | None = None,
        type: str | None = None,
        resource_id: str | None = None,
        actor: str | None = None,
    ) -> Listing[models.EventOut]:
        """Follow the feed of events, oldest first, or look back over it.

        Give the last `nextCursor` as `after`; nothing is skipped and nothing told twice.
        Looking back by `sort=-createdAt` ends at the first event, without a cursor.
        """
        asked = Asked(
            "GET",
            "/v1/events",
            query={
                "limit": limit,
                "sort": sort,
                "after": after,
                "type": type,
                "resourceId": resource_id,
                "actor": actor,
            },
        )
        return Listing(self.wire, asked, models.EventOut, has_cursor=True)

    def get_event(self, event_id: str) -> models.EventOut:
        """Get an event, letter for letter as it was delivered."""
        asked = Asked("GET", path("/v1/events/{}", event_id))
        return self.wire.one(asked, models.EventOut)

    def list_event_types(self) -> list[models.EventTypeOut]:
        """List the types of events that are delivered, each with its schema and a sample."""
        asked = Asked("GET", "/v1/event-types")
        return self.wire.all_of(asked, models.EventTypeOut)


class AuditLog(Room):
    """Who did what, when and why."""

    def list_audit_log(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        created_at_gte: dt.datetime | None = None,
        created_at_lt: dt.datetime | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        actor: str | None = None,
        action: str | None = None,
    ) -> Listing[models.AuditOut]:
        """List everything that was done, newest first, internal facts included."""
        asked = Asked(
            "GET",
            "/v1/audit-log",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "createdAt[gte]": created_at_gte,
                "createdAt[lt]": created_at_lt,
                "resourceType": resource_type,
                "resourceId": resource_id,
                "actor": actor,
                "action": action,
            },
        )
        return Listing(self.wire, asked, models.AuditOut, has_cursor=True)

    def verify_audit_log(
        self, *, after_position: int | None = None, limit: int | None = None
    ) -> models.ChainCheckOut:
        """Follow the hash chain over the log, a part at a time.

        Begin without a position and go on with each `nextPosition`. What was edited,
        deleted or inserted is named, whoever did it; compare `lastHash` with a signed head
        that was kept elsewhere to see that nothing was cut off or rewritten.
        """
        asked = Asked(
            "GET", "/v1/audit-log/verify", query={"afterPosition": after_position, "limit": limit}
        )
        return self.wire.one(asked, models.ChainCheckOut)


class TestClock(Room):
    """The time of a sandbox organization: stop it, and see months pass in seconds."""

    def get_test_clock(self) -> models.ClockOut:
        """Say what time it is for the organization, and how far its clock has come."""
        asked = Asked("GET", "/v1/test-clock")
        return self.wire.one(asked, models.ClockOut)

    def stop_test_clock(
        self, body: models.Stop, *, idempotency_key: str | None = None
    ) -> models.ClockOut:
        """Stop the organization's time.

        From then on it moves only when it is advanced. An organization in which nothing has
        happened yet may begin in the past.
        """
        asked = Asked("POST", "/v1/test-clock", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.ClockOut)

    def advance_test_clock(
        self, body: models.Advance, *, idempotency_key: str | None = None
    ) -> models.ClockOut:
        """Send the organization's time ahead, 24 months at most.

        Everything due on the way is done in order, as if the time had passed: renewals,
        trials, retries, mails, webhooks. It has arrived when `status` is `ready`. Real time
        is stopped first.
        """
        asked = Asked("POST", "/v1/test-clock/advance", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.ClockOut)

    def release_test_clock(self, *, idempotency_key: str | None = None) -> models.ClockOut:
        """Return the organization to real time, wherever its clock is."""
        asked = Asked("POST", "/v1/test-clock/release", body={}, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.ClockOut)


class Analytics(Room):
    """The figures people steer by: exact at every instant, and never older than the books."""

    def get_revenue(
        self,
        *,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        interval: models.Interval | None = None,
        currency: str | None = None,
    ) -> models.RevenueOut:
        """Report what was earned, by the books, and what came in."""
        asked = Asked(
            "GET",
            "/v1/analytics/revenue",
            query={"from": from_, "to": to, "interval": interval, "currency": currency},
        )
        return self.wire.one(asked, models.RevenueOut)

    def get_mrr(
        self,
        *,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        interval: models.Interval | None = None,
        currency: str | None = None,
    ) -> models.MrrOut:
        """Report monthly recurring revenue, and every movement of it by kind.

        A trial, a pause and a start to come are worth nothing; what is used is not counted.
        """
        asked = Asked(
            "GET",
            "/v1/analytics/mrr",
            query={"from": from_, "to": to, "interval": interval, "currency": currency},
        )
        return self.wire.one(asked, models.MrrOut)

    def get_invoices_report(
        self,
        *,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        interval: models.Interval | None = None,
        currency: str | None = None,
    ) -> models.InvoicesOut:
        """Report what was invoiced and settled, and what is open now, by its age."""
        asked = Asked(
            "GET",
            "/v1/analytics/invoices",
            query={"from": from_, "to": to, "interval": interval, "currency": currency},
        )
        return self.wire.one(asked, models.InvoicesOut)

    def get_payments_report(
        self,
        *,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        interval: models.Interval | None = None,
        currency: str | None = None,
    ) -> models.PaymentsOut:
        """Report what was collected, and how often an attempt failed."""
        asked = Asked(
            "GET",
            "/v1/analytics/payments",
            query={"from": from_, "to": to, "interval": interval, "currency": currency},
        )
        return self.wire.one(asked, models.PaymentsOut)

    def get_customers_report(
        self,
        *,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        interval: models.Interval | None = None,
        currency: str | None = None,
    ) -> models.CustomersOut:
        """Report who came, who stayed and who left: customers of the currency, and
        subscribers.

        A subscriber is a customer who is worth something a month.
        """
        asked = Asked(
            "GET",
            "/v1/analytics/customers",
            query={"from": from_, "to": to, "interval": interval, "currency": currency},
        )
        return self.wire.one(asked, models.CustomersOut)

    def get_dunning_report(
        self,
        *,
        from_: dt.date | None = None,
        to: dt.date | None = None,
        interval: models.Interval | None = None,
        currency: str | None = None,
    ) -> models.DunningReportOut:
        """Report what was not paid as it should be, and what of it is open now."""
        asked = Asked(
            "GET",
            "/v1/analytics/dunning",
            query={"from": from_, "to": to, "interval": interval, "currency": currency},
        )
        return self.wire.one(asked, models.DunningReportOut)


class SavedViews(Room):
    """Lists of the console with their filters and order, kept by people under a name."""

    def create_saved_view(
        self, body: models.NewSavedView, *, idempotency_key: str | None = None
    ) -> models.SavedViewOut:
        """Save a view.

        It is one's own; a shared one is seen by everybody in the organization.
        """
        asked = Asked("POST", "/v1/saved-views", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.SavedViewOut)

    def list_saved_views(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
        after: str | None = None,
        sort: Literal["-createdAt", "createdAt"] | None = None,
        list: str | None = None,
    ) -> Listing[models.SavedViewOut]:
        """List one's own views and those that are shared, newest first."""
        asked = Asked(
            "GET",
            "/v1/saved-views",
            query={
                "page": page,
                "pageSize": page_size,
                "limit": limit,
                "after": after,
                "sort": sort,
                "list": list,
            },
        )
        return Listing(self.wire, asked, models.SavedViewOut, has_cursor=True)

    def get_saved_view(self, saved_view_id: str) -> models.SavedViewOut:
        """Get a saved view."""
        asked = Asked("GET", path("/v1/saved-views/{}", saved_view_id))
        return self.wire.one(asked, models.SavedViewOut)

    def change_saved_view(
        self, saved_view_id: str, body: models.SavedViewPatch, *, idempotency_key: str | None = None
    ) -> models.SavedViewOut:
        """Rename a view, or change its filters or who sees it.

        What others share is changed by them, or by whoever may change the organization.
        """
        asked = Asked(
            "PATCH",
            path("/v1/saved-views/{}", saved_view_id),
            body=body,
            key=key_or_new(idempotency_key),
        )
        return self.wire.one(asked, models.SavedViewOut)

    def remove_saved_view(self, saved_view_id: str, *, idempotency_key: str | None = None) -> None:
        """Remove a saved view; what it showed stays."""
        asked = Asked(
            "DELETE", path("/v1/saved-views/{}", saved_view_id), key=key_or_new(idempotency_key)
        )
        self.wire.nothing(asked)


class Queues(Room):
    """Work that waits and dead letters.

    Only operators of the instance find anything here.
    """

    def list_queues(self) -> list[models.QueueOut]:
        """List the queues: what waits, runs and is held, how old, how fast, and whether
        paused.
        """
        asked = Asked("GET", "/v1/queues")
        return self.wire.all_of(asked, models.QueueOut)

    def list_dead_letters(
        self,
        *,
        queue: Literal["integrations", "invoices", "notifications", "payments", "usage"]
        | None = None,
    ) -> list[models.DeadLetterOut]:
        """List dead letters, the latest 200, with what they asked for and how they failed."""
        asked = Asked("GET", "/v1/queues/dead-letters", query={"queue": queue})
        return self.wire.all_of(asked, models.DeadLetterOut)

    def list_dead_letter_groups(self) -> list[models.DeadLetterGroupOut]:
        """List dead letters by queue, kind and class of error, the largest group first."""
        asked = Asked("GET", "/v1/queues/dead-letter-groups")
        return self.wire.all_of(asked, models.DeadLetterGroupOut)

    def list_agenda(self) -> list[models.AgendaKindOut]:
        """List what waits for its time, by kind, over all organizations."""
        asked = Asked("GET", "/v1/queues/agenda")
        return self.wire.all_of(asked, models.AgendaKindOut)

    def list_queue_decisions(self) -> list[models.QueueDecisionOut]:
        """List the latest 200 decisions about queues: who retried, discarded, paused, and why."""
        asked = Asked("GET", "/v1/queues/decisions")
        return self.wire.all_of(asked, models.QueueDecisionOut)

    def retry_dead_letters(
        self, body: models.Letters, *, idempotency_key: str | None = None
    ) -> models.LettersMoved:
        """Give dead letters all their attempts again, at once."""
        asked = Asked("POST", "/v1/queues/retry", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.LettersMoved)

    def retry_dead_letters_alike(
        self, body: models.Alike, *, idempotency_key: str | None = None
    ) -> models.LettersMoved:
        """Retry the dead letters that failed alike, a thousand at most, so many a second."""
        asked = Asked("POST", "/v1/queues/retry-alike", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.LettersMoved)

    def discard_dead_letters(
        self, body: models.Discarded, *, idempotency_key: str | None = None
    ) -> models.LettersMoved:
        """Throw dead letters away; the reason is kept with who decided it."""
        asked = Asked("POST", "/v1/queues/discard", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.LettersMoved)

    def pause_one_queue(
        self, body: models.Pause, *, idempotency_key: str | None = None
    ) -> models.QueueChanged:
        """Let nobody claim from a queue until it is resumed; what runs is finished."""
        asked = Asked("POST", "/v1/queues/pause", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.QueueChanged)

    def resume_one_queue(
        self, body: models.Resumption, *, idempotency_key: str | None = None
    ) -> models.QueueChanged:
        """Have a paused queue worked again."""
        asked = Asked("POST", "/v1/queues/resume", body=body, key=key_or_new(idempotency_key))
        return self.wire.one(asked, models.QueueChanged)
