"""Faults: whatever a file holds, a result or one clear line with exit 2; files that go or change while read."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import COMMAND, HEADER, SCRIPT, SHELL, Result, listing, process
from hypothesis import given, settings
from hypothesis import strategies as st

import xunqin

SEED = listing(4).encode() + (SCRIPT.parent / "data" / "points.csv").read_bytes()[-600:]
TELLING = [b'"', b",", b"\n", b"\r", b"\0", b"=", b"\x1b", b"\xff", "\u202e".encode()]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A list with bytes cut, doubled, replaced and put in."""
    raw = bytearray(SEED)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(raw)))
        end = draw(st.integers(at, min(at + 40, len(raw))))
        raw[at:end] = draw(st.binary(max_size=8) | st.sampled_from(TELLING))
    return bytes(raw)


def outcome(*args: str) -> tuple[int, str, str]:
    """One command line in this process, with streams of its own."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    real = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        code = xunqin.run(list(args))
    finally:
        sys.stdout, sys.stderr = real
    for stream in (out, err):
        stream.flush()
    texts = [stream.buffer.getvalue().decode("utf-8") for stream in (out, err)]  # type: ignore[attr-defined]
    return code, texts[0], texts[1]


SERVER = """
import os, sys, xunqin
out, err, *args = sys.argv[1:]
for path in sys.stdin:
    child = os.fork()
    if not child:
        for fd, name in ((1, out), (2, err)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
        sys.argv[1:] = ["--data", path.rstrip(), *args]
        xunqin.main()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextlib.contextmanager
def processes(folder: Path, *args: str) -> Iterator[Callable[[Path], Result]]:
    """Run a command line with --data as often as asked, each time as a process of its own: forked, not started anew."""
    out, err = folder / "out", folder / "err"
    command = [sys.executable, "-c", SERVER, str(out), str(err), *args]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SCRIPT.parent, text=True, encoding="utf-8"
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def run(path: Path) -> Result:
            print(path, file=server.stdin, flush=True)
            code = int(server.stdout.readline())
            return Result(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))

        yield run
        server.stdin.close()


def assert_told(result: Result, path: Path, header: str) -> None:
    """Rows under the right header; or the header alone and why; or one line that begins with the file."""
    code, out, err = result
    if code == 2:
        assert out == ""
        assert re.fullmatch(rf"{path}(:\d+)?: .+\n", err), err
        return
    rows = list(csv.reader(io.StringIO(out, newline=""), strict=True))
    assert ",".join(rows[0]) == header
    assert {len(row) for row in rows} == {len(rows[0])}
    if code == 1:
        assert len(rows) == 1
        assert err.startswith("没有找到「测试第2区」")
    else:
        assert code == 0
        assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="fork is POSIX")
@pytest.mark.parametrize(
    ("args", "header"), [(("search", "测试第2区"), f"query,match,note,{HEADER}"), (("list",), HEADER)]
)
def test_random_lists_give_a_result_or_one_line(args: tuple[str, ...], header: str, tmp_path: Path) -> None:
    """300 in this process, 30 as processes of their own."""
    path = tmp_path / "list.csv"

    def told(command: Callable[[Path], Result], examples: int) -> None:
        @given(st.binary(max_size=300) | mutated() | mutated() | mutated())
        @settings(max_examples=examples)
        def run(raw: bytes) -> None:
            path.write_bytes(raw)
            assert_told(command(path), path, header)

        run()

    told(lambda list_: Result(*outcome("--data", str(list_), *args)), 300)
    with processes(tmp_path, *args) as command:
        told(command, 30)


def test_mutated_lists_are_imported_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("mutated") / "list.csv"

    @given(st.binary(max_size=300) | mutated())
    @settings(max_examples=300)
    def run(raw: bytes) -> None:
        path.write_bytes(raw)
        for args in (("import", str(path), "--dry-run"), ("check", str(path))):
            code, out, err = outcome(*args)
            assert code in (0, 2)
            assert "Traceback" not in err
            assert out or re.fullmatch(rf"{path}(:\d+)?: .+\n", err), err

    run()


def test_a_list_whose_units_have_no_heading_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("city,district,,mobile\n黄石市,大冶市,大冶市公安局,13800001234\n", encoding="utf-8")
    code, out, err = outcome("import", str(path), "--dry-run", "-f", "json")
    assert (code, '"unit": "大冶市公安局"' in out) == (0, True)
    assert err.startswith("读到 1 行：新增 1，")


def test_a_data_file_that_disappears(tmp_path: Path) -> None:
    import shutil

    shutil.copy(SCRIPT, tmp_path)
    shutil.copytree(SCRIPT.parent / "data", tmp_path / "data")
    (tmp_path / "data" / "syllables.txt").unlink()
    command = [sys.executable, str(tmp_path / "xunqin.py"), "search", "乔口"]
    done = subprocess.run(command, capture_output=True, check=False)
    path = tmp_path / "data" / "syllables.txt"
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"{path}: 自带的数据不在: 请连同 data 目录一起下载，或用 pip 安装\n"


@pytest.mark.skipif(sys.platform == "win32", reason="fork is POSIX")
def test_a_list_that_is_written_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    whole = listing(2000).encode()
    path.write_bytes(whole)
    done = threading.Event()

    def rewrite() -> None:
        while not done.is_set():
            path.write_bytes(whole[: len(whole) // 2])
            done.wait(0.01)  # so that few readers are enough to meet both states, and the change between
            path.write_bytes(whole)
            done.wait(0.01)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        with processes(tmp_path, "search", "测试第2区") as command:
            results = [command(path)]
            while len({result.code for result in results}) < 2 and len(results) < 2000:
                results.append(command(path))
    finally:
        done.set()
        writer.join()
    for result in results:
        assert_told(result, path, f"query,match,note,{HEADER}")
    assert {result.code for result in results} == {0, 2}, "it was never caught half written, or never whole"


def test_a_list_that_changes_while_it_is_used(tmp_path: Path) -> None:
    """A batch goes on with the list it read; the next run reads the new one."""
    path = tmp_path / "list.csv"
    path.write_text(listing(5), encoding="utf-8")
    command = [*COMMAND, "--data", str(path), "search", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.write("测试第1区\n".encode())
        child.stdin.flush()
        path.write_text(listing(2), encoding="utf-8")
        out, _ = child.communicate("测试第2区\n".encode())
    assert (child.returncode, out.decode().count("exact")) == (0, 2)
    assert process("--data", str(path), "search", "测试第5区").code == 1


def test_no_home_at_all() -> None:
    env = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run([*COMMAND, "search", "江岸"], env=env, capture_output=True, check=False)
    assert done.returncode == 0


def test_both_streams_closed() -> None:
    done = subprocess.run(["bash", "-c", f"{SHELL} search 江岸 >&- 2>&-"], check=False)
    assert done.returncode == 2
