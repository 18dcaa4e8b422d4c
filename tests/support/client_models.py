"""How the client's models are spelled: names, annotations, structs and enumerations.

Knows the schemas of an OpenAPI document and Python; what is made of both is put together by
`tests/support/client_writer.py`.
"""

import keyword
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
INDENT: Final = "    "
_CHOICES_MAX: Final = 20  # an inline list of values that is longer is text
_WIDTH: Final = 92
_OR_NONE: Final = " | None"
_PLAIN: Final = {
    ("string", "date-time"): "dt.datetime",
    ("string", "date"): "dt.date",
    ("string", "decimal"): "Decimal",
    ("string", None): "str",
    ("integer", None): "int",
    ("integer", "int64"): "int",
    ("boolean", None): "bool",
    ("null", None): "None",
    ("object", None): "dict[str, Any]",
}


def attribute(tag: str) -> str:
    """`API keys` are at `api_keys`."""
    return tag.lower().replace("-", "").replace(" ", "_")


def class_of(tag: str) -> str:
    """`API keys` is the class `ApiKeys`."""
    return "".join(word.capitalize() for word in attribute(tag).split("_"))


def snake(name: str) -> str:
    """`createdAt[gte]` is `created_at_gte`; a word of Python's gets a tail."""
    plain = re.sub(r"\[(\w+)\]", r"_\1", name)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()
    return f"{text}_" if keyword.iskeyword(text) else text


def camel_of(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def named(schema: Any) -> Iterator[str]:
    """The names that a schema refers to."""
    if isinstance(schema, list):
        for each in schema:
            yield from named(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield name_of(schema)
        for each in schema.values():
            yield from named(each)


def name_of(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def type_of(schema: Schema, wider: Mapping[str, Schema], *, is_sent: bool = False) -> str:
    """The annotation."""
    if "$ref" in schema:
        name = name_of(schema)
        return f"Wide{name}" if name in wider else name
    if "anyOf" in schema:
        options = [type_of(each, wider, is_sent=is_sent) for each in schema["anyOf"]]
        return " | ".join(dict.fromkeys(options))
    if "enum" in schema:
        is_told = is_sent and len(schema["enum"]) <= _CHOICES_MAX
        return f"Literal[{', '.join(map(quoted, schema['enum']))}]" if is_told else "str"
    for holder, inner in (("list", "items"), ("dict", "additionalProperties")):
        if isinstance(schema.get(inner), Mapping):
            inside = type_of(schema[inner], wider, is_sent=is_sent)
            return f"list[{inside}]" if holder == "list" else f"dict[str, {inside}]"
    is_bare = not schema.keys() - {"default", "examples"}
    return "Any" if is_bare else _PLAIN[schema["type"], schema.get("format")]


def enum_of(name: str, schema: Schema) -> str:
    members = [
        f"{INDENT}{re.sub(r'[^A-Z0-9]+', '_', each.upper())} = {quoted(each)}"
        for each in schema["enum"]
    ]
    about = docstring(schema.get("description", "One of these."))
    return "\n".join([f"class {name}(OpenEnum):", about, "", *members, ""])


def struct_of(name: str, schema: Schema, *, is_sent: bool, wider: Mapping[str, Schema]) -> str:
    """What is sent leaves out what is not given; what comes may have more than is known."""
    required = schema.get("required", [])
    known = {} if is_sent else wider
    lines = []
    for each, described in schema["properties"].items():
        if is_sent and each not in required:
            lines.append(_optional(each, described))
        elif each in required:
            lines.append(field_of(each, described, known, is_sent=is_sent))
        else:
            lines.append(field_of(each, {"default": None, **described}, known))
    about = docstring(schema.get("description", "A part of a resource."))
    options = 'rename="camel", kw_only=True, frozen=True'
    return "\n".join([f"class {name}(msgspec.Struct, {options}):", about, "", *lines, ""])


def _optional(name: str, schema: Schema) -> str:
    kind = type_of(schema, {}, is_sent=True)
    plain = kind.removesuffix(_OR_NONE)
    tail = "" if plain == kind else _OR_NONE
    return _line(name, f"{plain} | UnsetType{tail}", default="UNSET")


def field_of(
    name: str, schema: Schema, wider: Mapping[str, Schema], *, is_sent: bool = False
) -> str:
    kind = type_of(schema, wider, is_sent=is_sent)
    if "default" not in schema or is_sent:
        return _line(name, kind)
    given = schema["default"]
    if given is None:
        return _line(name, f"{kind.removesuffix(_OR_NONE)}{_OR_NONE}", default="None")
    if isinstance(given, dict | list):
        return _line(name, kind, factory=type(given).__name__)
    if "$ref" in schema:
        return _line(name, kind, default=f"{kind}({quoted(given)})")
    return _line(name, kind, default=quoted(given) if isinstance(given, str) else repr(given))


def _line(name: str, kind: str, *, default: str | None = None, factory: str | None = None) -> str:
    """One field; a name that renaming would not bring back is given."""
    own = snake(name)
    told = {} if camel_of(own) == name else {"name": quoted(name)}
    if factory is not None:
        told["default_factory"] = factory
    if default is not None:
        told["default"] = default
    if not told.keys() - {"default"}:
        return f"{INDENT}{own}: {kind}" + (f" = {default}" if default is not None else "")
    inside = ", ".join(f"{key}={text}" for key, text in told.items())
    return f"{INDENT}{own}: {kind} = msgspec.field({inside})"


def quoted(text: str) -> str:
    return f'"{text}"'


def docstring(text: str, *, depth: int = 1) -> str:
    """The text as a docstring, in lines that fit."""
    indent = INDENT * depth
    first, *rest = [" ".join(each.split()) for each in text.replace("\\", "").split("\n\n")]
    sentence, _, more = first.partition(". ")
    parts = [sentence.rstrip(".") + ".", *([more] if more else []), *rest]
    lines = [textwrap.fill(each, _WIDTH, initial_indent=indent, subsequent_indent=indent)
             for each in parts]  # fmt: skip
    if len(lines) == 1 and "\n" not in lines[0]:
        return f'{indent}"""{lines[0].strip()}"""'
    return f'{indent}"""' + "\n\n".join(lines).lstrip() + f'\n{indent}"""'
