"""What all tests share: a clean environment, a command line run in this process, one run as a real process."""

from __future__ import annotations

import contextlib
import os
import py_compile
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

import xunqin

# How long an example takes tells of the machine, not of the program.
settings.register_profile("xunqin", deadline=None, suppress_health_check=list(HealthCheck), database=None)
settings.load_profile("xunqin")

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "xunqin.py"
# As the console script does: the module, whose bytecode is kept. A script is compiled anew by each process.
COMMAND = (sys.executable, "-m", "xunqin")
SHELL = f'"{sys.executable}" -m xunqin'
with contextlib.suppress(OSError):  # a folder that is not ours to write in
    py_compile.compile(str(SCRIPT), doraise=True)


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No list of the developer's own, no terminal settings."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XUNQIN_DATA", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING", "XDG_CONFIG_HOME",
                 "PAGER", "NO_PAGER", "LESS", "LESSCHARSET"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
        os.unsetenv(name)  # readline, which pytest loads, sets COLUMNS where os.environ does not see it
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("APPDATA", str(home))
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def call(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Result]:
    """Run one command line in this process: call("search", "江岸") -> code, stdout, stderr."""

    def run(*args: str) -> Result:
        capfdbinary.readouterr()
        code = xunqin.run(list(args))
        out, err = capfdbinary.readouterr()
        return Result(code, out.decode("utf-8"), err.decode("utf-8"))

    return run


def unmeasured() -> dict[str, str]:
    """The environment without coverage's hooks, for a process whose modules, files or sudden end are looked at."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def process(*args: str | bytes, env: dict[str, str] | None = None, stdin: bytes = b"") -> Result:
    """Run the program as a real process."""
    done = subprocess.run(
        [*COMMAND, *args],
        input=stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        check=False,
    )
    return Result(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def on_terminal(
    width: int,
    *args: str,
    env: dict[str, str] | None = None,
    command: Sequence[str] = COMMAND,
    keys: Sequence[str] = (),
) -> Result:
    """Run the program on a pseudo-terminal of `width` columns, stderr too; each of `keys` is typed at a prompt."""
    import fcntl
    import pty
    import struct
    import termios

    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    child = subprocess.Popen(
        [*command, *args],
        stdin=side,
        stdout=side,
        stderr=side,
        env={**os.environ, **(env or {})},
        close_fds=True,
    )
    os.close(side)
    chunks: list[bytes] = []
    waiting = list(keys)
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:  # Linux says EIO when the other side is gone
            break
        if not chunk:
            break
        chunks.append(chunk)
        if waiting and b"".join(chunks).endswith(b"> "):
            os.write(main, waiting.pop(0).encode())
    os.close(main)
    return Result(child.wait(), b"".join(chunks).decode("utf-8").replace("\r\n", "\n"), "")


HEADER = ",".join(xunqin.COLUMNS)


def listing(rows: int = 1, **cells: str) -> str:
    """A CSV list of a made-up province, for tests only."""
    lines = [HEADER]
    for number in range(1, rows + 1):
        row = {
            "code": f"99{number:04}",
            "province": "测试省",
            "city": f"测试{number // 50}市",
            "district": f"测试第{number}区",
            "unit": f"测试第{number}区公安分局",
            "hotline": "099-110",
            "status": "bureau",
            "source": "test",
            "as_of": "2020-01-01",
            **cells,
        }
        lines.append(",".join(row.get(name, "") for name in xunqin.COLUMNS))
    return "\n".join(lines) + "\n"
