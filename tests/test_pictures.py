"""Pictures: rows and columns from what the engine read once (pictures.json); the engine itself on one photograph."""

from __future__ import annotations

import io
import itertools
import json
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pictures
import pytest
from conftest import Result
from PIL import Image

import xunqin

RECORDED: dict[str, Any] = json.loads(pictures.RECORDED.read_text(encoding="utf-8"))
FIELDS = {"unit": "单位名称", "address": "地址", "contact": "负责人"}


def laid_out(name: str) -> list[Any]:
    """The parts of a recorded picture, without doubts and strips."""
    one = RECORDED[name]
    texts = [xunqin.Text(*text[:5], tuple(text[5]), (1.0,) * len(text[5])) for text in one["texts"]]
    level, down = (
        xunqin.Walls(numpy.array(one[way], float).reshape(-1, 4), one["letter"]) for way in ("level", "down")
    )
    letter = one["letter"]
    tables, running = xunqin.layout(texts, level, down, letter)
    parts = [
        xunqin.Part("", True, [xunqin.Line(at, cells) for at, cells in enumerate(xunqin.table_cells(table, letter), 1)])
        for table in tables
    ]
    for right, group in running:
        lines = [xunqin.written(line, letter) for line in xunqin.unwrapped(group, letter, right)]
        parts.append(xunqin.Part("", False, [xunqin.Line(at, [line]) for at, line in enumerate(lines, 1)]))
    return parts


def drafted(path: str) -> list[list[Any]]:
    """The rows that a picture's draft has: unit, address, contact and the numbers, bare."""
    return [
        [*(pictures.bare(row[heading]) for heading in FIELDS.values()), pictures.numbers_of(row, "办公电话", "手机")]
        for row in pictures.draft_of(path)
        if any(row[heading] for heading in row if heading != "存疑")  # a number of no row stands in 存疑 alone
    ]


def wanted(rows: list[pictures.Row]) -> list[list[Any]]:
    """The same of the rows that were drawn."""
    return [
        [*(pictures.bare(row[field]) for field in FIELDS), pictures.numbers_of(row, "office_phone", "mobile")]
        for row in rows
    ]


def test_every_kind_is_recorded() -> None:
    assert list(RECORDED) == list(pictures.KINDS)
    assert sorted(" ".join(pictures.GROUPS.values()).split()) == sorted(pictures.KINDS)


@pytest.mark.parametrize("name", RECORDED)
def test_rows_and_columns(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(xunqin, "read_picture_parts", lambda path: laid_out(name))
    path = str(tmp_path / "名单.png")
    Image.new("RGB", (9, 9)).save(path)
    assert drafted(path) == wanted(RECORDED[name]["rows"])


@pytest.mark.parametrize(
    ("before", "line", "needs", "room", "goes_on"),
    [
        ("武汉市江岸区公安", "分局刑侦大队", 20, 5, True),  # the next letter had no room
        ("王建国", "李娜", 20, 40, False),  # it had: a line of its own
        ("0712-82345", "67", 10, 90, True),  # half a number goes on wherever it was broken
        ("0712-8234567", "13812345678", 110, 5, False),  # two numbers stay two
        ("027-8234567", "8", 10, 5, True),
        ("027-82345678", "138123", 60, 5, False),
        ("13812345678", "13912345678", 110, 5, False),
        ("63974855", "18313377718", 110, 5, False),
        ("刑侦大队一楼", "2、汉阳区公安分局", 10, 5, False),
        ("电话：027-82345678", "【黄石市】", 20, 5, False),
        ("湖北省公安厅刑侦总队", "联系人：王建国", 20, 5, False),  # a label begins a line
        ("孝感市公安局刑侦支队", "孝感市建设大道1号", 20, 5, False),  # so does the address below a unit
        ("江夏区新城发展大道321", "号联系人：戴警官", 20, 5, True),
        ("戴警官、", "王建国", 20, 40, True),
        ("戴警官、王", "建国", 20, 40, True),
        ("建设大道1号（公安局", "院内）", 20, 40, True),
        ("建设大道1号（公安局院内", "5", 20, 40, True),
    ],
)
def test_a_line_goes_on(before: str, line: str, needs: float, room: float, goes_on: bool) -> None:
    assert xunqin.goes_on(before, line, needs, room) is goes_on


@pytest.mark.parametrize(("height", "width"), [(100, 100), (1600, 1200), (9000, 1200), (3001, 5000), (40_000, 400)])
def test_strips_cover_a_picture_and_overlap(height: int, width: int) -> None:
    strips = xunqin.strips(height, width)
    assert (strips[0][0], strips[-1][1]) == (0, height)
    assert all(above[1] - below[0] == xunqin.OVERLAP for above, below in itertools.pairwise(strips))
    assert max(bottom - top for top, bottom in strips) * width <= max(xunqin.STRIP_PIXELS, 600 * width)


def text(left: float, top: float, written: str, pitch: float = 20) -> Any:
    """A text whose letters stand `pitch` apart."""
    middles = tuple(left + pitch * (at + 0.5) for at in range(len(written)))
    return xunqin.Text(left, top, left + pitch * len(written), top + 28, written, middles, (1.0,) * len(written))


def test_a_text_is_cut_at_its_letters() -> None:
    one, other = text(100, 0, "江岸区公安分局戴警官").cut([240])
    assert (one.text, one.left, one.right, one.middles[-1]) == ("江岸区公安分局", 100, 240, 230)
    assert (other.text, other.left, other.right) == ("戴警官", 240, 300)
    assert text(100, 0, "戴警官").cut([90, 400]) == [text(100, 0, "戴警官")]


def test_a_letter_in_two_texts_counts_once_where_it_is_whole() -> None:
    """As 队 at the end of a text and 人 at the start of the next, cut off."""
    one = text(100, 0, "刑侦大队")
    other = xunqin.Text(165, 0, 250, 28, "人茅箭区", (172.0, 195.0, 215.0, 235.0), (1.0,) * 4)
    assert [part.text for part in xunqin.read_once([one, other], 20)] == ["刑侦大队", "茅箭区"]
    assert [part.text for part in xunqin.read_once([one, text(182, 0, "茅箭区")], 20)] == ["刑侦大队", "茅箭区"]


@pytest.mark.parametrize(
    ("line", "apart"),
    [
        ("0712-8234567113812345678", "0712-8234567/13812345678"),  # the stroke was read as 1
        ("0712-823456713812345678", "0712-8234567/13812345678"),
        ("13812345678113912345678107128234567", "13812345678/13912345678/07128234567"),
        ("027-82345678转113812345678", "027-82345678转113812345678"),
        ("138123456781", "138123456781"),
    ],
)
def test_numbers_that_were_read_as_one_are_parted(line: str, apart: str) -> None:
    assert xunqin.numbers_apart(line) == apart


@pytest.mark.parametrize(
    ("line", "doubts"),
    [
        ("萧昌", []),
        ("蕭昌", ["「蕭昌」里有繁体字"]),
        ("西门口382号", []),
        ("西门□382号", ["「西门□382号」里有认不出的字"]),
    ],
)
def test_signs_that_no_list_prints_are_doubted(line: str, doubts: list[str]) -> None:
    assert [*xunqin.odd_signs(line)] == doubts


def test_a_bracket_alone_in_a_line_is_a_bracket() -> None:
    line, sign = text(0, 0, "建设大道1号（公安局院内"), text(0, 40, "5")
    assert xunqin.written([line, sign]) == "建设大道1号（公安局院内）"
    assert xunqin.written([line, text(0, 40, "一")]) == "建设大道1号（公安局院内）"
    assert xunqin.written([line, text(0, 40, "丁")]) == "建设大道1号（公安局院内丁"
    assert xunqin.written([line, text(0, 40, "12")]) == "建设大道1号（公安局院内12"
    assert xunqin.written([text(0, 0, "建设大道"), sign]) == "建设大道5"


def test_a_gap_wider_than_a_letter_is_a_blank_in_running_text() -> None:
    texts = [text(0, 0, "戴警官"), text(67, 0, "张"), text(95, 0, "李")]
    assert xunqin.written(texts, 20) == "戴警官张 李"
    assert xunqin.written(texts) == "戴警官张李"
    assert xunqin.written([text(0, 0, "江岸区公安", 40)], 20) == "江岸区公安"  # letters stand wide


def test_lines_of_a_cell_as_they_were_written() -> None:
    """The first ran as far as the edge, the next did not; one far below begins anew."""
    tops = {"江岸区公安分": 0, "局刑侦大队": 30, "大楼": 60}
    lines = [text(0, top, line) for line, top in tops.items()]
    assert [xunqin.written(line) for line in xunqin.unwrapped(lines, 20, 125)] == ["江岸区公安分局刑侦大队", "大楼"]
    assert len(xunqin.unwrapped(lines, 20, 141)) == 2
    assert len(xunqin.unwrapped(lines, 20, 142)) == 3
    below = lines[1]._replace(top=50, bottom=78)
    assert len(xunqin.unwrapped([lines[0], below], 20, 125)) == 1
    assert len(xunqin.unwrapped([lines[0], below._replace(top=51, bottom=79)], 20, 125)) == 2
    word = [text(0, 0, "江岸区建设大道"), text(0, 30, "ABC座")]
    assert len(xunqin.unwrapped(word, 20, 160)) == 1  # a word is not broken


def test_cells_that_hold_all_about_a_unit_are_cards() -> None:
    lines = [["江岸区公安分局", "027-82345678"], ["江汉区公安分局", "027-82345679"], ["备注"]]
    table = xunqin.Table([0.0, 100, 200], [0.0, 300, 600, 900])
    for column, cell in enumerate(lines):
        for at, line in enumerate(cell):
            table.put(text(300 * column + 20, 10 + 40 * at, line, 15), range(1), column)
    assert xunqin.is_cards(table, 15)
    table.put(text(20, 110, "说明", 15), range(1, 2), 0)
    assert not xunqin.is_cards(table, 15)  # half of them


def test_a_stroke_among_numbers_says_that_there_is_none() -> None:
    table = xunqin.Table([0.0, 50, 100, 150], [0.0, 100, 300])
    cells = [["丨", "027-82345678"], ["王建国", "1"], ["", "13812345678"]]
    for row, line in enumerate(cells):
        for column, cell in enumerate(line):
            if cell:
                table.put(text(100 * column + 10, 50 * row + 10, cell, 15), range(row, row + 1), column)
    assert xunqin.table_cells(table, 15) == [["丨", "027-82345678"], ["王建国", ""], ["", "13812345678"]]


def test_ink_where_nothing_was_read_is_a_lost_letter() -> None:
    """Three letters stand in a cell; without one of them, at either end, its ink is left."""
    page = numpy.full((60, 200, 3), 255, numpy.uint8)
    for left in (60, 80, 100):
        page[20:38, left + 2 : left + 18 : 3] = 0
    cell = (40.0, 4.0, 140.0, 56.0)

    def left_over(read: Any) -> bool:
        return bool(xunqin.Picture(page, None, [read]).has_ink(cell))

    assert not left_over(text(60, 16, "戴警官"))
    assert left_over(text(60, 16, "戴警"))
    assert left_over(text(80, 16, "警官"))


def test_a_number_belongs_to_one_row_however_many_have_none() -> None:
    rows = [0.0, 40, 80, 120, 160]
    assert xunqin.spans([text(0, 66, "武汉市")], rows, 20) == [range(4)]  # in the middle of all
    assert xunqin.spans([text(0, 51, "恩施土家族"), text(0, 79, "苗族自治州")], rows, 20) == [range(4), range(4)]
    assert xunqin.spans([text(0, 28, "武汉市"), text(0, 106, "黄石市")], rows, 20) == [range(2), range(2, 4)]
    assert xunqin.spans([text(0, 28, "武汉市"), text(0, 90, "黄石市")], rows, 20) == [range(1, 2), range(2, 3)]
    wide = [0.0, 60, 120, 180, 240]
    assert xunqin.spans([text(0, 86, "武汉市"), text(0, 126, "黄石市")], wide, 20) == [range(1, 2), range(2, 3)]
    assert xunqin.spans([text(0, 90, "武汉市"), text(0, 121, "黄石市")], wide, 20) == [range(4), range(4)]
    assert xunqin.spans([text(0, 46, "备注")], rows[:4], 20) == [range(1, 2)]  # at its row's height
    assert xunqin.spans([text(0, 6, "武汉市"), text(0, 46, "黄石市")], rows, 20) == [range(1), range(1, 2)]
    assert xunqin.spans([text(0, 6, "027-82345678"), text(0, 86, "13812345678")], rows, 20) == [range(1), range(2, 3)]


@pytest.mark.parametrize(("tilt", "curl", "lean"), [(0.05, 0.0, 0.05), (0.0, 8.0, 0.0), (-0.03, 6.0, 0.02)])
def test_a_bent_page_is_drawn_level(tilt: float, curl: float, lean: float) -> None:
    """A grid, tilted, curled and leaning, comes out with lines that stay within two pixels; its middle stays."""
    grid = numpy.full((1000, 800, 3), 255, numpy.uint8)
    grid[100:901:50, 100:701] = 0
    grid[100:901, 100:701:100] = 0
    y, x = numpy.mgrid[0:1000, 0:800].astype(numpy.float32)
    from_x, from_y = x + lean * (y - 500), y + tilt * (x - 400) + curl * numpy.sin(numpy.pi * x / 800)
    places = from_x.astype(numpy.float32), from_y.astype(numpy.float32)
    bent = xunqin.cv2.remap(grid, *places, xunqin.cv2.INTER_CUBIC, borderValue=(255, 255, 255))
    flat = xunqin.flattened(bent, numpy.zeros((0, 4, 2)), 20.0)
    level, down = xunqin.straight_lines(xunqin.cv2.cvtColor(flat, xunqin.cv2.COLOR_BGR2GRAY), 40)
    for lines in (level, down):
        slopes = (lines[:, 3] - lines[:, 1]) / (lines[:, 2] - lines[:, 0])
        assert len(lines) > 10
        assert numpy.abs(slopes).max() < 0.01
    assert numpy.abs(level[:, 1] - (500 - curl)).min() < 4
    assert numpy.abs(down[:, 1] - 400).min() < 4


def blocks(width: int, height: int, *places: tuple[int, int, int]) -> Any:
    """A white page with a block of 16 to 24 pixels for each letter of texts: (left, top, how many letters)."""
    page = numpy.full((height, width, 3), 255, numpy.uint8)
    for left, top, letters in places:
        for at in range(letters):
            page[top : top + 24, left + 20 * at + 2 : left + 20 * at + 18] = 0
        page[top + 4 : top + 20, left + 4 : left + 16] = 255  # the first is hollow
    return page


class Engine:
    """Finds the blocks of a page; reads 江 for the first of each text, 岸 for the others; upside down it is unsure."""

    def __init__(self) -> None:
        self.read: list[str] = []  # what it reads of a text by itself, one after the other
        self.looks = 0

    def __call__(self, image: Any, use_det: bool, use_rec: bool) -> Any:
        if not use_det:
            self.looks += 1
            hollow = image[image.shape[0] // 2, 8 if image.shape[1] > image.shape[0] else image.shape[1] // 2, 0] > 99
            texts = (self.read.pop(0),) if self.read else ()
            return SimpleNamespace(txts=texts, scores=(0.9 if hollow else 0.5,))
        dark = (image[:, :, 0] < 99).astype(numpy.uint8)
        near = xunqin.cv2.dilate(dark, numpy.ones((5, 5), numpy.uint8))
        boxes, words = [], []
        for left, top, width, height, _ in xunqin.cv2.connectedComponentsWithStats(near)[2][1:].tolist():
            if min(width, height) > 99:
                continue  # a table's rules
            right, bottom = left + width, top + height
            boxes.append([[left, top], [right, top], [right, bottom], [left, bottom]])
            edges = [left + 20 * at for at in range(width // 20 + 1)]
            words.append(
                [
                    ("江" if edge == left else "岸", 0.9, [[edge, top], [edge + 20, top]])
                    for edge in edges[: width // 20]
                ]
            )
        return SimpleNamespace(boxes=numpy.array(boxes, float) if boxes else None, word_results=words)


@pytest.mark.parametrize("turns", range(4))
def test_a_page_is_turned_upright_whichever_side_is_up(turns: int) -> None:
    page = blocks(300, 200, (40, 30, 6), (60, 100, 8), (40, 150, 1))
    turned = numpy.ascontiguousarray(numpy.rot90(page, turns))
    shown, corners, wide, high = xunqin.upright(Engine(), turned)
    assert (shown == page).all()
    assert corners[:, 0].min(axis=0).tolist() == pytest.approx([40, 28], abs=1)
    assert sorted(zip(wide.round().tolist(), high.round().tolist())) == [(20, 28), (120, 28), (160, 28)]


def test_what_stands_in_two_strips_is_read_once() -> None:
    """Strips of 1,000 pixels that share 200: a text within both, at the edge of either, in one only, far below."""
    tops = [100, 790, 820, 900, 985, 1100, 1590, 1795, 1860]
    page = blocks(2000, 1900, *((40, top, 5) for top in tops), (600, 900, 3))
    told: list[int] = []
    texts = xunqin.read_texts(Engine(), page, told.append)
    assert sorted((text.top, text.text) for text in texts) == sorted(
        [(top - 2, "江岸岸岸岸") for top in tops] + [(898, "江岸岸")]
    )
    assert (texts[0].left, texts[0].right, texts[0].middles) == (40, 140, (50, 70, 90, 110, 130))
    assert told == [1000, 1800, 1900]


@pytest.mark.parametrize(
    ("written", "box", "kept"),
    [
        ("戴警官", (0, 100, 60, 109), True),
        ("戴警官", (0, 100, 60, 110), False),  # askew: a watermark
        ("13812345678", (0, 100, 110, 140), True),  # a number is kept, wherever it is from
        ("戴警", (0, 100, 40, 130), True),  # too short to be askew
        (" 戴 ", (0, 100, 20, 100), True),
        ("  ", (0, 100, 20, 100), False),
    ],
)
def test_what_stands_askew_is_a_watermarks(written: str, box: tuple[int, int, int, int], kept: bool) -> None:
    left, top, right, slant = box
    corners = numpy.array([[left, top], [right, slant], [right, slant + 28], [left, top + 28]], float)
    words = [(letter, 0.9, [[at * 10, 0], [at * 10 + 10, 0]]) for at, letter in enumerate(written)]
    result = SimpleNamespace(boxes=corners[None], word_results=[words])
    texts = [*xunqin.read_strip(lambda image, **_: result, None)]
    assert [one.text for one in texts] == ([written.strip()] if kept else [])
    assert [one[:4] for one in texts] == ([(left, min(top, slant), right, max(top, slant) + 28)] if kept else [])


@pytest.mark.parametrize(("high", "kept"), [(57, 1), (58, 0)])
def test_a_huge_letter_alone_is_a_watermarks(high: int, kept: int) -> None:
    boxes = numpy.array([[[0, 9], [30, 9], [30, 9 + tall], [0, 9 + tall]] for tall in (30, 30, high)], float)
    words = [[("戴", 0.9, [[0, 0], [30, 0]])]] * 3
    result = SimpleNamespace(boxes=boxes, word_results=words)
    assert len([*xunqin.read_strip(lambda image, **_: result, None)]) == 2 + kept


@pytest.mark.parametrize(
    ("written", "sure", "again", "looks", "doubts"),
    [
        ("戴警官", 0.8, [], 0, []),
        ("戴警官", 0.79, ["戴警官", "戴 警官"], 2, []),
        ("戴警官", 0.79, ["戴警宫"], 1, ["「戴警官」再读成了「戴警宫」"]),
        ("戴警官", 0.79, ["戴警官", "戴警宫"], 2, ["「戴警官」再读成了「戴警宫」"]),
        ("12345", 0.95, [], 0, []),
        ("12345", 0.94, ["12345", "12345"], 2, []),
        ("123456", 0.95, ["123456"], 1, []),
        ("027-1234", 0.95, ["0271234"], 1, []),
        ("027-1234", 0.95, ["027-1284"], 1, ["「027-1234」再读成了「027-1284」"]),
        ("（戴）", 0.8, [], 0, []),
        ("蕭警官", 0.8, [], 0, ["「蕭警官」里有繁体字"]),
    ],
)
def test_a_second_look(written: str, sure: float, again: list[str], looks: int, doubts: list[str]) -> None:
    engine = Engine()
    engine.read = [*again]
    one = text(40, 30, written)._replace(sure=(sure,) * len(written))
    picture = xunqin.Picture(blocks(300, 90, (40, 30, len(written))), engine, [one])
    assert [*picture.doubts(one)] == doubts
    assert engine.looks == looks


def test_a_gap_in_a_text_is_a_lost_letter_and_space_at_its_end_is_looked_at_again() -> None:
    page, engine = blocks(300, 90, (40, 30, 5)), Engine()
    one, latin = text(40, 30, "江岸区公安"), text(40, 30, "ABCDE")
    picture = xunqin.Picture(page, engine, [one])
    assert [*picture.doubts(one._replace(middles=(50, 70, 90, 110, 145)))] == ["「江岸区公」后面可能漏了字"]
    assert [*picture.doubts(one._replace(middles=(50, 70, 90, 110, 144)))] == []
    assert [*picture.doubts(latin._replace(middles=(50, 70, 90, 110, 145)))] == []
    assert [*picture.doubts(one._replace(right=155.0))] == []
    assert engine.looks == 0
    engine.read = ["江岸区公安局"]
    assert [*picture.doubts(one._replace(right=156.0))] == ["「江岸区公安」再读成了「江岸区公安局」"]


def size_of(strip: bytes) -> tuple[int, int]:
    """The width and the height of a strip."""
    return Image.open(io.BytesIO(strip)).size


def test_rows_with_their_doubts_and_strips() -> None:
    """A number of another height, a cell with ink, a serial number that is not looked at; each row its own strip."""
    heads, engine = ["序号", "单位名称", "电话"], Engine()
    table = xunqin.Table([10.0, 60, 110, 160], [10.0, 110, 310, 510])
    for column, head in enumerate(heads):
        table.put(text((20, 120, 320)[column], 20, head), range(1), column)
    number = text(320, 95, "027-82345678", 10)
    for row in (1, 2):
        table.put(text(20, 70 if row == 1 else 120, str(row) * 3)._replace(sure=(0.1,) * 3), range(row, row + 1), 0)
    table.put(text(120, 120, "江岸区公安分局"), range(2, 3), 1)
    table.put(number, range(1, 3), 2)
    read = [one for texts in table.texts.values() for one in texts]
    page = blocks(
        520, 170, *((round(one.left), round(one.top) + 2, len(one.text)) for one in read if one is not number)
    )
    page[80:100, 130:150] = 0
    engine.read = ["027-82345679"]
    lines = [*xunqin.Picture(page, engine, read).table_lines(table)]
    assert [line.cells for line in lines] == [
        heads, ["111", "", "027-82345678"], ["222", "江岸区公安分局", "027-82345678"],
    ]  # fmt: skip
    assert [line.doubts for line in lines] == [
        (),
        ("有一格里有字，没认出来", "「027-82345678」再读成了「027-82345679」"),
        ("「027-82345678」不在这一行的高度",),
    ]
    assert [size_of(line.strip) for line in lines] == [(501, 51)] * 3


def test_paragraphs_with_their_strips_to_before_the_next_unit() -> None:
    told = ["江岸区公安分局", "联系人戴警官", "江汉区公安分局", "联系人张警官"]
    read = [text(40, 20 + 40 * at, line) for at, line in enumerate(told)]
    page = blocks(300, 200, *((40, 22 + 40 * at, len(line)) for at, line in enumerate(told)))
    page[130:145, 170:178] = 0  # within the last text, beside its letters
    read[3] = read[3]._replace(right=200.0)
    lines = [*xunqin.Picture(page, Engine(), read).text_lines(read, 300.0)]
    assert [(line.number, line.cells) for line in lines] == [(at, [line]) for at, line in enumerate(told, 1)]
    assert [size_of(line.strip) for line in lines] == [(161, 69), (161, 29), (161, 69), (161, 29)]


def test_walls_are_seen_and_joined() -> None:
    """A ruled table, one rule of it parted by a gap, and a coloured block; not a short stroke."""
    page = numpy.full((400, 600, 3), 255, numpy.uint8)
    page[[50, 51, 150, 151, 250, 251], 50:551] = 0
    page[50:252, [50, 51, 300, 301, 549, 550]] = 0
    page[150:152, 200:212] = 255
    page[300:381, 100:400] = 200
    page[20:22, 100:140] = 0
    level, down = xunqin.walls_on(page, 20)
    level, down = (
        {tuple(round(place, -1) for place in wall) for wall in zip(one.at, one.start, one.end)} for one in (level, down)
    )
    assert level == {(50, 50, 550), (150, 50, 550), (250, 50, 550), (300, 100, 400), (380, 100, 400)}
    assert down == {(50, 50, 250), (300, 50, 250), (550, 50, 250), (100, 300, 380), (400, 300, 380)}


EDGES = [(0.0, 10.0, 200.0, 10.0), (0.0, 50.0, 200.0, 50.0), (0.0, 90.0, 200.0, 90.0)]


@pytest.mark.parametrize(
    ("level", "down", "cell"),
    [
        ([0, 1], [0, 1, 2], (10, 10, 90, 50)),
        ([0], [0, 1], (10, 10, 90, 200)),  # cropped below: as far as the walls beside run
        ([0, 1], [0], (10, 10, 200, 50)),
        ([0, 1], [], (-xunqin.OPEN, 10, xunqin.OPEN, 50)),
        ([], [0, 1], (10, -xunqin.OPEN, 90, xunqin.OPEN)),
        ([], [], (-xunqin.OPEN, -xunqin.OPEN, xunqin.OPEN, xunqin.OPEN)),
    ],
)
def test_the_walls_around_a_text(level: list[int], down: list[int], cell: tuple[float, ...]) -> None:
    beside = [(0.0, place, 200.0, place) for place in (10.0, 90.0, 130.0)]
    walls = (
        xunqin.Walls(numpy.array([edges[at] for at in chosen]).reshape(-1, 4), 20)
        for edges, chosen in ((EDGES, level), (beside, down))
    )
    assert xunqin.cell_around(text(20, 16, "戴警官"), *walls) == cell


@pytest.mark.parametrize(
    ("wall", "cuts"),
    [
        ((0, 70.0, 61, 70.0), [70]),
        ((0, 69.0, 61, 71.0), [70]),
        ((0, 70.0, 59, 70.0), []),  # a stroke of a large letter
        ((30, 70.0, 200, 70.0), []),  # begins below the middle of the text
        ((29, 70.0, 200, 70.0), [70]),
        ((0, 50.0, 200, 50.0), []),  # before its first letter
        ((0, 51.0, 200, 51.0), [51]),
        ((0, 87.0, 200, 87.0), [87]),
        ((0, 88.0, 200, 88.0), []),  # touches its last letter
    ],
)
def test_a_wall_cuts_a_text(wall: tuple[float, ...], cuts: list[float]) -> None:
    assert xunqin.Walls(numpy.array([wall]), 20).through(text(40, 16, "戴警官")) == cuts


@pytest.mark.parametrize(
    ("edges", "walls"),
    [
        ([(0, 10, 40, 10), (59, 10, 100, 10)], [(10, 0, 100)]),  # goes on
        ([(0, 10, 40, 10), (60, 10, 100, 10)], [(10, 0, 40), (10, 60, 100)]),  # parted, one line
        ([(0, 10, 40, 10), (60, 10, 79, 10)], []),  # no longer than a word, together
        ([(0, 10, 40, 10), (60, 10, 80, 10)], [(10, 0, 40), (10, 60, 80)]),
        ([(0, 10, 90, 10), (0, 15, 30, 15)], [(11.25, 0, 90)]),  # both sides of a thick rule: where the longer is
        ([(0, 10, 90, 10), (0, 16, 90, 16)], [(10, 0, 90), (16, 0, 90)]),
        ([], []),
    ],
)
def test_edges_are_joined_to_walls(edges: list[tuple[float, ...]], walls: list[tuple[float, ...]]) -> None:
    joined = xunqin.Walls(numpy.array(edges, float).reshape(-1, 4), 20)
    assert [*zip(joined.at, joined.start, joined.end)] == walls


@pytest.mark.parametrize(
    ("wall", "low", "high", "found"),
    [
        ((0, 50.0, 60, 50.0), 0, 100, True),
        ((0, 50.0, 60, 50.0), 0, 101, False),  # along less than most of it
        ((40, 50.0, 100, 50.0), 0, 100, True),
        ((41, 50.0, 101, 50.0), 0, 100, False),
    ],
)
def test_a_wall_runs_along_most_of_what_it_bounds(
    wall: tuple[float, ...], low: float, high: float, found: bool
) -> None:
    walls = xunqin.Walls(numpy.array([wall]), 20)
    assert walls.around(60, low, high) == (50 if found else -xunqin.OPEN, xunqin.OPEN)
    assert walls.around(50, low, high) == (50 if found else -xunqin.OPEN, xunqin.OPEN)
    assert walls.around(40, low, high) == (-xunqin.OPEN, 50 if found else xunqin.OPEN)


def test_the_width_of_a_letter() -> None:
    assert xunqin.letter_width([text(0, 0, "江岸区公安"), text(0, 40, "027-82345678", 9)]) == 20
    assert xunqin.letter_width([text(0, 0, "江A岸"), text(0, 40, "82345678", 9)]) == pytest.approx(0.7 * 28)
    assert xunqin.letter_width([text(0, 0, "江岸", 3)]) == 4


@pytest.mark.parametrize(("askew", "cleaned"), [(1, False), (2, True)])
def test_two_askew_texts_are_a_watermark(askew: int, cleaned: bool) -> None:
    class Askew(Engine):
        def __call__(self, image: Any, use_det: bool, use_rec: bool) -> Any:
            result = super().__call__(image, use_det, use_rec)
            if use_det:
                slanting = numpy.array([[[50, 150], [100, 159], [100, 169], [50, 160]]] * askew, float)
                result.boxes = numpy.concatenate([result.boxes, slanting])
            return result

    page = blocks(300, 200, (40, 30, 6), (60, 70, 8), (60, 100, 8))
    page[150:156, 50:100] = 190
    assert (xunqin.made_straight(Askew(), page)[152, 75] > 240).all() == cleaned


def test_a_page_as_its_parts_from_above(monkeypatch: pytest.MonkeyPatch) -> None:
    """A title, a ruled table and a note; what stands outside the table is doubted, and so is an unread cell."""
    cells = [(column, row) for row in (70, 120, 170) for column in (50, 200, 350)]
    page = blocks(520, 300, (120, 20, 6), *((left, top, 4) for left, top in cells), (40, 250, 5))
    page[[60, 110, 160, 210], 30:481] = 0
    page[60:211, [30, 180, 330, 480]] = 0
    monkeypatch.setattr(xunqin, "load_engine", Engine)
    parts = xunqin.picture_parts(Image.fromarray(page), "第 2 页")
    outside, four = ("写在表格外面",), "江岸岸岸"
    assert [
        (part.name, part.table, [(line.number, line.cells, line.doubts) for line in part.lines]) for part in parts
    ] == [
        ("第 2 页", False, [(1, ["江岸岸岸岸岸"], outside)]),
        ("第 2 页", True, [(row, [four] * 3, ()) for row in (1, 2, 3)]),
        ("第 2 页", False, [(1, ["江岸岸岸岸"], outside)]),
    ]
    page[60:250] = 255
    parts = xunqin.picture_parts(Image.fromarray(page), "")
    assert [(line.cells, line.doubts) for part in parts for line in part.lines] == [
        (["江岸岸岸岸岸"], ()), (["江岸岸岸岸"], ()),
    ]  # fmt: skip
    page[:] = 255
    page[100:102, 100:102] = 0
    monkeypatch.setattr(Engine, "__call__", lambda *_, **__: SimpleNamespace(boxes=None))
    assert xunqin.picture_parts(Image.fromarray(page), "") == []


@pytest.mark.parametrize("rows", [2, 3])
def test_notes_beside_a_table_are_no_table(rows: int) -> None:
    """Three lines of two texts below rows of two cells: a table only where they are more than those in cells."""
    edges = [(0.0, 40.0 * at, 400.0, 40.0 * at) for at in range(rows + 1)]
    sides = [(0.0, place, 40.0 * rows, place) for place in (0.0, 200.0, 400.0)]
    level, down = (xunqin.Walls(numpy.array(walls), 20) for walls in (edges, sides))
    texts = [text(left, 40 * at + 6, "戴警官") for at in range(rows + 3) for left in (60, 260)]
    tables, running = xunqin.layout(texts, level, down, 20)
    assert len(tables) == (2 if rows == 2 else 1)
    assert [len(group) for _, group in running] == ([] if rows == 2 else [6])


def test_slopes_over_a_page() -> None:
    """A tilt, a perspective and a curl are found through lines far off them; too few lines bend nothing."""
    y, x = (place.ravel() for place in numpy.mgrid[50:1000:150, 50:800:100].astype(float))

    def slope(x: Any, y: Any) -> Any:
        along, across = x / 400 - 1, y / 500 - 1
        return 0.02 + 0.03 * along - 0.01 * across + 0.02 * along * across + 0.01 * along**2 - 0.02 * along**3

    rise = 30 * slope(x, y)
    rise[[5, 20]] += 3  # askew
    rise[30] += 20  # of something else
    lines = numpy.stack([x - 30, y - rise, x + 30, y + rise], axis=1)
    places = numpy.array([10.0, 400, 790]), numpy.array([10.0, 300, 990])
    assert xunqin.slope_over_page(lines, (800, 1000), *places) == pytest.approx(slope(*places), abs=0.002)
    assert xunqin.slope_over_page(lines[:12], (800, 1000), *places).any()
    assert not xunqin.slope_over_page(lines[6:17], (800, 1000), *places).any()


def test_a_page_is_dark_on_light_its_text_of_one_size_without_a_watermark() -> None:
    page = blocks(300, 200, (40, 30, 6), (60, 100, 8))
    assert (xunqin.made_straight(Engine(), page) == page).all()
    assert (xunqin.made_straight(Engine(), 255 - page) == page).all()
    tiny = xunqin.cv2.resize(page, None, fx=0.5, fy=0.5, interpolation=xunqin.cv2.INTER_AREA)
    assert xunqin.made_straight(Engine(), tiny).shape[0] == pytest.approx(200, abs=40)
    assert xunqin.made_straight(Engine(), blocks(5200, 60, (40, 20, 6))).shape[1] == xunqin.MAX_WIDTH
    blank_page = numpy.full((100, 100, 3), 255, numpy.uint8)
    assert (xunqin.made_straight(Engine(), blank_page) == blank_page).all()


def test_a_watermark_is_taken_off() -> None:
    page = blocks(300, 200, (40, 30, 6))
    marked = page.copy()
    marked[100:112, 50:250] = 190
    assert xunqin.without_watermark(marked).min(axis=(0, 1)).tolist() == [0, 0, 0]
    assert (xunqin.without_watermark(marked)[100:112] > 240).all()


def blank(width: int, height: int, mode: str = "L") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), 1 if mode == "1" else 255).save(out, "PNG")
    return out.getvalue()


def png_of(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of chunks (kind, data), whatever they say."""
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


HUGE_HEADER = (b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
NO_LIST, TOO_LARGE = "图里没认出名单", "图片太大"
HOSTILE = {
    "a line": (lambda: blank(500, 1), NO_LIST),
    "a column": (lambda: blank(1, 500), NO_LIST),
    "a dot": (lambda: blank(17, 17), NO_LIST),
    "a blank strip": (lambda: blank(580, 33_000), NO_LIST),
    "a huge blank": (lambda: blank(5_100, 5_100, "1"), NO_LIST),
    "too long": (lambda: blank(41_000, 20), f"{TOO_LARGE}：41000×20"),
    "too large": (lambda: blank(9_001, 9_001, "1"), f"{TOO_LARGE}：9001×9001"),
    "nothing but a size": (
        lambda: png_of(HUGE_HEADER, (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")),
        TOO_LARGE,
    ),
    "cut off": (lambda: blank(400, 400)[:100], "图片打不开或不完整"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_refused_in_one_line_without_the_engine(
    name: str, call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make, problem = HOSTILE[name]
    monkeypatch.delattr(xunqin, "load_engine")  # its seconds and its memory are for what may be a list
    path = tmp_path / "名单.png"
    path.write_bytes(make())
    result = call("import", str(path))
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert result.err.startswith(f"{path}: {problem}")
    assert [file.name for file in tmp_path.iterdir()] == ["名单.png"]


@pytest.mark.parametrize("kept", ["I;16", "LA", "P", "1", "CMYK"])
def test_a_picture_of_any_colours_is_dark_on_light(kept: str, tmp_path: Path) -> None:
    """Black on white, of 65,536 greys, see-through, with a palette, of one bit, for print."""
    grey = Image.new("L", (40, 40), 255)
    grey.paste(0, (0, 0, 20, 40))
    picture = grey.convert(kept)
    if kept == "I;16":
        picture = Image.fromarray(numpy.asarray(grey).astype(numpy.uint16) * 257)
    if kept == "LA":
        picture = Image.merge("LA", (Image.new("L", grey.size, 0), Image.eval(grey, lambda value: 255 - value)))
    picture.save(tmp_path / "名单.tiff")
    shown = xunqin.open_picture(str(tmp_path / "名单.tiff"))
    assert (shown.mode, shown.getpixel((5, 5)), shown.getpixel((35, 35))) == ("RGB", (0, 0, 0), (255, 255, 255))


@pytest.mark.parametrize("module", ["PIL", "onnxruntime", "rapidocr"])
def test_without_the_extra_it_is_named(module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = str(tmp_path / "名单.png")
    Image.linear_gradient("L").save(path)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(xunqin.ListError) as raised:
        xunqin.read_picture_parts(path)
    assert "'.[ocr]'" in str(raised.value)


@pytest.mark.skipif(bool(pictures.fonts_missing()), reason=f"fonts missing: {' '.join(pictures.fonts_missing())}")
def test_a_photograph_on_its_side_becomes_a_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine itself: four rows, photographed and turned; one doubt at most, a strip before each row."""
    path, rows = pictures.save("photo_turned", tmp_path, 4)
    parts = xunqin.read_picture_parts(path)
    monkeypatch.setattr(xunqin, "read_picture_parts", lambda path: parts)
    assert drafted(path) == wanted(rows)
    table = next(part for part in parts if part.table)
    assert sum(bool(line.doubts) for line in table.lines) <= 1
    assert all(line.strip.startswith(b"\x89PNG") for line in table.lines)
