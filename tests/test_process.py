"""The contract of streams and exit codes, through the real process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HEADER, SCRIPT, Result, listing, process, unmeasured

JIANGAN = (
    "江岸,exact,420102,湖北省,武汉市,江岸区,武汉市江岸区公安分局刑侦支队,,戴警官,,,027-110,listed,"
    "http://ctjt.rmjtxw.com/qczx/20220705/443.html,2022-07-05\n"
)
FOUND = Result(0, f"query,match,{HEADER}\n{JIANGAN}", "")
NEXT = "请换个写法，或用 xunqin list 看全部；各地刑侦部门都可采血，也可打当地 110 询问。\n"
BROKEN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_found() -> None:
    assert process("search", "江岸") == FOUND


@pytest.mark.parametrize(
    "env",
    [BROKEN_LOCALE, {"PYTHONIOENCODING": "ascii"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"PYTHONIOENCODING": "gbk"}],
    ids=str,
)
def test_found_wherever(env: dict[str, str]) -> None:
    assert process("search", "江岸", env=env) == FOUND


def test_a_broken_locale_still_reads_and_tells_chinese(tmp_path: Path) -> None:
    assert process("search", "火星", env=BROKEN_LOCALE).err == f"没有找到「火星」。\n{NEXT}"
    path = tmp_path / "名单.csv"
    path.write_text(listing(1), encoding="utf-8")
    assert process("--data", str(path), "list", env=BROKEN_LOCALE).out == listing(1)


def test_a_gbk_console_shows_the_table() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "search", "硚口", "-f", "table"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "gbk"},
        check=False,
    )
    assert done.returncode == 0
    assert "武汉市硚口区公安分局" in done.stdout.decode("gbk")


def test_not_found() -> None:
    assert process("search", "火星") == Result(1, f"query,match,{HEADER}\n", f"没有找到「火星」。\n{NEXT}")
    assert process("search", "火星", "-f", "json") == Result(1, "[]\n", f"没有找到「火星」。\n{NEXT}")
    assert process("search", "火星", "-f", "table") == Result(1, "", f"没有找到「火星」。\n{NEXT}")
    assert process("search", "火星", "-f", "excel").out == f"\ufeffquery,match,{HEADER}\r\n"


def test_not_found_with_a_suggestion_says_it_on_stderr() -> None:
    assert process("search", "华容县").err == (
        f"没有找到「华容县」：它在湖南省，不在这份名单里。\n您是不是要找：\n  华容区（鄂州市）\n{NEXT}"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["search"], "请写上地名，例如：xunqin search 江岸"),
        (["search", "  "], "请写上地名，例如：xunqin search 江岸"),
        (["bogus"], "没有 bogus 这个命令。请看 xunqin --help"),
        (["list", "--foo"], "没有 --foo 这个选项。请看 xunqin list --help"),
        (["list", "-f", "xml"], "-f/--format 的值不对，可用 table、csv、excel、json。请看 xunqin list --help"),
        (["search", "江岸", "-n", "x"], "-n 的值不对。请看 xunqin search --help"),
        (["list", "--city", "武又"], "名单里没有「武又」这个市州。您是不是要找：武汉市、随州市"),
        (
            ["list", "--city", "荆州地区"],
            "名单里没有「荆州地区」这个市州。您是不是要找：荆州市、荆门市、随州市",
        ),
        (["list", "--city"], "--city 后面要跟一个值。请看 xunqin --help"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(args: list[str], message: str) -> None:
    assert process(*args) == Result(2, "", message + "\n")


def test_no_command_shows_the_help() -> None:
    result = process()
    assert result.code in (0, 2)
    assert "xunqin search 江岸" in result.out + result.err


def test_a_closed_pipe_is_silent_and_141(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(5000), encoding="utf-8")
    command = f'"{sys.executable}" "{SCRIPT}" --data "{path}" list | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode(), done.stderr) == (141, HEADER + "\n", b"")


@pytest.mark.parametrize("args", ["search 江岸", "search 江岸 -f table", "list -f json", "--help", "--version"])
def test_a_full_disk_is_one_line_and_exit_2(args: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" "{SCRIPT}" {args} > /dev/full'], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.decode() == "标准输出: 写不进去（磁盘满了）: 请检查磁盘空间\n"


@pytest.mark.parametrize(
    "args",
    ["search 江岸", "search 江岸 -f table", "search -", "search - -f table", "near 江岸 -f table", "guide", "check"],
)
def test_a_closed_stdout_is_one_line_and_exit_2(args: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" "{SCRIPT}" {args} >&-'],
        input="江岸\n".encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (2, "标准输出: 已经关闭: 请不要用 >&- 关闭它\n")


def test_a_closed_stderr_changes_nothing() -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" "{SCRIPT}" search 火星 2>&-'], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout.decode()) == (1, f"query,match,{HEADER}\n")


def loaded(*args: str) -> set[str]:
    """The modules that a command line loads, asked of the process itself."""
    code = f"import sys, xunqin\nxunqin.run({list(args)!r})\nsys.stderr.write('\\n'.join(name for name in sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, cwd=SCRIPT.parent, env=unmeasured(), check=True)
    return set(done.stderr.decode().split())


HEAVY = {"rich", "rapidfuzz", "json", "pathlib", "importlib.metadata", "importlib.resources", "pypinyin", "opencc"}
HEAVY |= {"phonenumbers", "openpyxl"}


@pytest.mark.parametrize(
    ("args", "needed"),
    [
        (("search", "江岸"), set()),
        (("search", "武汉市江岸区"), set()),
        (("search", "沔阳"), set()),
        (("search", "乔口"), set()),
        (("search", "鄖陽"), set()),
        (("search", "大治"), set()),
        (("search", "huangpi"), set()),
        (("search", "我在荆州监利"), set()),
        (("list",), set()),
        (("search", "江岸", "-f", "json"), {"json"}),
        (("search", "江岸", "-f", "table"), {"rich"}),
        (("search", "qiaoko"), {"rapidfuzz"}),
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(args: tuple[str, ...], needed: set[str]) -> None:
    assert loaded(*args) & HEAVY == needed
