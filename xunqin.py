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

import gc

gc.disable()  # looking for cycles while modules load takes a tenth of the start
import contextlib
import csv
import errno
import io
import itertools
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TextIO, overload

import click

gc.enable()

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


# What a message never repeats of a file: control characters, line ends and turns of the writing direction.
CONTROLS = "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"


class ListError(Exception):
    """A list that cannot be used. The message is one line: file:row: column: problem: remedy."""

    def __init__(self, path: str, problem: str, remedy: str, row: int = 0, column: str = "") -> None:
        where = f"{path}:{row}" if row else path
        line = ": ".join(part for part in (where, column, problem, remedy) if part)
        super().__init__(re.sub(CONTROLS, "?", line))


REASONS = {
    "ENOENT": "没有这个文件",
    "EACCES": "没有权限",
    "EPERM": "没有权限",
    "EROFS": "这里只能读，不能写",
    "ENOSPC": "磁盘满了",
    "EDQUOT": "磁盘配额用完了",
    "EFBIG": "文件太大，写不下",
    "EIO": "磁盘读写出错",
    "EBADF": "已经关闭",
    "ENOTDIR": "路径里有一段不是目录",
    "EISDIR": "这是一个目录",
    "ENAMETOOLONG": "文件名太长",
}


def reason(error: OSError) -> str:
    """Why the system refused, in Chinese where it is known."""
    return REASONS.get(errno.errorcode.get(error.errno or 0, ""), error.strerror or str(error))


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
        raise ListError(path, f"打不开（{reason(error)}）", "请检查路径和权限") from None
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
    import unicodedata

    if "\n" in cell or "\t" in cell:
        return "一格里有换行或制表符", "请改成一行；多个号码用 ; 隔开"
    if not cell.isprintable() and any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in cell):
        return "含有控制字符", "请删掉看不见的字符"
    if cell.startswith(FORMULA_STARTS) and not re.match(r"[+-][\d ]", cell):
        return "像是表格公式", "请删掉开头的 = + - @"
    return None


def ragged(cells: list[str], header: list[str]) -> tuple[str, str] | None:
    """(problem, remedy) of a row with more or fewer cells than the header, or None."""
    same = len(cells) == len(header)
    return None if same else (f"有 {len(cells)} 格，表头有 {len(header)} 格", "请补齐或删去多余的格")


def _may_hold_bad_cells(text: str, lines: list[str]) -> bool:
    """One look at a whole list: whether its cells need a look each. Most lists are clean, and large."""
    starts = (f"{before}{first}" for first in FORMULA_STARTS if first in text for before in ",\n")
    return '"' in text or not all(map(str.isprintable, lines)) or any(start in text for start in starts)


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


class Rows(Sequence[Row]):
    """The rows of a list: lines of CSV, each taken apart only when it is asked for. Most of a large list never is."""

    def __init__(self, header: list[str], lines: list[str], quoted: bool) -> None:
        self.header, self.lines, self.quoted = header, lines, quoted

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [dict(zip(self.header, cells)) for cells in csv.reader(self.lines[at])]
        return dict(zip(self.header, next(csv.reader([self.lines[at]]))))

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Row]:
        return (dict(zip(self.header, cells)) for cells in csv.reader(self.lines))

    def column(self, name: str) -> list[str]:
        """One column, the rest of each line left as it is where no quote says otherwise."""
        at = self.header.index(name)
        lines = csv.reader(self.lines) if self.quoted else (line.split(",", at + 1) for line in self.lines)
        return [cells[at] for cells in lines]


def column_of(rows: Sequence[Row], name: str) -> list[str]:
    """One column of a list."""
    return rows.column(name) if isinstance(rows, Rows) else [row[name] for row in rows]


def load_list(path: str) -> Sequence[Row]:
    """The units of a CSV list with the columns of COLUMNS, in any order; others are ignored.

    Raises ListError, naming row and column, for anything that is not such a list.
    """
    text = read_text(path)
    lines = parse_rows(text, path)
    start, header = next(lines, (0, []))
    if not header:
        raise ListError(path, "文件是空的", "请给出有表头和内容的 CSV")
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise ListError(path, f"缺少列 {'、'.join(missing)}", f"表头应为 {','.join(COLUMNS)}", 1)
    # No cell may hold a line break, so a line is a row.
    body = [line for line in text.splitlines() if line][1:]
    rows = Rows(header, body, quoted='"' in text)
    if not _may_hold_bad_cells(text, body) and {line.count(",") for line in body} <= {len(header) - 1}:
        return rows
    # Something may be wrong: once more, row by row, to say where.
    for number, cells in itertools.chain([(start, header)], lines):
        wrong = ragged(cells, header)
        if wrong:
            raise ListError(path, *wrong, number)
        for name, cell in zip(header, cells):
            problem = cell_problem(cell)
            if problem:
                raise ListError(path, *problem, number, name)
    return rows


def bundled_path(name: str) -> str:
    """The path of a bundled data file that is there. Raises ListError when the script came without its data."""
    path = data_file(name)
    if not os.path.exists(path):
        raise ListError(path, "自带的数据不在", "请连同 data 目录一起下载，或用 pip 安装")
    return path


@lru_cache(maxsize=8)
def _table(name: str) -> str:
    """A bundled table as text. One name or character is found in it faster than the whole is parsed."""
    return read_text(bundled_path(name))


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
_LONG_SUFFIXES = ("特别行政区", "林区", "新区", "地区", "矿区")
_SUFFIXES = frozenset("省市区县州旗盟")
COUNTY_SUFFIXES = ("区", "县", "市")
PINYIN_SUFFIX = "(?:qu|xian|shi)$"  # the same, at the end of joined pinyin


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
    long = next((suffix for suffix in _LONG_SUFFIXES if name.endswith(suffix)), "") if name[-1:] == "区" else ""
    length = len(long) or int(name[-1:] in _SUFFIXES)
    return name[: len(name) - length] if len(name) - length >= 2 else name


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """A query without what never changes an answer: spaces, width, case, punctuation, tone marks.

    "Jiang'an" -> "jiangan", "ＪＩＡＮＧ　ＡＮ" -> "jiangan", "江岸。" -> "江岸", "huáng pí" -> "huangpi".
    """
    if all("一" <= character <= "鿿" for character in text):
        return text
    import unicodedata

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


def is_word(text: str) -> bool:
    """Whether a text is a word of the language that a careless ear takes for a name: 行走 for 新洲 (words.txt)."""
    return f"\n{text}\n" in _table("words.txt")


class Abroad:
    """A county, prefecture or province outside Hubei: a row of elsewhere.csv (china-division 2.7.0)."""

    def __init__(self, line: str) -> None:
        self.name, self.short, self.province, self.level, self.pinyin = line.split(",")


@lru_cache(maxsize=4096)
def abroad(text: str) -> list[Abroad]:
    """The places outside Hubei with this full or short name or pinyin, so that none is mistaken for one in it."""
    table = _table("elsewhere.csv")
    found = []
    for wanted in (f",{text}\n",) if text.isascii() else (f"\n{text},", f",{text},"):
        at = table.find(wanted)
        while at >= 0:
            start = table.rfind("\n", 0, at + 1) + 1
            row = Abroad(table[start : table.find("\n", start)])
            if text in (row.name, row.short, row.pinyin):
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
    """One division that a query means, the tier that found it, and the years of a former name."""

    division: Division
    tier: str
    note: str = ""


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


class Catalog:
    """A list of units and what can be looked up in it. Everything past the plain names is made when asked for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.row_numbers: dict[Division, list[int]] = {}
        for at, division in enumerate(zip(column_of(rows, "code"), column_of(rows, "district"))):
            if division in self.row_numbers:
                self.row_numbers[division].append(at)
            else:
                self.row_numbers[division] = [at]

    @property
    def divisions(self) -> Collection[Division]:
        """All divisions of the list, in its order."""
        return self.row_numbers.keys()

    def rows_of(self, division: Division) -> list[Row]:
        """The rows of one division."""
        return [self.rows[at] for at in self.row_numbers[division]]

    @cached_property
    def provinces(self) -> list[str]:
        """The provinces of the list."""
        return list(dict.fromkeys(column_of(self.rows, "province")))

    @cached_property
    def cities(self) -> dict[str, list[Division]]:
        """{city: its divisions}."""
        cities: dict[str, list[Division]] = {}
        column = column_of(self.rows, "city")
        for division, numbers in self.row_numbers.items():
            cities.setdefault(column[numbers[0]], []).append(division)
        return cities

    def city_of(self, division: Division) -> str:
        """The city a division belongs to."""
        return self.rows[self.row_numbers[division][0]]["city"]

    @cached_property
    def full_names(self) -> dict[str, list[Division]]:
        """{full name: its divisions}."""
        names: dict[str, list[Division]] = {}
        for division in self.divisions:
            names.setdefault(division[1], []).append(division)
        return names

    @cached_property
    def short_names(self) -> dict[str, list[Division]]:
        """{short name: its divisions}, where it is not the full name too."""
        names: dict[str, list[Division]] = {}
        for division in self.divisions:
            short = short_name(division[1])
            if short != division[1]:
                names.setdefault(short, []).append(division)
        return names

    @cached_property
    def units(self) -> dict[str, list[Division]]:
        """{a unit's whole name: its divisions}."""
        units: dict[str, list[Division]] = {}
        columns = (column_of(self.rows, name) for name in ("unit", "code", "district"))
        for unit, code, district in zip(*columns):
            if unit:
                units.setdefault(unit, []).append((code, district))
        return units

    @cached_property
    def all_units(self) -> str:
        """Every unit's and division's name, a line each: where a part of a name is looked for first."""
        return "\n".join([*self.units, *(district for _, district in self.divisions)])

    def named_exactly(self, name: str) -> list[Division]:
        """The divisions with this full name, else with this short name."""
        return (self.full_names.get(name) or self.short_names.get(name, [])) if name else []

    @cached_property
    def city_names(self) -> dict[str, str]:
        """{a city's full, short or short + 州 name: its full name}."""
        names = {}
        for city in dict.fromkeys(column_of(self.rows, "city")):
            short = short_name(city)
            names.update({city: city, short: city})
            if city.endswith("州"):
                names[short + "州"] = city
        return {name: city for name, city in names.items() if name}

    @cached_property
    def places(self) -> list[Place]:
        """The gazetteer's rows whose division is in this list; none for another province's list."""
        return [place for place in all_places() if self.resolve(place)]

    def of_city(self, name: str) -> list[Division]:
        """The divisions of the city with this name; none when it is no city's."""
        return self.cities[self.city_names[name]] if name in self.city_names else []

    def resolve(self, place: Place) -> list[Division]:
        """The divisions of this list that a place of the gazetteer stands for."""
        division = (place.code, place.district)
        if division in self.row_numbers:
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
                    index.setdefault(key, []).append(place)
        return index


# A bureau's wording at the end of a name. 公安 also names a county: only what is left in front decides.
POLICE = (
    "(?:人民|公安|分局|局|厅|刑事|侦查|侦察|刑侦|刑警|打拐|反拐|技术|采血点|采血|dna|"
    "大队|支队|中队|总队|队|部门|办公室|办|派出所)+$"
)


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
        rest = self.text.removeprefix(HOME_PROVINCE).removeprefix("湖北")
        former = [
            (city, rest[len(name) :]) for name, city in self.catalog.former_cities.items() if rest.startswith(name)
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


def _agree(catalog: Catalog, city: str, divisions: Iterable[Division]) -> list[Division]:
    """Those of the divisions that lie in the city named beside them, if one is."""
    return [division for division in divisions if not city or catalog.city_of(division) == city]


def _hits(tier: str, divisions: Iterable[Division], note: str = "") -> list[Hit]:
    return [Hit(division, tier, note) for division in dict.fromkeys(divisions)]


def _once(hits: Iterable[Hit]) -> list[Hit]:
    """Each division once, as it was found first."""
    first: dict[Division, Hit] = {}
    for hit in hits:
        first.setdefault(hit.division, hit)
    return list(first.values())


def _former_note(place: Place) -> str:
    return f"{place.years[-4:]} 年以前的{place.name}，今{place.district}"


def by_exact(query: Query) -> list[Hit]:
    """Today's full or short name, with or without province and city in front.

    A name that is both county and prefecture (恩施, 荆州) gives the county, then the prefecture's rest;
    a full name that another county had before (江陵县) gives today's county, then the old one's successor.
    """
    catalog = query.catalog
    for city, core in query.plain:
        hits = _hits("exact", _agree(catalog, city, catalog.named_exactly(core)))
        if hits:
            if not city and core != hits[0].division[1]:
                hits += _hits("city", catalog.of_city(core))
            if core.endswith(COUNTY_SUFFIXES):
                for place in places_named(core):
                    if place.kind == "former":
                        hits += _hits("former", catalog.resolve(place), _former_note(place))
            return _once(hits)
    return []


def by_unit(query: Query) -> list[Hit]:
    """A bureau's wording (江岸分局, 公安县公安局, 武汉市公安局) or a unit's whole name."""
    catalog = query.catalog
    for city, core in query.police:
        found = _agree(catalog, city, catalog.named_exactly(core)) or ([] if city else catalog.of_city(core))
        if found:
            return _hits("unit", found)
    return _hits("unit", catalog.units.get(query.text, []))


def by_city(query: Query) -> list[Hit]:
    """A city's or prefecture's name alone: all its units."""
    cores = (core for city, core in query.plain if not city)
    return next((_hits("city", found) for core in cores if (found := query.catalog.of_city(core))), [])


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
    # A township that is filed under a prefecture, which stands for all its counties, comes last.
    wide = {place for place, _ in found if place.kind == "township" and place.code.endswith("00")}
    for place, city in sorted(found, key=lambda pair: (RECORDED.index(pair[0].kind), pair[0] in wide)):
        note = _former_note(place) if place.kind == "former" else ""
        hits += _hits(place.kind, _agree(catalog, city, catalog.resolve(place)), note)
    return _once(hits)


def by_stem(query: Query) -> list[Hit]:
    """A county's name with another suffix (江岸县), unless a county elsewhere really bears it (华容县)."""
    for city, core in query.cores:
        if core.endswith(COUNTY_SUFFIXES) and len(core) >= 3 and not is_official_abroad(core):
            found = _agree(query.catalog, city, query.catalog.named_exactly(core[:-1]))
            if found:
                return _hits("exact", found)
    return []


# --- sentences and addresses ------------------------------------------------------------------

# What may stand around a short name in a sentence. Elsewhere it is a part of something else: 江汉路, 青山绿水, 天门山.
_BEFORE = frozenset("在到去从是住于回往我他她你家址为原籍贯乡")
_AFTER = frozenset("的人那这附近老乡下城走丢失踪打被有找农村呢吗吧啊和与")
_ROAD = ("路", "大道", "街", "巷", "桥", "大桥", "大厦", "广场", "大学", "学院", "公园", "场", "大酒店")


# (sort: county, former, township, city, province or elsewhere; whether it is a full name; divisions; note)
Word = tuple[str, bool, tuple[Division, ...], str]


class Token:
    """A name inside a text: where it stands and what it stands for."""

    def __init__(self, start: int, end: int, word: Word) -> None:
        self.start, self.end = start, end
        self.sort, self.full, self.divisions, self.note = word


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


@lru_cache(maxsize=4)
def _vocabulary(catalog: Catalog) -> dict[str, Word]:
    """All names that an address may hold; a later one takes the place of an earlier one."""
    words: dict[str, Word] = {}
    rows = map(Abroad, _table("elsewhere.csv").splitlines()[1:])
    for row in itertools.takewhile(lambda row: row.level != "county", rows):  # the larger stand first in the file
        words[row.name] = words[row.short] = ("elsewhere", True, (), row.province)
    for place in catalog.places:
        words.update(_recorded_word(place, tuple(catalog.resolve(place)), words))
    for name in catalog.provinces:
        words.update({name: ("province", True, (), ""), short_name(name): ("province", True, (), "")})
    for name, city in catalog.city_names.items():
        words[name] = ("city", name == city, tuple(catalog.cities[city]), "")
    for name, found in (*catalog.short_names.items(), *catalog.full_names.items()):
        full = name == found[0][1]
        if name != "公安" and (
            full or name not in catalog.city_names
        ):  # 公安 is the word for police, unless 县 follows
            words[name] = ("county", full, tuple(found), "")
    words.pop("", None)
    return words


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
                tokens.append(Token(at, at + length, word))
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


Found = list[tuple[Place, list[Division]]]


def _rank(found: Found, tier: str) -> list[Hit]:
    """Hits of the surest kind of place only: counties and zones, else prefectures, former names, the rest."""
    for kinds in (("county", "zone"), ("prefecture",), ("former",), RECORDED):
        sure = [divisions for place, divisions in found if place.kind in kinds and divisions]
        if sure:
            return _hits(tier, itertools.chain(*sure))
    return []


def _spelled(catalog: Catalog, letters: str, within: list[Division]) -> list[Hit]:
    """The divisions, of those given, that a joined pinyin spells, with a suffix or without."""
    inside = set(within)
    for form in dict.fromkeys((letters, re.sub(PINYIN_SUFFIX, "", letters))):
        places = catalog.spelled.get(form, [])
        if not places and not is_large_abroad(form):  # luoyang, nanyang: a town here, a city there
            places = [place for place in places_spelled(form) if place.kind in ("popular", "township")]
        found = [(place, [d for d in catalog.resolve(place) if d in inside]) for place in places]
        hits = _rank(found, "pinyin")
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


def by_initials(query: Query) -> list[Hit]:
    """The first letters of a county's name, of a prefecture's when no county has them: all that share them."""
    text = query.text
    if not (text.isascii() and text.isalpha() and 2 <= len(text) <= 5):
        return []
    places = query.catalog.initials.get(text, [])
    found = [place for place in places if place.kind == "county"] or places
    return _hits("initials", itertools.chain(*map(query.catalog.resolve, found)))


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
    return _rank(found, "pinyin")


def _forms(core: str) -> list[str]:
    """A name as typed, and without its suffix."""
    return [core, core[:-1]] if core.endswith(COUNTY_SUFFIXES) and len(core) >= 3 else [core]


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
    slips = [(_character_readings(a), _character_readings(b)) for a, b in zip(typed, name) if a != b]
    return all(rare and not wrong_is_rare and heard[0] in sounds for (heard, wrong_is_rare), (sounds, rare) in slips)


def _sounds_like(catalog: Catalog, text: str) -> list[tuple[str, Place]]:
    """(name, place) for the names that sound like the text: exactly, else with the soft pairs."""
    for fold in (str, soft):
        found = [pair for reading in readings(text) for pair in catalog.sounds.get(" ".join(map(fold, reading)), [])]
        found = [pair for pair in dict.fromkeys(found) if _may_mean(text, pair[0], exactly=fold is str, place=pair[1])]
        if found:
            return found
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


def by_homophone(query: Query) -> list[Hit]:
    """Characters that sound right: 乔口, 黄皮, 武汉市桥口区; the city in front may be a homophone too."""
    catalog = query.catalog
    for city, core in [*query.cores, *_heard_cities(query), *_heard_windows(query)]:
        if is_official_abroad(core) or is_word(core):
            continue
        for form in _forms(core):
            heard = _sounds_like(catalog, form)
            found = [(place, _agree(catalog, city, catalog.resolve(place))) for _, place in heard]
            hits = _rank(found, "homophone")
            if hits:
                return hits
    return []


# --- shape ------------------------------------------------------------------------------------


def _drawn_like(catalog: Catalog, text: str) -> list[tuple[str, Place]]:
    """(name, place) for the names that differ from the text in one look-alike character."""
    return [
        (name, place)
        for at in range(len(text))
        for name, place in catalog.shapes.get(f"{text[:at]}*{text[at + 1 :]}", [])
        if name[at] != text[at] and looks_like(text[at], name[at])
    ]


def by_lookalike(query: Query) -> list[Hit]:
    """One character that looks like the right one (大治, 虢亭, 江崖区), when only one place is meant."""
    catalog = query.catalog
    for city, core in [*query.cores, *_heard_windows(query)]:
        for form in itertools.filterfalse(abroad, _forms(core)):
            alike = [place for _, place in _drawn_like(catalog, form)]
            hits = _rank([(p, _agree(catalog, city, catalog.resolve(p))) for p in alike], "lookalike")
            cities = {catalog.city_of(hit.division) for hit in hits}
            if hits and (len(hits) == 1 or (len(cities) == 1 and len(hits) == len(catalog.cities[min(cities)]))):
                return hits
    return []


# --- slips ------------------------------------------------------------------------------------


def _soft_letters(letters: str) -> str:
    for hard, plain in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ing", "in"), ("eng", "en")):
        letters = letters.replace(hard, plain)
    return letters


def _slip_in_pinyin(query: Query) -> list[Hit]:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    catalog = query.catalog
    text = query.text.replace("v", "u")
    forms = [text, re.sub(PINYIN_SUFFIX, "", text)]
    if any(map(abroad, forms)):
        return []
    kinds = ("county", "prefecture")
    names = [key for key, places in catalog.spelled.items() if any(place.kind in kinds for place in places)]
    for form in forms:
        if len(form) < 5:
            continue
        near = [key for key, *_ in process.extract(form, names, scorer=OSA.distance, score_cutoff=1, limit=None)]
        keys = [key for key in near if _soft_letters(key) == _soft_letters(form)] or near
        if len(keys) == 1:
            return _rank([(p, catalog.resolve(p)) for p in catalog.spelled[keys[0]] if p.kind in kinds], "typo")
    return []


def _slip_in_unit(query: Query) -> list[Hit]:
    """A part of a unit's name, or one nearly right, in a list that the gazetteer does not cover."""
    catalog, text = query.catalog, query.text
    if len(catalog.named) > len(catalog.divisions) or len(text) < 2:
        return []
    if text in catalog.all_units:
        inside = [division for unit, found in catalog.units.items() if text in unit for division in found]
        return _hits("unit", inside or [division for division in catalog.divisions if text in division[1]])
    if len(text) < 6 or any(token.sort == "elsewhere" for token in _tokens(text, catalog)):
        return []
    from rapidfuzz import fuzz, process

    near = process.extract(text, list(catalog.units), scorer=fuzz.ratio, score_cutoff=85, limit=2)
    if near and (len(near) == 1 or near[0][1] > near[1][1]):
        return _hits("typo", catalog.units[near[0][0]])
    return []


def by_typo(query: Query) -> list[Hit]:
    """One slip in pinyin (qiaoko), or a few in a long unit name; only when one place is near."""
    text = query.text
    if text.isascii():
        return _slip_in_pinyin(query) if text.isalpha() and len(text) >= 5 else []
    return _slip_in_unit(query)


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


def _first_answer(query: Query, tiers: Iterable[Callable[[Query], list[Hit]]], city: str) -> list[Hit]:
    """What the first tier that hits in the city, if one is given, finds there."""
    for tier in tiers:
        hits = [hit for hit in tier(query) if _agree(query.catalog, city, [hit.division])]
        if hits:
            return hits
    return []


def search(text: str, catalog: Catalog, city: str = "") -> list[Hit]:
    """The divisions that a name means, best first; [] when none is sure. `city` keeps to one city's."""
    cleaned = clean(text)
    if not cleaned or len(cleaned) > 200:
        return []
    query = Query(cleaned, catalog)
    hits = _first_answer(query, _WHOLE, city)
    if hits:
        return hits
    folded = simplified(cleaned)
    if folded == cleaned:
        return _first_answer(query, TIERS[len(_WHOLE) :], city)
    return _first_answer(Query(folded, catalog), TIERS, city)


def _near_records(catalog: Catalog, core: str) -> Iterator[tuple[Division, float]]:
    """Townships and popular names that are near, or a county that stands in another prefecture."""
    for name in (core, *(core.removesuffix(suffix) for suffix in ("街道", "镇", "乡") if core.endswith(suffix))):
        for place in catalog.recorded(name)[:3]:
            for division in catalog.resolve(place)[:1]:
                yield division, 0.9
        for division in catalog.named_exactly(name):
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
    total, sure = 0.0, False
    for wrong, right, sound in zip(typed, name, heard):
        if wrong == right:
            total += 1
        elif looks_like(wrong, right, perhaps=True):
            total += 0.9 if looks_like(wrong, right) else 0.7
        else:
            closest = max((similar(soft(s), soft(sound)) for s in _character_readings(wrong)[0]), default=0)
            total += closest if closest >= 0.6 else -1
            sure |= closest == 1
        sure |= wrong == right
    return total / len(name) if sure else 0


def suggest(text: str, catalog: Catalog, most: int = 3) -> list[Division]:
    """Divisions near to a name in sound or shape, nearest first; none because one character agrees."""
    from rapidfuzz.distance import OSA

    folded = simplified(clean(text))
    if not folded or len(folded) > 40 or is_large_abroad(folded):
        return []
    if is_official_abroad(folded):  # 华容县 is in Hunan; only 华容区 itself is near
        return catalog.named_exactly(folded[:-1])[:most]
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


# ==============================================================================================
# Show: rows for machines, tables for people
# ==============================================================================================

NOT_LISTED = "未收录"
GUIDANCE = "免费，不限户籍，带身份证，先打电话。"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; a closed one is None."""
    return stream is not None and stream.isatty()


def terminal_width(stream: TextIO | None) -> int:
    """Columns of the terminal behind a stream; COLUMNS decides when set, 80 when nothing is known."""
    if os.environ.get("COLUMNS", "").isdecimal():
        return int(os.environ["COLUMNS"]) or 80
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80 if stream else 80
    except (ValueError, OSError):
        return 80


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` cells: words, numbers and their marks stay together where they fit."""
    from rich.cells import cell_len

    lines, line, used = [], "", 0
    words = re.findall("[「（]?(?:[!-~]+|.)[，。、；：？」）]*", text)
    for piece in itertools.chain(*([word] if cell_len(word) <= width else word for word in words)):
        cells = cell_len(piece)
        if used + cells > width and line:
            lines.append(line.rstrip(" "))
            line, used = "", 0
        if line or not lines or piece != " ":  # no space where a line goes on
            line += piece
            used += cells
    return [*lines, line]


def tell(text: str) -> None:
    """One message for people, on stderr; a closed or full stderr is nobody's to tell."""
    if sys.stderr is None:
        return
    lines = wrapped(text, terminal_width(sys.stderr)) if is_terminal(sys.stderr) else [text]
    with contextlib.suppress(OSError):
        click.echo("\n".join(lines), err=True)


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


class Column:
    """A column of the table: its heading, what a row shows there, whether it must stay whole, whether it is a phone."""

    def __init__(self, heading: str, cell: Callable[[Row], str], whole: bool, phone: bool = False) -> None:
        self.heading, self.cell, self.whole, self.phone = heading, cell, whole, phone


def _lines(name: str) -> Callable[[Row], str]:
    return lambda row: row.get(name, "").replace(";", "\n")


def _office(row: Row) -> str:
    return _lines("office_phone")(row) or ("" if row.get("mobile") or not row.get("unit") else NOT_LISTED)


def _hotline(row: Row) -> str:
    return row.get("hotline", "") if not (row.get("office_phone") or row.get("mobile")) else ""


# The columns people see, in order; one without any value is left out.
SHOWN = (
    Column("查询", lambda row: row.get("query", "") if row.get("batch") else "", False),
    Column("行", lambda row: row.get("row", ""), True),
    Column("结果", lambda row: row.get("result", "") or ("没有找到" if row.get("match") == "none" else ""), True),
    Column("约公里", lambda row: f"约 {row['distance_km']}" if row.get("distance_km") else "", True),
    Column("市州", lambda row: short_name(row.get("city", "")), False),
    Column("区县", lambda row: row.get("district", ""), False),
    Column("单位", lambda row: row.get("unit", ""), True),
    Column("地址", lambda row: row.get("address", ""), False),
    Column("联系人", lambda row: row.get("contact", ""), False),
    Column("办公电话", _office, True, True),
    Column("手机", _lines("mobile"), True, True),
    Column("当地 110", _hotline, True, True),
    Column("说明", lambda row: row.get("note", ""), False),
)


def table_columns(rows: Sequence[Row]) -> list[Column]:
    """The columns that have a value in some row."""
    return [column for column in SHOWN if any(column.cell(row) for row in rows)]


def _width(text: str) -> int:
    """Cells that a text takes on a terminal, its widest line."""
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


_GAP = 2
_NARROWEST = 8  # what a column that may wrap is left with before the record layout takes over


def _widest(column: Column, rows: Sequence[Row]) -> int:
    return max(_width(text) for text in (column.heading, *map(column.cell, rows)))


def column_widths(rows: Sequence[Row], columns: list[Column], width: int) -> list[int] | None:
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


def footer(shown: Sequence[Row], listing: Sequence[Row]) -> str:
    """The line below a table: what to know before going, how old the data is, how much the list covers."""
    listed = column_of(listing, "status").count("listed")
    newest = max((row["as_of"] for row in shown if row.get("as_of")), default="")
    dated = f"资料 {newest}，" if newest else ""
    whole = f"{PUBLISHED} 个采血点" if HOME_PROVINCE in column_of(listing, "province") else "采血点"
    return f"{GUIDANCE}{dated}{whole}收录 {listed} 个。"


def shared_hotline(shown: Sequence[Row], listing: Sequence[Row]) -> str:
    """What to say on a 110 that several cities share (0728: 仙桃, 潜江, 天门), "" when none shown is shared."""
    needed = {_hotline(row) for row in shown} - {""}
    lines = []
    for hotline in sorted(needed):
        cities = list(dict.fromkeys(short_name(row["city"]) for row in listing if row["hotline"] == hotline))
        if len(cities) > 1:
            lines.append(f"{hotline} 由{'、'.join(cities)}共用，接通后先说是哪里。")
    return "".join(lines)


def _phone_link(number: str) -> str:
    """The tel: address of a printed number: 027-110 -> tel:027110, an extension behind a comma; "" for other words."""
    digits = re.fullmatch(r"(\+?[\d -]+)(?:转(\d+))?", number)
    if not digits:
        return ""
    return f"tel:{re.sub('[ -]', '', digits[1])}" + (f",{digits[2]}" if digits[2] else "")


def _old_windows_console() -> bool:
    if sys.platform == "win32":
        from rich.console import detect_legacy_windows

        return detect_legacy_windows()
    return False


def _painter(terminal: bool) -> Callable[[Column, str], str]:
    """What makes a cell's text bold, dim or a tel: link, on a terminal that can; nothing is read as markup."""
    if not terminal or os.environ.get("TERM", "") in ("dumb", "unknown") or _old_windows_console():
        return lambda column, text: text
    from rich.color import ColorSystem
    from rich.style import Style

    def paint(column: Column, text: str) -> str:
        link = _phone_link(text) if column.phone else ""
        style = Style(link=link or None, bold=bool(link) or text == column.heading, dim=text == NOT_LISTED)
        return style.render(text, color_system=ColorSystem.STANDARD)

    return paint


def _row_lines(
    texts: list[str], columns: list[Column], widths: list[int], paint: Callable[[Column, str], str]
) -> Iterator[str]:
    """The lines of one row of the table."""
    cells = [
        text.split("\n") if column.whole else wrapped(text, cells)
        for text, column, cells in zip(texts, columns, widths)
    ]
    for at in range(max(map(len, cells))):
        line, gap = "", 0
        for lines, column, cells_wide in zip(cells, columns, widths):
            text = lines[at] if at < len(lines) else ""
            if text:
                line += " " * gap + paint(column, text)
                gap = 0
            gap += cells_wide - _width(text) + _GAP
        yield line


def _record_lines(row: Row, columns: list[Column], width: int, paint: Callable[[Column, str], str]) -> Iterator[str]:
    """One unit, one field a line; a unit or phone that does not fit beside its heading goes below it, whole."""
    margin = max(_width(column.heading) for column in columns) + _GAP
    for column in columns:
        text = column.cell(row)
        if not text:
            continue
        below = column.whole and _width(text) > width - margin
        lead = column.heading + " " * (margin - _width(column.heading))
        if below:
            yield column.heading
            lead = " " * _GAP
        for line in text.split("\n") if column.whole else wrapped(text, width - margin):
            yield lead + paint(column, line)
            lead = " " * len(lead) if below else " " * margin


def table_text(rows: Sequence[Row], width: int, terminal: bool, below: list[str]) -> str:
    """Units for people: a table without rules where every unit and phone fits whole, else one field a line."""
    columns = table_columns(rows)
    paint = _painter(terminal)
    widths = column_widths(rows, columns, width)
    if widths:
        cells = [[column.heading for column in columns], *([column.cell(row) for column in columns] for row in rows)]
        lines = [line for row in cells for line in _row_lines(row, columns, widths, paint)]
    else:
        lines = [line for row in rows for line in (*_record_lines(row, columns, width, paint), "")]
    lines += [line for text in below for line in wrapped(text, width)]
    return "".join(f"{line}\n" for line in lines)


# ==============================================================================================
# Import: an official list as people have it, taken over without one number going wrong unnoticed
# ==============================================================================================


class Line(NamedTuple):
    """One row of a table, or one line or paragraph of running text, as a reader found it."""

    number: int  # row or line number in the source, from 1, for messages
    cells: list[str]  # a table's row; a line of running text has one cell
    doubts: tuple[str, ...] = ()  # what the reader is unsure of in it, in Chinese (pictures)
    strip: bytes = b""  # PNG of the strip of the picture it was read from (pictures)


class Part(NamedTuple):
    """One table, or one stretch of running text, of a file."""

    name: str  # the sheet's name, "第 2 页", or ""
    table: bool  # whether `lines` are rows of cells, or running text
    lines: list[Line]


# Limits, so that a wrong or hostile file is refused at once: bytes of a file and of the XML packed in one, rows and
# columns of a table, characters of a cell, tags of a document, pages of a PDF, pixels of a page drawn from one.
MAX_BYTES, MAX_XML, MAX_ROWS, MAX_COLUMNS, MAX_CELL, MAX_PAGES = 50_000_000, 60_000_000, 200_000, 200, 5_000, 200
MAX_TAGS, MAX_SIDE = 500_000, 5_000
WRONG_FILE = "请确认是不是给错了文件"
STDIN_NAME = "粘贴的名单"
STRAY_SHEET = "未收录的号码"


def extra_missing(path: str, extra: str) -> ListError:
    """The one line for an optional library that is not installed."""
    return ListError(path, f"还没装读它要用的库（{extra}）", f"请在 xunqin 的文件夹里运行 pip install '.[{extra}]'")


# --- words: what the headings of columns and the labels in front of texts say ---------------------

# A heading is made of these words and no others; the last one tells the field, but one of `unread` always does.
HEADINGS = {
    "number": "序号 编号 行 行号 排序 no row line",
    "province": "省 省份 province",
    "city": "市州 地市 州市 市 州 地区 城市 市级 地级市 city",
    "district": "区县 县区 市县 县市 县市区 区市县 市区县 市县区 区 县 行政区 行政区划 辖区 district",
    "unit": "单位 采血点 采血单位 采血机构 机构 公安机关 名称 点位 部门 unit name",
    "address": "地址 位置 地点 住址 address location",
    "contact": "负责人 联系人 联络人 责任人 接待人 经办人 民警 警官 姓名 contact officer person",
    "office_phone": "办公电话 办公室电话 座机 固定电话 固定 固话 值班电话 值班室 单位电话 officephone office",
    "mobile": "手机 移动电话 移动 小灵通 mobile mobilephone cell cellphone",
    "phone": "电话 电话号码 号码 联系方式 联系办法 热线 咨询电话 phone telephone tel",
    "unread": "传真 监督 投诉 举报 邮编 邮政编码 邮箱 网址 微信 qq 警号 fax email",
    "note": "备注 说明 时间 职务 其他 remark",
    "skipped": "问题 图 置信度 hotline 报警电话 code 代码 query match note result distancekm",
    "doubt": "存疑",
    "confirmed": "核对",
    "status": "status 状态",
    "source": "source 出处 来源",
    "as_of": "asof 日期",
}
FILLERS = "的 免费 采血 血样 采集 公安 刑侦 所属 所在 详细 具体 主要 备用 联系 工作 办公 对外 咨询 服务 人员 信息 号"
JOINERS = "[及和与、/／&]"
HEADING_WORDS = {word: field for field, words in HEADINGS.items() for word in words.split()}
HEADING_PATTERN = "|".join(sorted([*HEADING_WORDS, *FILLERS.split(), JOINERS], key=len, reverse=True))
NUMBER_FIELDS = ("office_phone", "mobile", "phone")
# What an entry is made of, as it is headed in drafts and in the rows that are written out to be corrected.
FIELD_NAMES = {
    "city": "市州", "district": "区县", "unit": "单位名称", "address": "地址", "contact": "负责人",
    "office_phone": "办公电话", "mobile": "手机", "phone": "联系电话",
}  # fmt: skip


@lru_cache(maxsize=4096)
def heading_field(text: str) -> str:
    """The field that a heading names, "mixed" for a phone with a contact or an address, "" for none.

    详细地址 -> address, 联系电话（工作日）-> phone, 电话2 -> phone, 联系人及电话 -> mixed, 传真电话 -> unread.
    """
    bare = re.sub(r"[（(\[【][^）)\]】]*[）)\]】]", "", text) if len(text) < 60 else text
    heading = simplified(re.sub(r"[\s_:：*．.·\-\d]", "", bare)).lower()
    if heading in HEADING_WORDS:
        return HEADING_WORDS[heading]
    words = re.findall(HEADING_PATTERN, heading) if len(heading) <= 24 else []
    if "".join(words) != heading or any(len(word) == 1 and word in HEADING_WORDS for word in words):
        return ""
    fields = [HEADING_WORDS[word] for word in words if word in HEADING_WORDS and word != "no"]
    if "unread" in fields:
        return "unread"
    told = {"phone" if field in NUMBER_FIELDS else field for field in fields}
    if len(told) > 1 and "phone" in told and any(re.fullmatch(JOINERS, word) for word in words):
        return "mixed"
    return fields[-1] if fields else ""


# Full-width signs and letters in one width; those that Chinese is written with stay.
ONE_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "（），：；！？"}
ONE_WIDTH.update({0x3000: 0x20, 0xA0: 0x20, 0xFEFF: 0x20})


def tidy(cell: str) -> str:
    """A cell in one width, its lines apart by line breaks only."""
    text = cell.translate(ONE_WIDTH)
    text = re.sub(r"^'(?=[=+@-])", "", text)  # a spreadsheet's guard
    return "\n".join(line.strip() for line in re.split(r"[\r\n\t\x0b\x0c\x85\u2028\u2029]+", text) if line.strip())


# --- readers: each knows one form of file, and nothing of the list --------------------------------


def running(name: str, texts: Iterable[str]) -> Part:
    """Lines of text as a part, blank ones left out."""
    return Part(name, False, [Line(at, [tidy(text)]) for at, text in enumerate(texts, 1) if text.strip()])


def table_delimiter(lines: list[str]) -> str:
    """What stands between the cells of a text's lines: tab , ; or |, "" when it is running text.

    That which makes most headings out of one of the first lines, or cuts most lines into as many cells.
    """
    most, found = 1, ""
    for delimiter in "\t,;|":
        rows = [line.split(delimiter) for line in lines if line.strip()]
        score = max(sum(heading_field(cell) != "" for cell in row) for row in rows[:15])
        widths = sorted(map(len, rows))
        even = widths[len(widths) // 2]
        labelled = any(re.match(r"\s*(地址|电话|联系)[^:：]*[:：].", cell) for row in rows[:15] for cell in row)
        if even > 1 and widths.count(even) * 3 >= len(widths) * 2 and not labelled:
            score = max(score, 2)
        if score > most:
            most, found = score, delimiter
    return found


def decoded(path: str, raw: bytes) -> str:
    """A text in UTF-8, in UTF-16 with its mark, or in GB 18030."""
    for encoding in ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030"):
        with contextlib.suppress(UnicodeDecodeError):
            text = raw.decode(encoding)
            if "\0" not in text:
                return text
    raise ListError(path, "不是认得的文件", "可用 CSV、文本、XLSX、DOCX、PDF、网页和图片")


def read_text_parts(path: str, raw: bytes) -> list[Part]:
    """Text whose lines are cut into cells as a table, other text as it runs. A quote too many is an error."""
    text = decoded(path, raw)
    lines = re.split(r"\r\n|\n|\r", text)
    if len(lines) > MAX_ROWS:
        raise ListError(path, f"超过 {MAX_ROWS} 行", WRONG_FILE)
    delimiter = table_delimiter(lines) if text.strip() else ""
    if not delimiter:
        return [running("", lines)]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    start = 1
    try:
        for cells in reader:
            rows.append(Line(start, [tidy(cell) for cell in cells]))
            start = reader.line_num + 1
    except csv.Error as error:
        raise ListError(path, f"CSV 格式不对（{error}）", "请检查引号是否成对", start) from None
    return [Part("", True, rows)]


def unpacked(path: str, raw: bytes) -> Any:
    """A packed file, opened, its XML within bounds."""
    import zipfile

    archive = zipfile.ZipFile(io.BytesIO(raw))
    size = sum(entry.file_size for entry in archive.infolist() if entry.filename.endswith((".xml", ".rels")))
    if size > MAX_XML:
        raise ListError(path, f"解开后太大（{size // 1_000_000} MB）", WRONG_FILE)
    return archive


class SheetMarks(NamedTuple):
    """What openpyxl does not say of a sheet that it reads row by row."""

    merged: list[str]  # areas as A1:A3
    empty: list[str]  # cells with a formula but no stored value
    wide: bool  # whether a cell, if only a blank one, stands right of column ZZ


def sheet_marks(path: str, archive: Any, position: int) -> SheetMarks:
    """The marks of a workbook's sheet, from its XML. Raises ListError when it is too long or too wide."""
    import posixpath
    from xml.etree import ElementTree

    relation = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    sheets = [item for item in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter() if item.get(relation)]
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {item.get("Id"): item.get("Target", "") for item in relations}
    member = posixpath.normpath(posixpath.join("/xl", targets[sheets[position].get(relation)])).lstrip("/")
    merged, empty, wide, rows = [], [], False, 0
    for _, item in ElementTree.iterparse(archive.open(member)):
        tag = item.tag.rpartition("}")[2]
        if tag == "mergeCell":
            merged.append(item.get("ref", ""))
        elif tag == "c":
            inside = {child.tag.rpartition("}")[2]: child.text for child in item}
            if "f" in inside and not inside.get("v"):
                empty.append(item.get("r", ""))
            wide = wide or item.get("r", "")[2:3].isalpha()
            if inside and item.get("r", "")[2:3].isalpha():
                raise ListError(path, f"{item.get('r')} 格有内容", f"名单最多 {MAX_COLUMNS} 列")
        elif tag == "row":
            item.clear()
            rows += 1
            if rows > MAX_ROWS:
                raise ListError(path, f"超过 {MAX_ROWS} 行", WRONG_FILE)
    return SheetMarks(merged, empty, wide)


def read_workbook_parts(path: str, raw: bytes) -> list[Part]:
    """Every visible sheet of an XLSX file; what stands in a cell merged downwards stands in each of its rows."""
    import warnings

    import openpyxl

    archive = unpacked(path, raw)
    parts = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of drop-down lists and formats that openpyxl does not know
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        for sheet in book.worksheets:
            if sheet.sheet_state == "visible":
                parts.append(sheet_part(sheet, sheet_marks(path, archive, book.sheetnames.index(sheet.title))))
            else:
                parts.append(Part(f"{sheet.title}（隐藏）", True, []))
    return parts


def sheet_part(sheet: Any, marks: SheetMarks) -> Part:
    """A sheet as a part: 13800001234.0 is 13800001234; merged areas are filled down."""
    from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries

    def text(value: object) -> str:
        whole = isinstance(value, float) and value.is_integer()
        return "" if value is None else tidy(str(int(value) if whole else value))  # type: ignore[call-overload]

    sheet.reset_dimensions()
    rows: dict[int, list[str]] = {}
    for number, values in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS if marks.wide else None, values_only=True), 1):
        if any(value is not None for value in values):
            rows[number] = [text(value) for value in values]
    for number, column in map(coordinate_to_tuple, marks.empty):
        if number in rows:
            rows[number][column - 1] = "#公式没有值"
    for left, top, _, bottom in map(range_boundaries, marks.merged):
        for number in range(top + 1, min(bottom, max(rows, default=0)) + 1) if top in rows else ():
            if number in rows and left <= len(rows[top]) and left <= len(rows[number]):
                rows[number][left - 1] = rows[number][left - 1] or rows[top][left - 1]
    width = max((at + 1 for row in rows.values() for at, cell in enumerate(row) if cell), default=0)
    return Part(sheet.title, True, [Line(number, cells[:width]) for number, cells in rows.items()])


class Markup(NamedTuple):
    """How a form of document marks its tables, its lines, and what is no text of it."""

    table: str
    row: str
    cells: tuple[str, ...]
    lines: frozenset[str]
    hidden: frozenset[str]
    spans: Callable[[Any], tuple[int, int]]  # how many columns and rows a cell takes; 0 rows: it goes on from above


W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def word_spans(cell: Any) -> tuple[int, int]:
    """The columns of a Word table's cell, and 0 when it goes on from above."""
    wide = next((int(span.get(W + "val") or 1) for span in cell.iter(W + "gridSpan")), 1)
    merged = next((merge.get(W + "val", "") for merge in cell.iter(W + "vMerge")), "restart")
    return wide, int(merged == "restart")


def html_spans(cell: Any) -> tuple[int, int]:
    """The columns and rows of a web page's cell."""
    texts = (cell.get("colspan", "1"), cell.get("rowspan", "1"))
    wide, deep = (int(text) if text.isdecimal() and len(text) < 6 else 1 for text in texts)
    return wide, max(deep, 1)


WORD_MARKUP = Markup(
    W + "tbl", W + "tr", (W + "tc",), frozenset(W + name for name in ("p", "br", "cr", "tc", "tr", "tbl")),
    frozenset([W + "delText", W + "instrText", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"]),
    word_spans,
)  # fmt: skip
HTML_MARKUP = Markup(
    "table", "tr", ("td", "th"),
    frozenset(re.findall(r"\w+", "p div br li ul ol dl dt dd h1 h2 h3 h4 tr td th table section nav footer pre")),
    frozenset(re.findall(r"\w+", "script style noscript template head select textarea svg")),
    html_spans,
)  # fmt: skip


def check_tags(path: str, raw: bytes) -> None:
    """Raise ListError for a document that is too large to be taken apart."""
    if raw.count(b"<") > MAX_TAGS:
        raise ListError(path, f"超过 {MAX_TAGS} 个标记", WRONG_FILE)


def tree_parts(root: Any, markup: Markup) -> list[Part]:
    """The tables of a document and the text between them, in order. A table around others only lays them out."""
    from lxml import etree

    parts: list[Part] = []
    text = ""
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, item in walk:
        inner = item.tag == markup.table and next(item.iterdescendants(markup.table), None) is None
        if event == "start" and item is not root and (inner or item.tag in markup.hidden):
            walk.skip_subtree()
            if inner:
                rows = [Line(at, cells) for at, cells in enumerate(tree_rows(item, markup), 1)]
                parts += [running("", text.split("\n")), Part("", True, rows)]
                text = ""
        elif event == "start":
            text += ("\n" if item.tag in markup.lines else "") + squeezed(item.text)
            text += "  " if item.tag == W + "tab" else ""
        if event != "start" and item is not root:
            text += ("\n" if item.tag in markup.lines else "") + squeezed(item.tail)
    return [part for part in [*parts, running("", text.split("\n"))] if part.lines]


def squeezed(text: str | None) -> str:
    """A text of a document, each run of spaces and line ends one space."""
    return re.sub(r"\s+", " ", text or "")


def tree_rows(table: Any, markup: Markup) -> Iterator[list[str]]:
    """The rows of a table; a cell that spans rows stands in each of them, one that spans columns only in the first."""
    above: dict[int, tuple[int, str]] = {}  # column: (rows that it still takes, its text)
    for row in table.iter(markup.row):
        cells: list[str] = []
        waiting = list(row.iter(*markup.cells))
        while (waiting or above.get(len(cells), (0, ""))[0]) and len(cells) <= MAX_COLUMNS:
            column = len(cells)
            left, text = above.get(column, (0, ""))
            wide = 1
            if not left:
                cell = waiting.pop(0)
                wide, left = markup.spans(cell)
                if left:
                    text = "\n".join(line.cells[0] for part in tree_parts(cell, markup) for line in part.lines)
            cells += [text, *[""] * (min(wide, MAX_COLUMNS) - 1)]
            above[column] = (max(left - 1, 0), text)
        yield cells


def read_word_parts(path: str, raw: bytes) -> list[Part]:
    """A DOCX file; text boxes stand where they are anchored, deleted text is none."""
    import docx
    from lxml import etree

    archive = unpacked(path, raw)
    for name in archive.namelist():
        check_tags(path, archive.read(name) if name.endswith(".xml") else b"")
    # Parsed anew: the library's own elements say all the text inside them where plain ones say their own.
    plain = etree.XMLParser(resolve_entities=False, no_network=True)
    return tree_parts(etree.fromstring(docx.Document(io.BytesIO(raw)).part.blob, plain), WORD_MARKUP)


def read_html_parts(path: str, raw: bytes) -> list[Part]:
    """A web page, in the character set that it declares."""
    from lxml import html

    check_tags(path, raw)

    def parsed(text: str) -> Any:
        return html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=True))

    declared = "".join(parsed(raw.decode("latin-1")).xpath("//meta/@charset | //meta/@content")).lower()
    named = re.search(r"utf-?(?:8|16)|gb\w+|big5", declared)
    if named is None or raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return tree_parts(parsed(decoded(path, raw)), HTML_MARKUP)
    # Browsers read all that calls itself GB as its largest set; the names 喆 and 镕 need it.
    charset = "gb18030" if named[0].startswith("gb") else named[0]
    return tree_parts(parsed(raw.decode(charset, "replace")), HTML_MARKUP)


def read_pdf_parts(path: str, raw: bytes) -> list[Part]:
    """The tables and the text around them of each page of a PDF; a page that is a picture is read as one."""
    import pdfplumber

    parts: list[Part] = []
    with pdfplumber.open(io.BytesIO(raw)) as book:
        if len(book.pages) > MAX_PAGES:
            raise ListError(path, f"超过 {MAX_PAGES} 页", WRONG_FILE)
        for page in book.pages:
            name = f"第 {page.page_number} 页"
            text = page.extract_text()
            if (page.images and len(re.sub(r"\s", "", text)) < 20) or text.count("(cid:") > 10:
                sharpness = min(200, MAX_SIDE * 72 / max(page.width, page.height))
                parts += picture_parts(page.to_image(resolution=sharpness).original.convert("RGB"), name)
            else:
                parts += pdf_page_parts(page, name)
            page.close()
    return [part for part in parts if part.lines]


def pdf_page_parts(page: Any, name: str) -> Iterator[Part]:
    """The ruled tables of a page and the lines of text above, between and below them."""
    tables = [table for table in page.find_tables() if len(table.rows) > 1 and len(table.rows[0].cells) > 1]

    def outside(item: Any) -> bool:
        x, y = (item["x0"] + item["x1"]) / 2, (item["top"] + item["bottom"]) / 2
        return not any(box[0] <= x <= box[2] and box[1] <= y <= box[3] for box in (table.bbox for table in tables))

    around = page.filter(lambda item: item["object_type"] != "char" or outside(item))
    lines = around.extract_text_lines(x_tolerance_ratio=0.6)  # what is further apart are cells
    for table in sorted(tables, key=lambda table: float(table.bbox[1])):
        yield running(name, [line["text"] for line in lines if line["top"] < table.bbox[1]])
        lines = [line for line in lines if line["top"] >= table.bbox[1]]
        rows = [[tidy(cell or "") for cell in row] for row in table.extract()]
        yield Part(name, True, [Line(at, cells) for at, cells in enumerate(rows, 1)])
    yield running(name, [line["text"] for line in lines])


class Form(NamedTuple):
    """A form of file that is read: its name, the bytes it begins with (a packed one: the file in it), its reader."""

    name: str
    starts: tuple[bytes, ...]
    read: Callable[[str, bytes], list[Part]]


PICTURE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"GIF8")
PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<meta", b"<table", b"<div", b"<p", b"<?xml")
PICTURE = Form("图片", PICTURE_STARTS, lambda path, _: read_picture_parts(path))
TEXT = Form("文本", (), read_text_parts)
PACKED_FORMS = (
    Form("Excel（.xlsx）", (b"xl/workbook.xml",), read_workbook_parts),
    Form("Word（.docx）", (b"word/",), read_word_parts),
)
FORMS = (PICTURE, Form("PDF", (b"%PDF",), read_pdf_parts), Form("网页", PAGE_STARTS, read_html_parts))
# What is known and not read: the bytes it begins with or holds, what it is, what to do.
UNREAD_FORMS = (
    ("EncryptedP".encode("utf-16-le"), "是加了密码的 Office 文件", "请去掉密码后另存为 .xlsx 或 .docx"),
    ("WordDoc".encode("utf-16-le"), "是旧版 Word 文件（.doc）", "请用 Word 或 WPS 另存为 .docx"),
    ("Workbook".encode("utf-16-le"), "是旧版 Excel 文件（.xls）", "请用 Excel 或 WPS 另存为 .xlsx"),
    (b"\xd0\xcf\x11\xe0", "是旧版 Office 文件", "请另存为 .xlsx 或 .docx"),
    (b"PK\x03\x04", "是压缩包或别的 Office 文件", "请解压，或另存为 .xlsx 或 .docx"),
    (b"Rar!", "是压缩包", "请先解压，给出里面的名单"),
    (b"{\\rtf", "是 RTF 文件", "请用 Word 另存为 .docx"),
    (b"MIME-Version", "是网页归档（.mht）", "请用浏览器打开，另存为 .html"),
    (b"ftyp", "是 HEIC 照片或视频", "请另存为 JPEG 或 PNG"),
)


def form_of(path: str, raw: bytes) -> Form:
    """The form of a file, by its first bytes. Raises ListError, with what it is, for one that is not read."""
    if raw.startswith(b"PK\x03\x04"):
        for form in PACKED_FORMS:
            if form.starts[0] in raw:
                return form
    old_office = raw.startswith(b"\xd0\xcf\x11\xe0")
    for start, what, remedy in UNREAD_FORMS:
        if start in (raw[: len(start)], raw[4:8]) or (old_office and start in raw):
            raise ListError(path, what, remedy)
    head = raw[:1024].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    return next((form for form in FORMS if raw.startswith(form.starts) or head.startswith(form.starts)), TEXT)


def read_bytes(path: str) -> bytes:
    """The bytes of a file, of stdin for "-". Raises ListError for what cannot be opened, or is too large."""
    import stat

    try:
        if path == "-" and sys.stdin is not None:
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        elif stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as file:
                raw = file.read(MAX_BYTES + 1)
        else:
            what = "这是一个目录" if os.path.isdir(path) else "不是普通文件"
            raise ListError(path, what, "请给出一个文件；管道里的内容用 xunqin import - 读")
    except OSError as error:
        raise ListError(path or "（空的文件名）", f"打不开（{reason(error)}）", "请检查路径和权限") from None
    if not raw:
        raise ListError(path, "文件是空的", "请给出有内容的名单")
    if len(raw) > MAX_BYTES:
        raise ListError(path, "文件太大（超过 50 MB）", WRONG_FILE)
    return raw


def read_parts(path: str) -> tuple[Form, list[Part]]:
    """(form of a file, its tables and texts). Whatever its bytes are, the only error is a ListError of one line."""
    raw = read_bytes(path)
    form = form_of(path, raw)
    if form is PICTURE and path == "-":
        raise ListError(STDIN_NAME, "是图片", "请存成文件再导入")
    try:
        parts = form.read(path, raw)
    except ListError:
        raise
    except ModuleNotFoundError as error:
        raise extra_missing(path, "ocr" if form is PICTURE else "import") from error
    except (Exception, MemoryError) as error:  # libraries raise anything on foreign bytes; the cause stays attached
        raise ListError(path, f"这个{form.name}文件读不了，可能不完整", "请打开看看，另存一份再试") from error
    for line in (line for part in parts if part.table for line in part.lines):
        if len(line.cells) > MAX_COLUMNS or max(map(len, line.cells), default=0) > MAX_CELL:
            raise ListError(path, f"超过 {MAX_COLUMNS} 列，或一格超过 {MAX_CELL} 个字", WRONG_FILE, line.number)
    return form, parts


# --- numbers --------------------------------------------------------------------------------------

DASHES = str.maketrans(dict.fromkeys("—–－−‐‑‒―", "-"))
# Area codes: 010 and 02x, else four digits; a local number begins with 2 to 8. A bare 86 is no country code.
NUMBER = (
    r"(?<![\d-])(?:(?:\+|00)86[- ]?)?(?:(?P<mobile>1[3-9]\d[- ]?\d{4}[- ]?\d{4})"
    r"|(?:[(（]?(?P<area>010|02\d|0[3-9]\d{2})[)）]?[- ]*)?(?P<local>[2-8]\d{6,7})"
    r"(?:\s*(?:转|-|ext\.?)\s*(?:分机)?(?P<extension>(?<=[转机.t ])\d{1,5}|\d{3,5}))?)(?![\d-])"
)
# What may be a number, whole or damaged, in running text.
ANY_NUMBER = re.compile(rf"{NUMBER}|\+?[\d*＊][\d*＊—–－~-]{{5,}}[\d*＊](?:\s*转\s*\d+)?", re.IGNORECASE | re.ASCII)
# Words that stand among numbers and are no officer's name.
SMALL_TALK = re.compile(
    "(?:白天|晚上|夜间|节假日|工作日|上班|下班|周[一二三四五六日末]|至|时间|以及|或者?|和|及|值班室?|24小时|全天|均可|办|手|座机|"
    r"办公室?|联系|咨询|请|拨打|号码|手机|电话|可|与|致电|\d{1,2}[:：]\d\d|[（(）)。、.,，;；:：\s-])+"
)
HUBEI_AREAS = ("027", *(f"0{code}" for code in range(710, 720)), "0722", "0724", "0728")


def has_number(text: str) -> bool:
    """Whether a text holds what may be a phone number: seven or more digits, however they are set apart."""
    return re.search(r"\d(?:[ -]?\d){6}", text) is not None


def is_valid_number(digits: str) -> bool:
    """Whether libphonenumber knows such a number; without the library the pattern has to do."""
    try:
        import phonenumbers
    except ImportError:
        return True
    return phonenumbers.is_valid_number(phonenumbers.parse(digits, "CN"))


def number_problem(number: str, area: str) -> str:
    """What is wrong with a number as the list keeps it, "" for nothing: 027-12345678转8012 or 13812345678.

    `area` is the city's area code. Local numbers have eight digits in 027, seven in Hubei's other areas.
    """
    landline = re.fullmatch(r"(0\d{2,3})-(\d{7,8})(?:转\d{1,5})?", number, re.ASCII)
    if not landline:
        whole = re.fullmatch(r"1[3-9]\d{9}", number, re.ASCII) and is_valid_number(number)
        return "" if whole else "不是手机号或带区号的座机号"
    if area and landline[1] != area:
        return f"区号不是本地的 {area}"
    digits = 8 if landline[1] == "027" else 7
    if area in HUBEI_AREAS and len(landline[2]) != digits:
        return f"{landline[1]} 的座机应为 {digits} 位"
    return "" if is_valid_number(f"{landline[1]}{landline[2]}") else "号码不存在"


class Numbers(NamedTuple):
    """What a cell of numbers holds; `names` are officers that stand among their numbers."""

    office: list[str]
    mobile: list[str]
    names: list[str]
    repairs: list[str]
    problems: list[str]


def numbers_in(cell: str, area: str) -> Numbers:
    """The numbers of a cell that may hold several. `area` is the row's area code: each landline must have it.

    An area code holds for the local numbers behind it (0354-2416500、2416530); before those without any, `area` is put.
    A number that lost its first zero in a spreadsheet (7283212345) gets it back. Digits that are left are a problem.
    """
    numbers = Numbers([], [], [], [], [])
    text = cell.translate(DASHES).replace("\n", " ; ")
    lost_zero = rf"(?<![\d-]){area[1:]}-?\d{{{8 if area == '027' else 7}}}(?![\d-])"
    for found in re.finditer(lost_zero, text) if area else ():
        numbers.repairs.append(f"{found[0]} 补上开头的 0")
    text = re.sub(lost_zero, r"0\g<0>", text) if area else text
    stated = ""
    for found in re.finditer(NUMBER, text, re.ASCII | re.IGNORECASE):
        if found["mobile"]:
            number = re.sub("[- ]", "", found["mobile"])
            numbers.mobile.append(number)
        else:
            stated = found["area"] or stated
            number = f"{stated or area}-{found['local']}{'转' if found['extension'] else ''}{found['extension'] or ''}"
            numbers.office.append(number)
            if not found["area"]:
                numbers.repairs.append(f"{found['local']} 补区号 {stated or area}")
        problem = number_problem(number, area)
        if problem:
            numbers.problems.append(f"{found[0].strip()} {problem}")
    left = re.sub(NUMBER, " ", text, flags=re.ASCII | re.IGNORECASE)
    left = re.sub(r"\d{1,2}\s*(?:小时|[:：]\d\d|[时点])", "", left)
    shown = " ".join(left.replace(";", " ").split())[:80]
    if any(character.isdigit() or (character.isnumeric() and not "一" <= character <= "鿿") for character in left):
        numbers.problems.append(f"「{shown}」不像完整的号码")
    if re.search("公安|分局|派出所", left):
        numbers.problems.append(f"号码格里有单位名「{shown}」")
    words = [word for word in re.split(r"[^一-鿿·]+", left) if word and not SMALL_TALK.fullmatch(word)]
    numbers.names.extend(word for word in words if is_person(word) and not heading_field(word))
    return numbers


# --- places ---------------------------------------------------------------------------------------

# Police that belong to no county. Their names hold places that they are not in: 江汉油田 is not 江汉区.
WIDE_POLICE = "水上|铁路|铁道|航运|长航|油田|机场|民航|轨道"
POLICE_START = "公安|分局|刑侦|刑警|刑事|打拐|反拐|派出所"
SURE_TIERS = ("exact", "unit", "address", "former")  # of a search that may place a row without a doubt
PROVINCE_DIVISION = ("420000", HOME_PROVINCE)


class Placed(NamedTuple):
    """What a text says of where it is."""

    division: Division | None = None  # a county, a city such as ("420600", "襄阳市"), or the province
    city: str = ""
    elsewhere: str = ""  # a province outside Hubei
    unknown: str = ""  # a name that stands where one of a county should, and is none


class Places:
    """The counties and cities of a list, and which of them a unit's name or an address says. Strict: no guesses."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.cities = catalog.city_names
        rows = {division: catalog.rows_of(division)[0] for division in catalog.divisions}
        self.homes = {division: row["city"] for division, row in rows.items()}
        self.areas = {row["city"]: row["hotline"].removesuffix("-110") for row in rows.values()}
        self.counties = {district: (code, district) for code, district in catalog.divisions}
        self.short = {short_name(name): division for name, division in self.counties.items()}
        self.longest = max(map(len, [*self.counties, *self.cities]))
        self.known: dict[str, Placed] = {}
        self.strangers = 0  # units that a search did not place

    def city_division(self, city: str) -> Division:
        """The division of a whole city's unit: ("420600", "襄阳市"); a county-level city is its own."""
        return self.counties.get(city) or (self.catalog.cities[city][0][0][:4] + "00", city)

    def city_of(self, division: Division) -> str:
        """The city that a division belongs to; the province and a city are their own."""
        return self.homes.get(division, division[1])

    def area_code(self, division: Division) -> str:
        """The area code of a division: what the hotlines of its city begin with."""
        return self.areas["武汉市" if division == PROVINCE_DIVISION else self.city_of(division)]

    def named(self, text: str) -> Division | None:
        """The county with this full or short name."""
        name = simplified(clean(text))
        return self.counties.get(name) or self.short.get(name)

    def read(self, text: str) -> Placed:
        """Where a unit is, by its name: 武汉市公安局硚口区分局, 硚口公安分局, 襄阳市公安局刑侦支队, 湖北省公安厅."""
        if text not in self.known:
            self.known[text] = self._unit(simplified(clean(text[:60])))
        return self.known[text]

    def _unit(self, text: str) -> Placed:
        rest = text.removeprefix("湖北省").removeprefix("湖北")
        if rest != text and re.match("公安厅|厅|刑侦|公安局|打拐", rest):
            return Placed(PROVINCE_DIVISION)
        if self.elsewhere(rest):
            return Placed(elsewhere=self.elsewhere(rest))
        if re.search(WIDE_POLICE, rest):
            city = next((city for name, city in self.cities.items() if name in rest), "")
            return Placed(self.city_division(city), city) if city else Placed(unknown=rest)
        city, inside = self.take_city(rest)
        bureau = re.sub("^市?公安局", "", inside)
        county = self.take_county(inside, True) or (self.take_county(bureau, True) if city else None)
        if county:
            return Placed(county, self.city_of(county))
        if city and re.match(POLICE_START, inside) and not re.search(".分局|派出所", inside):
            return Placed(self.city_division(city), city)
        if not re.search(POLICE_START, inside):
            return Placed(None, city)
        name = re.split(POLICE_START, bureau)[0]
        # 荆州公安局 may be the city's or the county's. A list of nothing but strangers is not searched to its end.
        if name not in self.short and not self.elsewhere_name(rest) and self.strangers < 500:
            hits = list({hit.division for hit in search(text, self.catalog) if hit.tier in SURE_TIERS})
            if len(hits) == 1 and city in ("", self.city_of(hits[0])):
                return Placed(hits[0], self.city_of(hits[0]))
            self.strangers += 1
        return Placed(None, city, unknown=name if len(name) > 1 else "")

    def address(self, text: str) -> Placed:
        """Where an address is, by the full names that it begins with; a short name in it may be a street's."""
        rest = simplified(clean(text[:60])).removeprefix("湖北省").removeprefix("湖北")
        city, inside = self.take_city(rest)
        county = self.take_county(inside)
        if county:
            return Placed(county, city or self.city_of(county))
        return Placed(None, city if city and rest.startswith(city) else "", self.elsewhere(rest))

    def take_city(self, text: str) -> tuple[str, str]:
        """(the city in front of a text, the rest); ("", text) when it begins with a county or with neither.

        A full name goes before a short one, a county's before a city's: 荆州区, then 荆州.
        """
        for end in range(min(len(text), self.longest), 1, -1):
            name = text[:end]
            if name in self.counties and name not in self.cities:
                return "", text
            if name in self.cities and name[-1] in "市州区" and name not in self.short:
                return self.cities[name], text[end:]
        short = next((text[:end] for end in (4, 3, 2) if text[:end] in self.cities), "")
        if not short or (short in self.short and not self.take_county(text[len(short) :], True)):
            return "", text
        return self.cities[short], text[len(short) :]

    def take_county(self, text: str, police: bool = False) -> Division | None:
        """The county that a text begins with: by its full name, or by its short one where `police` follow."""
        for end in range(min(len(text), self.longest), 1, -1):
            if text[:end] in self.counties:
                return self.counties[text[:end]]
        for end in range(min(len(text), self.longest) if police else 0, 1, -1):
            follows = "公安" if text[:end] == "公安" else POLICE_START  # a county has this name
            if text[:end] in self.short and re.match(follows, text[end:]):
                ambiguous = text[:end] in self.cities and self.cities[text[:end]] not in self.counties
                return None if ambiguous else self.short[text[:end]]
        return None

    def elsewhere(self, text: str) -> str:
        """The other province that a text begins with, "" for none."""
        for place in [*abroad(text[:3]), *abroad(text[:2])] if len(text) > 2 else []:
            if place.level == "province" and place.name != HOME_PROVINCE:
                return place.name
        return ""

    def elsewhere_name(self, text: str) -> bool:
        """Whether a text begins with the full name of a county or city outside Hubei."""
        return any(text[end - 1] in "市区县旗盟州" and is_elsewhere(text[:end]) for end in range(3, min(len(text), 12)))


def is_elsewhere(name: str) -> bool:
    """Whether a division outside Hubei bears exactly this full name."""
    return any(place.name == name for place in abroad(name))


def one_apart(one: str, other: str) -> bool:
    """Whether two names of one length differ in exactly one character."""
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other)) == 1


def misread_name(written: str, names: Iterable[str], alike: bool) -> str:
    """The only one of the names that a written one is a misreading of, in one character; "" for none.

    What is a real place, in Hubei or elsewhere, is none. With `alike` the two characters must look or sound alike.
    """
    near = [name for name in names if one_apart(written, name)]
    if len(near) != 1 or is_elsewhere(written):
        return ""
    wrong, right = next((a, b) for a, b in zip(written, near[0]) if a != b)
    same_sound = set(readings(wrong)) & set(readings(right))
    return near[0] if not alike or looks_like(wrong, right, True) or same_sound else ""


# --- entries: rows and running text as units with their cells -------------------------------------


class Entry:
    """One unit of a list being imported: its cells as they came, what was read from them, what is wrong."""

    def __init__(self, line: Line, cells: dict[str, str]) -> None:
        self.number = line.number
        self.cells = cells
        self.strip = line.strip
        self.doubts = list(line.doubts)  # what a person may confirm
        self.problems: list[str] = []  # what must be corrected
        self.repairs: list[str] = []
        self.division: Division | None = None
        self.read: dict[str, str] = {}  # the cells as the list will keep them
        self.outcome = ""

    def add(self, field: str, text: str, between: str = "\n") -> None:
        """Put a text into a cell, behind what is there."""
        cell = self.cells.get(field, "")
        self.cells[field] = f"{cell}{between}{text}" if cell else text

    def held(self) -> list[str]:
        """Why the entry is not taken over; nothing once its doubts are confirmed and nothing is wrong."""
        return [*self.problems, *([] if self.cells.get("confirmed") else self.doubts)]


class Stray(NamedTuple):
    """A number of the source that is no unit's."""

    number: int
    text: str
    why: str


class Contents:
    """What a file holds: units, numbers that are no unit's, names of tables that are no list, what stands on top."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.strays: list[Stray] = []
        self.skipped: list[str] = []
        self.titles: list[str] = []


def looks_like_unit(text: str) -> bool:
    """Whether a text is written as a police unit's name is, not as an address at one: 公安局院内, 公安局办公楼一楼."""
    bare = re.sub(r"[（(][^）)]*[）)]$", "", text.replace("\n", "")) if len(text) < 200 else ""
    if not re.search("公安|分局|派出所|刑侦|刑警|刑事|打拐|反拐|DNA", bare) or has_number(bare):
        return False
    at_one = re.search(r"\d\s*号|[路街道巷]\d|[一二三四五六七八九十\d][楼层]", bare)
    return re.search("[局所队办室处厅科中心点站组]$", bare) is not None and not at_one


def looks_like_address(text: str) -> bool:
    """Whether a text is written as an address is."""
    return re.search(r"[路街道巷村楼镇乡院旁侧厦层幢栋室]|\d\s*号|广场|小区|对面|附近", text) is not None


def is_person(text: str) -> bool:
    """Whether a text is a person's name, or several: 戴警官, 戴警官、李警官, 欧阳建国."""
    title = "(?:警官|民警|队长|大队长|支队长|中队长|主任|所长|教导员|指导员|同志|先生|女士|科长|法医)"
    names = re.split("[、/和\n]", text)
    named = all(re.fullmatch(rf"[一-鿿·]{{1,4}}{title}|[一-鿿]{{2,4}}|[一-鿿]+·[一-鿿]+", name) for name in names)
    return named and not re.search("[路街巷村楼镇乡院旁层]|[大支中]队$", text)


def headed_columns(lines: list[Line]) -> tuple[int, list[str], list[str]]:
    """(where the rows below the headings begin, the field of each column, its heading); (0, [], []) without headings.

    Of the first fifteen rows the one with most headings is taken, with those around it that hold nothing but headings.
    """

    def only_headings(at: int) -> bool:
        return 0 <= at < len(lines) and all(heading_field(cell) for cell in lines[at].cells if cell)

    told = [sum(heading_field(cell) != "" for cell in line.cells) for line in lines[:15]]
    if max(told, default=0) < 2:
        return 0, [], []
    first = last = told.index(max(told))
    while only_headings(first - 1):
        first -= 1
    while only_headings(last + 1):
        last += 1
    width = max(len(line.cells) for line in lines[first:])
    fields, headings = [""] * width, [""] * width
    for line in lines[first : last + 1]:
        for column, cell in enumerate(line.cells):
            headings[column] = cell or headings[column]
            fields[column] = heading_field(cell) or fields[column]
    return last + 1, fields, headings


def content_columns(lines: list[Line], places: Places) -> list[str]:
    """The field of each column by what stands in it, for a table without headings; [] when none holds units."""
    tests: dict[str, Callable[[str], object]] = {
        "number": lambda cell: re.fullmatch(r"\d{1,4}", cell),
        "phone": has_number,
        "city": lambda cell: simplified(cell) in places.cities,
        "district": lambda cell: simplified(cell) in places.counties,
        "unit": looks_like_unit,
        "address": looks_like_address,
        "contact": is_person,
    }
    fields = []
    for column in range(max((len(line.cells) for line in lines), default=0)):
        cells = [line.cells[column] for line in lines if column < len(line.cells) and line.cells[column]]
        fits = [field for field, test in tests.items() if sum(bool(test(cell)) for cell in cells) * 2 > len(cells)]
        fields.append(fits[0] if fits else "")
    return fields if "unit" in fields else []


def side_by_side(fields: list[str]) -> list[range]:
    """The columns of each of the tables that stand beside each other: their headings repeat from the left."""
    times = fields.count("unit")
    width = len(fields) // times
    if times > 1 and all(fields[at] == fields[at % width] for at in range(width * times)):
        return [range(start, start + width) for start in range(0, width * times, width)]
    return [range(len(fields))]


def table_contents(
    contents: Contents, lines: list[Line], fields: list[str], headings: list[str], places: Places
) -> None:
    """Add the units of a table's rows. A row with nothing but a city's name holds for those below it."""
    groups = side_by_side(fields)
    above: dict[range, Entry] = {}
    city = ""
    for line in lines:
        filled = [(cell, field) for cell, field in zip(line.cells, fields) if cell]
        if all(heading_field(cell) or re.fullmatch("[-: ]*", cell) for cell, _ in filled):
            continue
        if len(filled) == 1 and is_title(*filled[0], places):
            city = heading_city(filled[0][0], places)
            continue
        for group in groups:
            entry = table_entry(contents, line, group, fields, headings)
            if entry is None or continues(entry, above.get(group)):
                continue
            before = above.get(group)
            entry.cells["above"] = city or (before.cells.get("city") or before.cells["above"] if before else "")
            if not entry.cells.get("unit") and not entry.cells.get("district"):
                whose = f"；若是「{before.cells.get('unit', '')}」的，请并到那一行" if before else ""
                entry.problems.append(f"没有单位名称{whose}")
            contents.entries.append(entry)
            above[group] = entry


def is_title(cell: str, field: str, places: Places) -> bool:
    """Whether the only cell of a row is a title or a note, not a unit, a number or an officer."""
    content = has_number(cell) or looks_like_unit(cell) or (field == "contact" and is_person(cell))
    return not content or heading_city(cell, places) != ""


def table_entry(contents: Contents, line: Line, group: range, fields: list[str], headings: list[str]) -> Entry | None:
    """The cells of a row by field; None when it says nothing of a unit. Cells of one field are put together.

    Numbers under a heading that is no phone's are strays, those under an unknown one a doubt; a column without any
    heading that holds numbers is taken for a phone's.
    """
    entry = Entry(line, {})
    for column in group:
        cell = line.cells[column] if column < len(line.cells) else ""
        field = fields[column] or ("" if headings[column] else "phone")
        if field == "unread" and has_number(cell):
            contents.strays.append(Stray(line.number, f"{headings[column]} {cell}", "不是采血电话"))
        elif field in ("", "note", "unread", "number"):
            if has_number(cell):
                entry.add("note", f"{headings[column]} {cell}".strip())
        elif (
            field != "skipped"
            and cell
            and (fields[column] or has_number(cell))
            and cell not in entry.cells.get(field, "").split("\n")
        ):
            entry.add(field, cell)
    told = {field for field in entry.cells if field in (*FIELD_NAMES, "mixed")}
    if told and not told <= {"city", "district"}:
        return entry
    if entry.cells.get("note"):
        contents.strays.append(Stray(line.number, entry.cells["note"], "不在任何单位的行里"))
    return None


def continues(entry: Entry, above: Entry | None) -> bool:
    """Put a row that is more of the row above into it: a second officer, a second number, and nothing else.

    Only where another cell that the row above has is empty too; else it is a row whose unit is missing.
    """
    told = {field for field in entry.cells if field in (*FIELD_NAMES, "mixed", "note")}
    if above is None or not told <= {"contact", "mixed", *NUMBER_FIELDS}:
        return False
    if not any(above.cells.get(field) and field not in told for field in FIELD_NAMES if field != "unit"):
        return False
    for field in told:
        above.add(field, entry.cells[field])
    above.doubts += entry.doubts
    return True


# --- running text ---------------------------------------------------------------------------------

# What stands around a list, and whose numbers are no unit's; what a unit's other numbers are called.
AROUND = re.compile(
    "客服|编辑|责编|记者|版权|备案|ICP|网站|网址|首页|联系我们|技术支持|主办|承办|来源|新闻热线|爆料|广告|扫码|公众号",
    re.IGNORECASE,
)
OTHER_NUMBER = re.compile(f"传真|监督|举报|投诉|邮编|{AROUND.pattern}", re.IGNORECASE)
NUMBERING = re.compile(
    r"^(?:第?[\d一二三四五六七八九十]{1,4}[、.．)）]|[（(][\d一二三四五六七八九十]{1,4}[)）]|[①-⑳]|[^\w（(【\[《]+)\s*"
)


def heading_city(text: str, places: Places) -> str:
    """The city that a heading names: 【武汉市】, 二、黄石市（6个）, 武汉市：; "省直" for 省直辖; "" for none."""
    bare = re.sub(r"[【】\[\]<>《》:：\s]|[（(]?共?\d+个?点?位?[)）]?$", "", NUMBERING.sub("", text))
    return "省直" if re.match("省直[辖管]", bare) else places.cities.get(simplified(bare[:12]), "")


def bare_piece(text: str) -> str:
    """A piece of text without the signs around it and without a bracket that has no partner."""
    text = NUMBERING.sub("", text.strip()).strip("、.:： ")
    if text[:1] in ("（", "(") and text.count("（") + text.count("(") == 1 and text[-1] in "）)":
        return text[1:-1]
    if text.count("（") + text.count("(") != text.count("）") + text.count(")"):
        return text.strip("（()）")
    return text


def pieces_of(text: str) -> Iterator[tuple[str, str]]:
    """(field, text) for each piece of a line: "number" for a number, "label" for a label, else what the label says."""
    # 地　址： is 地址：
    text = re.sub(r"(?<![一-鿿])([一-鿿])\s+(?:([一-鿿])\s+)?([一-鿿])(?=\s*[:：])", r"\1\2\3", text)
    at = 0
    field = ""
    for found in [*ANY_NUMBER.finditer(text), None]:
        for clause in re.split(r"[，,；;。|！\t]+|\s+|(?<=[:：])", text[at : found.start() if found else None]):
            for named, piece in labelled_pieces(clause, field):
                field = named if piece == "" else ""
                yield ("unread" if named == "unread" else "label", clause) if piece == "" else (named, piece)
        if found:
            yield "number", found[0].strip()
            at = found.end()


def labelled_pieces(clause: str, field: str) -> Iterator[tuple[str, str]]:
    """(field, text) of a clause, ("", text) for one without label, (field, "") for a label; `field` holds from before.

    A label with a colon may end a text (一楼联系人：), one without must be all of it, or begin it (地址武汉市一路).
    """
    head = bare_piece(clause) if len(clause) < 300 else ""  # no cell is that long
    colon = clause.rstrip().endswith((":", "："))
    inside = ("address", "contact", "unread", "mixed", *NUMBER_FIELDS)
    for start in range(max(len(head) - 12, 0) if colon else 0, max(len(head) - 1, 0) if colon else 1):
        named = heading_field(head[start:])
        if named and (not start or named in inside):
            if start:
                yield field, bare_piece(head[:start])
            yield named, ""
            return
    begun = re.match("(?:详细|采血)?(地址|联系人|负责人|联系民警)(?=.{2})", head)
    if begun and not looks_like_unit(head):
        yield HEADING_WORDS.get(begun[1], "contact"), head[begun.end() :]
    elif head:
        yield field, head


class Reading:
    """Running text, read from the top: the unit that what follows belongs to, the city and county of the headings."""

    def __init__(self, contents: Contents, places: Places) -> None:
        self.contents, self.places = contents, places
        self.entry: Entry | None = None
        self.city = self.district = ""
        self.last = ""  # the field of the piece in front, on the same line

    def line(self, line: Line) -> None:
        """Take one line in."""
        pieces = list(pieces_of(line.cells[0]))
        fields = ["begin" if self.is_unit(field, piece) else field for field, piece in pieces]
        if AROUND.search(line.cells[0]) and "begin" not in fields:
            self.entry = None
        if sum(field == "label" for field in fields) >= 3 and "number" not in fields and "begin" not in fields:
            return  # the headings of columns
        # A line that begins with a number and ends without one has each number in front of its unit.
        in_front = "begin" in fields and "number" in fields[: fields.index("begin")] and "number" not in fields[-1:]
        waiting: list[str] = []
        self.last = ""
        for at, (field, (_, piece)) in enumerate(zip(fields, pieces)):
            if field == "begin":
                self.begin(line, piece, waiting)
                waiting = []
            elif field == "number" and in_front:
                waiting.append(piece)
            elif field == "number":
                self.number(line.number, piece, *(fields[at - 1], pieces[at - 1][1]) if at else ("", ""))
            elif field != "label":
                self.piece(field, piece)
        if self.entry is not None and self.entry.number != line.number:
            self.entry.doubts += line.doubts

    def is_unit(self, field: str, piece: str) -> bool:
        """Whether a piece names a unit, not an address at one: by a place in it, or by the county of the heading."""
        if field not in ("", "unit") or not looks_like_unit(piece):
            return False
        placed = self.places.read(piece)
        return bool(placed.division or placed.elsewhere or placed.unknown or self.district)

    def begin(self, line: Line, piece: str, numbers: list[str]) -> None:
        """A unit begins an entry, with the numbers in front of it."""
        self.entry = Entry(line, {"unit": piece, "above": self.city})
        if self.district and not self.places.read(piece).division:
            self.entry.cells["district"] = self.district
        for number in numbers:
            self.entry.add("phone", number)
            self.entry.doubts.append(f"{number} 写在单位前面，请核对是不是它的")
        self.contents.entries.append(self.entry)
        self.last = "unit"

    def number(self, row: int, number: str, field: str, before: str) -> None:
        """A number belongs to the unit in front of it, unless it is said to be another's."""
        if self.entry is None:
            self.contents.strays.append(Stray(row, f"{before} {number}".strip(), "前面没有单位"))
        elif field in ("", "unread", "label") and OTHER_NUMBER.search(before):
            self.contents.strays.append(Stray(row, f"{self.entry.cells['unit']} {before} {number}", "不是采血电话"))
        else:
            self.entry.add("phone", number)
            self.last = "phone"

    def piece(self, field: str, piece: str) -> None:
        """A piece that is neither a number nor a unit belongs to the cell that its label, or else its writing, says."""
        city = heading_city(piece, self.places) if field in ("", "city") else ""
        if city:
            self.city, self.district = city.replace("省直", ""), ""
            self.entry = self.entry if self.last else None
        elif field == "district" or (
            not field and self.last in ("", "place") and simplified(piece) in self.places.counties
        ):
            self.district, self.entry, self.last = piece, None, "place"
        elif self.entry is not None and (field or not re.fullmatch(r"\d{1,6}", piece)):
            field = field or self.written_as(piece)
            if field in FIELD_NAMES:
                self.entry.add(field, piece, "、" if field == "contact" else "")
                self.last = field

    def written_as(self, piece: str) -> str:
        """The cell that a piece without a label belongs to, by how it is written and what is in front; "" for none."""
        assert self.entry is not None
        filled = self.entry.cells
        if SMALL_TALK.fullmatch(piece):
            return ""
        if self.last == "unit" and looks_like_unit(piece):
            return "unit"
        if self.last == "address" and not is_person(piece):
            return "address"
        if looks_like_address(piece) or looks_like_unit(piece) or self.places.address(piece).division:
            return "" if filled.get("address") else "address"
        if is_person(piece):
            return "contact" if self.last in ("contact", "phone") or not filled.get("contact") else ""
        return "address" if not filled.get("address") and not filled.get("phone") and len(piece) > 3 else ""


def contents_of(parts: list[Part], places: Places) -> Contents:
    """The units of a file: of every table that is a list, of every stretch of text that names any with a cell more.

    A table without headings goes on from the last one when it is as wide: the next page of a PDF.
    """
    contents = Contents()
    fields: list[str] = []
    headings: list[str] = []
    for part in parts if STRAY_SHEET not in [part.name for part in parts] else parts[:1]:
        seen = len(contents.entries)
        start, own_fields, own_headings = headed_columns(part.lines) if part.table else (0, [], [])
        if part.table and not {"unit", "district"} & set(own_fields):
            width = max((len(line.cells) for line in part.lines), default=0)
            start = 0
            if not fields or width != len(fields):
                own_fields = content_columns(part.lines, places)
                own_headings = [""] * width
            else:
                own_fields, own_headings = fields, headings
        if part.table and {"unit", "district"} & set(own_fields):
            fields, headings = own_fields, own_headings
            table_contents(contents, part.lines[start:], fields, headings, places)
        else:
            reading = Reading(contents, places)
            for line in part.lines:
                reading.line(line._replace(cells=["  ".join(filter(None, line.cells)).replace("\n", "  ")]))
            told = [entry for entry in contents.entries[seen:] if set(entry.cells) - {"unit", "above", "district"}]
            contents.entries[seen:] = told
        first = contents.entries[seen].number if len(contents.entries) > seen else MAX_ROWS
        contents.titles += [cell for line in part.lines[:15] if line.number < first for cell in line.cells]
        if part.table and part.name and len(contents.entries) == seen:
            contents.skipped.append(part.name)
    return contents


# --- checked: each entry placed, its numbers read, all that is doubtful written down --------------

NOTHING = re.compile(r"[-/—–－无暂没有未公布空、\s]*")


def date_of(text: str) -> str:
    """A day not in the future as YYYY-MM-DD, "" for anything else: 2022-07-05, 2022-7-5, 2022/07/05, 2022年7月5日."""
    import datetime

    found = re.fullmatch(
        r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?: 00:00:00)?", text.strip(), re.ASCII
    )
    try:
        day = datetime.date(*map(int, found.groups())) if found else datetime.date.max
    except ValueError:
        return ""
    return day.isoformat() if day <= datetime.date.today() else ""


def title_date(titles: list[str]) -> str:
    """The first date that the titles of a file print, "" for none: （2022年7月5日）, 二〇二二年七月五日."""
    digits = str.maketrans("〇○零一二三四五六七八九", "000123456789")
    for title in titles:
        for text in (title, title.translate(digits)):
            found = re.search(r"20\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?", text)
            if found and date_of(found[0]):
                return date_of(found[0])
    return ""


def repaired_unit(entry: Entry, unit: Placed, city: str, beside: Division | None, places: Places) -> Division | None:
    """The county that a misread name in a unit can only mean (會都区公安分局 -> 曾都区); the repair is written down.

    It must be of the city that the row or the unit names, and the county in the address, if one is there; without
    either, the wrong character must look or sound like the right one.
    """
    home = unit.city or city
    names = [name for name, division in places.counties.items() if home in ("", places.city_of(division))]
    name = misread_name(unit.unknown, [beside[1]] if beside else names, alike=not home and not beside)
    text = simplified(entry.read["unit"])
    if not name or unit.unknown not in text:
        return None
    at = text.index(unit.unknown)
    right = entry.read["unit"][:at] + name + entry.read["unit"][at + len(name) :]
    entry.repairs.append(f"{entry.read['unit']} → {right}")
    entry.read["unit"] = right
    return places.counties[name]


def repair_address(entry: Entry, division: Division, places: Places) -> None:
    """The city's and the county's names at the front of an address, where one character was misread or lost."""
    address = entry.read["address"]
    at = len(HOME_PROVINCE) if address.startswith(HOME_PROVINCE) else 0
    for name in dict.fromkeys((places.city_of(division), division[1])):
        same, shorter = address[at : at + len(name)], address[at : at + len(name) - 1]
        lost = {name[:gap] + name[gap + 1 :] for gap in range(len(name) - 1)}
        written = same if same[-1:] == name[-1] and misread_name(simplified(same), [name], False) else ""
        if shorter in lost and len(shorter) > 1 and not is_elsewhere(shorter):
            written = written or shorter
        if written and written not in places.counties and written not in places.cities:
            entry.repairs.append(f"地址 {written} → {name}")
            address = address[:at] + name + address[at + len(written) :]
        at += len(name) if address.startswith(name, at) else 0
    entry.read["address"] = address


def stated_city(entry: Entry, places: Places) -> str:
    """The city that a row states, "" for none and for a county in its place; a misread one is repaired."""
    written = simplified(clean(entry.cells.get("city", "")))
    if not written or places.named(written) or re.match("省直|直管|湖北|省$|林区", written):
        return places.cities.get(written, "")
    name = places.cities.get(written) or misread_name(written, places.catalog.cities, alike=False)
    if not name:
        entry.problems.append(f"市州「{entry.cells['city']}」认不出来")
    elif written not in places.cities:
        entry.repairs.append(f"{written} → {name}")
    return name


def place_entry(entry: Entry, places: Places) -> None:
    """Find an entry's division from its unit, its county and its address; what contradicts itself is held back."""
    unit, address = places.read(entry.read["unit"]), places.address(entry.read["address"])
    elsewhere = unit.elsewhere or address.elsewhere or places.elsewhere(entry.cells.get("province", "") + "　　")
    if elsewhere:
        entry.problems.append(f"在{elsewhere}，这份名单只收湖北的")
        return
    city = stated_city(entry, places)
    county = places.named(entry.read["district"]) or places.read(entry.read["district"]).division
    county = county or (None if city else places.named(entry.cells.get("city", "")))
    hint = city or ("" if county else places.cities.get(simplified(clean(entry.cells.get("above", ""))), ""))
    division = unit.division or (None if unit.unknown else county or address.division)
    if re.search(WIDE_POLICE, unit.unknown) and (hint or address.city):
        division = places.city_division(hint or address.city)
    elif division is None and unit.unknown:
        division = repaired_unit(entry, unit, hint, address.division or county, places)
    entry.division = division
    if division is None:
        named = f"单位「{entry.read['unit']}」里的地名认不出来" if unit.unknown else "看不出是哪个区县"
        entry.problems += [] if entry.problems else [named]
    elif division != PROVINCE_DIVISION:
        contradictions(entry, division, city, county, address, places)


def contradictions(
    entry: Entry, division: Division, city: str, county: Division | None, address: Placed, places: Places
) -> None:
    """Write down where a row's city, county or address is not its unit's; else repair its address."""
    home = places.city_of(division)
    wide = division[0].endswith("00")  # a city's own, or a zone: it may sit in any of the city's counties
    if city not in ("", home):
        entry.problems.append(f"{division[1]}不属于{city}")
    if county not in (None, division) and not (wide and county and places.city_of(county) == home):
        entry.problems.append(f"单位在{division[1]}，区县却写{entry.read['district'] or entry.cells.get('city')}")
    if address.city not in ("", home) or (not wide and address.division not in (None, division)):
        there = address.division[1] if address.division else address.city
        entry.doubts.append(f"单位在{division[1]}，地址却在{there}")
    elif not entry.problems:
        repair_address(entry, division, places)


def check_entry(entry: Entry, places: Places) -> None:
    """Place an entry, read its numbers, and write down all that is wrong or doubtful in it."""
    for field in ("district", "unit", "address", "contact"):
        joined = entry.cells.get(field, "").replace("\n", "、" if field == "contact" else "")
        entry.read[field] = "" if NOTHING.fullmatch(joined) else joined
    place_entry(entry, places)
    cell = "\n".join(filter(None, (entry.cells.get(field, "") for field in (*NUMBER_FIELDS, "mixed"))))
    numbers = numbers_in(cell, places.area_code(entry.division)) if entry.division else Numbers([], [], [], [], [])
    entry.problems += numbers.problems
    entry.repairs += numbers.repairs
    new = [name for name in numbers.names if name not in entry.read["contact"]]
    entry.read["contact"] = "、".join(filter(None, [entry.read["contact"], *new]))
    entry.read["office_phone"] = ";".join(dict.fromkeys(numbers.office))
    entry.read["mobile"] = ";".join(dict.fromkeys(numbers.mobile))
    entry.problems += cell_faults(entry)
    if entry.cells.get("note"):
        entry.doubts.append(f"这一栏有号码，没有收：{entry.cells['note']}；若是采血电话，请填到电话栏")
    if entry.cells.get("doubt"):
        entry.doubts.append(entry.cells["doubt"])


def cell_faults(entry: Entry) -> Iterator[str]:
    """What no row of a list may hold, and what a spreadsheet says instead of a value."""
    for field, cell in entry.cells.items():
        if re.match(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|公式没有值)", cell):
            yield f"{FIELD_NAMES.get(field, field)}是表格的错误值「{cell}」"
    for field in ("unit", "address", "contact"):
        problem = cell_problem(entry.read[field])
        if problem:
            yield f"{FIELD_NAMES[field]}{problem[0]}"
        if has_number(entry.read[field]) or (field == "contact" and re.search(r"\d", entry.read[field])):
            yield f"{FIELD_NAMES[field]}「{entry.read[field]}」里有号码"
    if entry.cells.get("status", "listed") not in ("listed", "bureau"):
        yield f"status「{entry.cells['status']}」不认识"
    if entry.cells.get("as_of") and not date_of(entry.cells["as_of"]):
        yield f"as_of「{entry.cells['as_of']}」不是过去的日期"


Unit = tuple[Division, str]


def unit_key(division: Division, unit: str) -> Unit:
    """What tells a unit from others: its division, and its name without the province and city in front."""
    name = simplified(clean(unit)).removeprefix(HOME_PROVINCE).removeprefix("湖北")
    front = re.match(f".{{2,10}}?[市州](?=.*{division[1]})", name)
    return division, name[front.end() :] if front else name


def join_repeated(entries: list[Entry]) -> list[Entry]:
    """The entries with those of one unit made one: a second officer may have a row of his own.

    The same unit at two addresses is two places: the later is held back, to be named apart. A number that units of
    two counties have is a doubt.
    """
    first: dict[Unit, Entry] = {}
    owner: dict[str, Entry] = {}
    kept = []
    for entry in entries:
        if entry.division is None or entry.problems:
            kept.append(entry)
            continue
        for number in filter(None, f"{entry.read['office_phone']};{entry.read['mobile']}".split(";")):
            other = owner.setdefault(number, entry)
            if other.division and other.division != entry.division:
                entry.doubts.append(f"{number} 与第 {other.number} 行{other.division[1]}的相同")
        earlier = first.setdefault(unit_key(entry.division, entry.read["unit"]), entry)
        if earlier is entry:
            kept.append(entry)
        elif entry.read["address"] and earlier.read["address"] not in ("", entry.read["address"]):
            entry.problems.append(f"与第 {earlier.number} 行同名，地址却不同；请在单位名称里写明是哪一处")
            kept.append(entry)
        else:
            join(earlier, entry)
    return kept


def join(entry: Entry, more: Entry) -> None:
    """Put another entry of the same unit into the first."""
    entry.read["address"] = entry.read["address"] or more.read["address"]
    for field, between in (("contact", "、"), ("office_phone", ";"), ("mobile", ";")):
        texts = [*entry.read[field].split(between), *more.read[field].split(between)]
        entry.read[field] = between.join(dict.fromkeys(filter(None, texts)))
    entry.doubts += more.doubts
    entry.repairs += more.repairs
    for field, cell in more.cells.items():
        if cell and cell not in entry.cells.get(field, "").split("\n"):
            entry.add(field, cell)


def entry_row(entry: Entry, places: Places, source: str, as_of: str) -> Row:
    """An entry as a row of the list; without a division as far as it goes. What xunqin printed keeps its source."""
    row = {name: entry.read.get(name, "") for name in COLUMNS}
    if entry.division:
        row["code"], row["district"] = entry.division
        row["province"], row["city"] = HOME_PROVINCE, places.city_of(entry.division)
        row["hotline"] = f"{places.area_code(entry.division)}-110"
        if not row["unit"] and entry.division in places.catalog.row_numbers:
            row["unit"] = places.catalog.rows_of(entry.division)[0]["unit"]
    row["status"] = entry.cells.get("status") or "listed"
    row["source"] = entry.cells.get("source") or source
    row["as_of"] = date_of(entry.cells.get("as_of", "")) or as_of
    return row


class Batch(NamedTuple):
    """A file as it was understood, before anything is written."""

    path: str
    entries: list[Entry]
    strays: list[Stray]
    skipped: list[str]
    date: str  # printed in the file, "" for none
    pictured: bool  # read from pictures: a draft is written, nothing is taken over

    def held(self) -> list[Entry]:
        """The entries that are not taken over."""
        return [entry for entry in self.entries if entry.held()]

    def rows(self, places: Places, source: str, as_of: str) -> list[Row]:
        """The rows of the entries that are taken over."""
        return [entry_row(entry, places, source, as_of) for entry in self.entries if not entry.held()]


def understood(path: str, places: Places) -> Batch:
    """Read a file in any form and check every unit in it. Raises ListError when it names none."""
    form, parts = read_parts(path)
    contents = contents_of(parts, places)
    for entry in contents.entries:
        check_entry(entry, places)
    pictured = form is PICTURE or any(line.strip for part in parts for line in part.lines)
    if not contents.entries:
        wrong = (
            ("图里没认出名单", "请换一张清楚、端正的图")
            if pictured
            else ("没有读到一个单位", "请确认名单里有单位和电话")
        )
        raise ListError(path, wrong[0], f"{wrong[1]}；表头可写：单位名称,地址,负责人,办公电话,手机")
    date = title_date(contents.titles)
    return Batch(path, join_repeated(contents.entries), contents.strays, contents.skipped, date, pictured)


# --- drafts and rejected rows: workbooks to be corrected ------------------------------------------

COLUMN_WIDTHS = {"单位名称": 34, "地址": 40, "存疑": 44, "问题": 44, "内容": 60, "为什么没有收": 30}


def workbook(sheets: dict[str, list[Row]], strips: list[bytes]) -> bytes:
    """An XLSX file to be corrected in a spreadsheet; in front of the first sheet's rows the strips they were read from.

    All cells are text, so that no zero is lost and nothing is run; rows with 存疑 or 问题 are coloured.
    """
    try:
        import openpyxl
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
        from openpyxl.drawing.image import Image
        from openpyxl.styles import Alignment, Font, PatternFill
    except ImportError:
        raise extra_missing("待核对的行", "import") from None
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for at, row in enumerate([{name: name for name in rows[0]}, *rows], 1):
            doubtful = at > 1 and (row.get("存疑") or row.get("问题"))
            for column, (name, text) in enumerate(row.items(), 1):
                cell = sheet.cell(at, column, ILLEGAL_CHARACTERS_RE.sub("\ufffd", text) or None)
                cell.data_type, cell.number_format = "s", "@"
                cell.alignment = Alignment(vertical="center", wrap_text=True)
                cell.font = Font(bold=at == 1)
                if doubtful and text:
                    cell.fill = PatternFill("solid", fgColor="FFF2CC")
                sheet.column_dimensions[cell.column_letter].width = COLUMN_WIDTHS.get(name, 16)
    sheet = book.worksheets[0]
    for at, strip in enumerate(strips, 2):
        if strip:
            image = Image(io.BytesIO(strip))
            scale = min(1.0, 900 / image.width, 540 / image.height)
            image.width, image.height = int(image.width * scale), int(image.height * scale)
            sheet.add_image(image, f"A{at}")
            sheet.row_dimensions[at].height = max(image.height * 0.75 + 3, 18)  # points, for pixels
            sheet.column_dimensions["A"].width = max(sheet.column_dimensions["A"].width, image.width / 7 + 1)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def draft_row(entry: Entry, places: Places, source: str, as_of: str) -> Row:
    """A row of a picture's draft. Numbers that are wrong stand as they were read, to be compared with the picture."""
    row = entry_row(entry, places, source, as_of)
    as_read = "\n".join(filter(None, (entry.cells.get(field, "") for field in (*NUMBER_FIELDS, "mixed"))))
    office, mobile = (as_read, "") if entry.problems else (row["office_phone"], row["mobile"])
    changed = [f"已改 {repair}" for repair in entry.repairs if "补区号" not in repair]
    return {
        "图": "", "市州": row["city"] or entry.cells.get("city", ""), "区县": row["district"] or entry.read["district"],
        "单位名称": row["unit"], "地址": row["address"], "负责人": row["contact"], "办公电话": office, "手机": mobile,
        "存疑": "；".join(dict.fromkeys([*entry.problems, *entry.doubts, *changed])), "核对": "",
        "出处": row["source"], "日期": row["as_of"],
    }  # fmt: skip


def draft_rows(batch: Batch, places: Places, source: str, as_of: str) -> list[Row]:
    """The rows of a picture's draft; a number that belongs to none has a row of its own."""
    rows = [draft_row(entry, places, source, as_of) for entry in batch.entries]
    empty = dict.fromkeys(rows[0], "")
    return rows + [{**empty, "存疑": f"「{stray.text}」没归到哪一行"} for stray in batch.strays]


def rejected_row(entry: Entry, source: str, as_of: str) -> Row:
    """A row that is not taken over, its cells as they came."""
    cells = {heading: entry.cells.get(field, "") for field, heading in FIELD_NAMES.items()}
    cells["联系电话"] = "\n".join(filter(None, [cells["联系电话"], entry.cells.get("mixed", "")]))
    what = {"其他": entry.cells.get("note", ""), "问题": "；".join(entry.held()), "核对": ""}
    origin = {"出处": entry.cells.get("source") or source, "日期": entry.cells.get("as_of") or as_of}
    return {"行": str(entry.number), **cells, **what, **origin}


def write_rejected(batch: Batch, source: str, as_of: str) -> str:
    """Write the rows that are not taken over, and the numbers of no unit, beside the file; the path."""
    rows = [rejected_row(entry, source, as_of) for entry in batch.held()]
    used = [name for name in rows[0] if name in ("单位名称", "核对") or any(row[name] for row in rows)] if rows else []
    strays = [{"行": str(stray.number), "内容": stray.text, "为什么没有收": stray.why} for stray in batch.strays]
    sheets = {"名单": [{name: row[name] for name in used} for row in rows], STRAY_SHEET: strays}
    stem = STDIN_NAME if batch.path == "-" else batch.path
    return write_new(f"{stem}.待核对", ".xlsx", workbook({title: rows for title, rows in sheets.items() if rows}, []))


# --- the user's own list --------------------------------------------------------------------------

LOCK_PATIENCE = 60  # seconds


def write_new(stem: str, suffix: str, data: bytes) -> str:
    """Write a new file, whole or not at all: its path. One that is there stays, the new one is 名单.2.xlsx."""
    for number in itertools.count(1):
        path = f"{stem}{suffix if number == 1 else f'.{number}{suffix}'}"
        with contextlib.suppress(FileExistsError), open(path, "xb") as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                os.unlink(path)
                raise OSError(error.errno, error.strerror, path) from None
            break
    return path


def replace_file(path: str, data: bytes, check: Callable[[str], object]) -> None:
    """Write a file so that it is there whole or not at all, after `check` took what was written.

    A link stays a link; mode and owner stay as they were.
    """
    path = os.path.realpath(path)
    temporary = write_new(path, ".tmp", data)
    try:
        check(temporary)
        with contextlib.suppress(FileNotFoundError, PermissionError):
            old = os.stat(path)
            os.chmod(temporary, old.st_mode & 0o7777)
            if sys.platform != "win32":
                os.chown(temporary, old.st_uid, old.st_gid)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """One import at a time; the lock goes with the process, however it ends. Says that it waits, and not for ever."""
    import time

    with open(path + ".lock", "a") as lock:
        for tenths in range(LOCK_PATIENCE * 10):
            try:
                if sys.platform == "win32":
                    import msvcrt

                    msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    import fcntl

                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                    raise OSError(error.errno, error.strerror, path + ".lock") from None
            if tenths == 3:
                tell("另一个 xunqin 正在导入，等它完成……")
            time.sleep(0.1)
        else:
            raise ListError(path, "另一个 xunqin 一直占着", "请先结束它，再导入一次")
        yield


def own_rows() -> Sequence[Row]:
    """The rows of the user's own list, also as a spreadsheet saves it, in GB 18030; none before the first import."""
    import stat
    import tempfile

    path = own_list_path()
    remedy = "这是您导入的名单；请运行 xunqin import --undo 退回上一份"
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ListError(path, "不是普通文件", remedy)
        return load_list(path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ListError(path, f"打不开（{reason(error)}）", "这是您导入的名单，请检查权限") from None
    except ListError as error:
        with contextlib.suppress(ListError, OSError), open(path, "rb") as file, tempfile.TemporaryDirectory() as folder:
            utf8 = write_new(os.path.join(folder, "points"), ".csv", decoded(path, file.read()).encode())
            return list(load_list(utf8))
        raise ListError(str(error), remedy, "") from None


def merged(bundled: Sequence[Row], own: Sequence[Row]) -> Sequence[Row]:
    """The user's own rows, then the bundled ones of other counties, and of the same those that a source names."""
    divisions = {(row["code"], row["district"]) for row in own}
    units = {unit_key((row["code"], row["district"]), row["unit"]) for row in own}
    kept = []
    for row in bundled if own else ():
        division = (row["code"], row["district"])
        if division not in divisions or (row["status"] == "listed" and unit_key(division, row["unit"]) not in units):
            kept.append(row)
    return [*own, *kept] if own else bundled


class Merged(NamedTuple):
    """An own list with the rows of an import in it, and what became of each of them."""

    rows: list[Row]
    outcomes: list[str]  # 新增, 更新, 未变 or 旧于现有, for each imported row
    gone: list[Row]  # rows that --replace leaves out
    changed: bool


def merge(old: Sequence[Row], new: list[Row], whole: bool, held: Collection[Division | None]) -> Merged:
    """Put imported rows into a list, unit by unit. An empty cell erases no filled one, an older list no newer row.

    With `whole` the import is the whole list: what is not in it goes, but for the counties with a row held back.
    """
    rows = {unit_key((row["code"], row["district"]), row["unit"]): row for row in old}
    outcomes = []
    seen = set()
    for row in new:
        key = unit_key((row["code"], row["district"]), row["unit"])
        seen.add(key)
        before = rows.get(key)
        if before and (date_of(before["as_of"]) or before["as_of"]) > row["as_of"]:
            outcomes.append("旧于现有")
            continue
        update = {**row, **{name: row[name] or before[name] for name in CONTACT_COLUMNS}} if before else row
        same = before and all(update[name] == before[name] for name in CONTACT_COLUMNS)
        outcomes.append("未变" if same else "更新" if before else "新增")
        rows[key] = before if before and same and before["as_of"] == row["as_of"] else update
    stays = not whole or None in held
    gone = [row for key, row in rows.items() if not (stays or key in seen or key[0] in held)]
    after = [row for row in rows.values() if row not in gone]
    return Merged(after, outcomes, gone, after != list(old))


def kept_states(path: str) -> list[str]:
    """The states of the own list before each import that was not undone, oldest first."""
    folder = f"{path}.history"
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if re.fullmatch(r"\d{6}\.csv", name)]


def take_over(new: list[Row], path: str, whole: bool, held: Collection[Division | None]) -> Merged:
    """Merge rows into the own list. It is kept as it was first; the new one is loaded before it takes its place."""
    os.makedirs(f"{path}.history", exist_ok=True)
    with locked(path):
        result = merge(own_rows(), new, whole, held)
        if result.changed:
            before = b""  # there was none
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
                before = file.read()
            states = kept_states(path)
            number = int(os.path.basename(states[-1])[:6]) + 1 if states else 1
            write_new(os.path.join(f"{path}.history", f"{number:06}"), ".csv", before)
            replace_file(path, csv_text(result.rows, COLUMNS).encode(), load_list)
    return result


def undo(path: str) -> str:
    """Bring the own list back as it was before the last import, and say so; what was undone is kept too."""
    if not kept_states(path):
        raise ListError(path, "没有可以撤销的导入", "还没有导入过，或已经全部撤销")
    with locked(path):
        state = kept_states(path)[-1]
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            write_new(state.removesuffix(".csv"), ".undone.csv", file.read())
        with open(state, "rb") as file:
            before = file.read()
        if before:
            replace_file(path, before, str)
        else:
            os.unlink(path)
        os.unlink(state)
    return "已退回到上一次导入之前的名单。" if before else "已撤销第一次导入，现在没有自己的名单。"


# --- pictures ---------------------------------------------------------------------------------
# which side is up, how bent, how large -> made straight -> read in strips -> walls and gaps -> rows of cells

MAX_PIXELS, MAX_SIDE = 80_000_000, 40_000  # of a picture as it comes
STRIP_WIDTH = 1_000  # pixels, of the strip beside a row of the draft
MAX_WIDTH = 5_000  # pixels, of a picture that is read
STRIP_PIXELS = 2_000_000  # of one strip handed to the engine: its need of memory goes by it
OVERLAP = 200  # pixels that neighbouring strips share: more than a line of text is high
TEXT_HEIGHT = 32  # pixels; text far smaller or larger is brought to it
SURE_CHARACTER, SURE_DIGIT = 0.8, 0.95  # below these a character is doubtful
HARDLY_SURE = 0.7  # and below this it is, though a second reading says the same
OPEN = float("inf")  # where there is no wall


class Later:
    """A module that is imported when it is first used: nothing but a picture needs it, and it takes its time."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(__import__(self._name), attribute)


cv2, numpy = Later("cv2"), Later("numpy")


class Text(NamedTuple):
    """A line of text on a picture: its edges in pixels, its characters, the middle of each and how sure it is."""

    left: float
    top: float
    right: float
    bottom: float
    text: str
    middles: tuple[float, ...]
    sure: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The height at which it stands."""
        return (self.top + self.bottom) / 2

    def gaps(self, letter: float) -> list[tuple[float, float]]:
        """The middles of neighbours that stand further apart than the letters of a word."""
        found = []
        steps = numpy.diff(self.middles)
        usual = 1.25 * float(numpy.median(steps)) if len(steps) else 0.0
        for at, (left, right) in enumerate(itertools.pairwise(self.middles)):
            wide = sum(character > "\u2000" for character in self.text[at : at + 2])
            if right - left > max(usual, (0.85 + 0.2 * wide) * letter):
                found.append((left, right))
        return found

    def cut(self, places: list[float]) -> list[Text]:
        """The pieces into which upright lines at some places cut it, each with its own characters."""
        ends = [0, *(sum(middle < place for middle in self.middles) for place in places), len(self.text)]
        edges = [self.left, *places, self.right]
        return [
            self._replace(
                left=max(self.left, left), right=min(self.right, right),
                text=self.text[start:end], middles=self.middles[start:end], sure=self.sure[start:end],
            )
            for (start, end), (left, right) in zip(itertools.pairwise(ends), itertools.pairwise(edges))
            if start < end
        ]  # fmt: skip


def open_picture(path: str) -> Any:
    """A picture file as a PIL image, upright by its own mark, on white paper. Raises ListError when it is none."""
    try:
        import struct
        import warnings

        from PIL import Image, ImageOps
    except ImportError:
        raise extra_missing(path, "ocr") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about broken marks and about size, which is judged here
            with Image.open(path) as file:
                width, height = file.size
                if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                    raise ListError(path, f"图片太大：{width}×{height}", "请裁成几张再试")
                photo = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        raise ListError(path, "图片打不开或不完整", "请另存为 PNG 或 JPEG 再试") from None
    return Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")


def load_engine() -> Any:
    """The engine that reads text; its models are in its package. Raises ListError when it is not installed."""
    try:
        import onnxruntime  # noqa: F401  rapidocr does not ask for it itself
        from rapidocr import RapidOCR
    except ImportError:
        raise extra_missing("图片", "ocr") from None
    settings = {
        "Global.log_level": "critical",
        "Global.use_cls": False,  # it would turn 6996 round; which side is up is seen from all texts together
        "Global.text_score": 0.0,  # what is hardly legible is doubted, not dropped
        "Global.max_side_len": MAX_SIDE,
        "Global.return_word_box": True,
        "Global.return_single_char_box": True,
    }
    return RapidOCR(params=settings)


def strips(height: int, width: int) -> list[tuple[int, int]]:
    """The (top, bottom) of the strips in which a picture is read; neighbours share OVERLAP pixels."""
    tall = max(STRIP_PIXELS // width, 3 * OVERLAP)
    return [(top, min(top + tall, height)) for top in range(0, max(height - OVERLAP, 1), tall - OVERLAP)]


# --- pictures: made straight ------------------------------------------------------------------


def find_texts(engine: Any, image: Any) -> tuple[Any, Any, Any]:
    """Texts found, not read: (the corners of each as an array (n, 4, 2), their widths, their heights)."""
    found = [numpy.zeros((0, 4, 2))]
    for top, bottom in strips(*image.shape[:2]):
        boxes = engine(image[top:bottom], use_det=True, use_rec=False).boxes
        if boxes is not None:
            found.append(numpy.add(boxes, (0, top)))
    corners = numpy.concatenate(found)
    wide, high = (numpy.linalg.norm(corners[:, at] - corners[:, 0], axis=1) for at in (1, 3))
    return corners, wide, high


def upright(engine: Any, image: Any) -> Any:
    """A picture turned by quarters so that its texts stand upright."""
    corners, wide, high = find_texts(engine, image)
    if (high > 1.5 * wide).sum() > (wide > 1.5 * high).sum():  # a single letter says nothing
        image = numpy.ascontiguousarray(numpy.rot90(image))
        corners, wide, high = find_texts(engine, image)
    sure = [0.0, 0.0]  # as it stands, and upside down
    for box in corners[numpy.argsort(-wide)[:9]]:
        (left, top), (right, bottom) = numpy.maximum(box.min(axis=0), 0).astype(int), box.max(axis=0).astype(int)
        line = image[top:bottom, left:right]
        for at, view in enumerate((line, numpy.ascontiguousarray(line[::-1, ::-1]))):
            sure[at] += sum(engine(view, use_det=False, use_rec=True).scores)
    return numpy.ascontiguousarray(image[::-1, ::-1]) if sure[1] > sure[0] else image


def straight_lines(gray: Any, shortest: float) -> tuple[Any, Any]:
    """(level, upright) straight edges longer than a letter: arrays of x0, y0, x1, y1; rightwards and downwards.

    Painted rules, the edges of coloured rows, a table's frame. An upright one is given as y0, x0, y1, x1.
    """
    found = cv2.createLineSegmentDetector().detect(gray)[0]
    lines = numpy.zeros((0, 4)) if found is None else found.reshape(-1, 4).astype(float)
    kinds = []
    for along in (lines, lines[:, [1, 0, 3, 2]]):
        run = along[:, 2] - along[:, 0]
        along = along[numpy.abs(run) > numpy.maximum(shortest, 2 * numpy.abs(along[:, 3] - along[:, 1]))]
        kinds.append(numpy.where(along[:, [0]] < along[:, [2]], along, along[:, [2, 3, 0, 1]]))
    return kinds[0], kinds[1]


def slope_over_page(lines: Any, size: tuple[int, int], x: Any, y: Any) -> Any:
    """The slope, at some places, of a smooth surface through the slopes of lines (x0, y0, x1, y1) that run along x.

    `size` is the page's (width, height). What is far off the others does not count, few lines bend nothing.
    """

    def terms(x: Any, y: Any) -> Any:  # tilt, perspective, and a curl along the line
        along, across = 2 * x / size[0] - 1, 2 * y / size[1] - 1
        return numpy.stack([along**0, along, across, along * across, along**2, along**3], axis=-1)

    length = lines[:, 2] - lines[:, 0]
    slope = (lines[:, 3] - lines[:, 1]) / length
    measured = terms((lines[:, 0] + lines[:, 2]) / 2, (lines[:, 1] + lines[:, 3]) / 2)
    factors = numpy.zeros(6)
    keep = numpy.abs(slope - numpy.median(slope)) < 0.12
    for _ in range(4):
        if keep.sum() < 12:
            break
        load = numpy.sqrt(length[keep])
        held = numpy.diag([0.0, 1, 1, 1, 1, 1]) * load.sum() * 1e-3
        known = numpy.append(slope[keep] * load, numpy.zeros(6))
        factors = numpy.linalg.lstsq(numpy.concatenate([measured[keep] * load[:, None], held]), known, rcond=None)[0]
        off = numpy.abs(slope - measured @ factors)
        keep = off < max(2.5 * numpy.median(off[keep]), 0.002)
    return terms(x, y) @ factors


def flattened(image: Any, corners: Any, letter: float) -> Any:
    """A picture with its lines of text level and its columns upright.

    The slopes of texts and of straight edges are measured all over the page, a smooth surface is put through them
    (tilt, perspective, a curl) and the picture drawn anew along it; twice, as the first time is a rough one.
    """
    texts = (corners[:, [0, 1]] + corners[:, [3, 2]]).reshape(-1, 4) / 2
    for _ in range(2):
        level, down = straight_lines(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 2 * letter)
        level, texts = numpy.concatenate([level, texts]), texts[:0]  # texts stand elsewhere on the second drawing
        height, width = image.shape[:2]
        if len(level) < 12:
            break
        step = 16
        y, x = numpy.mgrid[step / 2 - 0.5 : height : step, step / 2 - 0.5 : width : step]
        fall = slope_over_page(level, (width, height), x, y)
        # With nothing upright to go by, the page was turned as a whole.
        lean = slope_over_page(down, (height, width), y, x) if len(down) >= 12 else numpy.full_like(x, -fall.mean())
        fall, lean = numpy.cumsum(fall * step, axis=1), numpy.cumsum(lean * step, axis=0)
        fall, lean = fall - fall[:, [fall.shape[1] // 2]], lean - lean[[lean.shape[0] // 2]]
        if max(numpy.abs(fall).max(), numpy.abs(lean).max()) < 1.5:
            break
        size = (x.shape[1] * step, x.shape[0] * step)
        places = [cv2.resize(place.astype(numpy.float32), size) for place in (x + lean, y + fall)]
        image = cv2.remap(image, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return image


def without_watermark(image: Any) -> Any:
    """A picture, dark on light, without what is less than half as dark as the darkest around it."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(numpy.float32)
    paper = cv2.blur(cv2.dilate(gray, numpy.ones((25, 25))), (25, 25))
    dark = paper - gray
    text = numpy.percentile(dark[dark > dark.max() / 2], 50)
    clear = paper - numpy.clip(2 * dark - text, 0, None)
    return cv2.cvtColor(numpy.clip(clear, 0, 255).astype(numpy.uint8), cv2.COLOR_GRAY2BGR)


def made_straight(engine: Any, image: Any) -> tuple[Any, bool]:
    """(a picture as the engine reads it best, whether a watermark lies over it).

    Upright, level, dark on light, its text neither tiny nor huge.
    """
    if numpy.median(image) < 110:
        image = 255 - image
    image = upright(engine, image)
    corners, wide, high = find_texts(engine, image)
    if not len(corners):
        return image, False
    height = float(numpy.median(high))
    rise, run = numpy.abs(corners[:, 1] - corners[:, 0]).T[::-1]
    level = rise < 0.15 * run
    image = flattened(image, corners[(wide > 4 * high) & level], height)
    scale = 1.0 if 0.8 * TEXT_HEIGHT < height < 2 * TEXT_HEIGHT else min(TEXT_HEIGHT / height, 3.0)
    scale = min(scale, MAX_WIDTH / image.shape[1])
    if scale != 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return image, int((~level & (wide > 2 * high)).sum()) > 1


# --- pictures: read ---------------------------------------------------------------------------


def read_strip(engine: Any, image: Any) -> list[Text]:
    """The texts on one strip of a straight picture; those askew or huge are a watermark's, left out unless a number."""
    result = engine(image, use_det=True, use_rec=True)
    if result.boxes is None:
        return []
    texts = []
    usual = numpy.median(result.boxes[:, 3, 1] - result.boxes[:, 0, 1])
    for corners, words in zip(result.boxes, result.word_results):
        read = [(word, (box[0][0] + box[1][0]) / 2, sure) for word, sure, box in words if word.strip()]
        text = "".join(word for word, _, _ in read)
        (x0, y0), (x1, y1) = corners[0], corners[1]
        askew = abs(y1 - y0) > 0.15 * abs(x1 - x0) if len(read) > 2 else corners[3][1] - y0 > 1.9 * usual
        if read and (not askew or re.search(r"\d{7}", text)):
            left, top, right, bottom = map(float, (*corners.min(axis=0), *corners.max(axis=0)))
            middles, sure = [middle for _, middle, _ in read], [sure for *_, sure in read]
            texts.append(Text(left, top, right, bottom, text, tuple(middles), tuple(sure)))
    return texts


def same_place(one: Text, other: Text) -> bool:
    """Whether two texts cover each other by more than half of the smaller."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min((text.right - text.left) * (text.bottom - text.top) for text in (one, other))
    return width > 0 and height > 0 and width * height > smaller / 2


def read_texts(engine: Any, image: Any, tell: Callable[[int], None]) -> list[Text]:
    """The texts on a straight picture, read in strips; what stands in two strips is counted once.

    `tell` is called after each strip with the height down to which the picture is read.
    """
    texts: list[Text] = []
    height = image.shape[0]
    for top, bottom in strips(*image.shape[:2]):
        before = [text for text in texts if text.bottom > top]
        for text in read_strip(engine, image[top:bottom]):
            text = text._replace(top=text.top + top, bottom=text.bottom + top)
            cut = (text.top < top + 4 and top > 0) or (text.bottom > bottom - 4 and bottom < height)
            if not cut and not any(same_place(text, other) for other in before):
                texts.append(text)
        tell(bottom)
    return texts


def letter_width(texts: list[Text]) -> float:
    """The usual width of a Chinese character, by the steps between two of them; by the height of texts without."""
    steps = []
    for text in texts:
        for at in range(1, len(text.text)):
            if min(text.text[at - 1 : at + 1]) > "\u3000" and text.middles[at] > text.middles[at - 1]:
                steps.append(text.middles[at] - text.middles[at - 1])
    return max(float(numpy.median(steps or [0.7 * (text.bottom - text.top) for text in texts])), 4.0)


# --- pictures: walls --------------------------------------------------------------------------


class Walls:
    """The straight edges of one direction: where each stands, from where to where it runs, in pixels."""

    def __init__(self, edges: Any, letter: float) -> None:
        """Joins edges (start, at, end, at) that go on from one another: where others cross it, a wall is parted."""
        self.letter = letter
        lanes: dict[int, list[list[float]]] = {}
        for start, one, end, other in sorted(edges.tolist()):
            at = (one + other) / 2
            lane = int(at // letter)
            beside = [wall for key in (lane - 1, lane, lane + 1) for wall in lanes.get(key, [])]
            before = [wall for wall in beside if abs(wall[0] - at) < letter / 4 and start - wall[2] < letter]
            if before:
                wall = min(before, key=lambda wall: abs(wall[0] - at))
                wall[2] = max(wall[2], end)
            else:
                lanes.setdefault(lane, []).append([at, start, end])
        self._keep([wall for walls in lanes.values() for wall in walls])

    def _keep(self, walls: list[list[float]]) -> None:
        self.at, self.start, self.end = numpy.array(sorted(walls)).reshape(-1, 3).T
        # Walls on one line count together; what is no longer than a word is a stroke of a large letter.
        self.line = numpy.cumsum(numpy.diff(self.at, prepend=self.at[:1]) > self.letter / 4)
        long = numpy.bincount(self.line, self.end - self.start)[self.line] >= 3 * self.letter
        self.at, self.start, self.end, self.line = (one[long] for one in (self.at, self.start, self.end, self.line))

    def bridge(self, dark: Any) -> None:
        """Closes the gaps in which the picture is dark all along: something is written over the wall there.

        `dark` is a picture of what is darker than its surroundings, so laid that the walls run along its rows.
        """
        walls: list[list[float]] = []
        for line, start, at, end in sorted(zip(self.line, self.start, self.at, self.end)):
            last = walls[-1] if walls else [0, 0, 0, -1]
            gap = dark[max(int(at) - 2, 0) : int(at) + 3, int(last[2]) : int(start)]
            if last[3] == line and (not gap.size or gap.mean(axis=1).max() > 0.8):
                last[2] = max(last[2], end)
            else:
                walls.append([at, start, end, line])
        self._keep([wall[:3] for wall in walls])

    def around(self, place: float, low: float, high: float) -> tuple[float, float]:
        """The nearest walls on both sides of a place that run along most of low to high; infinite where none does."""
        along = numpy.clip(numpy.minimum(self.end, high) - numpy.maximum(self.start, low), 0, None)
        near = (along > 0) & (numpy.bincount(self.line, along)[self.line] >= 0.7 * (high - low))
        before, behind = self.at[near & (self.at <= place)], self.at[near & (self.at > place)]
        return before.max(initial=-OPEN), behind.min(initial=OPEN)

    def through(self, text: Text) -> list[float]:
        """Where walls cross a text, from the left."""
        met = (self.at > text.middles[0]) & (self.at < text.middles[-1])
        met &= (self.start < text.middle) & (self.end > text.middle) & (self.end - self.start > 2 * self.letter)
        return sorted(self.at[met].tolist())


def walls_on(image: Any, letter: float) -> tuple[Walls, Walls]:
    """The (level, upright) walls on a straight picture, dark on light."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    dark = cv2.adaptiveThreshold(gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 15, 8)
    found = [Walls(lines, letter) for lines in straight_lines(gray, 1.15 * letter)]
    for walls, view in zip(found, (dark, dark.T)):
        walls.bridge(view)
    return found[0], found[1]


Cell = tuple[float, float, float, float]  # the walls around a text: left, top, right, bottom; infinite where none is


def cell_around(text: Text, level: Walls, down: Walls, size: tuple[int, int]) -> Cell:
    """The nearest walls around a text: those beside its line, those above and below, those beside the whole cell.

    A picture of a size (width, height) that was cropped at the table's edge lacks the walls there.
    """
    low, high = text.middle - 1, text.middle + 1
    for _ in range(2):
        left, right = down.around(text.middles[0], low, high)[0], down.around(text.middles[-1], low, high)[1]
        begin, stop = (text.middles[0] if left == -OPEN else left), (text.middles[-1] if right == OPEN else right)
        top, bottom = level.around(text.middle, begin, max(stop, begin + 1))
        if top == -OPEN or bottom == OPEN:
            break
        low, high = top, bottom
    near = 12 * down.letter, 3 * down.letter
    edges = (
        (text.left, 0.0, near[0]),
        (text.top, 0.0, near[1]),
        (text.right, size[0], near[0]),
        (text.bottom, size[1], near[1]),
    )
    if (left > -OPEN or right < OPEN) and (top > -OPEN or bottom < OPEN):
        sides = zip((left, top, right, bottom), edges)
        left, top, right, bottom = (
            end if abs(wall) == OPEN and abs(at - end) < far else wall for wall, (at, end, far) in sides
        )
    return left, top, right, bottom


# --- pictures: rows and columns ---------------------------------------------------------------


class Table:
    """A table on a picture: the edges of its rows and of its columns, the texts in each cell."""

    def __init__(self, rows: list[float], columns: list[float]) -> None:
        self.rows, self.columns = rows, columns
        self.sides = list(itertools.pairwise(columns))  # from where to where the lines of each column run
        self.texts: dict[tuple[int, int], list[Text]] = {}  # by (row, column)
        self.spanned: set[tuple[int, int]] = set()  # by cells that begin further left

    def holds(self, text: Text) -> bool:
        """Whether a text begins within its edges."""
        across = self.columns[0] < text.middles[0] < self.columns[-1]
        return across and self.rows[0] < text.middle < self.rows[-1]

    def put(self, text: Text, rows: tuple[int, int], columns: tuple[int, int]) -> None:
        """A text into the first column, into each row, from the first to before the last; into one at least."""
        for row in range(rows[0], max(rows[1], rows[0] + 1)):
            self.texts.setdefault((row, columns[0]), []).append(text)
            self.spanned |= {(row, column) for column in range(columns[0] + 1, columns[1])}


def closest(edges: list[float], place: float) -> int:
    """Which of some edges is nearest to a place."""
    return int(numpy.abs(numpy.array(edges) - place).argmin())


def clustered(values: list[float], slack: float) -> list[float]:
    """The middles of groups of values of which neighbours are closer than `slack`, in order."""
    values = sorted(values)
    parts = numpy.split(values, numpy.flatnonzero(numpy.diff(values) >= slack) + 1)
    return [float(part.mean()) for part in parts if len(part)]


def blank_stretches(full: Any) -> tuple[Any, Any]:
    """Where the blank stretches between the first and the last true value of an array (begin, end)."""
    filled = numpy.flatnonzero(full)
    step = numpy.flatnonzero(numpy.diff(filled) > 1)
    return filled[step] + 1, filled[step + 1]


def in_lines(texts: list[Text], letter: float) -> list[list[Text]]:
    """Texts line by line from above, each line from the left."""
    lines: list[list[Text]] = []
    for text in sorted(texts, key=lambda text: text.middle):
        if lines and text.middle - lines[-1][0].middle < 0.7 * letter:
            lines[-1].append(text)
        else:
            lines.append([text])
    return [sorted(line, key=lambda text: text.left) for line in lines]


WHOLE_NUMBER = re.compile(r"(?:1[3-9]\d{9}|0\d{2,3}[-－]?\d{7,8})")


def goes_on(before: str, line: str, needs: float, room: float) -> bool:
    """Whether a line goes on in the next: what of it `needs` to come first had no `room` there; or half a number."""
    if re.match(r"[【（(]?[\d一二三四五六七八九十]{1,3}[】）)、.．]|【", line):
        return False
    if re.fullmatch(r"[\d－-]+", before + line):
        halves = WHOLE_NUMBER.fullmatch(before) is None and WHOLE_NUMBER.fullmatch(line) is None
        return halves or WHOLE_NUMBER.fullmatch(before + line) is not None
    return needs > room


def unwrapped(texts: list[Text], letter: float, left: float, right: float) -> list[list[Text]]:
    """Texts by lines as they were written: one that was broken because it was full is put together again.

    `left` and `right` are the edges of their cell; `left` is infinite where lines begin at the left, as a text does.
    """
    written: list[list[Text]] = []
    for line in in_lines(texts, letter):
        text = "".join(piece.text for piece in line)
        word = re.match(r"[\dA-Za-z－-]+|.", line[0].text)
        needs = line[0].middles[word.end() - 1 if word else 0] - line[0].middles[0] + 0.8 * letter
        last = written[-1] if written else line
        room = right - last[-1].middles[-1] - 0.8 * letter + max(last[0].middles[0] - letter / 2 - left, 0.0)
        apart = line[0].middle - last[-1].middle > 2.5 * letter
        if written and not apart and goes_on("".join(piece.text for piece in last), text, needs, room):
            last += line
        else:
            written.append(line)
    return written


def written(texts: list[Text], letter: float = OPEN) -> str:
    """Texts in a row as one, without a mark that a gap in front was taken for; gaps wider than a letter as blanks."""
    line, place = "", OPEN
    for text in texts:
        own = max(letter, letter_width([text]))
        for character, middle in zip(text.text, text.middles):
            if middle - place > own * (1.22 if min(character, line[-1:]) > "\u2000" else 1.05):
                line += " "
            line, place = line + character, middle
    return line.lstrip("：:，、；")


def repeats(table: Table) -> list[float]:
    """Where a table is two or more beside each other, by headings that come again: the edges between them."""
    count = len(table.columns) - 1
    for row in range(min(3, len(table.rows) - 1)):
        heads = [written(table.texts.get((row, column), [])) for column in range(count)]
        for wide in range(2, count // 2 + 1):
            if count % wide == 0 and all(heads) and heads == heads[:wide] * (count // wide):
                return table.columns[wide:-1:wide]
    return []


def walled_table(placed: list[tuple[Text, Cell]], letter: float) -> list[Table]:
    """The table that closed cells make up; more than one where the same headings come again beside each other."""
    rows = clustered([cell[side] for _, cell in placed for side in (1, 3)], letter / 2)
    table = Table(rows, clustered([cell[side] for _, cell in placed for side in (0, 2)], letter / 2))
    inside: dict[tuple[int, ...], list[Text]] = {}
    for text, cell in placed:
        sides = [closest(edges, place) for edges, place in zip((table.columns, rows) * 2, cell)]
        inside.setdefault(tuple(sides), []).extend(text.cut([sum(gap) / 2 for gap in text.gaps(letter)]))
    for (column, first, end, last), texts in inside.items():
        # A wall that was not seen here is known from other rows, where texts stand beside each other.
        known = column + 1 < end and any(len(line) > 1 for line in in_lines(texts, letter))
        level = [sum(text.middle > edge for edge in rows) - 1 for text in texts]
        amid = all(abs(sum(rows[row : row + 2]) / 2 - text.middle) < letter / 2 for row, text in zip(level, texts))
        # Lines that each stand in the middle of a row are of that row, whether its wall was seen or not.
        several = amid and (len(set(level)) > 1 or any(re.search(r"\d{5}", text.text) for text in texts))
        for row, text in zip(level, texts):
            own = max(sum(text.middles[0] > edge - letter / 2 for edge in table.columns) - 1, column)
            spans = (row, row + 1) if several else (first, last)
            table.put(text, spans, (own, own + 1) if known else (column, end))
    edges: list[float] = [-OPEN, *repeats(table), OPEN]
    if len(edges) == 2:
        return [table] if len(table.rows) > 2 and len(table.columns) > 2 else []
    parts = [[one for one in placed if left < one[0].middles[0] < right] for left, right in itertools.pairwise(edges)]
    return [table for part in parts for table in walled_table(part, letter)]


def walled_tables(placed: list[tuple[Text, Cell]], letter: float) -> list[Table]:
    """The tables that closed cells make up: those that lie wall to wall, together."""
    left, top, right, bottom = numpy.array([cell for _, cell in placed]).T
    beside = (left[:, None] - right < letter / 2) & (left - right[:, None] < letter / 2)
    touching = beside & (top[:, None] - bottom < letter / 2) & (top - bottom[:, None] < letter / 2)
    group, before = numpy.arange(len(placed)), numpy.full(len(placed), -1)
    while (group != before).any():
        before, group = group, numpy.where(touching, group, len(placed)).min(axis=1)
    tables: list[Table] = []
    for one in dict.fromkeys(group.tolist()):
        tables += walled_table([placed[at] for at in numpy.flatnonzero(group == one)], letter)
    return tables


def column_edges(lines: list[list[Text]], letter: float) -> list[float]:
    """The edges of columns: the gaps that lines share, but for one line in twenty."""
    cover = numpy.zeros(int(max(text.right for line in lines for text in line) + 2 * letter), int)
    for text in itertools.chain.from_iterable(lines):
        cover[max(int(text.middles[0] - letter / 3), 0) : int(text.middles[-1] + letter / 3)] += 1
        for left, right in text.gaps(letter):
            cover[int(left + letter / 2) : int(right - letter / 2)] -= 1
    begin, end = blank_stretches(cover > len(lines) * 0.05)
    return [-letter, *((begin + end) / 2).tolist(), len(cover)]


def row_edges(columns: list[list[Text]], letter: float) -> list[float]:
    """The edges of rows: the stretches that are blank in all columns, but for texts that stand for several rows."""
    steps = [float(numpy.median(numpy.diff([text.middle for text in texts]))) for texts in columns if len(texts) > 2]
    pitch = float(numpy.median(steps or [2 * letter]))
    texts = [text for column in columns for text in column]
    top, bottom = min(text.middle for text in texts) - letter, max(text.middle for text in texts) + letter
    cover = numpy.zeros(int(bottom - top) + 1, bool)
    for column in columns:
        for at, text in enumerate(column):
            beside = column[max(at - 1, 0) : at] + column[at + 1 : at + 2]
            if all(abs(text.middle - other.middle) < 1.4 * pitch for other in beside):
                cover[int(text.middle - top - 0.45 * letter) : int(text.middle - top + 0.45 * letter)] = True
    begin, end = blank_stretches(cover)
    usual = float(numpy.percentile([0, *(end - begin)], 75))
    wide = end - begin > min(0.6 * usual, 0.65 * letter)  # others part two lines of one row
    return [top, *(top + (begin + end) / 2)[wide].tolist(), bottom]


def spans(texts: list[Text], rows: list[float], letter: float) -> list[tuple[int, int]]:
    """The rows (first, last + 1) of each text of a column: its own, or those around it where one stands for several."""
    own = [min(max(sum(edge <= text.middle for edge in rows) - 1, 0), len(rows) - 2) for text in texts]
    around, first, off = [], 0, 0.0
    for text in texts:
        last = min(max(closest(rows, 2 * text.middle - rows[first]), first + 1), len(rows) - 1)
        around.append((first, last))
        off = max(off, abs((rows[first] + rows[last]) / 2 - text.middle))
        first = min(last, len(rows) - 2)
    astray = [abs((rows[row] + rows[row + 1]) / 2 - text.middle) > letter / 2 for row, text in zip(own, texts)]
    number = any(re.search(r"\d{5}", text.text) for text in texts)  # of one row only, whatever it looks like
    if any(astray) and not number and off < 0.6 * letter and around[-1][1] == len(rows) - 1:
        return around
    return [(row, row + 1) for row in own]


def in_columns(texts: list[Text], columns: list[float]) -> list[list[Text]]:
    """Texts by columns, from above; one that runs over an edge is cut there."""
    filled: list[list[Text]] = [[] for _ in columns[1:]]
    for text in sorted(texts, key=lambda text: text.middle):
        for part in text.cut(columns[1:-1]):
            filled[sum(part.middles[0] > edge for edge in columns[1:-1])].append(part)
    return filled


def gap_table(placed: list[tuple[Text, Cell]], letter: float) -> Table | None:
    """The table that texts make up which no walls, or walls one way only, keep apart; None where it is running text."""
    pieces = []
    for text, cell in placed:
        gaps = [sum(pair) / 2 for pair in itertools.pairwise(text.middles) if pair[1] - pair[0] > 1.9 * letter]
        pieces += [(piece, cell) for piece in text.cut(gaps)]
    several = [line for line in in_lines([piece for piece, _ in pieces], letter) if len(line) > 1]
    if len(several) < 3 or sum(map(len, several)) < 0.6 * len(pieces):
        return None
    pieces = [(piece, cell) for piece, cell in pieces if piece.bottom > several[0][0].top]  # a title stands above
    beside = [edge for _, cell in pieces for edge in (cell[0], cell[2]) if abs(edge) < OPEN]
    above = [edge for _, cell in pieces for edge in (cell[1], cell[3]) if abs(edge) < OPEN]
    columns, rows = clustered(beside, letter / 2), clustered(above, letter / 2)
    if len(columns) < 4 or len(beside) < 1.6 * len(pieces):  # no walls, or only a frame around all
        columns = column_edges(several, letter)
    if len(columns) < 3:
        return None
    filled = in_columns([piece for piece, _ in pieces], columns)
    gaps = row_edges(filled, letter)
    if len(rows) < 4 or len(above) < 1.6 * len(pieces):
        rows = gaps
    else:  # above the first wall and below the last, and where one was missed
        high = 1.7 * float(numpy.median(numpy.diff(rows)))
        tall = [(start, end) for start, end in itertools.pairwise(rows) if end - start > high]
        tall += [(-OPEN, rows[0]), (rows[-1], OPEN)]
        rows = sorted(rows + [gap for gap in gaps for start, end in tall if start + letter < gap < end - letter])
    table = Table(rows, columns)
    for column, parts in enumerate(filled):
        ends = [part.middles[0] for part in parts] + [part.middles[-1] for part in parts] + [columns[column]]
        table.sides[column] = min(ends[:-1] or ends) - letter / 2, max(ends) + 0.8 * letter
        for part, (first, last) in zip(parts, spans(parts, rows, letter)):
            table.put(part, (first, last), (column, column + 1))
    return table


def layout(
    texts: list[Text], level: Walls, down: Walls, size: tuple[int, int], letter: float
) -> tuple[list[Table], list[Text]]:
    """(the tables on a picture of a size (width, height), the texts that stand in none)."""
    pieces = [piece for text in texts for piece in text.cut(down.through(text))]
    placed = [(piece, cell_around(piece, level, down, size)) for piece in pieces]
    closed = [one for one in placed if max(map(abs, one[1])) < OPEN]
    tables = walled_tables(closed, letter) if closed else []
    rest = [one for one in placed if one not in closed or not any(table.holds(one[0]) for table in tables)]
    if len(rest) > len(pieces) / 2:
        table = gap_table(rest, letter)
        if table:
            tables.append(table)
            rest = [one for one in rest if not table.holds(one[0])]
    return tables, [piece for piece, _ in rest]


# --- pictures: parts --------------------------------------------------------------------------


def table_cells(table: Table, letter: float) -> list[tuple[int, list[str]]]:
    """(which row, its cells as text) for each row of a table that has one; columns that are empty are left out."""
    used = sorted({column for _, column in table.texts})
    rows = []
    for row in sorted({row for row, _ in table.texts}):
        lines = [unwrapped(table.texts.get((row, column), []), letter, *table.sides[column]) for column in used]
        rows.append((row, ["\n".join(map(written, cell)) for cell in lines]))
    return rows


class Picture:
    """A straight picture that was read: its pixels, the engine for a second look, the width of a letter on it."""

    def __init__(self, image: Any, engine: Any, texts: list[Text]) -> None:
        self.image, self.engine, self.letter = image, engine, letter_width(texts)
        self.contrast = float(numpy.median([numpy.ptp(self.view(text[:4])) for text in texts[:99]]))

    def view(self, edges: tuple[float, ...], more: float = 0) -> Any:
        """The pixels within edges (left, top, right, bottom), moved outward by `more`."""
        rows = slice(max(int(edges[1] - more), 0), max(int(edges[3] + more) + 1, 0))
        return self.image[rows, max(int(edges[0] - more), 0) : max(int(edges[2] + more) + 1, 0)]

    def has_ink(self, edges: tuple[float, ...]) -> bool:
        """Whether something as dark as text stands in a cell."""
        view = self.view(edges, -self.letter / 3).astype(int)
        return view.size > 0 and bool((abs(view - numpy.median(view)) > self.contrast / 2).mean() > 0.01)

    def read_again(self, text: Text, more: float) -> str:
        """One text once more, by itself and larger, with `more` pixels around it."""
        larger = cv2.resize(self.view(text[:4], more), None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
        return "".join(self.engine(larger, use_det=False, use_rec=True).txts or ()).replace(" ", "")

    def doubts(self, text: Text) -> Iterator[str]:
        """What the engine is unsure of in a text or reads otherwise by itself and larger; where a letter is lacking."""
        signs = [(character, sure) for character, sure in zip(text.text, text.sure) if character.isalnum()]
        weak = [sign for sign, sure in signs if sure < (SURE_DIGIT if sign.isdigit() else SURE_CHARACTER)]
        plain, number = "".join(sign for sign, _ in signs), sum(sign.isdigit() for sign, _ in signs) >= 6
        if weak or number:
            again = self.read_again(text, 3)
            if re.sub(r"\W", "", again) != plain and (number or re.sub(r"\W", "", self.read_again(text, 8)) != plain):
                yield f"「{text.text}」再读成了「{again}」"
            elif min(sure for _, sure in signs) < HARDLY_SURE:
                yield f"「{text.text}」里的「{''.join(weak)}」不够清楚"
        wide = 1.7 * max(self.letter, letter_width([text]))
        for at in range(1, len(text.text)):
            if text.middles[at] - text.middles[at - 1] > wide and min(text.text[at - 1 : at + 1]) > "\u3000":
                yield f"「{text.text[:at]}」后面可能漏了字"

    def strip(self, edges: tuple[float, ...]) -> bytes:
        """The part of the picture within edges as a small grey PNG."""
        view = cv2.cvtColor(self.view(edges), cv2.COLOR_BGR2GRAY)
        factor = min(STRIP_WIDTH / view.shape[1], 1.0)
        small = cv2.resize(view, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return bytes(cv2.imencode(".png", small // 16 * 17)[1])  # sixteen greys: half the size

    def table_lines(self, table: Table) -> Iterator[Line]:
        """The rows of a table with their doubts and strips."""
        used = sorted({column for _, column in table.texts})
        for row, cells in table_cells(table, self.letter):
            top, bottom = table.rows[row : row + 2]
            doubts = []
            for column in used:
                texts = table.texts.get((row, column), [])
                above = table.texts.get((row - 1, column), [])  # what spans rows is doubted in the first
                doubts += [doubt for text in texts if text not in above for doubt in self.doubts(text)]
                if (
                    not texts
                    and (row, column) not in table.spanned
                    and self.has_ink((table.columns[column], top, table.columns[column + 1], bottom))
                ):
                    doubts.append("有一格里有字，没认出来")
            strip = self.strip((table.columns[0], top, table.columns[-1], bottom))
            yield Line(row + 1, cells, tuple(dict.fromkeys(doubts)), strip)

    def text_lines(self, texts: list[Text]) -> Iterator[Line]:
        """Running text by paragraphs, with doubts and strips."""
        left, right = min(text.left for text in texts), max(text.right for text in texts)
        for number, part in enumerate(unwrapped(texts, self.letter, OPEN, right - self.letter / 4), 1):
            doubts = [doubt for text in part for doubt in self.doubts(text)]
            strip = self.strip((left, min(text.top for text in part), right, max(text.bottom for text in part)))
            yield Line(number, [written(part, self.letter)], tuple(doubts), strip)


def picture_parts(image: Any, name: str) -> list[Part]:
    """The tables and the running text on a picture (a PIL image), from above; `name` goes into each part.

    A cell that spans several rows stands in each of them; a line's doubts say what the engine is unsure of and which
    number reads otherwise a second time. Shows its progress on a terminal.
    """
    file = sys.stderr if is_terminal(sys.stderr) else io.StringIO()
    with click.progressbar(length=100, label=f"读图 {name}".rstrip(), file=file) as bar:
        engine = load_engine()
        pixels = numpy.ascontiguousarray(numpy.array(image.convert("RGB"))[:, :, ::-1])
        if min(pixels.shape[:2]) < 16:
            return []
        bar.update(5)
        painted, marked = made_straight(engine, pixels)
        bar.update(15)
        pixels = without_watermark(painted) if marked else painted
        texts = read_texts(engine, pixels, lambda row: bar.update(20 + 60 * row // len(pixels) - bar.pos))
        if not texts:
            return []
        picture = Picture(pixels, engine, texts)
        tables, rest = layout(texts, *walls_on(painted, picture.letter), pixels.shape[1::-1], picture.letter)
        parts: list[tuple[float, Part]] = []
        for table in tables:
            parts.append((table.rows[0], Part(name, True, list(picture.table_lines(table)))))
            bar.update(20 // len(tables))
        tops = sorted(top for top, _ in parts)
        for _, group in itertools.groupby(
            sorted(rest, key=lambda text: text.middle), lambda text: sum(top <= text.middle for top in tops)
        ):
            between = list(group)
            parts.append((between[0].top, Part(name, False, list(picture.text_lines(between)))))
    return [part for _, part in sorted(parts, key=lambda part: part[0])]


def read_picture_parts(path: str) -> list[Part]:
    """What stands on a picture file: PNG, JPEG, WEBP, BMP or TIFF."""
    return picture_parts(open_picture(path), "")


# ==============================================================================================
# Check: all problems of a list, and what it covers
# ==============================================================================================

Problem = tuple[str, str, str]  # (column, what is wrong, what to do)


def check_place(row: Row, bundled: Catalog) -> Iterator[Problem]:
    """Code, city and county must be there and, for Hubei, be one division of today."""
    for name in ("province", "city", "district", "unit"):
        if not row[name].strip():
            yield name, "是空的", "请填上"
    if not re.fullmatch(r"\d{6}", row["code"]):
        yield "code", f"「{row['code']}」不是六位区划代码", "请按 GB/T 2260 填写"
    elif row["code"].startswith("42") and row["district"] and (row["code"], row["district"]) not in bundled.row_numbers:
        right = [code for code, district in bundled.divisions if district == row["district"]]
        if right:
            yield "code", f"{row['district']}的代码不是 {row['code']}", f"应为 {right[0]}"
        else:
            yield "district", f"湖北没有「{row['district']}」", "请写今天的区县全名"
    elif (row["code"], row["district"]) in bundled.row_numbers:
        city = bundled.city_of((row["code"], row["district"]))
        if row["city"] and row["city"] != city:
            yield "city", f"{row['district']}不属于{row['city']}", f"应为 {city}"
    if row["code"].startswith("42") and row["province"] not in ("", HOME_PROVINCE):
        yield "province", f"代码 {row['code']} 不在{row['province']}", f"应为 {HOME_PROVINCE}"


def check_unit(row: Row, bundled: Catalog) -> Iterator[Problem]:
    """A unit or an address that names another county of Hubei than the row's."""
    if (row["code"], row["district"]) in bundled.row_numbers:
        places = Places(bundled)
        named = {"unit": places.read(row["unit"]).division, "address": places.address(row["address"]).division}
        for name, division in named.items():
            if division and division != (row["code"], row["district"]):
                yield name, f"写的是{division[1]}，这一行却是{row['district']}", "请核对后改成一致"


def check_numbers(row: Row, bundled: Catalog) -> Iterator[Problem]:
    """Landlines as 027-12345678 or with 转8012 behind, mobiles as 13812345678, several apart by ";"."""
    area = row["hotline"].removesuffix("-110") if row["hotline"].endswith("-110") else ""
    for name, is_mobile in (("office_phone", False), ("mobile", True)):
        for number in filter(None, row[name].split(";")):
            if is_mobile == ("-" in number):
                yield name, f"{number} 放错了列", "座机放 office_phone，手机放 mobile"
                continue
            problem = number_problem(number, area)
            if problem:
                yield name, f"{number} {problem}", "请对照来源核对号码"


def check_hotline(row: Row, bundled: Catalog) -> Iterator[Problem]:
    """Area code and 110, the division's own."""
    if not re.fullmatch(r"0\d{2,3}-110", row["hotline"]):
        yield "hotline", f"「{row['hotline']}」不是区号加 110", "应如 027-110"
        return
    division = (row["code"], row["district"])
    right = bundled.rows_of(division)[0]["hotline"] if division in bundled.row_numbers else row["hotline"]
    if row["hotline"] != right:
        yield "hotline", f"{row['hotline']} 不是{bundled.city_of(division)}的", f"应为 {right}"


def check_origin(row: Row, bundled: Catalog) -> Iterator[Problem]:
    """Every row has a status, a source and that source's date."""
    if row["status"] not in ("listed", "bureau"):
        yield "status", f"「{row['status']}」不认识", "应为 listed 或 bureau"
    if not row["source"].strip():
        filled = any(row[name] for name in CONTACT_COLUMNS)
        yield "source", "联系办法没有来源" if filled else "是空的", "请写上网址或出处"
    if not row["as_of"] or date_of(row["as_of"]) != row["as_of"]:
        yield "as_of", f"「{row['as_of']}」不是过去的日期", "应如 2022-07-05"


CHECKS: tuple[Callable[[Row, Catalog], Iterator[Problem]], ...] = (
    check_place,
    check_unit,
    check_numbers,
    check_hotline,
    check_origin,
)


def _repeated(row: Row, number: int, first_seen: dict[tuple[str, ...], int]) -> Iterator[Problem]:
    """A unit listed twice, a number that another county's row has too."""
    for column, key in (
        ("unit", ("unit", row["code"], row["district"], row["unit"])),
        *(("mobile", ("mobile", mobile)) for mobile in filter(None, row["mobile"].split(";"))),
        *(("office_phone", ("office", phone)) for phone in filter(None, row["office_phone"].split(";"))),
    ):
        earlier = first_seen.setdefault(key, number)
        if earlier != number:
            yield column, f"与第 {earlier} 行重复", "请删去一行或核对号码"


def list_problems(path: str, bundled: Catalog) -> tuple[list[Row], list[str]]:
    """(the rows that have every cell, one line for each problem: file:row: column: problem: remedy)."""
    text = read_text(path)
    records = parse_rows(text, path)
    _, header = next(records, (0, []))
    missing = [name for name in COLUMNS if name not in header]
    if not header or missing:
        load_list(path)  # says it
    rows: list[Row] = []
    problems: list[str] = []
    first_seen: dict[tuple[str, ...], int] = {}
    for number, cells in records:
        wrong = ragged(cells, header)
        if wrong:
            problems.append(str(ListError(path, *wrong, number)))
            continue
        row = dict(zip(header, cells))
        found = [(name, *problem) for name, cell in row.items() if (problem := cell_problem(cell))]
        found += [problem for check in CHECKS for problem in check(row, bundled)]
        found += _repeated(row, number, first_seen)
        problems += [str(ListError(path, problem, remedy, number, column)) for column, problem, remedy in found]
        rows.append(row)
    return rows, problems


def coverage(rows: Sequence[Row]) -> list[str]:
    """What a list covers, a line each: units, with address, with a number, per city, of the published 136."""
    groups = {"合计": list(rows)}
    for row in rows:
        groups.setdefault(row["city"], []).append(row)
    published = {**PUBLISHED_IN, "合计": PUBLISHED if any(row["province"] == HOME_PROVINCE for row in rows) else 0}
    lines = ["市州      单位  有地址  有号码  已公布"]
    for group, own in groups.items():
        name = group if group == "合计" else short_name(group)
        addressed = sum(bool(row["address"]) for row in own)
        numbered = sum(bool(row["office_phone"] or row["mobile"]) for row in own)
        listed = f"{sum(row['status'] == 'listed' for row in own)}"
        listed += f" / {published[group]}" if published.get(group) else ""
        padding = " " * max(8 - 2 * len(name), 1)
        lines.append(f"{name}{padding}{len(own):>6}{addressed:>8}{numbered:>8}  {listed:>6}")
    return lines


# ==============================================================================================
# Near: from a place to the units around it
# ==============================================================================================


def coordinates(catalog: Catalog) -> dict[Division, tuple[float, float]]:
    """{division: (longitude, latitude) of its seat}, WGS-84, for the counties and zones of the gazetteer."""
    return {
        (place.code, place.district): (float(place.lon), float(place.lat))
        for place in repaired_places()
        if place.lon and (place.code, place.district) in catalog.row_numbers
    }


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance in km between two (longitude, latitude) in degrees.

    Source of the mean earth radius, 6371.0088 km: IUGG.
    """
    import math

    lon1, lat1, lon2, lat2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(half))


def nearest(starts: list[Division], catalog: Catalog, numbers_first: bool) -> list[Row]:
    """The list's rows by distance from the nearest of the starting places, with `distance_km` to one decimal."""
    seats = coordinates(catalog)
    rows = []
    for division, seat in seats.items():
        away = min(distance_km(seats[start], seat) for start in starts if start in seats)
        rows += [{"distance_km": f"{away:.1f}", **row} for row in catalog.rows_of(division)]
    rows.sort(key=lambda row: float(row["distance_km"]))
    return sorted(rows, key=lambda row: numbers_first and not (row["office_phone"] or row["mobile"]))


# ==============================================================================================
# Guide: who may go, what to bring, what happens; each sentence with its source
# ==============================================================================================

JIMU = "极目新闻 2022-07-05"
# (question, ((answer, source and date), ...)); the pages are named in data/SOURCES.md.
GUIDE = (
    ("谁可以去", (
        ("孩子失踪或被拐的父母，怀疑自己被拐或不清楚身世的人。", "新华社 2022-07-04"),
        ("在哪里都能采，不看户籍在哪。", "新华社 2022-07-04"),
        ("附近公安机关的刑侦部门也可以采。", "山西日报 2021-03-31，转载"),
    )),
    ("要多少钱", (("不要钱，费用由公安机关出。", "河北公安 2021-05-25"),)),
    ("带什么", (
        ("带身份证就行。", JIMU),
        ("父母一方来不了，可以带他用过的东西，先问清楚。", "南方都市报 2021-06-01"),
    )),
    ("去之前", (
        ("先打电话问几点有人。湖北各点的上班时间没有查到。", "无来源，未核实"),
        ("没有号码时打当地 110；从外地打，前面加区号。", "衡水公安，转载，无日期"),
        (
            "0728 由仙桃、潜江、天门共用，0719 由十堰和神农架共用，接通后先说是哪里。",
            "见 data/SOURCES.md",
        ),
    )),
    ("采了以后", (
        ("血样送到刑事技术部门，录入全国打拐 DNA 库比对。", "生活报 2021-06-06"),
        ("对上的会再找本人核实、复采。", "生活报 2021-06-06"),
        ("多久有结果，没有查到说法。", "无来源，未核实"),
    )),
    ("名单在哪", (
        ("湖北公布过 136 个采血点，有单位、地址、负责人、电话。", JIMU),
        ("全国名单在公安部刑侦局的微信公众号和微博。", "新华社 2022-07-04"),
        ("支付宝、微信、QQ 里搜「寻亲」，可查最近的采血点；现在还能不能用，未核实。", JIMU),
        ("2022 年的名单是否仍然有效，未核实。", "未核实"),
    )),
    ("孩子刚丢", (("马上报警，不用等 24 小时。", "新华社 2019-06-02"),)),
    ("还可以", (
        ("宝贝回家，志愿者寻亲网站：", ""),
        ("bbs.baobeihuijia.com", "转载页面 2025"),
        ("民政部寻亲公告平台，2015 年开通，现状未核实。", "慈善公益报等 2015-09"),
    )),
)  # fmt: skip


def guide_text(width: int) -> str:
    """The guide in lines of at most `width` cells, and of 60 at most."""
    lines = []
    for question, answers in GUIDE:
        lines.append(question)
        for answer, source in answers:
            for indent, text in ((2, answer), (4, f"（{source}）" if source else "")):
                lines += [" " * indent + line for line in wrapped(text, min(width, 60) - indent) if line]
        lines.append("")
    return "\n".join([*lines, "查单位：xunqin search 地名", "导入官方名单：xunqin import 文件", ""])


# ==============================================================================================
# Commands: thin adaptors
# ==============================================================================================

FOUND, NOT_FOUND, UNUSABLE, READER_GONE = 0, 1, 2, 141


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
        raise ListError("标准输出", f"写不进去（{reason(error)}）", "请检查磁盘空间") from None


def chosen_format(format: str | None) -> str:
    """The format asked for, else a table on a terminal and CSV in a pipe."""
    return format or ("table" if is_terminal(sys.stdout) else "csv")


def show(rows: Sequence[Row], lead: tuple[str, ...], format: str | None, listing: Sequence[Row] = ()) -> None:
    """Print rows in the format asked for; `lead` names the columns before those of the list.

    Below a table stands what to know before going, from the list that the rows are of, if it is given.
    """
    form = chosen_format(format)
    if form != "table":
        emit(WRITERS[form](rows, (*lead, *COLUMNS)), machine=True)
    elif rows:
        below = [footer(rows, listing), shared_hotline(rows, listing)] if listing else []
        emit(table_text(rows, terminal_width(sys.stdout), is_terminal(sys.stdout), [line for line in below if line]))


def typed(text: str) -> str:
    """An argument as the person typed it: in a broken locale Python hands UTF-8 over as surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def open_catalog(data: str | None) -> Catalog:
    """The list that --data or XUNQIN_DATA names, else the bundled one together with the user's own."""
    if data:
        return Catalog(load_list(data))
    return Catalog(merged(load_list(bundled_path("points.csv")), own_rows()))


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


def elsewhere_province(text: str) -> str:
    """The province outside Hubei that a name belongs to, or ""."""
    name = simplified(clean(text))
    return next((row.province for row in abroad(name) if name in (row.name, row.short)), "")


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
        lines += dict.fromkeys(f"  {hit.note}" for hit in found if hit.note)
    province = "" if not lines or hits[0].tier in ("unit", "city", "address") else elsewhere_province(text)
    return lines + ([f"  {province}也有{text}；若找的是它，请问当地公安。"] if province else [])


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
    rows = [{"query": text, "match": hit.tier, **row} for hit in hits for row in catalog.rows_of(hit.division)]
    return rows[:most] if most else rows


def city_named(text: str, catalog: Catalog) -> str:
    """The full name of a city given in full, short, + 州 or by a former name. Raises UsageError with the nearest."""
    from rapidfuzz import fuzz

    name = simplified(clean(text))
    if name in catalog.city_names:
        return catalog.city_names[name]
    # A former name, or a city without a row in this list; the directly administered counties (4290) are cities too.
    cities = [place for place in repaired_places() if place.code.endswith("00") or place.code.startswith("4290")]
    # A 地区 held more than the city of today.
    known = {name: p.district for p in cities for name in p.names() if p.kind != "zone" and not name.endswith("地区")}
    if name in known:
        return known[name]
    heard = "".join(next(iter(readings(name, 1)), ())) or name

    def nearness(city: str) -> float:
        return max(fuzz.ratio(name, city), *(fuzz.ratio(heard, "".join(r)) for r in readings(city, 1)), 0)

    near: dict[str, float] = {}
    for written, city in catalog.city_names.items():
        near[city] = max(nearness(written), near.get(city, 0))
    nearest = sorted((city for city, score in near.items() if score >= 50), key=lambda city: -near[city])[:3]
    hint = f"您是不是要找：{'、'.join(nearest)}" if nearest else f"可用的有：{'、'.join(list(catalog.cities)[:17])}"
    raise click.UsageError(f"名单里没有「{text}」这个市州。{hint}")


def _write_terms(formatter: click.HelpFormatter, heading: str, terms: list[tuple[str, str]]) -> None:
    """A section of (term, meaning), the meanings below each other; click counts a hanzi as one cell."""
    # Counted here, for our own words are hanzi and ASCII only: help need not wait for rich.
    cells = {term: len(term) + sum(not character.isascii() for character in term) for term, _ in terms}
    with formatter.section(heading):
        for term, meaning in terms:
            formatter.write(f"  {term}{' ' * (max(cells.values()) - cells[term])}  {meaning}\n")


class _ChineseHelp(click.Command):
    """Help pages in Chinese; what an argument is stands in the text."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix="用法: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        terms = [" ".join([", ".join(option.opts), option.metavar or ""]).rstrip() for option in options]
        _write_terms(formatter, "选项", [(term, option.help or "") for term, option in zip(terms, options)])

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
        commands = [(name, self.commands[name].get_short_help_str()) for name in self.list_commands(ctx)]
        _write_terms(formatter, "命令", commands)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def complete_place(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The county names that begin so, in characters, pinyin or initials: jiangx -> 江夏区."""
    begun = simplified(clean(incomplete))
    found = []
    for place in repaired_places():
        spellings = ["".join(reading) for name in place.names() for reading in place.readings(name)]
        if place.kind in ("county", "zone") and (
            place.name.startswith(begun) or any(s.startswith(begun) for s in spellings)
        ):
            found.append(place.name)
    return found


def complete_city(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The cities of the list in use that begin so, in characters or pinyin."""
    begun = simplified(clean(incomplete))
    data = ctx.find_root().params.get("data")
    cities = list(open_catalog(data).cities)
    return [
        city
        for city in cities
        if city.startswith(begun) or any("".join(r).startswith(begun) for r in readings(city, 4))
    ]


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
    """查湖北免费采血寻亲的单位和联系办法。

    \b
    例：
      xunqin search 江岸
      xunqin search 蒲圻
      xunqin list --city 武汉
    """
    ctx.obj = data


def answer_lines(lines: Iterable[str], catalog: Catalog, within: str) -> Iterator[list[Row]]:
    """The rows for each line of a batch, one line after the other; a blank line keeps a blank row."""
    found = lru_cache(maxsize=10_000)(lambda text: search(text, catalog, within))
    for line in lines:
        text = line.rstrip("\r\n").removeprefix("\ufeff").strip()
        if not text:
            yield [{"query": "", "match": ""}]
            continue
        yield rows_of(text, found(text), catalog, 0) or [{"query": text, "match": "none"}]


def input_lines() -> Iterator[str]:
    """The lines of stdin: UTF-8, or GB 18030 where a line is not."""
    if sys.stdin is None:
        raise ListError("标准输入", "已经关闭", "请用管道送入地名，一行一个")
    for raw in sys.stdin.buffer:
        try:
            yield raw.decode("utf-8")
        except UnicodeDecodeError:
            yield raw.decode("gb18030", "replace")


BATCH_ROWS = 500  # rows written at a time, so that memory stays flat


def search_batch(catalog: Catalog, within: str, most: int, format: str | None) -> int:
    """search -: a row at least for each line of stdin; the count of unmatched ones on stderr."""
    form = chosen_format(format)
    lead = ("query", "match")
    waiting: list[Row] = []
    asked = unmatched = 0
    first = True
    terminal = is_terminal(sys.stderr) and not is_terminal(sys.stdout)
    for answer in answer_lines(input_lines(), catalog, within):
        asked += bool(answer[0]["query"])
        unmatched += answer[0]["match"] == "none"
        waiting += answer[:most] if most else answer
        if form in ("csv", "excel") and len(waiting) >= BATCH_ROWS:
            emit(WRITERS[form](waiting, (*lead, *COLUMNS), first), machine=True)
            waiting, first = [], False
        if terminal and asked % 1000 == 0:
            click.echo(f"\r已查 {asked} 个地名", err=True, nl=False)
    if terminal and asked >= 1000:
        click.echo("\r", err=True, nl=False)
    if form in ("csv", "excel"):
        emit(WRITERS[form](waiting, (*lead, *COLUMNS), first), machine=True)
    else:
        show([{"batch": "yes", **row} for row in waiting], lead, format, catalog.rows)
    if unmatched:
        tell(f"{asked} 个地名里有 {unmatched} 个没有找到。")
    return NOT_FOUND if unmatched else FOUND


@cli.command("search", short_help="按地名找单位", options_metavar="[选项]")
@click.argument("names", nargs=-1, metavar="地名...", shell_complete=complete_place)
@click.option("--city", metavar="市州", help="只要这个市州的", shell_complete=complete_city)
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
    if text == "-":
        return search_batch(catalog, within, number, format)
    hits = search(text, catalog, within)
    show(rows_of(text, hits, catalog, number), ("query", "match"), format, catalog.rows)
    lines = explain(text, hits, catalog) if hits else not_found(text, catalog, suggest(text, catalog))
    for line in lines:
        tell(line)
    return FOUND if hits else NOT_FOUND


@cli.command("list", short_help="列出全部或一个市州的单位", options_metavar="[选项]")
@click.option("--city", metavar="市州", help="只列这个市州", shell_complete=complete_city)
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


def bundled_catalog() -> Catalog:
    """The bundled list alone: what an import and a check are measured against."""
    return Catalog(load_list(bundled_path("points.csv")))


@cli.command("near", short_help="离一个地方最近的单位", options_metavar="[选项]")
@click.argument("names", nargs=-1, metavar="地名...", shell_complete=complete_place)
@click.option("-n", "number", type=click.IntRange(min=1), default=5, metavar="个数", help="最多几行，默认 5")
@click.option("--numbers-first", is_flag=True, help="有号码的排在前面")
@output_options
@click.pass_obj
def near_command(data: str | None, names: tuple[str, ...], number: int, numbers_first: bool, format: str | None) -> int:
    """离一个地方最近的单位，按直线距离。

    \b
      xunqin near 木鱼镇
      xunqin near 蒲圻 -n 3
    距离按县城之间的直线算，实际路程更远。
    """
    text = " ".join(map(typed, names)).strip()
    if not text:
        raise click.UsageError("请写上地名，例如：xunqin near 木鱼镇")
    catalog = open_catalog(data)
    hits = search(text, catalog)
    seats = coordinates(catalog)
    starts = [hit.division for hit in hits if hit.division in seats]
    rows = nearest(starts, catalog, numbers_first)[:number] if starts else []
    show(rows, ("distance_km",), format, catalog.rows)
    if not hits:
        lines = not_found(text, catalog, suggest(text, catalog))
    elif not starts:
        lines = [f"「{text}」在名单里，但没有坐标，算不出距离。请用 xunqin search {text}。"]
    else:
        lines = explain(text, hits, catalog)
        if len(starts) > 1:
            lines.append(f"「{text}」有 {len(starts)} 处，按离其中最近的一处算。")
    for line in lines:
        tell(line)
    return FOUND if rows else NOT_FOUND


@cli.command("guide", short_help="谁能去、带什么、怎么办", options_metavar="[选项]")
def guide_command() -> int:
    """谁可以采血、带什么、采了以后怎样、该打给谁。每一句都注明出处。"""
    emit(guide_text(terminal_width(sys.stdout)))
    return FOUND


def shell_word(path: str) -> str:
    """A file's name as it can be typed in a command."""
    import shlex

    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def printable(text: str) -> str:
    """A text of a file without what would move a terminal's cursor or turn its writing; line ends become 、."""
    return re.sub(CONTROLS, "?", text.replace("\n", "、"))


def import_note(entry: Entry) -> Row:
    """What an import says of a row: its number, the result, what is wrong, doubtful or repaired."""
    result = "待核对" if entry.held() else entry.outcome
    return {"row": str(entry.number), "result": result, "note": "；".join([*entry.held(), *entry.repairs])}


def import_picture(batch: Batch, places: Places, source: str, stated: str, dry_run: bool) -> list[Row]:
    """Write a draft beside a picture; nothing is taken over from a picture itself. The draft's rows."""
    rows = draft_rows(batch, places, source, stated or batch.date)
    tell(f"从图里读到 {len(batch.entries)} 行，{sum(bool(row['存疑']) for row in rows)} 行有存疑。图片不直接收录。")
    if dry_run:
        tell("只是试读，草稿没有写。")
        return rows
    data = workbook({"草稿": rows}, [entry.strip for entry in batch.entries])
    draft = typed(write_new(f"{batch.path}.草稿", ".xlsx", data))
    tell(f"草稿写在 {draft}。请对照每行前面的图改好，存疑的行改完在「核对」里写「是」，")
    tell(f"再运行 xunqin import {shell_word(draft)}")
    return rows


def import_batch(batch: Batch, places: Places, source: str, stated: str, whole: bool, dry_run: bool) -> list[Row]:
    """Take over what is sure of a file, write out what is not, and tell of both. All rows, each with its note."""
    import datetime

    date = stated or batch.date or datetime.date.today().isoformat()
    rows = batch.rows(places, source, date)
    rejected = ""
    if (batch.held() or batch.strays) and not dry_run:
        rejected = typed(write_rejected(batch, source, date))
    held = {entry.division for entry in batch.held()}
    if rows and not dry_run:
        result = take_over(rows, own_list_path(), whole, held)
    else:
        result = merge(own_rows(), rows, whole, held)
    outcomes = iter(result.outcomes)
    for entry in batch.entries:
        entry.outcome = "待核对" if entry.held() else next(outcomes)
    assumed = not stated and not all(entry.cells.get("as_of") for entry in batch.entries if not entry.held())
    if whole and None in held:
        tell("有的行看不出是哪里，所以原来的单位都留着；改好后再用一次 --replace。")
    for line in import_summary(batch, result, date if assumed else "", rejected, dry_run):
        tell(line)
    return [{**import_note(entry), **entry_row(entry, places, source, date)} for entry in batch.entries]


def import_summary(batch: Batch, result: Merged, assumed: str, rejected: str, dry_run: bool) -> Iterator[str]:
    """What an import did, a line each; `assumed` is the date that nobody stated, `rejected` the file written out."""
    held = batch.held()
    counts = [f"{name} {result.outcomes.count(name)}" for name in ("新增", "更新", "未变", "旧于现有")]
    yield f"读到 {len(batch.entries)} 行：{'，'.join(counts)}，待核对 {len(held)}。"
    if result.gone:
        yield f"名单里没有、已去掉的 {len(result.gone)} 个：{'、'.join(row['unit'] for row in result.gone[:5])}。"
    if batch.skipped:
        yield f"跳过不是名单的表：{printable('、'.join(batch.skipped))}。"
    if assumed:
        yield f"名单的日期按{'文件里写的' if batch.date else '今天'} {assumed} 记；不对请加 --as-of 再导入一次。"
    if batch.strays:
        yield f"另有 {len(batch.strays)} 处号码不是单位的采血电话，没有收录。"
    if rejected:
        yield f"{'待核对的行' if held else '这些号码'}写在 {rejected}{'，改好后再导入它' if held else ''}。"
    if dry_run:
        yield "只是试读，什么都没有写。"
    elif result.changed:
        yield f"已收录到 {own_list_path()}；要退回，用 xunqin import --undo。"
    else:
        yield "自己的名单没有变化。"


def show_import(rows: list[Row], format: str | None) -> None:
    """Print rows of a file, which may hold anything."""
    lines = [{name: printable(cell) for name, cell in row.items()} for row in rows]
    show(lines, ("row", "result", "note"), format)


def clean_source(text: str) -> str:
    """A source that a list may hold: not what a spreadsheet runs, no control characters."""
    return printable(text).lstrip("=+-@ ") or STDIN_NAME


@cli.command("import", short_help="导入官方公布的名单", options_metavar="[选项]")
@click.argument("file", metavar="文件", required=False, type=click.Path(allow_dash=True))
@click.option("--as-of", metavar="日期", help="名单的日期，如 2022-07-05；默认看文件里写的")
@click.option("--source", metavar="出处", help="名单从哪里来；默认文件名")
@click.option("--replace", "whole", is_flag=True, help="这份就是全部：名单里没有的单位去掉")
@click.option("--dry-run", is_flag=True, help="只看结果，不收录")
@click.option("--undo", "back", is_flag=True, help="退回上一次导入之前")
@output_options
def import_command(
    file: str | None, as_of: str | None, source: str | None, whole: bool, dry_run: bool, back: bool, format: str | None
) -> int:
    """导入官方公布的名单：表格、Word、PDF、网页、文字、图片都行。

    \b
      xunqin import 名单.xlsx --as-of 2022-07-05
      xunqin import -             粘贴文字，Ctrl-D 结束
      xunqin import 名单.png      图片先得到草稿
      xunqin import 名单.png.草稿.xlsx
      xunqin import --undo        退回上一次导入
    已有的单位更新，新的加上，空格不会抹掉已有的号码。
    有问题的行不收录，写到「文件.待核对.xlsx」，改好后
    再导入它；存疑的行在「核对」里写「是」才收。
    """
    if back:
        tell(undo(own_list_path()))
        return FOUND
    if file is None:
        raise click.UsageError("请给出要导入的文件，如 xunqin import 名单.xlsx；粘贴文字用 xunqin import -")
    date = date_of(as_of or "")
    if as_of is not None and not date:
        raise click.UsageError(f"--as-of 的值「{as_of}」不是过去的日期，应如 2022-07-05")
    if file == "-" and is_terminal(sys.stdin):
        tell("请粘贴名单，最后另起一行按 Ctrl-D：")
    places = Places(bundled_catalog())
    batch = understood(file, places)
    origin = clean_source(source or (STDIN_NAME if file == "-" else os.path.basename(typed(file))))
    if batch.pictured:
        import_picture(batch, places, origin, date, dry_run)
        if format:
            notes = [{**import_note(entry), **entry_row(entry, places, origin, date)} for entry in batch.entries]
            show_import(notes, format)
        return FOUND
    rows = import_batch(batch, places, origin, date, whole, dry_run)
    shown = [row for row in rows if format or row["result"] in ("待核对", "旧于现有")]
    if format or shown:
        show_import(shown, format)
    return UNUSABLE if batch.held() else FOUND


def import_problems(path: str, places: Places) -> tuple[list[Row], list[str]]:
    """(the rows that an import of a file would take over, a line for each row that it would hold back)."""
    batch = understood(path, places)
    remedy = "请对照来源改好；确认无误的在「核对」里写「是」"
    problems = [str(ListError(path, "；".join(entry.held()), remedy, entry.number)) for entry in batch.held()]
    return batch.rows(places, clean_source(os.path.basename(path)), batch.date), problems


def is_own_format(path: str) -> bool:
    """Whether a file is a list as xunqin keeps it: CSV whose first line has its columns."""
    try:
        return set(COLUMNS) <= set(read_text(path).partition("\n")[0].strip().split(","))
    except ListError:
        return False


@cli.command("check", short_help="检查名单，看覆盖多少", options_metavar="[选项]")
@click.argument("file", required=False, metavar="[文件]", type=click.Path(allow_dash=True))
@click.pass_obj
def check_command(data: str | None, file: str | None) -> int:
    """检查一份名单，一个问题一行；再看它覆盖多少。

    \b
      xunqin check
      xunqin check 我的名单.xlsx
    能导入的文件都能检查；不给文件时，检查正在使用的名单。
    """
    bundled = bundled_catalog()
    own = own_list_path()
    paths = [file or data or ""] if file or data else [data_file("points.csv"), *([own] if os.path.exists(own) else [])]
    lists = []
    for path in paths:
        imported = bool(file) and not is_own_format(path)
        lists.append(import_problems(path, Places(bundled)) if imported else list_problems(path, bundled))
    rows = lists[0][0] if len(lists) == 1 else merged(lists[0][0], lists[1][0])
    problems = [problem for _, found in lists for problem in found]
    lines = [*problems, *(f"名单：{typed(path)}" for path in paths), *coverage(rows)]
    emit("".join(f"{printable(line)}\n" for line in lines))
    tell(f"有 {len(problems)} 个问题。" if problems else "没有发现问题。")
    return UNUSABLE if problems else FOUND


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
        tell(f"{error.filename2 or error.filename or '标准输出'}: {reason(error)}: 请检查磁盘空间和权限")
    except (click.Abort, KeyboardInterrupt):
        tell("已中断。再运行一次就行。")
    return UNUSABLE


def main() -> None:
    """The console script."""
    gc.disable()  # a run is short; among a large list's rows the search takes as long as reading them
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
