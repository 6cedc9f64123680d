#!/usr/bin/env python3
# /// script
# requires-python = ">=3.10"
# dependencies = ["click>=8.1.7", "rich>=13.7", "rapidfuzz>=3.6"]
# ///
"""xunqin (寻亲): type a place in Hubei in any way, get the police unit that takes a free DNA sample.

One file, read from top to bottom: load, names, match, show, import, commands. Two rules stand above
all others: no contact that a cited source does not print, and no answer for a place that is not meant.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import click

__version__ = "0.1.0"

# ==============================================================================================
# Load: lists of units as CSV, strictly checked
# ==============================================================================================

Row = dict[str, str]

COLUMNS = (
    "code", "province", "city", "district", "unit", "address", "contact", "office_phone", "mobile",
    "hotline", "status", "source", "as_of",
)  # fmt: skip
CONTACT_COLUMNS = ("address", "contact", "office_phone", "mobile")
# Hubei police published 136 points in July 2022, 16 of them in Wuhan (极目新闻, 2022-07-05).
PUBLISHED = 136
PUBLISHED_IN = {"武汉市": 16}
HOME_PROVINCE = "湖北省"


class ListError(Exception):
    """A list that cannot be used. The message is one line: file:row: column: problem: remedy."""

    def __init__(self, path: str, problem: str, remedy: str, row: int = 0, column: str = "") -> None:
        where = f"{path}:{row}" if row else path
        super().__init__(": ".join(part for part in (where, column, problem, remedy) if part))


def data_file(name: str) -> str:
    """The path of a bundled data file: xunqin_data/ when installed, data/ in a checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    installed = os.path.join(here, "xunqin_data")
    return os.path.join(installed if os.path.isdir(installed) else os.path.join(here, "data"), name)


def own_list_path() -> str:
    """Where `xunqin import` keeps the user's own list."""
    return os.path.join(click.get_app_dir("xunqin"), "points.csv")


def read_text(path: str) -> str:
    """A file's text: UTF-8, with or without BOM. Raises ListError when it is no readable text."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except IsADirectoryError:
        raise ListError(path, "这是一个目录", "请给出 CSV 文件") from None
    except OSError as error:
        raise ListError(path, f"打不开（{error.strerror}）", "请检查路径和权限") from None
    if b"\0" in raw:
        raise ListError(path, "不是文本文件", "请给出 CSV；图片和 Excel 表请用 xunqin import")
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise ListError(path, "不是 UTF-8 编码", "请另存为 UTF-8，或用 xunqin import 读入", row) from None


# What a spreadsheet would run at the start of a cell; "+86-..." and "-1" are numbers, not formulas.
FORMULA_STARTS = ("=", "@", "+", "-")


def cell_problem(cell: str) -> tuple[str, str] | None:
    """(problem, remedy) of a cell that must never be printed, or None."""
    if "\n" in cell or "\t" in cell:
        return "一格里有换行或制表符", "请改成一行；多个号码用 ; 隔开"
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in cell):
        return "含有控制字符", "请删掉看不见的字符"
    if cell.startswith(FORMULA_STARTS) and not re.match(r"[+-][\d ]", cell):
        return "像是表格公式", "请删掉开头的 = + - @"
    return None


def parse_rows(text: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells) of each record of a CSV text, blank lines left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    row = 1
    try:
        for cells in reader:
            if cells:
                yield row, cells
            row = reader.line_num + 1
    except csv.Error as error:
        raise ListError(path, f"CSV 格式不对（{error}）", "请检查引号是否成对", row) from None


def load_list(path: str) -> list[Row]:
    """The units of a CSV list with the columns of COLUMNS, in any order; others are ignored.

    Raises ListError, naming row and column, for anything that is not such a list.
    """
    text = read_text(path)
    records = parse_rows(text, path)
    _, header = next(records, (0, []))
    if not header:
        raise ListError(path, "文件是空的", "请给出有表头和内容的 CSV")
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise ListError(path, f"缺少列 {'、'.join(missing)}", f"表头应为 {','.join(COLUMNS)}", 1)
    rows = []
    width = len(header)
    for number, cells in records:
        if len(cells) != width:
            raise ListError(path, f"有 {len(cells)} 格，表头有 {width} 格", "请补齐或删去多余的格", number)
        if not "".join(cells).isprintable() or any(cell.startswith(FORMULA_STARTS) for cell in cells):
            for name, cell in zip(header, cells):
                problem = cell_problem(cell)
                if problem:
                    raise ListError(path, *problem, number, name)
        rows.append(dict(zip(header, cells)))
    return rows


@lru_cache(maxsize=8)
def _table(name: str) -> str:
    """A bundled table as text. One name or character is found in it faster than the whole is parsed."""
    with open(data_file(name), encoding="utf-8", newline="") as file:
        return file.read()


# ==============================================================================================
# Names: how a place's name is written, read and drawn
# ==============================================================================================

# The 55 peoples and 各族, as autonomous areas are named after them.
_PEOPLES = (
    "蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 "
    "柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 "
    "塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺 各"
)
_AUTONOMOUS = ("自治区", "自治州", "自治县", "自治旗")
_SUFFIXES = ("特别行政区", "林区", "新区", "地区", "矿区", "省", "市", "区", "县", "州", "旗", "盟")
COUNTY_SUFFIXES = ("区", "县", "市")


def short_name(name: str) -> str:
    """A division's name without its suffix, when two characters are left.

    江岸区 -> 江岸, 长阳土家族自治县 -> 长阳, 神农架林区 -> 神农架, 恩施土家族苗族自治州 -> 恩施; 房县 -> 房县.
    """
    if name.endswith(_AUTONOMOUS):
        short, longer = name[:-3], ""
        peoples = sorted((f"{people}{ending}" for people in _PEOPLES.split() for ending in ("族", "")), key=len)
        while short != longer and len(short) > 2:
            longer = short
            found = next((people for people in reversed(peoples) if short.endswith(people)), "")
            short = short.removesuffix(found) if len(short) - len(found) >= 2 else short
        return short
    suffix = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix) if len(name) - len(suffix) >= 2 else name


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """A query without what never changes an answer: spaces, width, case, punctuation, tone marks.

    "Jiang'an" -> "jiangan", "ＪＩＡＮＧ　ＡＮ" -> "jiangan", "江岸。" -> "江岸", "huáng pí" -> "huangpi".
    """
    if text.isalnum() and not text.isascii() and unicodedata.is_normalized("NFKC", text):
        return text.casefold()
    letters = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return "".join(c for c in unicodedata.normalize("NFKC", letters) if c.isalnum())


@lru_cache(maxsize=4096)
def _simplified_character(character: str) -> str:
    table = _table("traditional.txt")
    at = table.find(character)
    return table[table.rfind("\n", 0, at) + 1] if at >= 0 else character


def simplified(text: str) -> str:
    """Traditional and variant characters made simplified: 鄖陽 -> 郧阳, 穀城 -> 谷城 (OpenCC's table)."""
    return text if text.isascii() else "".join(map(_simplified_character, text))


@lru_cache(maxsize=4096)
def _character_readings(character: str) -> tuple[tuple[str, ...], bool]:
    """(a character's toneless readings, whether no common phrase contains it)."""
    table = _table("syllables.txt")
    found, rare = [], False
    at = table.find(character) if character.isalpha() and not character.isascii() else -1
    while at >= 0:
        start, end = table.rfind("\n", 0, at) + 1, table.find("\n", at)
        found.append(table[start : table.find(" ", start)])
        rare = "|" in table[start:at]
        at = table.find(character, end)
    return tuple(found), rare


def readings(text: str, most: int = 16) -> list[tuple[str, ...]]:
    """The toneless readings of a text, at most `most`: 硚口 -> [("qiao", "kou")]; [] with an unknown character."""
    options = [_character_readings(character)[0] for character in text]
    return list(itertools.islice(itertools.product(*options), most)) if text and all(options) else []


_SOFT = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"))


def soft(syllable: str) -> str:
    """A syllable with the pairs that many speakers do not tell apart folded: zh z, ch c, sh s, l n, ing in, eng en."""
    for hard, plain in _SOFT:
        if syllable.startswith(hard):
            syllable = plain + syllable[len(hard) :]
            break
    return syllable[:-1] if syllable.endswith(("ing", "eng")) else syllable


def looks_like(typed: str, right: str, perhaps: bool = False) -> bool:
    """Whether a typed character is a known look-alike of the right one (治 of 冶); `perhaps`: a weak one too."""
    table = _table("lookalikes.txt")
    at = table.find(f"\n{right} ")
    line = table[at + 3 : table.index("\n", at + 1)] if at >= 0 else ""
    return typed in (line if perhaps else line.partition("|")[0])


class Abroad(NamedTuple):
    """A county, prefecture or province outside Hubei: a row of elsewhere.csv (china-division 2.7.0)."""

    name: str
    short: str
    province: str
    level: str  # province, prefecture, county
    pinyin: str


@lru_cache(maxsize=4096)
def abroad(text: str) -> list[Abroad]:
    """The places outside Hubei with this full or short name or pinyin, so that none is mistaken for one in it."""
    table = _table("elsewhere.csv")
    found = []
    for wanted in (f"\n{text},", f",{text},", f",{text}\n"):
        at = table.find(wanted)
        while at >= 0:
            start = table.rfind("\n", 0, at + 1) + 1
            row = Abroad(*table[start : table.find("\n", start)].split(","))
            if text in (row.name, row.short, row.pinyin) and row not in found:
                found.append(row)
            at = table.find(wanted, at + 1)
    return found


def is_official_abroad(name: str) -> bool:
    """Whether a division outside Hubei bears exactly this full name."""
    return any(row.name == name for row in abroad(name))


def is_large_abroad(name: str) -> bool:
    """Whether a prefecture or province outside Hubei has this name, short name or pinyin."""
    return any(row.level != "county" for row in abroad(name))


class Place(NamedTuple):
    """A row of places.csv. `short` is "" or a beginning of `name`; `pinyin` reads `name`, readings joined by ";"."""

    name: str
    short: str
    kind: str  # county, zone, prefecture, former, popular, township
    code: str
    district: str  # the division of today; a prefecture's name stands for all its counties
    pinyin: str
    years: str
    note: str
    lon: str
    lat: str

    def readings(self, text: str) -> Iterator[tuple[str, ...]]:
        """The checked readings of `text`, which is this place's name or short name."""
        for reading in self.pinyin.split(";"):
            yield tuple(reading.split()[: len(text)])

    def names(self) -> tuple[str, ...]:
        """The name and, when there is one, the short name."""
        return (self.name, self.short) if self.short and self.short != self.name else (self.name,)


# Kinds whose names a wrong character may be repaired to; a township's never, they are too many.
REPAIRED = ("county", "zone", "prefecture", "former")
# Kinds of place whose names are looked up as written, in the order in which they answer.
RECORDED = ("former", "popular", "township")


def _place(line: str) -> Place:
    """The gazetteer's fields hold no comma and no quote (a test sees to it), so a split will do."""
    return Place(*line.split(","))


@lru_cache(maxsize=1)
def all_places() -> list[Place]:
    """The whole gazetteer."""
    return list(map(_place, _table("places.csv").splitlines()[1:]))


@lru_cache(maxsize=1)
def repaired_places() -> list[Place]:
    """The gazetteer's rows of the kinds in REPAIRED, which stand first in the file."""
    lines = _table("places.csv").splitlines()[1:]
    return list(itertools.takewhile(lambda place: place.kind in REPAIRED, map(_place, lines)))


@lru_cache(maxsize=4096)
def places_named(name: str) -> list[Place]:
    """The gazetteer's rows with exactly this full or short name, found without reading the rest."""
    table = _table("places.csv")
    found = []
    at = table.find(f"{name},")
    while at >= 0:
        end = table.index("\n", at)
        place = _place(table[table.rfind("\n", 0, at) + 1 : end])
        if name in (place.name, place.short):
            found.append(place)
        at = table.find(f"{name},", end)
    return found


@lru_cache(maxsize=1)
def _joined_places() -> tuple[str, list[str]]:
    table = _table("places.csv")
    return table.replace(" ", ""), table.splitlines()


def places_spelled(letters: str) -> list[Place]:
    """The gazetteer's rows whose full or short name reads so, letters joined: yuyangguan -> 渔洋关镇."""
    joined, lines = _joined_places()
    found = []
    for mark in (",", ";"):
        at = joined.find(mark + letters)
        while at >= 0:
            place = _place(lines[joined.count("\n", 0, at)])
            if any("".join(reading) == letters for name in place.names() for reading in place.readings(name)):
                found.append(place)
            at = joined.find(mark + letters, at + 1)
    return found


# ==============================================================================================
# Match: tiers, not points. The first tier that hits answers; a sure reading beats a clever one
# ==============================================================================================

Division = tuple[str, str]  # (code, district): a zone shares its prefecture's code


class Hit(NamedTuple):
    """One division that a query means, the tier that found it, and how it was read."""

    division: Division
    tier: str
    note: str = ""


class Catalog:
    """A list of units and what can be looked up in it. Everything past the plain names is made when asked for."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.divisions: dict[Division, list[Row]] = {}
        self.cities: dict[str, list[Division]] = {}
        self.provinces: dict[str, None] = {}
        for row in rows:
            division = (row["code"], row["district"])
            if division not in self.divisions:
                self.divisions[division] = []
                self.cities.setdefault(row["city"], []).append(division)
                self.provinces[row["province"]] = None
            self.divisions[division].append(row)

    @cached_property
    def names(self) -> dict[str, list[Division]]:
        """{full or short name: its divisions}."""
        names: dict[str, list[Division]] = {}
        for division in self.divisions:
            for name in dict.fromkeys((division[1], short_name(division[1]))):
                if name:
                    names.setdefault(name, []).append(division)
        return names

    @cached_property
    def city_names(self) -> dict[str, str]:
        """{a city's full, short or short + 州 name: its full name}."""
        names = {}
        for city in self.cities:
            short = short_name(city)
            names.update({city: city, short: city})
            if city.endswith("州"):
                names[short + "州"] = city
        return {name: city for name, city in names.items() if name}

    def city_of(self, division: Division) -> str:
        """The city a division belongs to."""
        return self.divisions[division][0]["city"]

    @cached_property
    def places(self) -> list[Place]:
        """The gazetteer's rows whose division is in this list; none for another province's list."""
        return [place for place in all_places() if self.resolve(place)]

    def resolve(self, place: Place) -> list[Division]:
        """The divisions of this list that a place of the gazetteer stands for."""
        division = (place.code, place.district)
        if division in self.divisions:
            return [division]
        return self.cities.get(place.district, []) if place.code.endswith("00") else []

    def recorded(self, name: str) -> list[Place]:
        """The former and popular names and townships of this list's divisions with this full or short name."""
        return [place for place in places_named(name) if place.kind in RECORDED and self.resolve(place)]

    @cached_property
    def former_cities(self) -> dict[str, str]:
        """{a prefecture's former name: its name today}: 襄樊市 -> 襄阳市."""
        return {p.name: p.district for p in self.named if p.kind == "former" and p.code.endswith("00")}

    @cached_property
    def named(self) -> list[Place]:
        """Every name that sound and shape may repair: counties, zones, prefectures and former names."""
        known = [place for place in repaired_places() if self.resolve(place)]
        covered = {division for place in known if place.kind in ("county", "zone") for division in self.resolve(place)}
        extra = [
            Place(name, short_name(name), "county", code, name, "", "", "", "", "")
            for code, name in self.divisions
            if (code, name) not in covered and name
        ]
        return known + extra

    @cached_property
    def sounds(self) -> dict[str, list[tuple[str, Place]]]:
        """{"qiao kou": [("硚口", its place)]}, and the same with soft pairs folded."""
        index: dict[str, list[tuple[str, Place]]] = {}
        for place in self.named:
            for name in place.names():
                for reading in _name_readings(place, name):
                    for key in {" ".join(reading), " ".join(map(soft, reading))}:
                        index.setdefault(key, []).append((name, place))
        return index

    @cached_property
    def shapes(self) -> dict[str, list[tuple[str, Place]]]:
        """{"大*": [("大冶", its place)]}: each name with each character left open."""
        index: dict[str, list[tuple[str, Place]]] = {}
        for place in self.named:
            for name in place.names():
                for at in range(len(name)):
                    index.setdefault(f"{name[:at]}*{name[at + 1 :]}", []).append((name, place))
        return index

    @cached_property
    def spelled(self) -> dict[str, list[Place]]:
        """{"jiangan": places}: every reading of every name that may be repaired, letters only."""
        return _spellings(self.named)

    @cached_property
    def initials(self) -> dict[str, list[Place]]:
        """{"hp": [黄陂区]}: the first letters of short and full names of counties and prefectures."""
        index: dict[str, list[Place]] = {}
        for place in self.named:
            if place.kind in ("county", "prefecture"):
                for name in place.names():
                    best = next(iter(_name_readings(place, name, 1)), ())
                    key = "".join(syllable[0] for syllable in best)
                    if place not in index.setdefault(key, []):
                        index[key].append(place)
        return index


def _name_readings(place: Place, name: str, most: int = 4) -> list[tuple[str, ...]]:
    """The checked readings of a place's name; the syllable table's where the gazetteer does not know it."""
    return list(dict.fromkeys(place.readings(name))) if place.pinyin else readings(name, most)


def _spellings(places: Iterable[Place]) -> dict[str, list[Place]]:
    index: dict[str, list[Place]] = {}
    for place in places:
        for name in place.names():
            for reading in _name_readings(place, name):
                index.setdefault("".join(reading), []).append(place)
    return index


class Query:
    """What a person typed, and the ways to take it apart."""

    def __init__(self, text: str, catalog: Catalog) -> None:
        self.text = text
        self.catalog = catalog

    @cached_property
    def plain(self) -> list[tuple[str, str]]:
        """(city or "", the rest) for each way to take a province and a city off the front."""
        return list(self._split(self.text))

    def _split(self, text: str) -> Iterator[tuple[str, str]]:
        yield "", text
        for province in self.catalog.provinces:
            for name in (province, short_name(province)):
                if name and text.startswith(name) and len(text) > len(name):
                    yield from self._split(text[len(name) :])
                    return
        for length in range(min(len(text) - 1, 12), 1, -1):
            city = self.catalog.city_names.get(text[:length])
            if city:
                yield city, text[length:]

    @cached_property
    def cores(self) -> list[tuple[str, str]]:
        """The plain splits, also behind a prefecture's former name, and those without police words."""
        former = [
            (city, self.text.removeprefix(HOME_PROVINCE).removeprefix("湖北")[len(name) :])
            for name, city in self.catalog.former_cities.items()
            if self.text.removeprefix(HOME_PROVINCE).removeprefix("湖北").startswith(name)
        ]
        splits = [*self.plain, *former, *self.police]
        return [(city, core) for city, core in dict.fromkeys(splits) if len(core) >= 2]

    @cached_property
    def police(self) -> list[tuple[str, str]]:
        """The splits with a bureau's wording taken off: 武汉市公安局硚口分局 -> (武汉市, 硚口)."""
        splits = []
        for city, rest in self.plain:
            core = re.sub(POLICE, "", rest.removeprefix("公安局") if city else rest)
            if not core and rest.startswith("公安公安"):
                core = "公安"
            if core != rest and core:
                splits.append((city, core))
        return splits


# A bureau's wording at the end of a name. 公安 also names a county: only what is left in front decides.
POLICE = (
    "(?:人民|公安|分局|局|厅|刑事|侦查|侦察|刑侦|刑警|打拐|反拐|技术|采血点|采血|dna|"
    "大队|支队|中队|总队|队|部门|办公室|办|派出所)+$"
)


def _agree(catalog: Catalog, city: str, divisions: Iterable[Division]) -> list[Division]:
    """Those of the divisions that lie in the city named beside them, if one is."""
    return [division for division in divisions if not city or catalog.city_of(division) == city]


def _hits(tier: str, divisions: Iterable[Division], note: str = "") -> list[Hit]:
    return [Hit(division, tier, note) for division in dict.fromkeys(divisions)]


def by_exact(query: Query) -> list[Hit]:
    """Today's full or short name, with or without province and city in front.

    A name that is both county and prefecture (恩施, 荆州) gives the county, then the prefecture's rest;
    a full name that another county had before (江陵县) gives today's county, then the old one's successor.
    """
    catalog = query.catalog
    for city, core in query.plain:
        hits = _hits("exact", _agree(catalog, city, catalog.names.get(core, [])))
        if hits:
            if core in catalog.city_names and not city and core != hits[0].division[1]:
                hits += _hits("city", catalog.cities[catalog.city_names[core]])
            if core.endswith(COUNTY_SUFFIXES):
                for place in places_named(core):
                    if place.kind == "former":
                        hits += _hits("former", catalog.resolve(place), _former_note(place))
            return _once(hits)
    return []


def _once(hits: Iterable[Hit]) -> list[Hit]:
    """Each division once, as it was found first."""
    first: dict[Division, Hit] = {}
    for hit in hits:
        first.setdefault(hit.division, hit)
    return list(first.values())


def _former_note(place: Place) -> str:
    return f"{place.years[-4:]} 年以前的{place.name}，今{place.district}"


def by_unit(query: Query) -> list[Hit]:
    """A bureau's wording (江岸分局, 公安县公安局, 武汉市公安局) or a unit's whole name."""
    catalog = query.catalog
    for city, core in query.police:
        found = _agree(catalog, city, catalog.names.get(core, []))
        if not found and not city and core in catalog.city_names:
            found = catalog.cities[catalog.city_names[core]]
        if found:
            return _hits("unit", found)
    return _hits(
        "unit", ((row["code"], row["district"]) for row in catalog.rows if row["unit"] == query.text and row["unit"])
    )


def by_city(query: Query) -> list[Hit]:
    """A city's or prefecture's name alone: all its units."""
    for city, core in query.plain:
        if not city and core in query.catalog.city_names:
            found = query.catalog.cities[query.catalog.city_names[core]]
            return _hits("city", found, f"{query.catalog.city_names[core]}的各单位")
    return []


def by_record(query: Query) -> list[Hit]:
    """A former name, a popular name or a township, written right. All that bear the name answer."""
    catalog = query.catalog
    found: list[tuple[Place, str]] = []
    for city, core in query.cores:
        for place in catalog.recorded(core):
            # 洛阳 is a town in 曾都 and a city in Henan: whoever types the bare name means the city.
            if place.kind == "former" or not is_large_abroad(core):
                found.append((place, city))
        if not found and core[-1] in "区镇街" and not is_official_abroad(core):
            found += [(p, city) for p in catalog.recorded(core[:-1]) if p.kind == "popular"]  # 汉口区, 纸坊镇
        if found:
            break
    hits = []
    for place, city in sorted(found, key=lambda pair: RECORDED.index(pair[0].kind)):
        note = _former_note(place) if place.kind == "former" else f"{place.name}在{place.district}"
        hits += _hits(place.kind, _agree(catalog, city, catalog.resolve(place)), note)
    return _once(hits)


def by_stem(query: Query) -> list[Hit]:
    """A county's name with another suffix (江岸县), unless a county elsewhere really bears it (华容县)."""
    for city, core in query.cores:
        if core.endswith(COUNTY_SUFFIXES) and len(core) >= 3 and not is_official_abroad(core):
            found = _agree(query.catalog, city, query.catalog.names.get(core[:-1], []))
            if found:
                return _hits("exact", found, f"按「{core[:-1]}」")
    return []


# --- sentences and addresses ------------------------------------------------------------------

# What may stand around a short name in a sentence. Elsewhere it is a part of something else: 江汉路, 青山绿水, 天门山.
_BEFORE = frozenset("在到去从是住于回往我他她你家址为原籍贯乡")
_AFTER = frozenset("的人那这附近老乡下城走丢失踪打被有找农村呢吗吧啊和与")
_ROAD = ("路", "大道", "街", "巷", "桥", "大桥", "大厦", "广场", "大学", "学院", "公园", "场", "大酒店")


class Token(NamedTuple):
    """A name inside a text: where it stands, what it stands for, how much it says."""

    start: int
    end: int
    sort: str  # county, former, township, city, province, elsewhere
    full: bool
    divisions: tuple[Division, ...]
    note: str


Word = tuple[str, bool, tuple[Division, ...], str]  # sort, whether it is a full name, divisions, note


@lru_cache(maxsize=4)
def _vocabulary(catalog: Catalog) -> dict[str, Word]:
    """All names that an address may hold; a later one takes the place of an earlier one."""
    words: dict[str, Word] = {}
    for line in _table("elsewhere.csv").splitlines()[1:]:
        row = Abroad(*line.split(","))
        if row.level == "county":
            break  # provinces and prefectures stand first in the file
        words[row.name] = words[row.short] = ("elsewhere", True, (), row.province)
    for place in catalog.places:
        words.update(_recorded_word(place, tuple(catalog.resolve(place)), words))
    for name in catalog.provinces:
        words.update({name: ("province", True, (), ""), short_name(name): ("province", True, (), "")})
    for name, city in catalog.city_names.items():
        words[name] = ("city", name == city, tuple(catalog.cities[city]), "")
    for name, found in catalog.names.items():
        full = name == found[0][1]
        if name != "公安" and (
            full or name not in catalog.city_names
        ):  # 公安 is the word for police, unless 县 follows
            words[name] = ("county", full, tuple(found), "")
    words.pop("", None)
    return words


def _recorded_word(place: Place, divisions: tuple[Division, ...], words: dict[str, Word]) -> dict[str, Word]:
    """A township by its full name, with all counties that have one; a former or popular name."""
    if place.kind == "township" and place.short:
        same = words[place.name][2] if place.name in words and words[place.name][0] == "township" else ()
        return {place.name: ("township", True, (*same, *divisions), "")}
    if place.kind == "former":
        return {place.name: ("former", place.name.endswith(COUNTY_SUFFIXES), divisions, _former_note(place))}
    if place.kind == "popular" and place.name not in words:
        return {place.name: ("former", len(place.name) > 2 and place.name.endswith("区"), divisions, "")}
    return {}


def _tokens(text: str, catalog: Catalog) -> list[Token]:
    """The names in a text from left to right, the longest first at each place."""
    words = _vocabulary(catalog)
    longest = 14
    tokens = []
    at = 0
    while at < len(text):
        for length in range(min(longest, len(text) - at), 1, -1):
            word = words.get(text[at : at + length])
            if word:
                tokens.append(Token(at, at + length, *word))
                at += length
                break
        else:
            at += 1
    return tokens


def _in_context(token: Token, text: str, before: Token | None, after: Token | None) -> bool:
    """Whether a short name stands by itself: 老家监利的, 江夏纸坊; not 青山绿水."""
    starts = token.start == 0 or text[token.start - 1] in _BEFORE or (before is not None and before.end == token.start)
    ends = token.end == len(text) or text[token.end] in _AFTER or (after is not None and after.start == token.end)
    return starts and ends


def _weight(token: Token, text: str, before: Token | None, after: Token | None, named: set[Division]) -> int:
    """How surely a token names the place that is meant; 0 when it does not, -1 when the text contradicts itself.

    `named` holds the divisions of the cities named further in front.
    """
    follows_road = text.startswith(_ROAD, token.end) and not text.startswith("街道", token.end)
    if before is not None and before.end == token.start:
        if before.sort == "elsewhere":
            return 0
        if before.sort == "city" and token.divisions and not set(token.divisions) & set(before.divisions):
            return -1
        if before.sort in ("city", "province") and token.sort == "county":
            return 0 if follows_road and not token.full else 5
    if not token.full and not _in_context(token, text, before, after):
        return 3 if token.sort == "county" and set(token.divisions) & named and not follows_road else 0
    if token.sort == "city" and (follows_road or re.search("(?<![小社园景校院])区|县|分局", text[token.end :])):
        return 0  # 武汉路 is a street; behind a city, a district that is not known here is not the city
    return {"county": 4, "former": 3, "township": 2, "city": 1}.get(token.sort, 0)


def _weighed(text: str, tokens: list[Token], catalog: Catalog) -> list[tuple[int, Token]]:
    """(weight, token) for each token; beside a place elsewhere only a county's full name counts."""
    abroad_named = any(token.sort == "elsewhere" for token in tokens)
    named: set[Division] = set()
    weighed = []
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else None
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        weight = _weight(token, text, before, after, named)
        unsure = token.sort not in ("county", "former") or not token.full
        if abroad_named and 0 < weight < 5 and (unsure or is_official_abroad(text[token.start : token.end])):
            weight = 0
        weighed.append((weight, token))
        if token.sort == "city" and token.full:
            named |= set(token.divisions)
    return weighed


def by_address(query: Query) -> list[Hit]:
    """An address or a sentence: the county named inside decides, and the prefecture beside it must agree.

    Of two whole addresses in one line (原籍…，现住…) the last counts.
    """
    catalog, text = query.catalog, query.text
    if text.isascii() or len(text) < 3:
        return []
    tokens = _tokens(text, catalog)
    weighed = _weighed(text, tokens, catalog)
    if any(weight < 0 for weight, _ in weighed):
        return []
    best = max((weight for weight, _ in weighed), default=0)
    chosen = [token for weight, token in weighed if weight == best and best > 0]
    hits = []
    for token in chosen[-1:] if best == 5 else chosen:
        cities = {d for city in tokens if city.sort == "city" and city.end <= token.start for d in city.divisions}
        divisions = [d for d in token.divisions if d in cities] or token.divisions
        hits += _hits("city" if token.sort == "city" else "address", divisions, token.note)
    return _once(hits)


# --- sound ------------------------------------------------------------------------------------


def _rank(hits: list[tuple[Place, list[Division]]], tier: str, note: str) -> list[Hit]:
    """Hits of the surest kind of place: a county before its prefecture, those before former names."""
    for kinds in (("county", "zone"), ("prefecture",), ("former",), RECORDED):
        sure = [pair for pair in hits if pair[0].kind in kinds]
        if sure:
            return _once(hit for place, found in sure for hit in _hits(tier, found, f"{note} → {place.district}"))
    return []


def by_pinyin(query: Query) -> list[Hit]:
    """Whole pinyin, with or without province, city, suffix and police words; hu ting and huang po are let pass."""
    text = query.text
    if not (text.isascii() and text.isalpha()):
        return []
    catalog = query.catalog
    text = re.sub("(?:gonganfenju|gonganju|fenju)$", "", text.replace("v", "u"))
    everywhere = list(catalog.divisions)
    for letters in dict.fromkeys((text, re.sub("^hubei(?:sheng)?(?=.)", "", text))):
        hits = _spelled(catalog, letters, everywhere) or _spelled_behind_city(catalog, letters)
        if hits:
            return hits
    return []


def _spelled_behind_city(catalog: Catalog, letters: str) -> list[Hit]:
    """A county behind its prefecture: wuhanshijiangan, jingzhou jianli."""
    for end in range(4, len(letters) - 2):
        for city in catalog.spelled.get(letters[:end].removesuffix("shi"), []):
            hits = _spelled(catalog, letters[end:], catalog.resolve(city)) if city.kind == "prefecture" else []
            if hits:
                return hits
    return []


def _spelled(catalog: Catalog, letters: str, within: list[Division]) -> list[Hit]:
    """The divisions, of those given, that a joined pinyin spells, with a suffix or without."""
    inside = set(within)
    for form in dict.fromkeys((letters, re.sub("(?:qu|xian|shi)$", "", letters))):
        places = catalog.spelled.get(form, [])
        if not places and not is_large_abroad(form):  # luoyang, nanyang: a town here, a city there
            places = [place for place in places_spelled(form) if place.kind in ("popular", "township")]
        found = [(place, [d for d in catalog.resolve(place) if d in inside]) for place in places]
        found = [(place, divisions) for place, divisions in found if divisions]
        if found:
            return _rank(found, "pinyin", "按拼音")
    return []


def by_initials(query: Query) -> list[Hit]:
    """The first letters of a county's name, of a prefecture's when no county has them: all that share them."""
    text = query.text
    if not (text.isascii() and text.isalpha() and 2 <= len(text) <= 5):
        return []
    places = query.catalog.initials.get(text, [])
    found = [place for place in places if place.kind == "county"] or places
    return _once(
        hit
        for place in found
        for hit in _hits("initials", query.catalog.resolve(place), f"按首字母 → {place.district}")
    )


def by_mixed(query: Query) -> list[Hit]:
    """Characters and pinyin mixed: 江an, 黄p, 恩sh."""
    runs = re.findall("[a-z]+|[^a-z0-9]", query.text)
    if (
        query.text.isascii()
        or "".join(runs) != query.text
        or not 2 <= len(query.text) <= 24
        or all(len(r) == 1 and not r.isascii() for r in runs)
    ):
        return []
    catalog = query.catalog
    found = []
    for place in catalog.named:
        for name in place.names():
            if any(_spells(runs, name, reading) for reading in _name_readings(place, name)):
                found.append((place, catalog.resolve(place)))
                break
    return _rank(found, "pinyin", "按汉字加拼音")


def _spells(runs: list[str], name: str, reading: tuple[str, ...]) -> bool:
    """Whether characters and letter runs together write the name; a run may stop short in each syllable's initial."""
    if not runs:
        return not name
    if not name:
        return False
    head, rest = runs[0], runs[1:]
    if not head.isascii():
        return head == name[0] and _spells(rest, name[1:], reading[1:])
    for length in range(1, min(len(head), len(reading[0])) + 1):
        part = reading[0][:length]
        whole = part == reading[0] or part in ("zh", "ch", "sh") or length == 1
        if whole and head.startswith(part):
            left = [head[length:], *rest] if head[length:] else rest
            if _spells(left, name[1:], reading[1:]):
                return True
    return False


def _forms(core: str) -> list[str]:
    """A name as typed, and without its suffix."""
    return [core, core[:-1]] if core.endswith(COUNTY_SUFFIXES) and len(core) >= 3 else [core]


def _sounds_like(catalog: Catalog, text: str) -> list[tuple[str, Place]]:
    """(name, place) for the names that sound like the text: exactly, else with the soft pairs."""
    for fold in (str, soft):
        found = [pair for reading in readings(text) for pair in catalog.sounds.get(" ".join(map(fold, reading)), [])]
        found = [pair for pair in dict.fromkeys(found) if _may_mean(text, pair[0], exactly=fold is str, place=pair[1])]
        if found:
            return found
    return []


def _may_mean(typed: str, name: str, exactly: bool, place: Place) -> bool:
    """Whether a typed name may be a slip for `name`, though a place elsewhere bears it.

    桐城 and 通城 sound alike, and 桐城 is a city in Anhui: no. 云阳 in Chongqing may stand for 郧阳, for
    no common phrase contains 郧 and many hold 云.
    """
    there = abroad(typed)
    if not there:
        return True
    if is_large_abroad(typed) or is_official_abroad(typed) or not exactly or place.kind == "former":
        return False
    slips = [(wrong, right) for wrong, right in zip(typed, name) if wrong != right]
    return all(_character_readings(right)[1] and not _character_readings(wrong)[1] for wrong, right in slips)


def by_homophone(query: Query) -> list[Hit]:
    """Characters that sound right: 乔口, 黄皮, 武汉市桥口区; the city in front may be a homophone too."""
    catalog = query.catalog
    for city, core in [*query.cores, *_heard_cities(query), *_heard_windows(query)]:
        if is_official_abroad(core):
            continue
        for form in _forms(core):
            heard = _sounds_like(catalog, form)
            found = [(place, _agree(catalog, city, catalog.resolve(place))) for _, place in heard]
            found = [(place, divisions) for place, divisions in found if divisions]
            if found:
                return _rank(found, "homophone", f"「{form}」按读音")
    return []


def _heard_cities(query: Query) -> Iterator[tuple[str, str]]:
    """(city, rest) where the front of a text sounds like a city's name: 黄岗市齐春县."""
    text = query.text.removeprefix(HOME_PROVINCE)
    for length in range(min(5, len(text) - 2), 1, -1):
        for _, place in _sounds_like(query.catalog, text[:length]):
            if place.kind == "prefecture":
                yield place.district, text[length:]


def _heard_windows(query: Query) -> Iterator[tuple[str, str]]:
    """(city, a piece that ends in 区, 县 or 市) at the front of an address: 武汉市桥口区解放大道 -> 桥口区."""
    for city, rest in query.plain:
        for end in range(3, min(6, len(rest))):
            if rest[end - 1] in COUNTY_SUFFIXES and rest[:end] not in query.catalog.city_names:
                yield city, rest[:end]


# --- shape ------------------------------------------------------------------------------------


def by_lookalike(query: Query) -> list[Hit]:
    """One character that looks like the right one (大治, 虢亭, 江崖区), when only one place is meant."""
    catalog = query.catalog
    for city, core in [*query.cores, *_heard_windows(query)]:
        if abroad(core):
            continue
        for form in _forms(core):
            if abroad(form):
                continue
            found = [
                (place, _agree(catalog, city, catalog.resolve(place))) for name, place in _drawn_like(catalog, form)
            ]
            hits = _rank(
                [(place, divisions) for place, divisions in found if divisions], "lookalike", f"「{form}」按字形"
            )
            if len({hit.note for hit in hits}) == 1:
                return hits
    return []


def _drawn_like(catalog: Catalog, text: str) -> list[tuple[str, Place]]:
    """(name, place) for the names that differ from the text in one look-alike character."""
    return [
        (name, place)
        for at in range(len(text))
        for name, place in catalog.shapes.get(f"{text[:at]}*{text[at + 1 :]}", [])
        if name[at] != text[at] and looks_like(text[at], name[at])
    ]


# --- slips ------------------------------------------------------------------------------------


def by_typo(query: Query) -> list[Hit]:
    """One slip in pinyin (qiaoko), or a few in a long unit name; only when one place is near."""
    text = query.text
    if text.isascii():
        return _slip_in_pinyin(query) if text.isalpha() and len(text) >= 5 else []
    return _slip_in_unit(query)


def _slip_in_pinyin(query: Query) -> list[Hit]:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    catalog = query.catalog
    text = query.text.replace("v", "u")
    forms = [text, re.sub("(?:qu|xian|shi)$", "", text)]
    if any(map(abroad, forms)):
        return []
    names = [key for key, places in catalog.spelled.items() if any(p.kind in ("county", "prefecture") for p in places)]
    for form in forms:
        if len(form) < 5:
            continue
        near = process.extract(form, names, scorer=OSA.distance, score_cutoff=1, limit=None)
        folded = [key for key, *_ in near if _soft_letters(key) == _soft_letters(form)]
        keys = folded or [key for key, *_ in near]
        found = [
            (p, catalog.resolve(p)) for key in keys for p in catalog.spelled[key] if p.kind in ("county", "prefecture")
        ]
        if found and len({place.district for place, _ in found}) == 1:
            return _rank(found, "typo", "拼音差一处")
    return []


def _soft_letters(letters: str) -> str:
    for hard, plain in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ing", "in"), ("eng", "en")):
        letters = letters.replace(hard, plain)
    return letters


def _slip_in_unit(query: Query) -> list[Hit]:
    """A part of a unit's name, or one nearly right, in a list that the gazetteer does not cover."""
    catalog, text = query.catalog, query.text
    if len(catalog.named) > len(catalog.divisions) or len(text) < 2:
        return []
    inside = [(row["code"], row["district"]) for row in catalog.rows if text in row["unit"] or text in row["district"]]
    if inside:
        return _hits("unit", inside)
    if len(text) < 6 or any(token.sort == "elsewhere" for token in _tokens(text, catalog)):
        return []
    from rapidfuzz import fuzz, process

    units = [row["unit"] for row in catalog.rows]
    near = process.extract(text, units, scorer=fuzz.ratio, score_cutoff=85, limit=2)
    if near and (len(near) == 1 or near[0][1] > near[1][1]):
        row = catalog.rows[near[0][2]]
        return _hits("typo", [(row["code"], row["district"])], f"单位名相近 → {row['unit']}")
    return []


# --- all tiers --------------------------------------------------------------------------------

# In this order; the first that hits answers. A tier may name its hits otherwise (former, township, city).
TIERS: tuple[Callable[[Query], list[Hit]], ...] = (
    by_exact,
    by_unit,
    by_city,
    by_record,
    by_stem,
    by_address,
    by_pinyin,
    by_initials,
    by_mixed,
    by_homophone,
    by_lookalike,
    by_typo,
)
# Tiers that take the whole text or nothing: safe to try before traditional characters are folded.
_WHOLE = TIERS[:3]


def search(text: str, catalog: Catalog, city: str = "") -> list[Hit]:
    """The divisions that a name means, best first; [] when none is sure. `city` keeps to one city's."""
    cleaned = clean(text)
    if not cleaned or len(cleaned) > 200:
        return []
    query = Query(cleaned, catalog)
    for tier in _WHOLE:
        hits = _in_city(catalog, city, tier(query))
        if hits:
            return hits
    folded = simplified(cleaned)
    if folded != cleaned:
        query = Query(folded, catalog)
    for tier in TIERS if folded != cleaned else TIERS[len(_WHOLE) :]:
        hits = _in_city(catalog, city, tier(query))
        if hits:
            return hits
    return []


def _in_city(catalog: Catalog, city: str, hits: list[Hit]) -> list[Hit]:
    return [hit for hit in hits if not city or catalog.city_of(hit.division) == city]


def suggest(text: str, catalog: Catalog, most: int = 3) -> list[Division]:
    """Divisions near to a name in sound or shape, nearest first; none because one character agrees."""
    from rapidfuzz.distance import OSA

    folded = simplified(clean(text))
    if not folded or len(folded) > 40 or is_large_abroad(folded):
        return []
    if is_official_abroad(folded):  # 华容县 is in Hunan; only 华容区 itself is near
        return catalog.names.get(folded[:-1], [])[:most]
    scores: dict[Division, float] = {}
    for _, core in Query(folded, catalog).cores[:4]:
        for division, score in _near_records(catalog, core):
            scores[division] = max(score, scores.get(division, 0))
        for form in _forms(core):
            for place in catalog.named:
                if place.kind == "prefecture":
                    continue
                score = max(_nearness(form, name, place, OSA.normalized_similarity) for name in place.names())
                if score >= 0.75:
                    for division in catalog.resolve(place)[:1]:
                        scores[division] = max(score, scores.get(division, 0))
    best = max(scores.values(), default=0)
    near = [division for division, score in scores.items() if score > best - 0.12]
    return sorted(near, key=lambda division: -scores[division])[:most]


def _near_records(catalog: Catalog, core: str) -> Iterator[tuple[Division, float]]:
    """Townships and popular names that are near, or a county that stands in another prefecture."""
    for name in (core, *(core.removesuffix(suffix) for suffix in ("街道", "镇", "乡") if core.endswith(suffix))):
        for place in catalog.recorded(name)[:3]:
            for division in catalog.resolve(place)[:1]:
                yield division, 0.9
        for division in catalog.names.get(name, []):
            yield division, 1.0


def _nearness(typed: str, name: str, place: Place, similar: Callable[[str, str], float]) -> float:
    """0 to 1: how near a typed name is to a name in sound or shape, character by character; letters by spelling."""
    if typed.isascii():
        return max((similar(typed, "".join(reading)) for reading in _name_readings(place, name, 1)), default=0)
    if len(typed) != len(name):
        return 0
    heard = next(iter(_name_readings(place, name, 1)), None)
    if heard is None:
        return 0
    total = 0.0
    for wrong, right, sound in zip(typed, name, heard):
        if wrong == right:
            total += 1
        elif looks_like(wrong, right, perhaps=True):
            total += 0.9 if looks_like(wrong, right) else 0.7
        else:
            closest = max((similar(soft(s), soft(sound)) for s in _character_readings(wrong)[0]), default=0)
            total += closest if closest >= 0.6 else -1
    return total / len(name)


# ==============================================================================================
# Show: rows for machines, tables for people
# ==============================================================================================

NOT_LISTED = "未收录"
GUIDANCE = "免费，不限户籍，带身份证，先打电话。"


def tell(text: str) -> None:
    """One message for people, on stderr; a closed or full stderr is nobody's to tell."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            click.echo(text, err=True)


def csv_text(rows: Iterable[Row], columns: Iterable[str], header: bool = True) -> str:
    """CSV: UTF-8, "\\n", a header always."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = list(columns)
    if header:
        writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return out.getvalue()


def excel_text(rows: Iterable[Row], columns: Iterable[str], header: bool = True) -> str:
    """CSV for Excel: BOM, "\\r\\n", and a ' before a cell that would run as a formula."""
    guarded = (
        {name: f"'{cell}" if cell[:1] in tuple("=+-@\t\r") and cell else cell for name, cell in row.items()}
        for row in rows
    )
    return ("\ufeff" if header else "") + csv_text(guarded, columns, header).replace("\n", "\r\n")


def json_text(rows: Iterable[Row], columns: Iterable[str], header: bool = True) -> str:
    """JSON: an array of objects, strings all but the distance."""
    import json

    names = list(columns)
    objects = [
        {name: float(row[name]) if name == "distance_km" else row.get(name, "") for name in names} for row in rows
    ]
    return json.dumps(objects, ensure_ascii=False, indent=2) + "\n"


# What each machine format writes; `table` is for people and stands apart.
WRITERS: dict[str, Callable[..., str]] = {"csv": csv_text, "excel": excel_text, "json": json_text}
FORMATS = ("table", *WRITERS)


class Column(NamedTuple):
    """A column of the table: its heading, what a row shows there, and whether it must stay whole."""

    heading: str
    cell: Callable[[Row], str]
    whole: bool
    phone: bool = False


def _lines(name: str) -> Callable[[Row], str]:
    return lambda row: row.get(name, "").replace(";", "\n")


def _office(row: Row) -> str:
    return _lines("office_phone")(row) or ("" if row.get("mobile") or not row.get("unit") else NOT_LISTED)


def _hotline(row: Row) -> str:
    return row.get("hotline", "") if not (row.get("office_phone") or row.get("mobile")) else ""


# The columns people see, in order; one without any value is left out.
SHOWN = (
    Column("查询", lambda row: row.get("query", "") if row.get("batch") else "", False),
    Column("结果", lambda row: "没有找到" if row.get("match") == "none" else "", True),
    Column("约公里", lambda row: f"约 {row['distance_km']}" if row.get("distance_km") else "", True),
    Column("市州", lambda row: short_name(row.get("city", "")), False),
    Column("区县", lambda row: row.get("district", ""), False),
    Column("单位", lambda row: row.get("unit", ""), True),
    Column("地址", lambda row: row.get("address", ""), False),
    Column("联系人", lambda row: row.get("contact", ""), False),
    Column("办公电话", _office, True, True),
    Column("手机", _lines("mobile"), True, True),
    Column("当地 110", _hotline, True, True),
)


def table_columns(rows: list[Row]) -> list[Column]:
    """The columns that have a value in some row."""
    return [column for column in SHOWN if any(column.cell(row) for row in rows)]


def _width(text: str) -> int:
    """Cells that a text takes on a terminal, its widest line."""
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


_GAP = 2
_NARROWEST = 8  # what a column that may wrap is left with before the record layout takes over


def column_widths(rows: list[Row], columns: list[Column], width: int) -> list[int] | None:
    """The columns' widths in a table this wide, every unit and phone whole; None when they do not fit.

    The columns that may wrap share what is left, the ones that need least served first.
    """
    wanted = [_widest(column, rows) for column in columns]
    widths = [want if column.whole else min(want, _NARROWEST) for column, want in zip(columns, wanted)]
    left = width - sum(widths) - _GAP * (len(columns) - 1)
    if left < 0:
        return None
    short = sorted((want, at) for at, want in enumerate(wanted) if want > widths[at])
    for number, (want, at) in enumerate(short):
        more = min(want - widths[at], left // (len(short) - number))
        widths[at] += more
        left -= more
    return widths


def _widest(column: Column, rows: list[Row]) -> int:
    return max(_width(text) for text in (column.heading, *map(column.cell, rows)))


def footer(shown: list[Row], listing: list[Row]) -> str:
    """The line below a table: what to know before going, how old the data is, how much the list covers."""
    listed = sum(row["status"] == "listed" for row in listing)
    newest = max((row["as_of"] for row in shown if row.get("as_of")), default="")
    dated = f"资料 {newest}，" if newest else ""
    whole = f"{PUBLISHED} 个采血点" if any(row["province"] == HOME_PROVINCE for row in listing) else "采血点"
    return f"{GUIDANCE}{dated}{whole}收录 {listed} 个。"


def shared_hotline(shown: list[Row], listing: list[Row]) -> str:
    """What to say on a 110 that several cities share (0728: 仙桃, 潜江, 天门), "" when none shown is shared."""
    needed = {_hotline(row) for row in shown} - {""}
    lines = []
    for hotline in sorted(needed):
        cities = list(dict.fromkeys(short_name(row["city"]) for row in listing if row["hotline"] == hotline))
        if len(cities) > 1:
            lines.append(f"{hotline} 由{'、'.join(cities)}共用，接通后先说是哪里。")
    return "".join(lines)


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` cells."""
    from rich.cells import cell_len

    lines, line, used = [], "", 0
    for character in text:
        cells = cell_len(character)
        if used + cells > width and line:
            lines.append(line)
            line, used = "", 0
        if line or character != " ":
            line += character
            used += cells
    return [*lines, line]


def _phone_link(number: str) -> str:
    """The tel: address of a printed number: 027-110 -> tel:027110, an extension behind a comma; "" for other words."""
    digits = re.fullmatch(r"(\+?[\d -]+)(?:转(\d+))?", number)
    if not digits:
        return ""
    return f"tel:{re.sub('[ -]', '', digits[1])}" + (f",{digits[2]}" if digits[2] else "")


def _styled(column: Column, text: str) -> Any:
    """A cell as rich text: phones as links, nothing read as markup."""
    from rich.style import Style
    from rich.text import Text

    styled = Text(overflow="fold")
    for number, line in enumerate(text.split("\n")):
        link = _phone_link(line) if column.phone else ""
        styled.append("\n" if number else "")
        styled.append(line, Style(link=link or None, bold=bool(link), dim=line == NOT_LISTED))
    return styled


def table_text(rows: list[Row], width: int, terminal: bool, below: list[str]) -> str:
    """Units for people: a table without rules where every unit and phone fits whole, else one field a line."""
    from rich.console import Console, detect_legacy_windows
    from rich.table import Table

    columns = table_columns(rows)
    out = io.StringIO()
    console = Console(
        file=out, width=width, height=25, force_terminal=terminal, markup=False, emoji=False, highlight=False,
        color_system=None if detect_legacy_windows() else "auto", legacy_windows=False,
    )  # fmt: skip
    widths = column_widths(rows, columns, width)
    if widths:
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
        for column, cells in zip(columns, widths):
            table.add_column(column.heading, width=cells, no_wrap=column.whole, overflow="fold")
        for row in rows:
            table.add_row(*(_styled(column, column.cell(row)) for column in columns))
        console.print(table)
    else:
        for row in rows:
            _print_record(console, row, columns, width)
            console.print()
    for text in below:
        for line in wrapped(text, width):
            console.print(line)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def _print_record(console: Any, row: Row, columns: list[Column], width: int) -> None:
    """One unit, one field a line; a unit or phone that does not fit beside its heading goes below it, whole."""
    margin = max(_width(column.heading) for column in columns) + _GAP
    for column in columns:
        text = column.cell(row)
        if not text:
            continue
        below = column.whole and _width(text) > width - margin
        lead = column.heading + " " * (margin - _width(column.heading))
        if below:
            console.print(column.heading)
            lead = " " * _GAP
        for line in text.split("\n") if column.whole else wrapped(text, width - margin):
            console.print(lead, _styled(column, line), sep="", no_wrap=True, overflow="ignore", crop=False)
            lead = " " * len(lead) if below else " " * margin


# ==============================================================================================
# Commands: thin adaptors
# ==============================================================================================

FOUND, NOT_FOUND, UNUSABLE, INTERRUPTED, READER_GONE = 0, 1, 2, 130, 141


class ReaderGone(Exception):
    """The reader of our stdout has closed the pipe."""


def emit(text: str, machine: bool = False) -> None:
    """Write to stdout and make sure it arrived; in a pipe or file, what a machine reads is UTF-8."""
    if sys.stdout is None:
        raise ListError("标准输出", "已经关闭", "请不要用 >&- 关闭它")
    try:
        encoding = "utf-8" if machine and not sys.stdout.isatty() else sys.stdout.encoding
        left = memoryview(text.encode(encoding, "replace"))
        sys.stdout.flush()
        while left:  # an unbuffered stdout may take less than it is given
            left = left[sys.stdout.buffer.write(left) :]
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        raise ListError("标准输出", f"写不进去（{error.strerror}）", "请检查磁盘空间") from None


def chosen_format(format: str | None) -> str:
    """The format asked for, else a table on a terminal and CSV in a pipe."""
    return format or ("table" if sys.stdout is not None and sys.stdout.isatty() else "csv")


def terminal_width() -> int:
    """Columns of the terminal; COLUMNS decides when set, 80 when nothing is known."""
    try:
        return int(os.environ.get("COLUMNS", "")) or os.get_terminal_size(sys.stdout.fileno()).columns
    except (ValueError, OSError):
        try:
            return os.get_terminal_size(sys.stdout.fileno()).columns or 80
        except (ValueError, OSError):
            return 80


def show(rows: list[Row], lead: tuple[str, ...], format: str | None, listing: list[Row]) -> None:
    """Print rows in the format asked for; `lead` names the columns before those of the list."""
    form = chosen_format(format)
    if form != "table":
        emit(WRITERS[form](rows, (*lead, *COLUMNS)), machine=True)
    elif rows:
        terminal = sys.stdout is not None and sys.stdout.isatty()
        below = [footer(rows, listing), shared_hotline(rows, listing)]
        emit(table_text(rows, terminal_width(), terminal, [line for line in below if line]))


def typed(text: str) -> str:
    """An argument as the person typed it: in a broken locale Python hands UTF-8 over as surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def open_catalog(data: str | None) -> Catalog:
    """The list that --data or XUNQIN_DATA names, else the bundled one together with the user's own."""
    if data:
        return Catalog(load_list(data))
    return Catalog(merged(load_list(data_file("points.csv")), own_rows()))


def own_rows() -> list[Row]:
    """The rows of the user's own list; none before the first import."""
    path = own_list_path()
    return load_list(path) if os.path.exists(path) else []


def merged(bundled: list[Row], own: list[Row]) -> list[Row]:
    """The user's own rows stand for their divisions, the bundled ones for the rest."""
    taken = {(row["code"], row["district"]) for row in own}
    return own + [row for row in bundled if (row["code"], row["district"]) not in taken] if own else bundled


# How a tier is named to people, when it was not by the plain name.
TIER_LABELS = {
    "exact": "",
    "unit": "按单位名",
    "city": "整个市州",
    "address": "按地址",
    "pinyin": "按拼音",
    "initials": "按首字母",
    "homophone": "按读音",
    "former": "旧名",
    "popular": "俗称",
    "township": "乡镇街道",
    "lookalike": "按字形",
    "typo": "按相近写法",
}


def explain(text: str, hits: list[Hit], catalog: Catalog) -> list[str]:
    """How a name was read, a line for each tier but the plain name."""
    lines = []
    for tier, group in itertools.groupby(hits, key=lambda hit: hit.tier):
        found = list(group)
        if not TIER_LABELS[tier]:
            continue
        names = list(dict.fromkeys(hit.division[1] for hit in found))
        if tier == "city" or len(names) > 6:
            names = list(dict.fromkeys(catalog.city_of(hit.division) for hit in found))
        lines.append(f"{text} {TIER_LABELS[tier]} → {'、'.join(names[:6])}{' 等' if len(names) > 6 else ''}")
        lines += dict.fromkeys(f"  {hit.note}" for hit in found if hit.tier in ("former", "address") and hit.note)
    province = "" if not lines or hits[0].tier in ("unit", "city", "address") else elsewhere_province(text)
    return lines + ([f"  {province}也有{text}；若找的是它，请问当地公安。"] if province else [])


def elsewhere_province(text: str) -> str:
    """The province outside Hubei that a name belongs to, or ""."""
    name = simplified(clean(text))
    return next((row.province for row in abroad(name) if name in (row.name, row.short)), "")


def not_found(text: str, catalog: Catalog, divisions: list[Division]) -> list[str]:
    """What to tell when nothing is sure: what was not found, up to three suggestions, what to do next."""
    province = elsewhere_province(text)
    lines = [f"没有找到「{text}」" + (f"：它在{province}，不在这份名单里。" if province else "。")]
    if divisions:
        lines.append("您是不是要找：")
        lines += [f"  {division[1]}（{catalog.city_of(division)}）" for division in divisions]
    return [*lines, "请换个写法，或用 xunqin list 看全部；各地刑侦部门都可采血，也可打当地 110 询问。"]


def rows_of(text: str, hits: list[Hit], catalog: Catalog, most: int) -> list[Row]:
    """The list's rows for the hits, best first, with `query` and `match` in front."""
    rows = [{"query": text, "match": hit.tier, **row} for hit in hits for row in catalog.divisions[hit.division]]
    return rows[:most] if most else rows


def city_named(text: str, catalog: Catalog) -> str:
    """The full name of a city given in full, short or + 州. Raises UsageError with the nearest ones."""
    from rapidfuzz import fuzz

    name = simplified(clean(text))
    if name in catalog.city_names:
        return catalog.city_names[name]
    known = {n: place.district for place in all_places() if place.kind == "prefecture" for n in place.names()}
    known |= {
        n: place.name
        for place in all_places()
        if place.code.startswith("4290")
        for n in place.names()
        if place.kind == "county"
    }
    if name in known:
        return known[name]
    heard = "".join(next(iter(readings(name, 1)), ())) or name
    near = {
        catalog.city_names[city]: max(
            fuzz.ratio(name, city), *(fuzz.ratio(heard, "".join(r)) for r in readings(city, 1)), 0
        )
        for city in catalog.city_names
    }
    nearest = sorted((city for city, score in near.items() if score >= 50), key=lambda city: -near[city])[:3]
    hint = f"您是不是要找：{'、'.join(nearest)}" if nearest else f"可用的有：{'、'.join(list(catalog.cities)[:17])}"
    raise click.UsageError(f"名单里没有「{text}」这个市州。{hint}")


class _ChineseHelp(click.Command):
    """Help pages with Chinese headings."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix="用法: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))]
        with formatter.section("选项"):
            formatter.write_dl(records)

    def get_help_option(self, ctx: click.Context) -> click.Option:
        # Made here, for click's own asks gettext first, which costs as much as reading the list.
        def show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
            if value:
                emit(ctx.get_help() + "\n")
                ctx.exit()

        return click.Option(
            ctx.help_option_names, is_flag=True, is_eager=True, expose_value=False, help="显示这份说明",
            callback=show_help,
        )  # fmt: skip


class _ChineseGroup(_ChineseHelp, click.Group):
    """The group's page: its options, then its commands in the order in which they are defined."""

    command_class = _ChineseHelp

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section("命令"):
            formatter.write_dl([(name, self.commands[name].get_short_help_str()) for name in self.list_commands(ctx)])

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print the version and leave."""
    if value:
        emit(f"xunqin {__version__}\n")
        ctx.exit()


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that every command with rows shares."""
    return click.option(
        "-f", "--format", "format", type=click.Choice(FORMATS), metavar="格式",
        help="table、csv、excel 或 json",
    )(command)  # fmt: skip


@click.group(
    cls=_ChineseGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    subcommand_metavar="命令 ...",
    options_metavar="[选项]",
)
@click.option("--data", envvar="XUNQIN_DATA", metavar="文件", help="改用另一份名单（CSV）")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, help="显示版本", callback=show_version)
@click.pass_context
def cli(ctx: click.Context, data: str | None) -> None:
    """查湖北免费采血寻亲的公安单位和联系办法。

    \b
    例：
      xunqin search 江岸
      xunqin search 蒲圻
      xunqin list --city 武汉
    """
    ctx.obj = data


@cli.command("search", short_help="按地名找单位", options_metavar="[选项]")
@click.argument("names", nargs=-1, metavar="地名...")
@click.option("--city", metavar="市州", help="只要这个市州的")
@click.option("-n", "number", type=click.IntRange(min=0), default=0, metavar="个数", help="最多几行；0 不限")
@output_options
@click.pass_obj
def search_command(data: str | None, names: tuple[str, ...], city: str | None, number: int, format: str | None) -> int:
    """按地名找采血单位。

    \b
    区县、单位、市州、乡镇、旧县名、拼音、首字母、
    繁体、同音字、整句地址都认得：
      xunqin search 江岸
      xunqin search 武汉 硚口
      xunqin search huangpi
      xunqin search 沔阳县
    地名写 - 时，从标准输入读，一行一个。
    找到返回 0，没找到返回 1，用法或数据有错返回 2。
    """
    text = " ".join(map(typed, names)).strip()
    if not text:
        raise click.UsageError("请写上地名，例如：xunqin search 江岸")
    catalog = open_catalog(data)
    within = city_named(typed(city), catalog) if city else ""
    hits = search(text, catalog, within)
    show(rows_of(text, hits, catalog, number), ("query", "match"), format, catalog.rows)
    lines = explain(text, hits, catalog) if hits else not_found(text, catalog, suggest(text, catalog))
    for line in lines:
        tell(line)
    return FOUND if hits else NOT_FOUND


@cli.command("list", short_help="列出全部或一个市州的单位", options_metavar="[选项]")
@click.option("--city", metavar="市州", help="只列这个市州")
@output_options
@click.pass_obj
def list_command(data: str | None, city: str | None, format: str | None) -> int:
    """列出全部单位，或一个市州的单位。

    \b
      xunqin list
      xunqin list --city 武汉
      xunqin list --city 恩施州 -f excel > 恩施.csv
    """
    catalog = open_catalog(data)
    rows = catalog.rows
    if city:
        within = city_named(typed(city), catalog)
        rows = [row for row in rows if row["city"] == within]
    show(rows, (), format, catalog.rows)
    return FOUND


def usage_text(error: click.ClickException) -> str:
    """click's usage errors in Chinese, one line, with the remedy."""
    context = getattr(error, "ctx", None)
    remedy = f"请看 {context.command_path} --help" if context else "请看 xunqin --help"
    if isinstance(error, click.NoSuchOption):
        problem = f"没有 {error.option_name} 这个选项"
    elif isinstance(error, click.BadOptionUsage):
        problem = f"{error.option_name} 后面要跟一个值"
    elif isinstance(error, click.BadParameter) and error.param is not None:
        name = "/".join(error.param.opts)
        choices = getattr(error.param.type, "choices", None)
        problem = f"{name} 的值不对" + (f"，可用 {'、'.join(choices)}" if choices else "")
    elif type(error) is click.UsageError and not error.message.isascii() and "No such" not in error.message:
        return error.message.replace("\n", " ")
    else:
        problem = error.format_message().replace("\n", " ")
        problem = re.sub(r"^No such command '(.*?)'.*", r"没有 \1 这个命令", problem)
    return f"{problem}。{remedy}"


def _ready_streams() -> None:
    """Never fail on a character: one that the terminal cannot show becomes ?, an ASCII locale is taken for UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            ascii_only = stream.encoding.lower().replace("_", "-") in ("ascii", "us-ascii", "ansi-x3.4-1968", "646")
            stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="replace")


def run(args: list[str]) -> int:
    """Run one command line and give its exit code; every error a user can cause is one line on stderr."""
    try:
        if "_XUNQIN_COMPLETE" in os.environ:
            cli.main(args, prog_name="xunqin")
        with cli.make_context("xunqin", args) as context:
            code = cli.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code if isinstance(code, int) else FOUND
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        tell(usage_text(error))
    except ListError as error:
        tell(typed(str(error)))
    except (ReaderGone, BrokenPipeError):
        return READER_GONE
    except OSError as error:
        tell(f"{error.filename or '标准输出'}: {error.strerror}: 请检查磁盘空间和权限")
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return UNUSABLE


def main() -> None:
    """The console script."""
    _ready_streams()
    code = run(sys.argv[1:])
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        # What could not be written must not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


if __name__ == "__main__":
    main()
