"""Deterministic repairs of Python files: each a rule that says what it did.

A rule proposes a text; the repairs are kept only if the files then check without an error, so that
no rule ever breaks what checked. It knows text and diagnostics; it executes nothing.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Sequence

from metier.coding import Checked, Diagnostic, Mended, SourceFile

Check = Callable[[Sequence[SourceFile]], Checked]
Rule = Callable[[str, Sequence[Diagnostic]], str]

_GIVEN_BY = {
    "abc": "ABC abstractmethod",
    "bisect": "bisect_left bisect_right insort",
    "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
    "contextlib": "contextmanager suppress",
    "copy": "deepcopy",
    "dataclasses": "dataclass",
    "datetime": "timedelta",
    "decimal": "Decimal",
    "enum": "Enum IntEnum StrEnum",
    "fractions": "Fraction",
    "functools": "cache cached_property cmp_to_key lru_cache partial reduce wraps",
    "heapq": "heapify heappop heappush heappushpop heapreplace nlargest nsmallest",
    "itertools": "accumulate chain combinations combinations_with_replacement groupby islice"
    " permutations takewhile zip_longest",
    "math": "ceil comb factorial floor gcd isqrt lcm sqrt",
    "pathlib": "Path",
    "typing": "Any Callable Deque Dict FrozenSet Generator Generic Iterable Iterator List Literal"
    " Mapping NamedTuple NoReturn Optional Protocol Sequence Set Tuple Type TypedDict TypeVar"
    " Union cast overload",
}
_MODULE_OF = {name: module for module, names in _GIVEN_BY.items() for name in names.split()}
"""Names that only one module of the standard library can mean."""
_OLD_NAMES = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "basestring": "str",
    "unichr": "chr",
    "long": "int",
}
_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("“”„‟", '"'),
        **dict.fromkeys("‘’‚‛", "'"),
        **dict.fromkeys("\u00a0\u2007\u202f\u3000", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", None),
        **dict.fromkeys("–—−", "-"),
    }
)
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_CODE = re.compile(
    r"^(?:def |class |import |from \w+[\w.]* import |@\w|async def |if |for |while |try:|with "
    r"|#|\"\"\"|'''|[\w.]+(?:\[[^\]]*\])?(?:, *[\w.]+)* *[-+*/|&^%]?=(?!=)|[\w.]+\(|return |print )"
)
_PROSE = re.compile(r"^[A-Z*>#-][^=]*[a-z]{2,}[ ,.:!?'’][^=]*$")
_PRINT = re.compile(r"^([ \t]*)print(?:[ \t]+([^(\s=].*?|\([^()]*\)[ \t]*[%,].*?))?[ \t]*$")
_EXCEPT = re.compile(
    r"^([ \t]*except[ \t]+[\w.]+|[ \t]*except[ \t]*\([^)]*\))[ \t]*,[ \t]*(\w+)[ \t]*:"
)
_RAISE = re.compile(r"^([ \t]*raise[ \t]+\w+)[ \t]*,[ \t]*(.+)$")
_OPENS = re.compile(
    r"^[ \t]*(?:async[ \t]+)?(?:def|class|if|elif|else|for|while|try|except|finally|with)\b"
)
_CLEANING = frozenset({"fences", "prose", "typography"})
"""Rules that only take out what is no code: kept if nothing is worse for it."""
_MAX_ROUNDS = 3


def repaired(files: Sequence[SourceFile], checked: Checked, check: Check) -> Mended | None:
    """The files after the rules that help, or ``None`` if they do not make them check."""
    if checked.ok:
        return None
    now, applied = tuple(files), []
    for _ in range(_MAX_ROUNDS):
        before = now
        for name, sentence, rule in RULES:
            proposed = tuple(_proposed(file, checked, rule) for file in now)
            if proposed == now:
                continue
            found = check(proposed)
            nearer, before_it = _place(found, proposed), _place(checked, now)
            if nearer > before_it or (nearer == before_it and name in _CLEANING):
                now, checked = proposed, found
                applied.append((name, sentence))
            if checked.ok:
                return Mended(now, tuple(dict.fromkeys(applied)), checked)
        if now == before:
            return None
    return None


def _proposed(file: SourceFile, checked: Checked, rule: Rule) -> SourceFile:
    errors = [each for each in checked.errors if each.path == file.path]
    return SourceFile(file.path, rule(file.text, errors)) if errors else file


def _place(checked: Checked, files: Sequence[SourceFile]) -> tuple[int, int, int]:
    """How near the files are to checking: which do not parse, how much is unread, what is wrong.

    Lines are counted from the end, so that taking out lines at the top changes nothing.
    """
    lines = {file.path: file.text.rstrip().count("\n") + 1 for file in files}
    unread = [
        lines.get(each.path, 0) - (each.line or 0)
        for each in checked.errors
        if not each.code.startswith("undefined")
    ]
    return (-len(unread), -max(unread, default=0), -len(checked.errors))


def fences(text: str, errors: Sequence[Diagnostic]) -> str:
    """Without lines that only open or close a block of Markdown."""
    del errors
    return _FENCE.sub("", text)


def prose(text: str, errors: Sequence[Diagnostic]) -> str:
    """Without sentences before the first and after the last line of code."""
    del errors
    lines = text.split("\n")
    first = next((index for index, line in enumerate(lines) if _CODE.match(line)), 0)
    last = len(lines)
    while last > first and (not lines[last - 1].strip() or _PROSE.match(lines[last - 1])):
        last -= 1
    spoken = any(_PROSE.match(line) for line in lines[:first])
    return "\n".join(lines[first if spoken else 0 : last]) + "\n"


def typography(text: str, errors: Sequence[Diagnostic]) -> str:
    """Straight quotes, plain blanks and hyphens for typographic ones."""
    broken = any(each.code == "syntax" for each in errors)
    return text.translate(_TYPOGRAPHY) if broken else text


def wide_tabs(text: str, errors: Sequence[Diagnostic]) -> str:
    """Spaces for tabs at the beginnings of lines, to columns of eight, as Python 2 read them."""
    return _spaced(text, errors, 8)


def tabs(text: str, errors: Sequence[Diagnostic]) -> str:
    """Spaces for tabs at the beginnings of lines, to columns of four."""
    return _spaced(text, errors, 4)


def _spaced(text: str, errors: Sequence[Diagnostic], width: int) -> str:
    if not any(each.code in ("tabs", "indentation") for each in errors):
        return text
    return re.sub(r"^[ \t]+", lambda found: found[0].expandtabs(width), text, flags=re.MULTILINE)


def margin(text: str, errors: Sequence[Diagnostic]) -> str:
    """Without the indentation that all lines share."""
    return textwrap.dedent(text) if any(each.code == "indentation" for each in errors) else text


def python2(text: str, errors: Sequence[Diagnostic]) -> str:
    """``print``, ``except`` and ``raise`` as Python 3 writes them."""
    if not any(each.code == "syntax" for each in errors):
        return text
    return "\n".join(_newer(line) for line in text.split("\n"))


def _newer(line: str) -> str:
    printed = _PRINT.match(line)
    if printed:
        inside = (printed[2] or "").strip()
        inside = f"{inside[:-1]}, end=' '" if inside.endswith(",") else inside
        return f"{printed[1]}print({inside})"
    line = _EXCEPT.sub(r"\1 as \2:", line)
    return _RAISE.sub(r"\1(\2)", line)


def old_names(text: str, errors: Sequence[Diagnostic]) -> str:
    """Python 3's names for built-ins that have been renamed."""
    lines = text.split("\n")
    for each in errors:
        name = _undefined(each)
        if name in _OLD_NAMES and each.line is not None:
            index = each.line - 1
            lines[index] = re.sub(rf"(?<![\w.]){name}(?!\w)", _OLD_NAMES[name], lines[index])
    return "\n".join(lines)


def colons(text: str, errors: Sequence[Diagnostic]) -> str:
    """A colon at the end of a line that opens a block and lacks it."""
    lines = text.split("\n")
    for each in errors:
        if each.line is not None and "expected ':'" in each.message:
            code, mark, comment = lines[each.line - 1].partition("  #")
            if _OPENS.match(code) and not code.rstrip().endswith(":"):
                lines[each.line - 1] = f"{code.rstrip()}:{mark}{comment}"
    return "\n".join(lines)


def imports(text: str, errors: Sequence[Diagnostic]) -> str:
    """Imports of standard modules and of names that only one of them can mean."""
    names = {_undefined(each) for each in errors}
    modules = sorted(f"import {name}" for name in names if name in sys.stdlib_module_names)
    parts = sorted(f"from {_MODULE_OF[name]} import {name}" for name in names & set(_MODULE_OF))
    lines = text.split("\n")
    at = _after_opening(lines)
    return "\n".join([*lines[:at], *modules, *parts, *lines[at:]])


def _undefined(found: Diagnostic) -> str:
    return found.message.split("'")[1] if found.code == "undefined_name" else ""


def _after_opening(lines: Sequence[str]) -> int:
    """The line after comments, the docstring and imports from ``__future__``."""
    at, quote = 0, ""
    for index, line in enumerate(lines):
        stripped = line.strip()
        if quote:
            at = index + 1
            quote = "" if quote in stripped else quote
        elif stripped.startswith(('"""', "'''")) and not any(
            lines[i].strip() for i in range(at, index)
        ):
            at = index + 1
            quote = "" if stripped.count(stripped[:3]) > 1 else stripped[:3]
        elif stripped.startswith(("#", "from __future__")):
            at = index + 1
        elif stripped:
            break
    return at


RULES: tuple[tuple[str, str, Rule], ...] = (
    ("fences", "Took out marks of Markdown blocks.", fences),
    ("prose", "Took out sentences before and after the code.", prose),
    ("typography", "Replaced typographic quotes, dashes and blanks.", typography),
    ("margin", "Took out the indentation that all lines shared.", margin),
    ("wide_tabs", "Replaced tabs at the beginnings of lines by up to eight spaces.", wide_tabs),
    ("tabs", "Replaced tabs at the beginnings of lines by up to four spaces.", tabs),
    ("python2", "Wrote print, except and raise as Python 3 does.", python2),
    ("colons", "Added the colon that opens a block.", colons),
    ("old_names", "Replaced names of built-ins that Python 3 renamed.", old_names),
    ("imports", "Imported names of the standard library that were used without.", imports),
)
"""Name, sentence and rule, in the order in which they are tried."""
