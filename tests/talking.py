"""A home folder with a chat specialist over Python, its document pack, and a scripted service.

The tool is the real one, the pack is built and searched for real (by words, without an encoder),
and the base is a real HTTP service that says what the test wrote down.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from metier.assembly import Metier
from metier.recipe import ChatRecipe, SearchRecipe
from metier.settings import Settings
from scripted import Scripted, Seen, said, service

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "lists.md": "# Lists\n\nA list keeps items in order.\n\n## Sorting\n\nCall `sorted(items)`: it "
    "returns a new list and leaves the old one as it was.\n",
    "errors.md": "# Errors\n\n## Names\n\nA name that is not defined raises NameError.\n\n"
    "## Brackets\n\nA bracket that was never closed is a syntax error.\n",
}
CHAT = """
[specialist]
name = "helper"
task = "chat"
domain = "python"
description = "Writes Python."

[[base.alternatives]]
ref = "some-model"
note = "not measured"

[answer]
prompt = "You write Python."
packs = ["notes"]
tools = ["python"]
repairs = 1

[eval]
names = ["python"]
"""
RIGHT = "def double(a):\n    return 2 * a\n"
WRONG = "def double(a:\n    return 2 * a\n"


def bring_plugins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's own entry points, where the package is not installed but on the path."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    points = tables["entry-points"]["metier.tools"]
    place = folder / "metier_points-1.0.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: metier_points\nVersion: 1.0\n")
    lines = "\n".join(f"{name} = {value}" for name, value in points.items())
    (place / "entry_points.txt").write_text(f"[metier.tools]\n{lines}\n")
    monkeypatch.syspath_prepend(str(folder))


def documents(folder: Path) -> Path:
    """A folder of two pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def pack_recipe(folder: Path, name: str = "notes") -> SearchRecipe:
    """A pack of the two pages, searched by words."""
    return SearchRecipe.model_validate(
        {
            "specialist": {"name": name, "task": "search", "description": "Searches notes."},
            "base": {"ref": None},
            "data": [{"kind": "dir", "path": str(documents(folder)), "version": "notes@1"}],
        }
    )


def opened(home: Path, *, pack: bool = True, base: str | None = None) -> Metier:
    """A ``Metier`` with the specialist, and with its pack unless it is left out."""
    home.mkdir(parents=True, exist_ok=True)
    metier = Metier.open(Settings(home=home, base=base))
    if pack:
        metier.make(pack_recipe(home.parent / "documents"), folder=home)
    metier.make(ChatRecipe.from_toml(CHAT), folder=home)
    return metier


@contextmanager
def serving(home: Path, *script: str | Scripted) -> Iterator[Seen]:
    """A service ``remote:mine`` that says the script, one answer after the other."""
    home.mkdir(parents=True, exist_ok=True)
    with service() as seen:
        seen.script = [said(one) if isinstance(one, str) else one for one in script]
        (home / "services.toml").write_text(
            f'[mine]\nurl = "{seen.service.url}"\nmodel = "big-model"\n', encoding="utf-8"
        )
        yield seen


def block(code: str, path: str = "") -> str:
    """An answer that is one block of Python."""
    return f"Here it is.\n\n```python {path}\n{code}```\n"
