"""Languages of people: which one an entry is limited to, and whether a query names it.

It knows ISO 639-1 codes and English names; a name that it does not know is a programming language
or a word of the publisher's (``multilingual``), and limits nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

_NAME = re.compile(r'"([^"\\]*)"')
_HOME = "en"
"""What queries are taken to be about: the names, tasks and descriptions are written in it."""
_NAMES = (
    "ar Arabic,bg Bulgarian,bn Bengali,ca Catalan,cs Czech,da Danish,de German,el Greek,"
    "es Spanish,et Estonian,fa Persian,fi Finnish,fr French,he Hebrew,hi Hindi,hr Croatian,"
    "hu Hungarian,id Indonesian,it Italian,ja Japanese,ko Korean,lt Lithuanian,lv Latvian,"
    "nl Dutch,no Norwegian,pl Polish,pt Portuguese,ro Romanian,ru Russian,sk Slovak,sl Slovenian,"
    "sr Serbian,sv Swedish,ta Tamil,th Thai,tr Turkish,uk Ukrainian,ur Urdu,vi Vietnamese,"
    "zh Chinese"
)
_BY_CODE = {pair[:2]: pair[3:] for pair in _NAMES.split(",")}
_ALSO = {"jp": "ja", "cn": "zh", "kr": "ko", "cz": "cs"}
"""What people write for a code: a country's."""


@lru_cache(maxsize=1024)
def foreign(languages: str) -> str:
    """The languages of people that an entry is limited to, ``Japanese``; "" where English is one.

    Args:
        languages: A JSON list as an entry has it, or ""; what follows the list is not read.
    """
    if not languages:
        return ""
    codes = [one.casefold().partition("-")[0] for one in _NAME.findall(languages.partition("]")[0])]
    if _HOME in codes or "english" in codes or "multilingual" in codes:
        return ""
    by_name = {name.casefold(): name for name in _BY_CODE.values()}
    named = [_BY_CODE.get(_ALSO.get(code, code)) or by_name.get(code, "") for code in codes]
    return " and ".join(dict.fromkeys(name for name in named if name))


def named_in(tongue: str, said: Collection[str]) -> bool:
    """Whether the folded words of a query name one of the languages, or its code."""
    names = tongue.casefold().split(" and ") if tongue else []
    codes = {code for code, name in _BY_CODE.items() if name.casefold() in names}
    codes |= {also for also, code in _ALSO.items() if code in codes}
    return any(word in names or word in codes for word in said)
