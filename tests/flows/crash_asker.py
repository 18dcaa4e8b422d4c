"""Somebody who sends one request until it is answered, and never gives up its key."""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.api.client import Response
from tests.flows.crash_stage import Stage
from tests.support.auditor import IN_PROGRESS, Told
from tests.support.sandbox import BASE_URL

SERVICE_UNAVAILABLE: Final = 503


@dataclass
class Asker:
    """Somebody who sends one request until it is answered, and then again."""

    stage: Stage
    act: str
    path: str
    body: dict[str, Any] | None
    patience: str  # at_once, last or gone
    key: str = field(default_factory=Stage.new_key)
    final: Response | None = None
    wrong: list[str] = field(default_factory=list)
    has_failed: bool = False

    async def ask(self) -> None:
        """Send it; the first answer that is one must be the answer for ever."""
        if self.act == "link":
            response = await self.stage.http.post(self.path)
        else:
            response = await self.stage.client.post(self.path, self.body, idempotency_key=self.key)
        if self.has_failed and self._is_running(response):
            self.wrong.append(f"A1 {self.key} failed, and is still said to run")
        self.has_failed = response.status == SERVICE_UNAVAILABLE
        if response.status >= 500 or self._is_running(response):
            if response.status == 500:
                self.wrong.append(f"X1 {self.key} was answered 500")
            return
        if self.final is None or self.act == "link":
            self.final = response  # whoever clicks again is led to where things stand
        elif (response.status, response.body) != (self.final.status, self.final.body):
            self.wrong.append(
                f"A2 {self.key} was answered {self.final.status} {self.final.body.decode()},"
                f" then {response.status} {response.body.decode()}"
            )

    @property
    def page(self) -> str | None:
        """Where the answer sends the customer."""
        if self.act == "link" and self.final is not None:
            leads_to = self.final.headers.get("location", "")
            return leads_to if leads_to.startswith(BASE_URL) else None
        if self.act != "pay" or self.final is None or self.final.status >= 400:
            return None
        found = self.final.value["checkoutUrl"] or self.final.value["nextActionUrl"]
        return None if found is None else str(found)

    @property
    def told(self) -> Told:
        if self.final is None or self.act == "link":
            return Told(self.act, self.key)
        return Told(self.act, self.key, self.final.status, self.final.json)

    def _is_running(self, response: Response) -> bool:
        return response.status == 409 and response.error["code"] == IN_PROGRESS
