"""Import: every number right or flagged, nothing lost, whatever the file looks like. All numbers here are made up."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SCRIPT, Result, process, unmeasured

import xunqin

Call = Callable[..., Result]
LISTS = Path(__file__).resolve().parent / "lists"
CATALOG = xunqin.bundled_catalog()
FIELDS = ("city", "district", "unit", "address", "contact", "office_phone", "mobile")
DRAFT = dict(zip(FIELDS, ("市州", "区县", "单位名称", "地址", "负责人", "办公电话", "手机")))
needs_ocr = pytest.mark.skipif(sys.version_info >= (3, 13), reason="rapidocr-onnxruntime has no wheel for Python 3.13")


def truth(name: str) -> list[dict[str, str]]:
    with open(LISTS / f"{name}.truth.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read(path: Path) -> list[xunqin.Entry]:
    sheet = xunqin.read_sheet(str(path), xunqin.file_kind(str(path)))
    return xunqin.checked(xunqin.entries_of(sheet, CATALOG, str(path)), CATALOG)


def cells(path: Path) -> list[dict[str, str]]:
    rows = [xunqin.entry_row(entry, CATALOG, "", "") for entry in read(path)]
    return [{name: row[name] for name in FIELDS} for row in rows]


def one(tmp_path: Path, header: str, row: str, encoding: str = "utf-8") -> xunqin.Entry:
    path = tmp_path / "list.csv"
    path.write_text(f"{header}\n{row}\n", encoding=encoding)
    (entry,) = read(path)
    return entry


@pytest.mark.parametrize("name", ["list_gb18030", "list_tab_bom"])
def test_every_cell_of_a_published_list_is_right(name: str) -> None:
    assert cells(LISTS / f"{name}.csv") == truth(name)
    assert [entry.problems for entry in read(LISTS / f"{name}.csv")] == [[]] * 20


@needs_ocr
@pytest.mark.parametrize("name", ["list_table.png", "list_continued.jpg"])
def test_a_picture_becomes_a_draft_and_is_not_taken_over(name: str, call: Call, tmp_path: Path) -> None:
    picture = tmp_path / name
    picture.write_bytes((LISTS / name).read_bytes())
    result = call("import", str(picture))
    assert (result.code, result.out) == (0, "")
    assert f"再运行 xunqin import {picture}.草稿.csv" in result.err
    assert not os.path.exists(xunqin.own_list_path())
    with open(f"{picture}.草稿.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    drafted = [
        {name: row[heading].replace("（", "(").replace("）", ")") for name, heading in DRAFT.items()} for row in rows
    ]
    assert drafted == truth(name.partition(".")[0])
    assert all("0." in row["置信度"] or "1.00" in row["置信度"] for row in rows)
    result = call("import", f"{picture}.草稿.csv", "--as-of", "2022-07-05")
    assert result.code == 0
    assert [row["mobile"] for row in xunqin.own_rows()] == [row["mobile"] for row in truth(name.partition(".")[0])]


@needs_ocr
def test_a_tilted_picture_is_set_upright_and_a_misread_number_is_doubted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import cv2

    image = cv2.imread(str(LISTS / "list_table.png"))
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 1.5, 0.95)
    path = tmp_path / "tilted.png"
    cv2.imwrite(str(path), cv2.warpAffine(image, turn, (width, height), borderValue=(255, 255, 255)))
    text, _, _ = xunqin.draft_text(str(path), CATALOG)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["手机"] for row in rows] == [row["mobile"] for row in truth("list_table")]

    real = xunqin.read_picture
    monkeypatch.setattr(xunqin, "read_picture", lambda path: (*real(path)[:2], lambda box: box.text.replace("8", "3")))
    text, count, doubtful = xunqin.draft_text(str(path), CATALOG)
    assert (count, doubtful) == (12, 12)
    assert "再读成了" in text


@pytest.mark.parametrize(
    ("cell", "office", "mobile", "problems"),
    [
        ("027-80001234、13800001234", ["027-80001234"], ["13800001234"], []),
        ("027-80001234\n13800001234", ["027-80001234"], ["13800001234"], []),
        ("（027）80001234转8012", ["027-80001234转8012"], [], []),
        ("02780001234-8012", ["027-80001234转8012"], [], []),
        ("80001234", ["027-80001234"], [], []),
        ("+86 138 0000 1234", [], ["13800001234"], []),
        ("值班室：027－80001234", ["027-80001234"], [], []),
        ("", [], [], []),
        ("无", [], [], []),
        ("0710-8001234", ["0710-8001234"], [], ["0710-8001234 区号不是本地的 027"]),
        ("027-8001234", ["027-8001234"], [], ["027-8001234 027 的座机应为 8 位"]),
        ("1380000123", [], [], ["「1380000123」不像完整的号码"]),
        ("138000012345", [], [], ["「138000012345」不像完整的号码"]),
        ("027-800012345", [], [], ["「027-800012345」不像完整的号码"]),
        ("2780001234", [], [], ["「2780001234」不像完整的号码"]),
        ("1.38E+10", [], [], ["「1 38 +10」不像完整的号码"]),
        ("13800001234 12", [], ["13800001234"], ["「12」不像完整的号码"]),
    ],
)
def test_numbers(cell: str, office: list[str], mobile: list[str], problems: list[str]) -> None:
    found = xunqin.numbers_in(cell, "027")
    assert (found[0], found[1], found[3]) == (office, mobile, problems)


@pytest.mark.parametrize(
    "header",
    [
        "序号,公安机关单位名称,采血地址,联系人,联系方式",
        "编号,采血点名称,详细地址,负责人姓名,联系电话",
        "No,单位,地址,民警,电话",
    ],
)
def test_headings_in_any_wording(header: str, tmp_path: Path) -> None:
    entry = one(tmp_path, header, "1,大冶市公安局刑侦大队,黄石市大冶市一路1号,王警官,0714-8001234;13800001234")
    assert (entry.problems, entry.office, entry.mobile) == ([], ["0714-8001234"], ["13800001234"])
    assert entry.division == ("420281", "大冶市")
    assert entry.cells["contact"] == "王警官"


def test_columns_in_any_order_titles_pages_and_no_heading_at_all(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "湖北省免费采血点,,,\n二〇二二年七月,,,\n手机,负责人,单位名称,地址\n"
        "13800001234,王警官,大冶市公安局,大冶市一路1号\n手机,负责人,单位名称,地址\n"
        ",,,\n13800001235,李警官,阳新县公安局,阳新县二路2号\n",
        encoding="utf-8",
    )
    assert [(row["district"], row["mobile"]) for row in cells(path)] == [
        ("大冶市", "13800001234"),
        ("阳新县", "13800001235"),
    ]
    path.write_text(
        "1,黄石市,大冶市公安局,大冶市一路1号,王警官,0714-8001234,13800001234\n"
        "2,,阳新县公安局,阳新县二路2号,李警官,0714-8001235,\n",
        encoding="utf-8",
    )
    assert [(row["contact"], row["office_phone"], row["mobile"]) for row in cells(path)] == [
        ("王警官", "0714-8001234", "13800001234"),
        ("李警官", "0714-8001235", ""),
    ]
    path.write_text("大冶市公安局,大冶市一路1号,冶金公安分局\n阳新县公安局,阳新县二路2号,\n", encoding="utf-8")
    assert [(row["unit"], row["address"]) for row in cells(path)] == [
        ("大冶市公安局", "大冶市一路1号"),
        ("阳新县公安局", "阳新县二路2号"),
    ]


@pytest.mark.parametrize(
    ("row", "district", "repairs", "problems"),
    [
        ("随州市,會都区公安分局,随州市曾都区一路", "曾都区", ["會都区公安分局 → 曾都区公安分局"], []),
        ("荆门市,掇力区公安分局,", "掇刀区", ["掇力区公安分局 → 掇刀区公安分局"], []),
        (",大治市公安局,", "大冶市", ["大治市公安局 → 大冶市公安局"], []),
        ("襄阻市,枣阳市公安局,襄阳市枣阳市一路", "枣阳市", ["襄阻市 → 襄阳市"], []),
        ("宜昌市,秭归县公安局,宜昌市姊归县一路", "秭归县", ["地址 姊归县 → 秭归县"], []),
        ("宜昌市,秭归县公安局,宜昌市归县一路", "秭归县", ["地址 归县 → 秭归县"], []),
        ("武汉市,大冶市公安局,", "大冶市", [], ["大冶市不属于武汉市"]),
        (",大冶市公安局,黄石市阳新县一路", "大冶市", [], ["单位在大冶市，地址却在阳新"]),
        (",北京市朝阳区公安分局,", None, [], ["单位「北京市朝阳区公安分局」里的地名认不出来", "看不出是哪个区县"]),
        (",刑侦大队,", None, [], ["看不出是哪个区县"]),
        ("火星市,大冶市公安局,", "大冶市", [], ["市州「火星市」认不出来"]),
    ],
)
def test_places_are_read_repaired_or_flagged(
    row: str, district: str | None, repairs: list[str], problems: list[str], tmp_path: Path
) -> None:
    entry = one(tmp_path, "市州,单位名称,地址,手机", f"{row},13800001234")
    assert entry.division is None if district is None else entry.division and entry.division[1] == district
    assert (entry.repairs, entry.problems) == (repairs, problems)


def test_clean_rows_are_taken_over_and_doubtful_ones_written_out(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text(
        "单位名称,地址,负责人,办公电话,手机\n大冶市公安局刑侦大队,大冶市一路1号,王警官,0714-8001234,13800001234\n"
        "阳新县公安局,阳新县二路2号,李警官,027-80001234,\n",
        encoding="utf-8",
    )
    result = call("import", str(path), "--as-of", "2022-07-05")
    own = xunqin.own_list_path()
    assert result.code == 2
    assert result.err == (
        "读到 2 行：可收录 1 行，待核对 1 行。\n"
        f"待核对的行写在 {path}.rejected.csv，改好后再导入它。\n"
        f"已收录到 {own}。\n"
    )
    assert (tmp_path / "名单.csv.rejected.csv").read_text(encoding="utf-8-sig") == (
        "行,单位名称,地址,负责人,办公电话,问题\n"
        "3,阳新县公安局,阳新县二路2号,李警官,027-80001234,027-80001234 区号不是本地的 0714\n"
    )
    assert Path(own).read_text(encoding="utf-8") == (
        ",".join(xunqin.COLUMNS) + "\n420281,湖北省,黄石市,大冶市,大冶市公安局刑侦大队,大冶市一路1号,王警官,"
        "0714-8001234,13800001234,0714-110,listed,名单.csv,2022-07-05\n"
    )
    assert call("search", "大冶").out.splitlines()[1].split(",")[11] == "13800001234"
    assert call("search", "阳新").out.splitlines()[1].split(",")[-3] == "bureau"
    assert call("list").out.count("\n") == 108

    fixed = tmp_path / "名单.csv.rejected.csv"
    fixed.write_text(fixed.read_text(encoding="utf-8-sig").replace("027-80001234,", "0714-8001299,"), encoding="utf-8")
    assert call("import", str(fixed)).err.endswith(f"已收录到 {own}，原来的名单留作 points.csv.bak。\n")
    assert [row["district"] for row in xunqin.own_rows()] == ["大冶市", "阳新县"]
    assert [row["district"] for row in xunqin.load_list(own + ".bak")] == ["大冶市"]
    assert own in call("check").out


def test_other_faults_of_a_row_are_flagged(tmp_path: Path) -> None:
    header = "区县,单位名称,地址,负责人,手机"
    for row, problem in (
        ("阳新县,大冶市公安局,大冶市一路,王警官", "区县、单位和地址说的不是一处"),
        ("大冶市,大冶市公安局,=一路,王警官", "address 像是表格公式"),
        ("大冶市,大冶市公安局,一路,王警官13", "负责人「王警官13」里有数字"),
    ):
        assert one(tmp_path, header, f"{row},13800001234").problems == [problem]


def test_utf16_as_excel_saves_it_and_a_broken_quote(call: Call, tmp_path: Path) -> None:
    assert one(tmp_path, "单位名称\t手机", "大冶市公安局\t13800001234", encoding="utf-16").mobile == ["13800001234"]
    path = tmp_path / "list.csv"
    path.write_text("单位名称,手机\n" + "x" * 140_000 + ",1\n", encoding="utf-8")
    assert call("import", str(path)).err.startswith(f"{path}:2: CSV 格式不对（field larger than field limit")


def test_without_phonenumbers_the_patterns_have_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert xunqin.number_problem("13800001234", "027") == ""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    assert xunqin.number_problem("13800001234", "027") == ""
    assert xunqin.number_problem("1380000123", "027") == "不是手机号或带区号的座机号"


def boxes(*lines: tuple[int, int, str]) -> list[xunqin.Box]:
    """Texts at (left, top), 20 pixels high, as wide as their characters."""
    return [xunqin.Box(x, y, x + 20 * len(text), y + 20, text, 0.99) for x, y, text in lines]


def test_rows_of_a_picture_without_rules_are_found_by_its_units() -> None:
    read = boxes(
        (0, 0, "单位名称"), (300, 0, "联系电话"),
        (0, 40, "武汉市江岸区公安分局刑侦"), (300, 50, "027-80001234"), (0, 62, "大队"),
        (0, 110, "大冶市公安局"), (300, 100, "0714-"), (420, 101, "8001234"), (300, 124, "13800001234"),
    )  # fmt: skip
    table = xunqin.picture_table(read, [], lambda box: box.text)
    assert [cells for _, cells in table.sheet] == [
        ["单位名称", "联系电话"],
        ["武汉市江岸区公安分局刑侦\n大队", "027-80001234"],
        ["大冶市公安局", "0714-\n8001234\n13800001234"],
    ]


def test_texts_that_run_through_two_columns_are_read_in_parts_and_none_is_dropped() -> None:
    rows = [line for y in range(0, 400, 40) for line in ((0, y, "大冶市公安局刑侦"), (200, y, "大冶市一路一号"))]
    bridge = xunqin.Box(0, 400, 340, 420, "阳新县公安局刑侦阳新县一路一号", 0.99)
    stray = xunqin.Box(500, 80, 560, 100, "备注", 0.99)
    rules = [float(y) for y in range(-10, 440, 40)]
    table = xunqin.picture_table([*boxes(*rows), bridge, stray], rules, lambda box: "阳新县" if box.left else "公安局")
    assert table.sheet[-1][1] == ["公安局", "阳新县"]
    assert [box.text for box in table.lost[2]] == ["备注"]


def test_columns_that_a_few_long_texts_run_together() -> None:
    rows = [line for y in range(0, 400, 40) for line in ((0, y, "大冶市"), (100, y, "大冶市"), (200, y, "大冶市"))]
    bridges = [xunqin.Box(0, y, 260, y + 20, "大冶市" * 3, 0.99) for y in (400, 440)]
    assert xunqin.picture_columns([*boxes(*rows), *bridges]) == [(0, 60), (100, 160), (200, 260)]


def test_a_number_that_is_not_clear_is_doubted_though_read_twice_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    read = boxes(
        (0, 0, "单位名称"), (300, 0, "联系电话"), (0, 40, "大冶市公安局"), (300, 40, "0714-8001234"),
        (0, 80, "阳新县公安局"), (300, 80, "0714-8001235"),
    )  # fmt: skip
    read[-1].score = 0.96
    monkeypatch.setattr(xunqin, "read_picture", lambda path: (read, [-10.0, 30.0, 70.0, 110.0], lambda box: box.text))
    text, _, doubtful = xunqin.draft_text("x.png", CATALOG)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert (doubtful, [row["存疑"] for row in rows]) == (1, ["", "0714-8001235 不够清楚"])


def test_a_number_that_got_into_no_row_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    read = boxes(
        (0, 0, "单位名称"), (300, 0, "联系电话"), (0, 40, "大冶市公安局"), (300, 40, "0714-8001234"),
        (0, 80, "阳新县公安局"), (300, 80, "0714-8001235"), (900, 40, "13800001234"), (560, 80, "建设大道1号"),
    )  # fmt: skip
    monkeypatch.setattr(xunqin, "read_picture", lambda path: (read, [-10.0, 30.0, 70.0, 110.0], lambda box: box.text))
    text, count, doubtful = xunqin.draft_text("x.png", CATALOG)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert (count, doubtful) == (2, 3)
    assert [row["存疑"] for row in rows] == [
        "「13800001234」没归到哪一格",
        "「建设大道1号」没归到哪一格",
        "「13800001234」没归到哪一行",
    ]


@needs_ocr
def test_a_small_picture_is_enlarged_and_a_dry_run_prints_the_draft(call: Call, tmp_path: Path) -> None:
    import cv2

    image = cv2.imread(str(LISTS / "list_table.png"))
    path = tmp_path / "small.png"
    cv2.imwrite(str(path), cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA))
    result = call("import", str(path), "--dry-run")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [row["办公电话"] for row in rows] == [row["office_phone"] for row in truth("list_table")]
    assert os.listdir(tmp_path) == ["small.png"]


def test_a_countys_rows_go_together(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("单位名称,手机\n大冶市公安局一大队,13800001234\n大冶市公安局二大队,1380000\n", encoding="utf-8")
    assert [entry.problems for entry in read(path)] == [
        ["大冶市另有一行待改，改好后一并导入"],
        ["「1380000」不像完整的号码"],
    ]


def test_a_dry_run_writes_nothing(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("单位名称,手机\n大冶市公安局,13800001234\n阳新县公安局,1380000\n", encoding="utf-8")
    result = call("import", str(path), "--dry-run")
    assert result.code == 2
    assert [line.split(",")[:3] for line in result.out.splitlines()] == [
        ["row", "result", "note"],
        ["2", "可收录", ""],
        ["3", "待核对", "「1380000」不像完整的号码"],
    ]
    assert os.listdir(tmp_path) == ["list.csv"]
    assert not os.path.exists(xunqin.own_list_path())


def test_a_workbook_with_merged_cells_and_numbers_as_numbers(call: Call, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["湖北省免费采血点信息列表"])
    sheet.merge_cells("A1:E1")
    sheet.append(["市（州）", "单位名称", "采血地址", "联系人", "联系电话"])
    sheet.append(["黄石市", "大冶市公安局", "大冶市一路1号", "王警官", 13800001234])
    sheet.append([None, "阳新县公安局", "阳新县二路2号", "李警官", "0714-8001234\n13800001235"])
    sheet.merge_cells("A3:A4")
    path = tmp_path / "list.xlsx"
    book.save(path)
    assert [(row["city"], row["office_phone"], row["mobile"]) for row in cells(path)] == [
        ("黄石市", "", "13800001234"),
        ("黄石市", "0714-8001234", "13800001235"),
    ]
    assert call("import", str(path)).code == 0


BAD_FILES = {
    "empty.csv": (b"", "文件是空的: 请给出有内容的名单"),
    "binary.dat": (b"\x01\0\x02" * 9, "不是文本、Excel 或图片文件: 请给出 CSV、XLSX、PNG 或 JPEG"),
    "locked.xlsx": (b"\xd0\xcf\x11\xe0" + b"\0" * 99, "是加密的或旧版的 Excel 文件: 请去掉密码，另存为 .xlsx 或 CSV"),
    "broken.xlsx": (b"PK\x03\x04" + b"\0" * 99, "这个 Excel 文件读不了: 请用 Excel 打开后另存为 .xlsx 或 CSV"),
    "nohead.csv": (
        "甲,乙\n丙,丁\n".encode(),
        "认不出哪一列是单位: 请在第一行写上表头：单位名称,地址,负责人,办公电话,手机",
    ),
    "bom.csv": (b"\xff\xfe", "认不出哪一列是单位: 请在第一行写上表头：单位名称,地址,负责人,办公电话,手机"),
    "norows.csv": ("单位名称,手机\n".encode(), "没有读到一行内容: 请确认名单里有单位和电话"),
    "codes.csv": (b"\xff\xff\xff", "编码认不出来: 请另存为 UTF-8 的 CSV"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_line_and_exit_2(name: str, call: Call, tmp_path: Path) -> None:
    raw, message = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(raw)
    assert call("import", str(path)) == Result(2, "", f"{path}: {message}\n")


@needs_ocr
def test_a_bad_picture_is_one_line_and_exit_2(call: Call, tmp_path: Path) -> None:
    import cv2
    import numpy

    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    assert call("import", str(path)) == Result(2, "", f"{path}: 图片打不开或不完整: 请另存为 PNG 或 JPEG 再试\n")
    cv2.imwrite(str(path), numpy.full((200, 300, 3), 255, numpy.uint8))
    assert call("import", str(path)) == Result(
        2, "", f"{path}: 图里没认出名单表格: 请换一张清楚、端正的图，或改用表格文件\n"
    )


def test_a_directory_a_missing_and_a_huge_file(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("import", str(tmp_path)) == Result(2, "", f"{tmp_path}: 这是一个目录: 请给出一个文件\n")
    path = tmp_path / "list.csv"
    assert call("import", str(path)).err == f"{path}: 打不开（没有这个文件）: 请检查路径和权限\n"
    path.write_bytes(b"x" * 3000)
    monkeypatch.setattr(xunqin, "MAX_BYTES", 2000)
    assert "文件太大（0 MB）" in call("import", str(path)).err
    assert call("import", str(path), "--as-of", "2999-01-01") == Result(
        2, "", "--as-of 的值「2999-01-01」不是过去的日期，应如 2022-07-05\n"
    )


@pytest.mark.parametrize(
    ("name", "raw", "module", "extra"),
    [("a.xlsx", b"PK\x03\x04", "openpyxl", "import"), ("a.png", b"\x89PNG", "rapidocr_onnxruntime", "ocr")],
)
def test_a_missing_extra_is_one_line_with_the_command(
    name: str, raw: bytes, module: str, extra: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / name
    path.write_bytes(raw)
    assert call("import", str(path)) == Result(
        2, "", f"{path}: 还没装读它要用的库（{extra}）: 请运行 pip install 'xunqin[{extra}]'\n"
    )


# --- faults -----------------------------------------------------------------------------------


def small_list(path: Path, mobile: str) -> Path:
    path.write_text(f"单位名称,手机\n大冶市公安局,{mobile}\n", encoding="utf-8")
    return path


def test_kill_during_import_leaves_a_whole_list(tmp_path: Path, call: Call) -> None:
    assert call("import", str(small_list(tmp_path / "first.csv", "13800001234"))).code == 0
    second = small_list(tmp_path / "second.csv", "13800005678")
    for number in range(8):
        child = subprocess.Popen(
            [sys.executable, str(SCRIPT), "import", str(second)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=unmeasured(),
        )
        time.sleep(0.05 + number * 0.06)
        child.send_signal(signal.SIGKILL)
        child.wait()
        (row,) = xunqin.own_rows()
        assert row["mobile"] in ("13800001234", "13800005678")
    assert process("import", str(second)).code == 0
    assert [row["mobile"] for row in xunqin.own_rows()] == ["13800005678"]


def test_the_lock_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as another system can show it: one byte of the lock file is locked, waiting for it."""
    taken: list[tuple[int, int]] = []
    fake = types.SimpleNamespace(LK_LOCK=1, locking=lambda fd, mode, count: taken.append((mode, count)))
    path = small_list(tmp_path / "list.csv", "13800001234")
    monkeypatch.setitem(sys.modules, "msvcrt", fake)
    monkeypatch.setattr(sys, "platform", "win32")
    with xunqin.locked(str(path)):
        assert taken == [(1, 1)]


def test_a_list_without_one_clean_row_is_only_written_out(call: Call, tmp_path: Path) -> None:
    path = small_list(tmp_path / "list.csv", "1380000")
    result = call("import", str(path))
    assert result.code == 2
    assert result.err.splitlines() == [
        "读到 1 行：可收录 0 行，待核对 1 行。",
        f"待核对的行写在 {path}.rejected.csv，改好后再导入它。",
    ]
    assert not os.path.exists(xunqin.own_list_path())


def test_imports_at_once_do_not_mix(tmp_path: Path) -> None:
    names = ["大冶市", "阳新县", "仙桃市", "潜江市", "天门市", "利川市"]
    children = []
    for name in names:
        path = tmp_path / f"{name}.csv"
        path.write_text(f"单位名称,手机\n{name}公安局,13800001234\n", encoding="utf-8")
        command = [sys.executable, str(SCRIPT), "import", str(path)]
        children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    assert [child.wait() for child in children] == [0] * len(names)
    assert {row["district"] for row in xunqin.own_rows()} == set(names)


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_a_full_disk_leaves_the_old_list(tmp_path: Path, call: Call) -> None:
    import resource

    assert call("import", str(small_list(tmp_path / "first.csv", "13800001234"))).code == 0
    second = small_list(tmp_path / "second.csv", "13800005678")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "import", str(second)],
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)),
        env=unmeasured(),
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[-1].endswith("文件太大，写不下: 请检查磁盘空间和权限")
    assert [row["mobile"] for row in xunqin.own_rows()] == ["13800001234"]
    assert sorted(os.listdir(os.path.dirname(xunqin.own_list_path()))) == ["points.csv", "points.csv.lock"]


def test_rejected_rows_that_cannot_be_written_are_told_and_nothing_is_left(tmp_path: Path, call: Call) -> None:
    path = small_list(tmp_path / "list.csv", "1380000")
    (tmp_path / "list.csv.rejected.csv").mkdir()
    result = call("import", str(path))
    assert result.code == 2
    assert result.err.splitlines()[-1] == f"{path}.rejected.csv: 这是一个目录: 请检查磁盘空间和权限"
    assert sorted(os.listdir(tmp_path)) == ["list.csv", "list.csv.rejected.csv"]
    assert not os.path.exists(xunqin.own_list_path())


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    path = small_list(tmp_path / "list.csv", "13800001234")
    result = process("import", str(path), env={"HOME": str(tmp_path / "file")})
    assert result.code == 2
    assert result.err.splitlines()[-1].endswith("路径里有一段不是目录: 请检查磁盘空间和权限")
    assert process("search", "江岸", env={"HOME": "/nonexistent"}).code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("sent", "code", "last"),
    [(signal.SIGINT, 2, "已中断。再运行一次就行。"), (signal.SIGTERM, -15, "读到 1 行：可收录 1 行，待核对 0 行。")],
)
def test_an_interrupted_import_leaves_the_old_list(
    sent: signal.Signals, code: int, last: str, call: Call, tmp_path: Path
) -> None:
    import fcntl

    assert call("import", str(small_list(tmp_path / "first.csv", "13800001234"))).code == 0
    second = small_list(tmp_path / "second.csv", "13800005678")
    with open(xunqin.own_list_path() + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the import waits for it, its list read and not yet written
        command = [sys.executable, str(SCRIPT), "import", str(second)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            assert child.stderr is not None
            said = child.stderr.readline()
            child.send_signal(sent)
            said += child.stderr.read()
    assert (child.returncode, said.decode().splitlines()[-1]) == (code, last)
    assert [row["mobile"] for row in xunqin.own_rows()] == ["13800001234"]


def test_a_broken_own_list_is_told_by_name(call: Call) -> None:
    path = Path(xunqin.own_list_path())
    path.parent.mkdir(parents=True)
    path.write_text("x\n", encoding="utf-8")
    assert call("search", "江岸").err.startswith(f"{path}:1: 缺少列 code、province")
