"""The rules of the house for documents: they are short, reachable and true.

Links resolve, commands exist, the changelog has the code's version, every decision has its four
parts and stands in the index, and no file names a machine or a package index.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import metier

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README_LINES = 150
DECISION_PARTS = ("Context", "Decision", "Evidence", "What would change our mind")

# Written in pieces, because this file obeys the rule that it checks.
FORBIDDEN = {
    "a package index": re.compile(
        "|".join(
            re.escape(".".join(parts))
            for parts in (
                ("pypi", "org"),
                ("pythonhosted", "org"),
                ("npmjs", "org"),
                ("deb", "debian", "org"),
            )
        )
        + r"|-{2}(extra-)?index-url|-{2}trusted-host"
    ),
    "a path of one machine": re.compile(
        r"(?<![\w.])("
        + "|".join(("/" + "work/", "/" + "root/", "/" + r"home/\w", "/" + r"Users/\w"))
        + ")"
    ),
}


def tracked() -> list[Path]:
    """Tracked and new files; ignored ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return sorted({ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()})


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    return [path for path in tracked() if path.suffix == ".md"]


def outside_code(text: str) -> str:
    """The text without fenced blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))


def links(text: str) -> list[str]:
    """Targets of the links that lead to a file of ours, images included."""
    targets = re.findall(r"\]\(([^)\s]+)\)", outside_code(text))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """Names that headings can be linked by, the way code hosts make them."""
    headings = re.findall(
        r"^#+ +(.+?) *$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path, text: str) -> list[str]:
    """Links of a document that lead nowhere."""
    found = []
    for target in links(text):
        name, _, anchor = target.partition("#")
        goal = (path.parent / name).resolve() if name else path
        if not goal.exists():
            found.append(target)
        elif anchor and goal.suffix == ".md":
            goal_text = goal.read_text(encoding="utf-8") if name else text
            if anchor not in anchors(goal_text):
                found.append(target)
    return found


def fenced(text: str, *languages: str) -> Iterator[str]:
    """The fenced blocks in one of the languages."""
    for language, body in re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.S | re.M):
        if language in languages:
            yield body


def commands(text: str) -> list[list[str]]:
    """Shell commands of a document: lines of its sh blocks, joined where they go on."""
    found = []
    for block in fenced(text, "sh", "bash", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words:
                found.append(words)
    return found


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def guides() -> list[Path]:
    """The documents whose commands people type."""
    return [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((DOCS / "tutorial").glob("*.md")),
        *sorted((DOCS / "how-to").glob("*.md")),
    ]


def test_the_readers_find_what_they_look_for(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = "# A `b`: c\n[x](nowhere.md) [y](#a-b-c) [z](#gone) `[no](link)`\n"
    page.write_text(text, encoding="utf-8")
    assert broken_links(page, text) == ["nowhere.md", "#gone"]
    assert commands("```sh\nmake up \\\n  X=1  # serve\n```\n") == [["make", "up", "X=1"]]
    index = ".".join(("pypi", "org"))
    assert FORBIDDEN["a package index"].search(f"see {index}")
    assert FORBIDDEN["a path of one machine"].search("in " + "/" + "home/ada/x")
    assert not FORBIDDEN["a path of one machine"].search("homework/1")


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_resolve(path: Path) -> None:
    assert broken_links(path, path.read_text(encoding="utf-8")) == []


def test_every_page_can_be_reached() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md" or not path.exists():
            continue
        seen.add(path)
        targets = (name.partition("#")[0] for name in links(path.read_text(encoding="utf-8")))
        waiting += [(path.parent / target).resolve() for target in targets if target]
    lost = [path.relative_to(ROOT).as_posix() for path in documents() if path not in seen]
    assert lost == [], "link these pages from docs/README.md or from a page that is"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


def test_the_changelog_has_the_version_of_the_code() -> None:
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert heading
    assert heading.group(1) == metier.__version__


@pytest.mark.parametrize("path", guides(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for words in commands(text):
        command = words[0].removeprefix(".venv/bin/")
        if command == "make":
            named = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
            assert set(named) <= make_targets(), words
        elif command == "metier":
            assert unknown_to_the_command_line(words[1:]) == [], words
        elif "/" in words[0] and not words[0].startswith(".venv"):
            assert (ROOT / words[0]).exists(), words
        elif command in ("python", "python3") and words[1:] and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), words


def test_commands_that_programs_name_have_their_options() -> None:
    """Remedies, hints and pages tell people what to type."""
    import click

    from metier.cli.program import program

    said = re.compile(r"metier ([a-z][a-z-]+)((?:(?!metier )[^'\"`\n;<])*)")
    option = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
    verbs = program.list_commands(click.Context(program))
    package = ROOT / "src" / "metier"
    seen, wrong = 0, []
    for path in sorted(
        path for kind in ("py", "html", "toml") for path in package.rglob(f"*.{kind}")
    ):
        for verb, rest in said.findall(path.read_text(encoding="utf-8")):
            if verb not in verbs:
                continue  # a word of prose
            for name in option.findall(rest):
                words = [*rest.split(name)[0].split(), name]
                inner = [word for word in words if word == name or word.isalpha()]
                seen += 1
                if name != "--json" and name in unknown_to_the_command_line([verb, *inner]):
                    wrong.append(f"{path.relative_to(ROOT)}: metier {verb} {name}")
    assert wrong == []
    assert seen > 50


def unknown_to_the_command_line(words: list[str]) -> list[str]:
    """Verbs and options that ``metier`` does not have."""
    if importlib.util.find_spec("metier.cli") is None:
        pytest.skip("the command line is not part of this tree")
    import click

    from metier.cli.program import program

    command: click.Command = program
    context = click.Context(command)
    unknown = []
    for word in words:
        if word.startswith("--"):
            options = {name for parameter in command.params for name in parameter.opts}
            if word.partition("=")[0] not in options | {"--help", "--version"}:
                unknown.append(word)
        elif isinstance(command, click.Group):
            inner = command.get_command(context, word)
            if inner is None:
                return [*unknown, word]
            command = inner
    return unknown


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_python_in_documents_is_python(path: Path) -> None:
    for block in fenced(path.read_text(encoding="utf-8"), "python"):
        ast.parse(re.sub(r"^(>>>|\.\.\.) ?", "", block, flags=re.M))


def decisions() -> list[Path]:
    return sorted((DOCS / "decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("path", decisions(), ids=lambda path: path.stem)
def test_a_decision_has_its_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.fullmatch(r"[0-9]{4}-[a-z0-9-]+", path.stem)
    headings = re.findall(r"^#+ (.+?)$", text, re.M)
    bold = re.findall(r"^\*\*(.+?)[.:]?\*\*", text, re.M)
    found = {name.strip(" .:").lower() for name in headings + bold}
    assert {part.lower() for part in DECISION_PARTS} <= found
    assert re.search(r"[0-9]", text), "a decision rests on a number"
    assert len(text.splitlines()) <= 80, "one page"


def test_every_decision_stands_in_the_index() -> None:
    index = links((DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))
    assert decisions()
    assert sorted(path.name for path in decisions()) == sorted(
        {name for name in index if name[0].isdigit()}
    )
    numbers = [path.name[:4] for path in decisions()]
    assert len(numbers) == len(set(numbers)), "two decisions have one number"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names_a_machine_or_an_index(what: str) -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)
