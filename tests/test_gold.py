"""The public gold set: every class, every prefecture, no wrong place. `python tests/test_gold.py` prints the table."""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import xunqin

GOLD = Path(__file__).resolve().parent / "gold"
CATALOG = xunqin.Catalog(xunqin.load_list(xunqin.data_file("points.csv")))
# Classes where the first suggestion counts as well as an answer, and 95 % are enough.
CLEVER = {"lookalike_typo", "pinyin_typo"}


def expanded(expected: str) -> list[str]:
    """The divisions' names that a cell expects, in order: "江岸区;江汉区", "CITY:荆州市" for all of a city, "NONE"."""
    names: list[str] = []
    for name in expected.split(";"):
        if name.startswith("CITY:"):
            names += [district for _, district in CATALOG.cities[name.removeprefix("CITY:")]]
        elif name != "NONE":
            names.append(name)
    return names


@cache
def found_for(query: str) -> list[str]:
    """The names of the divisions that answer."""
    return list(dict.fromkeys(hit.division[1] for hit in xunqin.search(query, CATALOG)))


class Case(NamedTuple):
    query: str
    class_: str
    expected: tuple[str, ...]  # alternatives, apart by "|" in the file

    def found(self) -> list[str]:
        return found_for(self.query)

    def right(self) -> bool:
        """Exactly the expected divisions answer, in their order; nothing does for a place that is not meant."""
        found = self.found()
        if not found and self.class_ in CLEVER:
            found = [division[1] for division in xunqin.suggest(self.query, CATALOG)[:1]]
        return found in [expanded(one) for one in self.expected]

    def wrong(self) -> list[str]:
        """The divisions that answer and are not expected."""
        return [name for name in self.found() if name not in self.allowed()]

    def allowed(self) -> set[str]:
        """The divisions that one of the alternatives expects."""
        return {name for one in self.expected for name in expanded(one)}


@cache
def cases() -> list[Case]:
    found = []
    for path in sorted(GOLD.glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            found += [
                Case(row["query"], row["class"], tuple(row["expected"].split("|"))) for row in csv.DictReader(file)
            ]
    return found


def table() -> str:
    """Right answers and cases per class."""
    total = Counter(case.class_ for case in cases())
    right = Counter(case.class_ for case in cases() if case.right())
    lines = [f"{name:32}{right[name]:4} / {total[name]:4}" for name in total]
    return "\n".join([*lines, f"{'all':32}{sum(right.values()):4} / {sum(total.values()):4}"])


def test_sure_classes_are_all_right() -> None:
    of_sure = [case for case in cases() if case.class_ not in CLEVER]
    assert {case.query: case.found() for case in of_sure if not case.right()} == {}


def test_clever_classes_are_right_in_95_of_100(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + table())
    for name in CLEVER:
        of_class = [case for case in cases() if case.class_ == name]
        assert sum(case.right() for case in of_class) >= 0.95 * len(of_class)


def test_no_wrong_place() -> None:
    assert {case.query: case.wrong() for case in cases() if case.wrong()} == {}


def test_the_set_is_wide_enough_and_asks_nothing_twice() -> None:
    asked = [case.query for case in cases()]
    assert [query for query, count in Counter(asked).items() if count > 1] == []
    assert len(asked) >= 2400
    counties = {name for case in cases() for one in case.expected for name in expanded(one)}
    assert {district for _, district in CATALOG.divisions} <= counties | {"武汉市"}


if __name__ == "__main__":
    print(table())
