"""Writes docs/compatibility.md from clients/claims.toml: ``python tests/compatibility.py``.

A claim is a call or a field, and the tests that show it. ``mistakes`` says which claims have no
test, and ``page`` is the whole page.
"""

from __future__ import annotations

import ast
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent
CLIENTS = TESTS / "clients"
PAGE = TESTS.parent / "docs" / "compatibility.md"
HEAD = """\
# Compatibility

What Metier answers of OpenAI's and Ollama's calls, field by field. `make docs` writes this page
from [the claims](../tests/clients/claims.toml), which name the test behind each row; a test fails
when a call or a field is missing here, or when a row has no test. *Done* means as the clients
expect it; *different* says how, and why.

The clients that the tests speak through:

"""


def claims() -> Sequence[Mapping[str, Any]]:
    """Every claim, in the order of the page."""
    found: Sequence[Mapping[str, Any]] = tomllib.loads(
        (CLIENTS / "claims.toml").read_text(encoding="utf-8")
    )["call"]
    return found


def named_tests(claim: Mapping[str, Any]) -> Iterator[str]:
    """Every test that a claim names."""
    yield from claim["tests"]
    yield from claim.get("done", {}).values()
    yield from (test for _, test in claim.get("differs", {}).values())


@cache
def known_tests() -> Mapping[str, Path]:
    """``file::function`` of every test to its file."""
    found: dict[str, Path] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.setdefault(f"{path.stem}::{node.name}", path)
    return found


def mistakes() -> list[str]:
    """Claims whose test is not there, and calls that are claimed twice."""
    names = [claim["name"] for claim in claims()]
    wrong = [f"{name} is claimed twice" for name in {*names} if names.count(name) > 1]
    for claim in claims():
        for test in named_tests(claim):
            if test not in known_tests():
                wrong.append(f"{claim['name']}: there is no test {test}")
    return wrong


def page() -> str:
    """The page."""
    parts = [HEAD + _clients()]
    for title, start in (("OpenAI", "/v1/"), ("Ollama", "/api/"), ("The server", "")):
        parts.append(f"\n## {title}\n")
        parts.extend(_call(claim) for claim in claims() if _belongs(claim["name"], start))
    return "".join(parts)


def _belongs(name: str, start: str) -> bool:
    path = name.partition(" ")[2]
    if start:
        return path.startswith(start)
    return not path.startswith(("/v1/", "/api/"))


def _clients() -> str:
    listed = (CLIENTS / "requirements.in").read_text(encoding="utf-8").splitlines()
    python = [line.replace("==", " ") for line in listed if "==" in line and "thesis" not in line]
    package = json.loads((CLIENTS / "package.json").read_text(encoding="utf-8"))
    javascript = [f"{name} {version}" for name, version in package["dependencies"].items()]
    return f"- Python: {', '.join(python)}\n- npm: {', '.join(javascript)}\n"


def _call(claim: Mapping[str, Any]) -> str:
    lines = [f"\n### `{claim['name']}`\n\n"]
    if "later" in claim:
        lines.append(f"Different: {claim['later']} ")
    lines.append(f"Tests: {', '.join(map(_link, claim['tests']))}.\n")
    done, differs = claim.get("done", {}), claim.get("differs", {})
    if done or differs:
        lines.append("\n| field | | shown by |\n|---|---|---|\n")
    lines += [f"| `{field}` | done | {_link(test)} |\n" for field, test in done.items()]
    for field, (why, test) in differs.items():
        shown = f"`{field}`" if " " not in field else field
        lines.append(f"| {shown} | different: {why} | {_link(test)} |\n")
    return "".join(lines)


def _link(test: str) -> str:
    name = test.partition("::")[2].removeprefix("test_").replace("_", " ")
    path = known_tests().get(test)
    if path is None:
        return name
    return f"[{name}](../{path.relative_to(TESTS.parent).as_posix()})"


if __name__ == "__main__":
    sys.stdout.write(page())
