"""How large a thing may grow before it must be split: hard stops, not aims.

A file or function that is over when its limit is introduced goes on the ratchet with its size; the
list may only shrink, and an entry that is no longer needed is itself a fault.
"""

import ast
from collections.abc import Iterator

from tests.architecture.rule import ALL_PYTHON, BURSAR, SRC, Rule, Sample
from tests.architecture.source import Function, Offence, Source, dotted, functions

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 500
PARAMETERS_MAX = 5
NESTING_MAX = 3
FLOW_OPERATIONS_MAX = 5

# "path::function" or "path" -> lines allowed. It began empty, and may only shrink.
RATCHET: dict[str, int] = {}
# How many entries the ratchet may have; lower it with every one that goes.
RATCHET_SIZE = 0

BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def long_functions(source: Source) -> Iterator[Offence]:
    for one in functions(source):
        lines = (one.end_lineno or one.lineno) - one.lineno + 1
        if lines > RATCHET.get(f"{source.path}::{one.name}", FUNCTION_LINES_MAX):
            yield source.offence(
                one, f"{one.name} has {lines} lines, the most is {FUNCTION_LINES_MAX}"
            )


def function_sizes(source: Source) -> dict[str, int]:
    """Lines of each function under the key by which the ratchet names it."""
    return {
        f"{source.path}::{one.name}": (one.end_lineno or one.lineno) - one.lineno + 1
        for one in functions(source)
    }


def long_files(source: Source) -> Iterator[Offence]:
    lines = len(source.lines)
    if lines > RATCHET.get(source.path, FILE_LINES_MAX):
        yield source.offence(1, f"{lines} lines, the most is {FILE_LINES_MAX}")


def many_parameters(source: Source) -> Iterator[Offence]:
    for one in functions(source):
        names = [arg.arg for arg in parameters(one) if arg.arg not in {"self", "cls"}]
        if len(names) > PARAMETERS_MAX and not called_by_framework(source, one):
            yield source.offence(
                one,
                f"{one.name} takes {len(names)} parameters, the most is {PARAMETERS_MAX}",
            )


def parameters(function: Function) -> list[ast.arg]:
    args = function.args
    return [*args.posonlyargs, *args.args, *args.kwonlyargs]


def called_by_framework(source: Source, function: Function) -> bool:
    """Routes and commands get a parameter per field or option, by name, from their framework."""
    edges = ("src/bursar/api/", "src/bursar/console/", "src/bursar/cli/", "src/bursar_sandbox/")
    return source.path.startswith(edges) and bool(function.decorator_list)


def twins(source: Source) -> Iterator[Offence]:
    for one in offered(source):
        args = [arg for arg in (*one.args.posonlyargs, *one.args.args) if arg.annotation]
        kinds = [ast.unparse(arg.annotation) for arg in args if arg.annotation]
        for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
            both = [arg.arg for arg, its in zip(args, kinds, strict=True) if its == kind]
            yield source.offence(one, f"{one.name}: {', '.join(both)} are all {kind}")


def offered(source: Source) -> Iterator[Function]:
    """Functions others call whose signature is ours: a class that inherits may have it dictated."""
    free = [node for node in source.tree.body if isinstance(node, ast.ClassDef) and not node.bases]
    holders: list[ast.Module | ast.ClassDef] = [source.tree, *free]
    for holder in holders:
        for one in holder.body:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not (
                one.name.startswith("_") or called_by_framework(source, one)
            ):
                yield one


def deep_nesting(source: Source) -> Iterator[Offence]:
    for one in functions(source):
        deepest = max((depth_of(child, 0) for child in one.body), default=0)
        if deepest > NESTING_MAX:
            yield source.offence(one, f"{one.name} nests {deepest} deep, the most is {NESTING_MAX}")


def depth_of(node: ast.AST, above: int) -> int:
    """Blocks within blocks; an `elif` is no deeper than its `if`, an inner function starts anew."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return above
    here = above + isinstance(node, BLOCKS)
    deepest = here
    for name, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, ast.AST):
                deepest = max(
                    deepest, depth_of(child, above if is_elif(node, name, children) else here)
                )
    return deepest


def is_elif(node: ast.AST, name: str, children: list[object]) -> bool:
    return (
        isinstance(node, ast.If)
        and name == "orelse"
        and len(children) == 1
        and isinstance(children[0], ast.If)
    )


def long_flows(source: Source) -> Iterator[Offence]:
    for one in functions(source):
        runs = [
            node
            for node in ast.walk(one)
            if isinstance(node, ast.Call) and dotted(node.func).endswith("caller.run")
        ]
        if len(runs) > FLOW_OPERATIONS_MAX:
            yield source.offence(
                one, f"{one.name} runs {len(runs)} operations, the most is {FLOW_OPERATIONS_MAX}"
            )


LONG = "def long() -> None:\n" + "    pass\n" * FUNCTION_LINES_MAX
NESTED = """
def deep(x):
    for a in x:
        with a:
            if a:
                while a:
                    pass
"""
FLAT = """
def flat(x):
    for a in x:
        with a:
            if a == 1:
                pass
            elif a == 2:
                pass
            elif a == 3:
                pass
            else:
                pass
"""


def frozen_dataclasses(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and any(map(_is_frozen, node.decorator_list)):
            yield source.offence(node, f"{node.name} is a frozen dataclass")


def _is_frozen(decorator: ast.expr) -> bool:
    told = ast.unparse(decorator)
    return "dataclass(" in told and "frozen=True" in told


RULES = (
    Rule(
        name="frozen-values",
        law="A value that never changes is a frozen Struct, never a frozen dataclass.",
        binds=SRC,
        check=frozen_dataclasses,
        caught=(
            Sample("src/bursar/domain/x.py", "@dataclass(frozen=True, slots=True)\nclass A: ..."),
            Sample("src/bursar/cli/x.py", "@dataclasses.dataclass(frozen=True)\nclass A: ..."),
        ),
        free=(
            Sample("src/bursar/domain/x.py", "class A(Struct, frozen=True): ..."),
            Sample("src/bursar/cli/x.py", "@dataclass\nclass A: ..."),
        ),
    ),
    Rule(
        name="function-length",
        law=f"A function has at most {FUNCTION_LINES_MAX} lines (aim for 10).",
        binds=ALL_PYTHON,
        check=long_functions,
        caught=(Sample("src/bursar/domain/x.py", LONG),),
        free=(Sample("src/bursar/domain/x.py", LONG.replace("    pass\n", "", 1)),),
    ),
    Rule(
        name="file-length",
        law=f"A file has at most {FILE_LINES_MAX} lines (aim for 250); then it becomes a folder.",
        binds=ALL_PYTHON,
        except_for=("src/bursar/migrations/*",),
        check=long_files,
        caught=(Sample("src/bursar/domain/x.py", "\n" * (FILE_LINES_MAX + 1)),),
        free=(Sample("src/bursar/domain/x.py", "\n" * FILE_LINES_MAX),),
    ),
    Rule(
        name="parameters",
        law=f"A function takes at most {PARAMETERS_MAX} parameters, then a frozen Struct.",
        binds=("src/*.py", "bench/*.py"),
        check=many_parameters,
        caught=(Sample("src/bursar/domain/x.py", "def f(a, b, c, *, d, e, f): ..."),),
        free=(
            Sample("src/bursar/domain/x.py", "class A:\n    def f(self, a, b, c, *, d, e): ..."),
            Sample("src/bursar/api/v1/x.py", "@get()\ndef f(a, b, c, d, e, f): ..."),
        ),
    ),
    Rule(
        name="twin-parameters",
        law="Two parameters of one type are keyword-only, so that nobody can swap them.",
        binds=BURSAR,
        check=twins,
        caught=(Sample("src/bursar/domain/x.py", "def move(sender: str, receiver: str): ..."),),
        free=(
            Sample("src/bursar/domain/x.py", "def move(*, sender: str, receiver: str): ..."),
            Sample("src/bursar/domain/x.py", "def move(sender: str, at: int): ..."),
        ),
    ),
    Rule(
        name="nesting",
        law=f"Blocks nest at most {NESTING_MAX} deep: push ifs up and fors down.",
        binds=("src/*.py", "bench/*.py"),
        check=deep_nesting,
        caught=(Sample("src/bursar/domain/x.py", NESTED),),
        free=(Sample("src/bursar/domain/x.py", FLAT),),
    ),
    Rule(
        name="flow-length",
        law=f"A flow runs at most {FLOW_OPERATIONS_MAX} operations; more is two flows and a task.",
        binds=("src/bursar/flows/*.py",),
        check=long_flows,
        caught=(
            Sample(
                "src/bursar/flows/x.py",
                "async def f(caller):\n" + "    await caller.run(a, B())\n" * 6,
            ),
        ),
        free=(
            Sample(
                "src/bursar/flows/x.py",
                "async def f(caller):\n" + "    await caller.run(a, B())\n" * 5,
            ),
        ),
    ),
)
