"""The public gold set: every class, every prefecture, no wrong place. `python tests/test_gold.py` prints the table."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

import xunqin

GOLD = Path(__file__).resolve().parent / "gold" / "queries.csv"
CATALOG = xunqin.Catalog(xunqin.load_list(xunqin.data_file("points.csv")))
# Classes where the first suggestion counts as well as an answer, and 95 % are enough.
CLEVER = {"lookalike_typo", "pinyin_typo"}


class Case(NamedTuple):
    query: str
    class_: str
    expected: tuple[str, ...]

    def right(self) -> bool:
        """Only expected counties answer, one of them at least; none for a place that is not meant."""
        found = [hit.division[1] for hit in xunqin.search(self.query, CATALOG)]
        if self.expected == ("NONE",):
            return not found
        if not found and self.class_ in CLEVER:
            found = [division[1] for division in xunqin.suggest(self.query, CATALOG)[:1]]
        return bool(found) and set(found) <= set(self.expected)

    def wrong(self) -> list[str]:
        """The counties that answer and are not expected."""
        return [hit.division[1] for hit in xunqin.search(self.query, CATALOG) if hit.division[1] not in self.expected]


def cases() -> list[Case]:
    with open(GOLD, encoding="utf-8", newline="") as file:
        return [Case(row["query"], row["class"], tuple(row["expected"].split(";"))) for row in csv.DictReader(file)]


def table() -> str:
    """Right answers and cases per class."""
    total = Counter(case.class_ for case in cases())
    right = Counter(case.class_ for case in cases() if case.right())
    lines = [f"{name:24}{right[name]:4} / {total[name]:4}" for name in total]
    return "\n".join([*lines, f"{'all':24}{sum(right.values()):4} / {sum(total.values()):4}"])


@pytest.mark.parametrize("case", [case for case in cases() if case.class_ not in CLEVER], ids=lambda case: case.query)
def test_sure_classes_are_all_right(case: Case) -> None:
    assert case.right(), [hit.division[1] for hit in xunqin.search(case.query, CATALOG)]


def test_clever_classes_are_right_in_95_of_100(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + table())
    for name in CLEVER:
        of_class = [case for case in cases() if case.class_ == name]
        assert sum(case.right() for case in of_class) >= 0.95 * len(of_class)


def test_no_wrong_place() -> None:
    assert {case.query: case.wrong() for case in cases() if case.wrong()} == {}


def test_the_set_is_wide_enough() -> None:
    assert len(cases()) >= 300
    counties = {name for case in cases() for name in case.expected}
    reached = {CATALOG.city_of(division) for division in CATALOG.divisions if division[1] in counties}
    assert reached == set(CATALOG.cities)


if __name__ == "__main__":
    print(table())
