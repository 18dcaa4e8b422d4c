"""The first scenes: somebody signs up, lets a program in, and names an endpoint and a customer."""

from typing import Any, Final

from bursar.cli.demo_cast import CUSTOMER_NAME, Cast
from bursar.cli.demo_http import Heard, Unexpected

_CREATED: Final = 201
_CONFLICT: Final = 409
_SCOPE: Final = "billing:write"
_PASSWORD: Final = "Correct-horse-7-battery"  # noqa: S105 - of somebody made up, in an organization made up


async def sign_up(cast: Cast) -> str:
    """A person and an organization of theirs."""
    email, name = f"owner-{cast.tag}@example.com", f"Analytical Engines {cast.tag}"
    who = {"email": email, "password": _PASSWORD}
    body = who | {"name": "Grace Hopper", "organizationName": name}
    heard = await cast.anyone.post("/v1/auth/register", body)
    if heard.status == _CONFLICT and heard.tries > 1:
        # An earlier try was carried out and its answer lost. Signing in is the way on.
        signed_in = (await cast.anyone.post("/v1/auth/login", who)).expect(200).value
        cast.org_id = await _only_org_id(cast, signed_in)
    else:
        signed_in = heard.expect(_CREATED).value
        cast.org_id = signed_in["organization"]["id"]
    cast.owner = cast.anyone.bearing(signed_in["accessToken"], org_id=cast.org_id)
    return f"{email} owns {name} ({cast.org_id})"


async def _only_org_id(cast: Cast, signed_in: Any) -> str:
    person = cast.anyone.bearing(signed_in["accessToken"])
    memberships = (await person.get("/v1/auth/me")).expect(200).value["memberships"]
    if len(memberships) != 1:
        raise Unexpected("one organization of a new person", came=memberships)
    return str(memberships[0]["organizationId"])


async def make_api_key(cast: Cast) -> str:
    """A credential for a program; the rest of the story is told with it."""
    body = {"name": "demo", "scopes": [_SCOPE]}
    issued = (await cast.owner.post("/v1/api-keys", body)).expect(_CREATED).value
    cast.program = cast.anyone.bearing(issued["key"])
    return f"{issued['keyPrefix']}… may {_SCOPE}"


async def register_endpoint(cast: Cast) -> str:
    """A webhook endpoint that hears everything."""
    body = {"url": cast.receiver.url, "eventTypes": ["*"], "description": "demo"}
    made = (await cast.program.post("/v1/webhook-subscriptions", body)).expect(_CREATED).value
    cast.webhook_secret = made["secret"]
    return f"{made['id']} → {cast.receiver.url}"


async def make_customer(cast: Cast) -> str:
    """Somebody to bill, whom the payment provider knows as well."""
    email = f"ada-{cast.tag}@example.com"
    made: Heard = await cast.program.post("/v1/customers", {"email": email, "name": CUSTOMER_NAME})
    cast.customer_id = made.expect(_CREATED).value["id"]
    known = await cast.until(
        f"/v1/customers/{cast.customer_id}",
        lambda customer: customer["stripeCustomerId"] is not None,
        wanted="a customer with a stripeCustomerId",
    )
    return f"{known['id']}, at the provider {known['stripeCustomerId']}"
