"""The data: honest, complete, made by data/build.py and by nothing else."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from conftest import ROOT

import xunqin

POINTS = xunqin.load_list(str(ROOT / "data" / "points.csv"))
SOURCES = ROOT / "data" / "sources"
# Each contact that a cited source prints: the only cells that may be filled. (district, column, cell, source)
PRINTED = {
    ("江岸区", "contact", "戴警官", "http://ctjt.rmjtxw.com/qczx/20220705/443.html"),
    ("崇阳县", "office_phone", "0715-3783911", "http://chongyang.cjyun.org/p/22798.html"),
}
PLACES = [*xunqin.places_of(True), *xunqin.places_of(False)]


def rows_of(name: str) -> list[dict[str, str]]:
    with open(SOURCES / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_no_contact_that_a_cited_source_does_not_print() -> None:
    filled = {
        (row["district"], column, row[column], row["source"])
        for row in POINTS
        for column in xunqin.CONTACT_COLUMNS
        if row[column]
    }
    assert filled == PRINTED


def test_every_county_and_zone_has_its_one_row() -> None:
    expected = Counter((row["code"], row["name"]) for row in rows_of("divisions.csv"))
    expected += Counter((row["city_code"], row["name"]) for row in rows_of("zones.csv"))
    assert Counter((row["code"], row["district"]) for row in POINTS) == expected
    assert sum(expected.values()) == 107


def test_every_row_says_where_it_is_from_and_when() -> None:
    for row in POINTS:
        assert row["province"] == "湖北省"
        assert re.match(r"https?://", row["source"])
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", row["as_of"])
        assert re.fullmatch(r"0\d{2,3}-110", row["hotline"])
        assert row["status"] in ("listed", "bureau")
    assert [row["unit"] for row in POINTS if row["status"] == "listed"] == ["武汉市江岸区公安分局刑侦支队"]


def test_units_are_named_in_the_press_form() -> None:
    units = {row["district"]: row["unit"] for row in POINTS}
    assert units["硚口区"] == "武汉市硚口区公安分局"
    assert units["大冶市"] == "大冶市公安局"
    assert units["阳新县"] == "阳新县公安局"
    assert units["神农架林区"] == "神农架林区公安局"
    assert units["长阳土家族自治县"] == "长阳土家族自治县公安局"
    assert units["东湖新技术开发区"] == "武汉市公安局东湖新技术开发区分局"


def test_building_again_changes_nothing(tmp_path: Path) -> None:
    shutil.copy(ROOT / "xunqin.py", tmp_path)
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "data" / "build.py", tmp_path / "data")
    shutil.copytree(SOURCES, tmp_path / "data" / "sources")
    subprocess.run([sys.executable, str(tmp_path / "data" / "build.py")], check=True)
    made = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir() if path.suffix in (".csv", ".txt")}
    kept = {path.name: path.read_bytes() for path in (ROOT / "data").iterdir() if path.suffix in (".csv", ".txt")}
    for name in ("phrases.txt", "guide.txt"):  # kept by hand
        kept.pop(name)
    assert made.keys() == kept.keys()
    for name in kept:
        assert made[name] == kept[name], f"data/{name} is not what data/build.py makes"


def test_tables_are_plain_enough_to_be_read_by_search() -> None:
    """The tool splits these files at commas and finds names in them as text."""
    for line in (ROOT / "data" / "places.csv").read_text(encoding="utf-8").splitlines():
        assert '"' not in line
        assert line.count(",") == 9, line
    kinds = [place.kind in xunqin.REPAIRED for place in PLACES]
    assert kinds == sorted(kinds, reverse=True)


def test_every_place_comes_from_a_source_row() -> None:
    known = {(row["name"], row["code"]) for row in rows_of("divisions.csv")}
    known |= {(row["city"], row["city_code"]) for row in rows_of("divisions.csv")}
    known |= {(row["old_name"], row["code"]) for row in rows_of("former_names.csv")}
    known |= {(row["name"], row["county_code"]) for row in rows_of("townships.csv")}
    for row in rows_of("zones.csv"):
        known |= {(name, row["city_code"]) for name in (row["name"], *row["short_names"].split(";"))}
    assert {(place.name, place.code) for place in PLACES} <= known


def test_readings_of_counties_are_the_checked_ones_and_differ_from_a_general_library_as_known() -> None:
    from pypinyin import lazy_pinyin

    wrong = {}
    for row in rows_of("divisions.csv"):
        place = next(p for p in PLACES if p.name == row["name"] and p.kind == "county")
        assert tuple(row["pinyin"].split()) in list(place.readings(row["short_name"]))
        general = " ".join(lazy_pinyin(row["short_name"]))
        if general != row["pinyin"]:
            wrong[row["short_name"]] = general
    assert wrong == {"长阳": "zhang yang", "宜都": "yi dou", "曾都": "ceng dou"}


def test_county_names_stay_apart_by_sound_even_with_soft_pairs_folded() -> None:
    heard = Counter(" ".join(map(xunqin.soft, row["pinyin"].split())) for row in rows_of("divisions.csv"))
    assert max(heard.values()) == 1


def test_no_stored_name_holds_a_character_that_simplifying_would_change() -> None:
    for place in PLACES:
        assert xunqin.simplified(place.name) == place.name
