"""check, near, guide, batch and completion."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import COMMAND, HEADER, SCRIPT, SHELL, Result, listing, on_terminal, process

import xunqin

Call = Callable[..., Result]
BATCH_HEADER = f"line,query,match,note,{HEADER}\n"

GOOD = {
    "code": "420281", "province": "湖北省", "city": "黄石市", "district": "大冶市", "unit": "大冶市公安局",
    "address": "大冶市一路1号", "contact": "王警官", "office_phone": "0714-8001234", "mobile": "13800001234",
    "hotline": "0714-110", "status": "listed", "source": "made up", "as_of": "2022-07-05",
}  # fmt: skip
PLANTED = [
    ({"code": "42028"}, "code: 「42028」不是六位区划代码: 请按 GB/T 2260 填写"),
    ({"code": "420222"}, "code: 大冶市的代码不是 420222: 应为 420281"),
    ({"district": "火星区"}, "district: 湖北没有「火星区」: 请写今天的区县全名"),
    ({"district": ""}, "district: 是空的: 请填上"),
    ({"unit": ""}, "unit: 是空的: 请填上"),
    ({"city": "武汉市"}, "city: 「武汉市」不是大冶市的: 应为 黄石市"),
    ({"province": "湖南省"}, "province: 「湖南省」不是大冶市的: 应为 湖北省"),
    ({"unit": "阳新县公安局"}, "unit: 写的是阳新县，这一行却是大冶市: 请核对后改成一致"),
    ({"address": "阳新县一路"}, "address: 写的是阳新县，这一行却是大冶市: 请核对后改成一致"),
    ({"office_phone": "0714-80012345"}, "office_phone: 0714-80012345 0714 的座机应为 7 位: 请对照来源核对号码"),
    ({"office_phone": "027-80001234"}, "office_phone: 027-80001234 区号不是本地的 0714: 请对照来源核对号码"),
    ({"office_phone": "13800009999"}, "office_phone: 13800009999 放错了列: 座机放 office_phone，手机放 mobile"),
    ({"mobile": "0714-8009999"}, "mobile: 0714-8009999 放错了列: 座机放 office_phone，手机放 mobile"),
    ({"mobile": "1380000123"}, "mobile: 1380000123 不是手机号或带区号的座机号: 请对照来源核对号码"),
    ({"mobile": "23800001234"}, "mobile: 23800001234 不是手机号或带区号的座机号: 请对照来源核对号码"),
    ({"hotline": ""}, "hotline: 是空的: 请填上"),
    ({"hotline": "0713-110", "office_phone": ""}, "hotline: 「0713-110」不是大冶市的: 应为 0714-110"),
    ({"code": "990001", "hotline": "110"}, "hotline: 「110」不是区号加 110: 应如 027-110"),
    ({"status": "ok"}, "status: 「ok」不认识: 应为 listed 或 bureau"),
    ({"source": ""}, "source: 联系办法没有来源: 请写上网址或出处"),
    ({"as_of": "2022-13-01"}, "as_of: 「2022-13-01」不是过去的日期: 应如 2022-07-05"),
    ({"as_of": "2999-01-01"}, "as_of: 「2999-01-01」不是过去的日期: 应如 2022-07-05"),
    ({"contact": "王\x1b[31m"}, "contact: 含有控制字符: 请删掉看不见的字符"),
    ({"address": "=1+1"}, "address: 像是表格公式: 请删掉开头的 = + - @"),
]


def line(**changes: str) -> str:
    return ",".join({**GOOD, **changes}[name] for name in xunqin.COLUMNS) + "\n"


@pytest.mark.parametrize(("changes", "problem"), PLANTED, ids=str)
def test_check_finds_each_planted_error(changes: dict[str, str], problem: str, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{HEADER}\n{line(**changes)}", encoding="utf-8")
    result = call("check", str(path))
    assert result.code == 2
    assert [text for text in result.out.splitlines() if text.startswith(f"{path}:")] == [f"{path}:2: {problem}"]
    assert result.err == "有 1 个问题。\n"


def test_check_takes_units_above_the_county_as_an_import_does(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    city = {"code": "420600", "city": "襄阳市", "district": "襄阳市", "unit": "襄阳市公安局刑侦支队"}
    province = {"code": "420000", "city": "湖北省", "district": "湖北省", "unit": "湖北省公安厅"}
    rows = [
        line(**city, address="襄阳市樊城区一路1号", office_phone="", mobile="", hotline="0710-110"),
        line(**province, address="", office_phone="", hotline="0710-110"),
    ]
    path.write_text(f"{HEADER}\n{''.join(rows)}", encoding="utf-8")
    result = call("check", str(path))
    assert [text for text in result.out.splitlines() if text.startswith(f"{path}:")] == [
        f"{path}:3: hotline: 「0710-110」不是湖北省的: 应为 027-110"
    ]


def test_check_finds_all_at_once_with_ragged_and_repeated_rows(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    rows = [line(), line(), "1,2\n", line(unit="大冶市公安局刑侦大队", status="x", mobile="")]
    path.write_text(HEADER + "\n" + "".join(rows), encoding="utf-8")
    result = call("check", str(path))
    assert [text for text in result.out.splitlines() if text.startswith(f"{path}:")] == [
        f"{path}:3: unit: 与第 2 行重复: 请删去一行或核对号码",
        f"{path}:3: mobile: 与第 2 行重复: 请删去一行或核对号码",
        f"{path}:3: office_phone: 与第 2 行重复: 请删去一行或核对号码",
        f"{path}:4: 有 2 格，表头有 13 格: 请补齐或删去多余的格",
        f"{path}:5: status: 「x」不认识: 应为 listed 或 bureau",
        f"{path}:5: office_phone: 与第 2 行重复: 请删去一行或核对号码",
    ]
    assert result.err == "有 6 个问题。\n"


def test_check_says_what_the_bundled_list_covers(call: Call) -> None:
    result = call("check")
    assert (result.code, result.err) == (0, "没有发现问题。\n")
    assert result.out == (SCRIPT.parent / "tests" / "screens" / "check.txt").read_text(encoding="utf-8").replace(
        "DATA", xunqin.data_file("points.csv")
    )


def test_of_another_province_nothing_is_known_to_be_published(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(60, address="一路1号", mobile=""), encoding="utf-8")
    assert xunqin.coverage(xunqin.load_list(str(path)))[1:] == [
        "合计        60      60       0       0",
        "测试0      49      49       0       0",
        "测试1      11      11       0       0",
    ]


def test_check_of_a_list_without_the_columns(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b\n", encoding="utf-8")
    assert call("check", str(path)).err.startswith(f"{path}: 没有读到一个单位")


def rows(result: Result) -> list[tuple[str, str]]:
    return [(text.split(",")[0], text.split(",")[4]) for text in result.out.splitlines()[1:]]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        # By hand, on the flat: 0.306° of latitude are 34.03 km, 0.057° of longitude at 31.9° N 5.38 km: 34.45.
        ("木鱼镇", [("0.0", "神农架林区"), ("34.4", "房县"), ("44.7", "兴山县")]),
        # 0.169° and 0.139° at 29.64° N: 18.79 and 13.43 km; 0.245° and 0.039°: 27.24 and 3.76 km.
        ("蒲圻", [("0.0", "赤壁市"), ("23.1", "崇阳县"), ("27.5", "嘉鱼县")]),
        # 0.132° and 0.291° at 30.76° N: 14.68 and 27.81 km; 0.115° and 0.308°: 12.79 and 29.43 km.
        ("zigui", [("0.0", "秭归县"), ("31.4", "点军区"), ("32.1", "西陵区")]),
    ],
)
def test_near_by_distance_between_seats(place: str, expected: list[tuple[str, str]], call: Call) -> None:
    assert rows(call("near", place, "-n", "3")) == expected


def test_distance_is_the_great_circle() -> None:
    # One degree of latitude is 6371.0088 km times pi / 180.
    assert xunqin.distance_km((114.0, 30.0), (114.0, 31.0)) == pytest.approx(111.1951, abs=1e-3)
    assert xunqin.distance_km((0.0, 0.0), (180.0, 0.0)) == pytest.approx(20015.115, abs=1e-2)


def test_near_in_json_on_a_terminal_and_for_several_places(call: Call) -> None:
    assert '"distance_km": 34.4,' in call("near", "神农架", "-f", "json").out
    shown = on_terminal(120, "near", "神农架", "-n", "2", env={"TERM": "dumb"}).out.splitlines()
    assert [line.split()[0] for line in shown[:3]] == ["约公里", "本县", "34.4"]
    assert call("near", "神农架").err == ""
    assert call("near", "汉口", "-n", "1").err == (
        "汉口 俗称 → 江岸区、江汉区、硚口区\n「汉口」有 3 处，按离其中最近的一处算。\n"
        "距离从江岸区、江汉区、硚口区政府所在地算起，不是从「汉口」。\n"
    )


def test_near_with_numbers_first(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        HEADER + "\n" + line(office_phone="", mobile="")
        + line(code="420222", district="阳新县", unit="阳新县公安局", address=""), encoding="utf-8",
    )  # fmt: skip
    assert [name for _, name in rows(call("--data", str(path), "near", "大冶"))] == ["大冶市", "阳新县"]
    assert [name for _, name in rows(call("--data", str(path), "near", "大冶", "--numbers-first"))] == [
        "阳新县",
        "大冶市",
    ]


def test_near_says_when_it_cannot(call: Call, tmp_path: Path) -> None:
    assert call("near", "火星").code == 1
    assert re.match("没有找到「广州」.*广东.*名单", call("near", "广州").err)
    assert call("near", " ").code == 2
    path = tmp_path / "list.csv"
    path.write_text(listing(3), encoding="utf-8")
    assert call("--data", str(path), "near", "测试第1区") == Result(
        1, f"distance_km,{HEADER}\n", "「测试第1区」在名单里，但没有坐标，算不出距离。请用 xunqin search 测试第1区。\n"
    )


def test_guide_fits_60_columns_and_every_answer_has_a_source(call: Call) -> None:
    from rich.cells import cell_len

    result = call("guide")
    assert (result.code, result.err) == (0, "")
    assert max(map(cell_len, result.out.splitlines())) <= 60
    assert "带身份证" in result.out
    assert "110" in result.out
    assert "136" in result.out
    said = [text for text in xunqin.table_lines("guide.txt") if text.startswith("  ")]
    assert len(said) > 30
    for answer, source in zip(said, [*said[1:], ""]):
        is_source = [re.fullmatch("    （.+）", text) is not None for text in (answer, source)]
        assert is_source in ([False, True], [True, False]) or answer == "  宝贝回家，志愿者寻亲网站："


def test_batch_keeps_a_row_for_each_line() -> None:
    result = process("search", "-", stdin="江岸\r\n\n火星\njl\n".encode())
    assert result.code == 1
    assert [text.split(",")[:4] + text.split(",")[7:8] for text in result.out.splitlines()[1:]] == [
        ["1", "江岸", "exact", "", "江岸区"],
        ["2", "", "", "", ""],
        ["3", "火星", "none", "", ""],
        ["4", "jl", "initials", "按首字母 → 江陵县", "江陵县"],
        ["4", "jl", "initials", "按首字母 → 监利市", "监利市"],
    ]
    assert result.err == "3 个地名里有 1 个没有找到。\n"


@pytest.mark.parametrize(
    ("line", "district"),
    [
        ("1、监利", "监利市"),
        ("（3）蕲春", "蕲春县"),
        ("(12) 大冶", "大冶市"),
        ("300.硚口", "硚口区"),
        ("⑤洪湖", "洪湖市"),
        ("4 枣阳", "枣阳市"),
        ("7：当阳", "当阳市"),
        ("张三\t监利", "监利市"),
        ("监利\t张三\t13800001234", "监利市"),
        ("12、李四\t湖北省荆州市监利市", "监利市"),
        ("\t\t监利", "监利市"),
        ("3.5", ""),
        ("110", ""),
        ("7、", ""),
    ],
)
def test_a_line_of_somebodys_list(line: str, district: str) -> None:
    catalog = xunqin.open_catalog(None)
    _, hits = xunqin.place_in(line, catalog)
    assert [hit.division[1] for hit in hits] == ([district] if district else [])
    (rows,) = xunqin.answer_lines([line], catalog, "")
    assert (rows[0]["line"], rows[0]["query"]) == ("1", " ".join(line.split()))


def test_lines_in_json_join_back() -> None:
    import json

    given = "1、监利\n\n乔口\n江陵县\n松枝\n"
    rows = json.loads(process("search", "-", "-f", "json", stdin=given.encode()).out)
    assert [(row["line"], row["query"], row["match"], row["note"], row["district"]) for row in rows] == [
        (1, "1、监利", "exact", "", "监利市"),
        (2, "", "", "", ""),
        (3, "乔口", "homophone", "按读音 → 硚口区", "硚口区"),
        (4, "江陵县", "exact", "", "江陵县"),
        (4, "江陵县", "former", "旧名 → 荆州区；1994 年以前的江陵县，今荆州区", "荆州区"),
        (5, "松枝", "none", "您是不是要找 松滋市？", ""),
    ]
    assert list(rows[0]) == ["line", "query", "match", "note", *xunqin.COLUMNS]


def test_batch_all_found_in_other_formats_and_encodings() -> None:
    assert (
        process("search", "-", stdin="江岸\n".encode("gb18030")).out.splitlines()[1].startswith("1,江岸,exact,,420102")
    )
    assert process("search", "-", stdin="\ufeff江岸\n".encode()).code == 0
    assert process("search", "-", "-f", "json", stdin=b"").out == "[]\n"
    assert process("search", "-", stdin=b"") == Result(0, BATCH_HEADER, "")
    assert process("search", "-", "-f", "excel", "-n", "1", stdin=b"jl\n").out.count("\r\n") == 2
    shown = process("search", "-", "-f", "table", stdin="江岸\n火星\n".encode()).out
    assert shown.splitlines()[:3] == [
        "查询  结果      市州  区县    单位                          联系人  电话或 110",
        "江岸            武汉  江岸区  武汉市江岸区公安分局刑侦支队  戴警官  027-110",
        "火星  没有找到",
    ]


def test_a_large_batch_over_a_large_list(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(listing(5000), encoding="utf-8")
    names = [f"测试第{number % 5000 + 1}区" for number in range(10_000)] + ["火星"]
    result = process("--data", str(path), "search", "-", stdin="\n".join(names).encode())
    assert result.out.count("\n") == 10_002
    assert result.err == "10001 个地名里有 1 个没有找到。\n"


def test_a_long_batch_shows_how_far_it_is_on_a_terminal_only(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("江岸\n" * 2000, encoding="utf-8")
    command = ("bash", "-c", f'{SHELL} search - < "{names}" > "{tmp_path}/out.csv"')
    assert "已查 2000 个地名" in on_terminal(80, command=command).out
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").count("\n") == 2001


def test_version(call: Call) -> None:
    assert call("--version") == Result(0, f"xunqin {xunqin.__version__}\n", "")


def test_closed_stdin() -> None:
    done = subprocess.run(["bash", "-c", f"{SHELL} search - <&-"], capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (2, "标准输入: 已经关闭: 请用管道送入地名，一行一个\n")


def completed(words: str, shell: str = "bash") -> list[str]:
    env = {"_XUNQIN_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(COMMAND, capture_output=True, env={**os.environ, **env}, check=False)
    return [text.removeprefix("plain,") for text in done.stdout.decode().splitlines()]


def test_completion_offers_places_cities_and_commands() -> None:
    assert completed("xunqin search jiangx") == ["江夏区"]
    assert completed("xunqin search 猇") == ["猇亭区"]
    assert completed("xunqin list --city xia") == ["襄阳市", "孝感市", "咸宁市", "仙桃市"]
    assert completed("xunqin list --city 武") == ["武汉市"]
    assert completed("xunqin list wuh") == ["武汉市"]
    assert completed("xunqin gu") == ["guide", "谷城县", "广水市"]
    assert completed("xunqin 猇") == ["猇亭区"]
    assert completed("xunqin import 名") == completed("xunqin --data 名") == ["file,名"]
    script = {"_XUNQIN_COMPLETE": "zsh_source"}
    assert "#compdef xunqin" in process(env=script).out
