"""Change xunqin.py in one place at a time and see whether the tests notice: python tests/mutants.py [options].

By hand, not in CI. An operator, a constant or a condition of one section is changed in a copy of the project, and the
tests that concern the section run there until the first fails; a change that none notices is printed.

    python tests/mutants.py --section Match --sample 80 --seed 1 --jobs 2
    python tests/mutants.py --section Match --function by_name      every change of one function
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SECTION = re.compile(r"^# =+\n# (\w+)[^\n]*\n# =+$", re.M)
SUITE = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore")
# Tests of the whole gazetteer, of random texts and of processes take most of the time and find little that others miss.
SLOW = " and ".join(f"not {name}" for name in ("stored", "traditional", "name_from_elsewhere", "never", "process"))
MATCHING = ("tests/test_match.py", "tests/test_gold.py")
IMPORTING = ("tests/test_import.py", "tests/test_import_own.py", "tests/test_pictures.py")
READING = ("tests/test_import.py", "tests/test_import_own.py", "tests/test_import_hostile.py")
CHECKING = ("tests/test_commands.py", "tests/test_attack.py")
TESTS = {
    "Names": MATCHING, "Match": MATCHING, "Import": IMPORTING, "Readers": READING, "Merge": IMPORTING,
    "Pictures": IMPORTING[2:], "Check": CHECKING,
}  # fmt: skip

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Mod: ast.Mult,
}  # fmt: skip


class Mutant(NamedTuple):
    """One change: the bytes from start to end of the source become `text`."""

    line: int
    function: str
    start: int
    end: int
    text: str


def sections(source: str) -> dict[str, range]:
    """{the name of a section: its lines}; Readers, Merge and Pictures are parts of Import."""
    heads = [(match[1], source.count("\n", 0, match.start()) + 1) for match in SECTION.finditer(source)]
    ends = [line for _, line in heads[1:]] + [source.count("\n") + 1]
    found = {name: range(line, end) for (name, line), end in zip(heads, ends)}
    lines = source.splitlines()
    parts = [at for at, line in enumerate(lines, 1) if line.startswith(("# ---", "# ==="))]

    def part(start: str) -> int:
        return next(at for at in parts if lines[at - 1].startswith(f"# --- {start}"))

    own, pictures = part("the user's own list"), part("pictures ")
    return found | {
        "Readers": range(found["Import"].start, part("entries")),
        "Merge": range(own, next(at for at in parts if at > own)),
        "Import": range(found["Import"].start, pictures),
        "Pictures": range(pictures, found["Import"].stop),
    }


def operators(node: ast.AST) -> Iterator[ast.AST]:
    """A comparison, and/or, a sum or a `not` with another operator; and/or without one of its parts."""
    if isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            ops = [*node.ops[:at], COMPARED[type(op)](), *node.ops[at + 1 :]]
            yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for at in range(len(node.values)):
            left = [*node.values[:at], *node.values[at + 1 :]]
            yield ast.BoolOp(node.op, left) if len(left) > 1 else left[0]
    elif isinstance(node, ast.BinOp) and type(node.op) in RECKONED:
        yield ast.BinOp(node.left, RECKONED[type(node.op)](), node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def constants(node: ast.AST) -> Iterator[ast.AST]:
    """Another value for a constant: a number one more, a text empty."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and node.value and isinstance(node.value, str):
        yield ast.Constant("")


def conditions(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(a condition, what takes its place): the other way round; one that picks in a comprehension, always true."""
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node.test, ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield test, ast.Constant(True)


def untouched(node: ast.AST) -> list[ast.AST]:
    """The children whose change says nothing: docstrings, types, decorators; those of f-strings have no true place."""
    if isinstance(node, ast.JoinedStr):
        return list(ast.iter_child_nodes(node))
    found: list[ast.AST] = []
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        found += node.decorator_list
    if isinstance(node, ast.FunctionDef | ast.AnnAssign | ast.arg):
        found += [part for part in (getattr(node, "returns", None), getattr(node, "annotation", None)) if part]
    return found + ([node.value] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else [])


class Changes:
    """A walk through the functions of a source that collects all changes of them."""

    def __init__(self, source: str) -> None:
        self.found: list[Mutant] = []
        self.starts = [0]  # of each line, in bytes, as ast counts columns
        for line in source.encode().split(b"\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)

    def put(self, node: ast.expr, other: ast.AST, function: str) -> None:
        """Notes that `other` may stand in a node's place."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        self.found.append(Mutant(node.lineno, function, start, end, f"({ast.unparse(other)})"))

    def walk(self, node: ast.AST, function: str = "") -> None:
        """Goes through a node and what is inside; what stands outside functions is not changed."""
        function = node.name if isinstance(node, ast.FunctionDef) else function
        if function and isinstance(node, ast.expr):
            for other in (*operators(node), *constants(node)):
                self.put(node, other, function)
        if function:
            for test, other in conditions(node):
                self.put(test, other, function)
        skipped = untouched(node)
        for child in ast.iter_child_nodes(node):
            if child not in skipped:
                self.walk(child, function)


def mutants(source: str, lines: range, function: str = "") -> list[Mutant]:
    """All changes of the functions that begin in these lines, or of one of them."""
    changes = Changes(source)
    for statement in ast.parse(source).body:
        if statement.lineno in lines:
            changes.walk(statement)
    return [mutant for mutant in changes.found if not function or mutant.function == function]


def survives(mutant: Mutant, source: bytes, folder: Path, tests: tuple[str, ...]) -> bool:
    """Whether the tests pass in a copy of the project with the change; one that hangs is noticed."""
    (folder / "xunqin.py").write_bytes(source[: mutant.start] + mutant.text.encode() + source[mutant.end :])
    command = [*SUITE, "-k", SLOW, *(str(folder / test) for test in tests)]
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=300).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--section", action="append", choices=[*TESTS], help="Names and Match unless told")
    parser.add_argument("--function", default="", help="only this function's changes")
    parser.add_argument("--sample", type=int, default=0, help="so many of them, drawn at random; all unless told")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()

    source = (ROOT / "xunqin.py").read_text(encoding="utf-8")
    chosen: list[tuple[Mutant, tuple[str, ...]]] = []
    for section in options.section or ["Names", "Match"]:
        chosen += [(one, TESTS[section]) for one in mutants(source, sections(source)[section], options.function)]
    everything = len(chosen)
    if options.sample:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, everything))
    raw = source.encode()
    folders = []
    work = Path(tempfile.mkdtemp())
    for number in range(options.jobs):
        folders.append(work / str(number))
        for name in ("data", "tests"):
            shutil.copytree(ROOT / name, folders[-1] / name)
        shutil.copy(ROOT / "pyproject.toml", folders[-1])
    free = list(folders)

    def tried(case: tuple[Mutant, tuple[str, ...]]) -> bool:
        folder = free.pop()
        try:
            return survives(case[0], raw, folder, case[1])
        finally:
            free.append(folder)

    left = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for (mutant, _), alive in zip(chosen, pool.map(tried, chosen)):
            if alive:
                left += 1
                was = raw[mutant.start : mutant.end].decode()
                print(f"{mutant.line} {mutant.function}: {was}  ->  {mutant.text}", flush=True)
    shutil.rmtree(work)
    print(f"{left} of {len(chosen)} changes survive ({everything} are possible)")


if __name__ == "__main__":
    main()
