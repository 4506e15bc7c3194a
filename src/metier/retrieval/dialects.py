"""What is peculiar to a project's markdown, made plain: includes, marks in code, components.

It knows the conventions of two documentation sites (Svelte's and React's) and how each makes the
address of a heading; it knows no chunk and no search. What a reader of the site does not see
(hidden code, directives of the type checker, names of components) is taken out; what he sees stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["plain", "svelte", "react"]
"""Whose conventions a source follows; ``plain`` is markdown as it is everywhere."""
DIALECTS: tuple[Dialect, ...] = ("plain", "svelte", "react")

_FENCE = re.compile(r"^(?P<indent>\s*(?:>\s*)*)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_LONG_TARGET = re.compile(r"(\]\([^)\s#]{0,200})#?[^)\s]{160,}\)")
_COMMENT = re.compile(r"<!--(?!-?\s*file:).*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block of code as it stands in a document.

    Attributes:
        language: First word behind the fence.
        info: What else stands there.
        lines: Its lines, without the fences.
    """

    language: str
    info: str
    lines: tuple[str, ...]


def plainly(text: str, dialect: Dialect) -> str:
    """The document as plain markdown.

    Args:
        text: Markdown with a dialect's conventions; front matter is left as it is.
        dialect: Whose conventions.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    prose, code = _PROSE[dialect], _CODE[dialect]
    pieces: list[str] = []
    for piece in _pieces(text):
        if isinstance(piece, _Fenced):
            pieces.append(piece.rendered(code(piece.block, piece.inside)))
        else:
            pieces.append(prose(_LONG_TARGET.sub(r"\1)", piece)))
    return "\n".join(piece for piece in pieces if piece is not None)


def included(texts: Mapping[str, str]) -> dict[str, str]:
    """Svelte's documents with ``@include`` lines replaced by the files that they name.

    Args:
        texts: Path to text. A file that is included somewhere is no document of its own.
    """
    used: set[str] = set()
    result = {}
    for path, text in texts.items():
        folder = path.rpartition("/")[0]

        def replacement(match: re.Match[str], folder: str = folder) -> str:
            wanted = f"{folder}/{match[1]}".lstrip("/")
            used.add(wanted)
            return texts.get(wanted, "")

        result[path] = re.sub(r"^@include (\S+)$", replacement, text, flags=re.MULTILINE)
    return {path: text for path, text in result.items() if path not in used}


# ---------------------------------------------------------------------------------------- fences


@dataclass(frozen=True, slots=True)
class _Fenced:
    """A block of code with the fence around it and the components that it stands in."""

    indent: str
    fence: str
    block: CodeBlock
    inside: tuple[str, ...]

    def rendered(self, block: CodeBlock | None) -> str:
        if block is None:
            return ""
        opening = f"{self.indent}{self.fence}{block.language}"
        return "\n".join((opening, *block.lines, f"{self.indent}{self.fence}"))


def _pieces(text: str) -> list[str | _Fenced]:
    """Prose and fenced blocks in turn; an unclosed fence reaches to the end."""
    found: list[str | _Fenced] = []
    prose: list[str] = []
    open_components: list[str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        match = _FENCE.match(lines[at])
        if match is None:
            prose.append(lines[at])
            _follow(lines[at], open_components)
            at += 1
            continue
        closing = re.compile(rf"^\s*(?:>\s*)*{match['fence'][0]}{{{len(match['fence'])},}}\s*$")
        end = at + 1
        while end < len(lines) and not closing.match(lines[end]):
            end += 1
        if prose:
            found.append("\n".join(prose))
            prose = []
        language, _, info = match["info"].strip().partition(" ")
        block = CodeBlock(language, info, tuple(lines[at + 1 : end]))
        found.append(_Fenced(match["indent"], match["fence"], block, tuple(open_components)))
        at = end + 1
    if prose:
        found.append("\n".join(prose))
    return found


_COMPONENT = re.compile(r"^\s*<(?P<close>/?)(?P<name>Sandpack|Challenges|Solution)\b[^>]*>")


def _follow(line: str, components: list[str]) -> None:
    """Keep the list of components that a line of prose stands in."""
    match = _COMPONENT.match(line)
    if match is None or line.rstrip().endswith("/>"):
        return
    if not match["close"]:
        components.append(match["name"])
    elif match["name"] in components:
        del components[components.index(match["name"]) :]


# ---------------------------------------------------------------------------------------- svelte

_CALLOUT = re.compile(r"^((?:>\s*)+)\[!(\w+)\][ \t]*(.*)$", re.MULTILINE)
_GENERATED = re.compile(r"^> (?:EXPORT_SNIPPET|EXPANDED_TYPES|TYPES|MODULE|MODULES):.*$", re.M)
_ADDED = re.compile(r"\+\+\+")
_REMOVED = re.compile(r"---(?!>)(?=\S|[ \t]+\S)(?:(?!---).)+?---(?!-)")
_DIRECTIVE = re.compile(r"^\s*(?://\s*@(?:errors|noErrors)\b.*|//\s*---cut-after---.*)$")
_FILE = re.compile(
    r"^\s*(?:///\s*file:\s*(?P<slashes>.+?)|<!---?\s*file:\s*(?P<markup>.+?)\s*-?-->)$"
)


def _svelte_prose(text: str) -> str:
    text = _COMMENT.sub("", _GENERATED.sub("", text))

    def callout(match: re.Match[str]) -> str:
        kind = match[2].capitalize()
        return f"{match[1]}**{kind}:** {match[3]}".rstrip()

    return _CALLOUT.sub(callout, text)


def _svelte_code(block: CodeBlock, _inside: Sequence[str]) -> CodeBlock:
    lines: list[str] = []
    names: list[str] = []
    for line in block.lines:
        named = _FILE.match(line)
        if named:
            name = (named["slashes"] or named["markup"]).strip()
            names.append(f"<!-- file: {name} -->" if named["markup"] else f"// file: {name}")
        elif "---cut---" in line:
            lines = []
        elif "---cut-after---" in line:
            break
        elif not _DIRECTIVE.match(line):
            shown = _ADDED.sub("", _REMOVED.sub("", line))
            if shown.strip() or not line.strip():
                lines.append(shown)
    while lines and not lines[0].strip():
        lines.pop(0)
    return CodeBlock(block.language, block.info, (*names, *lines))


# ----------------------------------------------------------------------------------------- react

_JSX_COMMENT = re.compile(r"^\s*\{/\*.*?\*/\}\s*$", re.MULTILINE | re.DOTALL)
_KEPT_NAMES = {"Note": "**Note:**", "Pitfall": "**Pitfall:**", "Hint": "**Hint:**",
               "Deprecated": "**Deprecated:**", "Wip": "**Work in progress:**",
               "Canary": "**Canary:**", "Experimental": "**Experimental:**"}  # fmt: skip
_INLINE_COMPONENT = re.compile(r"</?(?:CodeStep|Step|CanaryBadge|ExperimentalBadge|NextMajor|RSC"
                               r"|RSCBadge|DeprecatedBadge|ConsoleLogLine)\b[^>]*>")  # fmt: skip
_TAG = re.compile(
    r"^[ \t]*<(?P<close>/?)(?P<name>[A-Z][A-Za-z]*)\b[^<>]{0,2000}>[ \t]*$", re.MULTILINE
)


def _react_prose(text: str) -> str:
    def tag(match: re.Match[str]) -> str:
        return "" if match["close"] else _KEPT_NAMES.get(match["name"], "")

    text = _JSX_COMMENT.sub("", _COMMENT.sub("", text))
    return _TAG.sub(tag, _INLINE_COMPONENT.sub("", text))


def _react_code(block: CodeBlock, inside: Sequence[str]) -> CodeBlock | None:
    """Styles, data and manifests of a sandbox say nothing about React, hidden files even less."""
    words = re.sub(r"\[\[.*\]\]|\{[^}]*\}", " ", block.info).split()
    name = next((word for word in words if re.search(r"\.\w+$", word)), "")
    if "Sandpack" in inside:
        data = block.language in ("css", "json") or name.endswith((".css", ".json"))
        if data or "hidden" in words or re.search(r"(^|/)(data|api)\.js$", name):
            return None
    lines = (f"// {name}", *block.lines) if name else block.lines
    return CodeBlock(block.language, "", lines)


def _as_it_is(block: CodeBlock, _inside: Sequence[str]) -> CodeBlock:
    return block


_PROSE: Mapping[Dialect, Callable[[str], str]] = {
    "plain": lambda text: _COMMENT.sub("", text),
    "svelte": _svelte_prose,
    "react": _react_prose,
}
_CODE: Mapping[Dialect, Callable[[CodeBlock, Sequence[str]], CodeBlock | None]] = {
    "plain": _as_it_is,
    "svelte": _svelte_code,
    "react": _react_code,
}


# --------------------------------------------------------------------------------------- headings

_HEADING_ID = re.compile(r"\s*(?:\{/\*(?P<jsx>.*?)\*/\}|\{#(?P<braces>[\w-]+)\})\s*$")


def split_heading(text: str) -> tuple[str, str | None]:
    """A heading and the anchor that it states itself (``{/*name*/}`` or ``{#name}``), if any."""
    match = _HEADING_ID.search(text)
    if match is None:
        return text.strip(), None
    return text[: match.start()].strip(), (match["jsx"] or match["braces"]).strip()


def anchor(trail: Sequence[str], dialect: Dialect) -> str:
    """The anchor of a heading on the site that shows the document.

    Args:
        trail: The headings above it inside the page and its own, markdown marks taken out.
        dialect: ``svelte`` joins the whole trail and keeps capitals; the others take the last
            heading the way that hosts of repositories do.
    """
    if not trail:
        return ""
    if dialect == "svelte":
        return "-".join(filter(None, (_svelte_slug(heading) for heading in trail)))
    lowered = re.sub(r"[^\w\- ]", "", trail[-1].strip().lower())
    return lowered.replace(" ", "-")


def _svelte_slug(heading: str) -> str:
    slug = re.sub(r"[^\w\-$.:@']", "-", re.sub(r"[+`*]", "", heading))
    return re.sub(r"-{2,}", "-", slug).strip("-")
