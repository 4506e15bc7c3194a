"""Which language a text is in, from its script and its frequent words; "" where that is not clear.

It knows ISO 639-1 codes, scripts and a few stop words of each language; it knows no model. It
would rather say nothing than guess: a language forbids candidates, so a wrong one costs an answer.
"""

from __future__ import annotations

import re

import numpy as np

LOOKED_AT = 2_000
"""Characters that are looked at: the first and the last half of these."""
LEAST_HITS = 2
"""Stop words that a text must hold of a language before it is said to be in it."""
_WORDS = {
    "en": "the of and to is in that it for what how you are this with was not be do can my which "
    "does from have please when why i'm if on a",
    "de": "der die das und ist nicht ich wie ein eine zu mit auf für den von wird kann bitte was "
    "warum dem im auch sie es oder wenn",
    "fr": "le la les des et est une que qui dans pour pas je comment avec sur ne vous ce il du "
    "au pourquoi c'est un",
    "es": "el los las que y es una por para con no cómo se del qué un está en como mi puedo lo "
    "cuál la",
    "it": "il che di è una per non con come gli della sono un del le perché ho questo cosa nel "
    "posso mi si",
    "pt": "o que e é uma para não com os do da em um como por se na você eu meu qual está",
    "nl": "de het een en van is niet ik dat hoe voor met op te wat zijn kan je er deze om",
    "sv": "och att är det som en inte jag hur på för med av till kan den har ett vad",
    "da": "og er det at en ikke jeg hvordan på for med af til kan den har et hvad som",
    "no": "og er det at en ikke jeg hvordan på for med av til kan den har et hva som",
    "fi": "ja on ei että miten se mitä minun kuinka voi olen oli tämä kun mutta",
    "pl": "i w nie jest się na że jak to do z co czy mam dla jestem mogę po",
    "cs": "a je se na že jak v to ne s jsem co mi do pro které mohu",
    "tr": "ve bir bu ne için nasıl mi ile de çok var değil mı olarak ben",
    "ro": "și este nu că cum în la de un o pentru ce cu să pe din mi",
    "hu": "a az és hogy nem egy van ez mi is hogyan meg kell mit",
    "vi": "là của và không tôi có được cho một làm như thế nào gì các những",
    "id": "yang dan di tidak saya ini untuk dengan bagaimana apa itu dari bisa adalah",
}
_STOP = {
    word: tuple(code for code, words in _WORDS.items() if word in words.split())
    for words in _WORDS.values()
    for word in words.split()
}
_SCRIPTS = (
    ("ja", 0x3040, 0x30FF), ("ko", 0xAC00, 0xD7AF), ("ko", 0x1100, 0x11FF),
    ("zh", 0x4E00, 0x9FFF), ("zh", 0x3400, 0x4DBF), ("zh", 0x2E80, 0x2FDF), ("el", 0x0370, 0x03FF),
    ("cyrillic", 0x0400, 0x052F), ("he", 0x0590, 0x05FF), ("arabic", 0x0600, 0x06FF),
    ("arabic", 0x0750, 0x077F), ("devanagari", 0x0900, 0x097F), ("bn", 0x0980, 0x09FF),
    ("ta", 0x0B80, 0x0BFF), ("th", 0x0E00, 0x0E7F), ("ka", 0x10A0, 0x10FF),
    ("hy", 0x0530, 0x058F), ("latin", 0x0041, 0x005A), ("latin", 0x0061, 0x007A),
    ("latin", 0x00C0, 0x024F), ("latin", 0x1E00, 0x1EFF),
)  # fmt: skip
_RANGES = sorted(_SCRIPTS, key=lambda one: one[1])
_LOWEST = np.array([low for _, low, _ in _RANGES], np.uint32)
_HIGHEST = np.array([high for _, _, high in _RANGES], np.uint32)
_LATIN_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def language_of(text: str) -> str:
    """ISO 639-1 of a text, or "" where its script and its words do not say.

    A script that one language writes in names it. Latin text is what most of its stop words are
    in, if there are two or more and half as many again as of the next language.
    """
    if len(text) > LOOKED_AT:
        text = text[: LOOKED_AT // 2] + " " + text[-LOOKED_AT // 2 :]
    counts = {"latin": 1} if text.isascii() else _scripts(text)
    if not counts:
        return ""
    if counts.get("ja", 0) * 10 >= counts.get("zh", 0) and "ja" in counts:
        counts["ja"] += counts.pop("zh", 0)
    # A letter of a script of syllables or words says as much as several Latin ones.
    weighed = {name: n * (3 if name in ("zh", "ja", "ko") else 1) for name, n in counts.items()}
    script, most = max(weighed.items(), key=lambda pair: (pair[1], pair[0]))
    if most < 2 * (sum(weighed.values()) - most):
        return ""
    if script == "latin":
        return _latin(text)
    if script == "cyrillic":
        return _cyrillic(text)
    if script == "arabic":
        return _arabic(text)
    return "" if script == "devanagari" and not re.search("[है]", text) else _single(script)


def _single(script: str) -> str:
    return "hi" if script == "devanagari" else script


def _scripts(text: str) -> dict[str, int]:
    """How many letters of each script that is known."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    place = np.searchsorted(_LOWEST, letters, side="right") - 1
    found = place[(place >= 0) & (letters <= _HIGHEST[np.maximum(place, 0)])]
    each = np.bincount(found, minlength=len(_RANGES)).tolist()
    counts: dict[str, int] = {}
    for (name, _, _), count in zip(_RANGES, each, strict=True):
        if count:
            counts[name] = counts.get(name, 0) + count
    return counts


def _latin(text: str) -> str:
    hits: dict[str, float] = {}
    words = _LATIN_WORD.findall(text.lower().replace("’", "'"))
    for word in words:
        codes = _STOP.get(word, ())
        for code in codes:
            hits[code] = hits.get(code, 0.0) + 1.0
    if not hits:
        return ""
    ranked = sorted(hits.items(), key=lambda pair: (-pair[1], pair[0]))
    best, most = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    if most < LEAST_HITS or most < 1.5 * second or most < 0.08 * len(words):
        return ""
    return best


def _cyrillic(text: str) -> str:
    folded = text.lower()
    if any(letter in folded for letter in "іїєґ"):
        return "be" if "ў" in folded else "uk"
    if any(letter in folded for letter in "ђћјљњџ"):
        return "sr"
    return "ru" if any(letter in folded for letter in "ыэё") else ""


def _arabic(text: str) -> str:
    if any(letter in text for letter in "ٹڈڑںےہھ"):
        return "ur"
    return "fa" if any(letter in text for letter in "پچژگکی") else "ar"
