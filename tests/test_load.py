"""Any list of the same columns: taken whole, or refused in one line with file, row, column and remedy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import HEADER, Result, listing
from hypothesis import given
from hypothesis import strategies as st

import xunqin

Call = Callable[..., Result]


def one_row(**cells: str) -> str:
    return listing(1, **cells)


REFUSED = {
    "missing_column.csv": (
        HEADER.replace(",hotline", "") + "\n",
        f":1: 缺少列 hotline: 表头应为 {HEADER}",
    ),
    "ragged.csv": (listing(2) + "1,2,3\n", ":4: 有 3 格，表头有 13 格: 请补齐或删去多余的格"),
    "control.csv": (one_row(unit="公安\x1b[31m局"), ":2: unit: 含有控制字符: 请删掉看不见的字符"),
    "bidi.csv": (one_row(mobile="138\u202e0000"), ":2: mobile: 含有控制字符: 请删掉看不见的字符"),
    "formula.csv": (one_row(address="=1+1"), ":2: address: 像是表格公式: 请删掉开头的 = + - @"),
    "at.csv": (one_row(contact="@SUM(A1)"), ":2: contact: 像是表格公式: 请删掉开头的 = + - @"),
    "lines.csv": (
        one_row(office_phone='"027-1\n027-2"'),
        ":2: office_phone: 一格里有换行或制表符: 请改成一行；多个号码用 ; 隔开",
    ),
    "empty.csv": ("", ": 文件是空的: 请给出有表头和内容的 CSV"),
    "blank.csv": ("\n\n", ": 文件是空的: 请给出有表头和内容的 CSV"),
    "heading.csv": (
        '"a\nb",' + listing(1).replace("\n", ",x\n"),
        ":1: a?b: 一格里有换行或制表符: 请改成一行；多个号码用 ; 隔开",
    ),
    "quote.csv": (HEADER + '\n"a"b,1\n', ":2: CSV 格式不对"),
    "nul.csv": ("a\0b", ": 不是文本文件: 请给出 CSV；图片和 Excel 表请用 xunqin import"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_list_is_one_line_and_exit_2(name: str, call: Call, tmp_path: Path) -> None:
    text, message = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(text.encode())
    result = call("--data", str(path), "search", "江岸")
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith(f"{path}{message}")
    assert result.err.count("\n") == 1


def test_a_list_that_is_not_utf8_names_the_row(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes(HEADER.encode() + b"\n" + "武汉".encode("gbk"))
    assert call("--data", str(path), "list") == Result(
        2, "", f"{path}:2: 不是 UTF-8 编码: 请另存为 UTF-8，或用 xunqin import 读入\n"
    )


def test_a_missing_file_and_a_directory(call: Call, tmp_path: Path) -> None:
    assert call("--data", str(tmp_path), "list") == Result(2, "", f"{tmp_path}: 这是一个目录: 请给出 CSV 文件\n")
    path = tmp_path / "没有.csv"
    assert call("--data", str(path), "list") == Result(2, "", f"{path}: 打不开（没有这个文件）: 请检查路径和权限\n")


def test_a_script_without_its_data_says_so() -> None:
    with pytest.raises(xunqin.ListError, match=r"没有\.txt: 自带的数据不在: 请连同 data 目录一起下载，或用 pip 安装$"):
        xunqin.bundled_path("没有.txt")


def test_bom_other_order_extra_columns_and_blank_lines_are_fine(call: Call, tmp_path: Path) -> None:
    columns = [*reversed(xunqin.COLUMNS), "extra"]
    cells = {"district": "番禺区", "city": "广州市", "province": "广东省", "code": "440113", "mobile": "+86-1"}
    path = tmp_path / "list.csv"
    row = ",".join(cells.get(name, "x" if name == "extra" else "") for name in columns)
    path.write_text("\ufeff" + ",".join(columns) + "\r\n\r\n" + row + "\r\n\r\n", encoding="utf-8")
    assert call("--data", str(path), "search", "番禺") == Result(
        0, f"query,match,note,{HEADER}\n番禺,exact,,440113,广东省,广州市,番禺区,,,,,+86-1,,,,\n", ""
    )


def test_quoted_cells_are_read_like_plain_ones(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(3, address='"甲路 1 号, 乙座"', contact='"""王"" 警官"'), encoding="utf-8")
    assert call("--data", str(path), "list").out == path.read_text(encoding="utf-8")
    assert call("--data", str(path), "search", "测试第2区").out == (
        f"query,match,note,{HEADER}\n测试第2区,exact,," + path.read_text(encoding="utf-8").splitlines()[2] + "\n"
    )


CELLS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")) | st.sampled_from('",江 '), max_size=6)


@given(
    st.lists(st.lists(CELLS.filter(lambda cell: not cell.startswith(("=", "@", "+", "-"))), min_size=13, max_size=13))
)
def test_any_printable_cells_come_back_as_they_were(records: list[list[str]]) -> None:
    rows = [dict(zip(xunqin.COLUMNS, cells)) for cells in records]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_text(xunqin.csv_text(rows, xunqin.COLUMNS), encoding="utf-8", newline="")
        read = xunqin.load_list(str(path))
        assert list(read) == rows
        assert read[:2] == rows[:2]
        assert [xunqin.column_of(read, name) for name in ("code", "unit")] == [
            [row[name] for row in rows] for name in ("code", "unit")
        ]


def test_the_environment_names_the_list_and_the_option_wins(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(2), encoding="utf-8")
    monkeypatch.setenv("XUNQIN_DATA", str(path))
    assert call("list").out == listing(2)
    assert call("--data", xunqin.data_file("points.csv"), "list", "--city", "仙桃").out.count("\n") == 2


def test_five_thousand_rows(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(5000), encoding="utf-8")
    result = call("--data", str(path), "search", "测试第4321区")
    assert result.code == 0
    assert result.out.splitlines()[1].startswith("测试第4321区,exact,,994321,")
    assert call("--data", str(path), "list").out == listing(5000)
