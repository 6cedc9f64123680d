"""Measure whole commands against `python -c pass`, by hand: python tests/bench.py [runs].

Medians and ratios from one interleaved run of the interpreter that runs this file, bytecode compiled; then how the
costs grow with the list, a table of families, a picture of the whole list, and the memory of both.
What it prints stands in CONTRIBUTING.md, the speeds in README.md too.
"""

from __future__ import annotations

import compileall
import csv
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import openpyxl
import pictures
from conftest import ROOT, listing, on_terminal

RUNS = int(next((word for word in sys.argv[1:] if word.isdigit()), "20"))
# Names that are found in another way than as they are written in the list.
OTHER_WAYS = {
    "沔阳": "旧名", "木鱼镇": "乡镇", "huangpi": "拼音", "hp": "首字母", "江an": "混写", "乔口": "读音", "鄖陽": "繁体",
    "大治": "字形", "qiaoko": "差一处", "湖北省黄冈市蕲春县漕河镇": "整句",
}  # fmt: skip
SIZES = (107, 5_000, 20_000, 50_000, 100_000)
NAIVE = """
import csv, sys
import click, rich.table, rich.console, rapidfuzz.process, pypinyin
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
names = {"".join(pypinyin.lazy_pinyin(row["district"])): row for row in rows}
best = rapidfuzz.process.extractOne("".join(pypinyin.lazy_pinyin(sys.argv[2])), list(names))
print(names[best[0]]["unit"])
"""


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def piped(*command: str, stdin: bytes = b"") -> Callable[[], object]:
    return lambda: subprocess.run(command, input=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def interleaved(cases: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """The median of each case, all taken in turn so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(runs + 1):
        for name, run in cases.items():
            seconds = timed(run)
            if number:  # the first round warms up
                times[name].append(seconds)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def print_table(medians: dict[str, float], limits: dict[str, float]) -> None:
    base = medians["python -c pass"]
    print("| 命令 | 倍数 | 目标 |\n| --- | ---: | ---: |")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds / base:.1f} | {limits.get(name, '')} |")


def print_growth(by_rows: dict[int, Callable[[], object]], base: float) -> None:
    """A list's cost by its rows, over what the smallest costs, and per row: it must not rise with the rows."""
    medians = interleaved({str(rows): run for rows, run in by_rows.items()}, max(RUNS // 2, 5))
    smallest = SIZES[0]
    print("\n| 名单的行数 | 倍数 | 每千行多花 |\n| ---: | ---: | ---: |")
    for rows in SIZES:
        each = (medians[str(rows)] - medians[str(smallest)]) / base / (rows - smallest or 1) * 1000
        print(f"| {rows:,} | {medians[str(rows)] / base:.1f} | {f'{each:.2f}' if rows > smallest else ''} |")


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    compileall.compile_file(str(ROOT / "xunqin.py"), quiet=1)
    lists = {}
    for rows in SIZES:
        lists[rows] = folder / f"{rows}.csv"
        lists[rows].write_text(listing(rows), encoding="utf-8")
    python, points = sys.executable, str(ROOT / "data" / "points.csv")
    (folder / "naive.py").write_text(NAIVE, encoding="utf-8")

    # As the console script does: the module's bytecode is kept, a script's own is not.
    module = [python, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import xunqin; xunqin.main()"]

    def xunqin(*args: str, stdin: bytes = b"") -> Callable[[], object]:
        return piped(*module, *args, stdin=stdin)

    def listed(rows: int, name: str) -> Callable[[], object]:
        return xunqin("--data", str(lists[rows]), "search", name)

    cases: dict[str, Callable[[], object]] = {
        "python -c pass": piped(python, "-c", "pass"),
        "python -c 'import click'": piped(python, "-c", "import click"),
        "search 江岸（管道）": xunqin("search", "江岸"),
        "search 江岸（终端）": lambda: on_terminal(80, "search", "江岸", command=module),
        **{f"search {name}（{how}）": xunqin("search", name) for name, how in OTHER_WAYS.items()},
        "5,000 行里找": listed(5_000, "测试第50区"),
        "search 火星（没找到）": xunqin("search", "火星"),
        "list": xunqin("list"),
        "near 木鱼镇": xunqin("near", "木鱼镇"),
        "--help": xunqin("--help"),
        "--version": xunqin("--version"),
        "naive: pypinyin + rapidfuzz": piped(python, str(folder / "naive.py"), points, "江岸"),
    }
    for tool, args in (("grep", ("江岸", points)), ("csvgrep", ("-c", "district", "-m", "江岸", points))):
        path = shutil.which(tool)
        if path:
            cases[f"{tool} 江岸"] = piped(path, *args)
    limits = {f"search {name}（{how}）": 5.6 for name, how in OTHER_WAYS.items()}
    limits |= {"search 江岸（管道）": 4.5, "search 江岸（终端）": 6.6, "5,000 行里找": 5.6}
    print(f"Python {platform.python_version()}，{platform.machine()}，{os.cpu_count()} 核，各 {RUNS} 次，中位数\n")
    medians = interleaved(cases, RUNS)
    print_table(medians, limits)
    print_growth({rows: listed(rows, "测试第50区") for rows in lists}, medians["python -c pass"])
    print("\n| 一大批 | 秒 | 峰值内存 MiB |\n| --- | ---: | ---: |")
    names = "\n".join(f"测试第{number % 6000}区" for number in range(10_000)).encode()
    cost_line("10,000 个地名，名单 5,000 行", [*module, "--data", str(lists[5_000]), "search", "-"], names)
    families = folder / "家庭.xlsx"
    write_families(families, 5_000)
    cost_line("batch：5,000 个家庭的 Excel", [*module, "batch", str(families)])
    if pictures.fonts_missing():
        print("没有画图用的字体，图片没有量。")
        return
    os.environ["HOME"] = str(folder)  # the draft and the list of whoever runs this stay untouched
    picture, rows = pictures.save("whole_list", folder)
    cost_line(f"import：{len(rows)} 行名单的图片", [*module, "import", picture])


def write_families(path: Path, rows: int) -> None:
    """A workbook of families with the places they tell, written in all the ways of the gold set."""
    with open(ROOT / "tests" / "gold" / "second.csv", encoding="utf-8", newline="") as file:
        told = [row["query"] for row in csv.DictReader(file)]
    book = openpyxl.Workbook()
    book.active.append(["姓名", "老家"])
    for number in range(rows):
        book.active.append([f"家庭{number}", told[number % len(told)]])
    book.save(path)


def cost_line(name: str, command: list[str], stdin: bytes = b"") -> None:
    """Print the seconds of one run and its peak of resident memory, as the kernel counts it for this one process."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert child.stdin is not None
    child.stdin.write(stdin)
    child.stdin.close()
    memory = os.wait4(child.pid, 0)[2].ru_maxrss / 1024
    print(f"| {name} | {time.perf_counter() - start:.1f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
