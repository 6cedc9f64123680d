"""README.md and CONTRIBUTING.md show what the program really prints: examples, the picture, the gold table."""

from __future__ import annotations

import re
import shlex

import pytest
from conftest import ROOT, on_terminal
from test_gold import cases

import xunqin

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLAIN = {"TERM": "dumb"}


def examples() -> list[tuple[str, str]]:
    """(command, output) of each "$ xunqin …" in the README's console blocks."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), examples(), ids=lambda text: text[:30])
def test_examples_are_what_the_program_prints(command: str, output: str) -> None:
    name, *args = shlex.split(command)
    assert name == "xunqin"
    assert on_terminal(80, *args, env=PLAIN).out.rstrip("\n") == output.rstrip("\n")


def test_the_readme_is_short_and_has_examples() -> None:
    assert len(README.splitlines()) <= 200
    assert len(examples()) >= 5


@pytest.mark.parametrize("name", xunqin.cli.commands)
def test_every_command_is_in_the_readme_and_every_option_explained(name: str) -> None:
    assert f"xunqin {name}" in README
    command = xunqin.cli.commands[name]
    for param in command.params:
        if isinstance(param, xunqin.click.Option):
            assert param.help, (name, param.opts)
            assert param.is_flag or param.metavar, (name, param.opts)
    assert re.search(rf"\n +(xunqin )?{name} ", xunqin.cli.help or "")


def test_help_fits_80_columns_and_shows_every_command() -> None:
    from rich.cells import cell_len

    for args in ((), *((name,) for name in xunqin.cli.commands)):
        lines = on_terminal(80, *args, "--help", env=PLAIN).out.splitlines()
        assert max(map(cell_len, lines)) <= 80
        assert "  -h, --help" in "\n".join(lines)


def test_the_first_screen_installs_runs_and_tests_in_one_command_each() -> None:
    commands = re.findall(r"```sh\n(python3 -m venv .*)\n```", README)
    assert commands == [
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/xunqin 江岸",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest",
    ]


def test_the_gold_table_counts_this_gold_set() -> None:
    totals: dict[str, int] = {}
    for case in cases():
        totals[case.class_] = totals.get(case.class_, 0) + 1
    for name, count in totals.items():
        assert re.search(rf"^\| {name} \| {count} \|", CONTRIBUTING, re.M), (name, count)
    assert f"公开的 {sum(totals.values())} 题" in README


def test_the_picture_is_the_real_output() -> None:
    from picture import PICTURE, picture

    assert PICTURE.read_text(encoding="utf-8") == picture()
