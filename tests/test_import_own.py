"""Import, writing: the own list, its history, what is held back; nothing a person has done is lost. Numbers are made up."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from conftest import COMMAND, SCRIPT, SHELL, Result, process, unmeasured

import xunqin

Call = Callable[..., Result]
THREE = (
    "湖北省采血点（2022年7月5日）,,,\n单位名称,地址,负责人,电话\n监利市公安局刑侦大队,监利市一路1号,王警官,0716-3322110\n"
    "监利市公安局朱河派出所,监利市朱河镇,李警官,0716-3322111\n监利市公安局新沟派出所,监利市新沟镇,张警官,13800001234\n"
)


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def own() -> list[tuple[str, str, str, str]]:
    """(unit, landline, mobile, date) of each row of the own list."""
    return [(row["unit"], row["office_phone"], row["mobile"], row["as_of"]) for row in xunqin.own_rows()]


def small(path: Path, mobile: str) -> str:
    return write(path, f"单位名称,手机\n大冶市公安局,{mobile}\n")


def sheet(path: Path | str, name: str = "名单") -> list[dict[str, str]]:
    rows = openpyxl.load_workbook(path)[name].iter_rows(values_only=True)
    head = next(rows)
    return [{str(key): str(cell or "") for key, cell in zip(head, row)} for row in rows]


THREE_ROWS = [
    ("监利市公安局刑侦大队", "0716-3322110", "", "2022-07-05"),
    ("监利市公安局朱河派出所", "0716-3322111", "", "2022-07-05"),
    ("监利市公安局新沟派出所", "", "13800001234", "2022-07-05"),
]


def test_one_unit_of_three_is_imported_again_and_undone_twice(call: Call, tmp_path: Path) -> None:
    path = xunqin.own_list_path()
    result = call("import", write(tmp_path / "三个.csv", THREE))
    assert (result.code, result.out) == (0, "")
    assert result.err == (
        "读到 3 行：新增 3，更新 0，未变 0，旧于现有 0，待核对 0。\n"
        "名单的日期按文件里写的 2022-07-05 记；不对请加 --as-of 再导入一次。\n"
        f"已收录到 {path}；要退回，用 xunqin import --undo。\n"
    )
    assert own() == THREE_ROWS
    one = write(tmp_path / "一个.csv", "单位名称,地址,电话\n监利市公安局刑侦大队,,0716-3322119\n")
    assert call("import", one, "--as-of", "2022年8月1日").err.startswith("读到 1 行：新增 0，更新 1，未变 0，")
    assert own() == [("监利市公安局刑侦大队", "0716-3322119", "", "2022-08-01"), *THREE_ROWS[1:]]
    assert xunqin.own_rows()[0]["address"] == "监利市一路1号"
    assert call("import", "--undo").err == "已退回到上一次导入之前的名单。\n"
    assert own() == THREE_ROWS
    assert call("import", "--undo").err == "已撤销第一次导入，现在没有自己的名单。\n"
    assert (own(), os.path.exists(path)) == ([], False)
    result = call("import", "--undo")
    assert (result.code, result.err) == (2, f"{path}: 没有可以撤销的导入: 还没有导入过，或已经全部撤销\n")
    undone = sorted(name for name in os.listdir(f"{path}.history") if "undone" in name)
    assert undone == ["000001.undone.csv", "000002.undone.csv"]


def test_an_own_unit_takes_the_place_of_the_bundled_one() -> None:
    bundled = [row for row in xunqin.load_list(xunqin.data_file("points.csv")) if row["city"] == "武汉市"]
    listed = next(row for row in bundled if row["status"] == "listed")
    own = {**listed, "mobile": "13800001234"}
    rest = [row for row in bundled if row["district"] != listed["district"]]
    assert list(xunqin.merged(bundled, [own])) == [own, *rest]
    other = {**own, "unit": "武汉市江岸区公安分局打拐办"}
    assert list(xunqin.merged(bundled, [other])) == [other, *[row for row in bundled if row in [listed, *rest]]]


def test_a_file_system_without_locks(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOSYS, "no locks")

    monkeypatch.setattr("fcntl.flock", refused)
    result = call("import", small(tmp_path / "a.csv", "13800001234"))
    assert result.code == 2
    assert result.err.startswith(f"{xunqin.own_list_path()}.lock: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(("before", "outcome"), [("2099-01-01", "旧于现有"), ("2021/6/1", "更新"), ("", "更新")])
def test_a_date_that_a_person_wrote_into_the_own_list_is_compared_as_it_stands(before: str, outcome: str) -> None:
    row = {**dict.fromkeys(xunqin.COLUMNS, ""), "unit": "大冶市公安局", "code": "420281", "as_of": before}
    newer = {**row, "mobile": "13800001234", "as_of": "2022-07-05"}
    assert xunqin.merge([row], [newer], False, []).outcomes == [outcome]


def test_older_and_same_lists(call: Call, tmp_path: Path) -> None:
    path = small(tmp_path / "名单.csv", "13800001234")
    call("import", path, "--as-of", "2022/07/05", "--source", "平安湖北")
    states = sorted(os.listdir(f"{xunqin.own_list_path()}.history"))
    older = small(tmp_path / "旧.csv", "13800009999")
    result = call("import", older, "--as-of", "2021-6-1")
    assert result.code == 0
    assert result.err == "读到 1 行：新增 0，更新 0，未变 0，旧于现有 1，待核对 0。\n自己的名单没有变化。\n"
    assert result.out.splitlines()[1].startswith("2,旧于现有,")
    assert call("import", path, "--as-of", "2022-07-05").err.startswith("读到 1 行：新增 0，更新 0，未变 1，")
    assert [(row["mobile"], row["source"], row["as_of"]) for row in xunqin.own_rows()] == [
        ("13800001234", "平安湖北", "2022-07-05")
    ]
    assert sorted(os.listdir(f"{xunqin.own_list_path()}.history")) == states
    call("import", path, "--as-of", "2023-07-05")
    assert [(row["source"], row["as_of"]) for row in xunqin.own_rows()] == [("名单.csv", "2023-07-05")]
    kept = Path(xunqin.own_list_path())
    kept.write_text(kept.read_text(encoding="utf-8").replace("2023-07-05", "2023/7/5"), encoding="utf-8")
    call("import", older, "--as-of", "2023-08-01")  # later than the date as a spreadsheet writes it
    assert [(row["mobile"], row["as_of"]) for row in xunqin.own_rows()] == [("13800009999", "2023-08-01")]


def test_replace_says_what_goes_and_keeps_the_county_of_a_row_held_back(call: Call, tmp_path: Path) -> None:
    call("import", write(tmp_path / "三个.csv", THREE))
    call("import", small(tmp_path / "大冶.csv", "13800001234"))
    path = write(tmp_path / "新.csv", "单位名称,电话\n监利市公安局刑侦大队,0716-33\n仙桃市公安局,0728-3212345\n")
    result = call("import", path, "--replace")
    assert result.code == 2
    assert "名单里没有、已去掉的 1 个：大冶市公安局。\n" in result.err
    assert [row[0] for row in own()] == [*(row[0] for row in THREE_ROWS), "仙桃市公安局"]
    path = write(tmp_path / "新.csv", "单位名称,电话\n□□□公安局,0716-3322110\n潜江市公安局,0728-3212345\n")
    assert "有的行看不出是哪里，所以原来的单位都留着" in call("import", path, "--replace").err
    assert len(own()) == 5
    call("import", write(tmp_path / "新.csv", "单位名称,电话\n潜江市公安局,0728-3212345\n"), "--replace")
    assert [row[0] for row in own()] == ["潜江市公安局"]


def test_rows_held_back_are_written_as_they_came_and_come_back_corrected(call: Call, tmp_path: Path) -> None:
    path = write(
        tmp_path / "名单.csv",
        "单位名称,地址,负责人,办公电话,手机,传真\n大冶市公安局,大冶市一路1号,王警官,0714-8001234,13800001234,\n"
        "阳新县公安局,阳新县二路2号,'=李警官,027-80001234,,0714-8009999\n□□公安局二队,,王警官,,13800001235,\n"
        "通城县公安局,通山县通羊镇1号,戴警官,,13800001236,\n",
    )
    result = call("import", path, "--as-of", "2022-07-05", "--source", "平安湖北")
    assert result.code == 2
    assert [line.split(",")[1] for line in result.out.splitlines()[1:]] == ["待核对"] * 3
    assert result.err == (
        "读到 4 行：新增 1，更新 0，未变 0，旧于现有 0，待核对 3。\n另有 1 处号码不是单位的采血电话，没有收录。\n"
        f"待核对的行写在 {path}.待核对.xlsx，改好后再导入它。\n"
        f"已收录到 {xunqin.own_list_path()}；要退回，用 xunqin import --undo。\n"
    )
    rejected = Path(f"{path}.待核对.xlsx")
    book = openpyxl.load_workbook(rejected)
    assert book.sheetnames == ["名单", "未收录的号码"]
    assert [[cell.style for cell in row[:2]] for row in book["名单"]] == [["表头", "表头"], *[["待核对", "待核对"]] * 3]
    assert {cell.alignment.wrap_text for row in book["名单"] for cell in row} == {True}
    assert [row[0].font.bold for row in book["名单"]] == [True, False, False, False]
    head = {
        "行": "3",
        "单位名称": "阳新县公安局",
        "地址": "阳新县二路2号",
        "负责人": "=李警官",
        "办公电话": "027-80001234",
        "手机": "",
    }
    assert sheet(rejected)[0] == {
        **head, "问题": "027-80001234 区号不是本地的 0714；负责人像是表格公式", "核对": "", "出处": "平安湖北", "日期": "2022-07-05",
    }  # fmt: skip
    assert sheet(rejected, "未收录的号码") == [{"行": "3", "内容": "传真 0714-8009999", "为什么没有收": "不是采血电话"}]
    # Imported untouched, nothing more is taken over.
    assert call("import", str(rejected)).err.startswith("读到 3 行：新增 0，更新 0，未变 0，旧于现有 0，待核对 3。")
    assert {(row["出处"], row["日期"]) for row in sheet(f"{rejected}.待核对.xlsx")} == {("平安湖北", "2022-07-05")}
    book = openpyxl.load_workbook(rejected)
    rows = book["名单"]
    names = {cell.value: cell.column for cell in rows[1]}
    rows.cell(2, names["办公电话"]).value = "0714-8001299"
    rows.cell(2, names["负责人"]).value = "李警官"
    rows.cell(3, names["单位名称"]).value = "大冶市公安局二队"
    rows.cell(4, names["核对"]).value = "是"
    book.save(rejected)
    result = call("import", str(rejected))
    assert (result.code, result.err.splitlines()[0]) == (0, "读到 3 行：新增 3，更新 0，未变 0，旧于现有 0，待核对 0。")
    assert [(row["unit"], row["source"], row["as_of"]) for row in xunqin.own_rows()] == [
        (unit, "平安湖北", "2022-07-05")
        for unit in ("大冶市公安局", "阳新县公安局", "大冶市公安局二队", "通城县公安局")
    ]


def test_what_is_held_back_has_a_cell_for_its_unit_and_needs_openpyxl(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "名单.csv", "单位名称,地址,手机\n,一路1号,13800001234\n")
    call("import", path)
    assert list(sheet(f"{path}.待核对.xlsx")[0]) == ["行", "单位名称", "地址", "手机", "问题", "核对", "出处", "日期"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "openpyxl"]:
        monkeypatch.setitem(sys.modules, name, None)
    result = call("import", path)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert result.err.startswith("待核对的行: 还没装读它要用的库（import）: ")


def test_a_rejected_file_that_is_there_is_never_overwritten(call: Call, tmp_path: Path) -> None:
    path = small(tmp_path / "名单.csv", "1380000")
    write(tmp_path / "名单.csv.待核对.xlsx", "mine")
    for number in (2, 3):
        assert f"写在 {path}.待核对.{number}.xlsx" in call("import", path).err
    assert (tmp_path / "名单.csv.待核对.xlsx").read_text(encoding="utf-8") == "mine"


def png(width: int = 300, height: int = 30) -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A picture and what the picture reader says of it."""
    lines = [
        xunqin.Line(1, ["单位名称", "负责人", "办公电话"]),
        xunqin.Line(2, ["大冶市公安局", "王警官", "0714-8001234"], (), png(300, 1080)),
        xunqin.Line(3, ["阳新县公安局", "李警官", "0714-8001235"], ("再读成了 0714-8001236",), png(1400, 8)),
        xunqin.Line(4, ["", "", ""]),
    ]
    stray = xunqin.Part("", False, [xunqin.Line(9, ["咨询 027-12345678"])])
    monkeypatch.setattr(xunqin, "read_picture_parts", lambda path: [xunqin.Part("", True, lines), stray])
    path = tmp_path / "名 单.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    return str(path)


def test_a_picture_becomes_a_draft_whose_doubts_are_held_back_until_they_are_looked_at(
    picture: str, call: Call
) -> None:
    result = call("import", picture, "--as-of", "2022-07-05")
    draft = f"{picture}.草稿.xlsx"
    assert (result.code, result.out, own()) == (0, "", [])
    assert result.err == (
        "从图里读到 2 行，2 行有存疑。图片不直接收录。\n"
        f"草稿写在 {draft}。请对照每行前面的图改好，存疑的行改完在「核对」里写「是」，\n"
        f"再运行 xunqin import '{draft}'\n"
    )
    rows = sheet(draft, "草稿")
    assert list(rows[0]) == [
        "图",
        "市州",
        "区县",
        "单位名称",
        "地址",
        "负责人",
        "办公电话",
        "手机",
        "存疑",
        "核对",
        "出处",
        "日期",
    ]
    assert [(row["单位名称"], row["办公电话"], row["存疑"]) for row in rows] == [
        ("大冶市公安局", "0714-8001234", ""),
        ("阳新县公安局", "0714-8001235", "再读成了 0714-8001236"),
        ("", "", "「咨询 027-12345678」没归到哪一行"),
    ]
    book = openpyxl.load_workbook(draft)
    assert [image.anchor._from.row for image in book["草稿"]._images] == [1, 2]
    assert [round(book["草稿"].row_dimensions[row].height) for row in (2, 3)] == [408, 18]
    assert round(book["草稿"].column_dimensions["A"].width) == round(800 / 7)
    assert {cell.number_format for row in book["草稿"].iter_rows() for cell in row} == {"@"}
    result = call("import", draft)
    assert (result.code, own()) == (2, [("大冶市公安局", "0714-8001234", "", "2022-07-05")])
    assert result.out.splitlines()[1].startswith("3,待核对,再读成了 0714-8001236,420222,")
    book["草稿"]["J3"] = "是"
    book.save(draft)
    # The picture once more: the corrected draft stays.
    assert f"草稿写在 {picture}.草稿.2.xlsx。" in call("import", picture).err
    assert call("import", draft).code == 0
    assert [row[:2] for row in own()] == [("大冶市公安局", "0714-8001234"), ("阳新县公安局", "0714-8001235")]


def test_a_dry_run_writes_nothing(picture: str, call: Call, tmp_path: Path) -> None:
    path = write(tmp_path / "名单.csv", "单位名称,手机\n大冶市公安局,13800001234\n阳新县公安局,1380000\n")
    result = call("import", path, "--dry-run", "-f", "json")
    assert (result.code, result.out.count('"result"')) == (2, 2)
    assert result.err.splitlines()[-1] == "只是试读，什么都没有写。"
    assert call("import", picture, "--dry-run").err.splitlines()[-1] == "只是试读，草稿没有写。"
    assert sorted(os.listdir(tmp_path)) == ["名 单.png", "名单.csv"]
    assert not os.path.exists(xunqin.own_list_path())


def test_stdin_and_check_say_the_same(call: Call, tmp_path: Path) -> None:
    text = "江岸区公安分局 027-82812315，江汉区公安分局853539"
    result = process("import", "-", "--dry-run", stdin=text.encode())
    assert result.code == 2
    assert result.err.startswith("读到 2 行：新增 1，更新 0，未变 0，旧于现有 0，待核对 1。")
    path = write(tmp_path / "名单.txt", text)
    result = call("check", path)
    assert (result.code, result.err) == (2, "有 1 个问题。\n")
    assert result.out.splitlines()[:3] == [
        f"{path}:1: 「853539」不像完整的号码: 请对照来源改好；确认无误的在「核对」里写「是」",
        f"名单：{path}",
        "市州      单位  有地址  有号码  已公布",
    ]


def test_what_is_pasted_and_held_back_is_written_into_the_folder_one_is_in(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO("大冶市公安局 138\n大冶市公安局二队 0714-80\n".encode()))
    )
    assert "待核对的行写在 粘贴的名单.待核对.xlsx，" in call("import", "-").err
    assert [path.name for path in tmp_path.iterdir()] == ["粘贴的名单.待核对.xlsx"]
    assert sheet("粘贴的名单.待核对.xlsx")[0]["出处"] == "粘贴的名单"


# --- the own list as a file -----------------------------------------------------------------------


def test_the_own_list_as_a_spreadsheet_saves_it_and_a_damaged_one(call: Call, tmp_path: Path) -> None:
    call("import", small(tmp_path / "a.csv", "13800001234"))
    path = Path(xunqin.own_list_path())
    good = path.read_text(encoding="utf-8")
    path.write_bytes(good.replace("2026", "2026").encode("gb18030"))
    assert call("search", "大冶").out.splitlines()[1].split(",")[-4] == "0714-110"
    assert call("import", small(tmp_path / "b.csv", "13800001235")).code == 0
    assert [row[2] for row in own()] == ["13800001235"]
    for damaged in (b"", b"x\n", good[: len(good) - 30].encode(), b"\0\0"):
        path.write_bytes(damaged)
        result = call("search", "大冶")
        assert result.code == 2
        assert result.err.startswith(f"{path}:") or result.err.startswith(str(path))
        assert result.err.endswith("这是您导入的名单；请运行 xunqin import --undo 退回上一份\n")
    assert call("import", "--undo").code == 0
    assert [row[2] for row in own()] == ["13800001234"]


def test_names_of_files_cannot_break_the_own_list(call: Call, tmp_path: Path) -> None:
    for name in ("@名单.csv", "=1+1.csv", "-a.csv", "a\u202eb.csv", "+.csv"):
        assert call("import", small(tmp_path / name, f"138{len(name):08}")).code == 0
        assert call("list").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links are POSIX")
def test_mode_and_link_of_the_own_list_stay(call: Call, tmp_path: Path) -> None:
    path = Path(xunqin.own_list_path())
    call("import", small(tmp_path / "a.csv", "13800001234"))
    real = tmp_path / "dotfiles.csv"
    path.rename(real)
    real.chmod(0o600)
    path.symlink_to(real)
    call("import", small(tmp_path / "b.csv", "13800001235"))
    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [row[2] for row in own()] == ["13800001235"]
    call("import", "--undo")
    assert path.is_symlink()
    assert [row[2] for row in own()] == ["13800001234"]


@contextlib.contextmanager
def somebody_else() -> Iterator[None]:
    """As a user who may not do everything, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_an_own_list_that_may_not_be_read_is_told_and_kept(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as home:  # pytest's own folders are closed to others
        os.chmod(home, 0o755)
        data = shutil.copytree(os.path.dirname(xunqin.data_file("points.csv")), os.path.join(home, "data"))
        monkeypatch.setattr(xunqin, "data_file", lambda name: os.path.join(data, name))  # the project may be closed too
        monkeypatch.setenv("HOME", home)
        call("import", small(tmp_path / "a.csv", "13800001234"))
        path = Path(xunqin.own_list_path())
        good = path.read_bytes()
        another = small(Path(home) / "b.csv", "13800001235")
        for closed in (path, path.parent):
            mode = closed.stat().st_mode
            closed.chmod(0)
            with somebody_else():
                told = [call(*words) for words in (["search", "大冶"], ["list"], ["near", "大冶"])]
                refused = call("import", another)
            closed.chmod(mode)
            assert told == [Result(2, "", f"{path}: 打不开（没有权限）: 这是您导入的名单，请检查权限\n")] * 3
            assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
            assert "没有权限" in refused.err
            assert path.read_bytes() == good


@pytest.mark.skipif(sys.platform == "win32", reason="links are POSIX")
def test_a_planted_link_is_not_written_through(call: Call, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"of somebody")
    path = Path(xunqin.own_list_path())
    history = Path(f"{path}.history")
    history.mkdir(parents=True)
    files = tmp_path / "files"
    files.mkdir()
    pid = os.getpid()
    planted = [
        *(Path(f"{path}{end}") for end in (".tmp", ".2.tmp", f".{pid}.tmp", ".lock")),
        *(history / name for name in ("000001.csv", "000002.csv")),
        *(files / f"a.csv.待核对{end}" for end in (".xlsx", ".2.xlsx", f".xlsx.{pid}.tmp")),
        *(files / f"b.结果{end}" for end in (".xlsx", f".xlsx.{pid}.tmp", ".xlsx.tmp", ".2.xlsx.tmp")),
    ]
    for link in planted:
        link.symlink_to(victim)
    rows = "单位名称,手机\n大冶市公安局,13800001234\n阳新县公安局,1380000\n"
    batch = call("import", write(files / "a.csv", rows))
    assert (batch.code, [row[2] for row in own()]) == (2, ["13800001234"])
    (files / "b.csv").write_text("老家\n监利\n", encoding="utf-8")
    assert call("batch", str(files / "b.csv")).code == 0
    assert victim.read_bytes() == b"of somebody"
    assert all(link.is_symlink() for link in planted)
    written = sorted(found.name for found in files.iterdir() if not found.is_symlink())
    assert written == ["a.csv", "a.csv.待核对.3.xlsx", "b.csv", "b.结果.2.xlsx"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes by name are POSIX")
def test_an_own_list_that_is_no_file(call: Call) -> None:
    path = xunqin.own_list_path()
    os.makedirs(os.path.dirname(path))
    os.mkfifo(path)
    assert call("list").err == f"{path}: 不是普通文件: 这是您导入的名单；请运行 xunqin import --undo 退回上一份\n"


CRASH = """
import os, signal, sys, xunqin
real = os.replace
when, *sys.argv[1:] = sys.argv[1:]
def stop(source, target):
    if when == "after":
        real(source, target)
    os.kill(os.getpid(), signal.SIGKILL)
os.replace = stop
xunqin.run(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(("when", "left"), [("before", "13800001234"), ("after", "13800005678")])
def test_killed_while_the_list_moves_into_place(when: str, left: str, call: Call, tmp_path: Path) -> None:
    call("import", small(tmp_path / "a.csv", "13800001234"))
    command = [sys.executable, "-c", CRASH, when, "import", small(tmp_path / "b.csv", "13800005678")]
    child = subprocess.run(command, cwd=SCRIPT.parent, env=unmeasured(), capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL
    assert [row[2] for row in own()] == [left]
    assert call("import", str(tmp_path / "b.csv")).code == 0
    assert [row[2] for row in own()] == ["13800005678"]


def test_imports_at_once_do_not_mix(tmp_path: Path) -> None:
    names = ["大冶市", "阳新县", "仙桃市", "潜江市", "天门市", "利川市"]
    children = []
    for name in names:
        path = write(tmp_path / f"{name}.csv", f"单位名称,手机\n{name}公安局,138{names.index(name):08}\n")
        command = [*COMMAND, "import", path]
        children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    assert [child.wait(60) for child in children] == [0] * len(names)
    assert {row["district"] for row in xunqin.own_rows()} == set(names)


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_a_full_disk_leaves_the_old_list(tmp_path: Path, call: Call) -> None:
    import resource

    call("import", small(tmp_path / "a.csv", "13800001234"))
    done = subprocess.run(
        [*COMMAND, "import", small(tmp_path / "b.csv", "13800005678")],
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)),
        env=unmeasured(),
        check=False,
    )
    assert done.returncode == 2
    folder = os.path.dirname(xunqin.own_list_path())
    assert done.stderr.decode().startswith(folder)
    assert done.stderr.decode().endswith("文件太大，写不下: 请检查磁盘空间和权限\n")
    assert [row[2] for row in own()] == ["13800001234"]
    assert sorted(os.listdir(folder)) == ["points.csv", "points.csv.history", "points.csv.lock"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path, call: Call) -> None:
    path = small(tmp_path / "名单.csv", "1380000")
    tmp_path.chmod(0o500)
    result = call("import", path)
    tmp_path.chmod(0o700)
    assert (result.code, result.err) == (2, f"{path}.待核对.xlsx: 没有权限: 请检查磁盘空间和权限\n")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = process("import", small(tmp_path / "a.csv", "13800001234"), env={"HOME": str(tmp_path / "file")})
    assert result.code == 2
    assert result.err.endswith("路径里有一段不是目录: 请检查磁盘空间和权限\n")
    assert process("search", "江岸", env={"HOME": "/nonexistent"}).code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="locks are POSIX here")
def test_a_lock_is_waited_for_with_a_word_and_not_for_ever(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    call("import", small(tmp_path / "a.csv", "13800001234"))
    path = xunqin.own_list_path()
    monkeypatch.setattr(xunqin, "LOCK_PATIENCE", 1)
    with open(path + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = call("import", small(tmp_path / "b.csv", "13800005678"))
    assert result.code == 2
    assert result.err == (
        f"另一个 xunqin 正在导入，等它完成……\n{path}: 另一个 xunqin 一直占着: 请先结束它，再导入一次\n"
    )
    assert [row[2] for row in own()] == ["13800001234"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 2), (signal.SIGTERM, -15)])
def test_an_interrupted_import_leaves_the_old_list(sent: signal.Signals, code: int, call: Call, tmp_path: Path) -> None:
    import fcntl

    call("import", small(tmp_path / "a.csv", "13800001234"))
    second = small(tmp_path / "b.csv", "13800005678")
    with open(xunqin.own_list_path() + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the import waits for it, its list read and not yet written
        command = [*COMMAND, "import", second]
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as child:
            assert child.stderr is not None
            child.stderr.readline()
            child.send_signal(sent)
            child.wait(20)
    assert child.returncode == code
    assert [row[2] for row in own()] == ["13800001234"]


def test_the_lock_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as another system can show it: one byte of the lock file is locked, without waiting inside the call."""
    taken: list[tuple[int, int]] = []
    fake = types.SimpleNamespace(LK_NBLCK=2, locking=lambda fd, mode, count: taken.append((mode, count)))
    monkeypatch.setitem(sys.modules, "msvcrt", fake)
    monkeypatch.setattr(sys, "platform", "win32")
    with xunqin.locked(str(tmp_path / "points.csv")):
        assert taken == [(2, 1)]


def test_a_closed_pipe_does_not_stop_an_import(tmp_path: Path) -> None:
    rows = "".join(f"大冶市公安局{number}队,1380000{number:04}\n阳新县公安局{number}队,138\n" for number in range(800))
    path = write(tmp_path / "a.csv", f"单位名称,手机\n{rows}")
    subprocess.run(["bash", "-c", f'{SHELL} import "{path}" 2>/dev/null | head -1'], check=False)
    deadline = time.time() + 20
    while len(own()) < 800 and time.time() < deadline:
        time.sleep(0.1)
    assert len(own()) == 800


def test_own_rows_stand_before_the_bundled_ones_and_hide_no_point_that_a_source_names(
    call: Call, tmp_path: Path
) -> None:
    call(
        "import",
        write(
            tmp_path / "a.csv",
            "单位名称,手机\n江岸区公安分局花桥派出所,13800001234\n大冶市公安局刑侦大队,13800001235\n",
        ),
    )
    assert [line.split(",")[7] for line in call("search", "江岸", "-f", "csv").out.splitlines()[1:]] == [
        "江岸区公安分局花桥派出所",
        "武汉市江岸区公安分局刑侦支队",
    ]
    assert [line.split(",")[7] for line in call("search", "大冶", "-f", "csv").out.splitlines()[1:]] == [
        "大冶市公安局刑侦大队"
    ]
    bundled = xunqin.load_list(xunqin.data_file("points.csv"))
    units = [row["unit"] for row in bundled if row["district"] != "大冶市"]
    listed = call("list", "-f", "csv").out.splitlines()[1:]
    assert sorted(line.split(",")[4] for line in listed) == sorted([*units, *(row[0] for row in own())])


def test_usage(call: Call, tmp_path: Path) -> None:
    assert call("import").err.startswith("请给出要导入的文件，如 xunqin import 名单.xlsx")
    path = small(tmp_path / "a.csv", "13800001234")
    for date in ("2099-01-01", "昨天", "2022-13-01", "2022-7"):
        result = call("import", path, "--as-of", date)
        assert (result.code, result.err) == (2, f"--as-of 的值「{date}」不是过去的日期，应如 2022-07-05\n")
    result = process(
        "import",
        path,
        "--dry-run",
        env={"_XUNQIN_COMPLETE": "bash_complete", "COMP_WORDS": "xunqin import ", "COMP_CWORD": "2"},
    )
    assert result.out == "file,\n"
