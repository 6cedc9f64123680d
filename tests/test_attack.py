"""Attacks that 0.1.0 did not withstand: doubts passed over, errors taken for values, escapes, formulas."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from conftest import HEADER, Result, listing, process

import xunqin

Call = Callable[..., Result]
CONTROL = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
ESCAPE = "\x1b]0;x\x07\x1b[31m\u202e监\u2028利"


# --- D3: what a draft doubts ----------------------------------------------------------------------


def test_a_doubt_in_any_form_of_draft_is_held_until_it_is_looked_at(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "草稿.csv"
    path.write_text(
        "单位名称,手机,存疑,核对\n大冶市公安局,13800001234,再读成了 13800001284,\n阳新县公安局,13800001235,模糊,是\n"
        "通城县公安局,138,模糊,是\n崇阳县公安局,13800001236,,\n",
        encoding="utf-8",
    )
    result = call("import", str(path))
    assert result.code == 2
    notes = [line.split(",")[:3] for line in result.out.splitlines()[1:]]
    assert notes == [["2", "待核对", "再读成了 13800001284"], ["4", "待核对", "「138」不像完整的号码"]]
    assert [(row["district"], row["mobile"]) for row in xunqin.own_rows()] == [
        ("阳新县", "13800001235"),
        ("崇阳县", "13800001236"),
    ]


# --- D12: what is no value of a cell --------------------------------------------------------------


def test_an_error_of_a_workbook_is_no_value(call: Call, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["单位名称", "地址", "负责人", "电话"])
    sheet.append(["大冶市公安局", "#REF!", "王警官", "0714-8001234"])
    sheet.append(["阳新县公安局", "一路1号", "#N/A", "0714-8001235"])
    sheet.append(["通城县公安局", True, "李警官", "0715-8001236"])
    sheet.append(["崇阳县公安局", "二路2号", "张警官", 99999999999])
    sheet["D5"].number_format = "yyyy-mm-dd"  # a day that no calendar has
    empty = book.create_sheet("空")
    for row in range(1, 101):
        empty.cell(row, 1).font = openpyxl.styles.Font(bold=True)
    book.save(tmp_path / "名单.xlsx")
    result = call("import", "--dry-run", str(tmp_path / "名单.xlsx"))
    assert (result.code, len(result.out.splitlines())) == (2, 5)
    assert result.err.startswith("读到 4 行：新增 0，更新 0，未变 0，旧于现有 0，待核对 4。\n跳过不是名单的表：空。\n")
    assert [re.findall("「([^」]*)」", line) for line in result.out.splitlines()[1:]] == [
        ["#REF!"], ["#N/A"], ["True"], ["#VALUE!"],
    ]  # fmt: skip


# --- D16: escapes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["search", ESCAPE], [ESCAPE], ["search", "监利", "--city", ESCAPE], ["near", ESCAPE], ["list", ESCAPE],
        ["list", "--city", ESCAPE], ["import", ESCAPE], ["import", "a.csv", "--as-of", ESCAPE], ["check", ESCAPE],
        ["batch", ESCAPE], ["batch", "a.csv", "-o", ESCAPE], [f"--{ESCAPE}"], ["search", f"--{ESCAPE}"],
        ["--data", ESCAPE, "list"], ["search", "监利", "-f", ESCAPE],
    ],
    ids=lambda words: "-".join(word for word in words if word.isprintable()),
)  # fmt: skip
def test_a_message_repeats_no_escape(words: list[str], call: Call) -> None:
    result = call(*words)
    assert result.err
    assert not re.search(CONTROL, result.out + result.err)


def test_no_escape_of_a_name_or_of_a_list_reaches_the_terminal(call: Call, tmp_path: Path) -> None:
    names = ("\x1b[31m监利\n\u202e蕲春\n").encode()
    assert not re.search(CONTROL, process("search", "-", "-f", "table", stdin=names).out)
    path = tmp_path / "a\x1b[31m.csv"
    path.write_text(listing(2, city="\x1b[31m市", unit="\u202e局"), encoding="utf-8")
    for words in (
        ("check", str(path)),
        ("--data", str(path), "list"),
        ("import", "--dry-run", "-f", "table", str(path)),
    ):
        result = call(*words)
        assert result.code == 2
        assert not re.search(CONTROL, result.out + result.err)


# --- D17: formulas --------------------------------------------------------------------------------

FORMULAS = ["+1+cmd|' /C calc'!A0", "-2+3+cmd|x", "+ cmd", "=1+1", "@SUM(A1)", "+86-138-x"]


@pytest.mark.parametrize("column", ["unit", "address", "contact", "source"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_a_list_is_refused(formula: str, column: str, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(1, **{column: formula}), encoding="utf-8")
    where = f"{path}:2: {column}: 像是表格公式: 请删掉开头的 = + - @\n"
    assert call("--data", str(path), "list") == Result(2, "", where)
    assert where in call("check", str(path)).out


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_not_imported(formula: str, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        f"单位名称,地址,负责人,手机\n大冶市公安局,{formula},王警官,13800001234\n阳新县公安局,一路,{formula},13800001235\n"
        f"{formula},通城县公安局,,13800001236\n崇阳县公安局,,,13800001237\n",
        encoding="utf-8",
    )
    assert call("import", str(path), "--source", formula).code == 2
    assert [row["unit"] for row in xunqin.own_rows()] == ["崇阳县公安局"]
    assert xunqin.own_rows()[0]["source"] == formula.lstrip("=+-@ ")


@pytest.mark.parametrize("end", ["\r", "\x0b", "\x1c", "\x85", "\u2028"])
def test_no_sign_that_ends_a_line_hides_a_formula(end: str, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(2) + f"{end}=cmd|x,{HEADER}\n", encoding="utf-8", newline="")
    result = call("--data", str(path), "list")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"{path}:")
