"""Draw the README's picture of a terminal from the real output: python tests/picture.py writes tests/picture.svg."""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from conftest import on_terminal

PICTURE = Path(__file__).resolve().parent / "picture.svg"
HOME = {"HOME": tempfile.gettempdir(), "APPDATA": tempfile.gettempdir()}  # no list of one's own
SHOWN = (("江岸",), ("乔口",), ("沔阳",), ("near", "木鱼镇", "-n", "3"))


def picture() -> str:
    """The SVG of a few commands and what they print at 84 columns."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=84, file=io.StringIO(), force_terminal=True, color_system="standard")
    for args in SHOWN:
        console.print(f"$ xunqin {' '.join(args)}", style="bold green", highlight=False)
        console.print(Text.from_ansi(on_terminal(84, *args, env=HOME).out))
    svg = console.export_svg(title="xunqin 寻亲", unique_id="xunqin")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)  # no font from another site


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
