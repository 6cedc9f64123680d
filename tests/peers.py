"""Score other tools on the gold set, by hand: python tests/peers.py. Those that are not installed are left out.

A case is right when the tool's first answer is an expected county, or where none is expected, when it gives none.
"""

from __future__ import annotations

import csv
import importlib.metadata
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from test_gold import CATALOG, cases

import xunqin

POINTS = xunqin.data_file("points.csv")
NAMES = [division[1] for division in CATALOG.divisions]


def ours(query: str) -> list[str]:
    return [hit.division[1] for hit in xunqin.search(query, CATALOG)]


def grep(query: str) -> list[str]:
    done = subprocess.run(["grep", "-F", "-e", query, POINTS], capture_output=True, check=False)
    return [row[3] for row in csv.reader(done.stdout.decode().splitlines())]


def rapidfuzz_alone() -> Callable[[str], list[str]]:
    from rapidfuzz import fuzz, process

    def answer(query: str) -> list[str]:
        best = process.extractOne(query, NAMES, scorer=fuzz.WRatio, score_cutoff=60)
        return [best[0]] if best else []

    return answer


def pypinyin_rapidfuzz() -> Callable[[str], list[str]]:
    from pypinyin import lazy_pinyin
    from rapidfuzz import fuzz, process

    sounds = ["".join(lazy_pinyin(xunqin.short_name(name))) for name in NAMES]

    def answer(query: str) -> list[str]:
        best = process.extractOne("".join(lazy_pinyin(query)), sounds, scorer=fuzz.WRatio, score_cutoff=60)
        return [NAMES[best[2]]] if best else []

    return answer


def cpca_tool() -> Callable[[str], list[str]]:
    import cpca

    def answer(query: str) -> list[str]:
        row = cpca.transform([query]).iloc[0]
        return [row["区"] or row["市"]] if row["省"] == "湖北省" and (row["区"] or row["市"]) else []

    return answer


def jionlp_tool() -> Callable[[str], list[str]]:
    import jionlp

    def answer(query: str) -> list[str]:
        found = jionlp.parse_location(query)
        return [found["county"] or found["city"]] if found["province"] == "湖北省" and found["city"] else []

    return answer


PEERS: dict[str, tuple[str, Callable[[], Callable[[str], list[str]]]]] = {
    "rapidfuzz": ("rapidfuzz", rapidfuzz_alone),
    "pypinyin + rapidfuzz": ("pypinyin", pypinyin_rapidfuzz),
    "cpca": ("cpca", cpca_tool),
    "jionlp": ("jionlp", jionlp_tool),
}


def installed() -> dict[str, Callable[[str], list[str]]]:
    tools: dict[str, Callable[[str], list[str]]] = {f"xunqin {xunqin.__version__}": ours}
    if shutil.which("grep"):
        tools["grep"] = grep
    for name, (package, make) in PEERS.items():
        try:
            tools[f"{name} {importlib.metadata.version(package)}"] = make()
        except ImportError:
            continue
    return tools


def main() -> None:
    tools = installed()
    total = Counter(case.class_ for case in cases())
    right = {name: Counter[str]() for name in tools}
    for case in cases():
        for name, tool in tools.items():
            answers = tool(case.query)
            good = answers[0] in case.allowed() if answers else "NONE" in case.expected
            right[name][case.class_] += good
    print(f"| 类别 | 题数 | {' | '.join(tools)} |\n| --- | ---: |{' ---: |' * len(tools)}")
    for class_ in total:
        print(f"| {class_} | {total[class_]} | {' | '.join(str(right[name][class_]) for name in tools)} |")
    print(f"| 合计 | {total.total()} | {' | '.join(str(right[name].total()) for name in tools)} |")


if __name__ == "__main__":
    main()
