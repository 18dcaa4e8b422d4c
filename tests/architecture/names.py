"""What things may be called: no word that says nothing, one word per thing, one spelling.

Binds files, functions, classes and parameters. Local variables are left to taste, and so are names
that a framework or a standard dictates.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.architecture.rule import ALL_PYTHON, BURSAR, SRC, Rule, Sample
from tests.architecture.source import Function, Offence, Source, dotted, functions

EMPTY_WORDS = frozenset(
    {
        *("base", "bases", "common", "data", "do", "info", "infos", "misc", "service", "services"),
        *("handler", "handlers", "helper", "helpers", "manager", "managers"),
        *("process", "processes", "processing", "util", "utilities", "utility", "utils"),
    },
)
# One word per thing: org, provider, refusal.
OTHER_WORDS = {"tenant": "org", "tenants": "org", "gateway": "provider", "gateways": "provider"}
BRITISH = {
    "authorise": "authorize",
    "authorised": "authorized",
    "behaviour": "behavior",
    "cancelled": "canceled",
    "cancelling": "canceling",
    "centre": "center",
    "cheque": "check",
    "colour": "color",
    "favour": "favor",
    "finalise": "finalize",
    "finalised": "finalized",
    "honour": "honor",
    "initialise": "initialize",
    "normalise": "normalize",
    "organisation": "organization",
    "organisations": "organizations",
    "recognise": "recognize",
    "serialise": "serialize",
    "summarise": "summarize",
}
# Dictated from outside: Litestar's body parameter, the published DATA_DIR, the Stripe SDK's HTTP
# client, asyncio's protocols.
DICTATED = frozenset({"data", "data_dir", "data_received", "post_data"})
# A payment's `processing` status, what runs in one process with its caller, and the methods by
# which asyncio and html.parser call us.
SAYS_SOMETHING = re.compile(r"[Pp]rocessing|[Ii]n_?[Pp]rocess|data_received|handle_data")

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+")


def words(name: str) -> list[str]:
    return [word.lower() for word in WORD.findall(name)]


def declared(source: Source) -> Iterator[tuple[ast.AST | int, str]]:
    """Every name this file introduces to others: its own, functions, classes, parameters."""
    yield 1, PurePosixPath(source.path).stem
    for node in source.nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, node.name
    for one in functions(source):
        yield from ((arg, arg.arg) for arg in parameters(one))


def parameters(function: Function) -> Iterator[ast.arg]:
    args = function.args
    yield from (*args.posonlyargs, *args.args, *args.kwonlyargs)
    yield from (extra for extra in (args.vararg, args.kwarg) if extra)


def empty_words(source: Source) -> Iterator[Offence]:
    for node, name in declared(source):
        if source.path.endswith("jobs/handlers.py") and "handler" in name:
            continue
        if isinstance(node, ast.arg) and name in DICTATED:
            continue
        if name.startswith("test_") and not isinstance(node, int):
            continue  # a test's name is a sentence
        for word in words(SAYS_SOMETHING.sub("", name)):
            if word in EMPTY_WORDS:
                yield source.offence(node, f"`{word}` in the name {name} says nothing")


def other_words(source: Source) -> Iterator[Offence]:
    for node, name in declared(source):
        for word in words(name):
            if word in OTHER_WORDS:
                yield source.offence(
                    node, f"{name}: the house word for {word} is {OTHER_WORDS[word]}"
                )


def british(source: Source) -> Iterator[Offence]:
    for node, name in declared(source):
        for word in words(name):
            if word in BRITISH:
                yield source.offence(node, f"{name}: American spelling is {BRITISH[word]}")


def error_classes(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if not isinstance(node, ast.ClassDef) or not node.name.endswith(("Error", "Exception")):
            continue
        if any(dotted(parent).endswith(("Error", "Exception", "Refusal")) for parent in node.bases):
            yield source.offence(node, f"{node.name}: name the situation (InvoiceAlreadyPaid)")


FILE = "src/bursar/store/x.py"

RULES = (
    Rule(
        name="empty-words",
        law="No name carries a word that says nothing (EMPTY_WORDS in names.py).",
        binds=ALL_PYTHON,
        check=empty_words,
        caught=(
            Sample("src/bursar/store/utils.py", ""),
            Sample(FILE, "def process_invoice(): ..."),
            Sample(FILE, "class InvoiceManager: ..."),
            Sample(FILE, "def f(user_data): ..."),
        ),
        free=(
            Sample("src/bursar/jobs/handlers.py", "def handlers(): ..."),
            Sample(FILE, "def f(metadata, data_dir): ..."),
            Sample(FILE, "class Processing: ..."),
            Sample(FILE, "class InProcessClient: ..."),
        ),
    ),
    Rule(
        name="one-word-per-thing",
        law="One word per thing: org, customer, provider, refusal.",
        binds=BURSAR,
        check=other_words,
        caught=(Sample(FILE, "def f(tenant_id): ..."),),
        free=(Sample(FILE, "def f(org_id): ..."),),
    ),
    Rule(
        name="american",
        law="Names are spelled the American way.",
        binds=ALL_PYTHON,
        check=british,
        caught=(Sample(FILE, "def finalise(): ..."),),
        free=(Sample(FILE, "def finalize(): ..."),),
    ),
    Rule(
        name="situations",
        law="An error class names the situation, never that it is an error.",
        binds=SRC,
        check=error_classes,
        caught=(Sample(FILE, "class PaymentError(Exception): ..."),),
        free=(
            Sample(FILE, "class PaymentInProgress(Exception): ..."),
            Sample(FILE, "class LastPaymentError(Struct): ..."),
        ),
    ),
)
