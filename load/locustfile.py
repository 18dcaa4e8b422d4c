"""The load test that `LOAD_SCENARIO` and `LOAD_PROFILE` name; `load/run.py` sets them."""

import json
import os
import random
from pathlib import Path

import gevent
from leaks import Uses
from locust import LoadTestShape, between, events, task
from people import PASSWORD, Person
from terms import SCENARIOS, stages

NAME = os.environ["LOAD_SCENARIO"]
PROFILE = os.environ["LOAD_PROFILE"]
SCENARIO = SCENARIOS[NAME]
GOAL = 3


class Arriving(LoadTestShape):
    """People come by the stages of the profile, and go when the last is over."""

    def tick(self):
        """How many there are now, and how fast they come; None when it is over."""
        for ends, users, rate in stages(SCENARIO, PROFILE):
            if self.get_run_time() < ends:
                return users, max(rate, 1)
        return None


class SigningIn(Person):
    """Registers, signs in, refreshes."""

    registers_as = "register"

    @task(2)
    def login(self):
        """Sign in again."""
        body = {"email": self.email, "password": PASSWORD}
        signed_in = self.asked("POST", "/v1/auth/login", "login", body)
        if signed_in is not None:
            self.refresh_token = signed_in["refreshToken"]

    @task(2)
    def refresh(self):
        """Exchange the refresh token."""
        body = {"refreshToken": self.refresh_token}
        fresh = self.asked("POST", "/v1/auth/refresh", "refresh", body)
        if fresh is not None:
            self.refresh_token = fresh["refreshToken"]

    @task(1)
    def somebody_new(self):
        """Another person comes instead."""
        self.on_start()


class Author(Person):
    """Somebody with a customer and some invoices."""

    abstract = True

    def on_start(self):
        """Somebody to invoice, and a first invoice."""
        super().on_start()
        self.customer = self.until_made(lambda: self.new_customer("setup customer"))["id"]
        first = self.until_made(lambda: self.new_invoice(self.customer, "setup invoice"))
        self.invoices = [first["id"]]

    def write_invoice(self, name):
        """A new draft."""
        made = self.new_invoice(self.customer, name)
        if made is not None:
            self.invoices.append(made["id"])


class Invoicing(Author):
    """Writes invoices, lists them, turns pages, opens one."""

    @task(3)
    def create(self):
        """A new draft."""
        self.write_invoice("create")

    @task(2)
    def list_invoices(self):
        """The newest."""
        self.asked("GET", "/v1/invoices?limit=20", "list")

    @task(1)
    def paginate(self):
        """The second page."""
        self.asked("GET", "/v1/invoices?page=2&pageSize=5", "paginate")

    @task(3)
    def get(self):
        """One of their own."""
        self.asked("GET", f"/v1/invoices/{random.choice(self.invoices)}", "get")


class Paying(Person):
    """Pays invoices by checkout, each request twice."""

    def on_start(self):
        """Somebody who pays."""
        super().on_start()
        self.customer = self.until_made(lambda: self.new_customer("setup customer"))["id"]

    @task
    def checkout(self):
        """An invoice and its payment."""
        self.pay(self.customer, "payment")


class Mixed(Author):
    """Six reads, three writes, one payment in ten."""

    @task(6)
    def read(self):
        """A list or one invoice."""
        path = random.choice(["?limit=20", f"/{random.choice(self.invoices)}"])
        self.asked("GET", f"/v1/invoices{path}", "read")

    @task(3)
    def write(self):
        """A new draft."""
        self.write_invoice("write")

    @task(1)
    def payment(self):
        """An invoice and its payment."""
        self.pay(self.customer, "payment")


def _choose():
    """Only the people of this scenario come; Locust looks for them among this module's names."""
    people = {"auth": SigningIn, "invoice": Invoicing, "payment": Paying, "mixed": Mixed}
    for name, kind in people.items():
        kind.abstract = name != NAME
        if PROFILE == "smoke":
            kind.wait_time = between(0.4, 0.6)


_choose()


@events.test_start.add_listener
def begin(environment, **_rest):
    """Look at what the server uses, for as long as people come."""
    environment.uses = Uses(environment.host)
    gevent.spawn(environment.uses.watch)


@events.quitting.add_listener
def judge(environment, **_rest):
    """Hold what was measured against the thresholds: the report, and the exit code."""
    total = environment.stats.total
    errors = total.fail_ratio
    measured = {}
    for name, limit in SCENARIO.p95_ms.items():
        entries = [each for (known, _), each in environment.stats.entries.items() if known == name]
        p95 = entries[0].get_response_time_percentile(0.95) if entries else None
        measured[name] = {
            "p95Ms": p95,
            "limitMs": limit,
            "isMet": p95 is not None and p95 < limit,
            "isGoalMet": p95 is not None and p95 * GOAL < limit,
        }
    is_good = all(one["isMet"] for one in measured.values()) and errors <= SCENARIO.errors_max
    uses = environment.uses.told()
    if PROFILE == "soak":
        is_good = is_good and all(use["isFlat"] for use in uses.values())
    report = {
        "scenario": NAME,
        "profile": PROFILE,
        "host": environment.host,
        "requests": total.num_requests,
        "requestsPerSecond": round(total.total_rps, 1),
        "errorRatio": round(errors, 4),
        "errorRatioMax": SCENARIO.errors_max,
        "measured": measured,
        "uses": uses,
        "ok": is_good,
    }
    Path(os.environ["LOAD_REPORT"]).write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    environment.process_exit_code = 0 if is_good else 1
