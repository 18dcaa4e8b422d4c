"""The operations of the OpenAPI document, ready to be asked for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.api.client import Client, Response
from tests.api.people import Things, named_in

from bursar.api.openapi import document
from bursar.domain.access import Permission

DOCUMENT = document(version="0", server_url="http://localhost:3000")
METHODS = ("get", "post", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One operation as the document describes it."""

    method: str
    path: str
    described: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def needs(self) -> Permission:
        return Permission(self.described["x-permission"])

    @property
    def audience(self) -> str:
        return str(self.described["x-audience"])

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.described["responses"]}

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return [_resolved(each) for each in self.described["parameters"]]

    @property
    def body(self) -> Any:
        """The example that the document gives, or None."""
        content = self.described.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("example")

    @property
    def named(self) -> set[str]:
        """The prefixes of the things that it is about."""
        in_path = [self._examples[name] for name in re.findall(r"\{(\w+)\}", self.path)]
        return named_in([*in_path, self.body])

    def filled_path(self, things: Things) -> str:
        """The path with ids of these things."""
        examples = self._examples
        return re.sub(r"\{(\w+)\}", lambda found: str(things.fill(examples[found[1]])), self.path)

    @property
    def _examples(self) -> dict[str, Any]:
        return {each["name"]: each.get("example") for each in self.parameters}

    async def ask(self, client: Client, things: Things, **headers: str) -> Response:
        """The documented example, about these things."""
        body = None if self.body is None else things.fill(self.body)
        path = self.filled_path(things)
        return await client.ask(self.method, path, body, headers=headers)


def _resolved(parameter: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in parameter:
        return parameter
    found: dict[str, Any] = DOCUMENT["components"]["parameters"][parameter["$ref"].split("/")[-1]]
    return found


def operations() -> Iterator[Operation]:
    """All of them."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(method.upper(), path, item[method])


OPERATIONS = tuple(operations())
