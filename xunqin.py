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


MAX_BYTES = 50_000_000
PICTURE, TEXT, WORKBOOK = "picture", "text", "workbook"
# What a file is, by its first bytes.
MAGIC = ((b"\x89PNG", PICTURE), (b"\xff\xd8\xff", PICTURE), (b"PK\x03\x04", WORKBOOK), (b"\xd0\xcf\x11\xe0", "locked"))

# What a heading may say, most telling first; `phone` is a column that may hold both kinds.
HEADINGS = {
    "number": ("序号", "编号", "no"),
    "city": ("市州", "市（州）", "市(州)", "地市", "所在市", "所属市", "城市", "市", "city"),
    "district": ("区县", "县市区", "区市县", "县区", "县（市、区）", "县(市、区)", "县（市区）", "所在区", "district"),
    "office_phone": ("办公电话", "座机", "固定电话", "固话", "值班电话", "单位电话", "officephone"),
    "mobile": ("手机", "移动电话", "mobile"),
    "phone": ("联系电话", "联系方式", "电话", "咨询电话"),
    "address": ("地址", "位置", "地点", "address"),
    "contact": ("负责人", "联系人", "联系民警", "民警", "姓名", "contact"),
    "unit": ("单位名称", "采血点名称", "公安机关单位名称", "采血单位", "单位", "采血点", "公安机关", "名称", "unit"),
}  # fmt: skip
NUMBER_FIELDS = ("office_phone", "mobile", "phone")
DRAFT_COLUMNS = ("市州", "区县", "单位名称", "地址", "负责人", "办公电话", "手机", "置信度", "存疑")


class Entry:
    """One row of a list being imported: its cells, what was repaired, what is wrong."""

    def __init__(self, number: int, cells: dict[str, str]) -> None:
        self.number = number
        self.cells = cells
        self.office: list[str] = []
        self.mobile: list[str] = []
        self.division: Division | None = None
        self.repairs: list[str] = []
        self.problems: list[str] = []


def file_kind(path: str) -> str:
    """Whether a file is a picture, a workbook or text. Raises ListError for what cannot be read at all."""
    try:
        if os.path.isdir(path):
            raise ListError(path, "这是一个目录", "请给出一个文件")
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        raise ListError(path, f"打不开（{reason(error)}）", "请检查路径和权限") from None
    if not size:
        raise ListError(path, "文件是空的", "请给出有内容的名单")
    if size > MAX_BYTES:
        raise ListError(path, f"文件太大（{size // 1_000_000} MB）", "名单不该超过 50 MB，请确认是不是给错了文件")
    kind = next((kind for magic, kind in MAGIC if start.startswith(magic)), TEXT)
    if kind == "locked":
        raise ListError(path, "是加密的或旧版的 Excel 文件", "请去掉密码，另存为 .xlsx 或 CSV")
    return kind


def extra_missing(path: str, extra: str) -> ListError:
    """The one line for an optional library that is not installed."""
    return ListError(path, f"还没装读它要用的库（{extra}）", f"请运行 pip install 'xunqin[{extra}]'")


Sheet = list[tuple[int, list[str]]]  # (row number, cells)


def _tidy(cell: str) -> str:
    """A cell in one width, its lines apart by line breaks only."""
    import unicodedata

    text = unicodedata.normalize("NFKC", cell.replace("（", "\ue000").replace("）", "\ue001").replace("：", "\ue002"))
    text = text.replace("\ue000", "（").replace("\ue001", "）").replace("\ue002", "：")
    return "\n".join(line.strip() for line in re.split(r"[\r\n\t\u2028]+", text) if line.strip())


def heading_field(text: str) -> str:
    """The field that a heading names, "" for none: 详细地址 -> address, 联系人及电话 -> phone."""
    heading = re.sub(r"[\s_:：*]", "", text).lower()
    if len(heading) > 14 or not heading:
        return ""
    for field, words in HEADINGS.items():
        if heading in words:
            return field
    return next((f for f, words in HEADINGS.items() if any(len(w) > 1 and w in heading for w in words)), "")


def _fields(cells: list[str]) -> dict[str, int]:
    """{field: column} that a row of headings names."""
    fields: dict[str, int] = {}
    for column, cell in enumerate(cells):
        field = heading_field(cell)
        if field and field not in fields:
            fields[field] = column
    return fields


def _text_rows(path: str) -> Sheet:
    """CSV in UTF-8, UTF-16 with BOM or GB 18030, apart by comma, tab or semicolon, whichever makes most cells."""
    with open(path, "rb") as file:
        raw = file.read()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in raw:
        raise ListError(path, "不是文本、Excel 或图片文件", "请给出 CSV、XLSX、PNG 或 JPEG")
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ListError(path, "编码认不出来", "请另存为 UTF-8 的 CSV")
    sheets = []
    for delimiter in ",\t;":
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows: Sheet = []
        try:
            for cells in reader:
                rows.append((reader.line_num, cells))
        except csv.Error as error:
            raise ListError(path, f"CSV 格式不对（{error}）", "请检查引号是否成对", reader.line_num) from None
        sheets.append(rows)
    return max(sheets, key=lambda rows: max(((len(_fields(cells)), len(cells)) for _, cells in rows), default=(0, 0)))


def _cell_text(value: object) -> str:
    """A workbook's cell as text: 13800001234.0 is 13800001234."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _workbook_rows(path: str) -> Sheet:
    """The sheet of an XLSX file with the most rows; a merged cell's text stands in each of its rows."""
    try:
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise extra_missing(path, "import") from None
    import zipfile

    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, SyntaxError):
        raise ListError(path, "这个 Excel 文件读不了", "请用 Excel 打开后另存为 .xlsx 或 CSV") from None
    sheet = max(book.worksheets, key=lambda sheet: sheet.max_row or 0)
    values = {(cell.row, cell.column): _cell_text(cell.value) for row in sheet.iter_rows() for cell in row}
    for area in sheet.merged_cells.ranges:
        if area.max_col == area.min_col:  # a title merged over columns stays where it is
            for row in range(area.min_row, area.max_row + 1):
                values[row, area.min_col] = values.get((area.min_row, area.min_col), "")
    return [
        (row, [values.get((row, column), "") for column in range(1, sheet.max_column + 1)])
        for row in range(1, sheet.max_row + 1)
    ]


def read_sheet(path: str, kind: str) -> Sheet:
    """The rows of a CSV or XLSX file, blank ones left out."""
    sheet = _workbook_rows(path) if kind == WORKBOOK else _text_rows(path)
    sheet = [(number, [_tidy(cell) for cell in cells]) for number, cells in sheet]
    return [(number, cells) for number, cells in sheet if any(cells)]


# --- columns ----------------------------------------------------------------------------------


def content_fields(rows: list[list[str]], catalog: Catalog) -> dict[str, int]:
    """{field: column} told by what stands in the columns, for a list without headings."""
    tests: dict[str, Callable[[str], object]] = {
        "number": lambda cell: re.fullmatch(r"\d{1,3}", cell),
        "phone": lambda cell: re.search(r"1\d{10}|\d{3,4}-\d{7,8}|^\d{7,8}$", cell),
        "city": lambda cell: simplified(cell) in catalog.city_names,
        "unit": lambda cell: (
            re.search("公安|分局|派出所|刑侦|刑警", cell) and not re.search(r"[路街道巷]\S*\d|\d号", cell)
        ),
        "address": lambda cell: re.search(r"[路街道巷号村楼]", cell),
        "district": lambda cell: catalog.named_exactly(simplified(cell)),
        "contact": lambda cell: re.fullmatch(r"[一-鿿·]{2,4}", cell),
    }
    fields: dict[str, int] = {}
    for column in range(max((len(row) for row in rows), default=0)):
        cells = [row[column].replace("\n", "") for row in rows if column < len(row) and row[column]]
        for field, test in tests.items():
            if cells and sum(bool(test(cell)) for cell in cells) * 2 > len(cells):
                if field == "phone" and "phone" in fields:
                    fields["mobile"] = column
                elif field not in fields:
                    fields[field] = column
                break
    return fields


def entries_of(sheet: Sheet, catalog: Catalog, path: str) -> list[Entry]:
    """The rows of a sheet by field. Titles above the headings are skipped, headings repeated on later pages too."""
    header = next((at for at, (_, cells) in enumerate(sheet[:15]) if len(_fields(cells)) >= 2), -1)
    fields = _fields(sheet[header][1]) if header >= 0 else content_fields([cells for _, cells in sheet], catalog)
    if "unit" not in fields and "district" not in fields:
        raise ListError(path, "认不出哪一列是单位", "请在第一行写上表头：单位名称,地址,负责人,办公电话,手机")
    entries = []
    for number, cells in sheet[header + 1 :]:
        named = {f: cells[column] if column < len(cells) else "" for f, column in fields.items()}
        content = {f: cell for f, cell in named.items() if f != "number" and cell}
        is_heading = len(_fields(cells)) >= 2 and not any(re.search(r"\d{3}", cell) for cell in cells)
        if content and not is_heading and len([cell for cell in cells if cell]) > 1:
            entries.append(Entry(number, named))
    if not entries:
        raise ListError(path, "没有读到一行内容", "请确认名单里有单位和电话")
    return entries


# --- numbers ----------------------------------------------------------------------------------

_DASHES = str.maketrans(dict.fromkeys("—–－−‐‑‒―~", "-"))
# Area codes: 010 and 02x, else four digits; a local number begins with 2 to 8.
_NUMBER = (
    r"(?<![\d-])(?:\+?86[- ]?)?(?:(?P<mobile>1[3-9]\d[- ]?\d{4}[- ]?\d{4})"
    r"|(?:[(（]?(?P<area>010|02\d|0[3-9]\d{2})[)）]?[- ]*)?(?P<local>[2-8]\d{6,7})"
    r"(?:\s*(?:转|-|ext\.?)\s*(?P<extension>\d{1,5}))?)(?![\d-])"
)


# Hubei's area codes (libphonenumber's geocoding data, as in data/sources/divisions.csv).
HUBEI_AREAS = (
    "027",
    "0710",
    "0711",
    "0712",
    "0713",
    "0714",
    "0715",
    "0716",
    "0717",
    "0718",
    "0719",
    "0722",
    "0724",
    "0728",
)


def _valid(digits: str) -> bool:
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
    landline = re.fullmatch(r"(0\d{2,3})-(\d{7,8})(?:转\d{1,5})?", number)
    if not landline:
        return "" if re.fullmatch(r"1[3-9]\d{9}", number) and _valid(number) else "不是手机号或带区号的座机号"
    if area and landline[1] != area:
        return f"区号不是本地的 {area}"
    digits = 8 if landline[1] == "027" else 7
    if area in HUBEI_AREAS and len(landline[2]) != digits:
        return f"{landline[1]} 的座机应为 {digits} 位"
    return "" if _valid(f"{landline[1]}{landline[2]}") else "号码不存在"


def numbers_in(cell: str, area: str) -> tuple[list[str], list[str], list[str], list[str]]:
    """(landlines, mobiles, repairs, problems) of a cell that may hold several numbers.

    `area` is the row's area code: put before a local number, and what each landline must begin with.
    """
    text = cell.translate(_DASHES).replace("\n", " ; ")
    office, mobile, repairs, problems = [], [], [], []
    for found in re.finditer(_NUMBER, text):
        if found["mobile"]:
            number = re.sub("[- ]", "", found["mobile"])
            mobile.append(number)
        else:
            extension = f"转{found['extension']}" if found["extension"] else ""
            number = f"{found['area'] or area}-{found['local']}{extension}"
            office.append(number)
            if not found["area"]:
                repairs.append(f"{found['local']} 补区号 {area}")
        problem = number_problem(number, area)
        if problem:
            problems.append(f"{found[0].strip()} {problem}")
    left = re.sub(_NUMBER, "", text)
    if re.search(r"\d", left):
        problems.append(f"「{' '.join(re.findall(r'[0-9+() -]*[0-9][0-9+() -]*', left)).strip()}」不像完整的号码")
    return office, mobile, repairs, problems


# --- places -----------------------------------------------------------------------------------

# The tiers that may place a row without a doubt.
SURE_TIERS = ("exact", "unit", "address", "former")


def area_code(division: Division, catalog: Catalog) -> str:
    """The area code of a division: what its hotline begins with."""
    return catalog.rows_of(division)[0]["hotline"].removesuffix("-110")


def one_apart(one: str, other: str) -> bool:
    """Whether two names of one length differ in exactly one character."""
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other)) == 1


def _repaired_city(entry: Entry, catalog: Catalog) -> bool:
    """A misread city (襄阻市): the only one that differs in one character takes its place."""
    written = simplified(clean(entry.cells["city"]))
    near = [city for city in catalog.cities if one_apart(written, city)]
    if len(near) == 1:
        entry.repairs.append(f"{entry.cells['city']} → {near[0]}")
        entry.cells["city"] = near[0]
    return len(near) == 1


def _placed(text: str, city: str, catalog: Catalog) -> Division | None:
    """The one division that a cell names for sure, in the city if one is given."""
    hits = [hit for hit in search(text, catalog) if hit.tier in SURE_TIERS] if text else []
    hits = [hit for hit in hits if not city or catalog.city_of(hit.division) == city] or hits
    return hits[0].division if hits and (len(hits) == 1 or hits[0].tier == "exact") else None


def _confusable(written: str, name: str) -> bool:
    wrong, right = next((a, b) for a, b in zip(simplified(written), name) if a != b)
    same_sound = set(_character_readings(wrong)[0]) & set(_character_readings(right)[0])
    return looks_like(wrong, right, perhaps=True) or bool(same_sound)


def repaired_name(text: str, city: str, beside: Division | None, catalog: Catalog) -> tuple[str, Division] | None:
    """(the text with the right name, its division) for a misread county's name (會都区公安分局 -> 曾都区公安分局).

    The name must be the only one that differs in one character: of the city named in the row or the text, else
    of all with a known look-alike or homophone; where the address names a county, it must be that one.
    """
    candidates = []
    for division in catalog.divisions:
        name = division[1]
        if name.endswith("开发区") or (beside and division != beside):
            continue
        for at in range(len(text) - len(name) + 1):
            written = text[at : at + len(name)]
            if not one_apart(simplified(written), name) or not text[at + len(name) :].startswith(("公安", "分局")):
                continue
            home = catalog.city_of(division)
            sure = beside == division or home == city or text.startswith(home)
            if sure or _confusable(written, name):
                candidates.append((text[:at] + name + text[at + len(name) :], division))
    return candidates[0] if len({division for _, division in candidates}) == 1 else None


def _repair_address(entry: Entry, catalog: Catalog) -> None:
    """The city's and the county's names at the front of an address, where one character was misread or lost."""
    address = entry.cells.get("address", "")
    if entry.division is None or not address:
        return
    at = 0
    for name in dict.fromkeys((catalog.city_of(entry.division), entry.division[1])):
        if name in address:
            at = address.index(name) + len(name)
            continue
        shorter = [name[:gap] + name[gap + 1 :] for gap in range(len(name) - 1)]
        written = address[at : at + len(name)]
        lost = next((part for part in shorter if address.startswith(part, at)), "")
        if not one_apart(simplified(written), name) or written[-1] != name[-1]:
            written = lost
        if written:
            entry.repairs.append(f"地址 {written} → {name}")
            address = address[:at] + name + address[at + len(written) :]
            at += len(name)
    entry.cells["address"] = address


def place_entry(entry: Entry, catalog: Catalog) -> None:
    """Find an entry's division from its district, unit and address, and repair a misread place name."""
    cells = entry.cells
    city = catalog.city_names.get(simplified(clean(cells.get("city", ""))), "")
    if cells.get("city") and not city and not _repaired_city(entry, catalog):
        entry.problems.append(f"市州「{cells['city']}」认不出来")
    city = catalog.city_names.get(simplified(clean(cells["city"])), "") if cells.get("city") else ""
    places = {field: _placed(cells.get(field, ""), city, catalog) for field in ("district", "unit", "address")}
    known = {division for division in places.values() if division}
    if len(known) > 1 and places["unit"] and places["district"] in (None, places["unit"]):
        named = short_name(places["address"][1]) if places["address"] else ""
        entry.problems.append(f"单位在{places['unit'][1]}，地址却在{named}")
    elif len(known) > 1:
        entry.problems.append("区县、单位和地址说的不是一处")
    entry.division = places["unit"] or places["district"] or places["address"]
    for field in ("unit", "district"):
        if cells.get(field) and not places[field]:
            repaired = repaired_name(cells[field], city, places["address"], catalog)
            if repaired:
                right, division = repaired
                entry.repairs.append(f"{cells[field]} → {right}")
                cells[field] = right
                entry.division = division
            elif field == "unit" and re.search("[区县市]公安|分局", cells[field]):
                entry.problems.append(f"单位「{cells[field]}」里的地名认不出来")
    _repair_address(entry, catalog)
    if entry.division is None:
        entry.problems.append("看不出是哪个区县")
    elif city and catalog.city_of(entry.division) != city:
        entry.problems.append(f"{entry.division[1]}不属于{city}")


def _hold_back_siblings(entries: list[Entry]) -> None:
    """A county's rows are taken over together or not at all: its later half would replace the earlier one."""
    held = {entry.division for entry in entries if entry.problems and entry.division}
    for entry in entries:
        if entry.division in held and not entry.problems:
            entry.problems.append(f"{entry.division[1]}另有一行待改，改好后一并导入")


def checked(entries: list[Entry], catalog: Catalog) -> list[Entry]:
    """The entries placed, their numbers read and everything doubtful written down."""
    for entry in entries:
        for field, cell in entry.cells.items():
            entry.cells[field] = cell if field in NUMBER_FIELDS else cell.replace("\n", "")
        place_entry(entry, catalog)
        area = area_code(entry.division, catalog) if entry.division else ""
        for field in NUMBER_FIELDS:
            office, mobile, repairs, problems = numbers_in(entry.cells.get(field, ""), area)
            entry.office += office
            entry.mobile += mobile
            entry.repairs += repairs
            entry.problems += problems
        if re.search(r"\d", entry.cells.get("contact", "")):
            entry.problems.append(f"负责人「{entry.cells['contact']}」里有数字")
        for field in ("unit", "address", "contact"):
            problem = cell_problem(entry.cells.get(field, ""))
            if problem:
                entry.problems.append(f"{field} {problem[0]}")
    _hold_back_siblings(entries)
    return entries


def entry_row(entry: Entry, catalog: Catalog, source: str, as_of: str) -> Row:
    """An entry as a row of the list; without a division as far as it goes."""
    model = catalog.rows_of(entry.division)[0] if entry.division else {}
    row = {name: model.get(name, "") for name in ("code", "province", "city", "district", "hotline")}
    unit = entry.cells.get("unit", "") or model.get("unit", "")
    numbers = {"office_phone": ";".join(dict.fromkeys(entry.office)), "mobile": ";".join(dict.fromkeys(entry.mobile))}
    cells = {"unit": unit, "address": entry.cells.get("address", ""), "contact": entry.cells.get("contact", "")}
    return {**row, **cells, **numbers, "status": "listed", "source": source, "as_of": as_of}


# How the fields are headed in the rows that are written out to be corrected.
REJECTED_HEADINGS = {
    "city": "市州", "district": "区县", "unit": "单位名称", "address": "地址", "contact": "负责人",
    "office_phone": "办公电话", "mobile": "手机", "phone": "联系电话",
}  # fmt: skip


def rejected_text(entries: list[Entry]) -> str:
    """The rows that cannot be taken over, to be corrected and imported again."""
    rows = []
    for entry in entries:
        cells = {heading: entry.cells.get(field, "") for field, heading in REJECTED_HEADINGS.items()}
        rows.append({"行": str(entry.number), **cells, "问题": "；".join(entry.problems)})
    used = [heading for heading in REJECTED_HEADINGS.values() if any(row[heading] for row in rows)]
    return excel_text(rows, ["行", *used, "问题"])


# --- the user's own list ----------------------------------------------------------------------


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """One import at a time; the lock goes with the process, however it ends."""
    with open(path + ".lock", "a") as lock:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(path: str, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def take_over(rows: list[Row], path: str) -> bool:
    """Put rows into the user's own list in place of their counties' old rows; whether there was an old list.

    The new list is written beside the old one and moved into its place; the old one stays as a backup.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with locked(path):
        old = load_list(path) if os.path.exists(path) else []
        taken = {(row["code"], row["district"]) for row in rows}
        kept = [row for row in old if (row["code"], row["district"]) not in taken]
        if old:
            _replace(path + ".bak", csv_text(old, COLUMNS))
        _replace(path, csv_text([*kept, *rows], COLUMNS))
    return bool(old)


# --- pictures ---------------------------------------------------------------------------------
# which side is up, how bent, how large -> made straight -> read in strips -> walls and gaps -> rows of cells

MAX_PIXELS, MAX_SIDE = 80_000_000, 40_000  # of a picture as it comes
STRIP_WIDTH = 1_000  # pixels, of the strip beside a row of the draft
MAX_WIDTH = 5_000  # pixels, of a picture that is read
STRIP_PIXELS = 2_000_000  # of one strip handed to the engine: its need of memory goes by it
OVERLAP = 200  # pixels that neighbouring strips share: more than a line of text is high
TEXT_HEIGHT = 32  # pixels; text far smaller or larger is brought to it
SURE_CHARACTER, SURE_DIGIT = 0.8, 0.95  # below these a character is doubtful
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

    def cut(self, places: list[float]) -> list["Text"]:
        """It in the pieces into which upright lines at some places cut it, each with its own characters."""
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

        from PIL import Image, ImageOps
    except ImportError:
        raise extra_missing(path, "ocr") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about broken marks and about size, which is judged here
            photo = Image.open(path)
            width, height = photo.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise ListError(path, f"图片太大：{width}×{height}", "请裁成几张再试")
            photo = ImageOps.exif_transpose(photo).convert("RGBA")
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
            found.append(numpy.array(boxes) + (0, top))
    corners = numpy.concatenate(found)
    wide, high = (numpy.linalg.norm(corners[:, at] - corners[:, 0], axis=1) for at in (1, 3))
    return corners, wide, high


def upright(engine: Any, image: Any) -> Any:
    """A picture turned by quarters so that its texts stand upright."""
    corners, wide, high = find_texts(engine, image)
    if (high > wide).sum() * 2 > len(corners):
        image = numpy.ascontiguousarray(numpy.rot90(image))
        corners, wide, high = find_texts(engine, image)
    sure = [0.0, 0.0]  # as it stands, and upside down
    for box in corners[numpy.argsort(-wide)[:9]]:
        (left, top), (right, bottom) = numpy.maximum(box.min(axis=0), 0).astype(int), box.max(axis=0).astype(int)
        line = image[top:bottom, left:right]
        for at, view in enumerate((line, numpy.ascontiguousarray(line[::-1, ::-1]))):
            sure[at] += sum(engine(view, use_det=False, use_rec=True).scores)
    return numpy.ascontiguousarray(image[::-1, ::-1]) if sure[1] > sure[0] else image


def straight_lines(image: Any, shortest: float) -> tuple[Any, Any]:
    """(level, upright) straight edges longer than a letter: arrays of x0, y0, x1, y1; rightwards and downwards.

    Painted rules, the edges of coloured rows, a table's frame. An upright one is given as y0, x0, y1, x1.
    """
    found = cv2.createLineSegmentDetector().detect(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))[0]
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
        level, down = straight_lines(image, 2 * letter)
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


def made_straight(engine: Any, image: Any) -> Any:
    """A picture as the engine reads it best: upright, level, its text neither tiny nor huge."""
    image = upright(engine, image)
    corners, wide, high = find_texts(engine, image)
    if not len(corners):
        return image
    height = float(numpy.median(high))
    image = flattened(image, corners[wide > 4 * high], height)
    scale = 1.0 if 0.8 * TEXT_HEIGHT < height < 2 * TEXT_HEIGHT else min(TEXT_HEIGHT / height, 3.0)
    scale = min(scale, MAX_WIDTH / image.shape[1])
    return image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


# --- pictures: read ---------------------------------------------------------------------------


def read_strip(engine: Any, image: Any) -> list[Text]:
    """The texts on one strip of a straight picture; those askew are a watermark's and left out, unless a number."""
    result = engine(image, use_det=True, use_rec=True)
    texts = []
    for corners, words in zip(result.boxes if result.boxes is not None else [], result.word_results):
        read = [(word, (box[0][0] + box[1][0]) / 2, sure) for word, sure, box in words if word.strip()]
        text = "".join(word for word, _, _ in read)
        (x0, y0), (x1, y1) = corners[0], corners[1]
        askew = len(read) > 2 and abs(y1 - y0) > 0.15 * abs(x1 - x0)
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
            if min(text.text[at - 1 : at + 1]) > "\u3000":
                steps.append(text.middles[at] - text.middles[at - 1])
    return float(numpy.median(steps or [0.7 * (text.bottom - text.top) for text in texts]))


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

    def bridge(self, others: "Walls") -> None:
        """Closes the gaps that something written over a wall made: those not from one crossing wall to another."""
        walls: list[list[float]] = []
        for line, start, at, end in sorted(zip(self.line, self.start, self.at, self.end)):
            last = walls[-1] if walls else [0, 0, 0, -1]
            gap = (last[2], start)
            narrow = last[3] == line and gap[1] - gap[0] < 4 * self.letter
            if narrow and not all(others.crossed(place, at) for place in gap):
                last[2] = max(last[2], end)
            else:
                walls.append([at, start, end, line])
        self._keep([wall[:3] for wall in walls])

    def crossed(self, at: float, place: float) -> bool:
        """Whether one of the walls stands about there, about at a place on its way."""
        slack = self.letter / 2
        way = (self.start < place + slack) & (self.end > place - slack)
        return bool((way & (abs(self.at - at) < slack)).any())

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


Cell = tuple[float, float, float, float]  # the walls around a text: left, top, right, bottom; infinite where none is


def cell_around(text: Text, level: Walls, down: Walls) -> Cell:
    """The nearest walls around a text: those beside its line, those above and below, those beside the whole cell."""
    low, high = text.middle - 1, text.middle + 1
    for _ in range(2):
        left, right = down.around(text.middles[0], low, high)[0], down.around(text.middles[-1], low, high)[1]
        begin, stop = (text.middles[0] if left == -OPEN else left), (text.middles[-1] if right == OPEN else right)
        top, bottom = level.around(text.middle, begin, max(stop, begin + 1))
        if top == -OPEN or bottom == OPEN:
            break
        low, high = top, bottom
    return left, top, right, bottom


# --- pictures: rows and columns ---------------------------------------------------------------


class Table:
    """A table on a picture: the edges of its rows and of its columns, the texts in each cell."""

    def __init__(self, rows: list[float], columns: list[float]) -> None:
        self.rows, self.columns = rows, columns
        self.texts: dict[tuple[int, int], list[Text]] = {}

    def put(self, text: Text, column: int, first: int, last: int) -> None:
        """A text into a column, into each row from first to before last, into one at least."""
        for row in range(first, max(last, first + 1)):
            self.texts.setdefault((row, column), []).append(text)


def closest(edges: list[float], place: float) -> int:
    """Which of some edges is nearest to a place."""
    return min(range(len(edges)), key=lambda at: abs(edges[at] - place))


def clustered(values: Iterable[float], slack: float) -> list[float]:
    """The middles of groups of values of which neighbours are closer than `slack`, in order."""
    groups: list[list[float]] = []
    for value in sorted(values):
        if groups and value - groups[-1][-1] < slack:
            groups[-1].append(value)
        else:
            groups.append([value])
    return [sum(group) / len(group) for group in groups]


def walled_tables(texts: list[Text], cells: list[Cell], letter: float) -> list[Table]:
    """The tables that closed cells make up: those that lie wall to wall, together."""
    left, top, right, bottom = numpy.array(cells).T
    beside = (left[:, None] - right < letter / 2) & (left - right[:, None] < letter / 2)
    touching = beside & (top[:, None] - bottom < letter / 2) & (top - bottom[:, None] < letter / 2)
    group, before = numpy.arange(len(cells)), numpy.full(len(cells), -1)
    while (group != before).any():
        before, group = group, numpy.where(touching, group, len(cells)).min(axis=1)
    tables = []
    for one in dict.fromkeys(group.tolist()):
        members = numpy.flatnonzero(group == one).tolist()
        rows = clustered([cells[at][side] for at in members for side in (1, 3)], letter / 2)
        table = Table(rows, clustered([cells[at][side] for at in members for side in (0, 2)], letter / 2))
        for at in members:
            first, last = closest(rows, cells[at][1]), closest(rows, cells[at][3])
            table.put(texts[at], closest(table.columns, cells[at][0]), first, last)
        tables.append(table)
    return tables


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
        return WHOLE_NUMBER.fullmatch(before + line) is not None or not WHOLE_NUMBER.fullmatch(before)
    return needs > room


def unwrapped(texts: list[Text], letter: float, left: float, right: float) -> list[list[Text]]:
    """Texts by lines as they were written: one that was broken because it was full is put together again.

    `left` and `right` are the edges of their cell; `left` is infinite where all lines begin at the left, as a text does.
    """
    written: list[list[Text]] = []
    for line in in_lines(texts, letter):
        text = "".join(piece.text for piece in line)
        word = re.match(r"[\dA-Za-z－-]+|.", line[0].text)
        needs = line[0].middles[word.end() - 1 if word else 0] - line[0].middles[0] + 0.8 * letter
        last = written[-1] if written else line
        room = right - last[-1].middles[-1] - letter / 2 + max(last[0].middles[0] - letter / 2 - left, 0.0)
        apart = line[0].middle - last[-1].middle > 2.5 * letter
        if written and not apart and goes_on("".join(piece.text for piece in last), text, needs, room):
            last += line
        else:
            written.append(line)
    return written


def written(texts: list[Text]) -> str:
    """Texts in a row as one, without a mark that a gap in front was taken for."""
    return "".join(text.text for text in texts).lstrip("：:，、；")


def column_edges(lines: list[list[Text]], letter: float) -> list[float]:
    """The edges of columns: the gaps that lines share, but for one line in twenty."""
    cover = numpy.zeros(int(max(text.right for line in lines for text in line) + 2 * letter), int)
    for text in itertools.chain.from_iterable(lines):
        for character, middle in zip(text.text, text.middles):
            half = (0.35 if character < "\u2000" else 0.55) * letter  # so that the letters of a word touch
            cover[max(int(middle - half), 0) : int(middle + half)] += 1
    full = cover > len(lines) * 0.05
    starts, ends = numpy.flatnonzero(full[1:] & ~full[:-1]), numpy.flatnonzero(~full[1:] & full[:-1])
    return [float(starts[0] - letter), *((ends[:-1] + starts[1:]) / 2), float(ends[-1] + letter)]


def row_edges(columns: list[list[Text]], letter: float) -> list[float]:
    """The edges of rows: the blank stretches that columns share, but for those with a text now and then."""
    usual = numpy.median([len(texts) for texts in columns])
    slices: list[list[float]] = []
    for middle in sorted(text.middle for texts in columns if len(texts) > 0.6 * usual for text in texts):
        top, bottom = middle - 0.45 * letter, middle + 0.45 * letter
        if slices and top <= slices[-1][1]:
            slices[-1][1] = bottom
        else:
            slices.append([top, bottom])
    blanks = [(below[0] - above[1], (above[1] + below[0]) / 2) for above, below in itertools.pairwise(slices)]
    usual = sorted(blanks)[len(blanks) * 3 // 4][0] if blanks else 0.0
    edges = [edge for blank, edge in blanks if blank > 0.6 * usual]  # narrower ones are between two lines of one row
    return [slices[0][0] - letter, *edges, slices[-1][1] + letter]


def spans(texts: list[Text], rows: list[float], letter: float) -> list[tuple[int, int]]:
    """The rows (first, last + 1) of each text of a column: its own, or those around it where one stands for several."""
    own = [min(max(sum(edge <= text.middle for edge in rows) - 1, 0), len(rows) - 2) for text in texts]
    around, first, off = [], 0, 0.0
    for text in texts:
        last = min(max(closest(rows, 2 * text.middle - rows[first]), first + 1), len(rows) - 1)
        around.append((first, last))
        off = max(off, abs((rows[first] + rows[last]) / 2 - text.middle))
        first = min(last, len(rows) - 2)
    if len(texts) < 0.6 * (len(rows) - 1) and off < letter and around[-1][1] == len(rows) - 1:
        return around
    return [(row, row + 1) for row in own]


def gap_table(texts: list[Text], cells: list[Cell], letter: float) -> Table | None:
    """The table that texts make up which no walls, or walls one way only, keep apart; None where it is running text."""
    pieces = []
    for text, cell in zip(texts, cells):
        gaps = [sum(pair) / 2 for pair in itertools.pairwise(text.middles) if pair[1] - pair[0] > 1.9 * letter]
        pieces += [(piece, cell) for piece in text.cut(gaps)]
    several = [line for line in in_lines([piece for piece, _ in pieces], letter) if len(line) > 1]
    if len(several) < 3 or sum(map(len, several)) < 0.6 * len(pieces):
        return None
    pieces = [(piece, cell) for piece, cell in pieces if piece.bottom > several[0][0].top]  # a title stands above
    beside = [edge for _, cell in pieces for edge in (cell[0], cell[2]) if abs(edge) < OPEN]
    above = [edge for _, cell in pieces for edge in (cell[1], cell[3]) if abs(edge) < OPEN]
    columns = clustered(beside, letter / 2) if len(beside) > 1.6 * len(pieces) else column_edges(several, letter)
    if len(columns) < 3:
        return None
    filled: list[list[Text]] = [[] for _ in columns[1:]]
    for piece, _ in pieces:
        for part in piece.cut(columns[1:-1]):
            filled[sum(part.middles[0] > edge for edge in columns[1:-1])].append(part)
    rows = clustered(above, letter / 2) if len(above) > 1.6 * len(pieces) else row_edges(filled, letter)
    table = Table(rows, columns)
    for column, parts in enumerate(filled):
        parts.sort(key=lambda part: part.middle)
        for part, (first, last) in zip(parts, spans(parts, rows, letter) if parts else []):
            table.put(part, column, first, last)
    return table


def layout(texts: list[Text], level: Walls, down: Walls, letter: float) -> tuple[list[Table], list[Text]]:
    """(the tables on a picture, the texts that stand in none)."""
    pieces = [piece for text in texts for piece in text.cut(down.through(text))]
    cells = [cell_around(piece, level, down) for piece in pieces]
    closed = [at for at, cell in enumerate(cells) if max(map(abs, cell)) < OPEN]
    tables = []
    if closed:
        found = walled_tables([pieces[at] for at in closed], [cells[at] for at in closed], letter)
        tables = [table for table in found if len(table.rows) > 2 and len(table.columns) > 2]
    placed = {text for table in tables for texts in table.texts.values() for text in texts}
    rest = [at for at, piece in enumerate(pieces) if piece not in placed]
    if len(rest) > len(pieces) / 2:
        table = gap_table([pieces[at] for at in rest], [cells[at] for at in rest], letter)
        if table:
            tables.append(table)
            rest = [at for at in rest if not table.rows[0] < pieces[at].middle < table.rows[-1]]
    return tables, [pieces[at] for at in rest]


# --- pictures: parts --------------------------------------------------------------------------


class Picture:
    """A straight picture that is being read: its pixels, the engine, the width of a letter on it."""

    def __init__(self, image: Any, engine: Any, letter: float) -> None:
        self.image, self.engine, self.letter = image, engine, letter

    def doubts(self, texts: list[Text]) -> tuple[str, ...]:
        """What the engine is unsure of in some texts, and numbers that read otherwise when read alone and larger."""
        doubts = []
        for text in texts:
            least = [SURE_DIGIT if character.isdigit() else SURE_CHARACTER for character in text.text]
            weak = [character for character, sure, low in zip(text.text, text.sure, least) if sure < low]
            if weak:
                doubts.append(f"「{text.text}」里的「{''.join(weak)}」不够清楚")
            elif len(re.sub(r"\D", "", text.text)) >= 6:
                again = self.read_again(text)
                if re.sub(r"\D", "", again) != re.sub(r"\D", "", text.text):
                    doubts.append(f"「{text.text}」再读成了「{again}」")
        return tuple(doubts)

    def read_again(self, text: Text) -> str:
        """One text once more, by itself and larger."""
        view = self.image[
            max(int(text.top) - 3, 0) : int(text.bottom) + 3, max(int(text.left) - 3, 0) : int(text.right) + 3
        ]
        larger = cv2.resize(view, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
        return "".join(self.engine(larger, use_det=False, use_rec=True).txts or ()).replace(" ", "")

    def strip(self, top: float, bottom: float, left: float, right: float) -> bytes:
        """A part of the picture as a small grey PNG."""
        view = self.image[max(int(top), 0) : int(bottom) + 1, max(int(left), 0) : int(right) + 1]
        factor = min(STRIP_WIDTH / view.shape[1], 1.0)
        small = cv2.resize(
            cv2.cvtColor(view, cv2.COLOR_BGR2GRAY), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
        )
        return bytes(cv2.imencode(".png", small // 16 * 17)[1])  # sixteen greys: half the size

    def table_lines(self, table: Table) -> list[Line]:
        """The rows of a table with their doubts and strips; what is empty throughout is left out."""
        used = sorted({column for _, column in table.texts})
        lines = []
        for row, (top, bottom) in enumerate(itertools.pairwise(table.rows)):
            cells = []
            for column in used:
                left, right = table.columns[column : column + 2]
                pieces = unwrapped(table.texts.get((row, column), []), self.letter, left, right - 0.3 * self.letter)
                cells.append("\n".join(written(texts) for texts in pieces))
            if any(cells):
                texts = [text for column in used for text in table.texts.get((row, column), [])]
                strip = self.strip(top, bottom, table.columns[0], table.columns[-1])
                lines.append(Line(len(lines) + 1, cells, self.doubts(texts), strip))
        return lines

    def text_lines(self, texts: list[Text]) -> list[Line]:
        """Running text by paragraphs."""
        edges = min(text.left for text in texts), max(text.right for text in texts)
        lines: list[Line] = []
        for texts in unwrapped(texts, self.letter, OPEN, max(text.middles[-1] for text in texts) + self.letter / 2):
            strip = self.strip(min(text.top for text in texts), max(text.bottom for text in texts), *edges)
            lines.append(Line(len(lines) + 1, [written(texts)], self.doubts(texts), strip))
        return lines


def picture_parts(image: Any, name: str) -> list[Part]:
    """The tables and the running text on a picture (a PIL image), from above; `name` goes into each part.

    A cell that spans several rows stands in each of them; a line's doubts say what the engine is unsure of and which
    number reads otherwise a second time. Shows its progress on a terminal.
    """
    terminal = is_terminal(sys.stderr)
    with click.progressbar(
        length=100, label=f"读图 {name}".rstrip(), file=sys.stderr if terminal else io.StringIO()
    ) as bar:
        engine = load_engine()
        pixels = numpy.ascontiguousarray(numpy.array(image.convert("RGB"))[:, :, ::-1])
        if min(pixels.shape[:2]) < 16:
            return []
        bar.update(5)
        pixels = made_straight(engine, pixels)
        bar.update(15)
        texts = read_texts(engine, pixels, lambda row: bar.update(20 + 60 * row // len(pixels) - bar.pos))
        if not texts:
            return []
        picture = Picture(pixels, engine, letter_width(texts))
        lines = straight_lines(pixels, 1.15 * picture.letter)
        level, down = Walls(lines[0], picture.letter), Walls(lines[1], picture.letter)
        level.bridge(down)
        down.bridge(level)
        tables, rest = layout(texts, level, down, picture.letter)
        parts = []
        for table in sorted(tables, key=lambda table: table.rows[0]):
            parts.append((table.rows[0], Part(name, True, picture.table_lines(table))))
            bar.update(20 // len(tables))
        starts = [top for top, _ in parts]
        for at in range(len(parts) + 1):
            between = [text for text in rest if sum(start <= text.middle for start in starts) == at]
            if between:
                parts.append((min(text.top for text in between), Part(name, False, picture.text_lines(between))))
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
        for name in ("unit", "address"):
            named = _placed(row[name], row["city"], bundled)
            if named and named != (row["code"], row["district"]):
                yield name, f"写的是{named[1]}，这一行却是{row['district']}", "请核对后改成一致"


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


def is_date(text: str) -> bool:
    """Whether a text is a day as YYYY-MM-DD, today at the latest."""
    import datetime

    try:
        return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and (
            datetime.date.fromisoformat(text) <= datetime.date.today()
        )
    except ValueError:
        return False


def check_origin(row: Row, bundled: Catalog) -> Iterator[Problem]:
    """Every row has a status, a source and that source's date."""
    if row["status"] not in ("listed", "bureau"):
        yield "status", f"「{row['status']}」不认识", "应为 listed 或 bureau"
    if not row["source"].strip():
        filled = any(row[name] for name in CONTACT_COLUMNS)
        yield "source", "联系办法没有来源" if filled else "是空的", "请写上网址或出处"
    if not is_date(row["as_of"]):
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


def own_rows() -> Sequence[Row]:
    """The rows of the user's own list; none before the first import."""
    path = own_list_path()
    return load_list(path) if os.path.exists(path) else []


def merged(bundled: Sequence[Row], own: Sequence[Row]) -> Sequence[Row]:
    """The user's own rows stand for their divisions, the bundled ones for the rest."""
    taken = {(row["code"], row["district"]) for row in own}
    return [*own, *(row for row in bundled if (row["code"], row["district"]) not in taken)] if own else bundled


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


def import_note(entry: Entry) -> Row:
    """What an import says of a row: its number, the result, what was repaired or is doubtful."""
    result = "待核对" if entry.problems else "已修正" if entry.repairs else "可收录"
    return {"row": str(entry.number), "result": result, "note": "；".join([*entry.problems, *entry.repairs])}


def import_picture(path: str, catalog: Catalog, dry_run: bool) -> int:
    """Write a draft CSV beside a picture; nothing is taken over from a picture itself."""
    text, rows, doubtful = draft_text(path, catalog)
    draft = f"{path}.草稿.csv"
    if dry_run:
        emit(text.removeprefix("\ufeff").replace("\r\n", "\n"), machine=True)
    else:
        _replace(draft, text)
        tell(f"草稿写在 {typed(draft)}。")
    tell(f"从图里读到 {rows} 行，{doubtful} 行有存疑。图片不直接收录：")
    tell(f"请逐格对照原图改好草稿，再运行 xunqin import {typed(draft)}")
    return FOUND


@cli.command("import", short_help="导入官方公布的名单", options_metavar="[选项]")
@click.argument("file", metavar="文件")
@click.option("--dry-run", is_flag=True, help="只看结果，不收录")
@click.option("--as-of", metavar="日期", help="名单的日期，如 2022-07-05；默认今天")
@output_options
def import_command(file: str, dry_run: bool, as_of: str | None, format: str | None) -> int:
    """导入官方公布的名单：CSV、XLSX 或图片。

    \b
      xunqin import 名单.xlsx --as-of 2022-07-05
      xunqin import 名单.png      先得到草稿 CSV
      xunqin import 名单.png.草稿.csv
    图片只写成草稿，请对照原图改好再导入。
    有问题的行不收录，写到「文件.rejected.csv」，
    改好后再导入一次。
    """
    import datetime

    if as_of is not None and not is_date(as_of):
        raise click.UsageError(f"--as-of 的值「{as_of}」不是过去的日期，应如 2022-07-05")
    catalog = bundled_catalog()
    kind = file_kind(file)
    if kind == PICTURE:
        return import_picture(file, catalog, dry_run)
    entries = checked(entries_of(read_sheet(file, kind), catalog, file), catalog)
    source = os.path.basename(typed(file))
    date = as_of or datetime.date.today().isoformat()
    read = [(entry, entry_row(entry, catalog, source, date)) for entry in entries]
    show([{**import_note(entry), **row} for entry, row in read], ("row", "result", "note"), format)
    clean_rows = [row for entry, row in read if not entry.problems]
    rejected = [entry for entry in entries if entry.problems]
    tell(f"读到 {len(read)} 行：可收录 {len(clean_rows)} 行，待核对 {len(rejected)} 行。")
    if dry_run:
        tell("只是试读，什么都没有写。")
        return UNUSABLE if rejected else FOUND
    if rejected:
        _replace(file + ".rejected.csv", rejected_text(rejected))
        tell(f"待核对的行写在 {typed(file)}.rejected.csv，改好后再导入它。")
    if clean_rows:
        replaced = take_over(clean_rows, own_list_path())
        tell(f"已收录到 {own_list_path()}" + ("，原来的名单留作 points.csv.bak。" if replaced else "。"))
    return UNUSABLE if rejected else FOUND


@cli.command("check", short_help="检查名单，看覆盖多少", options_metavar="[选项]")
@click.argument("file", required=False, metavar="[文件]")
@click.pass_obj
def check_command(data: str | None, file: str | None) -> int:
    """检查一份名单，一个问题一行；再看它覆盖多少。

    \b
      xunqin check
      xunqin check 我的名单.csv
    不给文件时，检查正在使用的名单。
    """
    bundled = bundled_catalog()
    own = own_list_path()
    paths = [file or data or ""] if file or data else [data_file("points.csv"), *([own] if os.path.exists(own) else [])]
    lists = [list_problems(path, bundled) for path in paths]
    rows = lists[0][0] if len(lists) == 1 else merged(lists[0][0], lists[1][0])
    problems = [problem for _, found in lists for problem in found]
    lines = [*problems, *(f"名单：{typed(path)}" for path in paths), *coverage(rows)]
    emit("".join(f"{line}\n" for line in lines))
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
