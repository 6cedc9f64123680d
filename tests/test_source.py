"""The script reads from top to bottom: nothing is used before it is defined, no function is long."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from conftest import SCRIPT

BODY = ast.parse(SCRIPT.read_text(encoding="utf-8")).body


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def used(node: ast.AST, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The module's names that a piece of it uses; a function's parameters and own variables are not the module's."""
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        arguments = node.args
        bound |= {argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)}
        bound |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if isinstance(node, ast.Name) and node.id not in bound:
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from used(child, bound)


def test_nothing_is_used_before_it_is_defined() -> None:
    place = {name: at for at, node in enumerate(BODY) for name in defined(node)}
    early = [(at, name) for at, node in enumerate(BODY) for name in used(node) if place.get(name, -1) > at]
    assert early == []


def test_no_function_is_longer_than_some_40_lines() -> None:
    functions = [node for piece in BODY for node in ast.walk(piece) if isinstance(node, ast.FunctionDef)]
    lengths = {f.name: (f.end_lineno or 0) - f.lineno + 1 for f in functions}
    assert {name: length for name, length in lengths.items() if length > 42} == {}
