"""batch: a volunteer's spreadsheet of families. The names, numbers and cards in it are made up."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import Result, on_terminal, process

import xunqin

Call = Callable[..., Result]
CARD = "421023198001011234"
# (what stands in the column, the counties in answer, the kind): every manner that lists of families have.
HOMES: list[tuple[object, list[str], str]] = [
    ("监利", ["监利市"], "found"),
    ("湖北省荆州市监利市", ["监利市"], "found"),
    ("1、监利", ["监利市"], "found"),
    ("（3）蕲春", ["蕲春县"], "found"),
    ("(12)、大冶", ["大冶市"], "found"),
    ("2. 硚口区", ["硚口区"], "found"),
    ("⑤洪湖", ["洪湖市"], "found"),
    ("张三\t监利", ["监利市"], "found"),
    ("李四\t蕲春县\t13800001234", ["蕲春县"], "found"),
    ("湖北\n枣阳", ["枣阳市"], "found"),
    ("我老家是湖北枣阳的", ["枣阳市"], "found"),
    ("huangpi", ["黄陂区"], "found"),
    ("沔阳县", ["仙桃市"], "found"),
    ("木鱼镇", ["神农架林区"], "found"),
    ("江陵县", ["江陵县", "荆州区"], "unsure"),
    ("乔口", ["硚口区"], "unsure"),
    ("松枝", [], "none"),
    ("广州", [], "none"),
    ("不知道", [], "none"),
    (19870501, [], "none"),
    (None, [], "blank"),
    ("  ", [], "blank"),
]
HEADINGS = ["编号", "家长", "身份证号", "老家", "出生日期", "电话", "备注"]


def families() -> list[list[object]]:
    day = datetime.datetime(1987, 5, 1)
    return [[number, "王某", CARD, home, day, 13800001234, "=A3*2"] for number, (home, _, _) in enumerate(HOMES, 1)]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A title, headings, the families; a second sheet with two rows of one family; a sheet without families."""
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    sheet.title = "第一组"
    sheet.append(["湖北寻亲家庭登记（老家、电话）"])
    sheet.merge_cells("A1:G1")
    for row in [HEADINGS, *families()]:
        sheet.append(row)
    sheet.column_dimensions["D"].width = 31
    second = made.create_sheet("第二组")
    for row in (["姓名", "户籍"], ["王甲", "监利市"], ["王乙", None]):
        second.append(row)
    second.merge_cells("B2:B3")
    made.create_sheet("说明").append(["请勿外传"])
    path = tmp_path / "家庭.xlsx"
    made.save(path)
    return path


def beside(sheet: Any, row: int) -> list[str]:
    return [cell.value or "" for cell in sheet[row]][-len(xunqin.RESULT_HEADINGS) :]


def colour(sheet: Any, row: int) -> str:
    fill = sheet.cell(row, sheet.max_column).fill
    return fill.fgColor.rgb[2:] if fill.fill_type else ""


def test_each_family_gets_its_unit_beside_its_row(book: Path, call: Call) -> None:
    result = call("batch", str(book))
    out = book.with_name("家庭.结果.xlsx")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "「第一组」按「老家」一列查，共 22 行。\n「第二组」按「户籍」一列查，共 2 行。\n"
        "「说明」里没有地名一列，没有动它。\n"
        f"查到 16 行，要再问一句（黄色） 2 行，没有找到（红色） 4 行，没写地名 2 行。\n结果写在 {out}，原表没有动。\n"
    )
    sheet = openpyxl.load_workbook(out)["第一组"]
    assert beside(sheet, 2) == list(xunqin.RESULT_HEADINGS)
    for row, (home, counties, kind) in enumerate(HOMES, 3):
        assert beside(sheet, row)[0].split("\n") == (counties or [""]), home
        assert colour(sheet, row) == xunqin.COLOURS.get(kind, ""), home
    assert beside(sheet, 3) == [
        "监利市", "监利市公安局", "未收录", "未收录", "未收录", "0716-110", "按名称",
        "打电话说：「我要采血找亲人，请转刑侦大队。」",
    ]  # fmt: skip
    assert beside(sheet, 17) == [
        "江陵县\n荆州区", "江陵县公安局\n荆州市荆州区公安分局", "未收录\n未收录", "未收录\n未收录", "未收录\n未收录",
        "0716-110\n0716-110", "旧名 → 荆州区；1994 年以前的江陵县，今荆州区", "是江陵县，还是荆州区？",
    ]  # fmt: skip
    asked = [beside(sheet, row)[-1] for row in range(18, 25)]
    assert asked == [
        "是不是武汉市硚口区？",
        "您是不是要找 松滋市？",
        "在广东，不在这份名单里，可到附近公安的刑侦部门采血",
        "这个地名不认识，请问是哪个县",
        "这个地名不认识，请问是哪个县",
        "老家是哪里？",
        "老家是哪里？",
    ]
    second = openpyxl.load_workbook(out)["第二组"]
    assert [beside(second, row)[0] for row in (1, 2, 3)] == ["区县", "监利市", "监利市"]


def test_the_families_own_cells_stay_as_they_were(book: Path, call: Call) -> None:
    before = book.read_bytes()
    call("batch", str(book))
    assert book.read_bytes() == before
    old, new = openpyxl.load_workbook(book), openpyxl.load_workbook(book.with_name("家庭.结果.xlsx"))
    assert new.sheetnames == old.sheetnames
    for sheet in old.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                kept = new[sheet.title].cell(cell.row, cell.column)
                assert (kept.value, kept.number_format) == (cell.value, cell.number_format)
        assert {str(span) for span in new[sheet.title].merged_cells.ranges} == {
            str(span) for span in sheet.merged_cells.ranges
        }
    assert new["第一组"].column_dimensions["D"].width == 31
    assert new["第一组"].max_row == old["第一组"].max_row


def test_no_card_number_is_printed_or_copied(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "家庭.csv"
    path.write_text(f"老家,身份证号\n{CARD},{CARD}\n监利 {CARD},{CARD}\n火星{CARD},{CARD}\n", encoding="utf-8")
    result = call("batch", str(path))
    sheet = openpyxl.load_workbook(tmp_path / "家庭.结果.xlsx").worksheets[0]
    assert sheet["B2"].value == CARD
    written = [text for row in range(1, sheet.max_row + 1) for text in beside(sheet, row)]
    assert len(written) == 32
    assert not re.search(r"\d{12}", result.out + result.err + "".join(written))


def test_a_result_is_never_overwritten(book: Path, call: Call) -> None:
    first = book.with_name("家庭.结果.xlsx")
    first.write_bytes(b"by hand")
    assert f"结果写在 {book.with_name('家庭.结果.2.xlsx')}" in call("batch", str(book)).err
    refused = call("batch", str(book), "-o", str(first))
    assert refused == Result(2, "", f"{first}: 已经有这个文件，没有动它: 请换个名字\n")
    assert first.read_bytes() == b"by hand"
    assert sorted(path.name for path in book.parent.iterdir()) == ["家庭.xlsx", "家庭.结果.2.xlsx", "家庭.结果.xlsx"]


def test_a_title_merged_over_more_columns_than_the_list_has(call: Call, tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in (["名单"], ["姓名", "老家"], ["张三", "监利"]):
        made.worksheets[0].append(row)
    made.worksheets[0].merge_cells("A1:E1")
    made.save(tmp_path / "a.xlsx")
    assert call("batch", str(tmp_path / "a.xlsx")).code == 0
    sheet = openpyxl.load_workbook(tmp_path / "a.结果.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[3]][:6] == ["张三", "监利", None, None, None, "监利市"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_csv_keeps_its_rows_and_zeros(mark: str, encoding: str, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "家庭.csv"
    rows = [["姓名", "老家", "电话"], ["张三", "监利", "013800001234"], ["李四", "=1+1", "1"]]
    path.write_text("\n".join(mark.join(row) for row in rows), encoding=encoding)
    assert call("batch", str(path), "-o", str(tmp_path / "答.xlsx")).code == 1
    sheet = openpyxl.load_workbook(tmp_path / "答.xlsx").worksheets[0]
    assert [[cell.value for cell in row][:4] for row in sheet] == [
        [*rows[0], "区县"], [*rows[1], "监利市"], [*rows[2], None],
    ]  # fmt: skip
    assert sheet["B3"].data_type == "s"


def test_lines_of_text_without_a_heading(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "家庭.txt"
    path.write_text("1、监利\n（3）蕲春\n张三\t大冶\n", encoding="utf-8")
    result = call("batch", str(path))
    assert (result.code, result.err.splitlines()[:2]) == (0, ["「Sheet」按第 1 列查，共 3 行。", "查到 3 行。"])
    sheet = openpyxl.load_workbook(tmp_path / "家庭.结果.xlsx").worksheets[0]
    assert [row[1].value for row in sheet] == ["监利市", "蕲春县", "大冶市"]


@pytest.mark.parametrize(
    ("rows", "asked", "found"),
    [
        (["姓名,住处,电话", "张三,监利,1", "李四,蕲春,2"], [], "「住处」一列"),  # by what it holds
        (["失踪地点,籍贯", "武汉,广州", "汉口,成都"], [], "「籍贯」一列"),  # by what it is headed with
        (["老家,来源", "监利,蕲春", "监利,蕲春"], ["--column", "来源"], "「来源」一列"),
        (["老家,来源", "监利,蕲春", "监利,蕲春"], ["--column", "B"], "「来源」一列"),
        (["身份证号,家", f"{CARD},监利", f"{CARD},监利"], [], "「家」一列"),
        (["421023,监利", "420102,蕲春"], [], "第 2 列"),
        (["张家长,监利,1", "李家长,蕲春,2"], [], "第 2 列"),  # a word of a heading makes no heading
    ],
)
def test_the_column_of_places_is_found(
    rows: list[str], asked: list[str], found: str, call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    assert f"「Sheet」按{found}查" in call("batch", str(path), *asked).err


@pytest.mark.parametrize(
    ("content", "args", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", [], "旧版 Office 文件不能直接读: 请另存为 .xlsx 或 .docx"),
        (b"PK\x03\x04 xl/workbook.xml", [], "这个Excel（.xlsx）文件读不了，可能不完整: 请打开看看，另存一份再试"),
        (b"%PDF-1.4", [], "是PDF: 请给出 Excel 表、CSV 或一行一个的文本"),
        (b"\xff\xfea", [], "不是认得的文件: 可用 CSV、文本、XLSX、DOCX、PDF、网页和图片"),
        (b"", [], "文件是空的: 请给出有内容的名单"),
        ("甲,乙\n1,2\n".encode(), [], "找不到地名在哪一列: 请用 --column 写出那一列的表头"),
        ("老家\n监利\n".encode(), ["--column", "籍贯"], "找不到地名在哪一列: 请用 --column 写出那一列的表头"),
        (None, [], "打不开（没有这个文件）: 请检查路径和权限"),
    ],
)
def test_what_cannot_be_read_says_so(
    content: bytes | None, args: list[str], message: str, call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "家庭.xlsx"
    if content is not None:
        path.write_bytes(content)
    result = call("batch", str(path), *args)
    assert (result.code, result.err.splitlines()[-1]) == (2, f"{path}: {message}")
    assert [found.name for found in tmp_path.iterdir()] == ([] if content is None else ["家庭.xlsx"])


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(
    book: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xunqin, "MAX_XML", 1000)
    assert call("batch", str(book)).err == f"{book}: 解开后太大（0 MB）: 请确认是不是给错了文件\n"


def test_a_stray_quote_is_told(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "家庭.csv"
    path.write_text('老家,姓名\n监利,"张三\n蕲春,李四\n', encoding="utf-8")
    assert call("batch", str(path)).err == f"{path}:2: CSV 格式不对（unexpected end of data）: 请检查引号是否成对\n"


def test_a_disk_that_is_full_leaves_nothing(book: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    out = book.with_name("家庭.结果.xlsx")
    assert call("batch", str(book)).err.endswith(f"{out}: 磁盘满了: 请检查磁盘空间和权限\n")
    assert [path.name for path in book.parent.iterdir()] == ["家庭.xlsx"]


def test_without_openpyxl_it_says_what_to_install(book: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    result = call("batch", str(book))
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "[import]" in result.err


def test_a_long_list_shows_a_bar_on_a_terminal_only(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("监利\n" * 1001, encoding="utf-8")
    assert "100%" in on_terminal(80, "batch", str(path)).out
    assert "%" not in process("batch", str(path)).err


def test_a_whole_city_is_told_in_a_few_lines(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("武汉\n监利\n", encoding="utf-8")
    call("batch", str(path))
    sheet = openpyxl.load_workbook(tmp_path / "a.结果.xlsx").worksheets[0]
    assert sheet.cell(1, 2).value.split("\n")[:2] == ["江岸区", "江汉区"]
    assert sheet.cell(1, 2).value.count("\n") == 7
    assert sheet.cell(1, 3).value.split("\n")[-1] == "共 16 个，问清是哪里再查"
    assert sheet.cell(1, 9).value == "是武汉市的哪个区县？"
