"""People of the load tests: each with an account, an address and an organization of their own.

They wait one to three seconds between what they do. Each comes from another address, told by
`X-Forwarded-For`: the server must trust this machine as a proxy
(`TRUSTED_PROXIES=127.0.0.1/32`), or all of them share one limit. No limit is switched off for them.
"""

import itertools
import uuid

import gevent
from locust import between
from locust.contrib.fasthttp import FastHttpUser

PASSWORD = "Correct-horse-7-battery"
AGAIN_SECONDS = 2.0
_numbers = itertools.count(1)


class Person(FastHttpUser):
    """Somebody who registers when they come."""

    abstract = True
    wait_time = between(1, 3)
    connection_timeout = 10.0
    network_timeout = 30.0
    registers_as = "setup"

    def on_start(self):
        """Register; what follows is done as this person."""
        number = next(_numbers)
        self.address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.headers = {"X-Forwarded-For": self.address}
        self.until_made(lambda: self.register(self.registers_as))

    def register(self, name):
        """A new account with an organization; None where it fails."""
        self.email = f"load-{uuid.uuid4().hex}@example.com"
        body = {
            "email": self.email,
            "name": "Load Tester",
            "password": PASSWORD,
            "organizationName": "Load",
        }
        made = self.asked("POST", "/v1/auth/register", name, body, expects=201)
        if made is None:
            return None
        self.refresh_token = made["refreshToken"]
        self.headers = {
            "X-Forwarded-For": self.address,
            "Authorization": f"Bearer {made['accessToken']}",
            "x-org-id": made["organization"]["id"],
        }
        return made

    def until_made(self, make):
        """What somebody cannot begin without: asked for again, as each failure is counted anyway.

        Without it people would be missing, and those who are left would have it easy.
        """
        while (made := make()) is None:
            gevent.sleep(AGAIN_SECONDS)
        return made

    def asked(self, method, path, name, body=None, *, expects=200, key=None):
        """One request under this name; the `data` of its answer, or None where it fails."""
        headers = dict(self.headers)
        if key is not None:
            headers["Idempotency-Key"] = key
        with self.client.request(
            method, path, name=name, json=body, headers=headers, catch_response=True
        ) as answer:
            if answer.status_code != expects:
                answer.failure(f"{answer.status_code} {str(answer.text)[:200]}")
                return None
            answer.success()
            return answer.json()["data"] if answer.text else {}

    def new_customer(self, name):
        """A customer of this organization."""
        body = {"email": f"c-{uuid.uuid4().hex}@example.com", "name": "Customer"}
        return self.asked("POST", "/v1/customers", name, body, expects=201)

    def new_invoice(self, customer_id, name):
        """A draft of two lines."""
        lines = [
            {"description": "Work", "quantity": 2, "unitAmountCents": 4_999},
            {"description": "Travel", "quantity": 1, "unitAmountCents": 1_250},
        ]
        body = {"customerId": customer_id, "lines": lines}
        return self.asked("POST", "/v1/invoices", name, body, expects=201, key=uuid.uuid4().hex)

    def pay(self, customer_id, name):
        """An invoice, made final, and its checkout; then the same request by the same key."""
        invoice = self.new_invoice(customer_id, f"{name} invoice")
        if invoice is None:
            return
        path = f"/v1/invoices/{invoice['id']}"
        if self.asked("POST", f"{path}/finalize", f"{name} finalize") is None:
            return
        key = uuid.uuid4().hex
        first = self.asked("POST", f"{path}/pay", name, {"mode": "checkout"}, expects=201, key=key)
        again = self.asked(
            "POST", f"{path}/pay", f"{name} again", {"mode": "checkout"}, expects=201, key=key
        )
        if first is not None and first != again:
            raise AssertionError("the same key had another answer")
