"""Faults: whatever a file holds, a result or one clear line with exit 2; files that go or change while read."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HEADER, SCRIPT, listing, process
from hypothesis import HealthCheck, given, settings
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
        raw[at:end] = draw(
            st.binary(max_size=8) | st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"=", b"\x1b", b"\xff"])
        )
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


@pytest.mark.parametrize("args", [("search", "测试第2区"), ("list",)])
def test_two_thousand_random_lists_give_a_result_or_one_line(
    args: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("mutated") / "list.csv"

    @given(st.binary(max_size=300) | mutated() | mutated() | mutated())
    @settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def run(raw: bytes) -> None:
        path.write_bytes(raw)
        code, out, err = outcome("--data", str(path), *args)
        if code == 2:
            assert out == ""
            assert err.startswith(f"{path}:")
            assert err.count("\n") == 1
        else:
            assert code in (0, 1)
            assert out.startswith(("query,match,", "code,province", HEADER[:4])) or out
        assert "Traceback" not in err

    run()


def test_mutated_lists_are_imported_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("mutated") / "list.csv"

    @given(st.binary(max_size=300) | mutated())
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def run(raw: bytes) -> None:
        path.write_bytes(raw)
        code, _, err = outcome("import", str(path), "--dry-run")
        assert code in (0, 2)
        assert "Traceback" not in err
        code, _, err = outcome("check", str(path))
        assert code in (0, 2)

    run()


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


def test_a_list_that_changes_while_it_is_used(tmp_path: Path) -> None:
    """A batch goes on with the list it read; the next run reads the new one."""
    path = tmp_path / "list.csv"
    path.write_text(listing(5), encoding="utf-8")
    command = [sys.executable, str(SCRIPT), "--data", str(path), "search", "-"]
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
    done = subprocess.run([sys.executable, str(SCRIPT), "search", "江岸"], env=env, capture_output=True, check=False)
    assert done.returncode == 0


def test_both_streams_closed() -> None:
    done = subprocess.run(["bash", "-c", f'"{sys.executable}" "{SCRIPT}" search 江岸 >&- 2>&-'], check=False)
    assert done.returncode == 2
