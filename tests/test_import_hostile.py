"""Import: files that are damaged, disguised or made to do harm. Each is read or refused in one line, in bounded memory."""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import made_lists
import pytest
from conftest import SCRIPT, Result

import xunqin

Call = Callable[..., Result]
SHEET, WORD = "xl/worksheets/sheet1.xml", "word/document.xml"
TABLE = [["单位名称", "手机"], ["大冶市公安局", "13800001234"]]
DOCUMENTS = Path(__file__).resolve().parent / "lists" / "documents"


def patched(raw: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """A packed file with something put in place of the last `old` of one of its members."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as other:
        for name in archive.namelist():
            data = archive.read(name)
            if name == member:
                front, found, behind = data.rpartition(old)
                assert found
                data = front + new + behind
            other.writestr(name, data)
    return out.getvalue()


def workbook() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in TABLE:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def in_sheet(xml: bytes) -> bytes:
    return patched(workbook(), SHEET, b"</sheetData>", xml)


def merged_area(area: bytes) -> bytes:
    return in_sheet(b'</sheetData><mergeCells><mergeCell ref="%s"/></mergeCells>' % area)


def in_document(xml: bytes) -> bytes:
    return patched(made_lists.as_docx(TABLE), WORD, b"<w:sectPr", xml + b"<w:sectPr")


def many_entities() -> bytes:
    entities = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    document = patched(
        workbook(),
        SHEET,
        b"</sheetData>",
        b'<row r="9"><c r="A9" t="inlineStr"><is><t>&j;</t></is></c></row></sheetData>',
    )
    return patched(
        document, SHEET, b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + entities + b"]><worksheet"
    )


def old_office(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + stream.encode("utf-16-le") + bytes(100)


def archive(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(name, "x")
    return out.getvalue()


READ = {
    "formulas with values": lambda: in_sheet(
        '<row r="3"><c r="A3" t="str"><f>"x"</f><v>阳新县公安局</v></c><c r="B3"><f>1</f><v>13800001235</v></c></row></sheetData>'.encode()
    ),
    "larger than it says": lambda: patched(workbook(), SHEET, b'ref="A1:B2"', b'ref="A1:B1"'),
    "formatted far below": lambda: in_sheet(b'<row r="1048576"><c r="C1048576" s="0"/></row></sheetData>'),
    "merged everywhere": lambda: merged_area(b"A1:XFD1048576"),
    "merged far down": lambda: merged_area(b"A3:A1048576"),
    "external entity": lambda: patched(
        workbook(), SHEET, b"<worksheet", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet'
    ),
    "wide spans": lambda: (
        "<table><tr><td>单位<td>手机</tr><tr><td>大冶市公安局<td>13800001234</tr>"
        "<tr><td rowspan=99999 colspan=99999>注</td></tr></table>".encode()
    ),
    "long lines": lambda: ("大冶市公安局 13800001234，" + "路" * 20_000 + "（" * 10_000 + "：" * 10_000).encode(),
    "long runs of digits": lambda: ("大冶市公安局 13800001234，" + "1" * 20_000 + "号" + "2" * 20_000 + "号").encode(),
    "long cell of signs": lambda: (
        "单位名称,手机\n大冶市公安局,13800001234\n阳新县公安局," + "-" * 4900 + "\n"
    ).encode(),
}
REFUSED = {
    "packed twice": (lambda: b"%PDF-1.4\n4 0 obj<<>>stream\n" + zlib.compress(zlib.compress(bytes(30_000_000))) + b"endstream", "解开后太大"),
    "long line": (lambda: "大冶市公安局 13800001234，".encode() * 50_000, "一行超过 50000 个字"),
    "cut xlsx": (lambda: workbook()[:-1500], "这个Excel（.xlsx）文件读不了"),
    "far right": (lambda: in_sheet(b'<row r="9"><c r="XFD9"><v>1</v></c></row></sheetData>'), "XFD9 格有内容"),
    "many rows": (lambda: in_sheet(b"<row/>" * 300_000 + b"</sheetData>"), "超过 110000 行"),
    "comment bomb": (lambda: in_sheet(b"<!--" + b"a" * 70_000_000 + b"--></sheetData>"), "解开后太大（70 MB）"),
    "long text": (lambda: in_sheet(b'<row r="9"><c r="A9" t="inlineStr"><is><t>' + b"a" * 9_000 + b"</t></is></c></row></sheetData>"), "或一格超过 5000 个字"),
    "entities": (many_entities, "这个Excel（.xlsx）文件读不了"),
    "many paragraphs": (lambda: in_document(b"<w:p/>" * 600_000), "超过 500000 个标记"),
    "nested document": (lambda: in_document(b"<w:sdt>" * 50_000 + b"</w:sdt>" * 50_000), "这个Word（.docx）文件读不了"),
    "many tags": (lambda: b"<p>" * 600_000, "超过 500000 个标记"),
    "many units": (lambda: b"<p>" + "大冶市公安局 13800001234<br>".encode() * 30_000, "超过 20000 行"),
    "many short units": (lambda: "大冶市公安局 13800001234\n".encode() * 10_001, "超过 10000 个单位"),
    "many lines": (lambda: b"a,b\n" * 30_000, "超过 20000 行"),
    "long cell": (lambda: ("单位名称,手机\n" + "大" * 6_000 + ",1\n").encode(), "或一格超过 5000 个字"),
    "wide row": (lambda: ("单位名称,手机\n" + "," * 300 + "\n").encode(), "超过 200 列"),
    "large": (lambda: b"a" * 50_000_001, "文件太大（超过 50 MB）"),
    "empty": (lambda: b"", "文件是空的"),
    "zeros": (lambda: bytes(1000), "不是认得的文件"),
    "noise": (lambda: random.Random(1).randbytes(100_000), "不是认得的文件"),
    "broken pdf": (lambda: b"%PDF-1.4\n" + random.Random(2).randbytes(10_000), "这个PDF文件读不了"),
    "cut pdf": (lambda: (DOCUMENTS / "d03_ruled.pdf").read_bytes()[:30_000], "这个PDF文件读不了"),
    "cut docx": (lambda: (DOCUMENTS / "d01_table.docx").read_bytes()[:20_000], "这个Word（.docx）文件读不了"),
    "doc": (lambda: old_office("WordDocument"), "旧版 Word 文件（.doc）不能直接读"),
    "xls": (lambda: old_office("Workbook"), "旧版 Excel 文件（.xls）不能直接读"),
    "locked": (lambda: old_office("EncryptedPackage"), "加了密码的 Office 文件不能直接读"),
    "zip": (lambda: archive("a.txt"), "压缩包或别的 Office 文件不能直接读"),
    "rtf": (lambda: b"{\\rtf1 x}", "RTF 文件不能直接读"),
    "heic": (lambda: b"\0\0\0\x18ftypheic", "HEIC 照片或视频不能直接读"),
    "no picture": (lambda: b"\x89PNG\r\n\x1a\n" + b"0" * 100, "图片打不开或不完整"),
    "no list": (lambda: "今天天气很好。\n".encode(), "没有读到一个单位"),
    "no list in cells": (lambda: b"a,b\n1,2\n", "没有读到一个单位"),
}  # fmt: skip

BOUNDED = """
import resource, sys, xunqin
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
sys.argv[1:] = ["import", "--dry-run", sys.argv[1]]
try:
    xunqin.main()
except SystemExit as leave:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # ru_maxrss has the parent's too
    print(leave.code, int(peak.split()[1]) // 1024)
"""


def bounded(path: Path) -> tuple[int, str]:
    """(exit code, stderr) of a dry run as a process; it must need less than 20 s and 300 MB."""
    command = [sys.executable, "-c", BOUNDED, str(path)]
    done = subprocess.run(command, cwd=SCRIPT.parent, capture_output=True, check=True, timeout=60)
    code, memory = map(int, done.stdout.decode().splitlines()[-1].split())
    assert memory < 300
    return code, done.stderr.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_a_document_brings_in_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("阳新县公安局 13911112222", encoding="utf-8")
    inside = b"<w:p><w:r><w:t>&other;</w:t></w:r></w:p>"
    start = b'<!DOCTYPE x [<!ENTITY other SYSTEM "file://%s/other.txt">]><w:document' % bytes(tmp_path)
    document = patched(in_document(inside), WORD, b"<w:document", start)
    path = tmp_path / "a.docx"
    path.write_bytes(document)
    batch = xunqin.understood(str(path), xunqin.Places(xunqin.bundled_catalog()))
    assert "13911112222" not in "".join(str(entry.cells) for entry in batch.entries)


@pytest.mark.parametrize("name", READ)
def test_an_odd_file_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(READ[name]())
    code, err = bounded(path)
    held = name == "long runs of digits"
    assert code == (2 if held else 0)
    assert re.match(f"读到 [12] 行：新增 {0 if held else '[12]'}，更新 0，", err)


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_as_many_units_as_a_list_may_hold_that_cannot_be_placed(tmp_path: Path) -> None:
    path = tmp_path / "list"
    names = [f"□{n}市公安局" for n in range(9_990)]
    path.write_text("单位,手机\n大冶市公安局,13800001234\n" + "".join(f"{name},13800001234\n" for name in names))
    code, err = bounded(path)
    assert (code, err.splitlines()[0]) == (2, "读到 9991 行：新增 1，更新 0，未变 0，旧于现有 0，待核对 9990。")


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    make, problem = REFUSED[name]
    path = tmp_path / "list"
    path.write_bytes(make())
    code, err = bounded(path)
    assert code == 2
    assert re.fullmatch(rf"{re.escape(str(path))}(:\d+)?: [^\n]*{re.escape(problem)}[^\n]*\n", err), err


@pytest.mark.parametrize("form", ["xlsx", "docx", "html", "csv"])
def test_damaged_files_are_read_or_refused_in_one_line(form: str, call: Call, tmp_path: Path) -> None:
    raw = made_lists.FORMS[form](TABLE)
    path = tmp_path / "list"
    for seed in range(60):
        chance = random.Random(seed)
        damaged = bytearray(raw)
        for _ in range(chance.randrange(1, 8)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randrange(1, 30)] = chance.randbytes(chance.randrange(0, 10))
        path.write_bytes(damaged)
        result = call("import", "--dry-run", str(path))
        assert result.code in (0, 2)
        assert re.fullmatch(rf"{path}(:\d+)?: [^\n]+\n", result.err) or result.err.startswith("读到 "), result.err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes by name are POSIX")
def test_what_is_no_file(call: Call, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, problem in (
        (tmp_path, "这是一个目录: 请给出一个文件；管道里的内容用 xunqin import - 读"),
        (tmp_path / "pipe", "不是普通文件: 请给出一个文件；管道里的内容用 xunqin import - 读"),
        (tmp_path / "none.csv", "打不开（没有这个文件）: 请检查路径和权限"),
        (Path("/dev/zero"), "不是普通文件: 请给出一个文件；管道里的内容用 xunqin import - 读"),
    ):
        result = call("import", str(path))
        assert (result.code, result.err) == (2, f"{path}: {problem}\n")
    assert call("import", "").err == "（空的文件名）: 打不开（没有这个文件）: 请检查路径和权限\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", None)  # as under pythonw
        assert call("import", "-").err == "-: 打不开（没有这个文件）: 请检查路径和权限\n"


@pytest.mark.parametrize(
    ("form", "modules", "extra"),
    [
        ("xlsx", ("openpyxl", "openpyxl.reader.excel"), "import"),
        ("docx", ("lxml",), "import"),
        ("html", ("lxml",), "import"),
        ("pdf", ("pdfplumber",), "import"),
    ],
)
def test_a_missing_extra_is_one_line_with_the_command(
    form: str, modules: tuple[str, ...], extra: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = (DOCUMENTS / "d03_ruled.pdf").read_bytes() if form == "pdf" else made_lists.FORMS[form](TABLE)
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "list"
    path.write_bytes(raw)
    result = call("import", str(path))
    assert (result.code, result.err) == (
        2, f"{path}: 还没装读它要用的库（{extra}）: 请在 xunqin 的文件夹里运行 pip install '.[{extra}]'\n",
    )  # fmt: skip


def test_what_a_file_holds_does_not_reach_the_terminal_raw(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31mb.csv"
    path.write_text(
        "单位名称,地址,负责人,手机\n大冶市公安局\x1b[31m,\x1b]0;x\x07一路,\u202e王警官,138\n", encoding="utf-8"
    )
    for args in (("import", "--dry-run", "-f", "table"), ("import",), ("check",)):
        result = call(*args, str(path))
        assert result.code == 2
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", result.out + result.err)


def test_a_formula_is_text_in_what_is_written_out(call: Call, tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "a.csv"
    path.write_text(
        "单位名称,地址,手机\n大冶市公安局,+1+cmd|' /C calc'!A0,138\n大冶市公安局二队,=1+1,138\n", encoding="utf-8"
    )
    assert call("import", str(path)).code == 2
    rows = openpyxl.load_workbook(f"{path}.待核对.xlsx")["名单"]
    assert [(cell.value, cell.data_type) for cell in rows["C"][1:]] == [("+1+cmd|' /C calc'!A0", "s"), ("=1+1", "s")]


def test_a_long_list_is_merged_in_one_pass(tmp_path: Path) -> None:
    """No step looks at all rows for each row."""
    path = tmp_path / "list.csv"
    rows = "".join(f"大冶市公安局{number}队,1380{number:07}\n" for number in range(2_000))
    path.write_text(f"单位名称,手机\n{rows}", encoding="utf-8")
    calls = 0
    real = xunqin.unit_key

    def counted(*args: object) -> object:
        nonlocal calls
        calls += 1
        return real(*args)  # type: ignore[arg-type]

    try:
        xunqin.unit_key = counted  # type: ignore[assignment]
        assert xunqin.run(["import", str(path)]) == 0
        assert xunqin.run(["import", str(path)]) == 0
    finally:
        xunqin.unit_key = real
    assert calls < 6 * 2_000
