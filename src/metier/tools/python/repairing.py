"""Deterministic repairs of Python files: each a rule that says what it did.

A rule proposes a text; it is kept only if the files then check without an error, so that no rule
ever breaks what checked. It knows text and diagnostics; it executes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from metier.coding import Checked, Diagnostic, Mended, SourceFile

Check = Callable[[Sequence[SourceFile]], Checked]
Rule = Callable[[SourceFile, Sequence[Diagnostic]], str]

_FROM: dict[str, str] = {
    **dict.fromkeys(
        "Any Callable Deque Dict FrozenSet Generator Generic Iterable Iterator List Literal "
        "Mapping NamedTuple NoReturn Optional Protocol Sequence Set Tuple Type TypedDict TypeVar "
        "Union cast overload".split(),
        "typing",
    ),
    **dict.fromkeys(
        "ChainMap Counter OrderedDict defaultdict deque namedtuple".split(), "collections"
    ),
    **dict.fromkeys("dataclass".split(), "dataclasses"),
    **dict.fromkeys(
        "cache cached_property cmp_to_key lru_cache partial reduce wraps".split(), "functools"
    ),
    **dict.fromkeys(
        "accumulate chain combinations combinations_with_replacement groupby islice "
        "permutations takewhile zip_longest".split(),
        "itertools",
    ),
    **dict.fromkeys(
        "heapify heappop heappush heappushpop heapreplace nlargest nsmallest".split(), "heapq"
    ),
    **dict.fromkeys("bisect_left bisect_right insort".split(), "bisect"),
    **dict.fromkeys("ceil comb factorial floor gcd isqrt lcm sqrt".split(), "math"),
    **dict.fromkeys("timedelta".split(), "datetime"),
    **dict.fromkeys("Decimal".split(), "decimal"),
    **dict.fromkeys("Fraction".split(), "fractions"),
    **dict.fromkeys("Enum IntEnum StrEnum".split(), "enum"),
    **dict.fromkeys("ABC abstractmethod".split(), "abc"),
    **dict.fromkeys("contextmanager suppress".split(), "contextlib"),
    **dict.fromkeys("deepcopy".split(), "copy"),
    **dict.fromkeys("Path".split(), "pathlib"),
}
"""Names that only one module of the standard library can mean."""


def repaired(files: Sequence[SourceFile], checked: Checked, check: Check) -> Mended | None:
    """The files after every rule that helps, or ``None`` if none makes them check."""
    return None if checked.ok else _mend(tuple(files), checked, check)


def _mend(files: tuple[SourceFile, ...], checked: Checked, check: Check) -> Mended | None:
    applied: list[tuple[str, str]] = []
    for name, sentence, rule in RULES:
        proposed = tuple(
            SourceFile(file.path, rule(file, [d for d in checked.errors if d.path == file.path]))
            for file in files
        )
        if proposed == files:
            continue
        found = check(proposed)
        if len(found.errors) <= len(checked.errors) and _further(found, checked):
            files, checked = proposed, found
            applied.append((name, sentence))
        if checked.ok:
            return Mended(files, tuple(applied), checked)
    return None


def _further(now: Checked, before: Checked) -> bool:
    """Whether fewer errors are left, or the first one stands later or is another."""
    return now.errors != before.errors


def missing_imports(file: SourceFile, errors: Sequence[Diagnostic]) -> str:
    """Imports of standard modules and of names that only one of them can mean."""
    names = {each.message.split("'")[1] for each in errors if each.code == "undefined_name"}
    lines = sorted(
        f"import {name}"
        for name in names
        if name in sys.stdlib_module_names and not name.startswith("_")
    ) + sorted(f"from {_FROM[name]} import {name}" for name in names if name in _FROM)
    if not lines:
        return file.text
    body = file.text.split("\n")
    at = _after_preamble(body)
    return "\n".join([*body[:at], *lines, *body[at:]])


def _after_preamble(lines: Sequence[str]) -> int:
    """The index after comments, a docstring of one line and imports of ``__future__``."""
    at = 0
    for index, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith(("#", "from __future__")):
            at = index + 1
        elif stripped:
            break
    return at


RULES: tuple[tuple[str, str, Rule], ...] = (
    (
        "missing_imports",
        "Imported names of the standard library that were used without an import.",
        missing_imports,
    ),
)
"""Name, sentence and rule, in the order in which they are tried."""
