"""Typed reading of one request's fields, with refusals that name the field as Stripe does.

Whatever a route never reads is an unknown parameter: `done()` refuses it, so a caller learns at
once what the sandbox does not play.
"""

import re
from collections.abc import Iterable

from bursar_sandbox.core.refusals import Refusal, invalid, missing
from bursar_sandbox.core.wire import Form

TEXT_MAX = 5_000
METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
INTEGER = re.compile(r"-?[0-9]{1,15}\Z")
URL = re.compile(r"https?://[^\s]+\Z")


class Params:
    """The fields of one request, or of one nested hash of it."""

    def __init__(self, form: Form, path: str = "") -> None:
        self._form = form
        self._path = path
        self._read: set[str] = set()
        self._nested: list[Params] = []

    def label(self, name: str) -> str:
        """The name as the caller wrote it: `card[number]`."""
        return f"{self._path}[{name}]" if self._path else name

    def has(self, name: str) -> bool:
        return name in self._form

    def is_text(self, name: str) -> bool:
        """Whether a field that may be a value or a hash came as a value."""
        return isinstance(self._form.get(name), str)

    def names(self) -> list[str]:
        return list(self._form)

    def text(self, name: str) -> str | None:
        """The string as sent, which may be empty: in an update that clears the field."""
        self._read.add(name)
        value = self._form.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {self.label(name)} is a hash.", self.label(name))
        if len(value) > TEXT_MAX:
            message = f"Invalid string: {self.label(name)} must be at most {TEXT_MAX} characters."
            raise invalid(message, self.label(name))
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing(self.label(name))
        if not value:
            raise invalid(
                f"You passed an empty string for '{self.label(name)}'. We assume empty values are "
                f"an attempt to unset a parameter; however '{self.label(name)}' cannot be unset.",
                self.label(name),
                "parameter_invalid_empty",
            )
        return value

    def choice(self, name: str, allowed: Iterable[str]) -> str | None:
        value = self.text(name)
        if not value:
            return None
        allowed = list(allowed)
        if value not in allowed:
            raise invalid(
                f"Invalid {self.label(name)}: must be one of {', '.join(allowed)}", self.label(name)
            )
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None or not value:
            return None
        if not INTEGER.match(value):
            raise invalid(
                f"Invalid integer: {value[:80]}", self.label(name), "parameter_invalid_integer"
            )
        return int(value)

    def boolean(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None or not value:
            return None
        if value not in {"true", "false"}:
            raise invalid(f"Invalid boolean: {value[:80]}", self.label(name))
        return value == "true"

    def url(self, name: str) -> str | None:
        value = self.text(name)
        if value and not URL.match(value):
            raise invalid("Not a valid URL", self.label(name), "url_invalid")
        return value or None

    def nested(self, name: str) -> "Params | None":
        """A hash inside this one, or nothing when it is absent or unset with an empty string."""
        self._read.add(name)
        value = self._form.get(name)
        if value is None or not value:
            return None
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {self.label(name)}", self.label(name))
        inner = Params(value, self.label(name))
        self._nested.append(inner)
        return inner

    def hash(self, name: str) -> "Params":
        """Like `nested`, but empty instead of nothing."""
        return self.nested(name) or Params({}, self.label(name))

    def items(self, name: str) -> "list[Params]":
        """A list of hashes."""
        listed = self.nested(name)
        if listed is None:
            return []
        found = [listed.nested(key) for key in listed.names()]
        return [item for item in found if item is not None]

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        listed = self.nested(name)
        return [] if listed is None else [listed.required(key) for key in listed.names()]

    def metadata(self, current: dict[str, str] | None = None) -> dict[str, str]:
        """Current metadata with the request's merged in; an empty value removes a key."""
        self._read.add("metadata")
        if self._form.get("metadata") == "":
            return {}
        given = self.nested("metadata")
        merged = dict(current or {})
        for key in [] if given is None else given.names():
            value = given.text(key) if given else ""
            _check_metadata(key, value or "")
            if value:
                merged[key] = value
            else:
                merged.pop(key, None)
        if len(merged) > METADATA_KEYS_MAX:
            raise invalid(f"Metadata can have at most {METADATA_KEYS_MAX} keys.", "metadata")
        return merged

    def accept(self, *names: str) -> None:
        """Fields that are allowed and change nothing here."""
        self._read.update(names)

    def done(self) -> None:
        """Refuse what nobody read.

        Raises:
            Refusal: the first unknown parameter.
        """
        for name in self._form:
            if name not in self._read:
                label = self.label(name)
                raise invalid(f"Received unknown parameter: {label}", label, "parameter_unknown")
        for inner in self._nested:
            inner.done()


def _check_metadata(key: str, value: str) -> None:
    label = f"metadata[{key[:METADATA_KEY_MAX]}]"
    if len(key) > METADATA_KEY_MAX:
        raise _metadata_too_long(label, "keys", METADATA_KEY_MAX)
    if len(value) > METADATA_VALUE_MAX:
        raise _metadata_too_long(label, "values", METADATA_VALUE_MAX)


def _metadata_too_long(label: str, what: str, limit: int) -> Refusal:
    return invalid(f"Metadata {what} can have at most {limit} characters.", label)
