"""Draws lists as they go round as pictures, reads them, and prints how well: the README's table comes from here.

    python tests/pictures.py                 every kind, read by the engine (ten minutes and more)
    python tests/pictures.py photo curl      these kinds only
    python tests/pictures.py --draw FOLDER [ROWS]   draw only: a picture and its truth (CSV) for each kind
    python tests/pictures.py --record [KIND...]    write pictures.json anew: what the engine reads of a few rows

Every name of a person, address and number is made up; the counties' names are from data/points.csv. The same kind
gives the same picture each time. Needs Debian's fonts-noto-cjk, fonts-wqy-zenhei and fonts-arphic-uming.
"""

from __future__ import annotations

import csv
import functools
import json
import random
import re
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import xunqin  # noqa: E402  the script itself, from its folder

RECORDED = Path(__file__).with_suffix(".json")
Row = dict[str, str]
Picture = Image.Image

FONTS = {
    "sans": ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    "bold": ("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc", 2),
    "serif": ("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc", 2),
    "wqy": ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    "ming": ("/usr/share/fonts/truetype/arphic/uming.ttc", 0),
}
TITLE = "湖北省公安机关免费采血点信息表"
HEADINGS = {
    "no": "序号", "city": "市州", "district": "县市区", "unit": "单位名称", "address": "地址", "contact": "负责人",
    "office_phone": "办公电话", "mobile": "手机", "phone": "联系电话", "remark": "备注",
}  # fmt: skip
WIDTHS = {
    "no": 3, "city": 5.5, "district": 5.5, "unit": 15, "address": 19, "contact": 5, "office_phone": 8.5, "mobile": 8,
    "phone": 9, "remark": 6,
}  # fmt: skip
USUAL = ["no", "city", "unit", "address", "contact", "office_phone", "mobile"]


def fonts_missing() -> list[str]:
    """The fonts that pictures are drawn with and that this machine does not have."""
    return [path for path, _ in FONTS.values() if not Path(path).exists()]


# --- made-up rows -----------------------------------------------------------------------------

SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙胡朱高林何郭马罗宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘戴夏覃鄢闵瞿詹聂"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红梅鑫波斌宇浩凯健俊帆雪荣志海峰辉建国文博晓燕昌钧铭焱晟翊骏"
)
ROADS = [
    "建设大道",
    "解放大道",
    "人民路",
    "沿江大道",
    "文化路",
    "朝阳大道",
    "楚天大道",
    "长虹路",
    "环城北路",
    "发展三路",
    "民主路",
]
BEHIND = [
    "",
    "",
    "",
    "（公安局院内）",
    "公安局办公楼一楼",
    "刑侦大队一楼",
    "执法办案中心",
    "DNA实验室",
    "政务服务中心旁",
]
TEAMS = [
    "刑侦大队",
    "刑侦大队",
    "刑事侦查大队",
    "刑侦大队技术中队",
    "刑事科学技术室",
    "打拐办",
    "城关派出所",
    "情报大队",
]


def made_up(count: int, seed: int) -> list[Row]:
    """Rows of a list in the official order, with truth for each cell; the same for the same seed."""
    chance = random.Random(seed)
    with open(ROOT / "data" / "points.csv", encoding="utf-8", newline="") as file:
        points = list(csv.DictReader(file))
    points = sorted(points + chance.sample(points, max(count - len(points), 0)), key=lambda point: point["code"])
    rows: list[Row] = []
    for point in sorted(chance.sample(points, count), key=lambda point: point["code"]):
        base = point["unit"].replace("刑侦支队", "")
        taken = {row["unit"] for row in rows}
        unit = next(base + team for team in [chance.choice(TEAMS), *TEAMS] if base + team not in taken)
        area = point["hotline"].removesuffix("-110")
        digits = 8 if area == "027" else 7
        office = f"{area}-{chance.randrange(2 * 10 ** (digits - 1), 9 * 10 ** (digits - 1))}"
        mobile = f"1{chance.choice(['30', '38', '59', '77', '86', '99'])}{chance.randrange(10**8):08}"
        which = chance.random()
        contact = chance.choice(SURNAMES) + chance.choice(
            [chance.choice(GIVEN) + chance.choice(GIVEN), "警官", chance.choice(GIVEN)]
        )
        rows.append({
            "city": point["city"], "district": point["district"], "unit": unit, "contact": contact,
            "address": f"{point['district']}{chance.choice(ROADS)}{chance.randint(1, 999)}号{chance.choice(BEHIND)}",
            "office_phone": "" if which > 0.85 else office, "mobile": "" if which < 0.12 else mobile,
        })  # fmt: skip
    return rows


# --- drawing ----------------------------------------------------------------------------------


def font(name: str, size: int) -> Any:
    """A font of FONTS in a size."""
    path, index = FONTS[name]
    return ImageFont.truetype(path, size, index=index)


def broken(text: str, face: Any, width: float, anywhere: bool = False) -> list[str]:
    """A text in lines no wider than `width`; numbers are broken only where `anywhere` says so."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in re.findall("." if anywhere else r"[\dA-Za-z-]+|.", paragraph):
            if line and face.getlength(line + word) > width:
                lines.append(line)
                line = ""
            line += word
        lines.append(line)
    return lines


class Style(NamedTuple):
    """How a table looks."""

    columns: list[str] = USUAL
    face: str = "sans"
    size: int = 20
    title: str = TITLE
    headings: bool = True
    rules: str = "hv"  # h: between rows, v: between columns
    merged: bool = True  # the city's cell spans its rows
    banded: bool = False  # the city's name across the table instead
    zebra: str = ""
    head: str = ""  # its background; its text is then white
    ink: str = "black"
    paper: str = "white"
    line: str = "black"
    pad: tuple[int, int] = (6, 8)
    align: str = "center"  # of all but the long columns
    top: bool = False  # texts at the top of their cells
    anywhere: bool = False  # numbers are broken where a line ends
    margin: int = 20
    first: int = 1
    wide: float = 1.0
    words: dict[str, str] = HEADINGS


def table(rows: list[Row], style: Style) -> Picture:  # noqa: C901, PLR0915  drawn in one pass from above
    """A table of rows as a picture."""
    columns = [column for column in style.columns if not (style.banded and column == "city")]
    face, bold = font(style.face, style.size), font("bold" if style.face == "sans" else style.face, style.size)
    high, (pad_x, pad_y) = int(style.size * 1.35), style.pad
    edges = [style.margin]
    for column in columns:
        edges.append(edges[-1] + int(WIDTHS[column] * style.size * style.wide) + 2 * pad_x)
    bands: list[tuple[str, list[list[str]], Row]] = []  # kind, the lines of each cell, the row

    def cells(values: list[str], kind: str, row: Row) -> None:
        texts = [
            broken(text, face, right - left - 2 * pad_x, style.anywhere)
            for text, left, right in zip(values, edges, edges[1:])
        ]
        bands.append((kind, texts, row))

    if style.headings:
        cells([style.words[column] for column in columns], "head", {})
    for at, row in enumerate(rows):
        if style.banded and (not at or rows[at - 1]["city"] != row["city"]):
            bands.append(("band", [[row["city"]]], row))
        shown = {
            "no": str(style.first + at),
            "remark": "",
            "phone": "\n".join(filter(None, (row["office_phone"], row["mobile"]))),
            **row,
        }
        cells([shown[column] for column in columns], "row", row)
    spanning = columns.index("city") if style.merged and "city" in columns else -1
    heights = []
    for kind, texts, _ in bands:
        lines = max(len(lines) for column, lines in enumerate(texts) if column != spanning or kind == "head")
        heights.append(lines * high + 2 * pad_y)
    title = font("bold", int(style.size * 1.5))
    above = style.margin + (3 * style.size if style.title else 0)
    picture = Image.new("RGB", (edges[-1] + style.margin, above + sum(heights) + style.margin), style.paper)
    draw = ImageDraw.Draw(picture)
    if style.title:
        draw.text((picture.width / 2, style.margin + style.size), style.title, style.ink, title, "mm")

    def put(
        lines: list[str], left: float, right: float, y: float, bottom: float, align: str, ink: str, face: Any
    ) -> None:
        y = y + pad_y if style.top else (y + bottom - len(lines) * high) / 2
        for line in lines:
            place = {"center": ((left + right) / 2, "mm"), "left": (left + pad_x, "lm")}[align]
            draw.text((place[0], y + high / 2), line, ink, face, place[1])
            y += high

    y, group = above, above
    for at, ((kind, texts, row), height) in enumerate(zip(bands, heights)):
        fill = style.head if kind == "head" else (style.zebra if at % 2 else "")
        if fill:
            draw.rectangle((edges[0], y, edges[-1], y + height), fill)
        ink = "white" if kind == "head" and style.head else style.ink
        if kind == "band":
            put(texts[0], edges[0], edges[-1], y, y + height, "center", ink, bold)
        for column, lines in enumerate(texts if kind != "band" else []):
            if column != spanning or kind == "head":
                align = "left" if columns[column] in ("unit", "address") and kind != "head" else style.align
                put(
                    lines, edges[column], edges[column + 1], y, y + height, align, ink, bold if kind == "head" else face
                )
        if "v" in style.rules:
            for edge in edges if kind != "band" else (edges[0], edges[-1]):
                draw.line((edge, y, edge, y + height), style.line)
        y += height
        below = bands[at + 1][2].get("city") if at + 1 < len(bands) else None
        if spanning >= 0 and kind == "row" and below != row["city"]:
            put(
                broken(row["city"], face, edges[spanning + 1] - edges[spanning] - 2 * pad_x),
                edges[spanning],
                edges[spanning + 1],
                group,
                y,
                style.align,
                style.ink,
                face,
            )
        if kind == "head" or below != row.get("city"):
            group = y
        if "h" in style.rules:
            inside = spanning >= 0 and kind == "row" and below == row["city"]
            for left, right in (
                ((edges[0], edges[spanning]), (edges[spanning + 1], edges[-1])) if inside else ((edges[0], edges[-1]),)
            ):
                draw.line((left, y, right, y), style.line)
            draw.line((edges[0], above, edges[-1], above), style.line)
    return picture


def page_of_text(lines: Iterable[str], size: int = 34, width: int = 1000) -> Picture:
    """Running text as a phone shows it; an empty line is a gap."""
    face = font("sans", size)
    written = [piece for line in lines for piece in (*broken(line, face, width), "")]
    picture = Image.new("RGB", (width + 80, 60 + sum(54 if line else 22 for line in written)), "white")
    draw, y = ImageDraw.Draw(picture), 30
    for line in written:
        draw.text((40, y), line, (51, 51, 51), face)
        y += 54 if line else 22
    return picture


def beside(one: Picture, other: Picture, gap: int = 0) -> Picture:
    """Two pictures side by side."""
    joined = Image.new("RGB", (one.width + gap + other.width, max(one.height, other.height)), "white")
    joined.paste(one, (0, 0))
    joined.paste(other, (one.width + gap, 0))
    return joined


def below(*pictures: Picture) -> Picture:
    """Pictures one under another, in the middle."""
    joined = Image.new("RGB", (max(one.width for one in pictures), sum(one.height for one in pictures)), "white")
    y = 0
    for one in pictures:
        joined.paste(one, ((joined.width - one.width) // 2, y))
        y += one.height
    return joined


def screen(picture: Picture) -> Picture:
    """A picture on the page of a public account: status bar, headline, footer with a number that is nobody's."""
    head, foot = Image.new("RGB", (1080, 400), "white"), Image.new("RGB", (1080, 260), "white")
    draw = ImageDraw.Draw(head)
    draw.text((50, 20), "22:41                                    5G  86%", "black", font("bold", 34))
    draw.text((40, 150), "湖北公布136个免费采血点，寻亲家庭请扩散！", (20, 20, 20), font("bold", 46))
    draw.text((40, 280), "平安湖北   2022-07-05 18:30   发表于湖北", (120, 120, 120), font("sans", 32))
    draw = ImageDraw.Draw(foot)
    draw.text((40, 40), "阅读 10万+     赞 3621     在看 1588", (140, 140, 140), font("sans", 34))
    draw.text((40, 130), "客服：0571-22223344", (140, 140, 140), font("sans", 34))
    return below(head, picture, foot)


def window(picture: Picture) -> Picture:
    """A spreadsheet's window: letters above the columns, numbers before the rows, its own grid around the list."""
    left, head = 50, 120
    out = Image.new("RGB", (picture.width + left + 300, picture.height + head + 160), "white")
    draw, face = ImageDraw.Draw(out), font("sans", 18)
    draw.rectangle((0, 0, out.width, head - 30), (33, 115, 70))
    draw.text((20, 20), "采血点名单.xlsx - Excel     文件  开始  插入  公式", "white", face)
    for x in range(left, out.width, 90):
        draw.line((x, head - 30, x, out.height), (218, 218, 218))
        draw.text((x + 45, head - 15), chr(65 + (x - left) // 90), (90, 90, 90), face, "mm")
    for y in range(head, out.height, 43):  # as high as a row of one line
        draw.line((0, y, out.width, y), (218, 218, 218))
        draw.text((left / 2, y + 21), str(1 + (y - head) // 43), (90, 90, 90), face, "mm")
    out.paste(picture, (left, head))
    return out


def photo(picture: Picture, seed: int, bend: float = 0.03, curl: float = 0.0, blur: float = 0.7) -> Picture:
    """A picture as if photographed from a sheet of paper on a table: perspective, uneven light, blur, noise, a curl."""
    chance = random.Random(seed)
    pixels = cv2.copyMakeBorder(numpy.array(picture), 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=(120, 110, 90))
    height, width = pixels.shape[:2]
    y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float32)
    pixels = cv2.remap(
        pixels,
        x,
        y + numpy.float32(curl) * numpy.sin(numpy.pi * x / width),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    corners = numpy.float32([[0, 0], [width, 0], [width, height], [0, height]])
    inward = numpy.float32([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    moved = corners + inward * numpy.float32(
        [[chance.uniform(0.1, 1.5) * bend * side for side in (width, height)] for _ in corners]
    )
    pixels = cv2.warpPerspective(
        pixels,
        cv2.getPerspectiveTransform(corners, moved),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderValue=(90, 80, 70),
    )
    light = 0.55 + 0.45 * numpy.exp(
        -(((x - 0.3 * width) / (0.9 * width)) ** 2 + ((y - 0.25 * height) / (0.9 * height)) ** 2)
    )
    lit = cv2.GaussianBlur(pixels * light[..., None] * numpy.array([1, 0.96, 0.88]), (0, 0), blur)
    lit += numpy.random.default_rng(seed).normal(0, 6, lit.shape)
    return Image.fromarray(numpy.clip(lit, 0, 255).astype(numpy.uint8))


def moire(picture: Picture) -> Picture:
    """A picture photographed from a screen."""
    pixels = numpy.array(picture).astype(float)
    y, x = numpy.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
    waves = 14 * numpy.sin(x / 2.3 + y / 9) + 10 * numpy.sin(y / 3.1 - x / 40)
    return Image.fromarray(numpy.clip(pixels * 0.92 + waves[..., None], 0, 255).astype(numpy.uint8))


def watermarked(picture: Picture, text: str, size: int, alpha: int) -> Picture:
    """A picture with a text across it, over and over."""
    side = int(numpy.hypot(*picture.size)) + 200
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    for y in range(0, side, 200):
        for x in range(0, side, 500):
            draw.text((x + y % 400, y), text, (120, 120, 120, alpha), font("sans", size))
    layer = layer.rotate(30, Image.Resampling.BICUBIC)
    left, top = (side - picture.width) // 2, (side - picture.height) // 2
    layer = layer.crop((left, top, left + picture.width, top + picture.height))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def scaled(picture: Picture, factor: float) -> Picture:
    """A picture made smaller or larger."""
    return picture.resize((int(picture.width * factor), int(picture.height * factor)), Image.Resampling.LANCZOS)


# --- kinds ------------------------------------------------------------------------------------


class Drawn(NamedTuple):
    """A picture, the rows on it, and how it is saved."""

    picture: Picture
    rows: list[Row]
    ending: str = "png"
    options: dict[str, Any] = {}  # noqa: RUF012  never changed


KINDS: dict[str, Callable[[int, int], Drawn]] = {}  # how each is drawn from a seed and a number of rows, 0 for its own


def kind(draw: Callable[[int, int], Drawn]) -> Callable[[int, int], Drawn]:
    """Adds a kind of picture."""
    KINDS[draw.__name__] = draw
    return draw


def plain(count: int, seed: int, **style: Any) -> tuple[list[Row], Picture]:
    """Made-up rows and their table."""
    rows = made_up(count, seed)
    return rows, table(rows, Style(**style))


def styled(
    name: str,
    count: int = 22,
    change: Callable[[Picture], Picture] = lambda picture: picture,
    ending: str = "png",
    options: dict[str, Any] | None = None,
    **style: Any,
) -> None:
    """Adds a kind that is one table in a style, changed as a whole afterwards."""

    def draw(seed: int, wanted: int) -> Drawn:
        rows, picture = plain(wanted or count, seed, **style)
        shown = [row if "address" in style.get("columns", USUAL) else {**row, "address": ""} for row in rows]
        return Drawn(change(picture), shown, ending, options or {})

    KINDS[name] = draw


SHORT = ["no", "unit", "contact", "office_phone", "mobile"]
styled("ruled")
styled("whole_list", 136)
styled("whole_list_compressed", 136, lambda picture: scaled(picture, 0.66), "jpg", {"quality": 60})
styled("phone_screen", 40, screen, size=17, columns=USUAL, margin=8, pad=(4, 6), title="")
styled("zebra", rules="", zebra="#fde9d9", head="#c00000", merged=False)
styled("zebra_lines", rules="h", zebra="#eef3fa", head="#305496", merged=False, line="#8ea9db")
styled("no_rules", rules="", merged=False, columns=["no", "unit", "address", "contact", "office_phone", "mobile"])
styled("no_rules_merged_city", rules="")
styled("no_rules_top", rules="", merged=False, top=True, align="left")
styled("lines_between_rows", rules="h", merged=False)
styled("lines_between_columns", rules="v", merged=False)
styled(
    "tight_columns",
    rules="",
    merged=False,
    pad=(3, 7),
    columns=["unit", "address", "contact", "office_phone", "mobile"],
)
styled("grey_rules", line="#d9d9d9")
styled("bands", banded=True)
styled("bands_no_rules", banded=True, rules="")
styled("top_aligned", top=True, align="left")
styled("other_order", columns=["mobile", "contact", "unit", "office_phone", "address", "city"])
styled(
    "no_headings", columns=["mobile", "contact", "unit", "office_phone", "address", "city"], headings=False, title=""
)
styled("with_remarks", columns=[*USUAL, "remark"])
styled("districts", columns=["no", "city", "district", "unit", "address", "contact", "office_phone", "mobile"])
styled("two_phones", columns=["no", "city", "unit", "address", "contact", "phone"])
styled("wrapped_numbers", anywhere=True, wide=0.72)
styled("three_lines", wide=0.62, columns=["no", "unit", "address", "contact", "phone"])
styled("ming", face="ming", size=21)
styled("wqy", face="wqy")
styled("twelve_pixels", 40, size=12, pad=(4, 4), margin=10)
styled("ten_pixels", 40, size=10, pad=(3, 3), margin=10, ending="jpg", options={"quality": 70})
styled("large", 12, size=48)
styled("few_rows", 3)
styled("jpeg_30", 30, ending="jpg", options={"quality": 30})
styled("dark_mode", ink="#ebebeb", paper="#121212", line="#5a5a5a")
styled("dark_no_rules", ink="#ebebeb", paper="#1c1c1e", rules="", merged=False)
styled(
    "watermark",
    change=lambda picture: watermarked(picture, "@平安湖北  微博", 44, 90),
    ending="jpg",
    options={"quality": 85},
)
styled("heavy_watermark", change=lambda picture: watermarked(picture, "湖北省公安厅刑侦总队", 50, 150), ending="jpg")
styled(
    "photo",
    change=lambda picture: photo(picture, 1),
    face="serif",
    size=24,
    margin=60,
    ending="jpg",
    options={"quality": 82},
)
styled("photo_curled", change=lambda picture: photo(picture, 2, curl=9), size=24, margin=60, ending="jpg")
styled(
    "photo_no_rules", change=lambda picture: photo(picture, 3), size=24, margin=60, rules="", merged=False, ending="jpg"
)
styled("photo_blurred", change=lambda picture: photo(picture, 4, blur=1.4), size=24, margin=60, ending="jpg")
styled(
    "tilted",
    change=lambda picture: picture.rotate(4, Image.Resampling.BICUBIC, expand=True, fillcolor="white"),
    margin=60,
)
styled("moire", change=moire, ending="jpg", options={"quality": 80})
styled("turned_left", change=lambda picture: picture.rotate(90, expand=True))
styled("turned_right", change=lambda picture: picture.rotate(-90, expand=True))
styled("upside_down", change=lambda picture: picture.rotate(180))
styled(
    "photo_turned", change=lambda picture: photo(picture, 5).rotate(90, expand=True), size=24, margin=60, ending="jpg"
)
styled("sheet_window", change=window, title="", columns=SHORT, wide=1.7, margin=0)
styled("webp", ending="webp", options={"quality": 70})
styled("tiff", ending="tiff")


@kind
def exif(seed: int, wanted: int) -> Drawn:
    """Turned, with a mark that says so."""
    rows, picture = plain(wanted or 22, seed)
    mark = Image.Exif()
    mark[0x0112] = 6
    return Drawn(picture.rotate(90, expand=True), rows, "jpg", {"quality": 88, "exif": mark})


@kind
def see_through(seed: int, wanted: int) -> Drawn:
    """Black on nothing."""
    rows, picture = plain(wanted or 12, seed)
    clear = picture.convert("RGBA")
    clear.putalpha(picture.convert("L").point(lambda value: 255 - value))
    return Drawn(clear, rows)


@kind
def side_by_side(seed: int, wanted: int) -> Drawn:
    """Two tables beside each other."""
    rows = [{**row, "address": ""} for row in made_up(wanted or 30, seed)]
    half = (len(rows) + 1) // 2
    halves = [table(rows[at : at + half], Style(columns=SHORT, title="", first=at + 1)) for at in (0, half)]
    return Drawn(beside(*halves), rows)


@kind
def side_by_side_touching(seed: int, wanted: int) -> Drawn:
    """Two tables with one rule between them."""
    rows = [{**row, "address": ""} for row in made_up(wanted or 30, seed)]
    half = (len(rows) + 1) // 2
    halves = [table(rows[at : at + half], Style(columns=SHORT, title="", first=at + 1, margin=0)) for at in (0, half)]
    return Drawn(beside(*halves), rows)


@kind
def two_pages(seed: int, wanted: int) -> Drawn:
    """Two pages under each other, the headings on both."""
    rows = made_up(wanted or 30, seed)
    half = (len(rows) + 1) // 2
    pages = [
        table(rows[at : at + half], Style(first=at + 1, margin=60, title=TITLE if not at else "")) for at in (0, half)
    ]
    return Drawn(below(*pages), rows)


@kind
def no_area_codes(seed: int, wanted: int) -> Drawn:
    """Local numbers, and 无 where there is none."""
    rows = made_up(wanted or 24, seed)
    shown = [
        {**row, "office_phone": row["office_phone"].split("-")[-1] or "无", "mobile": row["mobile"] or "——"}
        for row in rows
    ]
    return Drawn(table(shown, Style()), rows)


@kind
def full_width(seed: int, wanted: int) -> Drawn:
    """Full-width digits in office numbers, mobile numbers in groups."""
    rows = made_up(wanted or 22, seed)
    wide = str.maketrans("0123456789-", "０１２３４５６７８９－")
    shown = [
        {
            **row,
            "office_phone": row["office_phone"].translate(wide),
            "mobile": re.sub(r"(...)(....)(....)", r"\1 \2 \3", row["mobile"]),
        }
        for row in rows
    ]
    return Drawn(table(shown, Style(face="ming", size=21, wide=1.5)), rows)


@kind
def several_numbers(seed: int, wanted: int) -> Drawn:
    """Two and three numbers in a cell, apart by strokes; a stroke for none."""
    chance = random.Random(seed)
    rows = made_up(wanted or 22, seed)
    for row in rows[::4]:
        more = f"139{chance.randrange(10**8):08}"
        row["mobile"] = f"{row['mobile']};{more}" if row["mobile"] else more
    shown = [
        {
            **row,
            "phone": "/".join(filter(None, (row["office_phone"], *row["mobile"].split(";")))),
            "remark": "／",
        }
        for row in rows
    ]
    columns = ["no", "city", "unit", "address", "contact", "phone"]
    return Drawn(table(shown, Style(columns=columns, wide=1.6)), rows)


@kind
def two_officers(seed: int, wanted: int) -> Drawn:
    """Two officers in a narrow cell, under a heading of other words; ／ where there is no number."""
    chance = random.Random(seed)
    rows = made_up(wanted or 22, seed)
    for row in rows[::3]:
        row["contact"] += "、" + chance.choice(SURNAMES) + chance.choice(GIVEN) + chance.choice(GIVEN)
    shown = [{**row, **{field: row[field] or "／" for field in ("office_phone", "mobile")}} for row in rows]
    headings = {**HEADINGS, "contact": "责任民警"}
    return Drawn(table(shown, Style(words=headings)), rows)


@kind
def cut_off(seed: int, wanted: int) -> Drawn:
    """A table that was cropped above its last rule, in a page that goes on below."""
    rows, picture = plain(wanted or 22, seed, margin=20)
    page = Image.new("RGB", (picture.width, picture.height + 200), "white")
    page.paste(picture.crop((0, 0, picture.width, picture.height - 22)), (0, 0))
    ImageDraw.Draw(page).text((40, page.height - 120), "阅读 10万+     赞 3621     在看 1588", "grey", font("sans", 28))
    return Drawn(page, rows)


@kind
def cards(seed: int, wanted: int) -> Drawn:
    """Cards under one another as an app shows them: a name, then a line with its label for each field."""
    rows = made_up(wanted or 12, seed)
    lines = []
    for row in rows:
        lines += [row["unit"], f"所在市州：{row['city']}", f"采血地址：{row['address']}", f"联系民警：{row['contact']}"]
        lines += [f"{HEADINGS[field]}：{row[field]}" for field in ("office_phone", "mobile") if row[field]] + [""]
    return Drawn(page_of_text(["14:37                    5G  62%", "免费采血点", "", *lines]), rows)


@kind
def framed_cards(seed: int, wanted: int) -> Drawn:
    """Cards in frames, two in a row, without labels."""
    rows = made_up(wanted or 16, seed)
    width, high, face, bold = 620, 190, font("sans", 22), font("bold", 26)
    page = Image.new("RGB", (2 * width + 60, (len(rows) + 1) // 2 * (high + 16) + 40), "#fffdf5")
    draw = ImageDraw.Draw(page)
    for at, row in enumerate(rows):
        left, top = 20 + at % 2 * (width + 16), 20 + at // 2 * (high + 16)
        draw.rectangle((left, top, left + width, top + high), None, "#c8a060", 2)
        y = top + 14
        numbers = "    ".join(filter(None, (row["contact"], row["office_phone"], row["mobile"])))
        for text, one in ((row["unit"], bold), (row["address"], face), (numbers, face)):
            for line in broken(text, one, width - 40):
                draw.text((left + 20, y), line, "black", one)
                y += 36
    return Drawn(page, rows)


@kind
def paragraphs(seed: int, wanted: int) -> Drawn:
    """A unit in a paragraph, cities as headings."""
    rows = made_up(wanted or 18, seed)
    lines = []
    for at, row in enumerate(rows):
        if not at or rows[at - 1]["city"] != row["city"]:
            lines.append(f"【{row['city']}】")
        numbers = "、".join(filter(None, (row["office_phone"], row["mobile"])))
        lines.append(f"{at + 1}. {row['unit']}，地址：{row['address']}，联系人：{row['contact']}，电话：{numbers}")
    return Drawn(page_of_text(lines), rows)


@kind
def blocks(seed: int, wanted: int) -> Drawn:
    """A line for each field."""
    rows = made_up(wanted or 16, seed)
    lines = []
    for at, row in enumerate(rows):
        lines += [f"{at + 1}、{row['unit']}", f"地址：{row['address']}", f"联系人：{row['contact']}"]
        lines += [f"{HEADINGS[field]}：{row[field]}" for field in ("office_phone", "mobile") if row[field]] + [""]
    return Drawn(page_of_text(lines), rows)


# The kinds as the README groups them.
GROUPS = {
    "有格线的表": "ruled grey_rules top_aligned districts with_remarks two_phones few_rows large ming wqy see_through "
    "webp tiff",
    "整张名单，136 行": "whole_list whole_list_compressed",
    "没有格线，或只有一个方向": "zebra zebra_lines no_rules no_rules_merged_city no_rules_top lines_between_rows "
    "lines_between_columns tight_columns",
    "市州横条": "bands bands_no_rules",
    "一格几行、几人、几个号码": "wrapped_numbers three_lines several_numbers two_officers",
    "全角数字、没有区号": "full_width no_area_codes",
    "列序不同、没有表头": "other_order no_headings",
    "左右两栏、上下两页": "side_by_side side_by_side_touching two_pages",
    "截图、暗色": "phone_screen sheet_window cut_off dark_mode dark_no_rules",
    "小字、压缩、摩尔纹": "twelve_pixels ten_pixels jpeg_30 moire",
    "照片，弯的、斜的": "photo photo_curled photo_no_rules photo_blurred tilted",
    "横着、倒着": "turned_left turned_right upside_down photo_turned exif",
    "水印": "watermark heavy_watermark",
    "段落、卡片": "paragraphs blocks cards framed_cards",
}


# --- score ------------------------------------------------------------------------------------


class Score(NamedTuple):
    """Counts of one kind of picture, or of several."""

    rows: int = 0
    rows_found: int = 0
    cells: int = 0
    cells_right: int = 0
    numbers: int = 0
    numbers_right: int = 0
    silent: int = 0  # rows with a wrong cell and no doubt
    lost: int = 0  # numbers that stand nowhere in the draft
    doubted: int = 0

    def plus(self, other: Score) -> Score:
        """Both together."""
        return Score(*map(sum, zip(self, other)))


def bare(text: str) -> str:
    """A cell without blanks, dashes and the width of its characters."""
    return re.sub(r"[\s\-－—()]", "", unicodedata.normalize("NFKC", text))


def numbers_of(row: Row, *fields: str) -> list[str]:
    """The digits of each number in some cells."""
    numbers = (bare(number) for field in fields for number in re.split(r"[;；\n]", row[field]))
    return [re.sub(r"\D", "", number) for number in numbers if re.search(r"\d", number)]


TEXTS = {"unit": "单位名称", "address": "地址", "contact": "负责人"}


def likeness(row: Row, drafted: Row) -> int:
    """How much of a row a row of a draft has."""
    texts = sum(bare(row[field]) == bare(drafted[heading]) for field, heading in TEXTS.items())
    found = " ".join(numbers_of(drafted, "办公电话", "手机"))
    return texts + 2 * sum(number[-7:] in found for number in numbers_of(row, "office_phone", "mobile"))


def score(rows: list[Row], draft: list[Row]) -> Score:
    """How a draft (rows by its headings) compares with the truth."""
    left, count = list(draft), Score(rows=len(rows), doubted=sum(bool(row["存疑"]) for row in draft))._asdict()
    everything = re.sub(r"\D", "", bare("".join("".join(row.values()) for row in draft)))
    for row in rows:
        numbers = numbers_of(row, "office_phone", "mobile")
        best = max(
            left,
            key=lambda drafted: likeness(row, drafted),
            default=dict.fromkeys([*TEXTS.values(), "办公电话", "手机", "存疑"], ""),
        )
        found = likeness(row, best) > 1
        if found:
            left.remove(best)
        texts = [
            (field, bare(row[field]) == bare(best[heading]))
            for field, heading in TEXTS.items()
            if row[field] or best[heading]
        ]
        have = numbers_of(best, "办公电话", "手机")
        right = [number for number in numbers if number in have]
        count["rows_found"] += found
        count["cells"] += len(texts) + len(numbers)
        count["cells_right"] += sum(good for _, good in texts) + len(right)
        count["numbers"] += len(numbers)
        count["numbers_right"] += len(right)
        whole = all(good for _, good in texts) and sorted(right) == sorted(have) == sorted(numbers)
        count["silent"] += found and not whole and not best["存疑"]
        count["lost"] += sum(number[-7:] not in everything for number in numbers)
    count["silent"] += sum(not row["存疑"] for row in left)
    return Score(**count)


def draft_of(path: str) -> list[Row]:
    """The rows of the draft that a picture becomes; a number that belongs to none has one of its own."""
    places = xunqin.Places(xunqin.Catalog(xunqin.load_list(xunqin.data_file("points.csv"))))
    try:
        return list(xunqin.draft_rows(xunqin.understood(path, places), places))
    except xunqin.ListError:
        return []


def save(name: str, folder: Path, wanted: int = 0) -> tuple[str, list[Row]]:
    """Draws a kind into a folder, the same each time: (the picture's path, the rows on it)."""
    one = KINDS[name](sum(map(ord, name)), wanted)
    path = folder / f"{name}.{one.ending}"
    one.picture.save(path, **one.options)
    return str(path), one.rows


def share(part: int, whole: int) -> str:
    """A share in hundredths."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def line(name: str, one: Score) -> str:
    """A line of the README's table."""
    shares = share(one.rows_found, one.rows), share(one.cells_right, one.cells), share(one.numbers_right, one.numbers)
    return (
        f"| {name} | {one.rows} | {' | '.join(shares)} | {one.silent} | {one.lost} | {share(one.doubted, one.rows)} |"
    )


def record(names: Iterable[str]) -> dict[str, Any]:
    """What stands on a few rows of each kind and what the engine reads there: layout is tested with it alone.

    A kind is drawn with a row more until each letter on it is among those that were read.
    """
    kept: dict[str, Any] = {}
    lay_out = xunqin.layout

    def keep(texts: Any, level: Any, down: Any, letter: float) -> Any:
        walls = [numpy.stack([one.start, one.at, one.end, one.at], axis=1).round().tolist() for one in (level, down)]
        read = [(*map(round, text[:4]), text.text, [*map(round, text.middles)]) for text in texts]
        kept[name] = {"rows": rows, "texts": read, "level": walls[0], "down": walls[1], "letter": letter}
        return lay_out(texts, level, down, letter)

    def misread() -> Counter[str]:
        shown = "".join(row[field] for row in rows for field in (*TEXTS, "office_phone", "mobile"))
        read = bare("".join(text[4] for text in kept[name]["texts"]))
        return Counter(filter(str.isalnum, bare(shown))) - Counter(read)

    xunqin.layout = keep
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for count in range(6, 12):
                path, rows = save(name, Path(folder), count)
                xunqin.read_picture_parts(path)
                if not misread():
                    break
            print(name, count, *misread(), file=sys.stderr)
    return kept


def main(arguments: list[str]) -> None:
    """Draw, read, print."""
    if fonts_missing():
        names = "fonts-noto-cjk fonts-wqy-zenhei fonts-arphic-uming"
        sys.exit(f"没有画图用的字体：{'、'.join(fonts_missing())}；apt-get install {names}")
    if arguments[:1] == ["--draw"]:
        for name in KINDS:
            path, rows = save(name, Path(arguments[1]), int(arguments[2]) if len(arguments) > 2 else 0)
            with open(Path(path).with_suffix(".truth.csv"), "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(
                    file, ["city", "district", "unit", "address", "contact", "office_phone", "mobile"]
                )
                writer.writeheader()
                writer.writerows(rows)
        return
    if arguments[:1] == ["--record"]:
        recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
        recorded.update(record(arguments[1:] or KINDS))
        lines = [
            f"{json.dumps(name)}: {json.dumps(recorded[name], ensure_ascii=False, separators=(',', ':'))}"
            for name in KINDS
        ]
        RECORDED.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")
        return
    scores: dict[str, Score] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments or KINDS:
            path, rows = save(name, Path(folder))
            scores[name] = score(rows, draft_of(path))
            print(line(name, scores[name]), flush=True)
    print_table(scores)


def print_table(scores: dict[str, Score]) -> None:
    """The README's table."""
    print("| 图 | 行 | 找到的行 | 对的格 | 对的号码 | 错而未标 | 漏掉的号码 | 存疑的行 |")
    print("| --- |" + " ---: |" * 7)
    for group, names in {**GROUPS, "全部": " ".join(scores)}.items():
        found = [scores[name] for name in names.split() if name in scores]
        if found:
            print(line(group, functools.reduce(Score.plus, found)))


if __name__ == "__main__":
    main(sys.argv[1:])
