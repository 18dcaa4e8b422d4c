"""SQL is text in named queries: how the files are written, and that nobody builds SQL in Python.

That every query is used, and prepares against the migrated schema, needs more than one file and is
tested elsewhere.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.architecture.rule import BURSAR, Rule, Sample
from tests.architecture.source import Offence, Source, dotted

QUERY_LINES_MAX = 80
LANE_LINES_MAX = 200

NAME = re.compile(r"-- name: ([a-z][a-z0-9_]*)")
STARTS_LIKE_SQL = re.compile(
    r"\s*(SELECT\b.*\bFROM\b|SELECT\s+[a-z_.]+\(|INSERT\s+INTO\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b|WITH\s+\w+\s+AS\b"
    r"|CREATE\s+(TABLE|ROLE|INDEX|FUNCTION|DATABASE)\b|ALTER\s+(TABLE|ROLE)\b|SET\s+(LOCAL|ROLE|SESSION)\b|MERGE\s+INTO\b)",
    re.DOTALL,
)
CONNECTION_METHODS = frozenset(
    {"execute", "executemany", "fetch", "fetchrow", "fetchval", "prepare"}
)
# Roles and databases cannot be parameters of a statement; these files quote what they put in.
BUILDERS = (
    "src/bursar/migrations/*",
    "src/bursar/runtime/db.py",
    "src/bursar/runtime/embedded*",
    "src/bursar/runtime/migrations.py",
)


@dataclass(frozen=True, slots=True)
class Query:
    name: str
    line: int
    text: tuple[str, ...]

    @property
    def statement(self) -> list[str]:
        return [line for line in self.text if line.strip() and not line.lstrip().startswith("--")]

    @property
    def promise(self) -> list[str]:
        """The comment lines between the name and the statement."""
        opening = []
        for line in self.text:
            if not line.startswith("-- "):
                break
            opening.append(line)
        return opening


def queries_of(source: Source) -> list[Query]:
    starts = [
        (number, found[1])
        for number, line in enumerate(source.lines)
        if (found := NAME.fullmatch(line.rstrip()))
    ]
    ends = [number for number, _ in starts[1:]] + [len(source.lines)] * bool(starts)
    return [
        Query(name, start + 1, tuple(source.lines[start + 1 : end]))
        for (start, name), end in zip(starts, ends, strict=True)
    ]


def malformed(source: Source) -> Iterator[Offence]:
    found = queries_of(source)
    if not found:
        yield source.offence(1, "no `-- name: query_name` line")
    limit = (
        LANE_LINES_MAX
        if "/lanes/" in source.path or source.path.endswith("_run.sql")
        else QUERY_LINES_MAX
    )
    for number, query in enumerate(found):
        if not query.promise:
            yield source.offence(query.line, f"{query.name}: no `-- ` line says what it guarantees")
        if not query.statement:
            yield source.offence(query.line, f"{query.name}: no statement")
        if len(query.statement) > limit:
            yield source.offence(
                query.line, f"{query.name}: {len(query.statement)} lines, the most is {limit}"
            )
        if query.name in {earlier.name for earlier in found[:number]}:
            yield source.offence(query.line, f"{query.name}: the name is taken in this file")


def built(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        match node:
            case ast.JoinedStr(values=values) if any(
                isinstance(part, ast.FormattedValue) for part in values
            ):
                text = "".join(str(part.value) for part in values if isinstance(part, ast.Constant))
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod() | ast.Add()):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
                pass
            case _:
                continue
        if STARTS_LIKE_SQL.match(text):
            yield source.offence(node, f"SQL is put together here: {' '.join(text.split())[:50]}…")


def inline(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CONNECTION_METHODS
            and node.args
            and isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp)
        ):
            yield source.offence(node, f"{node.func.attr}() is given SQL that has no name")


def misplaced(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and node.module == "bursar.runtime.sql":
            yield source.offence(node, "queries are loaded here")
        if isinstance(node, ast.Import) and any(
            alias.name == "bursar.runtime.sql" for alias in node.names
        ):
            yield source.offence(node, "queries are loaded here")
        if isinstance(node, ast.ImportFrom | ast.Import) and dotted_import(node) == "asyncpg":
            yield source.offence(node, "the database driver is imported here")
        if isinstance(node, ast.Call) and dotted(node.func).endswith(
            ("tx.execute", "tx.fetch", "tx.fetchrow", "tx.fetchval")
        ):
            yield source.offence(node, "a query is run here")


def dotted_import(node: ast.ImportFrom | ast.Import) -> str:
    name = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
    return (name or "").partition(".")[0]


SQL_FILE = "src/bursar/store/x.sql"
PY_FILE = "src/bursar/store/x.py"
GOOD = "-- name: get\n-- One invoice, or none.\nSELECT 1;\n"

RULES = (
    Rule(
        name="query-form",
        law=f"A query has its `-- name:`, its guarantee and at most {QUERY_LINES_MAX} lines.",
        binds=("src/bursar/store/*.sql", "src/bursar/reads/*.sql", "src/bursar/runtime/*.sql"),
        check=malformed,
        caught=(
            Sample(SQL_FILE, "SELECT 1"),
            Sample(SQL_FILE, "-- name: get\nSELECT 1"),
            Sample(SQL_FILE, "-- name: get\n-- One.\n"),
            Sample(SQL_FILE, GOOD + GOOD),
            Sample(SQL_FILE, GOOD + "AND 1 = 1\n" * QUERY_LINES_MAX),
        ),
        free=(Sample(SQL_FILE, GOOD + GOOD.replace("get", "get_all")),),
    ),
    Rule(
        name="no-built-sql",
        law="SQL is never put together from pieces: values are parameters.",
        binds=BURSAR,
        except_for=BUILDERS,
        check=built,
        caught=(
            Sample(PY_FILE, "f'SELECT * FROM {table}'"),
            Sample(PY_FILE, "'DELETE FROM invoices WHERE id = %s' % x"),
            Sample(PY_FILE, "'INSERT INTO ' + table"),
            Sample(PY_FILE, "'UPDATE {} SET a = 1'.format(x)"),
        ),
        free=(
            Sample(PY_FILE, "f'Select {what} and go'"),
            Sample(PY_FILE, "f'{count} rows'"),
            Sample("src/bursar/runtime/embedded.py", "f'CREATE ROLE {name}'"),
        ),
    ),
    Rule(
        name="named-queries",
        law="store and reads run named queries, never text of their own.",
        binds=("src/bursar/store/*.py", "src/bursar/reads/*.py", "src/bursar/operations/*.py"),
        check=inline,
        caught=(Sample(PY_FILE, "await tx.fetchrow('SELECT 1')"),),
        free=(Sample(PY_FILE, "await tx.fetchrow(SQL.get, invoice_id)"),),
    ),
    Rule(
        name="query-floors",
        law="Queries run only in store, reads and runtime.",
        binds=BURSAR,
        except_for=(
            "src/bursar/main.py",
            "src/bursar/migrations/*",
            "src/bursar/reads/*",
            "src/bursar/runtime/*",
            "src/bursar/store/*",
        ),
        check=misplaced,
        caught=(
            Sample("src/bursar/operations/x.py", "from bursar.runtime.sql import load"),
            Sample("src/bursar/flows/x.py", "import asyncpg"),
            Sample("src/bursar/operations/x.py", "await tx.fetch(query)"),
        ),
        free=(
            Sample("src/bursar/operations/x.py", "await invoices.get(tx, invoice_id)"),
            Sample(PY_FILE, "import asyncpg"),
        ),
    ),
)
