"""Whether a text holds code, by how its lines begin and end; no parser and no model is asked.

It knows the look of some twenty languages, of tracebacks and of shells; it knows no request. It
reads a head and a tail of the text only.
"""

from __future__ import annotations

import re

LOOKED_AT = 4_000
"""Characters of a text that are looked at for code: its first and its last half of these."""
_CODE_LINE = re.compile(
    r"^\s*(?:"
    r"(?:async )?def \w+\(|(?:public |export |abstract )?class \w+[(:{ ]"
    r"|from [\w.]+ import |import [\w.{*\"']+"
    r"|(?:export |default |async |public |private |static )*(?:function\*?|const|let|var|fn|func)"
    r" [\w$({\[]"
    r"|(?:if|for|while|switch|catch) ?\(.*\) ?\{?$|\} ?(?:else|catch|finally)\b|else:$|try:$"
    r"|return\b.*[;()\[\].]|@\w[\w.]*(?:\(.*)?$|package \w+;?$|using [\w.]+;$"
    r"|</?[a-z][\w.:-]*(?: [^<>]*)?/?>|\$: "
    r"|>>> |\$ (?:npm|git|pip|cargo|docker|sudo|cd|ls)\b"
    r")"
)
_UNMISTAKABLE = re.compile(
    r"^[ \t]*(?:#include\s*[<\"]|<\?php|#!/|\{[#:/@][a-z]+[^{}]*\}"
    r"|SELECT .+ FROM |INSERT INTO |CREATE TABLE |UPDATE \w+ SET |DELETE FROM "
    r"|Traceback \(most recent call last\)|File \".+\", line \d+"
    r"|(?:async )?def \w+\(.{0,200}\).{0,60}:[ \t]*(?:#.*)?$)",
    re.MULTILINE,
)
_END = 24
"""Characters of a line in which its end is looked for."""
_CODE_END = re.compile(r"(?:[;{}]|\)\s*=>\s*\{?|\):|\],?|\}\)?,?)\s*$")
_CODE_INSIDE = re.compile(
    r"\w\.\w{1,40}\([^)]{0,80}\)|=>|===|!==|&&|\|\||::|->\s?\w|\w\[\w{1,40}\]"
    r"|\w ?[-+*/|]?= ?[\w\"'\[{(]"
)


def holds_code(text: str) -> bool:
    """Whether a text holds code: a fence, a line that nobody else writes, or lines that look so.

    One line is enough where it looks like code at its beginning and further on, else two.
    """
    if len(text) > LOOKED_AT:
        text = text[: LOOKED_AT // 2] + "\n" + text[-LOOKED_AT // 2 :]
    if "```" in text or "~~~\n" in text or _UNMISTAKABLE.search(text):
        return True
    found = 0.0
    for line in text.splitlines():
        if not line or len(line) > 2_000:
            continue
        begins = bool(_CODE_LINE.match(line))
        ends = bool(_CODE_END.search(line[-_END:]))
        inside = (begins or ends) and bool(_CODE_INSIDE.search(line))
        found += max(1.0 if begins and (ends or inside) else 0.7 * begins, 0.5 * (ends and inside))
        if found >= 1.0:
            return True
    return False
