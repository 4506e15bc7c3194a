"""Whether elements are as expected: the words of ``expect``, compared outside the sandbox.

It knows observations of elements; it knows no acts. Every check returns ``None`` if it holds, else
a sentence with what was expected where and what was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from metier.tools.behaviour.finding import Finder, NotOne
from metier.tools.behaviour.steps import BOOLEANS, OF_ONE, told_target
from metier.tools.behaviour.strings import holds, quoted, told

Memory = Mapping[str, str]
_COLOURS = {
    "black": "000000", "white": "ffffff", "red": "ff0000", "green": "008000", "blue": "0000ff",
    "yellow": "ffff00", "orange": "ffa500", "purple": "800080", "gray": "808080", "grey": "808080",
    "pink": "ffc0cb", "brown": "a52a2a", "cyan": "00ffff", "aqua": "00ffff", "magenta": "ff00ff",
    "fuchsia": "ff00ff", "lime": "00ff00", "navy": "000080", "teal": "008080", "silver": "c0c0c0",
    "maroon": "800000", "olive": "808000", "gold": "ffd700", "crimson": "dc143c",
    "tomato": "ff6347", "rebeccapurple": "663399", "transparent": "00000000",
    "lightblue": "add8e6", "darkblue": "00008b", "lightgreen": "90ee90", "lightgray": "d3d3d3",
    "darkred": "8b0000", "darkgreen": "006400", "royalblue": "4169e1", "steelblue": "4682b4",
}  # fmt: skip


def colour(text: str) -> tuple[float, ...] | None:
    """Red, green, blue and alpha of a CSS colour, or ``None`` if it is none that we know."""
    said = text.strip().lower()
    said = f"#{_COLOURS[said]}" if said in _COLOURS else said
    if match := re.fullmatch(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", said):
        digits = match[1] if len(match[1]) > 4 else "".join(2 * digit for digit in match[1])
        values = [int(digits[at : at + 2], 16) for at in range(0, len(digits), 2)]
        return (*map(float, values[:3]), values[3] / 255 if len(values) == 4 else 1.0)
    if match := re.fullmatch(r"rgba?\(([^)]*)\)", said):
        parts = [part for part in re.split(r"[\s,/]+", match[1].strip()) if part]
        numbers = [float(re.sub(r"[^\d.]", "", part) or 0) for part in parts]
        if len(numbers) in (3, 4):
            return (*numbers[:3], numbers[3] if len(numbers) == 4 else 1.0)
    return None


def expect(
    step: Mapping[str, Any], finder: Finder, texts: Memory, marks: Mapping[str, int]
) -> str | None:
    """Look once; ``None`` if all words of the step hold."""
    target = step["expect"]
    style = tuple(step.get("style", {}))
    try:
        found = finder.all(target, _wanted(step), style)
    except NotOne as error:
        return None if step.get("present") is False else f"{error}"
    where = told_target(target)
    words = [word for word in step if word in OF_ONE]
    for word in ("present", "count", "texts", "values"):
        if word in step and (why := _OF_ALL[word](step[word], found, where, texts)):
            return why
    if not words:
        if any(word in step for word in _OF_ALL) or found:
            return None
        return f"expected {where} to be there, nothing matches"
    if len(found) != 1:
        what = "nothing matches" if not found else f"{len(found)} elements match"
        return f"expected {_told_words(step, words)} of {where}, but {what} it"
    for word in words:
        if miss := _one(word, step[word], found[0], texts, marks):
            return f"expected {miss[0]} of {where} to {miss[1]}, found {miss[2]}"
    return None


def _told_words(step: Mapping[str, Any], words: list[str]) -> str:
    return " and ".join(
        f"the {word} {told(step[word])}" if word in ("text", "value") else f"the {word}"
        for word in words
    ).replace(" be ", " to be ")


def _wanted(step: Mapping[str, Any]) -> list[str]:
    words = {
        word
        for word in step
        if word in ("text", "value", "html", "name", "description", "role", *BOOLEANS)
    }
    words |= {"text"} if "texts" in step else set()
    words |= {"value"} if "values" in step else set()
    words |= {"attributes"} if {"attribute", "class", "no_class"} & set(step) else set()
    return sorted(words)


Found = list[Mapping[str, Any]]


def _count(expected: Any, found: Found, where: str, texts: Memory) -> str | None:
    del texts
    if counted(expected, len(found)):
        return None
    return f"expected {told_count(expected)} of {where}, found {len(found)}"


def counted(expected: Any, number: int) -> bool:
    """Whether a number is the one, or between ``at_least`` and ``at_most``."""
    if isinstance(expected, int):
        return number == expected
    return bool(expected.get("at_least", 0) <= number <= expected.get("at_most", number))


def told_count(expected: Any) -> str:
    """A count, for people."""
    if isinstance(expected, int):
        return f"{expected}"
    return " and ".join(f"{word.replace('_', ' ')} {value}" for word, value in expected.items())


def _present(expected: bool, found: Found, where: str, texts: Memory) -> str | None:
    del texts
    if bool(found) == expected:
        return None
    if expected:
        return f"expected {where} to be there, nothing matches"
    return f"expected that nothing matches {where}, found {len(found)}"


def _list(word: str) -> Callable[[Any, Found, str, Memory], str | None]:
    def check(expected: Any, found: Found, where: str, texts: Memory) -> str | None:
        there = [str(item[word] if item[word] is not None else "") for item in found]
        same = len(there) == len(expected) and all(
            holds(one, other, texts) for one, other in zip(expected, there, strict=True)
        )
        if same:
            return None
        shown = quoted([" ".join(text.split()) for text in there])
        return f"expected the {word}s of {where} to be {quoted(expected)}, found {shown}"

    return check


_OF_ALL: dict[str, Callable[[Any, Found, str, Memory], str | None]] = {
    "present": _present,
    "count": _count,
    "texts": _list("text"),
    "values": _list("value"),
}
Why = tuple[str, str, str]


def _one(
    word: str, expected: Any, item: Mapping[str, Any], texts: Memory, marks: Mapping[str, int]
) -> Why | None:
    """What, what it should do and what was found, or ``None`` if it holds."""
    if word in BOOLEANS:
        said = bool(item[word])
        return (
            None if said == expected else (f'"{word}"', f"be {expected}".lower(), f"{said}".lower())
        )
    if word in ("same", "not_same"):
        same = marks.get(str(expected)) == item["id"]
        what = "another node" if word == "same" else "the same node"
        return None if same == (word == "same") else ("the node", f"be {word} as marked", what)
    if word in ("class", "no_class"):
        there = str(item["attributes"].get("class") or "").split()
        wrong = [name for name in str(expected).split() if (name in there) != (word == "class")]
        do = "have" if word == "class" else "lack"
        return (
            ("the classes", f"{do} {quoted(wrong[0])}", quoted(" ".join(there))) if wrong else None
        )
    if word == "attribute":
        return _attributes(expected, item["attributes"], texts)
    if word == "style":
        return _style(expected, item["style"], texts)
    there = item[word]
    if there is None:
        return (f"the {word}", told(expected), "none: it has no such thing")
    if holds(expected, str(there), texts):
        return None
    return (
        f"the {word}",
        told(expected),
        quoted(str(there) if word == "html" else " ".join(str(there).split())),
    )


def _attributes(expected: Mapping[str, Any], found: Mapping[str, Any], texts: Memory) -> Why | None:
    for name, wanted in expected.items():
        there = found.get(name)
        what = f'the attribute "{name}"'
        shown = "none" if there is None else quoted(there)
        if isinstance(wanted, bool):
            if (there is not None) != wanted:
                return (what, "be there" if wanted else "be absent", shown)
        elif there is None or not holds(wanted, str(there), texts):
            return (what, told(wanted), shown)
    return None


def _style(expected: Mapping[str, Any], found: Mapping[str, Any], texts: Memory) -> Why | None:
    for name, wanted in expected.items():
        there = str(found.get(name, ""))
        if (
            isinstance(wanted, str)
            and colour(wanted) is not None
            and colour(wanted) == colour(there)
        ):
            continue
        if not holds(wanted, there, texts):
            return (f'the style "{name}"', told(wanted), quoted(there))
    return None
