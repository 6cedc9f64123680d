"""The contract of streams and exit codes, through the real process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import COMMAND, HEADER, SCRIPT, SHELL, Result, listing, on_terminal, process, unmeasured
from rapidfuzz.distance import OSA

import xunqin

JIANGAN = (
    "江岸,exact,,420102,湖北省,武汉市,江岸区,武汉市江岸区公安分局刑侦支队,,戴警官,,,027-110,listed,"
    "http://ctjt.rmjtxw.com/qczx/20220705/443.html,2022-07-05\n"
)
LEAD = "query,match,note"
FOUND = Result(0, f"{LEAD},{HEADER}\n{JIANGAN}", "")
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
        [*COMMAND, "search", "硚口", "-f", "table"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "gbk"},
        check=False,
    )
    assert done.returncode == 0
    assert "武汉市硚口区公安分局" in done.stdout.decode("gbk")


def test_not_found() -> None:
    assert process("search", "火星") == Result(1, f"{LEAD},{HEADER}\n", f"没有找到「火星」。\n{NEXT}")
    assert process("search", "火星", "-f", "json") == Result(1, "[]\n", f"没有找到「火星」。\n{NEXT}")
    assert process("search", "火星", "-f", "table") == Result(1, "", f"没有找到「火星」。\n{NEXT}")
    assert process("search", "火星", "-f", "text") == Result(1, "", f"没有找到「火星」。\n{NEXT}")
    assert process("search", "火星", "-f", "excel").out == (
        "\ufeff查询,匹配,说明,区划代码,省,市州,区县,单位名称,地址,联系人,办公电话,手机,当地 110,状态,来源,日期\r\n"
    )


def test_not_found_with_a_suggestion_says_it_on_stderr() -> None:
    assert process("search", "华容县").err == (
        f"没有找到「华容县」：它在湖南，不在这份名单里。\n您是不是要找：\n  华容区（鄂州市）\n{NEXT}"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["search"], "请写上地名，例如：xunqin search 江岸"),
        (["search", "  "], "请写上地名，例如：xunqin search 江岸"),
        (["serach", "江岸"], "没有 serach 这个命令。您是不是要用 xunqin search？"),
        (["lits"], "没有 lits 这个命令。您是不是要用 xunqin list？"),
        (["help"], "没有 help 这个命令。您是不是要用 xunqin --help？"),
        (["-n", "3", "江岸"], "没有 -n 这个选项，选项要写在命令或地名后面。请看 xunqin --help"),
        (["list", "--zzz"], "没有 --zzz 这个选项。请看 xunqin list --help"),
        (["list", "--formt", "csv"], "没有 --formt 这个选项，您是不是要用 --format。请看 xunqin list --help"),
        (["list", "--own=1"], "--own 后面不跟值。请看 xunqin --help"),
        (["list", "--own", "--data", "x"], "没有 --data 这个选项，它要写在命令前面。请看 xunqin list --help"),
        (["list", "-f", "xml"], "-f/--format 的值不对，可用 table、text、csv、excel、json。请看 xunqin list --help"),
        (["near", "监利", "-n", "0"], "-n 的值不对。请看 xunqin near --help"),
        (["guide", "a", "b"], "多写了 a b。请看 xunqin guide --help"),
        (["check", "a", "b"], "多写了 b。请看 xunqin check --help"),
        (["import"], "请给出要导入的文件，如 xunqin import 名单.xlsx；粘贴文字用 xunqin import -"),
        (["batch"], "还要写上文件。请看 xunqin batch --help"),
        (["batch", "a.csv", "-o", "b.csv"], "-o 后面请写 .xlsx 文件"),
        (["import", "a", "名单"], "多写了 名单。请看 xunqin import --help"),
        (["search", "江岸", "-n", "x"], "-n 的值不对。请看 xunqin search --help"),
        (["list", "--city", "武又"], "名单里没有「武又」这个市州。您是不是要找：武汉市"),
        (["list", "--city"], "--city 后面要跟一个值。请看 xunqin --help"),
        (["--data"], "--data 后面要跟一个值。请看 xunqin --help"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(args: list[str], message: str, call: Callable[..., Result]) -> None:
    assert call(*args) == Result(2, "", message + "\n")


def test_no_command_is_the_short_help_and_exit_0() -> None:
    page = process("--help")
    assert page.out.startswith("查湖北免费采血寻亲的公安单位和联系办法。\n\n用法：\n  xunqin 江岸 ")
    assert len(page.out.splitlines()) < 24
    assert process() == page == Result(0, page.out, "")
    assert on_terminal(80, env={"TERM": "dumb"}) == page


def test_a_first_word_that_is_no_command_is_a_name() -> None:
    assert process("江岸") == FOUND
    assert process("武汉", "江岸", "-n", "1").out == FOUND.out.replace("\n江岸,", "\n武汉 江岸,")
    assert process("huangpi", "-f", "json", "--city", "武汉").code == 0
    assert process("火星") == process("search", "火星")
    assert process("-", stdin="江岸\n".encode()).out == process("search", "-", stdin="江岸\n".encode()).out


def test_no_name_is_one_slip_away_from_a_command() -> None:
    catalog = xunqin.open_catalog(None)
    names = {*catalog.index("spelling"), *catalog.index("initials"), *xunqin._table("letters")}
    commands = [*xunqin.cli.commands, "help"]
    near = {name for name in names if any(OSA.distance(name, command) <= 1 for command in commands)}
    assert [name for name in sorted(near) if xunqin.search(name, catalog)] == []


@pytest.mark.parametrize("number", ["421023198001011234", "42102319800101123X", "421023 19800101 1234"])
def test_the_number_of_an_identity_card_is_never_printed(number: str, call: Callable[..., Result]) -> None:
    for args in (
        ("search", f"监利 {number}"),
        ("near", f"监利 {number}"),
        ("list", number),
        ("search", f"火星{number}"),
    ):
        for form in ("csv", "json", "excel", "text", "table"):
            result = call(*args, "-f", form)
            assert not re.search(r"19800101", result.out + result.err), (args, form)
    catalog = xunqin.open_catalog(None)
    hits = xunqin.search("监利", catalog)
    assert [row["query"] for row in xunqin.answer_rows(f"监利 {number}", hits, catalog)] == ["监利 421023************"]
    assert "421023************" in process("search", f"火星{number}").err
    assert "421023************" in process("search", "-", stdin=f"火星{number}\n".encode()).out


def test_each_line_typed_on_a_terminal_is_answered_at_once() -> None:
    shown = on_terminal(80, "search", "-", env={"TERM": "dumb"}, keys=["江岸\n", "\n", "火星\n", "\x04"])
    assert shown.code == 1
    pieces = shown.out.split("地名> ")
    assert pieces[0].endswith("一行写一个地名，按回车就查；按 Ctrl-D 结束。\n")
    assert len(pieces) == 5
    assert "武汉  江岸区  武汉市江岸区公安分局刑侦支队  戴警官  未收录    027-110\n" in shown.out
    assert "没有找到「火星」。\n" in shown.out
    assert on_terminal(80, "search", "-", env={"TERM": "dumb"}, keys=["江岸\n", "\x04"]).code == 0


def test_a_long_table_goes_through_the_pager_and_only_there(tmp_path: Path) -> None:
    pager = {"PAGER": "sed s,^,P:,"}
    shown = on_terminal(80, "list", env=pager)
    assert shown.code == 0
    lines = [line for line in shown.out.splitlines() if line]
    assert {line[:2] for line in lines} == {"P:"}
    plain = on_terminal(80, "list", env={"TERM": "dumb"}).out
    assert "".join(f"{line[2:]}\n" for line in lines) == plain
    for env in ({**pager, "NO_PAGER": "1"}, {"PAGER": "cat"}, {"PAGER": ""}, {**pager, "TERM": "dumb"}):
        assert re.sub(r"\x1b\[\dm|\x1b\]8;;.*?\x1b\\", "", on_terminal(80, "list", env=env).out) == plain
    assert "P:" not in on_terminal(80, "search", "江岸", env=pager).out
    assert "P:" not in process("list", "-f", "table", env=pager).out
    assert on_terminal(60, "guide", env=pager).out.startswith("P:")
    assert on_terminal(80, "list", env={"PAGER": "head -1"}).code == 0


def test_a_closed_pipe_is_silent_and_141(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(5000), encoding="utf-8")
    command = f'{SHELL} --data "{path}" list | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode(), done.stderr) == (141, HEADER + "\n", b"")


@pytest.mark.parametrize("args", ["search 江岸", "search 江岸 -f table", "list -f json", "--help", "--version"])
def test_a_full_disk_is_one_line_and_exit_2(args: str) -> None:
    done = subprocess.run(["bash", "-c", f"{SHELL} {args} > /dev/full"], capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.decode() == "标准输出: 写不进去（磁盘满了）: 请检查磁盘空间\n"


@pytest.mark.parametrize(
    "args",
    ["search 江岸", "search 江岸 -f table", "search -", "search - -f table", "near 江岸 -f table", "guide", "check"],
)
def test_a_closed_stdout_is_one_line_and_exit_2(args: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{SHELL} {args} >&-"],
        input="江岸\n".encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (2, "标准输出: 已经关闭: 请不要用 >&- 关闭它\n")


def test_a_closed_stderr_changes_nothing() -> None:
    done = subprocess.run(["bash", "-c", f"{SHELL} search 火星 2>&-"], capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode()) == (1, f"{LEAD},{HEADER}\n")


def loaded(*args: str) -> set[str]:
    """The modules that a command line loads, asked of the process itself."""
    code = f"import sys, xunqin\nxunqin.run({list(args)!r})\nsys.stderr.write('\\n'.join(name for name in sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, cwd=SCRIPT.parent, env=unmeasured(), check=True)
    return set(done.stderr.decode().split())


HEAVY = {"rich", "rapidfuzz", "json", "pathlib", "importlib.metadata", "importlib.resources", "pypinyin", "opencc"}
HEAVY |= {"phonenumbers", "openpyxl", "tempfile", "shutil", "dataclasses"}


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
        (("qiaoko",), set()),
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(args: tuple[str, ...], needed: set[str]) -> None:
    assert loaded(*args) & HEAVY == needed
