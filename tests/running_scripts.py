"""The scripts of "Run in this page" in Node, for tests that hold them against Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from metier.answer.browsing import RunPlan, alphabet
from metier.toolchains import find_node

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "src" / "metier" / "site" / "static" / "running"

HOSTILE = (
    "",
    " ",
    "where is my card?",
    "ISTANBUL İstanbul ıi straße STRASSE ẞ ﬁne ﬂow Ǆ ǆ",
    "ΣΑΣ ΟΔΟΣ ὈΔΥΣΣΕΎΣ ΑΣ. ΑΣ' ΑΣΑ Σ",
    "cafe\u0301 café ñandú Å Å ½ ² ³ ① Ⅷ ﷺ",
    "e\u0301\u0323 e\u0323\u0301 a\u0301\u0334 \u0301\u0334x",
    "👩‍👩‍👧‍👦 🇩🇪 😀😀 👍🏽 \U0001f9ff",
    "مرحبا بالعالم שָׁלוֹם עולם \u202eright to left\u202c",
    "你好，世界。カタカナ ｶﾀｶﾅ ひらがな 한국어 가\u1161 𠀀𪛖",
    "zero\u0000byte \x1c\x1d\x1e\x1f\x85 \x0b\x0c\ttab\r\nline\u2028p\u2029",
    "\ufeffmark soft\u00adhyphen zero\u200bwidth \u2060 \ufffd no\u00a0break \u3000wide\u180e",
    "lone \ud800 surrogate \udc00 pair \U00010400\U0001d400",
    "[CLS] and [SEP] and [MASK] [sep] [UNK][PAD]x",
    "don't stop-believing _under_score_ a.b,c;d!e?f 1,000.50 $5 €5 ¿qué? 50% x^2 `y` ~z <b>",
    "हिन्दी देवनागरी ภาษาไทย မြန်မာ ខ្មែរ ქართული ᲥᲐᲠᲗᲣᲚᲘ አማርኛ Հայերեն",
    "\u1e9e\u0130\u0345\u03b9 ᾳ ᾼ ŉ ǰ ΐ ﬀ \u0149",
    "x" * 101 + " " + "y" * 100,
    "wort " * 6000,
    "ä" * 20001,
    "😀" * 12000,
    "a\u0300" * 9000,
    "\u0f77\u0f71\u0f72 \u0344 \u2126 \u212b \ufb1f \U0001d15e \U0001d1bb",
    "\u16ff\U00010d50\U000105c9\U00016ea0\ua7cb\u1c89 \u088f\u061d\u0897",
)
"""Texts on which languages differ: case, marks, widths, directions, controls, halves of pairs."""


@lru_cache(maxsize=1)
def _modules() -> Path:
    """The scripts where Node takes them for modules."""
    folder = Path(mkdtemp(prefix="running-"))
    shutil.copytree(SCRIPTS, folder / "running")
    (folder / "package.json").write_text('{"type": "module"}')
    return folder / "running"


def in_node(act: str, **request: Any) -> Any:
    """One act of ``running_in_node.mjs``."""
    node = str(find_node().path)
    asked = json.dumps({"scripts": str(_modules()), "act": act, **request})
    ended = subprocess.run(
        [node, str(ROOT / "tests" / "running_in_node.mjs")],
        input=asked.encode(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    return json.loads(ended.stdout)


def answers_in_node(
    plan: RunPlan, texts: Sequence[str], assets: dict[str, Path], *, top: int = 5
) -> list[dict[str, Any]]:
    """What the page's scripts answer."""
    found = {path.suffix: str(path) for path in assets.values()}
    replied = in_node(
        "classify",
        plan={**plan.document, "alphabet": alphabet()},
        files={item.digest: str(item.path) for item in plan.files},
        texts=list(texts),
        top=top,
        runtime={"module": found.get(".mjs"), "program": found.get(".wasm")},
    )
    return list(replied["answers"])
