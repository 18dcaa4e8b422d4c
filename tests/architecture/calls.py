"""Calls that only one place may make: time, chance, environment, printing, comparing secrets.

Each has one home so that tests can hold time still, secrets cannot be guessed byte by byte, and a
value that came from outside can be traced to its door.
"""

import ast
from collections.abc import Iterator

from tests.architecture.rule import BURSAR, DOMAIN, SRC, Check, Rule, Sample
from tests.architecture.source import Offence, Source, dotted

CLOCKS = frozenset(
    {
        "date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "datetime.date.today",
        "datetime.now",
        "datetime.today",
        "datetime.utcnow",
        "dt.datetime.now",
        "time.time",
        "time.time_ns",
        "utcnow",
    },
)
CHANCE = frozenset({"os.urandom", "uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4"})
CHANCE_MODULES = ("random", "secrets")
ENVIRONMENT = frozenset({"environ", "environb", "getenv", "os.environ", "os.environb", "os.getenv"})


def naming(*banned: str) -> Check:
    """Catch these dotted names wherever they are read."""

    def check(source: Source) -> Iterator[Offence]:
        for node in source.nodes:
            if isinstance(node, ast.Name | ast.Attribute) and dotted(node) in banned:
                yield source.offence(node, f"{dotted(node)} is called here")

    return check


def chance(source: Source) -> Iterator[Offence]:
    yield from naming(*CHANCE)(source)
    for node in source.nodes:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (
            source.offence(node, f"{name} is imported here")
            for name in names
            if name in CHANCE_MODULES
        )


def printing(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if isinstance(node, ast.Call) and dotted(node.func) == "print":
            yield source.offence(node, "print is called here")


def division(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield source.offence(node, f"`/` in {ast.unparse(node)}")


def floats(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if isinstance(node, ast.Name) and node.id == "float":
            yield source.offence(node, "float is named here")
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield source.offence(node, f"the literal {node.value!r} is a float")


def status_replaced(source: Source) -> Iterator[Offence]:
    for outer in source.nodes:
        if not isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) or outer.name == "to":
            continue
        for node in ast.walk(outer):
            if (
                isinstance(node, ast.Call)
                and dotted(node.func).rpartition(".")[2] == "replace"
                and any(keyword.arg == "status" for keyword in node.keywords)
            ):
                yield source.offence(node, f"{outer.name} replaces a status; only `to` may")


SECRET_WORDS = frozenset(
    {"token", "secret", "signature", "hash", "mac", "digest", "password", "hmac"}
)
# `token_kind`, `signature_version`: about the secret, not the secret.
ABOUT_SECRETS = frozenset(
    {
        "at",
        "count",
        "id",
        "ids",
        "kind",
        "length",
        "max",
        "name",
        "on",
        "prefix",
        "scheme",
        "status",
        "type",
        "version",
    },
)


def secret_comparisons(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            continue
        sides = (node.left, *node.comparators)
        if any(isinstance(side, ast.Constant) for side in sides):
            continue
        if any(is_secret(side) for side in sides):
            yield source.offence(node, f"{ast.unparse(node)} stops at the first different byte")


def is_secret(node: ast.expr) -> bool:
    words = last_name(node).lower().split("_")
    return not SECRET_WORDS.isdisjoint(words) and words[-1] not in ABOUT_SECRETS


def last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=called):
            return "" if last_name(called) in {"len", "type"} else last_name(called)
        case _:
            return ""


def partial_matches(source: Source) -> Iterator[Offence]:
    anchored = anchored_patterns(source)
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        if stops_early(node, anchored):
            yield source.offence(node, "match() stops before the end; use fullmatch()")
        patterns = [keyword.value for keyword in node.keywords if keyword.arg == "pattern"]
        if dotted(node.func) in {"re.compile", "re.search", "re.findall"}:
            patterns += node.args[:1]
        for text in filter(open_end, map(literal, patterns)):
            yield source.offence(node, f"{text!r}: `$` lets a newline follow")


def stops_early(call: ast.Call, anchored: frozenset[str]) -> bool:
    """`pattern.match(text, position)` is a scanner's step, which must stop early."""
    if dotted(call.func) == "re.match":
        return True
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "match":
        return False
    return len(call.args) == 1 and dotted(call.func.value) not in anchored


def anchored_patterns(source: Source) -> frozenset[str]:
    r"""The patterns of this file that reach the very end by themselves, with `\Z`."""
    return frozenset(
        dotted(node.targets[0])
        for node in source.tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and any(literal(arg).endswith("\\Z") for arg in node.value.args)
    )


def literal(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def open_end(pattern: str) -> bool:
    return pattern.endswith("$") and not pattern.endswith("\\$")


DOMAIN_FILE = "src/bursar/domain/x.py"
STORE_FILE = "src/bursar/store/x.py"

RULES = (
    Rule(
        name="clock",
        law="The wall clock is read in runtime/clock.py alone; everyone else is told the time.",
        binds=SRC,
        except_for=("src/bursar/runtime/clock.py", "src/bursar_sandbox/clock.py"),
        check=naming(*sorted(CLOCKS)),
        caught=(
            Sample(STORE_FILE, "datetime.now(UTC)"),
            Sample(STORE_FILE, "import time\nx = time.time()"),
            Sample(STORE_FILE, "field(default_factory=datetime.datetime.utcnow)"),
        ),
        free=(
            Sample(STORE_FILE, "import time\nx = time.monotonic()\ny = tx.now"),
            Sample("src/bursar/runtime/clock.py", "datetime.now(UTC)"),
        ),
    ),
    Rule(
        name="chance",
        law="Chance comes from runtime/ids.py, crypto.py and secret.py alone.",
        binds=SRC,
        except_for=(
            "src/bursar/runtime/crypto.py",
            "src/bursar/runtime/ids.py",
            "src/bursar/runtime/secret.py",
            "src/bursar_sandbox/crypto.py",
            "src/bursar_sandbox/ids.py",
            "src/bursar_sandbox/main.py",
        ),
        check=chance,
        caught=(
            Sample(STORE_FILE, "import random"),
            Sample(STORE_FILE, "from secrets import token_hex"),
            Sample(STORE_FILE, "import uuid\nx = uuid.uuid4()"),
        ),
        free=(Sample(STORE_FILE, "from uuid import UUID\nx = UUID(int=1)"),),
    ),
    Rule(
        name="environment",
        law="The environment is read once, in runtime/settings.py.",
        binds=SRC,
        except_for=("src/bursar/runtime/settings.py", "src/bursar_sandbox/settings.py"),
        check=naming(*sorted(ENVIRONMENT)),
        caught=(Sample(STORE_FILE, "os.environ['X']"), Sample(STORE_FILE, "os.getenv('X')")),
        free=(Sample("src/bursar/runtime/settings.py", "os.environ['X']"),),
    ),
    Rule(
        name="print",
        law="Only the command line prints; everything else logs.",
        binds=SRC,
        except_for=("src/bursar/cli/*",),
        check=printing,
        caught=(Sample(STORE_FILE, "print(1)"),),
        free=(Sample("src/bursar/cli/root.py", "print(1)"), Sample(STORE_FILE, "console.print(1)")),
    ),
    Rule(
        name="no-division",
        law="Money is shared by allocate() or Rate, never divided: no `/` in domain.",
        binds=DOMAIN,
        check=division,
        caught=(Sample(DOMAIN_FILE, "x = a / b"), Sample(DOMAIN_FILE, "x /= 2")),
        free=(Sample(DOMAIN_FILE, "x, rest = divmod(a, b)"),),
    ),
    Rule(
        name="no-float",
        law="No float in domain: not the type, not the function, not a literal.",
        binds=DOMAIN,
        check=floats,
        caught=(
            Sample(DOMAIN_FILE, "x = 0.5"),
            Sample(DOMAIN_FILE, "x = float(y)"),
            Sample(DOMAIN_FILE, "def f(x: float): ..."),
        ),
        free=(Sample(DOMAIN_FILE, "x = Decimal('0.5')"),),
    ),
    Rule(
        name="status-by-transition",
        law="A status changes through the noun's `to(...)`, which knows the allowed transitions.",
        binds=BURSAR,
        check=status_replaced,
        caught=(Sample(DOMAIN_FILE, "def pay(self):\n    return replace(self, status=1)"),),
        free=(
            Sample(DOMAIN_FILE, "def to(self, status):\n    return replace(self, status=status)"),
        ),
    ),
    Rule(
        name="constant-time",
        law="Secrets are compared by hmac.compare_digest, never by ==.",
        binds=SRC,
        check=secret_comparisons,
        caught=(
            Sample(STORE_FILE, "ok = token == given"),
            Sample(STORE_FILE, "ok = row['key_hash'] != expected"),
            Sample(STORE_FILE, "ok = request.signature == compute()"),
            Sample(STORE_FILE, "ok = mine == mac.hexdigest_hmac()"),
        ),
        free=(
            Sample(STORE_FILE, "ok = hmac.compare_digest(token, given)"),
            Sample(STORE_FILE, "ok = token is None or token == ''"),
            Sample(STORE_FILE, "ok = token_kind == kind"),
            Sample(STORE_FILE, "ok = len(token) == length"),
        ),
    ),
    Rule(
        name="whole-match",
        law="Text is matched whole: fullmatch(), never match() nor a pattern that ends in `$`.",
        binds=SRC,
        check=partial_matches,
        caught=(
            Sample(STORE_FILE, "re.match('^a$', x)"),
            Sample(STORE_FILE, "ID.match(x)"),
            Sample(STORE_FILE, "re.compile(r'^[a-z]+$')"),
            Sample(STORE_FILE, "Meta(pattern='^a$')"),
        ),
        free=(
            Sample(STORE_FILE, "re.compile('[a-z]+').fullmatch(x)"),
            Sample(STORE_FILE, "CLAUSE.match(text, position)"),
            Sample(STORE_FILE, "ID = re.compile(r'[a-z]+\\Z')\nID.match(x)"),
            Sample(STORE_FILE, "Meta(pattern=r'^a$(?!\\n)')"),
        ),
    ),
)
