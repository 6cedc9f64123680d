"""Lists in every form that people pass them on in, with what they say. All names and numbers are made up."""

from __future__ import annotations

import csv
import html
import io
import random
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

import xunqin

FIELDS = ("city", "district", "unit", "address", "contact", "office_phone", "mobile")
Row = dict[str, str]
CATALOG = xunqin.Catalog(xunqin.load_list(xunqin.bundled_path("points.csv")))
FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨欧覃鄢瞿"
GIVEN = "伟芳娜敏静磊军洋勇艳杰娟涛明超霞平刚喆镕犇骁"
ROADS = ("解放大道", "人民路", "建设二路", "东岳路", "环城北路", "沿江大道", "城关镇西门口", "白沙路")
PLACES = ("", "公安局院内", "刑侦大队一楼", "（原县中医院旧址）", "政务服务中心旁", "DNA实验室", "公安局办公楼一楼")
SECTIONS = ("刑侦大队", "刑事侦查大队", "打拐办", "刑事科学技术室", "刑侦大队技术中队", "")


def made_rows(seed: int, count: int = 14, officers: int = 1) -> list[Row]:
    """Units of counties in the list's order, each with an address, officers and their numbers."""
    chance = random.Random(seed)
    rows = []
    divisions = sorted(chance.sample(sorted(CATALOG.divisions), count))
    for division in divisions:
        model = CATALOG.rows_of(division)[0]
        area = model["hotline"].removesuffix("-110")
        city, district = model["city"], model["district"]
        unit = chance.choice(
            [model["unit"].removesuffix("刑侦支队"), model["unit"].removesuffix("刑侦支队").removeprefix(city)]
        )
        unit = unit if len(unit) > 5 else model["unit"]
        names = [
            chance.choice(FAMILY) + chance.choice((chance.choice(GIVEN), "警官", "".join(chance.sample(GIVEN, 2))))
            for _ in range(officers)
        ]
        office = f"{area}-{chance.choice('2345678')}{chance.randrange(10 ** (7 if area == '027' else 6)):0{7 if area == '027' else 6}}"
        mobiles = [f"1{chance.choice(('35', '38', '59', '87'))}{chance.randrange(10**8):08}" for _ in range(officers)]
        kind = chance.random()
        rows.append(
            {
                "city": city,
                "district": district,
                "unit": unit + chance.choice(SECTIONS),
                "address": f"{city if city != district else ''}{district}{chance.choice(ROADS)}{chance.randrange(1, 999)}号{chance.choice(PLACES)}",
                "contact": "、".join(dict.fromkeys(names)),
                "office_phone": office if kind < 0.85 else "",
                "mobile": ";".join(mobiles) if kind > 0.15 else "",
            }
        )
    return rows


def without(rows: list[Row], *fields: str) -> list[Row]:
    """The rows with these fields blank: what a list does not give, the import cannot know."""
    return [{**row, **dict.fromkeys(fields, "")} for row in rows]


# --- tables: a grid of cells, written in any form ------------------------------------------------

Grid = list[list[str]]


def phones(row: Row, between: str = "、") -> str:
    return between.join(filter(None, [row["office_phone"], *row["mobile"].split(";")]))


def grid(rows: list[Row], headings: str, *columns: Callable[[int, Row], str]) -> Grid:
    return [headings.split(","), *([column(at, row) for column in columns] for at, row in enumerate(rows, 1))]


def cell(name: str) -> Callable[[int, Row], str]:
    return lambda at, row: row[name].replace(";", "、")


def plain(rows: list[Row]) -> Grid:
    names = ("city", "unit", "address", "contact", "office_phone", "mobile")
    return grid(rows, "市州,单位名称,地址,负责人,办公电话,手机", *map(cell, names))


def numbered(rows: list[Row]) -> Grid:
    names = ("district", "unit", "address", "contact")
    return grid(
        rows, "序号,县（市、区）,公安机关单位名称,采血地址,联系人,联系电话（工作日有人接听）",
        lambda at, row: str(at), *map(cell, names), lambda at, row: phones(row),
    )  # fmt: skip


def lines_in_cells(rows: list[Row]) -> Grid:
    names = ("unit", "address")
    return grid(
        rows, "采血点名称,详细地址,负责人姓名,聯繫電話",
        *map(cell, names), lambda at, row: row["contact"].replace("、", "\n"), lambda at, row: phones(row, "\n"),
    )  # fmt: skip


def english(rows: list[Row]) -> Grid:
    names = ("unit", "address", "contact", "office_phone", "mobile")
    return grid(rows, "Unit,Address,Contact,Office Phone No.,Mobile Phone No", *map(cell, names))


def two_levels(rows: list[Row]) -> Grid:
    body = grid(rows, "", *map(cell, ("city", "unit", "address", "contact", "office_phone", "mobile")))[1:]
    return [["市州", "单位", "地址", "联系方式", "", ""], ["", "", "", "联系人", "办公电话", "手机"], *body]


def mixed_column(rows: list[Row]) -> Grid:
    return grid(
        rows, "单位名称,地址,联系人及电话", cell("unit"), cell("address"),
        lambda at, row: f"{row['contact']} {phones(row)}",
    )  # fmt: skip


def city_rows(rows: list[Row]) -> Grid:
    table = grid(rows, "单位名称,地址,负责人,办公电话,手机", *map(cell, FIELDS[2:]))
    body: Grid = []
    for at, row in enumerate(rows):
        if not at or rows[at - 1]["city"] != row["city"]:
            body.append([row["city"], "", "", "", ""])
        body.append(table[at + 1])
    return [["湖北省公安机关免费采血点信息表", "", "", "", ""], ["（2022年7月5日）", "", "", "", ""], table[0], *body]


def headings_again(rows: list[Row]) -> Grid:
    table = plain(rows)
    return [
        *table[:6],
        [""] * 6,
        table[0],
        *table[6:],
        ["注：以上信息如有变动，以当地公安机关答复为准", "", "", "", "", ""],
    ]


def no_headings(rows: list[Row]) -> Grid:
    return grid(
        rows, "", lambda at, row: str(at), *map(cell, ("city", "unit", "address", "contact", "office_phone", "mobile"))
    )[1:]


def side_by_side(rows: list[Row]) -> Grid:
    half = (len(rows) + 1) // 2
    table = grid(
        rows, "单位名称,地址,负责人,电话", *map(cell, ("unit", "address", "contact")), lambda at, row: phones(row)
    )
    right = [*table[1 + half :], *[[""] * 4] * (2 * half - len(rows))]
    return [table[0] * 2, *(left + other for left, other in zip(table[1 : 1 + half], right))]


def with_fax(rows: list[Row]) -> Grid:
    return grid(
        rows, "市州,单位名称,地址,负责人,传真电话,监督电话,办公电话,手机,备注", cell("city"), cell("unit"), cell("address"),
        cell("contact"), lambda at, row: "", lambda at, row: "12389", cell("office_phone"), cell("mobile"), lambda at, row: "工作日",
    )  # fmt: skip


def phone_one_two(rows: list[Row]) -> Grid:
    return grid(
        rows,
        "市州,单位,地址,负责人,电话1,电话2",
        *map(cell, ("city", "unit", "address", "contact", "office_phone", "mobile")),
    )


def two_officers(rows: list[Row]) -> Grid:
    """A second officer in columns of his own."""

    def part(name: str, at: int, between: str) -> Callable[[int, Row], str]:
        return lambda _, row: [*row[name].split(between), "", ""][at]

    return grid(
        rows, "单位名称,地址,办公电话,负责人,手机,负责人,手机", cell("unit"), cell("address"), cell("office_phone"),
        part("contact", 0, "、"), part("mobile", 0, ";"), part("contact", 1, "、"), part("mobile", 1, ";"),
    )  # fmt: skip


def officer_rows(rows: list[Row]) -> Grid:
    """A second officer in a row of his own, the rest of it empty, as merged cells are saved."""
    body: Grid = []
    for at, row in enumerate(rows, 1):
        names, mobiles = row["contact"].split("、"), row["mobile"].split(";")
        body.append([str(at), row["unit"], row["address"], names[0], row["office_phone"], mobiles[0]])
        body += [["", "", "", name, "", mobile] for name, mobile in zip_longest(names[1:], mobiles[1:], fillvalue="")]
    return [["序号", "单位名称", "地址", "负责人", "办公电话", "手机"], *body]


def blank_cities(rows: list[Row]) -> Grid:
    table = plain(rows)
    for above, row in reversed(list(zip(rows, table[2:]))):
        row[0] = "" if row[0] == above["city"] else row[0]
    return table


TABLES: dict[str, tuple[Callable[[list[Row]], Grid], int]] = {
    "plain": (plain, 1), "numbered": (numbered, 1), "lines_in_cells": (lines_in_cells, 2), "english": (english, 1),
    "two_levels": (two_levels, 1), "mixed_column": (mixed_column, 1), "city_rows": (city_rows, 1), "headings_again": (headings_again, 1),
    "no_headings": (no_headings, 1), "side_by_side": (side_by_side, 1), "with_fax": (with_fax, 1), "phone_one_two": (phone_one_two, 2),
    "two_officers": (two_officers, 2), "officer_rows": (officer_rows, 2), "blank_cities": (blank_cities, 1),
}  # fmt: skip


def as_csv(table: Grid, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(table)
    return out.getvalue().encode(encoding)


def as_xlsx(table: Grid, merge: Iterable[str] = ()) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    cover = book.active
    cover.title = "说明"
    for number in range(40):
        cover.append([f"填表说明第 {number} 条"])
    sheet = book.create_sheet("名单")
    for row in table:
        sheet.append([int(text) if re.fullmatch(r"[1-9]\d{0,14}", text) else text or None for text in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_docx(table: Grid) -> bytes:
    import docx

    document = docx.Document()
    document.add_heading("湖北省公安机关免费采血点信息表")
    document.add_paragraph("咨询电话：12389，传真 010-66266611")
    made = document.add_table(len(table), max(map(len, table)))
    for row, cells in zip(made.rows, table):
        for place, text in zip(row.cells, cells):
            place.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def as_html(table: Grid, encoding: str = "utf-8") -> bytes:
    def tag(text: str) -> str:
        return f"<td style='x'><p><span>{html.escape(text)[:2]}</span>{html.escape(text)[2:]}</p></td>".replace(
            "\n", "<br/>"
        )

    rows = "\n".join(f"<tr>{''.join(map(tag, row))}</tr>" for row in table)
    return (
        f'<!DOCTYPE html><html><head><meta http-equiv="Content-Type" content="text/html; charset={encoding}">'
        "<script>var phone = '13812345678';</script></head><body><div class=nav><a>首页</a> 客服热线：0571-88156688</div>"
        f"<table><tr><td><h1>名单</h1><table border=1>\n{rows}\n</table></td></tr></table><p>责任编辑：王小明 电话：010-88156688</p></body></html>"
    ).encode("gb18030" if encoding == "gb2312" else encoding)


FORMS: dict[str, Callable[[Grid], bytes]] = {
    "csv": as_csv,
    "gb18030.csv": lambda table: as_csv(table, encoding="gb18030"),
    "tsv": lambda table: as_csv(table, "\t", "utf-16"),
    "semicolon.txt": lambda table: as_csv(table, ";"),
    "pipe.txt": lambda table: as_csv(table, "|"),
    "xlsx": as_xlsx,
    "docx": as_docx,
    "html": as_html,
    "gb.html": lambda table: as_html(table, "gb2312"),
}

# --- running text: each way to write a unit down --------------------------------------------------


def labelled(row: Row, at: int) -> str:
    return f"{at}、{row['unit']}\n地址：{row['address']}，联系人：{row['contact']}，联系电话：{phones(row)}\n"


def labelled_lines(row: Row, at: int) -> str:
    return (
        f"单位：{row['unit']}\n地　址：{row['address']}\n联 系 人：{row['contact']}\n电　话：{phones(row, ' / ')}\n\n"
    )


def one_line(row: Row, at: int) -> str:
    return f"（{at}）{row['unit']}，地址：{row['address']}。负责人：{row['contact']}；电话：{phones(row, '，')}。\n"


def bare_block(row: Row, at: int) -> str:
    return f"{row['unit']}\n{row['address']}\n{row['contact']}  {phones(row, ' ')}\n\n"


def full_width_commas(row: Row, at: int) -> str:
    return f"{row['unit']}，{row['address']}，{row['contact']}，{phones(row, '，')}\n"


def by_spaces(row: Row, at: int) -> str:
    return f"{at}  {row['city']}  {row['unit']}    {row['address']}    {row['contact']}   {phones(row, '   ')}\n"


def emoji(row: Row, at: int) -> str:
    return f"📍{row['unit']}\n🏠地址：{row['address']}\n👮联系人：{row['contact']}\n☎️电话：{phones(row)}\n"


def bullets(row: Row, at: int) -> str:
    return f"- {row['unit']}：{row['address']} {row['contact']} {phones(row)}\n"


def label_without_colon(row: Row, at: int) -> str:
    return f"{at}.{row['unit']} 地址 {row['address']} 联系人 {row['contact']} 电话 {phones(row)}\n"


def each_its_line(row: Row, at: int) -> str:
    return "\n".join([row["unit"], row["address"], row["contact"], *phones(row).split("、")]) + "\n"


def full_width_digits(row: Row, at: int) -> str:
    wide = str.maketrans("0123456789-", "０１２３４５６７８９－")
    return f"{row['unit']}\n地址：{row['address']}\n联系人：{row['contact']} 电话：{phones(row).translate(wide)}\n"


BLOCKS = (
    labelled, labelled_lines, one_line, bare_block, full_width_commas, by_spaces, emoji, bullets, label_without_colon,
    each_its_line, full_width_digits,
)  # fmt: skip
HEADS: dict[str, Callable[[str], str]] = {
    "none": lambda city: "",
    "bracket": lambda city: f"【{city}】\n",
    "numbered": lambda city: f"一、{city}（2个）\n",
    "bare": lambda city: f"{city}\n",
}


def running(rows: list[Row], block: Callable[[Row, int], str], head: Callable[[str], str]) -> str:
    text = "湖北省公安机关免费采血点信息公布，欢迎广大群众前往采血。\n发布时间：2022-07-05 来源：平安湖北\n"
    for at, row in enumerate(rows, 1):
        if at == 1 or rows[at - 2]["city"] != row["city"]:
            text += head(row["city"])
        text += block(row, at)
    return text + "上一篇：通知公告\n客服热线：0571-22223344\n责任编辑：王小明 版权所有\n"


def sentences(rows: list[Row]) -> str:
    text = "湖北公安机关免费采血点电话："
    for at, row in enumerate(rows):
        if not at or rows[at - 1]["city"] != row["city"]:
            text += f"\n{row['city']}："
        local = row["office_phone"].partition("-")[2]
        text += f"{row['unit']}{local or row['mobile'].partition(';')[0]}，"
    return text


def sentence_truth(rows: list[Row]) -> list[Row]:
    return [
        {**row, "mobile": "" if row["office_phone"] else row["mobile"].partition(";")[0]}
        for row in without(rows, "address", "contact")
    ]


def text_docx(text: str) -> bytes:
    import docx

    document = docx.Document()
    for line in text.split("\n"):
        document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def text_html(text: str) -> bytes:
    lines = "".join(f"<p>&nbsp;&nbsp;<span>{html.escape(line)}</span></p>" for line in text.split("\n"))
    return f"<html><head><meta charset=utf-8></head><body><div>{lines}</div></body></html>".encode()


TEXT_FORMS: dict[str, Callable[[str], bytes]] = {
    "txt": str.encode,
    "gb.txt": lambda text: text.encode("gb18030"),
    "docx": text_docx,
    "html": text_html,
}


class Made(NamedTuple):
    """A list that was made: its name, its bytes, what it says."""

    name: str
    raw: bytes
    truth: list[Row]


def made_lists(seed: int) -> Iterator[Made]:
    """A list of every table in every form, and of every way of running text under every kind of heading."""
    for name, (layout, officers) in TABLES.items():
        rows = made_rows(seed, officers=officers)
        for form, write in FORMS.items():
            yield Made(f"{name}.{form}", write(layout(rows)), rows)
    for block in BLOCKS:
        for head, title in HEADS.items():
            rows = made_rows(seed + 1)
            for form, put in TEXT_FORMS.items():
                yield Made(f"{block.__name__}.{head}.{form}", put(running(rows, block, title)), rows)
    rows = made_rows(seed + 2)
    for form, put in TEXT_FORMS.items():
        yield Made(f"sentences.{form}", put(sentences(rows)), sentence_truth(rows))


def read_back(raw: bytes, path: Any) -> tuple[list[Row], list[Any], list[Any]]:
    """(the rows that an import of these bytes takes over, the entries held back, the numbers of no unit)."""
    path.write_bytes(raw)
    places = xunqin.Places(CATALOG)
    batch = xunqin.understood(str(path), places)
    held = [entry for entry in batch.entries if entry.held()]
    return [{field: row[field] for field in FIELDS} for row in batch.rows(places)], held, batch.strays
