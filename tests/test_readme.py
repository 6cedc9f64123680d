"""README.md and CONTRIBUTING.md show what the program really prints: examples, the picture, the gold table."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, SCRIPT, listing, on_terminal
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


def patched(text: str, diff: str) -> str:
    """A text after a diff, whose hunks stand apart by @@; each hunk's old lines stand in the text once."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.M):
        lines = hunk.splitlines()
        old, new = ("".join(f"{line[1:]}\n" for line in lines if line[:1] not in leave) for leave in ("+", "-"))
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_what_contributing_adds_works(tmp_path: Path) -> None:
    """A tier, a form of file, an output format, a column and a check, each a small function and a line."""
    source = SCRIPT.read_text(encoding="utf-8")
    diffs = re.findall(r"```diff\n(.*?)```", CONTRIBUTING, re.S)
    assert len(diffs) == 5
    for diff in diffs:
        source = patched(source, diff)
    (tmp_path / "xunqin.py").write_text(source, encoding="utf-8")
    (tmp_path / "data").symlink_to(ROOT / "data")
    heading, row = listing(1, contact="王3").splitlines()
    (tmp_path / "own.csv").write_text(f"{heading},fax\n{row},027-80001234\n", encoding="utf-8")
    card = "BEGIN:VCARD\nFN:大冶市公安局\nTEL;TYPE=CELL:13800001234\nEND:VCARD\n"
    (tmp_path / "list.vcf").write_text(card, encoding="utf-8")

    def run(*args: str) -> str:
        command = [sys.executable, "-m", "xunqin", *args]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout.decode("utf-8")

    assert run("432700").splitlines()[1].startswith("432700,zip,按邮编 → 广水市,421381,")
    assert run("import", "list.vcf", "-f", "csv").splitlines()[1].startswith("2,新增,,420281,湖北省,黄石市,大冶市,")
    assert run("江岸", "-f", "markdown").splitlines()[2].startswith("| 江岸 | exact |  | 420102 |")
    assert "传真          当地 110\n" in run("--data", "own.csv", "list", "-f", "table")
    assert "own.csv:2: contact: 「王3」里有数字: 号码请写到电话那两列\n" in run("check", "own.csv")


def test_the_picture_is_the_real_output() -> None:
    from picture import PICTURE, picture

    assert PICTURE.read_text(encoding="utf-8") == picture()
