"""The package as people install it: a wheel with its data, one version, a script that also runs by itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

import xunqin

DATA = (
    *("points.csv", "places.csv", "lexicon.txt", "elsewhere.txt", "letters.txt", "phrases.txt", "syllables.txt"),
    *("traditional.txt", "lookalikes.txt", "words.txt", "guide.txt"),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that is built from it."""
    out = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "xunqin"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "dist", "build")
    shutil.copytree(ROOT, source, ignore=ignored)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def test_the_wheel_carries_the_data_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name}
    assert names == {"xunqin.py", *(f"xunqin_data/{name}" for name in DATA)}
    assert wheel.name == f"xunqin-{xunqin.__version__}-py3-none-any.whl"


def test_the_sdist_can_be_built_and_tested(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"xunqin.py", "data/build.py", "data/sources/divisions.csv", "tests/gold/queries.csv", "LICENSE"} <= names


def test_a_clean_environment_looks_a_name_up(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "env")  # pip installs into it from outside: to make its own takes longer than all the rest
    scripts = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", str(wheel)], check=True, capture_output=True)

    def run(*args: str) -> str:
        done = subprocess.run([str(scripts / "xunqin"), *args], capture_output=True, cwd=tmp_path, check=True)
        return done.stdout.decode("utf-8")

    assert run("search", "江岸").splitlines()[1].startswith("江岸,exact,,420102,")
    assert run("search", "乔口").splitlines()[1].startswith("乔口,homophone,按读音 → 硚口区,420104,")
    assert run("search", "鄖陽").splitlines()[1].startswith("鄖陽,exact,,420304,")
    assert run("--version") == f"xunqin {xunqin.__version__}\n"


def test_the_script_runs_from_a_copy_beside_its_data_and_says_so_without(tmp_path: Path) -> None:
    shutil.copy(ROOT / "xunqin.py", tmp_path)
    command = [sys.executable, str(tmp_path / "xunqin.py"), "search", "江岸"]
    done = subprocess.run(command, capture_output=True, check=False)
    path = tmp_path / "data" / "points.csv"
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"{path}: 自带的数据不在: 请连同 data 目录一起下载，或用 pip 安装\n"
    shutil.copytree(ROOT / "data", tmp_path / "data")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_scripts_own_metadata_agrees_with_the_projects() -> None:
    script = (ROOT / "xunqin.py").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for key in ("requires-python", "dependencies"):
        inline = re.search(rf"^# {key} = (.+)$", script, re.M)
        assert inline is not None
        assert f"\n{key} = {inline[1]}\n" in project
