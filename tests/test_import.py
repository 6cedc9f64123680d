"""Import, reading: every cell right or held back, nothing lost, whatever form the list has. All numbers are made up."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import made_lists
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from made_lists import CATALOG, FIELDS, Made, read_back

import xunqin

LISTS = Path(__file__).resolve().parent / "lists"
PLACES = xunqin.Places(CATALOG)


def truth(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [{**row, "mobile": row["mobile"].replace("、", ";")} for row in csv.DictReader(file)]


def read(path: Path, text: str | bytes) -> xunqin.Batch:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return xunqin.understood(str(path), PLACES)


def told(batch: xunqin.Batch) -> list[tuple[str, str, str, str, str, str]]:
    """(county, unit, address, contact, landlines, mobiles) of each entry."""
    rows = [batch.row(entry, PLACES) for entry in batch.entries]
    return [
        (row["district"], row["unit"], row["address"], row["contact"], row["office_phone"], row["mobile"])
        for row in rows
    ]


def held(batch: xunqin.Batch) -> list[list[str]]:
    return [entry.held() for entry in batch.entries]


# --- whole lists ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [*sorted(LISTS.glob("documents/d*[!v].*[!v]")), LISTS / "list_gb18030.csv", LISTS / "list_tab_bom.csv", LISTS / "documents/d11_two_officers.csv"],
    ids=lambda path: path.name,
)  # fmt: skip
def test_every_cell_of_a_list_as_it_is_passed_on(path: Path) -> None:
    batch = xunqin.understood(str(path), PLACES)
    rows = [{field: row[field] for field in FIELDS} for row in batch.rows(PLACES)]
    for row in rows:
        row["address"] = (
            row["address"] if "documents" in str(path) else row["address"].translate({0xFF08: "(", 0xFF09: ")"})
        )
    assert rows == truth(path.with_suffix("").with_suffix(".truth.csv"))
    assert batch.held() == []


MADE = {made.name: made for made in made_lists.made_lists(1)}


@pytest.mark.parametrize("layout", sorted({name.partition(".")[0] for name in MADE}))
def test_every_way_to_write_a_list_in_every_form(layout: str, tmp_path: Path) -> None:
    def wrong(made: Made) -> object:
        rows, held_back, _ = read_back(made.raw, tmp_path / "list")
        if layout == "side_by_side":  # row by row, or table by table
            rows.sort(key=lambda row: [field["unit"] for field in made.truth].index(row["unit"]))
        return made.name if held_back or rows != made.truth else None

    made = [made for name, made in MADE.items() if name.partition(".")[0] == layout]
    assert [name for name in map(wrong, made) if name] == []


# Cells as they come: good and bad units, numbers whole and damaged, a column that is no phone's.
units = st.sampled_from(
    ["大冶市公安局刑侦大队", "武汉市江岸区公安分局", "荆州市沙市区公安分局打拐办", "襄阳市公安局刑侦支队", "大治市公安局",
     "□□公安局", "河北省武安市公安局", "公安县公安局", "仙桃市公安局", ""]
)  # fmt: skip
numbers = st.one_of(
    st.from_regex(r"1[358][0-9]{9}", fullmatch=True),
    st.from_regex(r"0(27-8[0-9]{7}|71[0-9]-[2-8][0-9]{6}|728-3[0-9]{6})(转[0-9]{2,4})?", fullmatch=True),
    st.from_regex(r"[2-8][0-9]{6,7}", fullmatch=True),
    st.from_regex(r"[0-9]{9,16}", fullmatch=True),
    st.sampled_from(
        ["", "无", "—", "138****5678", "7283212345", "86 13812345678", "0716-3322110、3322119", "李警官13812345678"]
    ),
)
table_rows = st.lists(
    st.tuples(
        st.sampled_from(["黄石市", "武汉市", "荆州", ""]),
        units,
        st.sampled_from(["大冶市一路1号", "武汉市江岸区一路（院内）", "沙市区二路2号", ""]),
        st.sampled_from(["王警官", "欧阳建国", "李四、王五", ""]),
        st.lists(numbers, min_size=1, max_size=3).map("、".join),
        numbers,
        st.one_of(st.sampled_from(["", "工作日", "周一至周五"]), numbers),
    ).map(list),
    min_size=1,
    max_size=6,
)
PHASES = (Phase.explicit, Phase.generate)  # a failing list is small enough; making it smaller takes minutes
HEADINGS = st.sampled_from(["备注", "传真", "电话2", "乱七八糟"])


def digit_runs(text: str) -> set[str]:
    return set(re.findall(r"\d{7,}", re.sub(r"(?<=\d)[- ](?=\d)", "", text)))


def everything(batch: xunqin.Batch) -> str:
    """All text that an import of the batch writes: the own list, the rejected rows, the numbers of no unit."""
    rows = batch.rows(PLACES)
    rows += [xunqin.rejected_row(entry, batch) for entry in batch.held()]
    return "\n".join(text for row in rows for text in row.values()) + "\n".join(stray.text for stray in batch.strays)


def test_no_number_is_lost_and_every_form_says_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("lists")

    @given(table_rows, st.permutations(range(7)), HEADINGS)
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=PHASES)
    def run(rows: list[list[str]], order: list[int], last: str) -> None:
        table = [["市州", "单位名称", "地址", "负责人", "办公电话", "手机", last], *rows]
        table = [[row[column] for column in order] for row in table]
        source = digit_runs("\n".join(cell for row in table for cell in row))
        outcomes = []
        for form, write in made_lists.FORMS.items():
            path = folder / f"list.{form}"
            path.write_bytes(write(table))
            batch = xunqin.understood(str(path), PLACES)
            written = digit_runs(everything(batch))
            assert {run for run in source if not any(run in other for other in written)} == set()
            own = [{**row, "source": ""} for row in batch.rows(PLACES)]
            outcomes.append((own, [re.sub(r"\D", "", "".join(entry.cells.values())) for entry in batch.held()]))
        assert all(outcome == outcomes[0] for outcome in outcomes)

    run()


# --- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    ["电话", "Phone", "Tel", "Telephone", "Phone No.", "Office Phone No.", "Mobile Phone No", "号码", "联系号码", "固定号码", "热线",
     "值班室", "移动", "小灵通", "聯繫電話", "备用电话", "电话2", "联系电话（工作日早九晚五有人接听）", "办公室电话", "负责人电话", ""],
)  # fmt: skip
def test_headings_of_phones(heading: str, tmp_path: Path) -> None:
    batch = read(
        tmp_path / "list.csv", f"单位名称,负责人,手机,{heading}\n大冶市公安局,王警官,13800001234,0714-8001234\n"
    )
    assert told(batch) == [("大冶市", "大冶市公安局", "", "王警官", "0714-8001234", "13800001234")]
    assert held(batch) == [[]]


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("联系人电话", "phone"), ("电话及联系人", "phone"), ("电话、地址", "phone"), ("电话联系人", "contact"), ("电话和手机", "mobile"), ("单位及地址", "address"),
        ("市领导", ""), ("No.", "number"), ("Phone No", "phone"), ("投诉电话", "unread"), ("公安局（盖章）", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_a_heading_names(heading: str, field: str) -> None:
    assert xunqin.heading_field(heading) == field


@pytest.mark.parametrize("heading", ["传真电话", "监督电话", "传真", "举报电话", "Fax"])
def test_a_fax_is_no_phone_and_is_told(heading: str, tmp_path: Path) -> None:
    batch = read(tmp_path / "list.csv", f"单位名称,{heading},联系电话\n大冶市公安局,0714-8001111,0714-8002222\n")
    assert told(batch) == [("大冶市", "大冶市公安局", "", "", "0714-8002222", "")]
    assert batch.strays == [(2, f"{heading} 0714-8001111", "不是采血电话")]
    assert held(batch) == [[]]


def test_numbers_under_a_heading_that_is_not_known_hold_the_row_back(tmp_path: Path) -> None:
    batch = read(
        tmp_path / "list.csv", "单位名称,手机,乱写\n大冶市公安局,13800001234,0714-8001111\n阳新县公安局,13800001235,\n"
    )
    assert held(batch) == [["这一栏有号码，没有收：乱写 0714-8001111；若是采血电话，请填到电话栏"], []]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("湖北省采血点名单,联系电话,\n单位名称,办公电话,手机\n大冶市公安局,0714-8001234,13800001234\n", ("", "0714-8001234", "13800001234")),
        ("单位,联系方式,\n,办公电话,手机\n大冶市公安局,0714-8001234,13800001234\n", ("", "0714-8001234", "13800001234")),
        ("单位,联系方式,,\n,负责人,办公电话,手机\n大冶市公安局采血窗口,欧阳春兰,0714-8001234,13800001234\n", ("欧阳春兰", "0714-8001234", "13800001234")),
        ("市州,单位,地址,联系方式,\n,,,负责人,手机\n,大冶市公安局采血窗口,,宇文,13800001234\n", ("宇文", "", "13800001234")),
        ("单位,负责人,手机\n大冶市公安局,无,13800001234\n", ("", "", "13800001234")),
        ("单位,负责人,手机\n大冶市公安局,王警官,13800001234（王警官）\n", ("王警官", "", "13800001234")),
        ("联系电话,手机,027-67120000\n单位名称,手机,\n大冶市公安局,13800001234,\n", ("", "", "13800001234")),
        ("单位,负责人,手机\n大冶市公安局,宦 恒；梅 警官,13800001234\n", ("宦恒、梅警官", "", "13800001234")),
        ("区县,,手机\n大冶市,刑侦大队,13800001234\n", ("", "", "13800001234")),
        ("单位名称,采血点,负责人,联系人,手机\n大冶市公安局,大冶市公安局,欧阳春兰,欧阳春兰,13800001234\n", ("欧阳春兰", "", "13800001234")),
        ("单位,负责人,手机,采血点\n大冶市公安局,王警官,13800001234,大冶市公安局\n", ("王警官", "", "13800001234")),
        ("单位,采血点,手机\n大冶市公安局,大冶市公安局,13800001234\n", ("", "", "13800001234")),
        ("单位,甲,乙,丙,手机\n刑侦大队,黄石市,大冶市,欧阳春兰,13800001234\n", ("欧阳春兰", "", "13800001234")),
        ("大冶市公安局,王警官,0714-8001234,13800001234\n", ("王警官", "0714-8001234", "13800001234")),
        ("手机,负责人,单位名称\n13800001234,王警官,大冶市公安局\n", ("王警官", "", "13800001234")),
        ("单位名称,联系人及电话\n大冶市公安局,王警官13800001234；李警官13800001235\n", ("王警官、李警官", "", "13800001234;13800001235")),
        ("单位名称|手机\n---|---\n大冶市公安局|13800001234\n", ("", "", "13800001234")),
        ("单位名称;手机\n大冶市公安局;13800001234\n", ("", "", "13800001234")),
    ],
)  # fmt: skip
def test_headings_titles_and_none(text: str, expected: tuple[str, str, str], tmp_path: Path) -> None:
    batch = read(tmp_path / "list.txt", text)
    assert [row[3:] for row in told(batch)] == [expected]
    assert held(batch) == [[]]


def test_rows_with_few_cells_are_kept_or_held_back(tmp_path: Path) -> None:
    batch = read(
        tmp_path / "list.csv",
        "单位名称,地址,负责人,电话\n江岸区公安分局,一路1号,戴警官,027-82712345\n,,,13800001234\n,二路2号,李警官,13800001235\n"
        "黄陂区公安分局采血点,城市广场旁,李警官,\n江汉区公安分局,,,\n注：以当地为准,,,\n",
    )
    assert told(batch) == [
        ("江岸区", "江岸区公安分局", "一路1号", "戴警官", "027-82712345", "13800001234"),
        ("", "", "二路2号", "李警官", "", ""),
        ("黄陂区", "黄陂区公安分局采血点", "城市广场旁", "李警官", "", ""),
        ("江汉区", "江汉区公安分局", "", "", "", ""),
    ]
    missing = ["没有单位名称；若是「江岸区公安分局」的，请并到那一行", "看不出是哪个区县"]
    assert held(batch) == [[], missing[:1], [], []]


def test_a_table_goes_on_on_the_next_page_and_one_of_another_width_does_not() -> None:
    first = [["负责人", "单位名称", "备注"], ["", "王警官", "13800001230"], ["王警官", "大冶市公安局", ""]]
    more = [["王警官", "王警官", ""], ["李警官", "阳新县公安局", "13800001234"]]
    other = [["公告", "各单位"]]
    parts = [
        xunqin.Part("甲乙丙"[at], True, [xunqin.Line(row, cells) for row, cells in enumerate(rows, 1)])
        for at, rows in enumerate((first, more, other))
    ]
    batch = xunqin.Batch("")
    xunqin.read_units(batch, parts, PLACES)
    assert [entry.cells for entry in batch.entries] == [
        {"unit": "王警官", "note": "备注 13800001230"},
        {"unit": "大冶市公安局", "contact": "王警官"},
        {"unit": "王警官", "contact": "王警官"},
        {"unit": "阳新县公安局", "contact": "李警官", "note": "备注 13800001234"},
    ]
    assert batch.skipped == ["丙"]


def test_numbers_of_no_units_row_and_rows_that_come_first(tmp_path: Path) -> None:
    text = "单位,负责人,手机,备注\n,王警官,13800001230,\n大冶市公安局,王警官,13800001234,\n,王警官,13800001235,\n,,,咨询 0714-8009999\n"
    batch = read(tmp_path / "list.csv", text)
    assert [(entry.cells.get("unit"), entry.cells["contact"], entry.cells["mobile"]) for entry in batch.entries] == [
        (None, "王警官", "13800001230"), ("大冶市公安局", "王警官", "13800001234"), (None, "王警官", "13800001235"),
    ]  # fmt: skip
    assert batch.strays == [(5, "备注 咨询 0714-8009999", "不在任何单位的行里")]


@pytest.mark.parametrize(
    ("text", "is_unit"),
    [
        ("大冶市公安局", True), ("大冶市公安局（刑侦大队）", True), ("DNA实验室", True), ("打拐办", True), ("大冶市", False), ("残联办公室", False),
        ("公安局院内", False), ("公安局办公楼一楼", False), ("沿江路2号公安局", False), ("公安局0714-8001234值班室", False),
    ],
)  # fmt: skip
def test_what_is_written_as_a_unit(text: str, is_unit: bool) -> None:
    assert xunqin.looks_like_unit(text) is is_unit


def test_a_row_without_a_unit_goes_on_only_where_something_else_is_missing_too(tmp_path: Path) -> None:
    batch = read(
        tmp_path / "list.csv", "单位名称,负责人,电话\n江岸区公安分局,戴警官,027-82712345\n,李警官,13800001234\n"
    )
    assert [entry.cells["contact"] for entry in batch.entries] == ["戴警官", "李警官"]
    assert [bool(problems) for problems in held(batch)] == [False, True]


def test_a_stray_quote_is_an_error_and_a_row_in_a_cell_is_held_back(tmp_path: Path) -> None:
    rows = '单位名称,负责人,手机\n武汉市江岸区公安分局,戴警官,"13812345678\n武汉市硚口区公安分局,李警官,13912345678'
    with pytest.raises(xunqin.ListError, match=r"list.csv:2: CSV 格式不对（.*）: 请检查引号是否成对"):
        read(tmp_path / "list.csv", rows + "\n")
    assert held(read(tmp_path / "list.csv", rows + '"\n')) == [["号码格里有单位名「武汉市硚口区公安分局,李警官,」"]]


def test_what_xunqin_printed_keeps_its_status_source_and_date(tmp_path: Path) -> None:
    text = xunqin.csv_text(CATALOG.rows, xunqin.COLUMNS)
    batch = read(tmp_path / "list.csv", text)
    batch.source, batch.as_of = "list.csv", "2026-01-01"
    assert batch.rows(PLACES) == list(CATALOG.rows)
    batch = read(tmp_path / "list.csv", "单位名称,status,as_of\n大冶市公安局,sure,2099-01-01\n")
    assert held(batch) == [["status「sure」不认识", "as_of「2099-01-01」不是过去的日期"]]


# --- running text ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "江岸区公安分局 027-82812315，江汉区公安分局85353919",
            [("江岸区", "江岸区公安分局", "", "", "027-82812315", ""), ("江汉区", "江汉区公安分局", "", "", "027-85353919", "")],
        ),
        (
            "公安县公安局刑侦大队;白天6833150 晚上6833830\n石首市公安局：7286110（值班室）、13812345678（李警官）",
            [
                ("公安县", "公安县公安局刑侦大队", "", "", "0716-6833150;0716-6833830", ""),
                ("石首市", "石首市公安局", "", "李警官", "0716-7286110", "13812345678"),
            ],
        ),
        (
            "武汉市：\n1.武汉市公安局江岸区分局刑侦大队（地址：江岸区京汉大道1号） 联系人 戴警官 联系电话 027-82812315\n"
            "省直管：\n仙桃市公安局刑侦大队：仙桃市仙桃大道1号，0728-3212345转8012\n",
            [
                ("江岸区", "武汉市公安局江岸区分局刑侦大队", "江岸区京汉大道1号", "戴警官", "027-82812315", ""),
                ("仙桃市", "仙桃市公安局刑侦大队", "仙桃市仙桃大道1号", "", "0728-3212345转8012", ""),
            ],
        ),
        (
            "武汉市\n江岸区\n刑侦大队 戴警官 82812315\n江汉区\n刑侦大队 李警官 85353919\n",
            [("江岸区", "刑侦大队", "", "戴警官", "027-82812315", ""), ("江汉区", "刑侦大队", "", "李警官", "027-85353919", "")],
        ),
        (
            "单位名称：大冶市公安局\n市州：黄石市\n地址：大冶市\n电话：0714-8001234\n通城县公安局 通城县 隽水镇 0715-4001234",
            [("大冶市", "大冶市公安局", "大冶市", "", "0714-8001234", ""), ("通城县", "通城县公安局", "通城县隽水镇", "", "0715-4001234", "")],
        ),
        (
            "市州：黄石市\n单位：大冶市公安局\n电话：0714-8001234\n市州：武汉市\n单位：江岸区公安分局\n电话：027-82812315",
            [("大冶市", "大冶市公安局", "", "", "0714-8001234", ""), ("江岸区", "江岸区公安分局", "", "", "027-82812315", "")],
        ),
        ("仙桃市公安局\n地址：仙桃市\n电话：0728-3212345", [("仙桃市", "仙桃市公安局", "仙桃市", "", "0728-3212345", "")]),
        (
            "单位名称：江岸区公安分局\n地址\t江岸区中山大道1号\n传真：027-82812316\n电话：027-82812315\n",
            [("江岸区", "江岸区公安分局", "江岸区中山大道1号", "", "027-82812315", "")],
        ),
    ],
)  # fmt: skip
def test_running_text(text: str, expected: list[tuple[str, ...]], tmp_path: Path) -> None:
    batch = read(tmp_path / "list.txt", text)
    assert told(batch) == expected
    assert held(batch) == [[]] * len(expected)


@pytest.mark.parametrize(
    ("text", "address", "contact", "numbers"),
    [
        ("联系人：朱警官电话：13800001234", "", "朱警官", ["13800001234"]),
        ("联系人：朱警官、李民警联系电话：13800001234", "", "朱警官、李民警", ["13800001234"]),
        ("联系人朱警官手机：13800001234", "", "朱警官", ["13800001234"]),
        ("朱警官电话13800001234", "", "朱警官", ["13800001234"]),
        ("地址：胜利街1号 往东百米处 13800001234", "胜利街1号往东百米处", "", ["13800001234"]),
        ("联系人：向娟电话：13800001234", "", "向娟", ["13800001234"]),
        ("联系民警向娟 电话：13800001234", "", "向娟", ["13800001234"]),
        ("地址：胜利街1号 (刑警大队) 电话：13800001234", "胜利街1号(刑警大队)", "", ["13800001234"]),
        ("民警手机13800001234", "", "", ["13800001234"]),
        ("负责人：王主任办公电话：027-80001234", "", "王主任", ["027-80001234"]),
        ("地址：胜利街1号联系人：朱警官电话：13800001234", "胜利街1号", "朱警官", ["13800001234"]),
        ("地址：胜利街1号民警电话：13800001234", "胜利街1号", "", ["13800001234"]),
        ("胜利街1号附1号2楼电话80001234", "胜利街1号附1号2楼", "", ["027-80001234"]),
        ("地址：胜利街1号一楼联系人：朱警官 监督电话13800001235 电话 13800001234", "胜利街1号一楼", "朱警官", ["13800001234"]),
        ("13800001234 投诉受理电话13800001235", "", "", ["13800001234"]),
        ("受理电话13800001234", "", "", ["13800001234"]),
        ("报警电话：027-80001234", "", "", ["027-80001234"]),
    ],
)  # fmt: skip
def test_a_label_eats_neither_a_name_nor_a_house_number(
    text: str, address: str, contact: str, numbers: list[str], tmp_path: Path
) -> None:
    (entry,) = read(tmp_path / "list.txt", f"武汉市江岸区公安分局 {text}\n").entries
    told = [entry.read["office_phone"], entry.read["mobile"]]
    assert (entry.read["unit"], entry.read["address"], entry.read["contact"]) == (
        "武汉市江岸区公安分局",
        address,
        contact,
    )
    assert ";".join(filter(None, told)).split(";") == numbers
    assert entry.held() == []


def test_what_stands_around_a_list_is_no_units_number(tmp_path: Path) -> None:
    batch = read(
        tmp_path / "list.txt",
        "首页 联系我们 027-00000000\n2022年7月4日，湖北省公安厅刑侦总队负责人介绍，可拨打027-11112222咨询。\n"
        "江岸区公安分局：027-82812315\n客服热线：0571-22223344\n责任编辑：王小明 010-88156688\n",
    )
    assert told(batch) == [("江岸区", "江岸区公安分局", "", "", "027-82812315", "")]
    numbers = ["027-00000000", "027-11112222", "0571-22223344", "010-88156688"]
    assert [re.findall(r"0[\d-]{9,}", stray.text)[0] for stray in batch.strays] == numbers
    assert batch.date == "2022-07-04"


def test_a_number_in_front_of_its_unit_is_asked_about(tmp_path: Path) -> None:
    batch = read(tmp_path / "list.txt", "027-82812315 江岸区公安分局\n027-85353919 江汉区公安分局\n")
    assert [row[4] for row in told(batch)] == ["027-82812315", "027-85353919"]
    assert held(batch)[1] == ["号码写在单位前面，请核对是不是它的"]


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "office", "mobile", "problems"),
    [
        ("027-80001234、13800001234", ["027-80001234"], ["13800001234"], []),
        ("027-80001234\n13800001234", ["027-80001234"], ["13800001234"], []),
        ("（027）80001234转8012", ["027-80001234转8012"], [], []),
        ("02780001234-8012", ["027-80001234转8012"], [], []),
        ("027-80001234、80001235", ["027-80001234", "027-80001235"], [], []),
        ("80001234", ["027-80001234"], [], []),
        ("+86 138 0000 1234", [], ["13800001234"], []),
        ("值班室：027－80001234（24小时）", ["027-80001234"], [], []),
        ("027-80001234 8:30-17:30", ["027-80001234"], [], []),
        ("", [], [], []),
        ("无", [], [], []),
        ("2780001234", ["027-80001234"], [], []),
        ("0710-8001234", ["0710-8001234"], [], ["0710-8001234 区号不是本地的 027"]),
        ("0354-2416500、2416530", ["0354-2416500", "0354-2416530"], [], ["0354-2416500 区号不是本地的 027", "2416530 区号不是本地的 027"]),
        ("027-8001234", ["027-8001234"], [], ["027-8001234 027 的座机应为 8 位"]),
        ("1380000123", [], [], ["「1380000123」不像完整的号码"]),
        ("138000012345", [], [], ["「138000012345」不像完整的号码"]),
        ("027-800012345", [], [], ["「027-800012345」不像完整的号码"]),
        ("1.38E+10", [], [], ["「1.38E+10」不像完整的号码"]),
        ("13800001234 12", [], ["13800001234"], ["「12」不像完整的号码"]),
        ("138****5678", [], [], ["「138****5678」不像完整的号码"]),
        ("1380000123413800001235", [], [], ["「1380000123413800001235」不像完整的号码"]),
        ("862345678", [], [], ["「862345678」不像完整的号码"]),
        ("8623456789", [], [], ["「8623456789」不像完整的号码"]),
        ("80001234-46", [], [], ["「80001234-46」不像完整的号码"]),
        ("80001234-6", [], [], ["「80001234-6」不像完整的号码"]),
        ("027-80001234~46", ["027-80001234"], [], ["「~46」不像完整的号码"]),
        ("027-8000123⁵", ["027-8000123"], [], ["027-8000123 027 的座机应为 8 位", "「⁵」不像完整的号码"]),
        ("1380000123①", [], [], ["「1380000123①」不像完整的号码"]),
        ("027-80001234转80¹", ["027-80001234转80"], [], ["「¹」不像完整的号码"]),
        ("027-8000١٢٣٤", [], [], ["「027-8000١٢٣٤」不像完整的号码"]),
    ],
)  # fmt: skip
def test_numbers(cell: str, office: list[str], mobile: list[str], problems: list[str]) -> None:
    found = xunqin.numbers_in(cell, "027")
    assert (found.office, found.mobile, found.problems) == (office, mobile, problems)


@pytest.mark.parametrize(
    ("cell", "office", "mobile", "names", "repairs", "problems"),
    [
        ("7148001234", ["0714-8001234"], [], [], ["7148001234 补上开头的 0"], []),
        ("714-8001234", ["0714-8001234"], [], [], ["714-8001234 补上开头的 0"], []),
        ("8001234", ["0714-8001234"], [], [], ["8001234 补区号 0714"], []),
        ("0714-800 1234、800-1235 ext.12", ["0714-8001234", "0714-8001235转12"], [], [], ["8001235 补区号 0714"], []),
        ("0716-8001234；8001235", ["0716-8001234", "0716-8001235"], [], [], ["8001235 补区号 0716"], ["0716-8001234 区号不是本地的 0714", "8001235 区号不是本地的 0714"]),
        ("王警官138-0000-1234 李建国、13800001235", [], ["13800001234", "13800001235"], ["王警官", "李建国"], [], []),
        ("值班室8001234（白天），手机13800001234（微信同号）", ["0714-8001234"], ["13800001234"], [], ["8001234 补区号 0714"], []),
        ("大冶一路13800001234 9时 24小时 8:30", [], ["13800001234"], [], [], []),
        ("联系人13800001234", [], ["13800001234"], [], [], []),
        ("王警官13800001234李建国13800001235", [], ["13800001234", "13800001235"], ["王警官", "李建国"], [], []),
        ("阳新县公安局 13800001234", [], ["13800001234"], [], [], ["号码格里有单位名「阳新县公安局」"]),
        ("8001234（转8012）", ["0714-8001234转8012"], [], [], ["8001234 补区号 0714"], []),
        ("8001234转分机8", ["0714-8001234转8"], [], [], ["8001234 补区号 0714"], []),
        ("+8613800001234/008613800001235", [], ["13800001234", "13800001235"], [], [], []),
        ("长" * 100 + "12", [], [], [], [], ["「" + "长" * 80 + "」不像完整的号码"]),
    ],
)  # fmt: skip
def test_all_that_a_cell_of_numbers_says(
    cell: str, office: list[str], mobile: list[str], names: list[str], repairs: list[str], problems: list[str]
) -> None:
    found = xunqin.numbers_in(cell, "0714")
    assert (found.office, found.mobile, found.names) == (office, mobile, names)
    assert (found.repairs, found.problems) == (repairs, problems)


@pytest.mark.parametrize(
    ("number", "area", "problem"),
    [
        ("027-80001234", "027", ""), ("027-8001234", "027", "027 的座机应为 8 位"), ("0714-8001234", "0714", ""),
        ("0714-80012345", "0714", "0714 的座机应为 7 位"), ("0728-32123456", "0728", "0728 的座机应为 7 位"),
        ("0722-32123456", "0722", "0722 的座机应为 7 位"), ("0729-3212345", "0729", "号码不存在"),
        ("0715-8001234", "0714", "区号不是本地的 0714"), ("0714-8001234", "", ""),
        ("020-81234567", "020", ""), ("020-8123456", "020", "号码不存在"), ("0714-8001234转12345", "0714", ""),
        ("0714-8001234转123456", "0714", "不是手机号或带区号的座机号"), ("13800001234", "0714", ""),
        ("138000012345", "0714", "不是手机号或带区号的座机号"), ("7148001234", "", "不是手机号或带区号的座机号"),
        ("27-80001234", "", "不是手机号或带区号的座机号"), ("0714-800123", "0714", "不是手机号或带区号的座机号"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_number(number: str, area: str, problem: str) -> None:
    assert xunqin.number_problem(number, area) == problem


def test_without_phonenumbers_the_patterns_have_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert xunqin.number_problem("14000001234", "027") == "不是手机号或带区号的座机号"
    assert xunqin.number_problem("13800001234", "027") == ""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    monkeypatch.setattr(xunqin, "numbering_plan", xunqin.numbering_plan.__wrapped__)
    assert xunqin.number_problem("14000001234", "027") == ""
    assert xunqin.number_problem("1380000123", "027") == "不是手机号或带区号的座机号"


def test_a_lost_zero_is_mended_and_told(tmp_path: Path) -> None:
    (entry,) = read(tmp_path / "list.csv", "单位,电话\n仙桃市公安局,7283212345\n").entries
    assert (entry.read["office_phone"], entry.repairs, entry.held()) == (
        "0728-3212345",
        ["7283212345 补上开头的 0"],
        [],
    )


def test_a_number_of_two_counties_is_a_doubt(tmp_path: Path) -> None:
    batch = read(
        tmp_path / "list.csv",
        "单位,电话\n大冶市公安局,13800001234\n大冶市公安局二队,13800001234\n仙桃市公安局,13800001234\n",
    )
    assert held(batch) == [[], [], ["13800001234 与第 2 行大冶市的相同"]]


# --- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "district", "repairs", "problems"),
    [
        ("随州市,會都区公安分局,随州市曾都区一路", "曾都区", ["會都区公安分局 → 曾都区公安分局"], []),
        ("荆门市,掇力区公安分局,", "掇刀区", ["掇力区公安分局 → 掇刀区公安分局"], []),
        (",大治市公安局,", "大冶市", ["大治市公安局 → 大冶市公安局"], []),
        ("襄阻市,枣阳市公安局,襄阳市枣阳市一路", "枣阳市", [], ["市州「襄阻市」认不出来"]),
        ("宜昌市,秭归县公安局,宜昌市姊归县一路", "秭归县", ["地址 姊归县 → 秭归县"], []),
        ("武汉市,大冶市公安局,", "大冶市", [], ["大冶市不属于武汉市"]),
        (",大冶市公安局,黄石市阳新县一路", "大冶市", [], ["单位在大冶市，地址却在阳新县"]),
        (",荆州市荆州区公安分局,荆门市象山大道1号", "荆州区", [], ["单位在荆州区，地址却在荆门市"]),
        (",武昌区公安分局,宜昌市中山路1号", "武昌区", [], ["单位在武昌区，地址却在宜昌市"]),
        (",通城县公安局,通山县通羊镇1号", "通城县", [], ["单位在通城县，地址却在通山县"]),
        ("荆门市,掇口区公安分局,", "掇刀区", ["掇口区公安分局 → 掇刀区公安分局"], []),
        (",掇口区公安分局,", "", [], ["单位「掇口区公安分局」里的地名认不出来"]),
        (",掇口区公安分局,掇刀区一路", "掇刀区", ["掇口区公安分局 → 掇刀区公安分局"], []),
        ("宜昌市,秭归县公安局,湖北省宜昌市口归县一路", "秭归县", ["地址 口归县 → 秭归县"], []),
        (",江汉油田公安局,潜江市一路1号", "潜江市", [], []),
        (",随州市公安局口都区分局,", "曾都区", ["随州市公安局口都区分局 → 随州市公安局曾都区分局"], []),
        (",随州市公安局口 都区分局,", "", [], ["单位「随州市公安局口 都区分局」里的地名认不出来"]),
        (",通城县公安局,广东省广州市一路", "", [], ["在广东省，这份名单只收湖北的"]),
        (",北京市朝阳区公安分局,", "", [], ["在北京市，这份名单只收湖北的"]),
        (",河北省武安市公安局,", "", [], ["在河北省，这份名单只收湖北的"]),
        (",武安市公安局,", "", [], ["单位「武安市公安局」里的地名认不出来"]),
        (",红山区公安分局,", "", [], ["单位「红山区公安分局」里的地名认不出来"]),
        (",肥西县公安局,", "", [], ["单位「肥西县公安局」里的地名认不出来"]),
        (",阿尔山市公安局,", "", [], ["单位「阿尔山市公安局」里的地名认不出来"]),
        (",荆州公安局,", "", [], ["单位「荆州公安局」里的地名认不出来"]),
        (",刑侦大队,", "", [], ["看不出是哪个区县"]),
        (",刑侦大队,大冶市一路1号", "大冶市", [], []),
        ("火星市,大冶市公安局,", "大冶市", [], ["市州「火星市」认不出来"]),
        (",襄阳市公安局刑侦支队,襄阳市樊城区一路", "襄阳市", [], []),
        ("江岸区,襄阳市公安局刑侦支队,", "襄阳市", [], ["单位在襄阳市，区县却写江岸区"]),
        ("樊城区,襄阳市公安局刑侦支队,", "襄阳市", [], []),
        (",宜昌市公安局,", "宜昌市", [], []),
        (",恩施州公安局,恩施市一路1号", "恩施土家族苗族自治州", [], []),
        (",恩施市公安局,恩施市一路1号", "恩施市", [], []),
        (",湖北省公安厅刑侦总队,武汉市武昌区一路", "湖北省", [], []),
        (",武汉铁路公安局武汉公安处,", "武汉市", [], []),
        (",长江航运公安局宜昌分局,", "宜昌市", [], []),
        ("潜江市,江汉油田公安局,", "潜江市", [], []),
        (",江汉油田公安局,", "", [], ["单位「江汉油田公安局」里的地名认不出来"]),
        (",武汉市公安局东湖新技术开发区分局,武汉市洪山区一路", "东湖新技术开发区", [], []),
        (",郧县公安局,", "郧阳区", [], []),
        (",公安县公安局,", "公安县", [], []),
        (",公安分局,", "", [], ["看不出是哪个区县"]),
        ("省直管,仙桃市公安局,", "仙桃市", [], []),
        ("大冶市,刑侦大队,", "大冶市", [], []),
    ],
)  # fmt: skip
def test_places_are_read_repaired_or_held_back(
    row: str, district: str, repairs: list[str], problems: list[str], tmp_path: Path
) -> None:
    (entry,) = read(tmp_path / "list.csv", f"市州,单位名称,地址,手机\n{row},13800001234\n").entries
    assert (entry.division[1] if entry.division else "", entry.repairs, entry.held()) == (district, repairs, problems)


@pytest.mark.parametrize(
    ("unit", "division", "city", "elsewhere", "unknown"),
    [
        ("湖北省公安厅", "湖北省", "", "", ""), ("湖北公安厅刑侦总队", "湖北省", "", "", ""), ("湖北省打拐办", "湖北省", "", "", ""),
        ("湖北一路公安局", "", "", "", "一路"), ("公安厅", "", "", "", ""), ("荆州沙市公安分局", "沙市区", "荆州市", "", ""),
        ("荆州市公安局沙市分局", "沙市区", "荆州市", "", ""), ("十堰市市公安局茅箭分局", "茅箭区", "十堰市", "", ""),
        ("武汉市公安局水上分局", "武汉市", "武汉市", "", ""), ("宜昌水上公安局", "宜昌市", "宜昌市", "", ""), ("铁路公安局", "", "", "", "铁路公安局"),
        ("黄石市公安局", "黄石市", "黄石市", "", ""), ("黄石市公安局直属分局", "", "黄石市", "", "直属"), ("黄石市派出所", "", "黄石市", "", ""),
        ("荆州公安局", "", "", "", "荆州"), ("荆州区分局", "荆州区", "荆州市", "", ""), ("公安公安局", "公安县", "荆州市", "", ""),
        ("公安分局", "", "", "", ""), ("硚口分局", "硚口区", "武汉市", "", ""), ("硚口一路", "", "", "", ""), ("武汉一路", "", "武汉市", "", ""),
        ("神农架公安局", "神农架林区", "神农架林区", "", ""), ("恩施公安局", "", "", "", "恩施"), ("随州公安局", "随州市", "随州市", "", ""),
        ("鄂州公安局华容分局", "华容区", "鄂州市", "", ""), ("华容县公安局", "", "", "", "华容县"), ("汉阳县公安局", "蔡甸区", "武汉市", "", ""),
        ("襄樊市公安局", "", "", "", "襄樊市"), ("鄂州市沔阳县公安局", "", "鄂州市", "", "沔阳县"), ("吉林省公安厅", "", "", "吉林省", ""),
        ("内蒙古公安厅", "", "", "内蒙古", ""), ("新疆公安厅", "", "", "新疆", ""), ("北京路派出所", "", "", "", "北京路"),
        ("北京", "", "", "北京", ""), ("「大冶市」公安局", "大冶市", "黄石市", "", ""), ("□公安局", "", "", "", ""), ("大公安局", "", "", "", ""), ("", "", "", "", ""),
    ],
)  # fmt: skip
def test_where_a_units_name_says_it_is(unit: str, division: str, city: str, elsewhere: str, unknown: str) -> None:
    placed = xunqin.Places(CATALOG).read(unit)
    assert (placed.division or ("", ""))[1] == division
    assert (placed.city, placed.elsewhere, placed.unknown) == (city, elsewhere, unknown)


@pytest.mark.parametrize(
    ("address", "division", "city", "elsewhere"),
    [
        ("武汉市江岸区一路", "江岸区", "武汉市", ""), ("江岸区一路", "江岸区", "武汉市", ""), ("江岸一路", "", "", ""),
        ("武汉一路", "", "", ""), ("武汉市一路", "", "武汉市", ""), ("湖北省黄石大冶市一路", "大冶市", "黄石市", ""),
        ("湖北大冶市一路", "大冶市", "黄石市", ""), ("荆州区一路", "荆州区", "荆州市", ""), ("荆州市一路", "", "荆州市", ""),
        ("荆州沙市区一路", "沙市区", "荆州市", ""), ("仙桃市一路", "", "仙桃市", ""), ("仙桃一路", "", "", ""),
        ("北京市一路", "", "", "北京市"), ("北京路1号", "", "", ""), ("北京东路1号", "", "", ""), ("吉林大街1号", "", "", ""), ("", "", "", ""),
    ],
)  # fmt: skip
def test_where_an_address_says_it_is(address: str, division: str, city: str, elsewhere: str) -> None:
    placed = PLACES.address(address)
    assert (placed.division or ("", ""))[1] == division
    assert (placed.city, placed.elsewhere, placed.unknown) == (city, elsewhere, "")


@pytest.mark.parametrize(
    ("written", "names", "alike", "right"),
    [
        ("大治市", ["大冶市", "大悟县"], True, "大冶市"), ("夷凌区", ["夷陵区"], True, "夷陵区"), ("汇岸区", ["江岸区"], True, "江岸区"), ("大云市", ["大冶市"], True, ""),
        ("大云市", ["大冶市"], False, "大冶市"), ("襄阻", ["襄阳市"], False, ""), ("武安市", ["武穴市"], False, ""),
        ("大冶市", ["大冶市"], False, ""), ("黄x区", ["黄州区", "黄石区"], False, ""), ("沙市区", ["沙洋县"], False, ""),
    ],
)  # fmt: skip
def test_a_misread_name(written: str, names: list[str], alike: bool, right: str) -> None:
    assert xunqin.misread_name(written, names, alike) == right


def test_a_list_of_strangers_is_not_searched_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    places = xunqin.Places(CATALOG)
    searched = []
    monkeypatch.setattr(xunqin, "search", lambda text, catalog: searched.append(text) or [])
    for number in range(300):
        assert places.read(f"□{number}市公安局").division is None
        places.read(f"□{number}市公安局")
    assert len(searched) == 200


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("戴警官", True), ("戴警官、李警官", True), ("欧阳建国", True), ("买买提·艾力", True), ("李四和王五", True), ("李四/王五\n赵六", True),
        ("王大队长", True), ("王女士", True), ("大冶一路", False), ("刑侦大队", False), ("王路", False), ("王五六七", False),
        ("王", False), ("王五、", False), ("Wang", False), ("", False),
    ],
)  # fmt: skip
def test_who_is_a_person(text: str, person: bool) -> None:
    assert xunqin.is_person(text) is person


def test_no_bureau_elsewhere_is_taken_for_one_in_hubei() -> None:
    """Every county outside Hubei, written in three ways; a name that Hubei has too counts by itself only."""
    home = {name for district in PLACES.counties for name in (district, xunqin.short_name(district))}
    taken = []
    with open(ROOT / "data" / "sources" / "elsewhere.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if len(row["code"]) == 6]
    for row in rows:
        name, short, province = row["name"], xunqin.short_name(row["name"]), row["province"]
        for unit in (f"{name}公安局", f"{name}公安分局", f"{province}{name}公安局"):
            entry = xunqin.Entry(xunqin.Line(1, []), {"unit": unit})
            xunqin.check_entry(entry, PLACES)
            if entry.division and not entry.problems and not ({name, short} & home and not unit.startswith(province)):
                taken.append((unit, entry.division[1]))
    assert taken == []


def test_a_province_in_the_row_decides(tmp_path: Path) -> None:
    batch = read(
        tmp_path / "list.csv",
        "省份,单位,电话\n河北省,武安市公安局,5651234\n湖北省,大冶市公安局,8001234\n北京,公安局,88156688\n",
    )
    assert held(batch) == [["在河北省，这份名单只收湖北的"], [], ["在北京，这份名单只收湖北的"]]


def test_a_county_stands_for_its_bureau_and_a_city_for_none(tmp_path: Path) -> None:
    batch = read(tmp_path / "list.csv", "区县,手机\n大冶市,13800001234\n襄阳市公安局,13800001235\n")
    assert [row[:2] for row in told(batch)] == [("大冶市", "大冶市公安局"), ("襄阳市", "")]
    assert held(batch) == [[], ["没有单位名称"]]


def test_other_faults_of_a_row(tmp_path: Path) -> None:
    header = "区县,单位名称,地址,负责人,手机"
    for row, problem in (
        ("阳新县,大冶市公安局,大冶市一路,王警官", "单位在大冶市，区县却写阳新县"),
        ("大冶市,大冶市公安局,=一路,王警官", "地址像是表格公式"),
        ("大冶市,大冶市公安局,一路,王警官13", "负责人「王警官13」里有号码"),
        ("大冶市,大冶市公安局,一路13800001234,王警官", "地址「一路13800001234」里有号码"),
        ("大冶市,大冶市公安局,#N/A,王警官", "地址是表格的错误值「#N/A」"),
        ("大冶市,大冶市公安局,一\u202e路,王警官", "地址含有控制字符"),
    ):
        assert held(read(tmp_path / "list.csv", f"{header}\n{row},13800001234\n")) == [[problem]]


def test_one_unit_in_two_rows_is_one_and_at_two_addresses_is_asked_about(tmp_path: Path) -> None:
    batch = read(
        tmp_path / "list.csv",
        "单位,地址,负责人,手机\n武汉市江岸区公安分局,一路,戴警官,13800001234\n江岸区公安分局,一路,李警官,13800001235\n"
        "大冶市公安局,一路1号,,\n大冶市公安局,二路2号,,\n阳新县公安局,一路,,\n阳新县公安局,,,0714-7001234\n",
    )
    assert told(batch) == [
        ("江岸区", "武汉市江岸区公安分局", "一路", "戴警官、李警官", "", "13800001234;13800001235"),
        ("大冶市", "大冶市公安局", "一路1号", "", "", ""),
        ("大冶市", "大冶市公安局", "二路2号", "", "", ""),
        ("阳新县", "阳新县公安局", "一路", "", "0714-7001234", ""),
    ]
    assert held(batch) == [[], [], ["与第 4 行同名，地址却不同；请在单位名称里写明是哪一处"], []]


# --- readers: all that each form gives --------------------------------------------------------------


def parts(read_form: Callable[[str, bytes], list[xunqin.Part]], raw: bytes) -> list[tuple[object, ...]]:
    """(name, whether a table, whether beside the list, [(number, *cells)]) of each part that has lines."""
    return [
        (part.name, part.table, part.beside, [(line.number, *line.cells) for line in part.lines])
        for part in read_form("名单", raw)
        if part.lines
    ]


PAGE = """<html><head><title>x</title><meta charset=gb2312></head><body>首　页<br>欢迎  光临<!-- 注 -->您
<script>var tel = '13800001234';</script><table><tr><td>框<table>
<tr><th rowspan=2>单位<th colspan="2">电话</tr><tr><td>座机<td>手机</tr>
<tr><td>大冶市<br>公安局<td rowspan=9>8001234<td>13800001234</td>旁</tr>
<tr><td colspan=0>阳新县公安局<td colspan=x>7</tr></table>框外</td></tr></table><p>喆</p><div>尾 <span>注</span></div></body></html>"""


def test_what_a_web_page_gives() -> None:
    assert parts(xunqin.read_html_parts, PAGE.encode("gb18030")) == [
        ("", False, False, [(1, "首 页"), (3, "欢迎 光临您"), (6, "框")]),
        (
            "", True, False,
            [
                (1, "单位", "电话", ""), (2, "单位", "座机", "手机"), (3, "大冶市\n公安局", "8001234", "13800001234\n旁"),
                (4, "阳新县公安局", "8001234", "7"),
            ],
        ),
        ("", False, False, [(2, "框外"), (6, "喆"), (8, "尾 注")]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("charset", "encoding", "text"),
    [("gbk", "gb18030", "镕"), ("UTF-8", "utf-8", "镕"), ("big5", "big5", "鄖陽"), ("", "gb18030", "镕"), ("", "utf-16", "镕")],
)  # fmt: skip
def test_the_character_set_of_a_web_page(charset: str, encoding: str, text: str) -> None:
    declared = f"<meta http-equiv=x content='text/html; charset={charset}'>" if charset else ""
    raw = f"<html><head>{declared}</head><body>{text}</body></html>".encode(encoding)
    assert parts(xunqin.read_html_parts, raw) == [("", False, False, [(1, text)])]
    if charset == "UTF-8":  # one broken byte
        broken = raw.replace(b"</body>", b"\xff</body>")
        assert parts(xunqin.read_html_parts, broken)[0][3] == [(1, f"{text}\ufffd")]


def test_what_a_word_document_gives() -> None:
    import docx
    from docx.oxml import OxmlElement

    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "眉"
    document.sections[0].footer.paragraphs[0].text = "脚"
    run = document.add_paragraph("前\t后").add_run("0714")
    run._r.append(OxmlElement("w:noBreakHyphen"))
    deleted = OxmlElement("w:delText")
    deleted.text = "删"
    run._r.append(deleted)
    table = document.add_table(4, 3)
    for place, text in zip((cell for row in table.rows for cell in row.cells), "abcdefghijkl"):
        place.text = text
    table.cell(1, 0).merge(table.cell(2, 0)).text = "合"
    table.cell(0, 0).merge(table.cell(0, 1)).text = "宽"
    out = io.BytesIO()
    document.save(out)
    assert parts(xunqin.read_word_parts, out.getvalue()) == [
        ("", False, True, [(2, "眉")]),
        ("", False, False, [(2, "前 后0714-")]),
        ("", True, False, [(1, "宽", "", "c"), (2, "合", "e", "f"), (3, "合", "h", "i"), (4, "j", "k", "l")]),
        ("", False, True, [(2, "脚")]),
    ]


def test_what_a_workbook_gives() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "一"
    for row in (["单位", "电话", None, "数"], [], ["甲", "=1+1", 1.0, 1.5], [None, "乙\n丙", "藏", True], [None, "丁"]):
        sheet.append(row)
    sheet.merge_cells("A3:A5")
    sheet.merge_cells("Z4:Z5")
    sheet.merge_cells("D7:D9")
    sheet["F9"].font = openpyxl.styles.Font(bold=True)
    sheet["A1"].comment = openpyxl.comments.Comment("批注", "张三")
    sheet.oddFooter.right.text = "第 &P 页"
    book.create_sheet("二").sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    assert parts(xunqin.read_workbook_parts, out.getvalue()) == [
        ("一", True, False, [
            (1, "单位", "电话", "", "数"), (3, "甲", "#公式没有值", "1", "1.5"), (4, "甲", "乙\n丙", "藏", "True"), (5, "甲", "丁", "", ""),
        ]),
        ("一", False, True, [(2, "第    页")]),
        ("", False, True, [(1, "张三"), (2, "批注")]),
    ]  # fmt: skip
    assert [part.name for part in xunqin.read_workbook_parts("名单", out.getvalue()) if not part.lines] == [
        "二（隐藏）"
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("单位;电话\n甲;1\n", [(1, "单位", "电话"), (2, "甲", "1")]), ("甲|1\n乙|2\n", [(1, "甲", "1"), (2, "乙", "2")]),
        ("说明，很长\n甲,1\n\n乙,２\n", [(1, "说明，很长"), (2, "甲", "1"), (4, "乙", "2")]),
        ("甲,1\n乙\n丙\n", []), ("地址：甲,电话：1\n地址：乙,电话：2\n", []), ("甲\n乙\n", []), ("  \n", []), ("单位,电话\n", [(1, "单位", "电话")]),
        ('甲\t"乙\n丙"\n丁\t1\n戊\t2\n己\t3\n', [(1, "甲", "乙\n丙"), (3, "丁", "1"), (4, "戊", "2"), (5, "己", "3")]),
    ],
)  # fmt: skip
def test_what_a_text_gives(text: str, rows: list[tuple[object, ...]]) -> None:
    found = parts(xunqin.read_text_parts, text.encode("utf-16" if "|" in text else "utf-8-sig"))
    running = [(at, line.strip()) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
    assert found == ([("", True, False, rows)] if rows else [("", False, False, running)] if running else [])


# --- workbooks ------------------------------------------------------------------------------------


def test_a_workbook_is_read_sheet_by_sheet(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    first = book.active
    first.title = "封面"
    for number in range(30):
        first.append([f"说明 {number}"])
    for title, state, city in (
        ("旧", "hidden", "潜江市"),
        ("黄石", "visible", "大冶市"),
        ("省直", "visible", "仙桃市"),
    ):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        sheet.append(["湖北省采血点", None, None])
        sheet.append(["单位", "电话", "手机"])
        sheet.append([f"{city}公安局", 7283212345 if city == "仙桃市" else "0714-8001234", 13800001234.0])
        sheet.append([None, None, 13800001235])
        sheet.merge_cells("A3:A4")
        sheet.merge_cells("A1:C1")
        sheet.cell(20_000, 3).font = openpyxl.styles.Font(bold=True)
    faulty = book.create_sheet("公式")
    faulty.append(["单位", "电话"])
    faulty.append(["阳新县公安局", "=A1&B1"])
    path = tmp_path / "list.xlsx"
    book.save(path)
    batch = xunqin.understood(str(path), PLACES)
    assert told(batch) == [
        ("大冶市", "大冶市公安局", "", "", "0714-8001234", "13800001234;13800001235"),
        ("仙桃市", "仙桃市公安局", "", "", "0728-3212345", "13800001234;13800001235"),
        ("阳新县", "阳新县公安局", "", "", "", ""),
    ]
    assert held(batch) == [[], [], ["办公电话是表格的错误值「#公式没有值」"]] or held(batch)[2][-1].endswith(
        "「#公式没有值」"
    )
    assert batch.skipped == ["封面", "旧（隐藏）"]


def test_a_page_that_is_a_picture_goes_to_the_picture_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(out, "PDF")
    seen = []

    def picture_parts(image: Image.Image, name: str) -> list[xunqin.Part]:
        seen.append((image.size[0] < image.size[1], name))
        return [xunqin.Part(name, True, [xunqin.Line(1, ["大冶市公安局", "13800001234"], ("模糊",), b"strip")])]

    monkeypatch.setattr(xunqin, "picture_parts", picture_parts)
    batch = read(tmp_path / "list.pdf", out.getvalue())
    assert seen == [(True, "第 1 页")]
    assert (held(batch), batch.pictured) == ([["模糊"]], True)


@pytest.mark.parametrize(
    ("contact", "strip", "doubts"),
    [
        ("哀春", b"strip", ["「哀春」的姓少见"]),  # 袁春 misread
        ("袁春、间警官", b"strip", ["「间警官」的姓少见"]),
        ("袁春、欧阳警官", b"strip", []),
        ("哀春", b"", []),  # typed, not read off a picture
    ],
)
def test_a_name_without_a_surname_is_doubted_on_a_picture(contact: str, strip: bytes, doubts: list[str]) -> None:
    entry = xunqin.Entry(xunqin.Line(1, [], (), strip), {"unit": "大冶市公安局", "contact": contact})
    xunqin.check_entry(entry, PLACES)
    assert (entry.doubts, entry.problems) == (doubts, [])


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("湖北省免费采血点（2022年7月5日）", "2022-07-05"),
        ("二〇二二年七月五日", "2022-07-05"),
        ("发布时间：2022/7/5 12:00", "2022-07-05"),
        ("2099年1月1日", ""),
        ("2022年7月", ""),
        ("2022年13月45日", ""),
    ],
)
def test_the_date_in_a_title(text: str, date: str, tmp_path: Path) -> None:
    for rows in ("单位名称,手机\n大冶市公安局,13800001234\n", "\n大冶市公安局 13800001234\n成立于2001年1月1日\n"):
        assert read(tmp_path / "list.txt", f"{text}\n{rows}").date == date


def test_a_row_that_goes_on_brings_its_doubts_and_a_confirmed_one_confirms_no_other(tmp_path: Path) -> None:
    """As a picture's rows are: a second officer whose number is doubted; two rows of one unit, one of them looked at."""
    lines = [
        xunqin.Line(1, ["单位名称", "地址", "负责人", "手机"]),
        xunqin.Line(2, ["大冶市公安局", "一路1号", "王警官", "13800001234"]),
        xunqin.Line(3, ["", "", "李警官", "13800001235"], ("再读成了 13800001236",)),
    ]
    batch = xunqin.Batch("")
    xunqin.read_units(batch, [xunqin.Part("", True, lines)], PLACES)
    assert [(entry.cells["contact"], entry.doubts) for entry in batch.entries] == [
        ("王警官\n李警官", ["再读成了 13800001236"])
    ]
    text = [
        xunqin.Line(1, ["大冶市公安局"], ("模糊",)),
        xunqin.Line(2, ["0714-8001234"], ("再读",)),
        xunqin.Line(3, ["完"]),
    ]
    batch = xunqin.Batch("")
    xunqin.read_units(batch, [xunqin.Part("", False, text)], PLACES)
    assert [entry.doubts for entry in batch.entries] == [["模糊", "再读"]]
    rows = ("大冶市公安局,13800001234,甲,", "大冶市公安局,13800001235,乙,是")
    for first, second in (rows, reversed(rows)):
        batch = read(tmp_path / "list.csv", f"单位名称,手机,存疑,核对\n{first}\n{second}\n")
        assert [(set(row[5].split(";")), reasons) for row, reasons in zip(told(batch), held(batch))] == [
            ({"13800001234", "13800001235"}, ["甲"])
        ]


def test_a_drafts_row_that_is_wrong_stands_as_it_was_read() -> None:
    batch = xunqin.Batch("")
    cells = {"city": "黄石", "district": "大治市", "unit": "□□公安局", "office_phone": "071480", "mobile": "1380000"}
    batch.entries = [xunqin.Entry(xunqin.Line(1, [], (), b"strip"), cells)]
    xunqin.check_entry(batch.entries[0], PLACES)
    batch.source, batch.as_of = "平安湖北", "2022-07-05"
    (row,) = xunqin.draft_rows(batch, PLACES)
    assert row == {
        "图": "", "市州": "黄石", "区县": "大治市", "单位名称": "□□公安局", "地址": "", "负责人": "",
        "办公电话": "071480\n1380000", "手机": "", "存疑": "看不出是哪个区县", "核对": "", "出处": "平安湖北", "日期": "2022-07-05",
    }  # fmt: skip


def test_a_draft_says_what_was_changed_and_which_number_is_no_rows() -> None:
    batch = xunqin.Batch("")
    batch.entries = [xunqin.Entry(xunqin.Line(1, []), {"unit": "大治市公安局", "phone": "8001234"})]
    batch.strays = [xunqin.Stray(2, "027-67120000", "前面没有单位")]
    xunqin.check_entry(batch.entries[0], PLACES)
    rows = xunqin.draft_rows(batch, PLACES)
    assert [(row["单位名称"], row["办公电话"], row["存疑"]) for row in rows] == [
        ("大冶市公安局", "0714-8001234", "已改 大治市公安局 → 大冶市公安局"),
        ("", "", "「027-67120000」没归到哪一行"),
    ]


def test_columns_without_headings_are_known_by_what_stands_in_them(tmp_path: Path) -> None:
    rows = "1,武汉,江岸区,公安分局刑侦大队,一元路1号,戴警官,82812345\n2,黄石,阳新县,公安局打拐办,兴国大道2号,李警官,7001234\n"
    batch = read(tmp_path / "list.csv", rows)
    assert told(batch) == [
        ("江岸区", "公安分局刑侦大队", "一元路1号", "戴警官", "027-82812345", ""),
        ("阳新县", "公安局打拐办", "兴国大道2号", "李警官", "0714-7001234", ""),
    ]
    assert held(batch) == [[], []]


def test_the_date_below_a_letter(tmp_path: Path) -> None:
    for date in ("2022年7月5日", "二〇二二年七月五日"):
        assert read(tmp_path / "list.txt", f"大冶市公安局 13800001234\n湖北省公安厅\n{date}\n").date == "2022-07-05"


def test_a_street_named_after_another_province_and_a_bracket_behind_a_blank(tmp_path: Path) -> None:
    text = "竹山县公安局\n地址：竹山县上庸路288号 （刑警大队）\n电话：0719-4221110\n竹溪县公安局，地址：北京路60号，电话0719-2720110\n"
    batch = read(tmp_path / "list.txt", text)
    assert held(batch) == [[], []]
    assert [entry.read["address"] for entry in batch.entries] == ["竹山县上庸路288号（刑警大队）", "北京路60号"]


def test_what_stands_at_the_head_and_foot_of_pages_and_in_notes_is_read(tmp_path: Path) -> None:
    import docx
    import openpyxl

    document = docx.Document()
    section = document.sections[0]
    section.different_first_page_header_footer = True
    for head in (section.header, section.first_page_header):
        head.paragraphs[0].text = "湖北省公安机关采血点（2022年7月5日）"
    section.footer.paragraphs[0].text = "监督电话 027-67120000"
    table = document.add_table(2, 2)
    for place, text in zip(
        [*table.rows[0].cells, *table.rows[1].cells], ["单位名称", "手机", "大冶市公安局", "13800001234"]
    ):
        place.text = text
    document.save(str(tmp_path / "list.docx"))
    book = openpyxl.Workbook()
    book.active.append(["单位名称", "手机"])
    book.active.append(["大冶市公安局", "13800001234"])
    book.active["B2"].comment = openpyxl.comments.Comment("晚上打 027-67120000", "张三")
    book.active.oddHeader.center.text = "采血点（2022年7月5日）"
    book.active.oddHeader.center.size = 12
    book.save(tmp_path / "list.xlsx")
    for path, stray in (
        (tmp_path / "list.docx", "监督电话 027-67120000"),
        (tmp_path / "list.xlsx", "晚上打 027-67120000"),
    ):
        batch = xunqin.understood(str(path), PLACES)
        assert told(batch) == [("大冶市", "大冶市公安局", "", "", "", "13800001234")]
        assert (batch.date, [(one.text, one.why) for one in batch.strays]) == ("2022-07-05", [(stray, "不在名单里")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # turns of a sentence
        (
            "荆州市的群众还可以到荆州市沙市区公安分局刑侦大队（地址：沙市区二路2号（老派出所））采血，请与梅警官联系，电话16626204450。"
            "石首市公安局刑侦大队，地址石首市一路5号A座5楼，联系人：谈新平，咨询电话：0716-2184088或18001714442。"
            "松滋市公安局情报中队的采血点设在松滋市三路3号，联系人向娟，电话是0716-577 0743。",
            [
                ("沙市区", "荆州市沙市区公安分局刑侦大队", "沙市区二路2号（老派出所）", "梅警官", "", "16626204450"),
                ("石首市", "石首市公安局刑侦大队", "石首市一路5号A座5楼", "谈新平", "0716-2184088", "18001714442"),
                ("松滋市", "松滋市公安局情报中队", "松滋市三路3号", "向娟", "0716-5770743", ""),
            ],
        ),
        # an address, an officer in brackets behind the numbers
        (
            "大冶市公安局 王警官 0714-803 0897 转613 / 183 9840 4364（大冶市一路1号）\n【黄石市】\n阳新县公安局 7030897（李警官）",
            [
                ("大冶市", "大冶市公安局", "大冶市一路1号", "王警官", "0714-8030897转613", "18398404364"),
                ("阳新县", "阳新县公安局", "", "李警官", "0714-7030897", ""),
            ],
        ),
        # a letter's first and last line are no units
        ("各市、州公安局：\n为深入推进行动，公布如下。\n大冶市公安局\n电话：0714-8001234\n湖北省公安厅打拐办\n2022年7月4日",
         [("大冶市", "大冶市公安局", "", "", "0714-8001234", "")]),
        # who may be asked besides
        ("大冶市公安局\n手机：13800001234（微信同号）\n荆州老王 11:20\n我去过\n有不清楚的加我微信 wang7766554433",
         [("大冶市", "大冶市公安局", "", "", "", "13800001234")]),
        # a unit in two pieces
        ("【黄石市】\n大冶市公安局 刑侦大队 大冶市一路1号 王警官 8001234",
         [("大冶市", "大冶市公安局刑侦大队", "大冶市一路1号", "王警官", "0714-8001234", "")]),
        # a name with blanks, officers apart by other signs; a bracket that is wide on one side
        ("大冶市公安局\n地址：一路1号(院内）\n联系人：宦 恒，梅警官\n电话：0714-8001234",
         [("大冶市", "大冶市公安局", "一路1号（院内）", "宦恒、梅警官", "0714-8001234", "")]),
    ],
)  # fmt: skip
def test_more_ways_to_write_a_list(text: str, expected: list[tuple[str, ...]], tmp_path: Path) -> None:
    batch = read(tmp_path / "list.txt", text)
    assert told(batch) == expected
    assert held(batch) == [[]] * len(expected)


def test_a_unit_that_is_not_told_apart_never_leaves_its_number_to_the_one_above(tmp_path: Path) -> None:
    text = "大冶市公安局 0714-8001234\n阳新县公安局刑侦大队阳新县一路1号 0714-7001234\n嘉鱼县的乡亲找县公安局的同志 0715-6001234\n"
    batch = read(tmp_path / "list.txt", text)
    assert [(row[1], row[4]) for row in told(batch)] == [
        ("大冶市公安局", "0714-8001234"),
        ("阳新县公安局刑侦大队阳新县一路1号", "0714-7001234"),
        ("嘉鱼县的乡亲找县公安局的同志", "0715-6001234"),
    ]
    assert [bool(problems) for problems in held(batch)] == [False, True, True]
    batch = read(tmp_path / "list.txt", "通城县公安局 通山县通羊镇1号 0715-4001234\n")
    assert held(batch) == [["单位在通城县，地址却在通山县"]]
    batch = read(tmp_path / "list.txt", "大冶市公安局 0714-8001234\n或者到那里的公安局去 0714-7001234\n")
    assert held(batch) == [["「或者到那里的公安局去」看不懂；请核对后面的号码是不是「大冶市公安局」的"]]


def test_what_stands_above_a_list_casts_no_doubt_on_it(tmp_path: Path) -> None:
    head = "湖北省采血点一览\n地址：武昌区一路1号\n"
    for label in ("", "地址：一路1号\n"):
        rows = f"大冶市公安局\n{label}0714-8001234\n阳新县公安局\n{label}0714-7001234\n"
        batch = read(tmp_path / "list.txt", head + rows)
        assert [row[1] for row in told(batch)] == ["大冶市公安局", "阳新县公安局"]
        assert held(batch) == [[], []]
    rows = "大冶市公安局 大冶市一路1号 王警官 0714-8001234\n阳新县公安局 0714-7001234\n"
    assert held(read(tmp_path / "list.txt", f"湖北省采血点一览\n{rows}")) == [[], []]


@pytest.mark.parametrize(
    "heading", ["武汉市", "【武汉市】", "二、武汉市（6个）", "武汉市：", "省直辖", "江岸区", "客服在线"]
)
def test_a_heading_ends_what_is_a_units_and_a_city_in_its_line_does_not(heading: str, tmp_path: Path) -> None:
    batch = read(tmp_path / "list.txt", f"大冶市公安局 黄石市 0714-8001234\n{heading}\n027-82712345\n")
    assert [row[4] for row in told(batch)] == ["0714-8001234"]
    assert [stray.text for stray in batch.strays] == ["027-82712345"]
    assert [row["status"] for row in batch.rows(PLACES)] == ["listed"]


def test_same_as_above_and_a_sum(tmp_path: Path) -> None:
    rows = (
        "序号,市州,区县,单位,警务通手机\n1,黄石市,,大冶市公安局,13800001234\n2,同上,,阳新县公安局,13800001235\n"
        "3,,,刑侦专班,\n,武汉市,江岸区,,\n0714-8001234,黄石市,,下陆区公安分局,\n合计,2个,,,\n"
    )
    batch = read(tmp_path / "list.csv", rows)
    assert [(row[0], row[5]) for row in told(batch)] == [
        ("大冶市", "13800001234"),
        ("阳新县", "13800001235"),
        ("", ""),
        ("下陆区", ""),
    ]
    assert held(batch) == [
        [],
        [],
        ["看不出是哪个区县"],
        ["这一栏有号码，没有收：序号 0714-8001234；若是采血电话，请填到电话栏"],
    ]


def pdf(texts: list[tuple[float, float, str]], lines: Sequence[tuple[float, ...]] = ()) -> bytes:
    """A PDF of one page with lines, and texts at their places, 10 points high, in a font that every reader knows."""
    shown = b"".join(
        b"BT /F 10 Tf %.1f %.1f Td <%s> Tj ET " % (x, y, text.encode("utf-16-be").hex().encode())
        for x, y, text in texts
    )
    shown += b"".join(b"%.1f %.1f m %.1f %.1f l S " % line for line in lines)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(shown), shown),
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)"
        b"/Supplement 2>>/DW 1000/FontDescriptor 7 0 R>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900"
        b"/Descent -200/CapHeight 900/StemV 80>>",
    ]
    out = b"%PDF-1.4\n"
    starts = []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % start for start in starts)
    table = b"xref\n0 8\n0000000000 65535 f \n" + rows + b"trailer\n<</Size 8/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return out + table % len(out)


def test_a_ruled_pdf_with_a_merged_cell(tmp_path: Path) -> None:
    rows = [("市州", "单位名称", "电话"), ("黄石市", "大冶市公安局", "0714-8001234"), ("", "阳新县公安局", "7001234")]
    texts = [(x, 705 - 20 * at, cell) for at, row in enumerate(rows) for x, cell in zip((50, 130, 250), row) if cell]
    across = [(45 if at != 2 else 125, y, 400, y) for at, y in enumerate((720.0, 700.0, 680.0, 660.0))]
    down = [(x, 660.0, x, 720.0) for x in (45.0, 125.0, 245.0, 400.0)]
    batch = read(tmp_path / "list.pdf", pdf([(50, 760, "二〇二二年七月五日"), *texts], [*across, *down]))
    assert [(row[1], row[4]) for row in told(batch)] == [
        ("大冶市公安局", "0714-8001234"),
        ("阳新县公安局", "0714-7001234"),
    ]
    assert (held(batch), batch.date) == ([[], []], "2022-07-05")


def test_what_a_pdf_gives() -> None:
    texts = [
        (50, 760, "上"),
        (50, 705, "单位"),
        (130, 705, "电话"),
        (50, 685, "甲"),
        (130, 685, "1"),
        (50, 640, "下  行"),
        (300, 640, "远"),
    ]
    grid = [(45, y, 400, y) for y in (720.0, 700.0, 680.0)] + [(x, 680.0, x, 720.0) for x in (45.0, 125.0, 400.0)]
    assert parts(xunqin.read_pdf_parts, pdf(texts, grid)) == [
        ("第 1 页", False, False, [(1, "上")]),
        ("第 1 页", True, False, [(1, "单位", "电话"), (2, "甲", "1")]),
        ("第 1 页", False, False, [(1, "下 行 远")]),
    ]
    one = [(45, 720, 400, 720), (45, 700, 400, 700), (45, 700, 45, 720), (125, 700, 125, 720), (400, 700, 400, 720)]
    assert parts(xunqin.read_pdf_parts, pdf(texts[:3], one)) == [
        ("第 1 页", False, False, [(1, "上"), (2, "单位 电话")])
    ]


def test_columns_of_a_pdf_without_rules_are_told_apart_where_they_touch(tmp_path: Path) -> None:
    rows = [
        ("大冶市公安局", "大冶市一路1号", "0714-8001234"),
        ("阳新县公安局刑侦大队一中队", "阳新县二路2号", "0714-7001234"),  # as wide as its column
        ("嘉鱼县公安局", "嘉鱼县三路3号", "0715-6001234"),
        ("赤壁市公安局", "赤壁市四路4号", "0715-5001234"),
        ("通城县公安局", "通城县五路5号", "0715-4001234"),
        ("崇阳县公安局", "崇阳县六路6号", "0715-3001234"),
    ]
    texts = [(x, 700 - 20 * at, cell) for at, row in enumerate(rows) for x, cell in zip((50, 180, 300), row)]
    batch = read(tmp_path / "list.pdf", pdf([(180, 740, "湖北省采血点（2022年7月5日）"), *texts]))
    assert [(unit, address, office) for _, unit, address, _, office, _ in told(batch)] == rows
    assert (held(batch), batch.date) == ([[]] * 6, "2022-07-05")


UNITS = [
    ("大冶市公安局", "大冶市一路1号", "王警官", "0714-8001234", "13800001234"),
    ("阳新县公安局", "阳新县二路2号", "李建国", "0714-7001234", "13800001235"),
    ("江岸区公安分局", "江岸区三路3号", "戴警官", "027-82812315", "13800001236"),
]
LABELS = ("单位名称", "地址", "联系人", "办公电话", "手机")
TWO_COLUMNS = [[list(pair) for pair in zip(LABELS, unit)] for unit in UNITS]
FOUR_COLUMNS = [[[*rows[0], *rows[2]], [*rows[1], *rows[3]], [*rows[4], "备注", ""]] for rows in TWO_COLUMNS]


def page(tables: list[list[list[str]]]) -> str:
    rows = ["".join(f"<tr><td>{'<td>'.join(row)}</tr>" for row in table) for table in tables]
    return "<table>" + "</table><p></p><table>".join(rows) + "</table>"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(page(TWO_COLUMNS), id="a table of two columns for each unit"),
        pytest.param(page(FOUR_COLUMNS).replace("</tr><tr><td>手机<td>", "<br>"), id="lines in a cell"),
        pytest.param(page(FOUR_COLUMNS), id="a form of four columns for each unit"),
        pytest.param(page([[list(row) for row in zip(LABELS, *UNITS)]]), id="headings in the first column"),
        pytest.param(
            "\t".join(LABELS) + "".join("\n" + "\t".join(unit) for unit in UNITS[:2])
            + "\n武汉市\n手机\t单位名称\t办公电话\t联系人\t地址\n13800001236\t江岸区公安分局\t027-82812315\t戴警官\t江岸区三路3号\n",
            id="headings again in another order",
        ),
        pytest.param(
            "".join(f"- **{unit}**\n  - 地址：{place}\n  - 联系人：{name}\n  - 电话：`{office}`, `{mobile}`\n" for unit, place, name, office, mobile in UNITS),
            id="a list with bold names",
        ),
        pytest.param(
            "".join(f"单位:{unit};地址:{place};联系人:{name};电话:{office}/{mobile}\n" for unit, place, name, office, mobile in UNITS),
            id="labels in every cell",
        ),
        pytest.param(
            "、".join(f"{unit}（{name} {office} {mobile}，{place}）" for unit, place, name, office, mobile in UNITS),
            id="all of a unit in brackets",
        ),
    ],
)  # fmt: skip
def test_layouts_of_a_list(text: str, tmp_path: Path) -> None:
    batch = read(tmp_path / "list", text)
    assert [row[1:] for row in told(batch)] == UNITS
    assert held(batch) == [[], [], []]


def test_a_text_between_the_cells_of_a_row_is_not_lost(tmp_path: Path) -> None:
    text = "<table><tr><td>单位名称<td>手机</tr><tr><td>大冶市公安局</td>0714-8001234<td>13800001234</td></tr></table>"
    assert held(read(tmp_path / "list.html", text)) == [["单位名称「大冶市公安局0714-8001234」里有号码"]]


def test_rows_are_numbered_as_people_count_them(tmp_path: Path) -> None:
    odd = page([[list(row) for row in zip(LABELS, *UNITS)]]).replace("<td>", "<td colspan=x>")
    assert [entry.number for entry in read(tmp_path / "list.html", odd).entries] == [2, 3, 4]
    assert [entry.number for entry in read(tmp_path / "list.html", page(FOUR_COLUMNS)).entries] == [1, 1, 1]
    three = page([[list(row[:3]) for row in zip(LABELS[::2], *(unit[::2] for unit in UNITS))]])
    assert [entry.number for entry in read(tmp_path / "list.html", three).entries] == [2, 3]


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("大冶市公安局 阳新县公安局\n0714-8001234 0714-7001234\n", "几个单位连着写，请核对哪个号码是谁的"),
        ("大冶市公安局、阳新县公安局 0714-8001234\n", "几个单位连着写，请核对哪个号码是谁的"),
        ("大冶市公安局 0714-8001234\n北京市公安局 010-88156688\n", "在北京市，这份名单只收湖北的"),
        ("联系人：王警官\n大冶市公安局 0714-8001234\n联系人：李警官\n阳新县公安局 0714-7001234\n", "名单把负责人写在单位前面，请核对是不是它的"),
        ("0714-8001234\n大冶市公安局\n0714-7001234\n阳新县公安局\n兴国镇一路\n", "名单把联系电话写在单位前面，请核对是不是它的"),
        ("地址：一路1号\n大冶市公安局 0714-8001234\n地址：二路2号\n阳新县公安局 0714-7001234\n", "名单把地址写在单位前面，请核对是不是它的"),
    ],
)  # fmt: skip
def test_what_may_be_another_units_is_held_back(text: str, doubt: str, tmp_path: Path) -> None:
    assert doubt in held(read(tmp_path / "list.txt", text))[-1]
