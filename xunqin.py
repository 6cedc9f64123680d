#!/usr/bin/env python3
# /// script
# requires-python = ">=3.10"
# dependencies = ["click>=8.1.7", "rich>=13.7", "rapidfuzz>=3.6"]
# ///
"""xunqin (寻亲): type a place in Hubei in any way, get the police unit that takes a free DNA sample.

One file, read from top to bottom: load, names, match, show, import, check, near, guide, commands. Three rules stand
above all others: no contact that a cited source does not print, no answer for a place that is not meant, and nothing
that a person has done is lost.

The words used here:
    row         one unit of a list, as a dict of the columns in COLUMNS; a list's rows are plain cells until shown
    division    a county or zone as (GB/T 2260 code, name); (420600, 襄阳市) is a unit above the county
    county, prefecture, township    the three levels; a city here is a prefecture, 仙桃 and its like are both
    place       a row of the gazetteer: a name with its readings, its kind and the division of today
    sense       one thing that a written name stands for; a name may have several (洛阳: a town here, a city elsewhere)
    use         where a sense counts: whole anywhere, short beside known words, bare alone, inside behind its prefecture
    core        what is left of a text without coarse names and known words around it: sound and shape repair it
    piece       a part of a text: a name with its senses, a known word (phrases.txt), or unknown characters
    scope       the divisions in which a name must lie because of the coarser name in front of it
    hit, tier   a division that answers, and how it was found; TIERS says what people are told of it
    elsewhere   a place outside Hubei
    part, line  what a reader makes of a file to import: tables or running text, their rows or lines
    entry       one unit of an imported list on its way through the checks
"""

from __future__ import annotations

import gc

gc.disable()  # looking for cycles while modules load takes a tenth of the start
import codecs
import contextlib
import csv
import errno
import inspect
import io
import itertools
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

gc.enable()

__version__ = "0.2.0"

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


def printable(text: str) -> str:
    """A text of a file or of a person without what would move a terminal's cursor; line ends become 、."""
    return re.sub(CONTROLS, "?", text.replace("\n", "、"))


class ListError(Exception):
    """A list that cannot be used. The message is one line: file:row: column: problem: remedy."""

    def __init__(self, path: str, problem: str, remedy: str, row: int = 0, column: str = "") -> None:
        self.row = row
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
    "ELOOP": "链接绕成了圈",
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


MAX_LIST_BYTES = 200_000_000  # some million rows; nothing that large is read by mistake


def file_bytes(path: str, most: int, remedy: str, piped: bool = False) -> bytes:
    """The bytes of a file, or of stdin. Raises ListError for no file, one that cannot be opened or exceeds `most`."""
    try:
        if piped:
            raw = sys.stdin.buffer.read(most + 1)
        elif os.path.exists(path) and not os.path.isfile(path):
            raise ListError(path, "这是一个目录" if os.path.isdir(path) else "不是普通文件", remedy)
        else:
            with open(path, "rb") as file:
                raw = file.read(most + 1)
    except OSError as error:
        raise ListError(path or "（空的文件名）", f"打不开（{reason(error)}）", "请检查路径和权限") from None
    if len(raw) > most:
        raise ListError(path, f"文件太大（超过 {most // 1_000_000} MB）", "请确认是不是给错了文件")
    return raw


def read_text(path: str) -> str:
    """A file's text: UTF-8, with or without BOM. Raises ListError when it is no readable text."""
    raw = file_bytes(path, MAX_LIST_BYTES, "请给出 CSV 文件")
    if b"\0" in raw:
        raise ListError(path, "不是文本文件", "请给出 CSV；图片和 Excel 表请用 xunqin import")
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise ListError(path, "不是 UTF-8 编码", "请另存为 UTF-8，或用 xunqin import 读入", row) from None


# What a spreadsheet would run at the start of a cell, but for a whole number such as "+86-138" or "-1".
_FORMULA_STARTS = ("=", "@", "+", "-")
_SIGNED_NUMBER = r"[+-][\d -]*\d"


def cell_problem(cell: str) -> tuple[str, str] | None:
    """(problem, remedy) of a cell that must never be printed, or None."""
    import unicodedata

    if "\n" in cell or "\t" in cell:
        return "一格里有换行或制表符", "请改成一行；多个号码用 ; 隔开"
    if not cell.isprintable() and any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in cell):
        return "含有控制字符", "请删掉看不见的字符"
    if cell.startswith(_FORMULA_STARTS) and not re.fullmatch(_SIGNED_NUMBER, cell):
        return "像是表格公式", "请删掉开头的 = + - @"
    return None


def parse_rows(text: str, path: str, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """(row number, cells) of each record of a CSV text, blank lines left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 1
    try:
        for cells in reader:
            if cells:
                yield row, cells
            row = reader.line_num + 1
    except csv.Error as error:
        raise ListError(path, f"CSV 格式不对（{error}）", "请检查引号是否成对", row) from None


class Rows(Sequence[Row]):
    """The rows of a list as plain cells below one header; a row becomes a dict when it is shown."""

    def __init__(self, header: list[str], records: list[list[str]]) -> None:
        self.header, self.records = header, records

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(len(self))[at]]
        return dict(zip(self.header, self.records[at]))

    def __len__(self) -> int:
        return len(self.records)


def column_of(rows: Sequence[Row], name: str) -> list[str]:
    """One column of a list."""
    if isinstance(rows, Rows):
        at = rows.header.index(name)
        return [cells[at] for cells in rows.records]
    return [row[name] for row in rows]


def parse_list(text: str, path: str) -> tuple[Rows, list[ListError]]:
    """(the rows that have every cell, what is wrong with the list's cells, in its order) of a CSV text.

    The header holds the columns of COLUMNS in any order; others are kept. Raises ListError without such a header.
    """
    records = parse_rows(text, path)
    start, header = next(records, (0, []))
    if not header:
        raise ListError(path, "文件是空的", "请给出有表头和内容的 CSV")
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise ListError(path, f"缺少列 {'、'.join(missing)}", f"表头应为 {','.join(COLUMNS)}", 1)
    twice = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if twice:
        raise ListError(path, f"列 {'、'.join(twice)} 重复", "请只留一列", 1)
    # One look at the whole; most lists are clean, and large.
    marks = ('"', "=", "@", "+", ",-", "\n-")  # a quote, or what _FORMULA_STARTS may begin a cell with
    if text.replace("\n", "").replace("\r", "").isprintable() and not any(mark in text for mark in marks):
        kept = [line.split(",") for line in text.splitlines() if line]
        if {len(cells) for cells in kept} == {len(header)}:
            return Rows(header, kept[1:]), []
    kept, problems = [], []
    for number, cells in itertools.chain([(start, header)], records):
        if len(cells) != len(header):
            wrong = f"有 {len(cells)} 格，表头有 {len(header)} 格"
            problems.append(ListError(path, wrong, "请补齐或删去多余的格", number))
            continue
        kept.append(cells)
        found = ((name, cell_problem(cell)) for name, cell in zip(header, cells))
        problems += [ListError(path, *problem, number, name) for name, problem in found if problem]
    return Rows(header, kept[1:]), problems


def load_list(path: str) -> Rows:
    """The units of a CSV list. Raises ListError, naming row and column, for anything that is not such a list."""
    rows, problems = parse_list(read_text(path), path)
    if problems:
        raise problems[0]
    return rows


def bundled_path(name: str) -> str:
    """The path of a bundled data file that is there. Raises ListError when the script came without its data."""
    path = data_file(name)
    if not os.path.exists(path):
        raise ListError(path, "自带的数据不在", "请连同 data 目录一起下载，或用 pip 安装")
    return path


@cache
def table_lines(name: str) -> list[str]:
    """The lines of a bundled table."""
    return read_text(bundled_path(name)).splitlines()


# ==============================================================================================
# Names: how a place's name is written, read and drawn
# ==============================================================================================

# The 55 peoples and 各族 at the end of a name, as autonomous areas are named after them.
_PEOPLES = (
    "(?:(?:蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇|"
    "柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|"
    "塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺|各)族?)+$"
)
_AUTONOMOUS = ("自治区", "自治州", "自治县", "自治旗")
_LONG_SUFFIXES = ("特别行政区", "林区", "新区", "地区", "矿区")
_SUFFIXES = frozenset("省市区县州旗盟")
COUNTY_SUFFIXES = ("区", "县", "市")
# A township's suffixes, of today and of another time, longest first; 街 alone is as often a street's.
TOWNSHIP_SUFFIXES = ("街道办事处", "人民公社", "办事处", "街道", "公社", "镇", "乡", "街")


def _without_peoples(text: str) -> str:
    """长阳土家族 -> 长阳; at least two characters stay."""
    return re.sub(f"(?<=..){_PEOPLES}", "", text)


def short_name(name: str) -> str:
    """A division's name without its suffix, when two characters are left.

    江岸区 -> 江岸, 长阳土家族自治县 -> 长阳, 神农架林区 -> 神农架, 恩施土家族苗族自治州 -> 恩施; 房县 -> 房县.
    """
    if name.endswith(_AUTONOMOUS):
        return _without_peoples(name[:-3])
    length = int(name[-1:] in _SUFFIXES)
    if name.endswith(_LONG_SUFFIXES):
        length = next(len(suffix) for suffix in _LONG_SUFFIXES if name.endswith(suffix))
    return name[: len(name) - length] if len(name) - length >= 2 else name


# An identity card's number: six digits of a division code, the birthday, three digits, a check digit or X;
# of then, fifteen digits in all.
_IDENTITY_CARD = (
    r"(?<!\d)(\d{6})[ -]*"
    r"(?:(?:18|19|20)\d{2}[ -]*(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])[ -]*\d{3}[ -]*[\dXx]|\d{2}[ -]*\d{4}[ -]*\d{3})(?!\d)"
)


def masked(text: str) -> str:
    """A text with each identity card's number cut down to its division code: 421023************."""
    return re.sub(_IDENTITY_CARD, r"\g<1>************", text)


@lru_cache(maxsize=1)
def _traditional() -> dict[int, int]:
    """{a traditional or variant character: the simplified one} (OpenCC's table), for str.translate."""
    variants, simple = table_lines("traditional.txt")
    return str.maketrans(variants, simple)


def simplified(text: str) -> str:
    """Traditional and variant characters made simplified: 鄖陽 -> 郧阳, 穀城 -> 谷城."""
    known = text.isascii() or _traditional().keys().isdisjoint(map(ord, set(text)))
    return text if known else text.translate(_traditional())


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """A text without what never changes an answer: spaces, width, case, punctuation, tone marks, traditional forms.

    Jiang'an -> jiangan, "ＪＩＡＮＧ　ＡＮ" -> jiangan, 江岸。 -> 江岸, "huáng pí" -> huangpi, 鄖陽 -> 郧阳.
    """
    import unicodedata

    letters = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return simplified("".join(c for c in unicodedata.normalize("NFKC", letters) if c.isalnum()))


@lru_cache(maxsize=4096)
def _character_readings(character: str) -> tuple[str, ...]:
    """A character's toneless readings; () for one that the table does not know."""
    if character.isascii():
        return ()
    return tuple(line.partition(" ")[0] for line in table_lines("syllables.txt") if character in line)


def readings(text: str, most: int = 16) -> list[tuple[str, ...]]:
    """The toneless readings of a text, at most `most`: 硚口 -> [("qiao", "kou")]; [] with an unknown character."""
    options = [_character_readings(character) for character in text]
    return list(itertools.islice(itertools.product(*options), most))


_SOFT = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"))


@lru_cache(maxsize=1024)
def soft(syllable: str) -> str:
    """A syllable with the pairs that many speakers do not tell apart folded: zh z, ch c, sh s, l n; -ng and -n."""
    for hard, plain in _SOFT:
        if syllable.startswith(hard):
            syllable = plain + syllable[len(hard) :]
            break
    return syllable[:-1] if syllable.endswith(("ing", "eng", "ang")) else syllable


@lru_cache(maxsize=1)
def _lookalikes() -> dict[str, tuple[str, str]]:
    """{a right character: (its look-alikes, weaker ones)}."""
    found = {}
    for line in table_lines("lookalikes.txt"):
        known, _, weak = line[2:].partition("|")
        found[line[0]] = (known, weak)
    return found


def looks_like(typed: str, right: str, perhaps: bool = False) -> bool:
    """Whether a typed character is a known look-alike of the right one (治 of 冶); `perhaps`: a weak one too."""
    known, weak = _lookalikes().get(right, ("", ""))
    return typed in known or (perhaps and typed in weak)


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    return frozenset(table_lines("words.txt"))


def is_word(text: str) -> bool:
    """Whether a text is a word of the language beside or inside which a name only seems to stand (words.txt)."""
    return text in _words()


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

    def names(self) -> tuple[str, ...]:
        """The name and, when there is one, the short name."""
        return (self.name, self.short) if self.short else (self.name,)

    def readings(self, name: str, most: int = 4) -> list[tuple[str, ...]]:
        """The checked readings of `name`, which is this place's name or short name; else the syllable table's."""
        if not self.pinyin:
            return readings(name, most)
        return list(dict.fromkeys(tuple(reading.split()[: len(name)]) for reading in self.pinyin.split(";")))


# Kinds whose names a wrong character may be repaired to; a township's never, they are too many.
REPAIRED = ("county", "zone", "prefecture", "former")


@cache
def places_of(repaired: bool) -> list[Place]:
    """The gazetteer's rows of the kinds in REPAIRED, or the others; no field holds a comma (a test sees to it)."""
    rows = (line.split(",") for line in table_lines("places.csv")[1:])
    return [Place(*cells) for cells in rows if (cells[2] in REPAIRED) == repaired]


# ==============================================================================================
# Match: one reading of a text; what it leaves over goes to sound, shape and slips. A sure way beats a clever one
# ==============================================================================================

Division = tuple[str, str]  # (code, district): a zone shares its prefecture's code


# How a name was understood, the surest way first, and what people are told of it.
TIERS = {
    "exact": "",
    "unit": "按单位名",
    "city": "整个市州",
    "code": "按代码",
    "former": "旧名",
    "popular": "俗称",
    "township": "乡镇街道",
    "address": "按地址",
    "pinyin": "按拼音",
    "initials": "按首字母",
    "homophone": "按读音",
    "lookalike": "按字形",
    "typo": "按相近写法",
}
SURE_TIERS = ("exact", "unit", "former", "address")  # their answer may place a row of an import
GUESSES = ("initials", "homophone", "lookalike", "typo")  # theirs is to be confirmed


class Hit(NamedTuple):
    """One division that a query means, the tier that found it, and what to know: the years of a former name."""

    division: Division
    tier: str
    note: str = ""


class Sense(NamedTuple):
    """One thing that a written name stands for; a name may have several.

    `use`: whole counts anywhere, short beside known words, bare when nothing else is there, inside behind its
    prefecture. `note`: a former name's years, the provinces of a place elsewhere.
    """

    kind: str  # province, city, county, former, popular, township, code; held: a prefecture of then; elsewhere
    use: str
    divisions: tuple[Division, ...] = ()
    note: str = ""
    large: bool = False  # a place elsewhere above the county


@lru_cache(maxsize=3)
def _table(name: str) -> dict[str, str]:
    """{a name: its senses as they are written} of lexicon (Hubei), elsewhere (the rest) or letters (pinyin, codes)."""
    cells = read_text(bundled_path(f"{name}.txt")).replace("\n", "\t").split("\t")  # much faster than line by line
    return dict(zip(cells[::2], cells[1::2]))


def _written_senses(name: str) -> list[list[str]]:
    """The fields of a name's senses: kind, use, where, note. A name that a place elsewhere has too is in lexicon."""
    tables = ("letters",) if name.isascii() else ("lexicon", "elsewhere")
    line = next((_table(table)[name] for table in tables if name in _table(table)), "")
    return [sense.split(" ") for sense in line.split(";") if sense]


def elsewhere_senses(name: str) -> list[Sense]:
    """The places outside Hubei with this full or short name or pinyin, so that none is mistaken for one in it."""
    return [
        Sense(kind, use, (), where.replace(",", "、"), note == "large")
        for kind, use, where, note in _written_senses(name)
        if kind == "elsewhere"
    ]


def is_official_elsewhere(name: str) -> bool:
    """Whether a division outside Hubei bears exactly this full name, today or since 1981."""
    return any(sense.use == "whole" for sense in elsewhere_senses(name))


def is_large_elsewhere(name: str) -> bool:
    """Whether a prefecture or province outside Hubei has this name, short name or pinyin."""
    return any(sense.large for sense in elsewhere_senses(name))


class Candidate:
    """A name that a misspelt one may be: as it is written, its place, and the divisions it stands for."""

    def __init__(self, name: str, place: Place, divisions: tuple[Division, ...]) -> None:
        self.name, self.place, self.divisions = name, place, divisions

    def readings(self, most: int = 4) -> list[tuple[str, ...]]:
        """The checked readings of the name."""
        return self.place.readings(self.name, most)[:most]


OF_TODAY = ("county", "prefecture")


def near_keys(name: str, heard: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Length, place and what stands there, for each character or soft syllable of a name, written and heard."""
    for parts in (name, *(tuple(map(soft, reading)) for reading in heard)):
        for at, part in enumerate(parts):
            yield f"{len(name)} {at} {part}"


# What the names that may be repaired are looked up by.
KEYS: dict[str, Callable[[Candidate], Iterable[str]]] = {
    "written": lambda one: [one.name],
    "sound": lambda one: map(" ".join, one.readings()),
    "soft sound": lambda one: [" ".join(map(soft, reading)) for reading in one.readings()],
    "spelling": lambda one: map("".join, one.readings()),
    "initials": lambda one: [
        "".join(syllable[0] for syllable in reading) for reading in one.readings(1) if one.place.kind in OF_TODAY
    ],
    "shape": lambda one: [f"{one.name[:at]}*{one.name[at + 1 :]}" for at in range(len(one.name))],
    "cut short": lambda one: [
        one.name[:at] + one.name[at + 1 :] for at in range(len(one.name) - 1) if len(one.name) > 3
    ],
    "near": lambda one: near_keys(one.name, one.readings()),
}


class Catalog:
    """A list of units and what can be looked up in it. Everything past the plain names is made when asked for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.row_numbers: dict[Division, list[int]] = {}
        for at, division in enumerate(zip(column_of(rows, "code"), column_of(rows, "district"))):
            self.row_numbers.setdefault(division, []).append(at)
        self._senses: dict[str, tuple[Sense, ...]] = {}
        self._indexes: dict[str, dict[str, list[Candidate]]] = {}

    @property
    def divisions(self) -> Collection[Division]:
        """All divisions of the list, in its order."""
        return self.row_numbers.keys()

    def rows_of(self, division: Division) -> list[Row]:
        """The rows of one division."""
        return [self.rows[at] for at in self.row_numbers[division]]

    def city_of(self, division: Division) -> str:
        """The city a division belongs to."""
        return self.rows[self.row_numbers[division][0]]["city"]

    @cached_property
    def provinces(self) -> list[str]:
        """The provinces of the list."""
        return [name for name in dict.fromkeys(column_of(self.rows, "province")) if name]

    @cached_property
    def province_names(self) -> set[str]:
        """The provinces' full and short names, written and spelled."""
        names = [*self.provinces, *map(short_name, self.provinces)]
        return {*names, *("".join(reading) for name in names for reading in readings(name))}

    @cached_property
    def cities(self) -> dict[str, list[Division]]:
        """{city: its divisions}, a unit above the county first: (420600, 襄阳市)."""
        cities: dict[str, list[Division]] = {}
        column = column_of(self.rows, "city")
        for division, numbers in self.row_numbers.items():
            city = column[numbers[0]]
            found = cities.setdefault(city, [])
            found.insert(0 if division[1] == city else len(found), division)
        return {city: found for city, found in cities.items() if city and city not in self.provinces}

    @cached_property
    def city_names(self) -> dict[str, str]:
        """{a city's full, short or short + 州 name: its full name}."""
        names = {}
        for city in self.cities:
            short = short_name(city)
            names.update({city: city, short: city})
            if city.endswith("州"):
                names[short + "州"] = city
        return names

    @cached_property
    def above(self) -> set[str]:
        """The names of what units above the county are of: (420600, 襄阳市); not 仙桃市, which is a county too."""
        return {*self.provinces, *(city for city, found in self.cities.items() if [d for _, d in found] != [city])}

    @cached_property
    def full_names(self) -> dict[str, list[Division]]:
        """{a county's or zone's full name: its divisions}."""
        names: dict[str, list[Division]] = {}
        divisions = [division for division in self.divisions if division[1] not in self.above]
        for name, division in zip(simplified("\n".join(name for _, name in divisions)).split("\n"), divisions):
            names.setdefault(name, []).append(division)
        return names

    @cached_property
    def counties(self) -> dict[str, list[Division]]:
        """{a county's or zone's full or short name: its divisions}; what has the full name comes first."""
        names = {name: [*divisions] for name, divisions in self.full_names.items()}
        for name, divisions in self.full_names.items():
            if short_name(name) != name:
                names.setdefault(short_name(name), []).extend(divisions)
        return names

    @cached_property
    def units(self) -> dict[str, list[Division]]:
        """{a unit's whole name, cleaned: its divisions}."""
        units: dict[str, list[Division]] = {}
        columns = (column_of(self.rows, name) for name in ("unit", "code", "district"))
        for unit, code, district in zip(*columns):
            if unit:
                units.setdefault(clean(unit), []).append((code, district))
        return units

    def resolve(self, code: str, district: str) -> list[Division]:
        """The divisions of this list that a code and a name of today stand for; a prefecture's for all its counties."""
        if district in self.cities:
            return self.cities[district]
        return [(code, district)] if (code, district) in self.row_numbers else []

    def here(self, repaired: bool) -> list[tuple[Place, list[Division]]]:
        """(place, divisions) for the gazetteer's rows whose division is in this list."""
        found = [(place, self.resolve(place.code, place.district)) for place in places_of(repaired)]
        return [(place, divisions) for place, divisions in found if divisions]

    @cached_property
    def repairable(self) -> list[tuple[Place, list[Division]]]:
        """What sound and shape may repair: counties, zones, prefectures, former names; and those of the list alone."""
        known = self.here(repaired=True)
        covered = set(itertools.chain(*(divisions for _, divisions in known)))
        for division in self.divisions:
            code, name = division
            if division not in covered and name not in self.above:
                known.append((Place(name, short_name(name), "county", code, name, "", "", "", "", ""), [division]))
        return known

    def senses(self, name: str) -> tuple[Sense, ...]:
        """What a written name stands for in this list, today's divisions first; () when it is no name."""
        found = self._senses.get(name)
        if found is None:
            own = self._own_senses(name)
            # Today's names are in the lexicon where a place elsewhere has them too; else nothing need be read for them.
            stored = [] if own and name not in _table("lexicon") else self._stored_senses(name)
            spelled = self._spelled_senses(name) if name.isascii() else []
            found = self._senses[name] = tuple(own + spelled + stored or self._slip_senses(name))
        return found

    def _own_senses(self, name: str) -> list[Sense]:
        """The counties, the city and the province of the list with this name."""
        found = []
        # Short names are many, and made only where a full one does not do.
        counties = tuple(self.full_names.get(name) or self.counties.get(name) or ())
        if counties:
            found.append(Sense("county", "whole" if simplified(counties[0][1]) == name else "short", counties))
        city = self.city_names.get(name, "")
        if city in self.above:
            found.append(Sense("city", "short" if name == short_name(city) else "whole", tuple(self.cities[city])))
        if name in self.province_names:
            own = [division for division in self.divisions if division[1] in self.provinces]  # its own unit's row
            found.append(Sense("province", "whole", tuple(own)))
        return found

    def _stored_senses(self, name: str) -> list[Sense]:
        """The senses kept for a name: those whose divisions are in this list, and the places elsewhere."""
        found = []
        for kind, use, where, note in _written_senses(name):
            if kind != "elsewhere":
                places = [self.resolve(*place.split("/")) for place in where.split(",")]
                divisions = tuple(dict.fromkeys(itertools.chain(*places)))
                if divisions:
                    found.append(Sense(kind, use, divisions, note))
        return found + elsewhere_senses(name)

    def _spelled_senses(self, letters: str) -> list[Sense]:
        """What the names with this pinyin stand for."""
        names = dict.fromkeys(candidate.name for candidate in self.find("spelling", [letters]))
        return [sense for name in names for sense in self.senses(name)]

    def _slip_senses(self, name: str) -> list[Sense]:
        """The senses of a name with another suffix than its own: 江岸县, 汉口区, 五峰自治县, 汪集街."""
        peoples = "族" in name or "自治" in name
        stem = re.sub("[区县市州]$", "", name)
        stem = _without_peoples(stem.removesuffix("自治")) if peoples else stem
        if stem != name:
            kinds = ("city", "former") if name.endswith("州") else ("county", "former" if peoples else "popular")
            return [sense._replace(use="whole") for sense in self.senses(stem) if sense.kind in kinds]
        suffix = next((suffix for suffix in TOWNSHIP_SUFFIXES if name.endswith(suffix)), "")
        stem = name.removesuffix(suffix)
        if not suffix:
            return []
        if stem.endswith(TOWNSHIP_SUFFIXES):  # 徐古街街道: the stem's own slip
            return [sense for sense in self.senses(stem + "道") if sense.use == "whole"] or self._slip_senses(stem)
        senses = self.senses(stem)
        if any(sense.kind == "county" for sense in senses):  # 张湾镇 may mean 张湾区
            return []
        if suffix == "街":  # what people call a 街道, or just a street
            return [sense._replace(use="short") for sense in self.senses(stem + "街道")]
        return [sense._replace(use="whole") for sense in senses if sense.kind in ("township", "popular")]

    def index(self, kind: str) -> dict[str, list[Candidate]]:
        """{key: the names that may be repaired and have it} for one of KEYS."""
        if kind not in self._indexes:
            index: dict[str, list[Candidate]] = {}
            for place, divisions in self.repairable:
                for name in place.names():
                    candidate = Candidate(name, place, tuple(divisions))
                    for key in dict.fromkeys(KEYS[kind](candidate)):
                        index.setdefault(key, []).append(candidate)
            self._indexes[kind] = index
        return self._indexes[kind]

    def find(self, kind: str, keys: Iterable[str]) -> list[Candidate]:
        """The names that may be repaired and have any of the keys of one of KEYS."""
        return [candidate for key in keys for candidate in self.index(kind).get(key, ())]

    @cached_property
    def town_sounds(self) -> dict[str, list[Division]]:
        """{"yang nuo": [新洲区]}: popular names and townships by their readings, soft pairs folded."""
        index: dict[str, list[Division]] = {}
        for place, divisions in self.here(repaired=False):
            for name in place.names():
                for reading in place.readings(name):
                    index.setdefault(" ".join(map(soft, reading)), []).extend(divisions)
        return index


# --- reading ----------------------------------------------------------------------------------


_LONGEST = 16  # no name is longer
_AROUND = ("break", "filler", "denial", "person", "police", "thing", "road")


@lru_cache(maxsize=1)
def _phrases() -> dict[str, list[str]]:
    """{kind: its words}, kept by hand in phrases.txt."""
    found: dict[str, list[str]] = {}
    for line in table_lines("phrases.txt"):
        kind, *words = line.split(" ")
        found.setdefault(kind, []).extend(words)
    return found


@lru_cache(maxsize=1)
def words_around() -> dict[str, str]:
    """{a word that may stand around a name: its kind}: one of _AROUND."""
    return {word: kind for kind in _AROUND for word in _phrases()[kind]}


def any_of(kind: str) -> str:
    """A pattern that matches any word of a kind of phrases.txt."""
    return f"(?:{'|'.join(_phrases()[kind])})"


class Piece(NamedTuple):
    """A part of a text: a name with its senses, a word of phrases.txt, or a run of unknown characters."""

    kind: str  # name, unknown, a kind of phrases.txt, or end: what stands before the first and after the last
    start: int
    end: int
    senses: tuple[Sense, ...] = ()

    def of(self, *kinds: str) -> list[Sense]:
        """The senses of these kinds."""
        return [sense for sense in self.senses if sense.kind in kinds]


END = Piece("end", 0, 0)
Scope = frozenset[Division]


_COARSE = ("province", "city", "held")
_FINER = ("county", "former", "popular", "township")  # in this order they answer


def lies_in(sense: Sense, scope: Scope | None) -> bool:
    """Whether one of a sense's divisions is in the scope; anything is when there is none."""
    return scope is None or any(division in scope for division in sense.divisions)


def scope_of(piece: Piece, behind: Piece = END) -> Scope:
    """The divisions in which what follows a name must lie.

    监利 -> the county; 黄冈 -> the prefecture's, with those it held then; 郧阳, which is both -> the county where
    `behind` is a town in it (郧阳城关), else the prefecture's.
    """
    coarse = piece.of("city", "held")
    finer = piece.of("county") if coarse else piece.of(*_FINER)
    county = frozenset(finer[0].divisions) if finer else frozenset()
    if not coarse or any(lies_in(town, county) for town in behind.of("popular", "township")):
        return county
    return frozenset(itertools.chain(*(sense.divisions for sense in coarse)))


def _is_county_gongan(text: str, at: int, before: list[Piece], catalog: Catalog) -> bool:
    """Whether 公安 is the county here, not the word for police: alone, 公安公安局, 公安斗湖堤, 荆州公安, 公安福利院."""
    behind = text[at + 2 :]
    after = _piece_at(text, at + 2, [], catalog) if behind else END
    county = set(catalog.counties.get("公安县", ()))
    if behind.startswith("公安") or any(county & set(sense.divisions) for sense in after.senses):
        return True
    if before and before[-1].kind == "police":  # 人民公安
        return False
    if before and before[-1].kind == "name":
        return bool(county & scope_of(before[-1]))
    stays = after.kind == "thing" and not behind.startswith("医院")
    village = after.kind in ("name", "unknown") and re.match(".{1,6}[村镇乡组路]", behind) is not None
    return behind in ("", "人", "话") or stays or village


def _ascii_piece(text: str, at: int, before: list[Piece], catalog: Catalog) -> Piece:
    """A run of digits, which may be a code or begin a card's number; a run of letters, which may be pinyin."""
    token = re.match(r"\d+x?|[a-z]+|.", text[at:], re.S)[0]  # type: ignore[index]
    end = at + len(token)
    if token[0].isdigit():
        if text[end : end + 1] in tuple("年月日"):
            return Piece("filler", at, end)
        card = len(token) in (15, 18)
        alone = (not before or before[-1].kind != "unknown") and text[end : end + 1] not in tuple("元条号块米")
        senses = catalog.senses(token[:6]) if card or (alone and len(token) in (3, 4, 6)) else ()
        if alone and re.fullmatch(r"0[1-9]\d{8,10}", token):  # a landline
            senses = catalog.senses(token[:4]) or catalog.senses(token[:3])
        if card and not senses:
            senses = catalog.senses(token[:2])  # a card of another province
    else:
        senses = () if text.isascii() else catalog.senses(token)
        end += int(text[end : end + 1] in tuple("区县市"))
    return Piece("name" if senses else words_around().get(token, "unknown"), at, end, senses)


def _piece_at(text: str, at: int, before: list[Piece], catalog: Catalog) -> Piece:
    if text[at].isascii():
        return _ascii_piece(text, at, before, catalog)
    for end in range(min(len(text), at + _LONGEST), at, -1):
        part = text[at:end]
        kind = words_around().get(part)
        if part == "公安" and not _is_county_gongan(text, at, before, catalog):
            return Piece("police", at, end)
        if kind and part != "公安":
            return Piece(kind, at, end)
        # 鄂cheng is no number plate, 鄂a12345 is.
        split = part[-1].isascii() and re.match(r"[a-z]+$|[a-z\d]{7}", text[end:]) is not None
        senses = catalog.senses(part) if not split and text[end - 1 : end + 1] != "街上" else ()
        # 襄羊市南漳县 holds neither 市南区 nor 漳县, 罕南区 no 南区.
        stray = (part[0] in "区县市" or len(part) < 3) and bool(before) and before[-1].kind == "unknown"
        if senses and not (stray and all(sense.kind == "elsewhere" for sense in senses)):
            return Piece("name", at, end, senses)
    return Piece("unknown", at, at + 1)


def read(text: str, catalog: Catalog) -> list[Piece]:
    """A cleaned text from left to right: at each place the longest known name or word, else one unknown character."""
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        piece = _piece_at(text, at, pieces, catalog)
        if piece.kind == "unknown" and pieces and pieces[-1].kind == "unknown":
            piece = piece._replace(start=pieces.pop().start)
        pieces.append(piece)
        at = piece.end
    return pieces


# --- judging ----------------------------------------------------------------------------------


class Query:
    """What a person typed, cleaned, and its reading in a list."""

    def __init__(self, text: str, catalog: Catalog) -> None:
        self.text = clean(text)
        self.catalog = catalog

    @cached_property
    def pieces(self) -> list[Piece]:
        """The text's reading."""
        return read(self.text, self.catalog)

    @cached_property
    def cores(self) -> list[tuple[Scope | None, str]]:
        """(what the coarse names in front allow, what is left of the text) for sound, shape and slips.

        武汉市桥口区公安局 -> (None, the whole), (武汉, 桥口区公安局), (武汉, 桥口区); what looks like a county amid the
        unknown is one too: 我小时候在巴冬县走丢.
        """
        pieces = list(self.pieces)
        while pieces and pieces[-1].kind not in ("name", "unknown"):
            pieces.pop()
        found: list[tuple[Scope | None, str]] = [(None, self.text)]
        scope: Scope | None = None
        for piece in pieces:
            found += [(scope, self.text[piece.start :]), (scope, self.text[piece.start : pieces[-1].end])]
            one_letter = piece.kind == "filler" and piece.end - piece.start == 1  # 急先锋 is no 咸丰
            if one_letter or (piece.kind in ("unknown", "name") and not piece.of(*_COARSE)):
                break
            scope = scope_of(piece)
        for before, piece in itertools.pairwise([END, *self.pieces]):
            written = self.text[piece.start : piece.end]
            if piece.kind == "unknown" and re.match("..[^区县市]{0,2}[区县市]", written):
                found.append((scope_of(before) or None, written))
        return [(within, core) for within, core in dict.fromkeys(found) if len(core) > 1]


def _once(hits: Iterable[Hit]) -> list[Hit]:
    """Each division once, as it was found first."""
    first: dict[Division, Hit] = {}
    for hit in hits:
        first.setdefault(hit.division, hit)
    return list(first.values())


def _hits(tier: str, senses: Iterable[Sense], name: str, scope: Scope | None = None) -> list[Hit]:
    """The senses' divisions within the scope, with the years of a former name; without a tier, the sense's kind."""
    hits = []
    for sense in senses:
        then = f"{sense.note[-4:]} 年以前的{name}" if sense.kind == "former" and sense.note else ""
        for division in sense.divisions:
            today = f"，今{division[1]}" if then and len(sense.divisions) < 5 else ""  # not for a prefecture
            if scope is None or division in scope or sense.kind == "former":
                hits.append(Hit(division, tier or sense.kind, then + today))
    return _once(hits)


def finer_senses(piece: Piece, scope: Scope | None) -> list[Sense]:
    """What a name means behind a coarser one: what lies in it, else a county of then, wherever that lay."""
    wide = bool(piece.of("held"))  # 襄樊市 is no county of then
    finer = [sense for sense in piece.of(*_FINER) if not (wide and len(sense.divisions) > 2)]
    then = [sense for sense in finer if sense.kind == "former" and sense.use == "whole"]
    return [sense for sense in finer if lies_in(sense, scope)] or ([] if piece.of("county") else then)


def whole_meaning(piece: Piece, name: str, scope: Scope | None, kinds: set[str]) -> list[Hit]:
    """All that a name means when nothing finer is there; behind a prefecture only what lies in it.

    A county; where only the name was typed, with its prefecture's rest (恩施, 荆州) and the county that had the name
    before (江陵). Else the prefecture, else former and popular names and townships. `kinds` are the text's pieces'.
    """
    senses = finer_senses(piece, scope) if scope else [s for s in piece.of(*_FINER) if s.use != "inside"]
    counties = [sense for sense in senses if sense.kind == "county"]
    if counties:
        alone = kinds == {"name"} and scope is None
        then = "police" not in kinds and (alone or counties[0].use == "whole")  # an official wording is of today
        others = [*(piece.of("city") if alone else []), *(s for s in senses if s.kind == "former" and then)]
        return _once([*_hits("exact", counties, name, scope), *_hits("", others, name)])
    if piece.of("city", "province") and scope is None:
        return _hits("city", piece.of("city", "province"), name)
    if any(sense.large for sense in piece.of("elsewhere")) and not any(sense.kind == "former" for sense in senses):
        return []  # 洛阳 is a town in 曾都 and a city in Henan: whoever types the bare name means the city
    if any(sense.kind == "popular" and sense.use == "whole" for sense in senses):  # a zone by another name
        senses = [sense for sense in senses if sense.kind == "popular"]
    senses.sort(key=lambda sense: _FINER.index(sense.kind))
    return _hits("", senses, name, scope)


def one_name(text: str, pieces: list[Piece]) -> list[Hit]:
    """What a reading says that is one name and nothing else of weight: [] for any other."""
    bones = [piece for piece in pieces if piece.kind not in ("filler", "break", "police")]
    if not bones or any(piece.kind != "name" for piece in bones):
        return []
    kinds = {piece.kind for piece in pieces}
    coarse_behind = bones[-1].of(*_COARSE) and not bones[0].of(*_COARSE)
    orders = (bones[::-1], bones) if coarse_behind else (bones, bones[::-1])  # 监利，荆州，湖北
    hits: list[Hit] = []
    for *coarse, last in orders:
        above = [piece for piece in coarse if not piece.of("province")]
        scope = scope_of(above[-1], last) if above else None  # the province alone allows anything
        hits = whole_meaning(last, text[last.start : last.end], scope, kinds)
        if hits:
            break
    town = bool(hits) and hits[0].tier in ("township", "popular")
    if town and "police" in kinds and not re.search("公安|派出所", text):
        return []  # 保安大队
    behind_county = any(not piece.of(*_COARSE) for piece in coarse)
    if kinds & {"filler", "break"} or behind_county:
        return [hit if hit.tier in ("city", "code") else hit._replace(tier="address") for hit in hits]
    if "police" in kinds:
        return [hit._replace(tier="unit") if hit.tier in ("exact", "city") else hit for hit in hits]
    return hits


def by_name(query: Query) -> list[Hit]:
    """One name: coarser names before or behind it, police wording and filler around."""
    return one_name(query.text, query.pieces)


Mention = tuple[int, list[Hit]]  # a place named inside a text: its grade, what it stands for
# Grades: a finer name right inside the coarser one in front; a full name, or a short one among known words; a county
# at the head of what is unknown; a township; a whole city.
INSIDE, SURE, HEAD, TOWNSHIP, CITY = 5, 4, 3, 2, 1


class Sentence:
    """A walk through a text's pieces that collects the places it names, from left to right, coarse to fine."""

    def __init__(self, query: Query) -> None:
        self.text, self.catalog, self.pieces = query.text, query.catalog, query.pieces
        self.found: list[Mention] = []
        self.contradicts = False  # 武汉市大冶: a county that never lay in the city in front of it
        self.restart()

    def restart(self) -> None:
        """A new place begins."""
        self.scope: Scope | None = None  # what the coarser name in front allows
        self.home = False  # the province or a city was named
        self.fine = False  # a county or something finer was named
        self.away = False  # a place elsewhere was named, and takes what follows
        self.denied = False  # 不是: what follows is not meant

    def walk(self) -> list[Mention]:
        """The places named; [] where the text contradicts itself."""
        for at, piece in enumerate(self.pieces):
            self.at = at
            self.before, _, self.after = [END, *self.pieces, END][at : at + 3]
            if piece.kind == "break":
                self.restart()
            if piece.kind == "denial":
                self.restart()
                self.denied = True
            elif self.denied:
                continue
            elif piece.of("code"):
                hits = _hits("code", piece.of("code"), "")
                self.found.append((SURE if len(hits) == 1 else CITY, hits))  # an area code is of several
            elif piece.of("province"):
                self.restart()
                self.home = True
            elif piece.of("city", "held") and self.is_coarse(piece):
                self.coarse(piece)
            elif piece.of(*_FINER):
                self.finer(piece)
            elif piece.of("elsewhere") and not self.borrowed():
                self.restart()
                self.away = True  # takes what follows; a short name only a township, or where it is a large one's
        return [] if self.contradicts else self.found

    # What stands around a piece.

    def borrowed(self) -> bool:
        """Whether a road, a university or a person bears the name: 江汉路, 洪山叔叔."""
        return self.after.kind in ("road", "person")

    def opens(self) -> bool:
        """Whether the name in question begins something: at the start, behind a known word or a coarser name."""
        return self.before.kind in ("end", "break", "filler", "police") or self.directly()

    def directly(self) -> bool:
        """Whether a coarser name stands right in front."""
        return self.before.kind == "name" and self.home and not self.fine

    def closes(self) -> bool:
        """Whether a known word, or a thing that stays in the place it is named after, or nothing follows."""
        return self.after.kind in ("end", "break", "filler", "police", "thing")

    def leads(self, piece: Piece) -> bool:
        """Whether a name that lies in this one follows."""
        return any(lies_in(sense, scope_of(piece)) for sense in self.after.of(*_FINER))

    def tail(self, piece: Piece) -> str:
        """The text behind a name up to the next break or known word."""
        for other in self.pieces[self.at + 1 :]:
            if other.kind in ("break", "filler", "police") and other.end - other.start > 1:
                return self.text[piece.end : other.start]
        return self.text[piece.end :]

    def heads_village(self, piece: Piece, two: bool) -> bool:
        """Whether what follows looks like a village or street in a place, and is no word with its name.

        `two`: two unknown characters will do (蕲春漕河).
        """
        tail = self.tail(piece)
        if len(tail) < 2 or self.borrowed():
            return False
        if len(tail) == 2 and is_word(self.text[piece.end - 1 : piece.end + 1]):  # 红安全帽
            return False
        if any(is_word(self.text[piece.start : piece.end + more]) for more in range(1, 5)):
            return False
        return bool(re.search(rf"{any_of('village')}|山$|\d", tail)) or (two and len(tail) == 2)

    # What a piece does.

    def is_coarse(self, piece: Piece) -> bool:
        """Whether a name stands for its prefecture: not where it names the county inside one."""
        if self.scope is not None and any(lies_in(s, self.scope) for s in piece.of(*_FINER)):
            return False  # 襄樊市襄阳: the county inside
        if not piece.of("county"):
            return True
        # One name for both, 荆州 or 恩施.
        if self.unknown_district(piece):  # 湖北荆州剑利市
            return bool(piece.of("city"))
        return self.leads(piece) and scope_of(piece, self.after) == scope_of(piece)

    def unknown_district(self, piece: Piece) -> bool:
        """Whether an unknown district follows, which may be a known one misspelt; 高新区 and 小区 are none."""
        if self.after.kind not in ("unknown", "police", "name"):
            return False
        district = rf"(?:公安局)?(?!.{{0,9}}{any_of('zone')}区)[^村镇乡街路号\d]{{1,4}}(?:[区县市]|分局)"
        short = re.fullmatch("[^村镇乡街路号]{1,3}|..?", self.text[piece.end :])
        return bool(short or re.match(district, self.text[piece.end :]))

    def coarse(self, piece: Piece) -> None:
        """A prefecture: what follows must lie in it; when nothing does, it is the answer."""
        unknown = self.unknown_district(piece)
        full = any(sense.use == "whole" for sense in piece.senses)
        stands = full or (self.opens() and (self.closes() or self.heads_village(piece, two=False)))
        cities = piece.of("city") or piece.of("former")
        self.scope, self.fine, self.home = scope_of(piece), False, True
        if stands and not unknown:
            self.found.append((CITY, _hits("city", cities, self.text[piece.start : piece.end])))

    def finer(self, piece: Piece) -> None:
        """A county or something finer, by the surest kind that may stand here."""
        if self.fine:  # what follows lies in it, but for another county beside it
            if self.is_sibling(piece):
                self.found[-1][1].extend(_hits("address", piece.of("county"), self.text[piece.start : piece.end]))
            return
        senses = [] if self.is_elsewhere(piece) else finer_senses(piece, self.scope)
        if self.away:  # only another county is meant
            senses = [s for s in senses if s.kind in ("county", "former")]
        full = self.away or self.borrowed() or self.text[piece.end : piece.end + 1] in tuple("区县")
        senses = [s for s in senses if s.use == "whole" or not (full or (s.use == "bare" and not self.scope))]
        if not senses:
            self.contradicts |= bool(self.scope and piece.of("county") and self.closes())
            return
        chosen = min((sense.kind for sense in senses), key=_FINER.index)
        senses = [sense for sense in senses if sense.kind == chosen]
        grade = self.grade(piece, chosen, whole=any(sense.use == "whole" for sense in senses))
        if grade:
            self.found.append((grade, _hits("address", senses, self.text[piece.start : piece.end], self.scope)))
            self.scope, self.fine = frozenset(itertools.chain(*(sense.divisions for sense in senses))), True

    def has_sibling(self) -> bool:
        """Whether another county and nothing of weight follows: 天门、仙桃、潜江."""
        behind = self.pieces[self.at + 1 :]
        return bool(behind) and all(piece.of("county") for piece in behind)

    def is_sibling(self, piece: Piece) -> bool:
        """Whether a county right behind another one is named beside it; a zone is in it: 洪山区东湖新技术开发区."""
        zone = any(code.endswith("00") for sense in piece.of("county") for code, _ in sense.divisions)
        return bool(self.before.of("county")) and not zone and (self.closes() or self.has_sibling())

    def is_elsewhere(self, piece: Piece) -> bool:
        """Whether the text names a larger place elsewhere that has one of this name: 华容 湖南, 青山区，包头市."""
        own = {province for sense in piece.of("elsewhere") for province in sense.note.split("、")}
        large = [sense for other in self.pieces for sense in other.of("elsewhere") if sense.large]
        return any(own & set(sense.note.split("、")) for sense in large)

    def grade(self, piece: Piece, kind: str, whole: bool) -> int:
        """How surely a county or something finer is meant; 0 when nothing says so."""
        if self.directly() or (whole and self.scope is not None):
            return INSIDE
        if kind == "township":
            before = self.text[self.before.start : self.before.end]
            # 白纸坊街道 is another town than 纸坊街道; 云西县上津镇 may not be where 上津镇 is.
            stray = 0 < len(before) < 3 or before.endswith(tuple("县区市旗州"))
            return 0 if stray else TOWNSHIP
        if whole or (self.opens() and (self.closes() or self.leads(piece) or self.has_sibling())):
            return SURE
        if self.scope is not None or (self.opens() and self.heads_village(piece, two=kind == "county")):
            return HEAD
        return 0


def by_sentence(query: Query) -> list[Hit]:
    """The surest of the places named inside an address or a sentence; of several whole addresses, the last."""
    mentions = Sentence(query).walk()
    best = max((grade for grade, _ in mentions), default=0)
    chosen = [hits for grade, hits in mentions if grade == best]
    if best in (INSIDE, CITY):
        chosen = chosen[-1:]
    return _once(itertools.chain(*chosen))


# --- sound, shape and slips -------------------------------------------------------------------


def _rank(candidates: Iterable[Candidate], tier: str, scope: Scope | None) -> list[Hit]:
    """Hits, in the scope if one is given, of the surest kind: county or zone, prefecture, former name."""
    found = list(candidates)
    for kinds in (("county", "zone"), ("prefecture",), ("former",)):
        best = [candidate for candidate in found if candidate.place.kind in kinds]
        names = {candidate.name for candidate in best}
        best += [candidate for candidate in found if candidate.name in names and not scope]  # 荆洲 is 荆州
        divisions = dict.fromkeys(itertools.chain(*(candidate.divisions for candidate in best)))
        hits = [Hit(division, tier) for division in divisions if not scope or division in scope]
        if hits:
            return hits
    return []


def _sounds_like(catalog: Catalog, text: str) -> list[Candidate]:
    """The names that sound like the text: exactly, else with soft pairs folded where a character agrees."""
    heard = readings(text)
    found = catalog.find("sound", map(" ".join, heard))
    if found:
        # 姜安 is a person's name, not 江岸 misheard.
        person = len(text) == 2 and text[0] in _phrases()["surname"]
        return [one for one in found if not person or any(map(str.__eq__, text, one.name))]
    found = catalog.find("soft sound", (" ".join(map(soft, reading)) for reading in heard))
    # 天门寺 has the name of 天门市 right, and is another thing.
    full = [one.name for one in found if one.name == one.place.name and one.name[:-1] == text[:-1]]
    return [one for one in found if any(map(str.__eq__, text, one.name)) and one.name not in full]


def _looks_alike(catalog: Catalog, text: str) -> list[Candidate]:
    """The names that differ from the text in one look-alike character."""
    found = []
    for at in range(len(text)):
        for candidate in catalog.find("shape", [f"{text[:at]}*{text[at + 1 :]}"]):
            right = candidate.name[at]
            full = candidate.name == candidate.place.name  # with the county's suffix a weak likeness will do
            if looks_like(text[at], right, perhaps=full):
                found.append(candidate)
    return found


def _miscounted(catalog: Catalog, text: str) -> list[Candidate]:
    """The names that the text writes with a character twice (巴巴东), and long ones without one (西塞区)."""
    once = {text[:at] + text[at + 1 :] for at in range(1, len(text)) if text[at] == text[at - 1]}
    return catalog.find("written", once) + catalog.find("cut short", [text])


Repairs = Callable[[Catalog, str], list[Candidate]]


def misspelt(text: str, scope: Scope | None, catalog: Catalog, repairs: Repairs) -> list[Candidate]:
    """The names that a text may be, by its sound, shape or count; [] where it is spelled right, whatever it means.

    Behind a prefecture of Hubei (`scope`) no place elsewhere is meant: 武汉江安.
    """
    right = text in catalog.counties or (not scope and (is_word(text) or catalog.senses(text)))
    return [] if right else [candidate for candidate in repairs(catalog, text) if candidate.name != text]


def by_repair(query: Query, tier: str, repairs: Repairs) -> list[Hit]:
    """What sound, shape or count makes of the cores and of their stems: 乔口, 武汉市桥口区, 大治, 巴巴东.

    The city in front may be misspelt too, or alone (石堰竹山); counties of more than one city are no answer.
    """
    if query.text.isascii():
        return []
    catalog = query.catalog
    behind_city: list[tuple[Scope | None, str]] = []  # what follows a misspelt prefecture
    for _, core in query.cores:
        for end in range(2, min(6, len(core) - 1)):
            fronts = misspelt(core[:end], None, catalog, repairs)
            cities = [frozenset(front.divisions) for front in fronts if front.place.kind == "prefecture"]
            right = [division for division in catalog.counties.get(core[end:], []) if cities and division in cities[0]]
            if right:
                return [Hit(division, tier) for division in right]
            behind_city += [(city, core[end:]) for city in cities]
    for scope, core in [*behind_city, *query.cores]:
        stem = core[:-1] if core.endswith(COUNTY_SUFFIXES) and len(core) > 2 else ""
        if not scope and (is_official_elsewhere(core) or elsewhere_senses(stem)):
            continue
        for form in filter(None, (core, stem)):
            hits = _rank(misspelt(form, scope, catalog, repairs), tier, scope)
            if len({catalog.city_of(hit.division) for hit in hits}) == 1:
                return hits
    return []


# --- letters ----------------------------------------------------------------------------------

# The kind of a division or town, behind its name.
_LETTERS_SUFFIX = (
    "(?:(?:forestry|autonomous)?(?:district|county)|city|prefecture|province|town(?:ship)?|qu|xian|shi|zhen|xiang)"
)


def plain_letters(text: str) -> str:
    """A cleaned text in letters, without tone digits and a year: jiang1an4 -> jiangan; "" for any other."""
    letters = re.sub(r"\d", "", text) if re.fullmatch(r"[a-z]{2,}[a-z\d]*", text) else ""
    return re.sub("(?<=^woshi)(.*)de$", r"\1", letters)


def spellings(letters: str, catalog: Catalog, most: int = 50) -> list[list[Piece]]:
    """The ways in which joined letters are names and known words from end to end, those with longer ones first.

    A suffix belongs to the name before it: jianlixian; but jingzhoushishou is 荆州 and 石首, not 荆州市 and "shou".
    """
    ways: dict[int, list[list[Piece]]] = {len(letters): [[]]}  # {a place in the letters: the ways from there on}
    for at in range(len(letters) - 2, -1, -1):
        pieces: list[Piece] = []
        for end in range(min(len(letters), at + 60), at + 1, -1):
            part = letters[at:end]
            senses = catalog.senses(part.replace("v", "u"))  # ü
            suffix = re.match(_LETTERS_SUFFIX, letters[end:])
            stop = end + suffix.end() if suffix and not catalog.senses(letters[at : end + suffix.end()]) else end
            pieces += [Piece("name", at, stop, senses)] if senses and stop > end else []
            pieces += [Piece(words_around()[part], at, end)] if part in words_around() else []
            pieces += [Piece("name", at, end, senses)] if senses else []
        ways[at] = [[piece, *rest] for piece in pieces for rest in ways.get(piece.end, ())][:most]
    return ways.get(0, [])


def by_pinyin(query: Query) -> list[Hit]:
    """Joined pinyin of a name, of coarser and finer ones in either order, with words around; huangpo is let pass."""
    letters = plain_letters(query.text)
    for pieces in spellings(letters, query.catalog):
        hits = one_name(letters, pieces)
        if hits:
            return [Hit(hit.division, "pinyin") for hit in hits]
    return []


def by_initials(query: Query) -> list[Hit]:
    """The first letters of a county's name, of a prefecture's when no county has them: all that share them."""
    return _rank(query.catalog.find("initials", [query.text]), "initials", None)


def by_mixed(query: Query) -> list[Hit]:
    """Characters and pinyin mixed, each syllable whole or its initial: 江an, 黄p, 恩sh."""
    if query.text.isascii() or not re.search("[a-z]", query.text):
        return []
    found = []
    for name, candidates in query.catalog.index("written").items():
        for candidate in candidates if not set(name).isdisjoint(query.text) else ():
            for reading in candidate.readings():
                signs = [f"(?:{sign}|{heard}|{heard[0]}h?)" for sign, heard in zip(name, reading)]
                if re.fullmatch("".join(signs), query.text):
                    found.append(candidate)
    return _rank(found, "pinyin", None)


_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours(one: str, other: str) -> bool:
    """Whether two letters lie side by side on a keyboard."""
    spots = {letter: (row, at + row / 2) for row, keys in enumerate(_KEYBOARD) for at, letter in enumerate(keys)}
    (row, at), (other_row, other_at) = spots[one], spots[other]
    return abs(row - other_row) <= 1 and abs(at - other_at) <= 1


def one_slip(typed: str, right: str) -> bool:
    """Whether a spelling is another one with one letter lost, added, replaced or swapped with the next, or none."""
    same = next((at for at, (a, b) in enumerate(zip(typed, right)) if a != b), min(len(typed), len(right)))
    wrong, meant = typed[same:], right[same:]
    swapped = wrong[:2] == meant[:2][::-1] and wrong[2:] == meant[2:]
    return swapped or wrong[1:] in (meant, meant[1:]) or wrong == meant[1:]


def _likely_slip(typed: str, right: str) -> bool:
    """Whether a finger may have slipped so: a letter replaced only in a long spelling, by one beside its key."""
    wrong = [(a, b) for a, b in zip(typed, right) if a != b]
    replaced = len(typed) == len(right) and len(wrong) == 1
    return one_slip(typed, right) and (not replaced or (len(right) > 5 and _neighbours(*wrong[0])))


def by_typo(query: Query) -> list[Hit]:
    """One slip in the pinyin of a county or prefecture (qiaoko), when only one is near."""
    whole = bare = plain_letters(query.text)
    for word in filter(str.isascii, (*query.catalog.province_names, *words_around())):  # qingwenqiaokohubei
        bare = bare.removeprefix(word).removesuffix(word)
    forms = [form for form in dict.fromkeys((whole, bare)) if len(form) > 4]
    if any(map(elsewhere_senses, (query.text, *forms))):
        return []
    for form in forms:
        keys = [key for key in query.catalog.index("spelling") if _likely_slip(form, key)]
        if len(keys) == 1:
            return _rank(query.catalog.find("spelling", keys), "typo", None)
    return []


def by_unit(query: Query) -> list[Hit]:
    """A unit's whole name; in a list that the gazetteer does not cover, a part of one, or one nearly right."""
    catalog, text = query.catalog, query.text
    units = catalog.units
    if text in units or len(catalog.repairable) > len(catalog.divisions) or len(text) < 2:
        return [Hit(division, "unit") for division in units.get(text, [])]
    inside = [division for unit, found in catalog.units.items() if text in unit for division in found]
    inside = inside or [division for division in catalog.divisions if text in division[1]]
    if inside or len(text) < 6 or any(piece.senses == tuple(piece.of("elsewhere")) != () for piece in query.pieces):
        return _once(Hit(division, "unit") for division in inside)
    from rapidfuzz import fuzz, process

    near = process.extract(text, list(units), scorer=fuzz.ratio, score_cutoff=85, limit=2)
    if near and (len(near) == 1 or near[0][1] > near[1][1]):
        return [Hit(division, "typo") for division in units[near[0][0]]]
    return []


# --- all ways ---------------------------------------------------------------------------------

# In this order; the first that hits answers. Each gives hits of one or more of TIERS.
WAYS: tuple[Callable[[Query], list[Hit]], ...] = (
    by_name,
    by_sentence,
    by_pinyin,
    by_initials,
    by_mixed,
    lambda query: by_repair(query, "homophone", _sounds_like),
    lambda query: by_repair(query, "lookalike", _looks_alike),
    lambda query: by_repair(query, "typo", _miscounted),
    by_typo,
    by_unit,
)


def _with_prefecture_of_then(hit: Hit, query: Query) -> Hit:
    """A hit, with a word on the prefecture in the text that its county belonged to then: 孝感黄陂, 荆州地区沔阳县."""
    for piece in query.pieces if hit.tier != "city" else ():
        held = any(hit.division in sense.divisions for sense in piece.of("held"))
        if held and not any(hit.division in sense.divisions for sense in piece.of("city", "county", "former")):
            then = f"{hit.division[1]}一带以前归{query.text[piece.start : piece.end]}管"
            return hit._replace(note="；".join(filter(None, (hit.note, then))))
    return hit


def search(text: str, catalog: Catalog, city: str = "") -> list[Hit]:
    """The divisions that a name means, best first; [] when none is sure. `city` keeps to one city's."""
    text = re.sub(r"(?<!\d)(\d{6})[*xX×]{4,}\d*[xX]?", r"\1", text)  # a card of which only the beginning is told
    query = Query(text, catalog)
    if len(query.text) > 200:
        return []
    for way in WAYS:
        hits = [hit for hit in way(query) if not city or catalog.city_of(hit.division) == city]
        if hits:
            return [_with_prefecture_of_then(hit, query) for hit in hits]
    return []


def _nearness(typed: str, candidate: Candidate) -> float:
    """0 to 1: how near a typed name is to one of its length in sound or shape, character by character."""
    from rapidfuzz.distance import OSA

    total = 0.0
    for wrong, right, sound in zip(typed, candidate.name, next(iter(candidate.readings(1)), ())):
        if wrong == right:
            total += 1
        elif looks_like(wrong, right, perhaps=True):
            total += 0.9 if looks_like(wrong, right) else 0.7
        else:
            heard = [OSA.normalized_similarity(soft(one), soft(sound)) for one in _character_readings(wrong)]
            total += max(heard) if heard and max(heard) >= 0.6 else -1
    return total / len(typed)


def division_named(candidate: Candidate) -> Division:
    """The division that a name is of, (420600, 襄阳市) for a prefecture, the main successor for a former name."""
    place = candidate.place
    return (place.code, place.district) if place.kind == "prefecture" else candidate.divisions[0]


def _near(query: Query) -> Iterator[tuple[Division, float]]:
    """(a division, how near it is, 0 to 1): names inside the text that nothing says are meant, names cut short (丹江),
    towns that sound the same (阳罗), and counties, prefectures and former names near in sound, shape or spelling."""
    from rapidfuzz.distance import OSA

    catalog = query.catalog
    for piece in query.pieces:
        for sense in piece.of(*_FINER):
            for division in sense.divisions[:2]:
                yield division, 1.0 if sense.kind == "county" else 0.9
    cores = [core for _, core in query.cores[:4]]
    cores += [core[:-1] for core in cores if core.endswith(COUNTY_SUFFIXES) and len(core) > 2]
    for core in dict.fromkeys(cores):
        for name, divisions in catalog.counties.items():
            if name.startswith(core):
                yield divisions[0], 1.0
        heard = readings(core)
        for reading in heard:
            towns = catalog.town_sounds.get(" ".join(map(soft, reading)), [])
            yield from ((division, 0.85) for division in towns[:1])
        for spelling, named in catalog.index("spelling").items() if core.isascii() else ():
            score = OSA.normalized_similarity(core, spelling)
            yield from ((division_named(candidate), score) for candidate in named)
        for candidate in dict.fromkeys(catalog.find("near", near_keys(core, heard))):
            yield division_named(candidate), _nearness(core, candidate)


def suggest(text: str, catalog: Catalog, most: int = 3) -> list[Division]:
    """Divisions named inside a text or near to it in sound or shape, nearest first; none because one character agrees.

    A prefecture is (420600, 襄阳市). Nothing for a place elsewhere but what bears its stem.
    """
    query = Query(text, catalog)
    if not query.text or len(query.text) > 40 or is_large_elsewhere(query.text):
        return []
    if is_official_elsewhere(query.text):  # 华容县 is in Hunan; only 华容区 itself is near
        return catalog.counties.get(query.text[:-1], [])[:most]
    scores: dict[Division, float] = {}
    for division, score in _near(query):
        if score >= 0.75:
            scores[division] = max(score, scores.get(division, 0))
    best = max(scores.values(), default=0)
    near_best = [division for division, score in scores.items() if score > best - 0.12]
    return sorted(near_best, key=lambda division: -scores[division])[:most]


# ==============================================================================================
# Show: rows for machines, tables for people
# ==============================================================================================

NOT_LISTED = "未收录"
BRING = "采血免费，不限户籍，带身份证。"
# 长江日报, 2022-07-04: the city's 16 points are its district bureaus' brigades; it names none of them.
WUHAN_POINTS = "武汉的 16 个采血点就是各区分局的刑侦大队（长江日报 2022-07-04），未逐个列出"


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
    """One message for people, on stderr, an identity card's number hidden; a closed or full stderr is nobody's."""
    if sys.stderr is None:
        return
    text = masked(printable(text))
    lines = wrapped(text, terminal_width(sys.stderr)) if is_terminal(sys.stderr) else [text]
    with contextlib.suppress(OSError):
        click.echo("\n".join(lines), err=True)


# --- for machines -----------------------------------------------------------------------------


def csv_text(rows: Iterable[Row], columns: Collection[str], header: bool = True) -> str:
    """CSV: UTF-8, "\\n", a header always."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, "", "ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


# How each column is headed for people who open a list in a spreadsheet.
SPREADSHEET_HEADINGS = {
    "line": "行", "row": "行", "query": "查询", "match": "匹配", "result": "结果", "note": "说明",
    "distance_km": "公里", "code": "区划代码", "province": "省", "city": "市州", "district": "区县",
    "unit": "单位名称", "address": "地址", "contact": "联系人", "office_phone": "办公电话", "mobile": "手机",
    "hotline": "当地 110", "status": "状态", "source": "来源", "as_of": "日期",
}  # fmt: skip


def excel_text(rows: Iterable[Row], columns: Collection[str], header: bool = True) -> str:
    """CSV for Excel: BOM, "\\r\\n", Chinese headings, and a ' before a cell that would run as a formula."""
    lines = [{name: SPREADSHEET_HEADINGS.get(name, name) for name in columns}] if header else []
    for row in rows:
        lines.append({name: f"'{cell}" if cell.startswith(tuple("=+-@\t\r")) else cell for name, cell in row.items()})
    return ("\ufeff" if header else "") + csv_text(lines, columns, header=False).replace("\n", "\r\n")


# The columns that JSON holds as numbers.
NUMBERS: dict[str, Callable[[str], float]] = {"distance_km": float, "line": int}


def json_text(rows: Iterable[Row], columns: Collection[str], header: bool = True) -> str:
    """JSON: an array of objects, strings all but the columns in NUMBERS."""
    import json

    objects = [{name: NUMBERS.get(name, str)(row.get(name, "")) for name in columns} for row in rows]
    return json.dumps(objects, ensure_ascii=False, indent=2) + "\n"


# What each machine format writes; `table` and `text` are for people and stand apart.
WRITERS: dict[str, Callable[..., str]] = {"csv": csv_text, "excel": excel_text, "json": json_text}
FORMATS = ("table", "text", *WRITERS)


# --- what to do now ---------------------------------------------------------------------------


def is_reachable(row: Row) -> bool:
    """Whether a unit can be called itself."""
    return bool(row.get("office_phone") or row.get("mobile"))


def standing(row: Row) -> str:
    """Whether a unit is known to be a sampling point, and from where."""
    if row["status"] == "listed":
        return f"名单上的采血点（{row['source']}，{row['as_of']}）"
    known = WUHAN_POINTS if row["city"] == "武汉市" else "当地公安局，还没有名单说它是采血点，先打电话问"
    return f"{known}；号码出自 {row['source']}，{row['as_of']}" if is_reachable(row) else known


def words_for(rows: Sequence[Row]) -> str:
    """What to say on the phone: at the points' own numbers, or where one must be put through."""
    own = all(row["status"] == "listed" and is_reachable(row) for row in rows)
    return f"说：「我要采血找亲人，{'什么时候去方便？' if own else '请转刑侦大队。'}」"


def shared_hotline(shown: Sequence[Row], listing: Sequence[Row]) -> list[str]:
    """What to say on a 110 that several cities share: 0728 is that of 仙桃, 潜江 and 天门."""
    lines = []
    for hotline in sorted({row["hotline"] for row in shown if row["hotline"]}):
        cities = dict.fromkeys(short_name(row["city"]) for row in listing if row["hotline"] == hotline)
        if len(cities) > 1:
            lines.append(f"{hotline} 由{'、'.join(cities)}共用，接通后先说是哪里。")
    return lines


def advice(rows: Sequence[Row], listing: Sequence[Row]) -> list[str]:
    """The lines below a table: whether these are sampling points, whom to call and what to say, what to bring."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(standing(row), []).append(row["district"])
    lines = []
    for sentence, members in groups.items():
        names = list(dict.fromkeys(members))
        whose = "、".join(names[:3]) + (f"等 {len(names)} 处" if len(names) > 3 else "")
        lines.append(f"{whose}：{sentence}。" if len(groups) > 1 else f"这是{sentence}。".replace("这是武汉", "武汉"))
    unlisted = [row for row in rows if not is_reachable(row)]
    call = "打上面的电话"
    if unlisted:
        hotlines = {row["hotline"] for row in unlisted}
        number = "".join(hotlines).replace("-", "") if len(hotlines) == 1 else ""  # 0716-110, from elsewhere too
        dial = f"打 {number}" if number else "打当地 110，连区号一起拨"
        call = f"{call}；没有号码的" if len(unlisted) < len(rows) else f"号码{NOT_LISTED}，"
        call += f"{dial}（外地也这样打）"
    lines.append(f"{call}，{words_for(rows)}")
    return [*lines, *shared_hotline(unlisted, listing), BRING]


# --- how a name was read ----------------------------------------------------------------------


def elsewhere_of(text: str, catalog: Catalog) -> str:
    """The provinces outside Hubei of the places named in a text, "" when it names none: 南山区 -> 黑龙江、广东."""
    named = [piece.of("elsewhere") for piece in Query(text, catalog).pieces]
    provinces: list[str] = []
    for senses in filter(None, named):
        found = [province for sense in senses for province in sense.note.split("、")]
        common = [province for province in provinces if province in found]
        provinces = common or provinces or list(dict.fromkeys(found))
    return "、".join(provinces)


def explain(text: str, hits: list[Hit], catalog: Catalog) -> list[str]:
    """How a name was read, a line for each tier but the plain name."""
    text = masked(text)
    lines: list[str] = []
    for tier, group in itertools.groupby(hits, key=lambda hit: hit.tier):
        found = list(group)
        if not TIERS[tier]:
            lines += dict.fromkeys(hit.note for hit in found if hit.note)
            continue
        names = list(dict.fromkeys(hit.division[1] for hit in found))
        if tier == "city" or len(names) > 6:
            names = list(dict.fromkeys(catalog.city_of(hit.division) for hit in found))
        lines.append(f"{text} {TIERS[tier]} → {'、'.join(names[:6])}{' 等' if len(names) > 6 else ''}")
        lines += dict.fromkeys(f"  {hit.note}" for hit in found if hit.note)
    bare = hits[0].tier not in ("unit", "city", "address", "code")
    provinces = elsewhere_of(text, catalog) if lines and bare else ""
    return lines + ([f"  {provinces}也有{text}；若找的是它，请问当地公安。"] if provinces else [])


def not_found(text: str, catalog: Catalog) -> list[str]:
    """What to tell when nothing is sure: what was not found, up to three suggestions, what to do next."""
    divisions = suggest(text, catalog)
    provinces = elsewhere_of(text, catalog)
    asked = clean(text)
    lines: list[str] = []
    lost = re.search(rf"(?:孩子|小孩|儿子|女儿|宝宝|老人|孙子|孙女|人).{{0,4}}{any_of('lost')}", asked)
    if lost:
        lines.append("孩子或老人刚丢：请马上打 110 报警，不用等 24 小时。")
    if provinces and not divisions:
        lines.append(f"没有找到「{masked(text)}」：它在{provinces}，这份名单只有湖北的单位。")
        return [*lines, "不管家在哪里、人在哪里，都可以到附近公安机关的刑侦部门免费采血；不知道地方就打当地 110 问。"]
    where = f"它在{provinces}" if is_official_elsewhere(asked) else f"{provinces}有这个地方"
    lines.append(f"没有找到「{masked(text)}」" + (f"：{where}，不在这份名单里。" if provinces else "。"))
    if divisions:
        lines.append("您是不是要找：")
        for division in divisions:
            inside = catalog.city_of(division) if division in catalog.row_numbers else "整个市州"
            lines.append(f"  {division[1]}（{inside}）")
    if lost or re.search(any_of("procedure"), asked):
        lines.append("要问怎么采血、要不要钱、带什么，请看 xunqin guide。")
    return [*lines, "请换个写法，或用 xunqin list 看全部；各地刑侦部门都可采血，也可打当地 110 询问。"]


def note_of(text: str, hits: list[Hit], catalog: Catalog) -> str:
    """What a terminal says of a reading on stderr, in one line and without the text itself.

    For hits, how the name was read; without, the province elsewhere that it lies in, and the first suggestion
    as a question.
    """
    lines = explain(text, hits, catalog) if hits else []
    if not hits:
        province = elsewhere_of(text, catalog)
        lines += [f"在{province}，不在这份名单里，可到附近公安的刑侦部门采血"] if province else []
        lines += [f"您是不是要找 {division[1]}？" for division in suggest(text, catalog)[:1]]
    return masked("；".join(line.strip().removeprefix(text).strip().rstrip("。") for line in lines))


def answer_rows(text: str, hits: list[Hit], catalog: Catalog) -> list[Row]:
    """The list's rows for the hits, best first, with `query`, `match` and `note` in front.

    A unit of the whole city follows its counties' own.
    """
    rows = []
    cities = dict.fromkeys(catalog.city_of(hit.division) for hit in hits if hit.division[1] not in catalog.above)
    own = [division for city in cities for division in catalog.cities.get(city, []) if division[1] in catalog.above]
    shown = {hit.division for hit in hits}
    above = [Hit(division, hits[0].tier, "市州一级的单位") for division in own if division not in shown]
    for hit in [*hits, *above]:
        lead = {"query": masked(text), "match": hit.tier, "note": note_of(text, [hit], catalog)}
        rows += [{**lead, **row} for row in catalog.rows_of(hit.division)]
    return rows


# --- for people -------------------------------------------------------------------------------


class Column:
    """A column of the table: its heading, what a row shows there, the least cells it may wrap to (0: stays whole)."""

    def __init__(self, heading: str, cell: Callable[[Row], str], least: int = 0, phone: bool = False) -> None:
        self.heading, self.cell, self.least, self.phone = heading, cell, least, phone


def _office(row: Row) -> str:
    number = row.get("office_phone", "").replace(";", "\n")
    return number or (NOT_LISTED if row.get("unit") and not row.get("mobile") else "")


# The columns people see, in order; one without any value is left out. How a name was read is told on stderr; only
# where many were asked does each row say its own.
SHOWN = (
    Column("查询", lambda row: row.get("query", "") if row.get("line") else "", 8),
    Column("行", lambda row: row.get("row", "")),
    Column("结果", lambda row: row.get("result", "") or ("没有找到" if row.get("match") == "none" else "")),
    Column("约公里", lambda row: "本县" if row.get("distance_km") == "0.0" else row.get("distance_km", "")),
    Column("市州", lambda row: short_name(row.get("city", "")), 6),
    Column("区县", lambda row: row.get("district", ""), 8),
    Column("单位", lambda row: row.get("unit", "")),
    Column("地址", lambda row: row.get("address", ""), 16),
    Column("联系人", lambda row: re.sub("[、；;，,]", "\n", row.get("contact", ""))),
    Column("办公电话", _office, phone=True),
    Column("手机", lambda row: row.get("mobile", "").replace(";", "\n"), phone=True),
    Column("当地 110", lambda row: "" if is_reachable(row) else row.get("hotline", ""), phone=True),
    Column("说明", lambda row: row.get("note", "") if row.get("line") or row.get("row") else "", 16),
)
PHONES = [column for column in SHOWN if column.phone]


def _stacked(row: Row) -> str:
    cells = [column.cell(row) for column in PHONES]
    return "\n".join(cell for cell in cells if cell not in ("", NOT_LISTED))


# All numbers below each other, where they do not fit side by side.
STACKED = Column("电话或 110", _stacked, phone=True)
# What stands in front of each field where not even that fits.
HEADED = Column("", str)
_GAP = 2


def _width(text: str) -> int:
    """Cells that a text takes on a terminal, its widest line."""
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


def column_widths(rows: Sequence[Row], columns: list[Column], width: int) -> list[int]:
    """The columns' widths in a table this wide, every unit and phone whole; [] when they do not fit."""
    wanted = [max(_width(text) for text in (column.heading, *map(column.cell, rows))) for column in columns]
    widths = [min(want, column.least or want) for column, want in zip(columns, wanted)]
    left = width - sum(widths) - _GAP * (len(columns) - 1)
    for at, want in enumerate(wanted):
        more = max(min(want - widths[at], left), 0)
        widths[at] += more
        left -= more
    return widths if left >= 0 else []


def told_once(rows: Sequence[Row]) -> dict[str, str]:
    """{a column's heading: what it holds in every one of several rows}; the units always stand in the table."""
    same = {}
    for column in SHOWN:
        cells = {column.cell(row) for row in rows}
        if len(rows) > 1 and len(cells) == 1 and cells != {""} and column.heading != "单位":
            same[column.heading] = cells.pop().replace("\n", "、")
    return same


def painter(terminal: bool) -> Callable[[Column, str], str]:
    """What makes a cell's text bold, dim or a tel: link, on a terminal that can; nothing is read as markup."""
    plain = not terminal or os.environ.get("TERM", "") in ("dumb", "unknown")
    if not plain and sys.platform == "win32":
        from rich.console import detect_legacy_windows

        plain = detect_legacy_windows()

    def paint(column: Column, text: str) -> str:
        # 027-110 is tel:027110, an extension stands behind a comma; other words are no link.
        number = re.fullmatch(r"(\+?[\d -]+)(?:转(\d+))?", text) if column.phone else None
        if plain or not (number or text in (column.heading, NOT_LISTED)):
            return text
        styled = f"\x1b[{2 if text == NOT_LISTED else 1}m{text}\x1b[0m"
        if not number:
            return styled
        address = re.sub("[ -]", "", number[1]) + (f",{number[2]}" if number[2] else "")
        return f"\x1b]8;;tel:{address}\x1b\\{styled}\x1b]8;;\x1b\\"

    return paint


def _row_lines(
    texts: list[str], columns: list[Column], widths: list[int], paint: Callable[[Column, str], str]
) -> Iterator[str]:
    """The lines of one row of the table."""
    cells = [
        wrapped(text, room) if column.least else text.split("\n") for text, column, room in zip(texts, columns, widths)
    ]
    for at in range(max(map(len, cells))):
        line = ""
        for lines, column, room in zip(cells, columns, widths):
            text = lines[at] if at < len(lines) else ""
            line += paint(column, text) + " " * (room - _width(text) + _GAP)
        yield line.rstrip()


def _record_lines(row: Row, width: int, paint: Callable[[Column, str], str]) -> Iterator[str]:
    """One unit, one field a line; a unit or phone that does not fit beside its heading goes below it, whole."""
    margin = _width(PHONES[0].heading)
    room = width - margin - _GAP
    for column in SHOWN:
        text = column.cell(row)
        if not text:
            continue
        if column.least or _width(text) <= room:
            yield from _row_lines([column.heading, text], [HEADED, column], [margin, room], paint)
        else:
            yield column.heading
            yield from (" " * _GAP + paint(column, line) for line in text.split("\n"))


def table_text(rows: Sequence[Row], width: int, terminal: bool, below: list[str]) -> str:
    """Units for people: a table without rules where every unit and phone fits whole, else one field a line."""
    paint, same = painter(terminal), told_once(rows)
    side = [column for column in SHOWN if column.heading not in same and any(map(column.cell, rows))]
    stacked = [column for column in side if not column.phone] + [STACKED]
    for columns in (side, stacked):
        widths = column_widths(rows, columns, width)
        if widths:
            texts = [[column.heading for column in columns]]
            texts += [[column.cell(row) for column in columns] for row in rows]
            lines = [line for row in texts for line in _row_lines(row, columns, widths, paint)]
            common = "，".join(f"{heading}「{text}」" for heading, text in same.items())
            below = [f"各行都一样的：{common}。", *below] if same else below
            break
    else:
        lines = [line for row in rows for line in (*_record_lines(row, width, paint), "")]
    lines += [line for text in below for line in wrapped(text, width)]
    return "".join(f"{line}\n" for line in lines)


def message_text(rows: Sequence[Row], listing: Sequence[Row]) -> str:
    """Units to be pasted into a message, each with what to do: no escapes, no trailing blanks, no wrapping."""
    blocks = []
    for row in rows:
        fields = [(column.heading, column.cell(row)) for column in SHOWN if column.heading != "说明"]
        fields.append(("说明", row.get("note", "")))
        lines = [f"{heading}：{text}".replace("\n", "、") for heading, text in fields if text]
        blocks.append("\n".join([*lines, *(advice([row], listing) if row.get("unit") else [])]) + "\n")
    return "\n".join(blocks)


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
    beside: bool = False  # whether it stands beside the list: head and foot of pages, notes; no unit is read from it


# Limits, so that a wrong or hostile file is refused at once.
MAX_BYTES, MAX_XML = 50_000_000, 60_000_000  # of a file, of the XML packed in one
MAX_STREAM, MAX_SCAN = 20_000_000, 200_000_000  # bytes of what a PDF packs, and of its pictures
MAX_ROWS, MAX_SHEET_ROWS, MAX_UNITS = 20_000, 110_000, 10_000  # lines, with empty ones, units; China has some 3,000
MAX_COLUMNS, MAX_CELL, MAX_LINE = 200, 5_000, 50_000  # of a table, characters of its cells, of a line of text
MAX_PAGES, MAX_SIDE, MAX_TAGS = 200, 5_000, 500_000  # of a PDF, pixels of a page that is drawn, tags of a document
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
FILLERS = (
    "的 警务 警务通 公务 免费 采血 血样 采集 公安 刑侦 所属 所在 详细 具体 主要 备用 联系 工作 "
    "办公 对外 咨询 服务 人员 信息 号"
)
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
    """The field that a heading names, "phone" also with a contact or an address beside it, "" for none.

    详细地址 -> address, 联系电话（工作日）-> phone, 电话2 -> phone, 联系人及电话 -> phone, 传真电话 -> unread.
    """
    if len(text) > 60:
        return ""
    bare = re.sub(r"[（(\[【][^）)\]】]*[）)\]】]", "", text)
    heading = simplified(re.sub(r"[\s_:：*．.·\-\d]", "", bare)).lower()
    if heading in HEADING_WORDS:
        return HEADING_WORDS[heading]
    words = re.findall(HEADING_PATTERN, heading)
    if "".join(words) != heading or any(len(word) == 1 and word in HEADING_WORDS for word in words):
        return ""
    fields = [HEADING_WORDS[word] for word in words if word in HEADING_WORDS and word != "no"]
    if "unread" in fields:
        return "unread"
    told = {"phone" if field in NUMBER_FIELDS else field for field in fields}
    if len(told) > 1 and "phone" in told and any(re.fullmatch(JOINERS, word) for word in words):
        return "phone"
    return fields[-1] if fields else ""


# Full-width signs and letters in one width; those that Chinese is written with stay.
ONE_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "（），：；！？"}
ONE_WIDTH.update({0x3000: 0x20, 0xA0: 0x20, 0xFEFF: 0x20})


def tidy(cell: str) -> str:
    """A cell in one width, its lines apart by line breaks only."""
    text = re.sub(r"^'(?=[=+@-])", "", cell.translate(ONE_WIDTH))  # a spreadsheet's guard
    text = re.sub(r"\*\*(?=[一-鿿])|(?<=[一-鿿）)：:])\*\*|`", "", text)  # bold type and code, as robots write them
    return "\n".join(line.strip() for line in re.split(r"[\r\n\t\x0b\x0c\x85\u2028\u2029]+", text) if line.strip())


# --- readers: each knows one form of file, and nothing of the list --------------------------------


def running(name: str, texts: Iterable[str]) -> Part:
    """Lines of text as a part, blank ones left out."""
    return Part(name, False, [Line(at, [tidy(text)]) for at, text in enumerate(texts, 1) if text.strip()])


def table_delimiter(lines: list[str]) -> str:
    """What stands between the cells of a text's lines: tab , ; or |, "" when it is running text.

    That which makes most headings out of one of the first lines, or cuts most lines into as many cells.
    """
    filled = [line for line in lines if line.strip()][:100]
    most, found = 1, ""
    for delimiter in "\t,;|":
        rows = [line.split(delimiter, MAX_COLUMNS) for line in filled]
        score = max((sum(heading_field(cell) != "" for cell in row) for row in rows), default=0)
        widths = [len(row) for row in rows]
        even = max(widths, key=widths.count, default=0)
        labelled = any(re.match(r"\s*(地址|电话|联系)[^:：]*[:：].", cell) for row in rows for cell in row)
        if even > 1 and widths.count(even) * 3 >= len(rows) * 2 and not labelled:
            score = max(score, 2)
        if score > most:
            most, found = score, delimiter
    return found


LINE_END = r"\r\n|\n|\r"
NO_FORM = ("不是认得的文件", "可用 CSV、文本、XLSX、DOCX、PDF、网页和图片")


def decoded(path: str, raw: bytes) -> str:
    """A text in UTF-8, in UTF-16 with its mark, or in GB 18030. Raises ListError for no text."""
    for encoding in ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030"):
        with contextlib.suppress(UnicodeDecodeError):
            text = raw.decode(encoding)
            if "\0" not in text:
                return text
    raise ListError(path, *NO_FORM)


def text_rows(path: str, text: str) -> list[Line]:
    """The rows of a text whose lines are cut into cells, as they came; none of running text."""
    lines = re.split(LINE_END, text)
    if len(lines) > MAX_ROWS or max(map(len, lines)) > MAX_LINE:
        raise ListError(path, f"超过 {MAX_ROWS} 行，或一行超过 {MAX_LINE} 个字", WRONG_FILE)
    delimiter = table_delimiter(lines)
    return [Line(row, cells) for row, cells in parse_rows(text, path, delimiter)] if delimiter else []


def read_text_parts(path: str, raw: bytes) -> list[Part]:
    """Text whose lines are cut into cells as a table, other text as it runs."""
    text = decoded(path, raw)
    rows = text_rows(path, text)
    if not rows:
        return [running("", re.split(LINE_END, text))]
    return [Part("", True, [Line(number, [tidy(cell) for cell in cells]) for number, cells, *_ in rows])]


def unpacked(path: str, raw: bytes) -> Any:
    """A packed file, opened, its XML within bounds."""
    import zipfile

    archive = zipfile.ZipFile(io.BytesIO(raw))
    size = sum(entry.file_size for entry in archive.infolist() if entry.filename.endswith((".xml", ".rels")))
    if size > MAX_XML:
        raise ListError(path, f"解开后太大（{size // 1_000_000} MB）", WRONG_FILE)
    return archive


def sheet_marks(path: str, sheet: Any) -> tuple[list[str], list[str], int]:
    """(merged areas as A1:A3, what its pages have as head and foot, columns that are filled) of a sheet, from its XML.

    Raises ListError when it is too long or too wide, before it is read row by row.
    """
    from xml.etree import ElementTree

    from openpyxl.utils.cell import coordinate_to_tuple

    merged, around, rows, width = [], [], 0, 0
    for _, item in ElementTree.iterparse(sheet):
        tag = item.tag.rpartition("}")[2]
        if tag == "mergeCell":
            merged.append(item.get("ref", ""))
        elif tag.endswith(("Header", "Footer")):
            around.append(re.sub(r'&"[^"]*"|&\d+|&[A-Z]', "  ", item.text or ""))  # without its codes of layout
        elif tag == "c" and len(item):
            width = max(width, coordinate_to_tuple(item.get("r", "A1"))[1])
            if width > MAX_COLUMNS:
                raise ListError(path, f"{item.get('r')} 格有内容", f"名单最多 {MAX_COLUMNS} 列")
        elif tag == "row":
            item.clear()
            rows += 1
            if rows > MAX_SHEET_ROWS:
                raise ListError(path, f"超过 {MAX_SHEET_ROWS} 行", WRONG_FILE)
    return merged, around, width


def cell_text(value: object) -> str:
    """A workbook's cell as text: 13800001234.0 is 13800001234, an empty one ""."""
    whole = isinstance(value, float) and value.is_integer()
    return "" if value is None else str(int(value) if whole else value)  # type: ignore[call-overload]


def sheet_rows(values: Any, formulas: Any, merged: list[str], width: int) -> list[Line]:
    """The rows of a sheet; what stands in a cell merged downwards stands in each of its rows.

    `values` has what its formulas came to when it was saved, `formulas` has them as they are written.
    """
    from openpyxl.utils.cell import range_boundaries

    rows: dict[int, list[str]] = {}
    for sheet in (values, formulas):
        sheet.reset_dimensions()  # what a file says of its size may be wrong
    read = (sheet.iter_rows(max_col=width, values_only=True) for sheet in (values, formulas))
    for number, (cells, written) in enumerate(zip(*read), 1):
        if any(cell is not None for cell in cells):
            lost = (value is None and formula is not None for value, formula in zip(cells, written))
            rows[number] = ["#公式没有值" if empty else tidy(cell_text(value)) for empty, value in zip(lost, cells)]
    for left, top, _, bottom in map(range_boundaries, merged):
        for number in range(top + 1, min(bottom, max(rows, default=0)) + 1) if top in rows and left <= width else ():
            if number in rows:
                rows[number][left - 1] = rows[number][left - 1] or rows[top][left - 1]
    return [Line(number, cells) for number, cells in rows.items()]


def read_workbook_parts(path: str, raw: bytes) -> list[Part]:
    """Every visible sheet of an XLSX file, then the heads and feet of their pages, remarks and drawings."""
    import warnings

    from openpyxl.reader.excel import ExcelReader

    archive = unpacked(path, raw)
    parts, around = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of drop-down lists and formats that openpyxl does not know
        readers = [ExcelReader(io.BytesIO(raw), read_only=True, data_only=kept) for kept in (True, False)]
        for reader in readers:
            reader.read()
        members = {sheet.name: relation.target for sheet, relation in readers[0].parser.find_sheets()}
        for sheet, formulas in zip(*(reader.wb.worksheets for reader in readers)):
            if sheet.sheet_state == "visible":
                merged, heads, width = sheet_marks(path, archive.open(members[sheet.title]))
                parts.append(Part(sheet.title, True, sheet_rows(sheet, formulas, merged, width)))
                around.append(running(sheet.title, heads)._replace(beside=True))
            else:
                parts.append(Part(f"{sheet.title}（隐藏）", True, []))
    return [*parts, *around, *office_parts(path, archive, "xl/(?:comments|drawings/)")]


# The tags of a web page that begin a line, and those whose text is not shown.
LINES = frozenset(re.findall(r"\w+", "p div br li ul ol dl dt dd h1 h2 h3 h4 tr td th table section nav footer pre"))
HIDDEN = frozenset(re.findall(r"\w+", "script style noscript template head select textarea svg"))
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# The tags of an Office document, of a drawing's text and of a remark on a sheet's cell, as a web page has them.
WEB_TAGS = {
    W + "tbl": "table", W + "tr": "tr", W + "tc": "td", W + "p": "p", W + "br": "br", W + "cr": "br",
    W + "delText": "script", W + "instrText": "script",
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback": "script",
    "{http://schemas.openxmlformats.org/drawingml/2006/main}p": "p",
    "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}comment": "p",
}  # fmt: skip


def tree_of(path: str, raw: bytes, parser: Any) -> Any:
    """A document taken apart. Raises ListError when it is too large."""
    from lxml import etree

    if raw.count(b"<") > MAX_TAGS:
        raise ListError(path, f"超过 {MAX_TAGS} 个标记", WRONG_FILE)
    return etree.fromstring(raw, parser)


def tree_parts(root: Any) -> list[Part]:
    """The tables of a web page and the text between them, in order. A table around others only lays them out."""
    from lxml import etree

    parts: list[Part] = []
    text = ""
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, item in walk:
        inner = item.tag == "table" and next(item.iterdescendants("table"), None) is None
        if event == "start" and (inner or item.tag in HIDDEN):
            walk.skip_subtree()
            if inner:
                rows = [Line(at, cells) for at, cells in enumerate(tree_rows(item), 1)]
                parts += [running("", text.split("\n")), Part("", True, rows)]
                text = ""
            continue
        said = item.text if event == "start" else item.tail
        text += ("\n" if item.tag in LINES else "") + re.sub(r"\s+", " ", said or "")
    return [*parts, running("", text.split("\n"))]


def tree_rows(table: Any) -> Iterator[list[str]]:
    """The rows of a table; a cell that spans rows stands in each of them, one that spans columns only in the first."""
    above: dict[int, tuple[int, str]] = {}  # column: (rows that it still takes, its text)
    for row in table.iter("tr"):
        cells: list[str] = []
        waiting = list(row.iter("td", "th"))
        while (waiting or above.get(len(cells), (0, ""))[0]) and len(cells) <= MAX_COLUMNS:
            column, wide = len(cells), 1
            left, text = above.get(column, (0, ""))
            if not left:
                cell = waiting.pop(0)
                spans = (cell.get("colspan", ""), cell.get("rowspan", ""))
                wide, left = (int(span) if re.fullmatch("[1-9][0-9]{0,4}", span) else 1 for span in spans)
                if cell.get("goes-on") is None:
                    text = "\n".join(line.cells[0] for part in tree_parts(cell) for line in part.lines)
            cells += [text, *[""] * (min(wide, MAX_COLUMNS) - 1)]
            above[column] = (left - 1, text)
        yield cells


def office_parts(path: str, archive: Any, where: str, beside: bool = True) -> list[Part]:
    """The tables and texts in the files of a packed document whose name begins so, what two of them say once."""
    from lxml import etree

    parts: list[Part] = []
    for name in sorted(archive.namelist()):
        if re.match(where, name) and name.endswith(".xml"):
            root = tree_of(path, archive.read(name), etree.XMLParser(resolve_entities=False, no_network=True))
            as_web_page(root)
            new = (part._replace(beside=beside) for part in tree_parts(root))
            parts += [part for part in new if part not in parts]
    return parts


def as_web_page(root: Any) -> None:
    """Give an Office document the tags of a web page; a cell that goes on from the one above is marked so."""
    for item in list(root.iter(*WEB_TAGS)):
        item.tag = WEB_TAGS[item.tag]
    for mark, text in ((W + "tab", " "), (W + "noBreakHyphen", "-")):
        for item in root.iter(mark):
            item.text = text
    for span in root.iter(W + "gridSpan"):
        span.getparent().getparent().set("colspan", span.get(W + "val", "1"))
    for merge in root.iter(W + "vMerge"):
        if merge.get(W + "val") != "restart":
            merge.getparent().getparent().set("goes-on", "")


def read_word_parts(path: str, raw: bytes) -> list[Part]:
    """A DOCX file, with its pages' heads first; text boxes stand where they are anchored, deleted text is none."""
    archive = unpacked(path, raw)
    body = office_parts(path, archive, "word/document", beside=False)
    notes = office_parts(path, archive, "word/(?:footer|footnotes|endnotes|comments)")
    return [*office_parts(path, archive, "word/header"), *body, *notes]


def read_html_parts(path: str, raw: bytes) -> list[Part]:
    """A web page, in the character set that it declares."""
    from lxml import etree

    declared = re.search(rb"<meta[^>]*charset[\s=\"']*(utf-?8|gb|big5)", raw.lower())
    # Browsers read all that calls itself GB as its largest set; the names 喆 and 镕 need it.
    charset = declared[1].decode().replace("gb", "gb18030") if declared else ""
    text = raw.decode(charset, "replace") if charset else decoded(path, raw)
    return tree_parts(tree_of(path, text.encode(), etree.HTMLParser(encoding="utf-8", huge_tree=True)))


def read_pdf_parts(path: str, raw: bytes) -> list[Part]:
    """The tables and the text around them of each page of a PDF; a page that is a picture is read as one."""
    import logging

    import pdfplumber

    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)  # what it remarks on is no error of ours
    check_streams(path, raw)
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
    return parts


def check_streams(path: str, raw: bytes) -> None:
    """Raise ListError for a PDF in which something unpacks, also when packed twice, to more than a page can need."""
    import zlib

    for found in re.finditer(rb"(?<!end)stream\r?\n", raw):
        packed = raw[found.end() : raw.find(b"endstream", found.end())]
        most = MAX_SCAN if b"/Image" in raw[max(found.start() - 500, 0) : found.start()] else MAX_STREAM
        with contextlib.suppress(zlib.error):
            for _ in range(3):
                packed = zlib.decompressobj().decompress(packed, most + 1)
                if len(packed) > most:
                    raise ListError(path, "解开后太大", WRONG_FILE)


def pdf_page_parts(page: Any, name: str) -> Iterator[Part]:
    """The ruled tables of a page and the lines of text above, between and below them."""
    tables = [table for table in page.find_tables() if len(table.rows) > 1 and len(table.rows[0].cells) > 1]

    def outside(item: Any) -> bool:
        x, y = (item["x0"] + item["x1"]) / 2, (item["top"] + item["bottom"]) / 2
        return not any(box[0] <= x <= box[2] and box[1] <= y <= box[3] for box in (table.bbox for table in tables))

    lines = spaced_lines(page.filter(lambda item: item["object_type"] != "char" or outside(item)))
    for table in sorted(tables, key=lambda table: float(table.bbox[1])):
        yield running(name, [text for top, text in lines if top < table.bbox[1]])
        lines = [(top, text) for top, text in lines if top >= table.bbox[1]]
        rows = [[tidy(cell or "") for cell in row] for row in table.extract()]
        yield Part(name, True, [Line(at, cells) for at, cells in enumerate(rows, 1)])
    yield running(name, [text for _, text in lines])


def spaced_lines(page: Any) -> list[tuple[float, str]]:
    """(top, text) of the lines on a page, its words apart by blanks.

    Where every third line begins a word, a column begins: a text that runs up to it ends there, gap or none.
    """
    from pdfplumber.utils.clustering import cluster_objects

    words = page.extract_words(x_tolerance_ratio=0.6, return_chars=True, use_text_flow=True)  # cells may overlap
    lines = [sorted(line, key=lambda word: float(word["x0"])) for line in cluster_objects(words, "bottom", 3)]
    begun = [round(word["x0"]) for line in lines for word in line[1:]]
    columns = {x for x in begun if begun.count(x) * 3 > len(lines) > 5}
    texts = []
    for line in lines:
        cut = columns & {round(word["x0"]) for word in line[1:]}  # a title is not
        text = ""
        for word in line:
            for at, char in enumerate(word["chars"]):
                begins = not at or (cut and round(char["x0"]) in columns)
                text += f" {char['text']}" if begins else char["text"]
        texts.append((float(line[0]["top"]), text))
    return texts


class Form:
    """A form of file: its name, the bytes it begins with, its reader, and of what one is `inside` (a packed file's).

    What stands in a reader's place is what to do with a form that is not read.
    """

    def __init__(self, name: str, starts: tuple[bytes, ...], read: Any, inside: tuple[bytes, ...] = (b"",)) -> None:
        self.name, self.starts, self.read, self.inside = name, starts, read, inside


PICTURE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"GIF8")
PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<meta", b"<table", b"<div", b"<p", b"<?xml")
PACKED, OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
SHEETS = (b"xl/workbook.xml", b"xl/worksheets/", b"xl/styles.xml")
PICTURE = Form("图片", PICTURE_STARTS, lambda path, _: read_picture_parts(path))
WORKBOOK = Form("Excel（.xlsx）", (PACKED,), read_workbook_parts, SHEETS)
TEXT = Form("文本", (b"",), read_text_parts)
# The first that fits is taken.
FORMS = (
    PICTURE,
    Form("PDF", (b"%PDF",), read_pdf_parts),
    Form("网页", PAGE_STARTS, read_html_parts),
    WORKBOOK,
    Form("Word（.docx）", (PACKED,), read_word_parts, (b"word/",)),
    Form("压缩包或别的 Office 文件", (PACKED,), "请解压，或另存为 .xlsx 或 .docx"),
    Form("加了密码的 Office 文件", (OLD_OFFICE,), "请去掉密码后另存为 .xlsx 或 .docx", (b"E\0n\0c\0r\0y\0p\0t",)),
    Form("旧版 Word 文件（.doc）", (OLD_OFFICE,), "请用 Word 或 WPS 另存为 .docx", (b"W\0o\0r\0d\0D\0o\0c",)),
    Form("旧版 Excel 文件（.xls）", (OLD_OFFICE,), "请用 Excel 或 WPS 另存为 .xlsx", (b"W\0o\0r\0k\0b\0o\0o\0k",)),
    Form("旧版 Office 文件", (OLD_OFFICE,), "请另存为 .xlsx 或 .docx"),
    Form("压缩包", (b"Rar!",), "请先解压，给出里面的名单"),
    Form("RTF 文件", (b"{\\rtf",), "请用 Word 另存为 .docx"),
    Form("JSON 数据", (b'[{"',), "请另存为表格或 CSV"),
    Form("网页归档（.mht）", (b"MIME-Version",), "请用浏览器打开，另存为 .html"),
    Form("HEIC 照片或视频", (b"\0\0\0",), "请另存为 JPEG 或 PNG", (b"ftyp",)),
    TEXT,
)


def form_of(path: str, raw: bytes) -> Form:
    """The form of a file, by its first bytes, in a text blanks aside. Raises ListError for one that is not read."""
    head = raw[:1024].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    begun = (form for form in FORMS if raw.startswith(form.starts) or head.startswith(form.starts))
    form = next(form for form in begun if any(name in raw for name in form.inside))
    if isinstance(form.read, str):
        raise ListError(path, f"{form.name}不能直接读", form.read)
    return form


def read_bytes(path: str) -> bytes:
    """The bytes of a file to import, of stdin for "-". Raises ListError for what cannot be opened, or is too large."""
    piped = path == "-" and sys.stdin is not None
    raw = file_bytes(path, MAX_BYTES, "请给出一个文件；管道里的内容用 xunqin import - 读", piped)
    if not raw:
        raise ListError(path, "文件是空的", "请给出有内容的名单")
    return raw


@contextlib.contextmanager
def reading(path: str, form: Form) -> Iterator[None]:
    """Whatever a library raises on foreign bytes becomes a ListError of one line; the cause stays attached."""
    try:
        yield
    except ListError:
        raise
    except ModuleNotFoundError as error:
        raise extra_missing(path, "ocr" if form is PICTURE else "import") from error
    except (Exception, MemoryError) as error:
        raise ListError(path, f"这个{form.name}文件读不了，可能不完整", "请打开看看，另存一份再试") from error


def read_parts(path: str) -> tuple[Form, list[Part]]:
    """(form of a file, its tables and texts). Whatever its bytes are, the only error is a ListError of one line."""
    raw = read_bytes(path)
    form = form_of(path, raw)
    if form is PICTURE and path == "-":
        raise ListError(STDIN_NAME, "是图片", "请存成文件再导入")
    with reading(path, form):
        parts = form.read(path, raw)
    if sum(len(part.lines) for part in parts) > MAX_ROWS:
        raise ListError(path, f"超过 {MAX_ROWS} 行", WRONG_FILE)
    for part in parts:
        most = MAX_CELL if part.table else MAX_LINE
        for line in part.lines:
            if len(line.cells) > MAX_COLUMNS or max(map(len, line.cells), default=0) > most:
                wrong = f"一行超过 {MAX_LINE} 个字，超过 {MAX_COLUMNS} 列，或一格超过 {MAX_CELL} 个字"
                raise ListError(path, wrong, WRONG_FILE, line.number)
    return form, parts


# --- numbers --------------------------------------------------------------------------------------

DASHES = str.maketrans(dict.fromkeys("—–－−‐‑‒―", "-"))
# Area codes: 010 and 02x, else four digits; a local number begins with 2 to 8. A bare 86 is no country code.
NUMBER = (
    r"(?<![\d-])(?:(?:\+|00)86[- ]?)?(?:(?P<mobile>1[3-9]\d(?:[- ]?\d){8})"
    r"|(?:[(（]?(?P<area>010|02\d|0[3-9]\d{2})[)）]?[- ]*)?(?P<local>[2-8]\d{2,3}[- ]?\d{4})"
    r"(?:\s*(?P<open>[（(])?(?:转|-|ext\.?)\s*(?:分机)?(?P<extension>(?<=[转机.t ])\d{1,5}|\d{3,5})(?(open)[)）]))?)"
    r"(?![\d-])"
)
# What may be a number, whole or damaged, in running text.
ANY_NUMBER = rf"(?ia:{NUMBER}(?!\s*[年号])|(?<![\d*＊])\+?[\d*＊][\d*＊—–－~-]{{4,}}[\d*＊](?:\s*转\s*\d+)?(?!\s*号))"
# Words that stand among numbers and are no officer's name.
SMALL_TALK = (
    "(?:白天|晚上|夜间|节假日|工作日|上班|下班|周[一二三四五六日末]|至|时间|以及|或者?|和|及|值班室?|24小时|全天|均可|办|手|座机|"
    r"办公室?|微信|同号?|联系|咨询|请|拨打|号码|手机|电话|可|与|致电|\d{1,2}[:：]\d\d|[（(）)。、.,，;；:：\s-])+"
)
HUBEI_AREAS = r"027|071\d|072[248]"


def has_number(text: str) -> bool:
    """Whether a text holds what may be a phone number: seven or more digits, however they are set apart."""
    return re.search(r"\d(?:[ -]?\d){6}", text) is not None


SURNAMES = "欧阳|上官|司马|司徒|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|端木|南宫|宇文"  # of two characters
TITLE = "(?:警官|民警|队长|大队长|支队长|中队长|主任|所长|教导员|指导员|同志|先生|女士|科长|法医)"


def is_person(text: str) -> bool:
    """Whether a text is a person's name, or several: 戴警官, 戴警官、李警官, 欧阳建国."""
    names = re.split("[、/和\n]", text)
    one = f"[一-鿿·]{{1,4}}{TITLE}|[一-鿿]{{2,3}}|(?:{SURNAMES})[一-鿿]{{2}}|[一-鿿]+·[一-鿿]+"
    named = all(re.fullmatch(one, name) for name in names)
    return named and not re.search("[路街巷村楼镇乡院旁层]|[大支中]队$", text)


@lru_cache(maxsize=1)
def numbering_plan() -> str:
    """The pattern of China's landlines and mobiles, without the first 0, as libphonenumber knows it.

    Its own check of a number takes a tenth of a millisecond; without the library the patterns here have to do.
    """
    try:
        from phonenumbers import PhoneMetadata
    except ImportError:
        return r"\d+"
    plan: Any = PhoneMetadata.metadata_for_region("CN")
    return f"{plan.fixed_line.national_number_pattern}|{plan.mobile.national_number_pattern}"


def local_digits(area: str) -> int:
    """How many digits a local number has in one of Hubei's areas."""
    return 8 if area == "027" else 7


def number_problem(number: str, area: str) -> str:
    """What is wrong with a number as the list keeps it, "" for nothing: 027-12345678转8012 or 13812345678.

    `area` is the city's area code, "" where it is not known.
    """
    landline = re.fullmatch(r"(0\d{2,3})-(\d{7,8})(?:转\d{1,5})?", number, re.ASCII)
    digits = f"{landline[1]}{landline[2]}" if landline else number
    exists = re.fullmatch(numbering_plan(), digits.removeprefix("0"))
    if not landline:
        return "" if exists and re.fullmatch(r"1[3-9]\d{9}", number, re.ASCII) else "不是手机号或带区号的座机号"
    if area and landline[1] != area:
        return f"区号不是本地的 {area}"
    if re.fullmatch(HUBEI_AREAS, area) and len(landline[2]) != local_digits(area):
        return f"{area} 的座机应为 {local_digits(area)} 位"
    return "" if exists else "号码不存在"


class Numbers:
    """What a cell of numbers holds; `names` are officers that stand among their numbers."""

    def __init__(self) -> None:
        self.office: list[str] = []
        self.mobile: list[str] = []
        self.names: list[str] = []
        self.repairs: list[str] = []
        self.problems: list[str] = []


def numbers_in(cell: str, area: str) -> Numbers:
    """The numbers of a cell that may hold several. `area` is the row's area code: each landline must have it.

    An area code holds for the local numbers behind it (0354-2416500、2416530); before those without any, `area` is put.
    A number that lost its first zero in a spreadsheet (7283212345) gets it back. Digits that are left are a problem.
    """
    numbers = Numbers()
    text = cell.translate(DASHES)
    lost_zero = rf"(?<![\d-]){area[1:]}-?\d{{{local_digits(area)}}}(?![\d-])"
    numbers.repairs += [f"{found} 补上开头的 0" for found in re.findall(lost_zero, text)]
    text = re.sub(lost_zero, r"0\g<0>", text)
    stated = area
    for found in re.finditer(NUMBER, text, re.ASCII | re.IGNORECASE):
        if found["mobile"]:
            number = re.sub("[- ]", "", found["mobile"])
            numbers.mobile.append(number)
        else:
            stated = found["area"] or stated
            local = re.sub("[- ]", "", found["local"])
            number = f"{stated}-{local}" + (f"转{found['extension']}" if found["extension"] else "")
            numbers.office.append(number)
            numbers.repairs += [] if found["area"] else [f"{local} 补区号 {stated}"]
        problem = number_problem(number, area)
        numbers.problems += [f"{found[0]} {problem}"] if problem else []
    left = re.sub(NUMBER, " ", text, flags=re.ASCII | re.IGNORECASE)
    left = re.sub(r"\d{1,2}\s*(?:小时|[:：]\d\d|[时点])", "", left)
    shown = " ".join(left.split())[:80]
    if any(character.isnumeric() and not "一" <= character <= "鿿" for character in left):
        numbers.problems.append(f"「{shown}」不像完整的号码")
    if re.search("公安|分局|派出所", left):
        numbers.problems.append(f"号码格里有单位名「{shown}」")
    words = [word for word in re.findall("[一-鿿·]+", left) if not re.fullmatch(SMALL_TALK, word)]
    numbers.names = [word for word in words if is_person(word) and not heading_field(word)]
    return numbers


# --- places ---------------------------------------------------------------------------------------

# Police that belong to no county. Their names hold places that they are not in: 江汉油田 is not 江汉区.
WIDE_POLICE = "水上|铁路|铁道|航运|长航|油田|机场|民航|轨道"
POLICE_START = "公安|分局|刑侦|刑警|刑事|打拐|反拐|派出所"
PROVINCE_DIVISION = ("420000", HOME_PROVINCE)


class Placed:
    """What a text says of where it is: a division, which may be a city such as ("420600", "襄阳市") or the province.

    `elsewhere` is a province outside Hubei, `unknown` a name that stands where one of a county should, and is none.
    """

    def __init__(
        self, division: Division | None = None, city: str = "", elsewhere: str = "", unknown: str = ""
    ) -> None:
        self.division, self.city, self.elsewhere, self.unknown = division, city, elsewhere, unknown


def front_name(text: str, names: Collection[str]) -> str:
    """The longest of these names that a text begins with, "" for none."""
    return next((text[:end] for end in range(_LONGEST, 1, -1) if text[:end] in names), "")


class Places:
    """The counties and cities of a list, and which of them a unit's name or an address says. Strict: no guesses."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.cities = catalog.city_names
        self.areas = {row["city"]: row["hotline"].removesuffix("-110") for row in catalog.rows}
        self.areas[HOME_PROVINCE] = self.areas["武汉市"]
        self.counties = {district: (code, district) for code, district in catalog.divisions}
        self.short = {short_name(name): division for name, division in self.counties.items()}
        self.names_in = {"": list(self.counties)}  # {a city, "" for all: the counties in it}
        self.names_in.update({city: [name for _, name in found] for city, found in catalog.cities.items()})
        self.known: dict[str, Placed] = {}
        self.strangers = 0  # units that a search did not place

    def city_division(self, city: str) -> Division:
        """The division of a whole city's unit: ("420600", "襄阳市"); a county-level city is its own."""
        return self.counties.get(city) or (self.catalog.cities[city][0][0][:4] + "00", city)

    def city_of(self, division: Division) -> str:
        """The city that a division belongs to; the province and a city are their own."""
        return self.catalog.city_of(division) if division in self.catalog.row_numbers else division[1]

    def area_code(self, division: Division) -> str:
        """The area code of a division: what the hotlines of its city begin with."""
        return self.areas[self.city_of(division)]

    def named(self, text: str) -> Division | None:
        """The county with this full or short name."""
        name = clean(text)
        return self.counties.get(name) or self.short.get(name)

    def read(self, text: str) -> Placed:
        """Where a unit is, by its name: 武汉市公安局硚口区分局, 硚口公安分局, 襄阳市公安局刑侦支队, 湖北省公安厅."""
        if text not in self.known:
            self.known[text] = self._unit(clean(text[:60]))
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
        county = self.take_county(inside) or (self.take_county(bureau) if city else None)
        if county:
            return Placed(county, self.city_of(county))
        if city and re.match(POLICE_START, inside) and not re.search(".分局|派出所", inside):
            return Placed(self.city_division(city), city)
        if not re.search(POLICE_START, inside):
            return Placed(None, city)
        name = re.split(POLICE_START, bureau)[0]
        fronts = (rest[:end] for end in range(3, 12))
        # 荆州公安局 may be the city's or the county's. A list of nothing but strangers is not searched to its end.
        if name not in self.short and not any(map(is_official_elsewhere, fronts)) and self.strangers < 200:
            hits = list({hit.division for hit in search(text, self.catalog) if hit.tier in SURE_TIERS})
            if len(hits) == 1 and city in ("", self.city_of(hits[0])):
                return Placed(hits[0], self.city_of(hits[0]))
            self.strangers += 1
        return Placed(None, city, unknown=name if len(name) > 1 else "")

    def address(self, text: str) -> Placed:
        """Where an address is, by the full names that it begins with; a short name in it may be a street's."""
        rest = clean(text).removeprefix("湖北省").removeprefix("湖北")
        city, inside = self.take_city(rest)
        county = self.take_county(inside)
        if county:
            return Placed(county, city or self.city_of(county))
        return Placed(None, city if city and rest.startswith(city) else "", self.elsewhere(rest))

    def take_city(self, text: str) -> tuple[str, str]:
        """(the city in front of a text, the rest); ("", text) when it begins with a county or with neither.

        A longer name goes before a shorter one: 荆州区, then 荆州, which is a county's too and needs one behind it.
        """
        name = front_name(text, {*self.counties, *self.cities})
        rest = text[len(name) :]
        if name not in self.cities or (name in self.short and not self.take_county(rest)):
            return "", text
        return self.cities[name], rest

    def take_county(self, text: str) -> Division | None:
        """The county that a text begins with: by its full name, or by its short one where police follow."""
        full, name = front_name(text, self.counties), front_name(text, self.short)
        if full:
            return self.counties[full]
        police = "公安" if name == "公安" else POLICE_START  # a county has this name
        of_city = name in self.cities and self.cities[name] not in self.counties
        return self.short[name] if name and not of_city and re.match(police, text[len(name) :]) else None

    def elsewhere(self, text: str) -> str:
        """The other province that a text begins with, "" for none."""
        for name in (text[:3], text[:2]):
            street = re.match("[东西南北中]?[路街巷桥]|大道|大街|大厦", text[len(name) :])  # 北京路 is in many cities
            if not street and any(sense.note == short_name(name) for sense in elsewhere_senses(name)):
                return name
        return ""


def misread_name(written: str, names: Iterable[str], alike: bool) -> str:
    """The only one of the names that a written one is a misreading of, in one character; "" for none.

    What is a real place, in Hubei or elsewhere, is none. With `alike` the two characters must look or sound alike.
    """
    same_length = (name for name in names if len(name) == len(written))
    near = [name for name in same_length if sum(a != b for a, b in zip(written, name)) == 1]
    if len(near) != 1 or is_official_elsewhere(written):
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

    def take(self, more: Entry) -> None:
        """Put another entry of the same unit into this one; a doubt that was confirmed in one is none in both."""
        for field, cell in more.cells.items():
            if field != "confirmed" and cell not in self.cells.get(field, "").split("\n"):
                self.add(field, cell)
        if more.held():
            self.doubts = [*self.held(), *more.held()]
            self.cells["confirmed"] = ""
        self.repairs += more.repairs

    def phones(self) -> str:
        """The cells of numbers, as they came."""
        return "\n".join(self.cells[field] for field in NUMBER_FIELDS if self.cells.get(field))

    def held(self) -> list[str]:
        """Why the entry is not taken over; nothing once its doubts are confirmed and nothing is wrong."""
        return [*self.problems, *([] if self.cells.get("confirmed") else self.doubts)]


class Stray(NamedTuple):
    """A number of the source that is no unit's."""

    number: int
    text: str
    why: str


def looks_like_unit(text: str) -> bool:
    """Whether a text is written as a police unit's name is, not as an address at one: 公安局院内, 公安局办公楼一楼."""
    bare = re.sub(r"[（(][^）)]*[）)]$", "", text[:200])
    ends = re.search("[局所队办室处厅科中心点站组]$", bare)
    if not ends or not re.search("公安|分局|派出所|刑侦|刑警|刑事|打拐|反拐|DNA", bare) or has_number(bare):
        return False
    return not re.search(r"\d\s*号|[路街道巷]\d|[一二三四五六七八九十\d][楼层]", bare)


def looks_like_address(text: str) -> bool:
    """Whether a text is written as an address is."""
    signs = r"[路街道巷村楼镇乡院旁侧厦层幢栋室]|\d\s*号|广场|小区|社区|园区|中心|交汇|门口|对面|附近"
    return re.search(signs, text) is not None


def headed_columns(lines: list[Line]) -> tuple[int, list[str], list[str]]:
    """(where the rows below the headings begin, the field of each column, its heading); (0, [], []) without headings.

    Of the first fifteen rows the one with most headings is taken, with those around it that hold nothing but headings.
    """

    def only_headings(at: int) -> bool:
        return 0 <= at < len(lines) and all(heading_field(cell) for cell in lines[at].cells if cell)

    told = []
    for line in lines[:15]:
        labels = any(has_number(cell) or (looks_like_unit(cell) and not heading_field(cell)) for cell in line.cells)
        told.append(0 if labels else sum(heading_field(cell) != "" for cell in line.cells))
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


def transposed(lines: list[Line]) -> list[Line]:
    """The rows of a table; where the headings stand in its first column and nowhere else, its columns."""
    first = {heading_field(line.cells[0]) for line in lines if line.cells} - {""}
    elsewhere = any(heading_field(cell) for line in lines for cell in line.cells[1:])
    if len(first) < 3 or elsewhere:
        return lines
    grid = itertools.zip_longest(*(line.cells for line in lines), fillvalue="")
    return [Line(at, list(column)) for at, column in enumerate(grid, 1)]


def content_columns(lines: list[Line], places: Places) -> list[str]:
    """The field of each column by what stands in most of its cells, "" for none."""
    tests: dict[str, Callable[[str], object]] = {
        "city": lambda cell: simplified(cell) in places.cities,
        "district": lambda cell: simplified(cell) in places.counties,
        "unit": looks_like_unit,
        "address": looks_like_address,
        "contact": is_person,
    }
    fields = []
    for column in itertools.zip_longest(*(line.cells for line in lines)):
        cells = [cell for cell in column if cell]
        fits = [field for field, test in tests.items() if sum(bool(test(cell)) for cell in cells) * 2 > len(cells)]
        fields.append(fits[0] if fits else "")
    return fields


def side_by_side(fields: list[str]) -> list[slice]:
    """The columns of each of the tables that stand beside each other: their headings repeat from the left."""
    times = fields.count("unit")
    width = len(fields) // max(times, 1)
    beside = fields[:width] * times
    if times > 1 and fields[: len(beside)] == beside and not any(fields[len(beside) :]):
        return [slice(start, start + width) for start in range(0, len(beside), width)]
    return [slice(None)]


def table_contents(batch: Batch, lines: list[Line], fields: list[str], headings: list[str]) -> None:
    """Add the units of a table's rows."""
    above: Entry | None = None
    for at, line in enumerate(itertools.accumulate(lines, filled_up)):
        if all(heading_field(cell) or re.fullmatch("[-: ]*", cell) for cell in line.cells):
            _, again, named = headed_columns(lines[at : at + 2])
            if "unit" in again:  # headings again, it may be in another order
                fields, headings, above = again, named, None
            continue
        entry = None if is_title(line.cells, fields) else table_entry(batch, line, fields, headings)
        if entry is None or continues(entry, above):
            continue
        if not entry.cells.get("unit") and not entry.cells.get("district"):
            whose = f"；若是「{above.cells.get('unit', '')}」的，请并到那一行" if above else ""
            entry.problems.append(f"没有单位名称{whose}")
        batch.entries.append(entry)
        above = entry


def filled_up(above: Line, line: Line) -> Line:
    """A row of a table; a cell that says 同上 says what the one above it does."""
    before = [*above.cells, *line.cells[len(above.cells) :]]
    return line._replace(
        cells=[old if re.fullmatch(r"同上|〃|″|\"", cell) else cell for old, cell in zip(before, line.cells)]
    )


def is_title(cells: list[str], fields: list[str]) -> bool:
    """Whether a row is a sum, or its only cell a title or a note: not a unit, a number or an officer."""
    filled = [(cell, field) for cell, field in zip(cells, fields) if cell]
    if any(has_number(cell) for cell, _ in filled):
        return False
    if len(filled) > 1:
        return re.match(r"(?:合|总|小|共)\s*计", filled[0][0]) is not None
    return not any(looks_like_unit(cell) or field == "contact" for cell, field in filled)


def table_entry(batch: Batch, line: Line, fields: list[str], headings: list[str]) -> Entry | None:
    """The cells of a row by field; None when it says nothing of a unit. Cells of one field are put together.

    Numbers under a heading that is no phone's are strays, those under an unknown one a doubt; a column without any
    heading that holds numbers is taken for a phone's.
    """
    entry = Entry(line, {})
    for cell, told, heading in itertools.zip_longest(line.cells, fields, headings, fillvalue=""):
        field = told or ("" if heading else "phone")
        if field == "unread" and has_number(cell):
            batch.strays.append(Stray(line.number, f"{heading} {cell}", "不是采血电话"))
        elif field in ("", "note", "unread", "number"):
            if has_number(cell):
                entry.add("note", f"{heading} {cell}".strip())
        elif cell and cell not in entry.cells.get(field, "").split("\n") and (told or has_number(cell)):
            entry.add(field, cell)
    if set(entry.cells) & (set(FIELD_NAMES) - {"city", "district"}):
        return entry
    if entry.cells.get("note"):
        batch.strays.append(Stray(line.number, entry.cells["note"], "不在任何单位的行里"))
    return None


def continues(entry: Entry, above: Entry | None) -> bool:
    """Put a row that is more of the row above into it: a second officer, a second number, and nothing else.

    Only where another cell that the row above has is empty too; else it is a row whose unit is missing.
    """
    told = {field for field in entry.cells if field in (*FIELD_NAMES, "note")}
    if above is None or not told <= {"contact", *NUMBER_FIELDS}:
        return False
    if not any(above.cells.get(field) and field not in told for field in FIELD_NAMES if field != "unit"):
        return False
    above.take(entry)
    return True


# --- running text ---------------------------------------------------------------------------------

# What stands around a list, and whose numbers are no unit's; what a unit's other numbers are called.
AROUND = (
    r"(?i:^(?!.*时间)\S{1,20}(?: [\d/-]+)? \d{1,2}:\d\d(?::\d\d)?$|"  # who wrote the next message, and when
    "客服|编辑|责编|记者|版权|备案|ICP|网站|网址|首页|联系我们|技术支持|主办|承办|来源|"
    "新闻热线|爆料|广告|扫码|公众号)"
)
OTHER_NUMBER = f"微信(?!同)|传真|监督|举报|投诉|邮编|{AROUND}"
DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")  # 二〇二二年七月五日
DATE = r"20\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月](?:\s*\d{1,2}\s*日?)?"
NUMBERING = (
    r"^(?:第?[\d一二三四五六七八九十]{1,4}[、.．)）]|[（(][\d一二三四五六七八九十]{1,4}[)）]|[①-⑳]|[^\w（(【\[《]+)\s*"
)


def is_city_heading(text: str, places: Places) -> bool:
    """Whether a text is a city's name as headings have it: 【武汉市】, 二、黄石市（6个）, 武汉市：, 省直辖."""
    bare = re.sub(r"[【】\[\]<>《》:：\s]|[（(]?共?\d+个?点?位?[)）]?$", "", re.sub(NUMBERING, "", text))
    return simplified(bare[:12]) in places.cities or re.match("省直[辖管]", bare) is not None


def bare_piece(text: str) -> str:
    """A piece of text without the signs around it and without a bracket that has no partner."""
    text = re.sub(NUMBERING, "", text.strip()).strip("、.:： ")
    inside = re.fullmatch(r"[（(]([^（(）)]*)[）)]", text)
    missing = len(re.findall("[（(]", text)) - len(re.findall("[）)]", text))
    if missing < 0:
        return re.sub("[）)]$", "", text)
    return inside[1] if inside else text.strip("（(") if missing else text


# Turns of a sentence, as the labels that they stand for.
SPOKEN = (
    (r"[^，。；：:（）]{0,40}(?:群众|市民|亲属|可以?|请|就近)(?:到|去|前往)(?=[^，。；]{0,40}(?:公安|分局))", "，"),
    (r"的?(?:免费)?采血(?:点|处|室|地点|地址)?(?:就?设[立置]?在|位于|就?在|[是为])", "，地址："),
    (r"(?<=[）)])(?:免费)?采血", ""),
    (r"(?<=[局队所办室处])[（(](?=[^（(）)]{0,100}\d{6})", "，"),
    (r"请?[与找]([一-鿿]{2,4}?)(?:联系|咨询|接洽)", r"，联系人：\1，"),
    (r"(地址|联系人|负责人|电话|手机|座机)[是为](?=[一-鿿\d])", r"\1："),
    (r"(?<![一-鿿])([一-鿿])\s+([一-鿿])(?:\s+([一-鿿]))?(?![一-鿿])", r"\1\2\3"),  # 地　址, 联 系 人, 宦　恒
)

# What stands between the pieces of a line; a colon stays with its label.
BETWEEN = r"[，,；;。|！\t]+|\s+|(?<=[:：])|(?<=[局队所办室处）)])、"


def pieces_of(text: str) -> Iterator[tuple[str, str]]:
    """(field, text) for each piece of a line: "number" for a number, "label" for a label, else what the label says."""
    for turn, labels in SPOKEN:
        text = re.sub(turn, labels, text)
    at = 0
    field = ""
    for found in [*re.finditer(ANY_NUMBER, text), None]:
        for clause in re.split(BETWEEN, text[at : found.start() if found else None]):
            for named, piece in labelled_pieces(clause, field):
                field = "" if piece else named
                yield ("unread" if named == "unread" else "label", clause) if piece == "" else (named, piece)
        if found:
            yield "number", found[0].strip()
            at = found.end()


LABEL = "^(?:详细|采血)?(地址|联系人|负责人|联系民警)(?=.{2})"
LABELS = ("contact", "address", "unread", *NUMBER_FIELDS)  # may end a text: 一楼联系人：, 朱警官电话138…


def labelled_pieces(clause: str, field: str) -> Iterator[tuple[str, str]]:
    """(field, text) of a clause, ("", text) for one without label, (field, "") for a label; `field` holds from before.

    A label is all of the clause, or ends it, or begins it (地址武汉市一路). A name keeps its title, an address its 1号.
    """
    head = bare_piece(clause) if len(clause) < 300 else ""  # no cell is that long
    for start in range(max(len(head) - 12, 0), max(len(head) - 1, 0)):
        named = heading_field(head[start:])
        title = field != "address" and re.match("警官|民警", head[start:])
        if start and (title or named not in LABELS or re.match(r"[\W\d号的及和与]", head[start:])):
            continue
        if named:
            front = bare_piece(head[:start])
            titled = re.search(f"{TITLE}$|{LABEL}", front)
            if field or titled or looks_like_unit(front) or looks_like_address(front):
                yield from labelled_pieces(front, field)  # else it is the label's: 受理电话
            yield named, ""
            return
    begun = re.match(LABEL, head)
    if begun:
        yield heading_field(begun[1]), head[begun.end() :]
    elif head:
        note = clause.strip("、.:：，, ")  # 288号 （刑警大队）: the bracket is the address's
        bracketed = re.fullmatch(r"[（(].*[）)]", note) and "公安" not in note
        yield field, note if bracketed else head


class Reading:
    """Running text, read from the top: the unit that what follows belongs to, the county of the headings."""

    def __init__(self, batch: Batch, places: Places) -> None:
        self.batch, self.places = batch, places
        self.entry: Entry | None = None
        self.district = ""  # of the headings
        self.last = ""  # the field of the piece in front, on the same line
        self.seen = len(batch.entries)
        self.ahead: set[str] = set()  # labels in front of the first unit

    def line(self, line: Line) -> None:
        """Take one line in. One that has a number in front of its unit, and none at its end, is read from behind."""
        pieces = [("begin" if self.is_unit(*piece) else piece[0], piece[1]) for piece in pieces_of(line.cells[0])]
        fields = [field for field, _ in pieces]
        first = fields.index("begin") if "begin" in fields else 0
        in_front = "number" in fields[:first] and fields[-1] != "number"
        if re.search(AROUND, line.cells[0]):
            self.entry = None
        before = len(self.batch.entries)
        said = ""  # in front of a number, and not another cell's
        self.last = ""
        for field, piece in reversed(pieces) if in_front else pieces:
            if field == "begin":
                self.begin(line, piece)
            elif field == "number":
                self.number(line.number, piece, said)
            elif field != "label":
                self.piece(field, piece, line)
            said = f"{said} {piece}".strip() if field in ("", "unread", "label") else ""
        if self.entry is not None and self.entry.number != line.number:
            self.entry.doubts += line.doubts
        for entry in self.batch.entries[before:]:
            if in_front:
                entry.doubts.append("号码写在单位前面，请核对是不是它的")
            if ("begin", "begin") in itertools.pairwise(fields):
                entry.doubts.append("几个单位连着写，请核对哪个号码是谁的")

    def end(self) -> None:
        """Keep the units of which more is told than the name; doubt all where their labels seem to stand in front."""
        entries = self.batch.entries[self.seen :]
        told = [entry for entry in entries if set(entry.cells) - {"unit", "district"}]
        for field in self.ahead:
            if any(field in entry.cells for entry in told) and field not in told[-1].cells:
                for entry in told:
                    entry.doubts.append(f"名单把{FIELD_NAMES[field]}写在单位前面，请核对是不是它的")
        self.batch.entries[self.seen :] = told

    def is_unit(self, field: str, piece: str) -> bool:
        """Whether a piece names a unit, not an address at one: by a place in it, or by the county of the heading."""
        if field not in ("", "unit", *NUMBER_FIELDS) or not looks_like_unit(piece):
            return False
        placed = self.places.read(piece)
        return bool(placed.division or placed.elsewhere or placed.unknown or self.district)

    def begin(self, line: Line, piece: str) -> None:
        """A unit begins an entry."""
        self.entry = Entry(line, {"unit": piece, "district": self.district})
        self.batch.entries.append(self.entry)
        self.last = "unit"

    def number(self, row: int, number: str, said: str) -> None:
        """A number belongs to the unit in front of it, unless it is said to be another's."""
        if self.entry is None:
            self.ahead.add("phone")
            self.batch.strays.append(Stray(row, f"{said} {number}".strip(), "前面没有单位"))
        elif re.search(OTHER_NUMBER, said):
            self.batch.strays.append(Stray(row, f"{self.entry.cells['unit']} {said} {number}", "不是采血电话"))
        else:
            self.entry.add("phone", number)
            self.last = "phone"

    def piece(self, field: str, piece: str, line: Line) -> None:
        """A piece that is neither a number nor a unit belongs to the cell that its label, or else its writing, says."""
        if self.last != "address" or is_person(bare_piece(piece)):
            piece = bare_piece(piece)
        county = not field and self.last in ("", "place") and simplified(piece) in self.places.counties
        below = field == "city" and self.entry is not None and not self.entry.cells.get("phone")
        if field in ("", "city") and not below and is_city_heading(piece, self.places):
            self.district = ""
            self.entry = self.entry if self.last else None
        elif field == "district" or county:
            self.district, self.entry, self.last = piece, None, "place"
        elif self.entry is None:
            self.ahead.update({field} & {"address", "contact"})
        elif not field and self.is_anothers(piece, self.entry):
            self.begin(line, piece)
            self.entry.doubts.append("单位名称和后面的字连在一起，请分开")
        else:
            field = field or self.written_as(piece, self.entry)
            if field in FIELD_NAMES:
                self.entry.add(field, piece, "、" if field == "contact" else "")
                self.last = field
            elif re.search("公安局|分局|派出所", piece):
                self.entry.doubts.append(f"「{piece}」看不懂；请核对后面的号码是不是「{self.entry.cells['unit']}」的")

    def is_anothers(self, piece: str, entry: Entry) -> bool:
        """Whether a piece begins with the name of a unit of another county, with more behind it."""
        own, named = (self.places.read(text).division for text in (entry.cells["unit"], piece))
        return named not in (None, own) and re.search("公安|分局", piece) is not None

    def written_as(self, piece: str, entry: Entry) -> str:
        """The cell that a piece without a label belongs to, by how it is written and what is in front; "" for none."""
        if re.fullmatch(rf"{SMALL_TALK}|\d{{1,6}}|{DATE}", piece):
            return ""
        if self.last == "unit" and looks_like_unit(piece):
            return "unit"
        if self.last == "address" and not is_person(piece):
            return "address"
        if looks_like_address(piece) or self.places.address(piece).division:
            return "" if entry.cells.get("address") else "address"
        is_officer = is_person(piece) and (self.last in ("contact", "phone") or not entry.cells.get("contact"))
        return "contact" if is_officer else ""


def columns_of(
    lines: list[Line], fields: list[str], headings: list[str], places: Places
) -> tuple[int, list[str], list[str]]:
    """(the first line below a table's headings, each column's field, its heading).

    `fields` and `headings` are those of the table before: one without any goes on from it when it is as wide. A column
    without a heading, or with one of other words, is by its content what no other is.
    """
    start, own, said = headed_columns(lines)
    new = {"contact", "address", "district", "city"} - set(own)
    if not {"unit", "district"} & set(own):
        width = max((len(line.cells) for line in lines), default=0)
        if width == len(fields):
            return 0, fields, headings
        start, own, said, new = 0, [""] * width, [""] * width, set(FIELD_NAMES)
    content = content_columns(lines[start:], places)
    pairs = itertools.zip_longest(own, content, fillvalue="")
    return start, [field or (other if other in new else "") for field, other in pairs], said


def read_units(batch: Batch, parts: list[Part], places: Places) -> None:
    """Add a file's units: of every table that is a list, of every stretch of text that names any with a cell more."""
    fields: list[str] = []
    headings: list[str] = []
    for part in parts:
        seen = len(batch.entries)
        lines = transposed(part.lines) if part.table else part.lines
        start, own, said = columns_of(lines, fields, headings, places) if part.table else (0, [], [])
        if part.beside:
            texts = [cell for line in lines for cell in line.cells]
            batch.titles += texts
            batch.strays += [Stray(0, text, "不在名单里") for text in texts if has_number(text)]
        if part.beside or part.name == STRAY_SHEET:
            continue
        if {"unit", "district"} & set(own):
            fields, headings = own, said
            for columns in side_by_side(fields):
                cut = [line._replace(cells=line.cells[columns]) for line in lines[start:]]
                table_contents(batch, cut, fields[columns], headings[columns])
        else:
            reading = Reading(batch, places)
            for line in lines:
                reading.line(line._replace(cells=["  ".join(filter(None, line.cells)).replace("\n", "  ")]))
            reading.end()
        if part.table and part.name and len(batch.entries) == seen:
            batch.skipped.append(part.name)
        first = batch.entries[seen].number if len(batch.entries) > seen else MAX_ROWS
        batch.titles += [cell for line in lines[:15] if line.number < first for cell in line.cells]
        if not part.table:  # a letter is dated below
            batch.titles += [line.cells[0] for line in lines if re.fullmatch(DATE, line.cells[0].translate(DIGITS))]


# --- checked: each entry placed, its numbers read, all that is doubtful written down --------------

NOTHING = r"[-/—–－无暂没有未公布空、\s]*"


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
    printed = re.findall(DATE, "，".join(titles).translate(DIGITS))
    return next(filter(None, map(date_of, printed)), "")


def repaired_unit(entry: Entry, unit: Placed, city: str, beside: Division | None, places: Places) -> Division | None:
    """The county that a misread name in a unit can only mean (會都区公安分局 -> 曾都区); the repair is written down.

    It must be of the city that the row or the unit names, and the county in the address, if one is there; without
    either, the wrong character must look or sound like the right one.
    """
    home = unit.city or city
    names = [beside[1]] if beside else places.names_in.get(home, [])
    name = misread_name(unit.unknown, names, alike=not home and not beside)
    written = entry.read["unit"]
    at = simplified(written).find(unit.unknown)
    if not name or at < 0:
        return None
    entry.read["unit"] = written[:at] + name + written[at + len(name) :]
    entry.repairs.append(f"{written} → {entry.read['unit']}")
    return places.counties[name]


def repair_address(entry: Entry, division: Division, places: Places) -> None:
    """The city's and the county's names at the front of an address, where one character was misread."""
    address = entry.read["address"]
    at = len(HOME_PROVINCE) if address.startswith(HOME_PROVINCE) else 0
    for name in dict.fromkeys((places.city_of(division), division[1])):
        written = address[at : at + len(name)]
        misread = written not in places.counties and misread_name(simplified(written), [name], alike=False)
        if misread and written[-1] == name[-1]:
            entry.repairs.append(f"地址 {written} → {name}")
            address = address[:at] + name + address[at + len(name) :]
        at += len(name) if address.startswith(name, at) else 0
    entry.read["address"] = address


def place_entry(entry: Entry, places: Places) -> None:
    """Find an entry's division from its unit, its county and its address; what contradicts itself is held back."""
    unit, address = places.read(entry.read["unit"]), places.address(entry.read["address"])
    elsewhere = unit.elsewhere or address.elsewhere or places.elsewhere(entry.cells.get("province", "") + "　　")
    if elsewhere:
        entry.problems.append(f"在{elsewhere}，这份名单只收湖北的")
        return
    written = clean(entry.cells.get("city", ""))
    city, instead = places.cities.get(written, ""), places.named(written)  # 仙桃 is both
    if written and not city and not instead and not re.match("省直|直管|湖北|省$|林区", written):
        entry.doubts.append(f"市州「{entry.cells['city']}」认不出来")
    county = places.named(entry.read["district"]) or places.read(entry.read["district"]).division
    county = county or (None if city else instead)
    division = unit.division or (None if unit.unknown else county or address.division)
    if re.search(WIDE_POLICE, unit.unknown) and (city or address.city):
        division = places.city_division(city or address.city)
    elif unit.unknown:
        division = repaired_unit(entry, unit, city, address.division or county, places)
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
    if county and county != division and not (wide and places.city_of(county) == home):
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
        joined = re.sub(r"\(([^()（）]*)）|（([^()（）]*)\)", r"（\1\2）", joined)  # a pair of one width
        entry.read[field] = "" if re.fullmatch(NOTHING, joined) else joined
    names = re.sub(r"\s*[、，,/／;；]\s*", "、", re.sub("(?<=[一-鿿]) +(?=[一-鿿])", "", entry.read["contact"]))
    entry.read["contact"] = names if is_person(names) else entry.read["contact"]
    place_entry(entry, places)
    if entry.division in places.catalog.row_numbers and not entry.read["unit"]:
        entry.read["unit"] = places.catalog.rows_of(entry.division)[0]["unit"]
    elif entry.division and not entry.read["unit"]:
        entry.problems.append("没有单位名称")
    numbers = numbers_in(entry.phones(), places.area_code(entry.division)) if entry.division else Numbers()
    entry.problems += numbers.problems
    entry.repairs += numbers.repairs
    new = [name for name in numbers.names if name not in entry.read["contact"]]
    entry.read["contact"] = "、".join(filter(None, [entry.read["contact"], *new]))
    entry.read["office_phone"] = ";".join(dict.fromkeys(numbers.office))
    entry.read["mobile"] = ";".join(dict.fromkeys(numbers.mobile))
    entry.problems += cell_faults(entry)
    for name in entry.read["contact"].split("、"):
        if entry.strip and is_person(name) and name[0] not in _phrases()["family"]:  # 哀犇娜 is 袁犇娜 misread
            entry.doubts.append(f"「{name}」的姓少见")
    if entry.cells.get("note"):
        entry.doubts.append(f"这一栏有号码，没有收：{entry.cells['note']}；若是采血电话，请填到电话栏")
    if entry.cells.get("doubt"):
        entry.doubts.append(entry.cells["doubt"])


def cell_faults(entry: Entry) -> Iterator[str]:
    """What no row of a list may hold, and what a spreadsheet says instead of a value."""
    for field, cell in entry.cells.items():
        if re.match(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|公式没有值)|(?:True|False)$", cell):
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
    name = clean(unit).removeprefix(HOME_PROVINCE).removeprefix("湖北")
    city = re.match(".{2,10}?[市州]", name[: max(name.rfind(division[1]), 0)])
    return division, name[city.end() :] if city else name


def row_key(row: Row) -> Unit:
    """The unit that a row of a list is about."""
    return unit_key((row["code"], row["district"]), row["unit"])


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
            for field, between in (("address", "\n"), ("contact", "、"), ("office_phone", ";"), ("mobile", ";")):
                texts = [*earlier.read[field].split(between), *entry.read[field].split(between)]
                earlier.read[field] = between.join(dict.fromkeys(filter(None, texts)))
            earlier.take(entry)
    return kept


class Batch:
    """A file as it was understood, before anything is written."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.strays: list[Stray] = []
        self.skipped: list[str] = []  # names of tables that are no list
        self.date = ""  # printed in the file
        self.source, self.as_of = "", ""  # of every row that names none itself
        self.stated = False  # whether a person said the date
        self.titles: list[str] = []  # what stands above the units and beside them
        self.pictured = False  # read from pictures: a draft is written, nothing is taken over

    def held(self) -> list[Entry]:
        """The entries that are not taken over."""
        return [entry for entry in self.entries if entry.held()]

    def row(self, entry: Entry, places: Places) -> Row:
        """An entry as a row of the list; without a division as far as it goes. What xunqin printed keeps its source."""
        row = {name: entry.read.get(name, "") for name in COLUMNS}
        if entry.division:
            row["code"], row["district"] = entry.division
            row["province"], row["city"] = HOME_PROVINCE, places.city_of(entry.division)
            row["hotline"] = f"{places.area_code(entry.division)}-110"
        row["status"] = entry.cells.get("status") or "listed"
        row["source"] = entry.cells.get("source") or self.source
        row["as_of"] = date_of(entry.cells.get("as_of", "")) or self.as_of
        return row

    def rows(self, places: Places) -> list[Row]:
        """The rows of the entries that are taken over."""
        return [self.row(entry, places) for entry in self.entries if not entry.held()]


def understood(path: str, places: Places) -> Batch:
    """Read a file in any form and check every unit in it. Raises ListError when it names none."""
    form, parts = read_parts(path)
    batch = Batch(path)
    read_units(batch, parts, places)
    if len(batch.entries) > MAX_UNITS:
        raise ListError(path, f"超过 {MAX_UNITS} 个单位", WRONG_FILE)
    for entry in batch.entries:
        check_entry(entry, places)
    batch.entries = join_repeated(batch.entries)
    batch.date = title_date(batch.titles)
    batch.pictured = form is PICTURE or any(line.strip for part in parts for line in part.lines)
    if not batch.entries:
        wrong, remedy = ("没有读到一个单位", "请确认名单里有单位和电话")
        if batch.pictured:
            wrong, remedy = ("图里没认出名单", "请换一张清楚、端正的图")
        raise ListError(path, wrong, f"{remedy}；表头可写：单位名称,地址,负责人,办公电话,手机")
    return batch


# --- drafts and rejected rows: workbooks to be corrected ------------------------------------------

COLUMN_WIDTHS = {"单位名称": 34, "地址": 40, "存疑": 44, "问题": 44, "内容": 60, "为什么没有收": 30}


def workbook(sheets: dict[str, list[Row]], strips: list[bytes]) -> bytes:
    """An XLSX file to be corrected in a spreadsheet; in front of the first sheet's rows the strips they were read from.

    All cells are text, so that no zero is lost and nothing is run; rows with 存疑 or 问题 are coloured.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
        from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
        from openpyxl.utils import get_column_letter
    except ImportError:
        raise extra_missing("待核对的行", "import") from None
    book = Workbook(write_only=True)
    as_text: dict[str, Any] = {"number_format": "@", "alignment": Alignment(vertical="center", wrap_text=True)}
    book.add_named_style(NamedStyle("表头", font=Font(bold=True), **as_text))
    book.add_named_style(NamedStyle("文字", **as_text))
    book.add_named_style(NamedStyle("待核对", fill=PatternFill("solid", fgColor="FFF2CC"), **as_text))
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for column, name in enumerate(rows[0], 1):
            sheet.column_dimensions[get_column_letter(column)].width = COLUMN_WIDTHS.get(name, 16)
        add_strips(sheet, strips if sheet is book.worksheets[0] else [])
        headings = {name: name for name in rows[0]}
        for row in (headings, *rows):
            doubtful = row.get("存疑") or row.get("问题")
            look = "表头" if row is headings else "待核对" if doubtful else "文字"
            cells = []
            for text in row.values():
                cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\ufffd", text) or None)
                cell.data_type, cell.style = "s", look if text else "文字"
                cells.append(cell)
            sheet.append(cells)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def add_strips(sheet: Any, strips: list[bytes]) -> None:
    """Put each strip of a picture into the first column, beside its row, which gets as high as the strip."""
    from openpyxl.drawing.image import Image

    for at, strip in enumerate(strips, 2):
        if strip:
            image = Image(io.BytesIO(strip))
            scale = min(1.0, 800 / image.width, 540 / image.height)
            image.width, image.height = int(image.width * scale), int(image.height * scale)
            sheet.add_image(image, f"A{at}")
            sheet.row_dimensions[at].height = max(image.height * 0.75 + 3, 18)  # points, for pixels
            sheet.column_dimensions["A"].width = max(sheet.column_dimensions["A"].width, image.width / 7)


def draft_rows(batch: Batch, places: Places) -> list[Row]:
    """The rows of a picture's draft; a number that belongs to none has a row of its own.

    Numbers that are wrong stand as they were read, to be compared with the picture.
    """
    rows = []
    for entry in batch.entries:
        row = batch.row(entry, places)
        office, mobile = (entry.phones(), "") if entry.problems else (row["office_phone"], row["mobile"])
        changed = [f"已改 {repair}" for repair in entry.repairs if "补区号" not in repair]
        rows.append({
            "图": "", "市州": row["city"] or entry.cells.get("city", ""), "区县": row["district"],
            "单位名称": row["unit"], "地址": row["address"], "负责人": row["contact"],
            "办公电话": office, "手机": mobile,
            "存疑": "；".join(dict.fromkeys([*entry.problems, *entry.doubts, *changed])), "核对": "",
            "出处": row["source"], "日期": row["as_of"],
        })  # fmt: skip
    return rows + [{**dict.fromkeys(rows[0], ""), "存疑": f"「{stray.text}」没归到哪一行"} for stray in batch.strays]


def rejected_row(entry: Entry, batch: Batch) -> Row:
    """A row that is not taken over, its cells as they came."""
    cells = {heading: entry.cells.get(field, "") for field, heading in FIELD_NAMES.items()}
    what = {"其他": entry.cells.get("note", ""), "问题": "；".join(entry.held()), "核对": ""}
    origin = {"出处": entry.cells.get("source") or batch.source, "日期": entry.cells.get("as_of") or batch.as_of}
    return {"行": str(entry.number), **cells, **what, **origin}


def write_rejected(batch: Batch) -> str:
    """Write the rows that are not taken over, and the numbers of no unit, beside the file; the path."""
    rows = [rejected_row(entry, batch) for entry in batch.held()]
    used = [name for name in rows[0] if name in ("单位名称", "核对") or any(row[name] for row in rows)] if rows else []
    strays = [{"行": str(stray.number or ""), "内容": stray.text, "为什么没有收": stray.why} for stray in batch.strays]
    sheets = {"名单": [{name: row[name] for name in used} for row in rows], STRAY_SHEET: strays}
    stem = STDIN_NAME if batch.path == "-" else batch.path
    return write_new(f"{stem}.待核对", ".xlsx", workbook({title: rows for title, rows in sheets.items() if rows}, []))


# --- the user's own list --------------------------------------------------------------------------

LOCK_PATIENCE = 60  # seconds


def write_new(stem: str, suffix: str, data: bytes) -> str:
    """Write a new file, whole or not at all: its path. One that is there stays, the new one is 名单.2.xlsx."""
    for number in itertools.count(1):
        path = f"{stem}{suffix if number == 1 else f'.{number}{suffix}'}"
        with contextlib.suppress(FileExistsError), open(path, "xb", buffering=0) as file:
            left = memoryview(data)
            try:
                while left:
                    left = left[file.write(left) :]
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

    path = own_list_path()
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ListError(path, "不是普通文件", "")
        with open(path, "rb") as file:
            rows, problems = parse_list(decoded(path, file.read()), path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ListError(path, f"打不开（{reason(error)}）", "这是您导入的名单，请检查权限") from None
    except ListError as error:
        problems = [error]
    if problems:
        raise ListError(str(problems[0]), "这是您导入的名单；请运行 xunqin import --undo 退回上一份", "")
    return rows


def merged(bundled: Sequence[Row], own: Sequence[Row]) -> Sequence[Row]:
    """The user's own rows, then the bundled ones of other counties, and of the same those that a source names."""
    units = {row_key(row) for row in own}
    divisions = {division for division, _ in units}
    kept = []
    for row in bundled if own else ():
        new = row["status"] == "listed" and row_key(row) not in units
        if new or (row["code"], row["district"]) not in divisions:
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
    rows = {row_key(row): row for row in old}
    outcomes = []
    seen = set()
    for row in new:
        key = row_key(row)
        seen.add(key)
        before = rows.get(key)
        if before is None:
            rows[key] = row
            outcomes.append("新增")
        elif (date_of(before["as_of"]) or before["as_of"]) > row["as_of"]:
            outcomes.append("旧于现有")
        else:
            filled = {name: row[name] or before[name] for name in CONTACT_COLUMNS}
            same = all(cell == before[name] for name, cell in filled.items())
            outcomes.append("未变" if same else "更新")
            if not same or before["as_of"] != row["as_of"]:
                rows[key] = {**row, **filled}
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
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with locked(path):
        states = kept_states(path)
        if not states:
            raise ListError(path, "没有可以撤销的导入", "还没有导入过，或已经全部撤销")
        state = states[-1]
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


# --- an import, and what is said of it ------------------------------------------------------------


def import_note(entry: Entry) -> Row:
    """What an import says of a row: its number, the result, what is wrong, doubtful or repaired."""
    result = "待核对" if entry.held() else entry.outcome
    return {"row": str(entry.number), "result": result, "note": "；".join([*entry.held(), *entry.repairs])}


def import_picture(batch: Batch, places: Places, dry_run: bool) -> None:
    """Write a draft beside a picture; nothing is taken over from a picture itself."""
    import shlex

    rows = draft_rows(batch, places)
    tell(f"从图里读到 {len(batch.entries)} 行，{sum(bool(row['存疑']) for row in rows)} 行有存疑。图片不直接收录。")
    if dry_run:
        tell("只是试读，草稿没有写。")
        return
    data = workbook({"草稿": rows}, [entry.strip for entry in batch.entries])
    draft = printable(typed(write_new(f"{batch.path}.草稿", ".xlsx", data)))
    tell(f"草稿写在 {draft}。请对照每行前面的图改好，存疑的行改完在「核对」里写「是」，")
    tell(f"再运行 xunqin import {shlex.quote(f'./{draft}' if draft.startswith('-') else draft)}")


def import_units(batch: Batch, places: Places, whole: bool, dry_run: bool) -> None:
    """Take over what is sure of a file, write out what is not, and tell of both; each entry gets its outcome."""
    rows = batch.rows(places)
    rejected = ""
    if (batch.held() or batch.strays) and not dry_run:
        rejected = printable(typed(write_rejected(batch)))
    held = {entry.division for entry in batch.held()}
    if rows and not dry_run:
        result = take_over(rows, own_list_path(), whole, held)
    else:
        result = merge(own_rows(), rows, whole, held)
    outcomes = iter(result.outcomes)
    for entry in batch.entries:
        entry.outcome = "待核对" if entry.held() else next(outcomes)
    if whole and None in held:
        tell("有的行看不出是哪里，所以原来的单位都留着；改好后再用一次 --replace。")
    for line in import_summary(batch, result, rejected, dry_run):
        tell(line)


def import_summary(batch: Batch, result: Merged, rejected: str, dry_run: bool) -> Iterator[str]:
    """What an import did, a line each; `rejected` is the file written out."""
    held = batch.held()
    counts = [f"{name} {result.outcomes.count(name)}" for name in ("新增", "更新", "未变", "旧于现有")]
    yield f"读到 {len(batch.entries)} 行：{'，'.join(counts)}，待核对 {len(held)}。"
    if result.gone:
        yield f"名单里没有、已去掉的 {len(result.gone)} 个：{'、'.join(row['unit'] for row in result.gone[:5])}。"
    if batch.skipped:
        yield f"跳过不是名单的表：{printable('、'.join(batch.skipped))}。"
    dated = all(entry.cells.get("as_of") for entry in batch.entries if not entry.held())
    if not batch.stated and not dated:
        yield f"名单的日期按{'文件里写的' if batch.date else '今天'} {batch.as_of} 记；不对请加 --as-of 再导入一次。"
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


def clean_source(text: str) -> str:
    """A source that a list may hold: not what a spreadsheet runs, no control characters."""
    return printable(text).lstrip("=+-@ ") or STDIN_NAME


# --- pictures ---------------------------------------------------------------------------------
# which side is up, how bent, how large -> made straight -> read in strips -> walls and gaps -> rows of cells

MAX_PIXELS, MAX_EDGE = 80_000_000, 40_000  # of a picture as it comes
STRIP_WIDTH = 1_000  # pixels, of the strip beside a row of the draft
MAX_WIDTH = 5_000  # pixels, of a picture that is read
STRIP_PIXELS = 2_000_000  # of one strip handed to the engine: its need of memory goes by it
WALL_PIXELS = 16_000_000  # of one strip in which straight edges are looked for
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

    def gaps(self, wide: float) -> list[float]:
        """Where neighbours stand further apart than `wide`: the middles between them."""
        return [(left + right) / 2 for left, right in itertools.pairwise(self.middles) if right - left > wide]

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
            warnings.simplefilter("ignore")  # about broken marks
            Image.MAX_IMAGE_PIXELS = None  # the size is judged here
            with Image.open(path) as file:
                width, height = file.size
                if width * height > MAX_PIXELS or max(width, height) > MAX_EDGE:
                    raise ListError(path, f"图片太大：{width}×{height}", "请裁成几张再试")
                photo = ImageOps.exif_transpose(file)
                if photo.mode.startswith("I;16"):  # a scanner's 65,536 greys
                    photo = Image.fromarray((numpy.asarray(photo) >> 8).astype(numpy.uint8))
                photo = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError, struct.error):
        raise ListError(path, "图片打不开或不完整", "请另存为 PNG 或 JPEG 再试") from None
    finer = min(photo.size) / MAX_WIDTH  # than letters need: a photo from a phone
    if finer > 1:
        photo = photo.resize((int(photo.width / finer), int(photo.height / finer)), reducing_gap=2.0)
    if photo.mode == "RGBA":
        photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")
    return photo


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
        "Global.max_side_len": MAX_EDGE,
        "Global.return_word_box": True,
        "Global.return_single_char_box": True,
    }
    return RapidOCR(params=settings)


def strips(height: int, width: int, pixels: int = STRIP_PIXELS) -> list[tuple[int, int]]:
    """The (top, bottom) of the strips of so many pixels that a picture is read in; neighbours share OVERLAP pixels."""
    tall = max(pixels // width, 3 * OVERLAP)
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


def upright(engine: Any, image: Any) -> tuple[Any, Any, Any, Any]:
    """(a picture turned by quarters so that its texts stand upright, and as find_texts gives them: its texts)."""
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
    if sure[1] > sure[0]:
        image = numpy.ascontiguousarray(image[::-1, ::-1])
        corners = (numpy.subtract(image.shape[1::-1], 1) - corners)[:, [2, 3, 0, 1]]
    return image, corners, wide, high


def straight_lines(gray: Any, shortest: float) -> tuple[Any, Any]:
    """(level, upright) straight edges longer than a letter: arrays of x0, y0, x1, y1; rightwards and downwards.

    Painted rules, the edges of coloured rows, a table's frame. An upright one is given as y0, x0, y1, x1.
    """
    lines = numpy.zeros((0, 4))
    height, width = gray.shape
    for top, bottom in strips(height, width, WALL_PIXELS):
        found = cv2.createLineSegmentDetector().detect(gray[top:bottom])[0]
        if found is not None:
            lines = numpy.concatenate([lines, numpy.add(found.reshape(-1, 4), (0, top, 0, top))])
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
        factors = numpy.linalg.lstsq(measured[keep] * load[:, None], slope[keep] * load, rcond=0.03)[0]
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


def made_straight(engine: Any, image: Any) -> Any:
    """A picture as the engine reads it best: upright, level, dark on light, its text neither tiny nor huge."""
    if numpy.median(image) < 110:
        image = 255 - image
    image, corners, wide, high = upright(engine, image)
    if not len(corners):
        return image
    height = float(numpy.median(high))
    rise, run = numpy.abs(corners[:, 1] - corners[:, 0]).T[::-1]
    level = rise < 0.15 * run
    image = flattened(image, corners[(wide > 4 * high) & level], height)
    scale = 1.0 if 0.8 * TEXT_HEIGHT < height < 2 * TEXT_HEIGHT else min(TEXT_HEIGHT / height, 3.0)
    scale = min(scale, MAX_WIDTH / image.shape[1])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return image if level.sum() > len(level) - 2 else without_watermark(image)


# --- pictures: read ---------------------------------------------------------------------------


def read_strip(engine: Any, image: Any) -> Iterator[Text]:
    """The texts on one strip of a straight picture; those askew or huge are a watermark's, left out unless a number."""
    result = engine(image, use_det=True, use_rec=True)
    if result.boxes is None:
        return
    usual = numpy.median(result.boxes[:, 3, 1] - result.boxes[:, 0, 1])
    for box, words in zip(result.boxes, result.word_results):
        read = [(word, (edges[0][0] + edges[1][0]) / 2, sure) for word, sure, edges in words if word.strip()]
        text = "".join(word for word, _, _ in read)
        (x0, y0), (x1, y1) = box[:2]
        askew = abs(y1 - y0) > 0.15 * abs(x1 - x0) if len(read) > 2 else box[3][1] - y0 > 1.9 * usual
        if read and (not askew or re.search(r"\d{7}", text)):
            left, top, right, bottom = map(float, (*box.min(axis=0), *box.max(axis=0)))
            _, middles, sure = zip(*read)
            yield Text(left, top, right, bottom, text, middles, sure)


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
            middle = (text.left + text.right) / 2
            again = any(one.left < middle < one.right and one.top < text.middle < one.bottom for one in before)
            if not cut and not again:
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
    return max(float(numpy.median(steps or [0.7 * (text.bottom - text.top) for text in texts])), 4.0)


# --- pictures: walls --------------------------------------------------------------------------


class Walls:
    """The straight edges of one direction, of rules and of colours: where each stands, from where to where it runs."""

    def __init__(self, edges: Any, letter: float) -> None:
        """Joins edges (start, at, end, at) that go on from one another: where others cross it, a wall is parted."""
        self.letter = letter
        edges = numpy.stack([(edges[:, 1] + edges[:, 3]) / 2, edges[:, 0], edges[:, 2]], axis=1)
        edges = edges[numpy.argsort(edges[:, 0])]
        walls: list[list[float]] = []
        for line in numpy.split(edges, numpy.flatnonzero(numpy.diff(edges[:, 0]) > letter / 4) + 1):
            at = float(numpy.average(line[:, 0], weights=line[:, 2] - line[:, 1])) if len(line) else 0.0
            pieces: list[list[float]] = []
            for _, start, end in line[numpy.argsort(line[:, 1])].tolist():
                if pieces and start - pieces[-1][2] < letter:
                    pieces[-1][2] = max(pieces[-1][2], end)
                else:
                    pieces.append([at, start, end])
            if sum(end - start for _, start, end in pieces) >= 3 * letter:  # else a stroke of a large letter
                walls += pieces
        self.at, self.start, self.end = numpy.array(walls).reshape(-1, 3).T

    def around(self, place: float, low: float, high: float) -> tuple[float, float]:
        """The nearest walls on both sides of a place that run along most of low to high; infinite where none does."""
        along = numpy.minimum(self.end, high) - numpy.maximum(self.start, low)
        near = along >= 0.6 * (high - low)
        before, behind = self.at[near & (self.at <= place)], self.at[near & (self.at > place)]
        return before.max(initial=-OPEN), behind.min(initial=OPEN)

    def ends(self, places: tuple[float, float], along: float) -> tuple[float, float]:
        """Where the walls at some places that run past `along` begin and end; infinite where none does."""
        met = (self.start <= along) & (self.end >= along) & (self.end - self.start > 3 * self.letter)
        met &= numpy.isin(self.at, places)
        return self.start[met].max(initial=-OPEN), self.end[met].min(initial=OPEN)

    def through(self, text: Text) -> list[float]:
        """Where walls cross a text, from the left; at its last letter's middle it only touches one."""
        met = (self.at > text.middles[0]) & (self.at < text.middles[-1] - self.letter / 8)
        met &= (self.start < text.middle) & (self.end > text.middle) & (self.end - self.start > 2 * self.letter)
        return sorted(self.at[met].tolist())


def painted_lines(dark: Any, shortest: int) -> Any:
    """Lines that run along the rows of a picture of what is dark, no thicker than a third of `shortest`."""
    thick = cv2.dilate(dark, numpy.ones((3, 1), numpy.uint8))  # a line may step from one row to the next
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, numpy.ones((1, shortest), numpy.uint8))
    left, top, width, height, _ = cv2.connectedComponentsWithStats(runs)[2][1:].astype(float).T
    at = top + (height - 1) / 2
    return numpy.stack([left, at, left + width, at], axis=1)[height < shortest / 3]


def walls_on(image: Any, letter: float) -> tuple[Walls, Walls]:
    """The (level, upright) walls on a straight picture, dark on light.

    The edges of colours are seen as straight lines; rules between rows as low as their letters, by what is dark.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    dark = cv2.adaptiveThreshold(gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 15, 16)
    level, down = straight_lines(gray, 1.15 * letter)
    level = numpy.concatenate([level, painted_lines(dark, int(3 * letter))])
    down = numpy.concatenate([down, painted_lines(numpy.ascontiguousarray(dark.T), int(3 * letter))])
    return Walls(level, letter), Walls(down, letter)


Cell = tuple[float, float, float, float]  # the walls around a text: left, top, right, bottom; infinite where none is


def cell_around(text: Text, level: Walls, down: Walls) -> Cell:
    """The nearest walls around a text: those beside its line, and those above and below what stands between them.

    Where a table was cropped, a cell ends where the walls of the other direction do.
    """
    low, high = text.middle - 1, text.middle + 1
    left, right = down.around(text.middles[0], low, high)[0], down.around(text.middles[-1], low, high)[1]
    begin, stop = (text.middles[0] if left == -OPEN else left), (text.middles[-1] if right == OPEN else right)
    top, bottom = level.around(text.middle, begin, max(stop, begin + 1))
    if (left > -OPEN or right < OPEN) and (top > -OPEN or bottom < OPEN):
        first, last = down.ends((left, right), text.middle)
        top = first if top == -OPEN else top
        bottom = last if bottom == OPEN else bottom
        first, last = level.ends((top, bottom), text.middles[0])
        left = first if left == -OPEN else left
        right = last if right == OPEN else right
    return left, top, right, bottom


# --- pictures: rows and columns ---------------------------------------------------------------


class Table:
    """A table on a picture: the edges of its rows and of its columns, the texts in each cell."""

    def __init__(self, rows: list[float], columns: list[float]) -> None:
        self.rows, self.columns = rows, columns
        self.texts: dict[tuple[int, int], list[Text]] = {}  # by (row, column)

    def holds(self, text: Text) -> bool:
        """Whether a text begins within its edges."""
        across = self.columns[0] < text.middles[0] < self.columns[-1]
        return across and self.rows[0] < text.middle < self.rows[-1]

    def put(self, text: Text, rows: range, column: int) -> None:
        """A text into a column, into each of some rows; into one at least."""
        for row in rows or [rows.start]:
            self.texts.setdefault((row, column), []).append(text)


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


def read_once(texts: list[Text], letter: float) -> list[Text]:
    """Texts line by line without a letter that was read in two of them, as they overlap: it goes where it is cut."""
    kept: list[Text] = []
    for line in in_lines(texts, letter):
        kept.append(line[0])
        for text in line[1:]:
            before, again = kept[-1], [text]
            if text.left < before.right and abs(text.middles[0] - before.middles[-1]) < 0.45 * letter:
                if text.middles[0] - text.left < before.right - before.middles[-1]:
                    again = text.cut([text.middles[0] + 1])[1:]
                else:
                    kept[-1:] = before.cut([before.middles[-1] - 1])[:-1]
            kept += again
    return kept


# Two numbers or more without a gap, or with a stroke between them that was read as 1: all are of eleven digits.
ELEVEN_DIGITS = r"(?:1[3-9]\d{9}|0\d\d[-－]?\d{8}|0\d{3}[-－]?\d{7})"
JOINED_NUMBERS = rf"(?<![\d-])(?:{ELEVEN_DIGITS}[1１]?)+{ELEVEN_DIGITS}(?![\d-])"


def numbers_apart(line: str) -> str:
    """A line with a stroke between numbers that were read as one: there is but one way to part them."""
    return re.sub(JOINED_NUMBERS, lambda run: "/".join(re.findall(ELEVEN_DIGITS, run[0])), line)


WHOLE_NUMBER = r"(?:1[3-9]\d{9}|0\d{2,3}[-－]?\d{7,8})"


def goes_on(before: str, line: str, needs: float, room: float) -> bool:
    """Whether a line goes on in the next: what of it `needs` to come first had no `room` there; or half a number."""
    if re.match(r"[【（(]?[\d一二三四五六七八九十]{1,3}[】）)、.．]|【", line):
        return False
    label = re.match("[^：:号]{2,8}(?=[：:])", line)
    if (label and heading_field(label[0])) or (looks_like_unit(before) and looks_like_address(line)):
        return False
    if re.search("[、，][一-鿿]?$", before):  # of names apart by commas none is that short
        return True
    if re.search("[（(][^）)]*$", before) and (len(line) == 1 or re.match("[^（(]*[）)]", line)):
        return True
    if re.fullmatch(r"[\d－-]+", before + line):
        halves = re.fullmatch(WHOLE_NUMBER, before) is None and re.fullmatch(WHOLE_NUMBER, line) is None
        return halves or re.fullmatch(WHOLE_NUMBER, before + line) is not None
    return needs > room


def unwrapped(texts: list[Text], letter: float, right: float) -> list[list[Text]]:
    """Texts by lines as they were written: one that ran as far as `right`, its cell's edge, goes on in the next."""
    written: list[list[Text]] = []
    for line in in_lines(texts, letter):
        text = "".join(piece.text for piece in line)
        word = re.match(r"[\dA-Za-z－-]+|.", line[0].text)
        needs = line[0].middles[word.end() - 1 if word else 0] - line[0].middles[0] + 0.8 * letter
        last = written[-1] if written else line
        room = right - last[-1].middles[-1] - 0.8 * letter
        apart = line[0].middle - last[-1].middle > 2.5 * letter
        if written and not apart and goes_on("".join(piece.text for piece in last), text, needs, room):
            last += line
        else:
            written.append(line)
    return written


def written(texts: list[Text], letter: float = OPEN) -> str:
    """Texts in a row as one; gaps wider than a letter as blanks."""
    line, place = "", OPEN
    for text in texts:
        if len(text.text) == 1 and (text.text < "\u3000" or text.text == "一") and re.search("[（(][^）)]*$", line):
            text = text._replace(text="）")  # a bracket alone in a line is read as all sorts of signs
        own = max(letter, letter_width([text]))
        for character, middle in zip(text.text, text.middles):
            line += f" {character}" if middle - place > 1.35 * own else character
            place = middle
    return numbers_apart(line)


def walled_table(placed: list[tuple[Text, Cell]], letter: float) -> Table:
    """The table that closed cells make up."""
    rows = clustered([cell[side] for _, cell in placed for side in (1, 3)], letter / 2)
    table = Table(rows, clustered([cell[side] for _, cell in placed for side in (0, 2)], letter / 2))
    inside: dict[tuple[int, ...], list[Text]] = {}
    for text, cell in placed:
        sides = [closest(edges, place) for edges, place in zip((table.columns, rows) * 2, cell)]
        inside.setdefault(tuple(sides), []).extend(text.cut(text.gaps(1.25 * letter)))
    for (column, first, end, last), texts in inside.items():
        # A wall that was not seen here is known from other rows, where texts stand beside each other.
        known = column + 1 < end and any(len(line) > 1 for line in in_lines(texts, letter))
        for text in texts:
            own = max(sum(text.middles[0] > edge - letter / 2 for edge in table.columns) - 1, column)
            table.put(text, range(first, last), own if known else column)
    return table


def halves_edge(table: Table) -> float:
    """Where a table is two beside each other, by headings that come again: the edge between; infinite if it is one."""
    half = (len(table.columns) - 1) // 2
    for row in range(3):
        heads = [written(table.texts.get((row, column), [])) for column in range(2 * half)]
        if half > 1 and all(heads) and heads[:half] == heads[half:]:
            return table.columns[half]
    return OPEN


def walled_tables(placed: list[tuple[Text, Cell]], letter: float) -> list[Table]:
    """The tables that closed cells make up: those that lie wall to wall, together."""
    coarse = (numpy.array([cell for _, cell in placed]).reshape(-1, 4) * 4 / letter).astype(int)
    grid = numpy.zeros((coarse[:, 3].max(initial=0) + 1, coarse[:, 2].max(initial=0) + 1), numpy.uint8)
    for left, top, right, bottom in coarse:
        grid[top : bottom + 1, left : right + 1] = 1
    groups: dict[int, list[tuple[Text, Cell]]] = {}
    for one, group in zip(placed, cv2.connectedComponents(grid)[1][coarse[:, 1], coarse[:, 0]].tolist()):
        groups.setdefault(group, []).append(one)
    tables = []
    for group in groups.values():
        edge = halves_edge(walled_table(group, letter))
        halves = [[one for one in group if (one[0].middles[0] < edge) == left] for left in (True, False)]
        tables += [walled_table(half, letter) for half in halves if half]
    return [table for table in tables if len(table.rows) > 2 and len(table.columns) > 2]


def column_edges(lines: list[list[Text]], letter: float) -> list[float]:
    """The edges of columns: the gaps that lines share, but for one line in twenty."""
    cover = numpy.zeros(int(max(text.right for line in lines for text in line) + 2 * letter), int)
    for text in itertools.chain.from_iterable(lines):
        for part in text.cut(text.gaps(1.25 * letter)):
            cover[max(int(part.middles[0] - letter / 3), 0) : int(part.middles[-1] + letter / 3)] += 1
    begin, end = blank_stretches(cover > len(lines) * 0.05)
    return [-letter, *((begin + end) / 2).tolist(), len(cover)]


def row_edges(columns: list[list[Text]], letter: float) -> list[float]:
    """The edges of rows: the stretches that are blank in all columns, but for texts that stand for several rows."""
    texts = [text for column in columns for text in column]
    top, bottom = min(text.middle for text in texts) - letter, max(text.middle for text in texts) + letter
    cover = numpy.zeros(int(bottom - top) + 1, bool)
    numbered = max(sum(re.search(r"\d", text.text) is not None for text in column) for column in columns)
    for column in columns:
        for text in column if len(column) >= 0.8 * numbered else []:  # fewer texts than rows stand for several
            cover[int(text.middle - top - 0.45 * letter) : int(text.middle - top + 0.45 * letter)] = True
    begin, end = blank_stretches(cover)
    wide = end - begin > 0.65 * letter  # others part two lines of one row
    return [top, *(top + (begin + end) / 2)[wide].tolist(), bottom]


def spans(texts: list[Text], rows: list[float], letter: float) -> list[range]:
    """The rows of each text of a column: its own, or all those around it where one stands for several.

    Neighbours that stand closer than rows do are lines of one cell, in the middle of its rows.
    """
    blocks = clustered([text.middle for text in texts], min(1.6 * letter, 0.8 * min(numpy.diff(rows))))
    centres = [sum(pair) / 2 for pair in itertools.pairwise(rows)]
    ends = [0]
    for middle in blocks:
        ends.append(closest(rows, 2 * middle - rows[ends[-1]]))
    tiled = [(rows[first] + rows[last]) / 2 for first, last in itertools.pairwise(ends)]
    astray = any(abs(centres[closest(centres, middle)] - middle) > letter / 2 for middle in blocks)
    number = any(re.search(r"\d{5}", text.text) for text in texts)  # of one row only, whatever it looks like
    if astray and not number and ends[-1] == len(centres) and numpy.allclose(tiled, blocks, 0, 0.6 * letter):
        block = [closest(blocks, text.middle) for text in texts]
        return [range(ends[at], ends[at + 1]) for at in block]
    own = [sum(edge <= text.middle for edge in rows[1:-1]) for text in texts]
    return [range(row, row + 1) for row in own]


def gap_table(texts: list[Text], letter: float) -> Table | None:
    """The table that texts make up by the gaps between them; None where it is running text."""
    pieces = [piece for text in texts for piece in text.cut(text.gaps(1.9 * letter))]
    several = [line for line in in_lines(pieces, letter) if len(line) > 1]
    if len(several) < 3:
        return None
    pieces = [piece for piece in pieces if piece.bottom > several[0][0].top]  # a title stands above
    columns = column_edges(several, letter)
    columns[0] = min(piece.left for piece in pieces) - letter
    filled: list[list[Text]] = [[] for _ in columns[1:]]
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        for part in piece.cut(columns[1:-1]):
            filled[sum(part.middles[0] > edge for edge in columns[1:-1])].append(part)
    table = Table(row_edges(filled, letter), columns)
    for column, parts in enumerate(filled):
        for part, around in zip(parts, spans(parts, table.rows, letter)):
            table.put(part, around, column)
    return table


STROKES = set("1１Il|｜丨/／\\-－—一")  # what one stroke is read as


def table_cells(table: Table, letter: float) -> list[list[str]]:
    """The cells of each row of a table as text."""
    columns = range(len(table.columns) - 1)
    rows = []
    for row in range(len(table.rows) - 1):
        lines = [unwrapped(table.texts.get((row, column), []), letter, table.columns[column + 1]) for column in columns]
        rows.append(["\n".join(map(written, cell)) for cell in lines])
    for column in columns:
        filled = [cells[column] for cells in rows if cells[column]]
        for cells in rows if 2 * sum(map(has_number, filled)) >= len(filled) else []:
            # Among numbers, and alone, a stroke says that there is nothing.
            cells[column] = cells[column] if set(cells[column]) - STROKES else ""
    return rows


def is_cards(table: Table, letter: float) -> bool:
    """Whether most cells of a table hold all that there is about a unit, one line under another."""
    cells = [cell for cells in table_cells(table, letter) for cell in cells if cell]
    return 2 * sum(has_number(cell) and looks_like_unit(cell.split("\n")[0]) for cell in cells) > len(cells)


def layout(
    texts: list[Text], level: Walls, down: Walls, letter: float
) -> tuple[list[Table], list[tuple[float, list[Text]]]]:
    """(the tables on a picture, its running text: what stands between tables, and each card, with its right edge)."""
    pieces = [piece for text in read_once(texts, letter) for piece in text.cut(down.through(text))]
    placed = [(piece, cell_around(piece, level, down)) for piece in pieces]
    closed = [one for one in placed if max(map(abs, one[1])) < OPEN]
    tables = walled_tables(closed, letter)
    rest = [one[0] for one in placed if one not in closed or not any(table.holds(one[0]) for table in tables)]
    table = gap_table(rest, letter) if len(rest) > len(pieces) / 2 else None  # notes beside a table are none
    if table:
        tables.append(table)
    between: dict[int, list[Text]] = {}
    for piece in rest:
        if not (table and table.holds(piece)):
            between.setdefault(sum(one.rows[0] <= piece.middle for one in tables), []).append(piece)
    running = [(max(text.right for text in group) - letter / 4, group) for group in between.values()]
    cards = [table for table in tables if is_cards(table, letter)]
    for table in cards:
        running += [(table.columns[column + 1], group) for (_, column), group in sorted(table.texts.items())]
    return [table for table in tables if table not in cards], running


# --- pictures: parts --------------------------------------------------------------------------


def odd_signs(text: str) -> Iterator[str]:
    """The doubts of a text with signs that no list prints: a traditional character, a square in place of 口."""
    if simplified(text) != text:
        yield f"「{text}」里有繁体字"
    if re.search("[■-◿]", text):
        yield f"「{text}」里有认不出的字"


class Picture:
    """A straight picture that was read: its pixels and walls, the engine for a second look, a letter's width on it."""

    def __init__(self, image: Any, engine: Any, texts: list[Text]) -> None:
        self.image, self.engine, self.letter = image, engine, letter_width(texts)
        self.level, self.down = walls_on(image, self.letter)
        self.contrast = float(numpy.median([numpy.ptp(self.view(text[:4])) for text in texts[:99]]))
        self.unread = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)  # the picture, walls and all that was read painted over
        for text in texts:  # a letter at its end may have been found and not read
            ends = text.middles[0] - self.letter / 2, text.middles[-1] + self.letter / 2
            edges = max(text.left, ends[0]), text.top, min(text.right, ends[1]), text.bottom
            part = self.view(edges, self.letter / 5, self.unread)
            part[:] = numpy.median(part)
        for page, walls in ((self.unread, self.level), (self.unread.T, self.down)):
            for at, start, end in zip(walls.at, walls.start, walls.end):
                part = page[max(int(at) - 3, 0) : int(at) + 4, int(start) : int(end) + 1]
                part[:] = part.max()

    def view(self, edges: tuple[float, ...], more: float = 0, image: Any = None) -> Any:
        """The pixels within edges (left, top, right, bottom), moved outward by `more`."""
        rows = slice(max(int(edges[1] - more), 0), max(int(edges[3] + more) + 1, 0))
        columns = slice(max(int(edges[0] - more), 0), max(int(edges[2] + more) + 1, 0))
        return (self.image if image is None else image)[rows, columns]

    def has_ink(self, edges: tuple[float, ...]) -> bool:
        """Whether something as dark as text stands in a cell where nothing was read."""
        view = self.view(edges, -self.letter / 3, self.unread).astype(int)
        ink = (abs(view - numpy.median(view)) > self.contrast / 2).sum() if view.size else 0
        return bool(ink > 0.1 * self.letter**2)

    def doubts(self, text: Text) -> Iterator[str]:
        """What the engine reads otherwise by itself and larger, of a number and of what is not clear; lost letters."""
        signs = [(sign, sure) for sign, sure in zip(text.text, text.sure) if sign.isalnum()]
        ends = max(text.middles[0] - text.left, text.right - text.middles[-1])
        weak = ends > 0.9 * (text.bottom - text.top)  # something was found there and not read
        weak |= any(sure < (SURE_DIGIT if sign.isdigit() else SURE_CHARACTER) for sign, sure in signs)
        looks = (3, 8) if weak else (3,) if sum(sign.isdigit() for sign, _ in signs) >= 6 else ()
        for more in looks:  # pixels around it
            larger = cv2.resize(self.view(text[:4], more), None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
            again = "".join(self.engine(larger, use_det=False, use_rec=True).txts or ()).replace(" ", "")
            bare, plain = (re.sub(r"\W", "", tidy(numbers_apart(one))) for one in (again, text.text))
            if bare != plain:
                yield f"「{text.text}」再读成了「{again}」"
                break
        yield from odd_signs(text.text)
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
        """The rows of a table with their doubts and strips; what the list does not keep, or checks, is not doubted."""
        lines = [Line(at, cells) for at, cells in enumerate(table_cells(table, self.letter), 1)]
        fields = headed_columns(lines)[1] or [""] * len(table.columns)
        for row, line in enumerate(lines):
            top, bottom = table.rows[row : row + 2]
            doubts = []
            for column, (field, cell) in enumerate(zip(fields, line.cells)):
                texts = table.texts.get((row, column), [])
                above = table.texts.get((row - 1, column), [])  # what spans rows is doubted in the first
                if field not in ("number", "city", "note") and not re.fullmatch(r"\d{1,3}", cell):
                    doubts += [doubt for text in texts if text not in above for doubt in self.doubts(text)]
                astray = [text.text for text in texts if has_number(text.text) and not top < text.middle < bottom]
                doubts += [f"「{text}」不在这一行的高度" for text in astray]
                edges = (table.columns[column], top, table.columns[column + 1], bottom)
                if self.has_ink(edges):
                    doubts.append("有一格里有字，没认出来")
            strip = self.strip((table.columns[0], top, table.columns[-1], bottom))
            yield line._replace(doubts=tuple(dict.fromkeys(doubts)), strip=strip)

    def text_lines(self, texts: list[Text], edge: float) -> Iterator[Line]:
        """Running text by paragraphs, with doubts; the strip of a unit's name shows what stands below it too."""
        lines = unwrapped(texts, self.letter, edge)
        told = [written(line, self.letter) for line in lines]
        units = [at for at, text in enumerate(told) if looks_like_unit(text)]
        left, right = min(text.left for text in texts), max(text.right for text in texts)
        for at, line in enumerate(lines):
            end = min([unit for unit in units if unit > at] + [at + 9, len(lines)]) if at in units else at + 1
            edges = left, min(text.top for text in line), right, max(text.bottom for text in lines[end - 1])
            doubts = [doubt for text in line for doubt in self.doubts(text)]
            if any(self.has_ink(text[:4]) for text in line):
                doubts.append("有字没认出来")
            yield Line(at + 1, [told[at]], tuple(doubts), self.strip(edges))


def picture_parts(image: Any, name: str) -> list[Part]:
    """The tables and the running text on a picture (a PIL image), from above; `name` goes into each part.

    A cell that spans several rows stands in each of them. Shows its progress on a terminal.
    """
    file = sys.stderr if is_terminal(sys.stderr) else io.StringIO()
    with click.progressbar(length=100, label=f"读图 {name}".rstrip(), file=file) as bar:
        pixels = numpy.ascontiguousarray(numpy.array(image.convert("RGB"))[:, :, ::-1])
        if min(image.size) < 16 or numpy.ptp(pixels) < 16:  # nothing is written there
            return []
        engine = load_engine()
        pixels = made_straight(engine, pixels)
        bar.update(20)
        texts = read_texts(engine, pixels, lambda row: bar.update(20 + 60 * row // len(pixels) - bar.pos))
        if not texts:
            return []
        picture = Picture(pixels, engine, texts)
        tables, running = layout(texts, picture.level, picture.down, picture.letter)
        parts = [(table.rows[0], Part(name, True, list(picture.table_lines(table)))) for table in tables]
        for edge, group in running:
            lines = list(picture.text_lines(group, edge))
            if tables:
                lines = [line._replace(doubts=(*line.doubts, "写在表格外面")) for line in lines]
            parts.append((group[0].top, Part(name, False, lines)))
    return [part for _, part in sorted(parts, key=lambda part: part[0])]


def read_picture_parts(path: str) -> list[Part]:
    """What stands on a picture file: PNG, JPEG, WEBP, BMP or TIFF."""
    return picture_parts(open_picture(path), "")


# ==============================================================================================
# Check: all problems of a list, and what it covers
# ==============================================================================================

Problem = tuple[str, str, str]  # (column, what is wrong, what to do)


def whole_division(name: str, places: Places) -> Division | None:
    """The county, zone, city or province with this full name."""
    if name == HOME_PROVINCE:
        return PROVINCE_DIVISION
    return places.city_division(name) if name in places.catalog.cities else places.counties.get(name)


def check_place(row: Row, places: Places) -> Iterator[Problem]:
    """The cells that say where a unit is are filled; in Hubei all are of one division, its area code and names too."""
    for name in ("province", "city", "district", "unit", "hotline"):
        if not row[name].strip():
            yield name, "是空的", "请填上"
    division = whole_division(row["district"], places) if row["code"].startswith("42") else None
    if not re.fullmatch(r"\d{6}", row["code"]):
        yield "code", f"「{row['code']}」不是六位区划代码", "请按 GB/T 2260 填写"
    elif division and division[0] != row["code"]:
        yield "code", f"{row['district']}的代码不是 {row['code']}", f"应为 {division[0]}"
    elif row["code"].startswith("42") and row["district"] and not division:
        yield "district", f"湖北没有「{row['district']}」", "请写今天的区县全名"
    if division:
        yield from check_division(row, division, places)
    elif row["hotline"] and not re.fullmatch(r"0\d{2,3}-110", row["hotline"]):
        yield "hotline", f"「{row['hotline']}」不是区号加 110", "应如 027-110"


def check_division(row: Row, division: Division, places: Places) -> Iterator[Problem]:
    """What a row of Hubei says must be its division's, and what it names may be no other."""
    hotline = f"{places.area_code(division)}-110"
    for name, right in (("province", HOME_PROVINCE), ("city", places.city_of(division)), ("hotline", hotline)):
        if row[name] not in ("", right):
            yield name, f"「{row[name]}」不是{row['district']}的", f"应为 {right}"
    named = {"unit": places.read(row["unit"]).division}
    if not division[0].endswith("00"):  # a city's own unit may sit in any of its counties
        named["address"] = places.address(row["address"]).division
    for name, other in named.items():
        if other and other != division:
            yield name, f"写的是{other[1]}，这一行却是{row['district']}", "请核对后改成一致"


def check_numbers(row: Row, places: Places) -> Iterator[Problem]:
    """Landlines as 027-12345678 or with 转8012 behind, mobiles as 13812345678, several apart by ";"."""
    area = row["hotline"].removesuffix("-110") if row["hotline"].endswith("-110") else ""
    for name, is_mobile in (("office_phone", False), ("mobile", True)):
        for number in filter(None, row[name].split(";")):
            problem = number_problem(number, area)
            if is_mobile == ("-" in number):
                yield name, f"{number} 放错了列", "座机放 office_phone，手机放 mobile"
            elif problem:
                yield name, f"{number} {problem}", "请对照来源核对号码"


def check_origin(row: Row, places: Places) -> Iterator[Problem]:
    """Every row has a status, a source and that source's date."""
    if row["status"] not in ("listed", "bureau"):
        yield "status", f"「{row['status']}」不认识", "应为 listed 或 bureau"
    if not row["source"].strip():
        filled = any(row[name] for name in CONTACT_COLUMNS)
        yield "source", "联系办法没有来源" if filled else "是空的", "请写上网址或出处"
    if not row["as_of"] or date_of(row["as_of"]) != row["as_of"]:
        yield "as_of", f"「{row['as_of']}」不是过去的日期", "应如 2022-07-05"


CHECKS: tuple[Callable[[Row, Places], Iterator[Problem]], ...] = (
    check_place,
    check_numbers,
    check_origin,
)


def list_problems(path: str, places: Places) -> tuple[list[Row], list[str]]:
    """(the rows that have every cell, one line for each problem: file:row: column: problem: remedy).

    A unit that is there twice is a problem, and a number that an earlier row has.
    """
    text = read_text(path)
    rows, problems = parse_list(text, path)
    whole = (number for number, cells in parse_rows(text, path) if len(cells) == len(rows.header))
    first_seen: dict[tuple[str, ...], int] = {}
    for number, row in zip(itertools.islice(whole, 1, None), rows):
        found = [problem for check in CHECKS for problem in check(row, places)]
        keys: list[tuple[str, ...]] = [("unit", row["unit"], row["code"], row["district"])]
        keys += [(name, one) for name in ("mobile", "office_phone") for one in row[name].split(";") if one]
        for key in keys:
            earlier = first_seen.setdefault(key, number)
            if earlier != number:
                found.append((key[0], f"与第 {earlier} 行重复", "请删去一行或核对号码"))
        problems += [ListError(path, problem, remedy, number, column) for column, problem, remedy in found]
    return list(rows), [str(problem) for problem in sorted(problems, key=lambda problem: problem.row)]


def import_problems(path: str, places: Places) -> tuple[list[Row], list[str]]:
    """(the rows that an import of a file would take over, a line for each row that it would hold back)."""
    batch = understood(path, places)
    remedy = "请对照来源改好；确认无误的在「核对」里写「是」"
    problems = [str(ListError(path, "；".join(entry.held()), remedy, entry.number)) for entry in batch.held()]
    batch.source, batch.as_of = clean_source(os.path.basename(path)), batch.date
    return batch.rows(places), problems


def is_own_format(path: str) -> bool:
    """Whether a file is a list as xunqin keeps it: CSV whose first line has its columns."""
    try:
        return set(COLUMNS) <= set(read_text(path).partition("\n")[0].strip().split(","))
    except ListError:
        return False


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


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance in km between two (longitude, latitude) in degrees; the mean radius is the IUGG's."""
    import math

    lon1, lat1, lon2, lat2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(half))


def nearest(text: str, hits: list[Hit], catalog: Catalog, numbers_first: bool) -> tuple[list[Row], list[str]]:
    """(the list's rows by distance from the nearest of the hits, with `distance_km` in front; what to know of them).

    No rows, and a note, when the list has no seat for any of the hits.
    """
    placed = [((place.code, place.district), place) for place in places_of(repaired=True) if place.lon]
    seats = {at: (float(place.lon), float(place.lat)) for at, place in placed if at in catalog.row_numbers}
    starts = [hit.division for hit in hits if hit.division in seats]
    if not starts:
        return [], [f"「{text}」在名单里，但没有坐标，算不出距离。请用 xunqin search {text}。"] if hits else []
    rows = []
    for division, seat in seats.items():
        away = min(distance_km(seats[start], seat) for start in starts)
        rows += [{"distance_km": f"{away:.1f}", **row} for row in catalog.rows_of(division)]
    rows.sort(key=lambda row: (numbers_first and not is_reachable(row), float(row["distance_km"])))
    notes = [f"「{text}」有 {len(starts)} 处，按离其中最近的一处算。"] if len(starts) > 1 else []
    if any(hit.tier in ("former", "popular", "township", "address") for hit in hits):
        notes.append(f"距离从{'、'.join(name for _, name in starts[:3])}政府所在地算起，不是从「{text}」。")
    return rows, notes


# ==============================================================================================
# Guide: who may go, what to bring, what happens; each sentence with its source
# ==============================================================================================


def guide_text(width: int) -> str:
    """The guide (guide.txt, an answer a line and below it its source) in lines of `width` cells, 60 at most."""
    lines = []
    for line in table_lines("guide.txt"):
        text = line.lstrip(" ")
        indent = line.removesuffix(text)
        lines += [indent + part for part in wrapped(text, min(width, 60) - len(indent))]
    return "\n".join([*lines, ""])


# ==============================================================================================
# Commands: thin adaptors
# ==============================================================================================

FOUND, NOT_FOUND, UNUSABLE, READER_GONE = 0, 1, 2, 141


def emit(text: str, machine: bool = False) -> None:
    """Write to stdout and make sure it arrived; in a pipe or file, what a machine reads is UTF-8.

    Raises click's Exit when nobody reads it, ListError when it cannot be written.
    """
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
        raise click.exceptions.Exit(READER_GONE) from None
    except OSError as error:
        raise ListError("标准输出", f"写不进去（{reason(error)}）", "请检查磁盘空间") from None


def emit_paged(text: str) -> None:
    """Write a text for people; through the pager, as git does, when it is longer than the terminal is high."""
    pager = os.environ.get("PAGER", "" if sys.platform == "win32" else "less")
    wanted = pager not in ("", "cat") and not os.environ.get("NO_PAGER") and os.environ.get("TERM") != "dumb"
    wanted = wanted and is_terminal(sys.stdin) and is_terminal(sys.stdout)
    if not wanted or text.count("\n") < os.get_terminal_size(sys.stdout.fileno()).lines:
        return emit(text)
    os.environ.setdefault("LESS", "-FRX")  # git's: leave at the end of one screen, keep links, keep it on the screen
    os.environ.setdefault("LESSCHARSET", "utf-8")
    text = re.sub(r"\x1b]8;;.*?\x1b\\", "", text)  # links, which not every pager knows
    click.echo_via_pager(text.removesuffix("\n"))  # it adds the last line's end


def chosen_format(format: str | None) -> str:
    """The format asked for, else a table on a terminal and CSV in a pipe."""
    return format or ("table" if is_terminal(sys.stdout) else "csv")


def show(rows: Sequence[Row], lead: tuple[str, ...], format: str | None, listing: Sequence[Row] = ()) -> None:
    """Print rows in the format asked for; `lead` names the columns before those of the list.

    Below a table stands what to do now, from the list that the rows are of, if it is given.
    """
    form = chosen_format(format)
    if form in WRITERS:
        emit(WRITERS[form](rows, (*lead, *COLUMNS)), machine=True)
        return
    rows = [{name: printable(cell) for name, cell in row.items()} for row in rows]
    if form == "text":
        emit(message_text(rows, listing))
    elif rows:
        units = [row for row in rows if row.get("unit")]
        below = advice(units, listing) if units and listing else []
        emit_paged(table_text(rows, terminal_width(sys.stdout), is_terminal(sys.stdout), below))


def typed(text: str) -> str:
    """An argument as the person typed it: in a broken locale Python hands UTF-8 over as surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def as_typed(ctx: click.Context, param: click.Parameter, value: tuple[str, ...] | str | None) -> str:
    """A parameter's words as one text, "" for none. Raises UsageError when a place's name is left out."""
    text = typed(" ".join(value) if isinstance(value, tuple) else value or "").strip()
    if not text and param.name == "name":
        raise click.UsageError(f"请写上地名，例如：{ctx.command_path} 江岸")
    return text


def open_catalog(data: str | None) -> Catalog:
    """The list that --data or XUNQIN_DATA names, else the bundled one together with the user's own."""
    if data:
        return Catalog(load_list(data))
    return Catalog(merged(load_list(bundled_path("points.csv")), own_rows()))


def above_county(row: Row) -> bool:
    """Whether a unit is a city's or the province's, not a county's: 襄阳市公安局刑侦支队, code 420600."""
    return row["code"].endswith("00") and row["district"] in (row["city"], row["province"])


def chosen_city(text: str, catalog: Catalog) -> str:
    """The full name of the city that a name means in any way, "" for an empty one; a county means the city it is in.

    A city of Hubei without a row in this list is one too. Raises UsageError, with the nearest, when no city or more
    than one is meant.
    """
    name = clean(text)
    if not name:
        return ""
    if name in catalog.city_names:
        return catalog.city_names[name]
    hits = search(text, catalog)
    known = [place for place in places_of(repaired=True) if place.kind != "zone" and name in place.names()]
    found = {place.district for place in known if place.code.endswith("00") or place.code.startswith("4290")}
    found = found or {catalog.city_of(hit.division) for hit in hits}
    if len(found) == 1:
        city = found.pop()
        if 0 < len(hits) < len(catalog.cities.get(city, [])):
            tell(f"「{text}」属于{city}，按整个{city}来。")
        return city
    near = [catalog.city_names.get(division[1]) or catalog.city_of(division) for division in suggest(text, catalog)]
    near = near or [city for city in catalog.cities if set(name) & set(short_name(city))]
    hint = "、".join(list(dict.fromkeys(near or catalog.cities))[:17])
    raise click.UsageError(f"名单里没有「{text}」这个市州。{'您是不是要找' if near else '可用的有'}：{hint}")


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Counties of the list in use that begin so (jiangx -> 江夏区), cities for a city's parameter, else files."""
    from click.shell_completion import CompletionItem

    if param.name not in ("name", "city", "city_option"):
        return [CompletionItem(incomplete, type="file")]
    begun = clean(incomplete)
    catalog = open_catalog(ctx.find_root().params.get("data"))
    names = [district for _, district in catalog.divisions] if param.name == "name" else catalog.cities
    spelled = {name: (name, *map("".join, readings(name))) for name in names}
    return [CompletionItem(name) for name, forms in spelled.items() if any(form.startswith(begun) for form in forms)]


def show_and_leave(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print the version, or the command's page."""
    if value:
        emit(f"xunqin {__version__}\n" if param.name == "version" else f"{ctx.get_help()}\n")
        ctx.exit()


# An option that does this and nothing else.
ALONE: dict[str, Any] = {"is_flag": True, "is_eager": True, "expose_value": False, "callback": show_and_leave}


class Page(click.Command):
    """A command whose page is its docstring, as it is written, and its options below."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        words = [param.metavar or "" for param in self.params if isinstance(param, click.Argument)]
        usage = f"用法：{' '.join([ctx.command_path, '[选项]', *words])}\n\n" if ctx.parent else ""
        formatter.write(f"{usage}{inspect.cleandoc(self.help or '')}\n\n选项：\n")
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        terms = [f"{', '.join(option.opts)} {option.metavar or ''}".strip() for option in options]
        # Counted here, for our own words are hanzi and ASCII only: a page need not wait for rich.
        cells = [len(term) + sum(not character.isascii() for character in term) for term in terms]
        for option, term, width in zip(options, terms, cells):
            formatter.write(f"  {term}{' ' * (max(cells) - width)}  {option.help}\n")

    def get_help_option(self, ctx: click.Context) -> click.Option:
        # Made here, for click's own asks gettext first, which costs as much as reading the list.
        return click.Option(["-h", "--help"], help="显示这份说明", **ALONE)


output_options = click.option(
    "-f", "--format", "format", type=click.Choice(FORMATS), metavar="格式",
    help="table 表格、text 发消息、csv、excel（中文表头的 CSV）、json",
)  # fmt: skip
name_argument = click.argument("name", nargs=-1, metavar="地名", callback=as_typed, shell_complete=complete)


class NameFirst(Page, click.Group):
    """A group whose first word may be a place instead of a command: xunqin 江岸 is xunqin search 江岸."""

    command_class = Page

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = complete(ctx, self.commands["search"].params[0], incomplete) if incomplete else []
        return [*super().shell_complete(ctx, incomplete), *names]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word in self.commands or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        if word.isascii() and word.isalpha():
            # No name in Hubei is spelled one slip away from a command (a test tries them all).
            near = [name for name in (*self.commands, "help") if one_slip(word, name)]
            if near:
                page = "--help" if near[0] == "help" else near[0]
                raise click.UsageError(f"没有 {word} 这个命令。您是不是要用 xunqin {page}？", ctx)
        return super().resolve_command(ctx, ["search", *args])


@click.group(cls=NameFirst, invoke_without_command=True)
@click.option("--data", envvar="XUNQIN_DATA", shell_complete=complete, metavar="文件", help="改用另一份名单（CSV）")
@click.option("--version", help="显示版本", **ALONE)
@click.pass_context
def cli(ctx: click.Context, data: str | None) -> None:
    """查湖北免费采血寻亲的公安单位和联系办法。

    用法：
      xunqin 江岸                  地名怎么写都行：旧县名、乡镇、拼音、整句话
      xunqin guide                 谁能去、带什么、怎么办

    其他命令：
      search 地名                  按地名找单位；search - 一行一个地名
      batch 家庭.xlsx              一张表里的每个家庭，各找各的单位
      list 武汉                    列出一个市州的，或全部的单位
      near 木鱼镇                  离一个地方最近的单位
      import 名单.png              导入官方公布的名单：图片、表格、网页、文档
      check                        检查名单，看覆盖多少
    """
    ctx.obj = data
    if ctx.invoked_subcommand is None:
        emit(ctx.get_help() + "\n")


# --- search -----------------------------------------------------------------------------------


def tell_reading(text: str, hits: list[Hit], catalog: Catalog, notes: list[str]) -> int:
    """Tell on stderr how a name was read and the notes; without hits, the notes or what to do next. The exit code."""
    for line in [*explain(text, hits, catalog), *notes] if hits else notes or not_found(text, catalog):
        tell(line)
    return FOUND if hits else NOT_FOUND


def answer(text: str, catalog: Catalog, within: str = "", most: int = 0, format: str | None = None) -> int:
    """Print what one name means: the rows on stdout, how it was read or what to do next on stderr. The exit code."""
    hits = search(text, catalog, within)
    rows = answer_rows(text, hits, catalog)
    show(rows[: most or None], ("query", "match", "note"), format, catalog.rows)
    notes = [f"还有 {len(rows) - most} 行没有显示，不写 -n 就全部显示。"] if 0 < most < len(rows) else []
    if within and not hits:
        others = dict.fromkeys(catalog.city_of(hit.division) for hit in search(text, catalog))
        notes = [f"「{text}」不在{within}，在{'、'.join(others)}。"] if others else []
    return tell_reading(text, hits, catalog, notes)


def prompted(catalog: Catalog, within: str, most: int, format: str | None) -> int:
    """search - on a terminal: answer each line when it is typed, until Ctrl-D."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (typing hanzi, going back and to earlier lines)
    tell("一行写一个地名，按回车就查；按 Ctrl-D 结束。")
    codes = [FOUND]
    with contextlib.suppress(EOFError):
        while True:
            text = typed(input("地名> ")).strip()
            if text:
                codes.append(answer(text, catalog, within, most, format))
    tell("")
    return max(codes)


def input_lines() -> Iterator[str]:
    """The lines of stdin: UTF-8, or GB 18030 where a line is not."""
    if sys.stdin is None:
        raise ListError("标准输入", "已经关闭", "请用管道送入地名，一行一个")
    for raw in sys.stdin.buffer:
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError:
            line = raw.decode("gb18030", "replace")
        yield line.rstrip("\r\n").removeprefix("\ufeff")


# A number in front: 1、监利  （3）蕲春  2. 硚口  ⑤洪湖
NUMBERED = r"\s*(?:[(（]?\d{1,3}(?:[)）]\s*[、.．,，]?|\s*[、．:：]|[.,，]\s*(?!\d)|\s(?=\s*\D))|[①-⑳])\s*"


@lru_cache(maxsize=10_000)
def place_in(line: str, catalog: Catalog, within: str = "") -> tuple[str, list[Hit]]:
    """(the name that a line of somebody's list holds, what it means): "1、监利" -> 监利, "张三<Tab>监利" -> 监利.

    Of several fields apart by tabs, the one that is read most surely; the last of them when none is read.
    """
    fields = [re.sub(f"^{NUMBERED}", "", field).strip() for field in line.split("\t")]
    read = [(field, search(field, catalog, within)) for field in fields if field]
    ranks = list(TIERS)
    sure = sorted((answer for answer in read if answer[1]), key=lambda answer: ranks.index(answer[1][0].tier))
    return (sure or read[-1:] or [("", [])])[0]


def answer_lines(lines: Iterable[str], catalog: Catalog, within: str) -> Iterator[list[Row]]:
    """The rows for each line of a list, with the line's number; an empty or unmatched line keeps one row."""
    for number, line in enumerate(lines, 1):
        text, hits = place_in(line, catalog, within)
        nothing = {"match": "none", "note": note_of(text, [], catalog)} if line.strip() and not hits else {"match": ""}
        written = {"line": str(number), "query": masked(" ".join(line.split()))}
        yield [{**row, **written} for row in answer_rows(text, hits, catalog) or [nothing]]


LINES_AT_A_TIME = 500  # whose rows are written, so that memory stays flat


def search_lines(catalog: Catalog, within: str, most: int, format: str | None) -> int:
    """search -: a row at least for each line of stdin; the count of unmatched ones on stderr."""
    form = chosen_format(format)
    if is_terminal(sys.stdin) and form in ("table", "text"):
        return prompted(catalog, within, most, format)
    lead = ("line", "query", "match", "note")
    watched = is_terminal(sys.stderr) and not is_terminal(sys.stdout)
    answers = answer_lines(input_lines(), catalog, within)
    waiting: list[Row] = []
    asked = unmatched = 0
    header = True
    while block := list(itertools.islice(answers, LINES_AT_A_TIME)):
        asked += sum(bool(rows[0]["query"]) for rows in block)
        unmatched += sum(rows[0]["match"] == "none" for rows in block)
        waiting += itertools.chain(*(rows[: most or None] for rows in block))
        if form in ("csv", "excel"):
            emit(WRITERS[form](waiting, (*lead, *COLUMNS), header), machine=True)
            waiting, header = [], False
        if watched and asked >= 1000:
            click.echo(f"\r已查 {asked} 个地名", err=True, nl=False)
    if watched and asked >= 1000:
        click.echo("", err=True)
    if header:
        show(waiting, lead, format, catalog.rows)
    if unmatched:
        tell(f"{asked} 个地名里有 {unmatched} 个没有找到。")
    return NOT_FOUND if unmatched else FOUND


@cli.command("search")
@name_argument
@click.option("--city", metavar="市州", callback=as_typed, help="只要这个市州的", shell_complete=complete)
@click.option("-n", "number", type=click.IntRange(min=0), default=0, metavar="个数", help="最多几行；0 不限")
@output_options
@click.pass_obj
def search_command(data: str | None, name: str, city: str, number: int, format: str | None) -> int:
    """按地名找采血寻亲的单位。

    区县、单位、市州、乡镇、旧县名、拼音、首字母、
    繁体、同音字、整句地址、身份证前六位都认得：
      xunqin search 江岸
      xunqin search 武汉 硚口
      xunqin search huangpi
      xunqin search 沔阳县 -f text > 给家属.txt
    地名写 - 时从标准输入读，一行一个。
    找到返回 0，没找到返回 1，用法或数据有错返回 2。
    """
    catalog = open_catalog(data)
    within = chosen_city(city, catalog)
    if name == "-":
        return search_lines(catalog, within, number, format)
    return answer(name, catalog, within, number, format)


# --- batch ------------------------------------------------------------------------------------

# How a column of places is headed, the most telling first, and what else heads a list of families.
PLACE_HEADINGS = (
    "老家|籍贯|原籍|家乡|户籍|户口|出生地|家庭地址|失踪地|走失地|丢失地|被拐地|地名|区县|县市|地点|地址|住址"
)
FAMILY_HEADINGS = (
    f"{PLACE_HEADINGS}|姓名|称呼|家长|父亲|母亲|孩子|关系|性别|年龄|日期|时间|电话|手机|身份证|序号|编号|备注|情况"
)
RESULT_HEADINGS = ("区县", "采血单位", "单位地址", "单位联系人", "单位电话", "当地 110", "怎么认出的", "要问的")
COLOURS = {"unsure": "FFF2CC", "none": "F8CBAD", "blank": "F8CBAD"}
MOST_UNITS = 8  # in one cell


def family_books(path: str) -> tuple[Any, Any]:
    """(a list of families as a workbook, the same with what its formulas came to); a text's lines become rows of text.

    Raises ListError for what is neither.
    """
    raw = read_bytes(path)
    form = form_of(path, raw)
    with reading(path, form):
        import openpyxl
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        if form is WORKBOOK:
            unpacked(path, raw)
            return openpyxl.load_workbook(io.BytesIO(raw)), openpyxl.load_workbook(io.BytesIO(raw), data_only=True)
        if form is not TEXT:
            raise ListError(path, f"是{form.name}", "请给出 Excel 表、CSV 或一行一个的文本")
        text = decoded(path, raw)
        book = openpyxl.Workbook()
        rows = [line.cells for line in text_rows(path, text)] or [[line] for line in re.split(LINE_END, text.rstrip())]
        for at, cells in enumerate(rows, 1):
            for column, value in enumerate(cells, 1):
                cell = book.active.cell(at, column, ILLEGAL_CHARACTERS_RE.sub("\ufffd", value))
                cell.data_type = "s"  # also where it begins with =
        return book, book


def heading_row(table: list[list[str]]) -> int:
    """The number of the row that heads a sheet of families, 0 when there is none."""
    best, at = 0, 0
    for number, cells in enumerate(table[:15], 1):
        filled = [cell for cell in cells if cell]
        heads = sum(len(cell) <= 12 and re.search(FAMILY_HEADINGS, cell) is not None for cell in filled)
        if heads > best and heads * 2 >= len(filled):
            best, at = heads, number
    return at


def place_column(table: list[list[str]], heading: int, wanted: str, catalog: Catalog) -> int:
    """The number of the column that holds the places, 0 when none does.

    It is the one asked for, by its heading or its letter; else the one that its heading and its cells speak for.
    """
    width = max(map(len, table), default=0)
    headings = [*(table[heading - 1] if heading else []), *[""] * width][:width]
    if wanted:
        return next((at for at, head in enumerate(headings, 1) if wanted in (head, chr(ord("A") + at - 1))), 0)
    telling = PLACE_HEADINGS.split("|")[::-1]
    scores = {}
    for at, head in enumerate(headings):
        cells = [cells[at] for cells in table[heading:][:100]]
        words = [cell for cell in cells if cell and not re.fullmatch(r"[\d\s-]*[\dXx]", cell)]
        places = [word for word in words if place_in(word, catalog)[1] or elsewhere_senses(clean(word))]
        share = len(places) / max(len(words), 1)
        told = max((rank for rank, word in enumerate(telling, 1) if word in head), default=0)
        if told or share > 0.3:
            scores[at + 1] = share + told / len(telling)
    return max(scores, key=lambda column: scores[column], default=0)


def question(hits: list[Hit], rows: list[Row], text: str, note: str) -> str:
    """What to ask the family, "" when their place is sure."""
    if not text:
        return "老家是哪里？"
    if not hits:
        return note or "这个地名不认识，请问是哪个县"
    names = list(dict.fromkeys(row["district"] for row in rows if not above_county(row)))
    cities = list(dict.fromkeys(row["city"] for row in rows))
    if len(names) > 3:
        return f"是{'、'.join(cities[:3])}{'等地' if len(cities) > 3 else ''}的哪个区县？"
    if len(names) > 1:
        return f"是{'，还是'.join(names)}？"
    return f"是不是{rows[0]['city']}{rows[0]['district']}？" if hits[0].tier in GUESSES else ""


def family_cells(text: str, hits: list[Hit], catalog: Catalog) -> tuple[str, Sequence[str]]:
    """(found, unsure, none or blank; the cells under RESULT_HEADINGS) of one family's place."""
    note = note_of(text, hits, catalog) if text else ""
    rows = [row for hit in hits for row in catalog.rows_of(hit.division)]
    ask = question(hits, rows, text, note)
    kind = "blank" if not text else "none" if not hits else "unsure" if ask else "found"
    if not hits:
        return kind, [""] * (len(RESULT_HEADINGS) - 2) + ["", ask]
    shown = rows[:MOST_UNITS]
    columns = [[row[name] or NOT_LISTED for row in shown] for name in ("district", "unit", "address", "contact")]
    columns.append([";".join(filter(None, [row["office_phone"], row["mobile"]])) or NOT_LISTED for row in shown])
    columns.append([row["hotline"] for row in shown])
    if len(rows) > MOST_UNITS:
        columns[1].append(f"共 {len(rows)} 个，问清是哪里再查")
    cells = ["\n".join(column).replace(";", "、") for column in columns]
    return kind, [*cells, note or "按名称", ask or f"打电话{words_for(rows)}"]


def family_table(sheet: Any) -> list[list[str]]:
    """A sheet's cells as text; what is merged over several rows stands in each of them."""
    table = []
    for row in sheet.iter_rows(values_only=True):
        table.append([cell_text(value).replace("\n", " ").strip() for value in row])
    for span in sheet.merged_cells.ranges:
        if span.min_col == span.max_col:
            for number in range(span.min_row, span.max_row):
                table[number][span.min_col - 1] = table[span.min_row - 1][span.min_col - 1]
    return table


def fill_sheet(sheet: Any, values: Any, wanted: str, catalog: Catalog) -> list[str]:
    """Write each family's unit beside its row; the kind of each answer. [] when no column holds places."""
    from openpyxl.styles import Alignment, PatternFill

    table = family_table(values)
    heading = heading_row(table)
    column = place_column(table, heading, wanted, catalog)
    if not column:
        return []
    headed = f"「{table[heading - 1][column - 1]}」一列" if heading else f"第 {column} 列"
    numbers = [number for number in range(heading + 1, len(table) + 1) if any(table[number - 1])]
    steps: Any = contextlib.nullcontext(numbers)
    if len(numbers) > 1000 and is_terminal(sys.stderr):
        steps = click.progressbar(numbers, file=sys.stderr, label=sheet.title)
    with steps as watched:
        found = {number: family_cells(*place_in(table[number - 1][column - 1], catalog), catalog) for number in watched}
    used = [at for row in table for at, cell in enumerate(row, 1) if cell]
    first = max([*used, *(span.max_col for span in sheet.merged_cells.ranges)]) + 1
    for number, (kind, cells) in {**({heading: ("found", RESULT_HEADINGS)} if heading else {}), **found}.items():
        for at, text in enumerate(cells, first):
            cell = sheet.cell(number, at, text or None)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if kind in COLOURS:
                cell.fill = PatternFill("solid", fgColor=COLOURS[kind])
    for at, width in enumerate((16, 34, 24, 10, 26, 10, 28, 36), first):
        sheet.column_dimensions[sheet.cell(1, at).column_letter].width = width
    tell(f"「{sheet.title}」按{headed}查，共 {len(found)} 行。")
    return [kind for kind, _ in found.values()]


@cli.command("batch")
@click.argument("file", metavar="文件", shell_complete=complete)
@click.option("--column", default="", metavar="列", help="哪一列是地名：表头，或 A、B、C；不写就自己找")
@click.option("-o", "out", default="", shell_complete=complete, metavar="文件", help="结果写到哪里（.xlsx）")
@click.pass_obj
def batch_command(data: str | None, file: str, column: str, out: str) -> int:
    """一张表里的每个家庭，各找各的单位；写成新表，原表不动。

      xunqin batch 家庭.xlsx
      xunqin batch 家庭.csv --column 老家 -o 结果.xlsx
    原来的行和列都在，右边加上单位、联系办法和要问的；
    黄色要再问一句，红色没有找到。
    结果写在「家庭.结果.xlsx」，已有的结果不会被盖掉。
    """
    if out and not out.endswith(".xlsx"):
        raise click.UsageError("-o 后面请写 .xlsx 文件")
    if out and os.path.exists(out):
        raise ListError(out, "已经有这个文件，没有动它", "请换个名字")
    catalog = open_catalog(data)
    book, values = family_books(file)
    counts = dict.fromkeys(("found", "unsure", "none", "blank"), 0)
    for sheet in book.worksheets:
        kinds = fill_sheet(sheet, values[sheet.title], typed(column), catalog)
        if not kinds:
            tell(f"「{sheet.title}」里没有地名一列，没有动它。")
        for kind in kinds:
            counts[kind] += 1
    if not any(counts.values()):
        raise ListError(file, "找不到地名在哪一列", "请用 --column 写出那一列的表头")
    filled = io.BytesIO()
    book.save(filled)
    stem = out.removesuffix(".xlsx") or f"{os.path.splitext(file)[0]}.结果"
    written = write_new(stem, ".xlsx", filled.getvalue())
    told = zip(("查到", "要再问一句（黄色）", "没有找到（红色）", "没写地名"), counts.values())
    tell("，".join(f"{label} {count} 行" for label, count in told if count) + "。")
    tell(f"结果写在 {typed(written)}，原表没有动。")
    return NOT_FOUND if counts["none"] else FOUND


# --- list, near, guide ------------------------------------------------------------------------


@cli.command("list")
@click.argument("city", nargs=-1, metavar="[市州]", callback=as_typed, shell_complete=complete)
@click.option("--city", "city_option", metavar="市州", callback=as_typed, help="只列这个市州", shell_complete=complete)
@click.option("--own", is_flag=True, help="只列自己导入的")
@output_options
@click.pass_obj
def list_command(data: str | None, city: str, city_option: str, own: bool, format: str | None) -> int:
    """列出全部单位，或一个市州的单位。

    例：
      xunqin list
      xunqin list 武汉
      xunqin list 恩施州 -f excel > 恩施.csv
    """
    if own and data:
        raise click.UsageError("--own 和 --data 只能用一个")
    catalog = Catalog(own_rows()) if own else open_catalog(data)
    if own and not catalog.rows:
        tell("还没有导入过名单。请用 xunqin import 文件。")
    text = city or city_option
    within = "" if clean(text) in catalog.province_names else chosen_city(text, catalog)
    kept = [row for row in catalog.rows if within in ("", row["city"])]
    kept.sort(key=lambda row: (row["code"][:4], not above_county(row)))  # those of a whole city stand first in theirs
    show(kept, (), format, catalog.rows)
    return NOT_FOUND if own and not catalog.rows else FOUND


def bundled_catalog() -> Catalog:
    """The bundled list alone: what an import and a check are measured against."""
    return Catalog(load_list(bundled_path("points.csv")))


@cli.command("near")
@name_argument
@click.option("-n", "number", type=click.IntRange(min=1), default=5, metavar="个数", help="最多几行，默认 5")
@click.option("--numbers-first", is_flag=True, help="有号码的排在前面")
@output_options
@click.pass_obj
def near_command(data: str | None, name: str, number: int, numbers_first: bool, format: str | None) -> int:
    """离一个地方最近的单位，按直线距离。

      xunqin near 木鱼镇
      xunqin near 蒲圻 -n 3
    距离按县城之间的直线算，实际路程更远。
    """
    catalog = open_catalog(data)
    hits = search(name, catalog)
    rows, notes = nearest(name, hits, catalog, numbers_first)
    show(rows[:number], ("distance_km",), format, catalog.rows)
    code = tell_reading(name, hits, catalog, notes)
    return code if rows else NOT_FOUND


@cli.command("guide")
def guide_command() -> int:
    """谁可以采血、带什么、采了以后怎样、该打给谁。每一句都注明出处。"""
    emit_paged(guide_text(terminal_width(sys.stdout)))
    return FOUND


@cli.command("import")
@click.argument("file", metavar="文件", required=False, shell_complete=complete)
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

      xunqin import 名单.xlsx --as-of 2022-07-05
      xunqin import -             粘贴文字，Ctrl-D 结束
      xunqin import 名单.png      图片先得到草稿
      xunqin import 名单.png.草稿.xlsx
      xunqin import --undo        退回上一次导入
    已有的单位更新，新的加上，空格不会抹掉已有的号码。
    有问题的行不收录，写到「文件.待核对.xlsx」，改好后
    再导入它；存疑的行在「核对」里写「是」才收。
    """
    import datetime

    if back:
        tell(undo(own_list_path()))
        return FOUND
    if file is None:
        raise click.UsageError("请给出要导入的文件，如 xunqin import 名单.xlsx；粘贴文字用 xunqin import -")
    stated = date_of(as_of or "")
    if as_of is not None and not stated:
        raise click.UsageError(f"--as-of 的值「{as_of}」不是过去的日期，应如 2022-07-05")
    if file == "-" and is_terminal(sys.stdin):
        tell("请粘贴名单，最后另起一行按 Ctrl-D：")
    places = Places(bundled_catalog())
    batch = understood(file, places)
    batch.source = clean_source(source or (STDIN_NAME if file == "-" else os.path.basename(typed(file))))
    batch.stated = bool(stated)
    batch.as_of = stated or batch.date or ("" if batch.pictured else datetime.date.today().isoformat())
    if batch.pictured:
        import_picture(batch, places, dry_run)
    else:
        import_units(batch, places, whole, dry_run)
    shown = []
    for entry in batch.entries:
        note = import_note(entry)
        if format or (not batch.pictured and note["result"] in ("待核对", "旧于现有")):
            row = {**note, **batch.row(entry, places)}
            shown.append({name: printable(cell) for name, cell in row.items()})
    if format or shown:
        show(shown, ("row", "result", "note"), format)
    return FOUND if batch.pictured or not batch.held() else UNUSABLE


@cli.command("check")
@click.argument("file", required=False, metavar="[文件]", shell_complete=complete)
@click.pass_obj
def check_command(data: str | None, file: str | None) -> int:
    """检查一份名单，一个问题一行；再看它覆盖多少。

      xunqin check
      xunqin check 我的名单.xlsx
    能导入的文件都能检查；不给文件时，检查正在使用的名单。
    """
    places = Places(bundled_catalog())
    chosen = file or data
    paths = [chosen] if chosen else [bundled_path("points.csv"), *filter(os.path.exists, [own_list_path()])]
    rows: Sequence[Row] = []
    problems: list[str] = []
    for path in paths:
        own = not file or is_own_format(path)
        found, wrong = (list_problems if own else import_problems)(path, places)
        rows, problems = merged(rows, found), problems + wrong
    lines = [*problems, *(f"名单：{typed(path)}" for path in paths), *coverage(rows)]
    emit("".join(f"{printable(line)}\n" for line in lines))
    tell(f"有 {len(problems)} 个问题。" if problems else "没有发现问题。")
    return UNUSABLE if problems else FOUND


# --- the command line -------------------------------------------------------------------------


def usage_text(error: click.ClickException) -> str:
    """click's usage errors in Chinese, one line, with the remedy."""
    context = getattr(error, "ctx", None)
    page = f"请看 {context.command_path if context else 'xunqin'} --help"
    if isinstance(error, click.NoSuchOption):
        near = f"，您是不是要用 {'、'.join(error.possibilities)}" if error.possibilities else ""
        if context and context.command is cli:
            near = near or "，选项要写在命令或地名后面"
        elif any(error.option_name in param.opts for param in cli.params):
            near = "，它要写在命令前面"
        return f"没有 {error.option_name} 这个选项{near}。{page}"
    if isinstance(error, click.BadOptionUsage):
        flag = "does not take" in error.message
        return f"{error.option_name} 后面{'不跟' if flag else '要跟一个'}值。{page}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = "/".join(error.param.opts) if isinstance(error.param, click.Option) else error.param.metavar
        if isinstance(error, click.MissingParameter):
            return f"还要写上{name}。{page}"
        choices = getattr(error.param.type, "choices", None)
        return f"{name} 的值不对{f'，可用 {chr(0x3001).join(choices)}' if choices else ''}。{page}"
    surplus = re.match(r"Got unexpected extra arguments? \((.*)\)", error.message)
    if surplus:
        return f"多写了 {surplus[1]}。{page}"
    return f"用法不对。{page}" if error.message.isascii() else error.message.replace("\n", " ")


def _ready_streams() -> None:
    """Never fail on a character: one that the terminal cannot show becomes ?, an ASCII locale is taken for UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="replace")


def run(args: list[str]) -> int:
    """Run one command line and give its exit code; every error a user can cause is one line on stderr."""
    try:
        code = cli.main(args, "xunqin", standalone_mode=False)
        return code if isinstance(code, int) else FOUND
    except click.ClickException as error:
        tell(usage_text(error))
    except ListError as error:
        tell(typed(str(error)))
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
    gc.freeze()  # Python's own last search for cycles would take a tenth of a short run
    sys.exit(code)


if __name__ == "__main__":
    main()
