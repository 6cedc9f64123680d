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
    assert sorted(drafted(path)) == sorted(wanted(RECORDED[name]["rows"]))


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
    assert xunqin.written([text(0, 0, "建设大道"), sign]) == "建设大道5"


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
    assert xunqin.spans([text(0, 6, "027-82345678"), text(0, 86, "13812345678")], rows, 20) == [range(1), range(2, 3)]


@pytest.mark.parametrize(("tilt", "curl", "lean"), [(0.05, 0.0, 0.05), (0.0, 8.0, 0.0), (-0.03, 6.0, 0.02)])
def test_a_bent_page_is_drawn_level(tilt: float, curl: float, lean: float) -> None:
    """A grid, tilted, curled and leaning, comes out with lines that stay within two pixels."""
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
