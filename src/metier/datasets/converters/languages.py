"""Which language a file is in by its name, and whether a snippet of it shows that.

It knows file names, comment marks and a few signs that only one language has; it cuts nothing.
"""

from __future__ import annotations

import re

_BY_SUFFIX = {
    "bash": "bash",
    "c": "c",
    "cc": "cpp",
    "cjs": "javascript",
    "cpp": "cpp",
    "cs": "csharp",
    "csproj": "xml",
    "css": "css",
    "cxx": "cpp",
    "dart": "dart",
    "ex": "elixir",
    "exs": "elixir",
    "go": "go",
    "hpp": "cpp",
    "html": "html",
    "java": "java",
    "js": "javascript",
    "json": "json",
    "jsx": "javascript",
    "kt": "kotlin",
    "kts": "kotlin",
    "lua": "lua",
    "md": "markdown",
    "mjs": "javascript",
    "mk": "makefile",
    "php": "php",
    "props": "xml",
    "ps1": "powershell",
    "psm1": "powershell",
    "py": "python",
    "r": "r",
    "rb": "ruby",
    "rs": "rust",
    "scala": "scala",
    "sh": "bash",
    "sql": "sql",
    "svelte": "svelte",
    "swift": "swift",
    "tf": "terraform",
    "toml": "toml",
    "ts": "typescript",
    "tsx": "typescript",
    "vue": "vue",
    "xml": "xml",
    "yaml": "yaml",
    "yml": "yaml",
}
_C_LIKE = ("//", "/*", "*")
_HASH = ("#",)
COMMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "c",
            "cpp",
            "csharp",
            "css",
            "dart",
            "go",
            "java",
            "javascript",
            "jsx",
            "kotlin",
            "rust",
            "scala",
            "swift",
            "typescript",
        ),
        _C_LIKE,
    ),
    **dict.fromkeys(
        ("bash", "dockerfile", "makefile", "python", "r", "ruby", "toml", "yaml"), _HASH
    ),
    "elixir": ("#", "@doc", "@moduledoc"),
    "lua": ("--",),
    "php": (*_C_LIKE, "#"),
    "powershell": ("#", "."),
    "sql": ("--", "/*", "*"),
    "terraform": (*_C_LIKE, "#"),
}
"""How a line of comment starts in each language."""
MARKUP = frozenset({"dockerfile", "makefile", "markdown", "yaml"})
"""Languages whose lines tell something without punctuation."""

_DOCKERFILE = re.compile(r"(Dockerfile([.-].*)?|.*\.[Dd]ockerfile)")
_MAKEFILES = frozenset({"Makefile", "makefile", "GNUmakefile"})

_TAG = re.compile(r"</?[A-Za-z!][^<>]*>|^\s*<[A-Za-z][\w.:-]*\s*$", re.MULTILINE)
_LINE_COMMENT = re.compile(r"^\s*(//|\*|/\*).*$", re.MULTILINE)
_JSX = re.compile(r"</[A-Za-z][\w.]*>|</>|/>[\s;),]*$|^\s*<[A-Za-z][\w.]*(\s|>|$)", re.MULTILINE)
_REACT = re.compile(r"""\b(from|require\()\s*['"](react|preact|next)\b""")
_TYPES = re.compile(
    r"[\w\])}?]\??:\s*(readonly\s+)?([A-Z]\w*|string|number|boolean|any|unknown|void|never|\{|\(|\[)"
    r"[\w<>\[\]|&{}'\" .]*(\s*[,;)={]|\s*=>|$)|\binterface\s+\w|\btype\s+\w+(<.*>)?\s*=|\bas\s+\w"
    r"|\b(enum|declare|namespace|implements|readonly|satisfies|keyof|abstract)\s+\w"
    r"|\b(import|export) type\b|\b(private|public|protected)\s+\w|\w<[A-Z{\[]\w*.*>\(|\w!\.|\w!\)",
    re.MULTILINE,
)
_CPP = re.compile(
    r"::|\b(class|template|namespace|nullptr|new|delete|auto|virtual|override|public|private|using"
    r"|typename|constexpr|operator|throw|catch|try|bool)\b|#include\s*<\w+>|\w&\s*\w"
    r"|\w<\w[\w:*& ]*>|\.\w+\(|\b(TEST|EXPECT|ASSERT|REQUIRE|CHECK)(_\w+)?\("
)
_SVELTE = re.compile(
    r"\{[#:/@][a-z]|\$(state|props|derived|effect|bindable)\b|\bon:[a-z]|\bbind:[a-z]"
    r"|\bexport let\b|<svelte:|\b(class|style):[a-z]|[a-z]=\{|\{\.\.\.|\$:|\bslot="
)
_VUE = re.compile(
    r"\sv-[a-z]+|\s[:@#][a-z][\w.:-]*(=|>|\s)|\{\{|\bdefine(Props|Emits|Model|Slots|Expose)\b"
    r"|<template\b|<script setup|\bexport default\b"
)
_MARKDOWN = re.compile(
    r"^\s{0,3}(#{1,6} |[-*+] |\d+[.)] |> |```|~~~|\||={3,}$|-{3,}$)|\[[^\]]*\][(\[]|\*\*|`|!\[|__",
    re.MULTILINE,
)
_PROSE = re.compile(r"[A-Za-z]{2,}[,;]? [A-Za-z]{2,}[,;]? [A-Za-z]{2,}")
_DOCKER = re.compile(
    r"^\s*(FROM|RUN|COPY|ADD|CMD|ENTRYPOINT|ENV|ARG|WORKDIR|EXPOSE|LABEL|USER|VOLUME|SHELL"
    r"|HEALTHCHECK|MAINTAINER)\s",
    re.MULTILINE,
)
_MAKE = re.compile(
    r"^[\w./%$(){} -]+:(?![=/])|^[\w.-]+\s*[:+?]?=|\$\([\w-]+|^\.PHONY|^-?include\s"
    r"|^ifn?(eq|def)\b",
    re.MULTILINE,
)
_SHOWS = {
    "cpp": _CPP,
    "dockerfile": _DOCKER,
    "makefile": _MAKE,
    "php": re.compile(r"\$|<\?php|->"),
    "typescript": _TYPES,
    "xml": _TAG,
}
"""A sign that a snippet must have, where without one it would as well be another language."""


def language_of(path: str) -> str | None:
    """The language that a file's name says, or ``None``."""
    name = path.rpartition("/")[2]
    if _DOCKERFILE.fullmatch(name):
        return "dockerfile"
    if name in _MAKEFILES:
        return "makefile"
    return _BY_SUFFIX.get(name.rpartition(".")[2].lower()) if "." in name else None


def settled(language: str, text: str, whole: str, *, path: str = "") -> str | None:
    """The label of a snippet, or ``None`` if it could as well have another.

    Args:
        language: What the file's name says.
        text: The snippet.
        whole: The whole file, for what its imports say.
        path: The file's path: ``.jsx`` and ``.tsx`` need no import to be believed.
    """
    if language in ("javascript", "typescript"):
        believed = path.endswith(("x", "X")) or _REACT.search(whole)
        if believed and _JSX.search(_LINE_COMMENT.sub("", text)):
            return "jsx"
    if language == "html":
        return language if len(_TAG.findall(text)) >= 2 else None
    if language in ("svelte", "vue"):
        signs = _SVELTE if language == "svelte" else _VUE
        return language if _TAG.search(text) and signs.search(text) else None
    if language == "markdown":
        if _MARKDOWN.search(text):
            return language
        return "text" if _PROSE.search(text) and "<" not in text else None
    sign = _SHOWS.get(language)
    return language if sign is None or sign.search(text) else None
