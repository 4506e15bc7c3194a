"""Text into search words, code included: ``$state``, ``bind:value``, ``+page.server.js``.

It knows how names in code are put together and how English words bend; it knows no index. A name
is searched whole and by its parts, so that "page server" finds ``+page.server.js`` and the other
way round, though the whole name counts more because it is rarer.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r"""
    [$@+#]?[A-Za-z_][\w$]*(?:(?:\.|::?|-|/)[$\w]+)*   # names, dotted, with colons or hyphens
    | \d+(?:\.\d+)*                                    # numbers and versions
    | [^\W\d_]+                                        # words of any script
    """,
    re.VERBOSE,
)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_TARGET = re.compile(r"\]\([^)]*\)")
_STOP_WORDS = """
a an and are as at be been but by can could did do does doing for from had has have he her his
how i if in into is it its just me my of on or our she should so some than that the their them
then there these they this those to too up us was we were what when where which while who why
will with would you your am any get want im dont s t ve re ll d
"""
STOP = frozenset(_STOP_WORDS.split())
"""Words that say nothing about what is asked; "not", "without" and "only" do."""


def words_of(text: str) -> list[str]:
    """The search words of a text, in order, repeated as they are repeated.

    A plain word gives its stem; a name in code gives itself in lower case and its parts' stems.
    Targets of links give nothing.
    """
    found: list[str] = []
    for token in _TOKEN.findall(_TARGET.sub("] ", text)):
        found.extend(_of_token(token))
    return found


@lru_cache(maxsize=65_536)
def _of_token(token: str) -> tuple[str, ...]:
    """The search words of one token."""
    lowered = token.lower()
    parts = [part.lower() for part in _PART.findall(token)]
    plain = len(parts) <= 1 and lowered == "".join(parts)
    if plain:
        return (stem(lowered),) if lowered not in STOP else ()
    inner = tuple(stem(part) for part in parts if part not in STOP and (len(part) > 1))
    return (lowered, *inner)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """An English word without plural, ``-ing``, ``-ed`` and ``-ly``, in lower case."""
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    # Not through the package's factory: it would take another implementation where one happens to
    # be installed. A stemmer of its own for each word, since one holds the word it works on.
    from snowballstemmer.english_stemmer import EnglishStemmer

    return str(EnglishStemmer().stemWord(word))
