"""What people see, whole, kept as plain files in tests/screens/. `python tests/test_show.py` writes them anew."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import HEADER, Result, listing, on_terminal, process

import xunqin

Call = Callable[..., Result]
SCREENS = Path(__file__).resolve().parent / "screens"
FULL = Path(__file__).resolve().parent / "lists" / "full.csv"  # made-up contacts, for tests only
SMALL = FULL.with_name("small.csv")  # a list to import, made up too
WIDTHS = (40, 60, 80, 100, 120)
COMMANDS = {
    "search": ("search", "江岸"),
    "several": ("search", "jl"),
    "shared": ("search", "仙桃"),
    "city": ("list", "--city", "武汉"),
    "full": ("--data", str(FULL), "list"),
    "missing": ("search", "华容县"),
    "former": ("search", "江陵县"),
    "near": ("near", "木鱼镇"),
    "message": ("--data", str(FULL), "list", "-f", "text"),
    "guide": ("guide",),
    "help": ("--help",),
    "import": ("import", str(SMALL), "--dry-run", "--as-of", "2022-07-05"),
}
PLAIN = {"TERM": "dumb"}  # no colours and no links: the screens stay readable in review


def cells(line: str) -> int:
    from rich.cells import cell_len

    return cell_len(line)


# A message is wrapped where it is pasted, a help page is 80 wide at most: their width is not the terminal's.
SCREEN_SIZES = [(name, width) for name in COMMANDS for width in ((80,) if name in ("message", "help") else WIDTHS)]


@pytest.mark.parametrize(("name", "width"), SCREEN_SIZES)
def test_screens(name: str, width: int) -> None:
    shown = on_terminal(width, *COMMANDS[name], env=PLAIN).out
    assert shown == (SCREENS / f"{name}-{width}.txt").read_text(encoding="utf-8")
    assert max(map(cells, shown.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_every_line_fits_and_every_unit_and_phone_is_whole(width: int) -> None:
    lines = on_terminal(width, *COMMANDS["full"], env=PLAIN).out.splitlines()
    assert max(map(cells, lines)) <= width
    words = {word for line in lines for word in line.split()}
    for row in xunqin.load_list(str(FULL)):
        wanted = [row["unit"], *row["office_phone"].split(";"), *row["mobile"].split(";")]
        assert {word for word in wanted if word} <= words


@pytest.mark.parametrize(("columns", "width"), [("40", 40), ("120", 120), ("0", 80), ("x", 80), ("", 80)])
def test_columns_decides_how_wide_a_table_in_a_pipe_is(columns: str, width: int) -> None:
    shown = process(*COMMANDS["full"], "-f", "table", env={"COLUMNS": columns}).out
    assert shown == (SCREENS / f"full-{width}.txt").read_text(encoding="utf-8")


def test_two_officers_stand_below_each_other(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(1, contact="李警官、欧阳警官"), encoding="utf-8")
    lines = call("--data", str(path), "list", "-f", "table").out.splitlines()
    assert [line.split()[-1] for line in lines[2:3]] == ["欧阳警官"]
    assert "联系人：李警官、欧阳警官\n" in call("--data", str(path), "list", "-f", "text").out


def test_markup_and_emoji_names_are_text(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(1, unit="[red]一局[/red]", address="[a座] :phone:"), encoding="utf-8")
    shown = call("--data", str(path), "list", "-f", "table").out
    assert "[red]一局[/red]" in shown
    assert "[a座] :phone:" in shown


def test_phones_are_links_where_the_terminal_supports_them() -> None:
    shown = on_terminal(200, *COMMANDS["full"]).out
    assert "\x1b]8;;tel:02780001234\x1b\\\x1b[1m027-80001234\x1b[0m\x1b]8;;\x1b\\  " in shown
    assert "\x1b[2m未收录\x1b[0m" in shown
    assert "tel:02780001235,8012" in shown
    assert "\x1b]8" not in on_terminal(200, *COMMANDS["full"], env={"TERM": "dumb"}).out
    assert "\x1b" not in process(*COMMANDS["full"], "-f", "table").out


def test_an_old_windows_console_gets_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    import rich.console

    monkeypatch.setattr(sys, "platform", "win32")
    for old, links in ((True, 0), (False, 1)):
        monkeypatch.setattr(rich.console, "detect_legacy_windows", lambda old=old: old)
        column = next(column for column in xunqin.SHOWN if column.phone)
        assert xunqin.painter(terminal=True)(column, "027-110").count("tel:027110") == links


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (10, ["没有找到", "「火星」。", "xunqin", "list"]),
        (13, ["没有找到「火", "星」。xunqin", "list"]),
        (4, ["没有", "找到", "「火", "星」", "。xu", "nqin", "list"]),
    ],
)
def test_words_stay_whole_and_marks_stay_behind_them(width: int, lines: list[str]) -> None:
    assert xunqin.wrapped("没有找到「火星」。xunqin list", width) == lines


def test_no_character_outside_gbk() -> None:
    for path in SCREENS.iterdir():
        path.read_text(encoding="utf-8").encode("gbk")


def test_csv_excel_and_json_hold_the_same(call: Call) -> None:
    plain = call("list", "--city", "仙桃")
    assert plain.out.splitlines()[0] == HEADER
    headings, rest = call("list", "--city", "仙桃", "-f", "excel").out.split("\r\n", 1)
    assert headings == "\ufeff区划代码,省,市州,区县,单位名称,地址,联系人,办公电话,手机,当地 110,状态,来源,日期"
    assert rest == plain.out.partition("\n")[2].replace("\n", "\r\n")
    objects = json.loads(call("list", "--city", "仙桃", "-f", "json").out)
    assert [list(row) for row in objects] == [list(xunqin.COLUMNS)]
    assert ",".join(objects[0].values()) == plain.out.splitlines()[1]


def test_excel_guards_what_would_run_as_a_formula(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(1, mobile="+86-1"), encoding="utf-8")
    assert ",'+86-1," in call("--data", str(path), "list", "-f", "excel").out
    assert ",+86-1," in call("--data", str(path), "list", "-f", "csv").out


def test_format_decides_over_the_terminal() -> None:
    assert on_terminal(80, "search", "江岸", "-f", "csv").out.startswith(f"query,match,note,{HEADER}\n")


@pytest.mark.parametrize(
    ("city", "expected"),
    [
        ("武汉", "武汉市"),
        ("武汉市", "武汉市"),
        ("恩施", "恩施土家族苗族自治州"),
        ("恩施州", "恩施土家族苗族自治州"),
        ("仙桃", "仙桃市"),
        ("沔阳", "仙桃市"),
        ("襄樊", "襄阳市"),
        ("wuhan", "武汉市"),
        ("湖北 武汉", "武汉市"),
    ],
)
def test_list_takes_a_city_as_people_write_it(city: str, expected: str, call: Call) -> None:
    result = call("list", "--city", city)
    assert (result.code, result.err) == (0, "")
    assert {line.split(",")[2] for line in result.out.splitlines()[1:]} == {expected}
    assert call("list", *city.split()) == result


def test_a_county_in_place_of_a_city_means_the_city_it_is_in(call: Call) -> None:
    listed = call("list", "监利")
    assert listed == Result(0, call("list", "荆州市").out, "「监利」属于荆州市，按整个荆州市来。\n")
    for county in ("黄州市", "huangzhou"):  # of then, or spelled, it is told alike
        assert call("list", county) == Result(
            0, call("list", "黄冈").out, f"「{county}」属于黄冈市，按整个黄冈市来。\n"
        )
    assert call("search", "石首", "--city", "监利").out.splitlines()[1].split(",")[6] == "石首市"
    assert call("search", "监利", "--city", "武汉").err == "「监利」不在武汉市，在荆州市。\n"
    assert call("list", "火星").code == call("list", "城关镇").code == 2


def test_the_province_is_the_whole_list(call: Call) -> None:
    assert call("list", "湖北") == call("list", "湖北省") == call("list")
    assert call("list").out.count("\n") == 108


ABOVE = {"420600": ("襄阳市", "襄阳市公安局刑侦支队"), "420000": ("湖北省", "湖北省公安厅刑侦总队")}


@pytest.fixture
def with_units_above(tmp_path: Path) -> str:
    """The bundled list, behind it a city's and the province's own unit."""
    text = Path(xunqin.data_file("points.csv")).read_text(encoding="utf-8")
    for code, (name, unit) in ABOVE.items():
        text += f"{code},湖北省,{name},{name},{unit},,,,,0710-110,listed,made up,2022-07-05\n"
    path = tmp_path / "above.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_units_above_the_county_stand_first_in_their_city(with_units_above: str, call: Call) -> None:
    units = [line.split(",")[4] for line in call("--data", with_units_above, "list", "襄阳").out.splitlines()[1:]]
    assert len(units) == 10
    assert units[:2] == ["襄阳市公安局刑侦支队", "襄阳市襄城区公安分局"]
    everyone = [line.split(",")[4] for line in call("--data", with_units_above, "list").out.splitlines()[1:]]
    assert everyone[0] == "湖北省公安厅刑侦总队"
    assert everyone.index("襄阳市公安局刑侦支队") == everyone.index("襄阳市襄城区公安分局") - 1
    near = call("--data", with_units_above, "near", "襄城区", "-n", "200")
    assert (near.code, near.out.count("\n")) == (0, 108)  # a unit without a seat has no distance


def test_list_own_is_what_was_imported_and_nothing_else(call: Call) -> None:
    none = call("list", "--own")
    assert none == Result(1, HEADER + "\n", "还没有导入过名单。请用 xunqin import 文件。\n")
    own = Path(xunqin.own_list_path())
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_bytes(FULL.read_bytes())
    assert call("list", "--own") == Result(0, FULL.read_text(encoding="utf-8"), "")
    assert call("list", "--own", "宜昌").out.count("\n") == 2
    assert call("list").out.count("\n") == 109  # the point of 江岸 that the press names stays beside the list's
    assert call("--data", str(FULL), "list", "--own") == Result(2, "", "--own 和 --data 只能用一个\n")


def test_a_known_city_without_rows_is_a_header(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(1), encoding="utf-8")
    assert call("--data", str(path), "list", "--city", "武汉") == Result(0, HEADER + "\n", "")
    assert call("--data", str(path), "list", "--city", "仙桃市") == Result(0, HEADER + "\n", "")


def test_n_and_city_narrow_a_search(call: Call) -> None:
    cut = call("search", "武汉", "-n", "2")
    assert cut.out.count("\n") == 3
    assert cut.err == "武汉 整个市州 → 武汉市\n还有 14 行没有显示，不写 -n 就全部显示。\n"
    assert call("search", "武汉", "-n", "16").err == "武汉 整个市州 → 武汉市\n"
    assert [line.split(",")[6] for line in call("search", "城关镇", "--city", "孝感").out.splitlines()[1:]] == [
        "大悟县",
        "云梦县",
    ]


def test_how_a_name_was_read_is_told(call: Call) -> None:
    assert call("search", "乔口").err == "乔口 按读音 → 硚口区\n"
    assert call("search", "沔阳").err == "沔阳 旧名 → 仙桃市\n  1986 年以前的沔阳，今仙桃市\n"
    assert call("search", "华容").err == ""
    assert call("search", "南山区").err.startswith(
        "没有找到「南山区」：它在黑龙江、广东，这份名单只有湖北的单位。\n不管家在哪里、人在哪里"
    )
    assert call("search", "孝感黄陂").err == "黄陂区一带以前归孝感管\n"
    assert call("search", "武汉").err == "武汉 整个市州 → 武汉市\n"
    assert call("search", "江岸").err == ""


if __name__ == "__main__":
    PLAIN["HOME"] = PLAIN["APPDATA"] = tempfile.mkdtemp()  # no list of one's own
    SCREENS.mkdir(exist_ok=True)
    for name, width in SCREEN_SIZES:
        shown = on_terminal(width, *COMMANDS[name], env=PLAIN).out
        (SCREENS / f"{name}-{width}.txt").write_text(shown, encoding="utf-8")
    sys.exit()
