"""``metier catalog``: add, list, update, remove, build and verify as a person sees them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metier.assembly import Metier, resolving
from metier.assembly.resolving import Checked
from metier.catalog import curated
from metier.cli import main
from metier.cli.session import Session
from metier.settings import Settings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``metier WORDS`` over a real home that may ask no network."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    facade = Metier.open(Settings(home=tmp_path / "home", hub_offline=True))

    def command(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(words, obj=Session(lambda: facade))
        told = capsys.readouterr()
        return int(str(ended.value.code)), told.out, told.err

    return command


def test_build_add_list_update_remove(run: Run, tmp_path: Path) -> None:
    folder = str(tmp_path / "out")
    entries = len(curated.entries())

    code, out, _ = run("catalog", "build", folder, "--from", "curated", "--name", "ours")
    assert code == 0
    assert out.startswith(f"Wrote {entries} entries, 0 cards, ")
    assert out.splitlines()[-1] == f"Try it:  metier catalog add {folder}"
    code, out, _ = run("catalog", "add", folder, "--name", "theirs")
    assert out.splitlines()[-1] == "Search it:  metier find WORDS --origin theirs"
    code, out, _ = run("catalog", "list")
    assert [line.split()[:2] for line in out.splitlines()[1:3]] == [
        ["curated", str(entries)], ["theirs", str(entries)],
    ]  # fmt: skip
    code, out, _ = run("catalog", "update", "theirs")
    assert (code, out) == (0, f"theirs: {entries} entries, as it was.\n")
    code, out, _ = run("catalog", "remove", "theirs")
    assert (code, out) == (0, "Removed the catalogue theirs.\n")
    assert "metier catalog add URL" in run("catalog", "update")[1]
    assert "metier catalog add URL" in run("catalog", "list")[1]


def test_json_of_each(run: Run, tmp_path: Path) -> None:
    folder = str(tmp_path / "out")

    def told(*words: str) -> Any:
        code, out, err = run("catalog", *words, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    assert told("build", folder, "--from", "curated", "--name", "ours")["name"] == "ours"
    assert told("add", folder)["catalogue"]["name"] == "ours"
    assert [one["address"] for one in told("list")["catalogues"]] == [folder]
    assert told("update")["catalogues"][0]["changed"] is False
    assert told("remove", "ours") == {"removed": "ours"}


def test_an_update_that_fails_keeps_the_old_and_says_so(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    run("catalog", "build", str(folder), "--from", "curated", "--name", "ours")
    run("catalog", "add", str(folder))
    (folder / "catalogue.json").unlink()

    code, out, _ = run("catalog", "update")

    assert code == 3
    assert out.splitlines()[0] == f"ours: {len(curated.entries())} entries, as it was."
    assert "it is not there" in " ".join(out.split())


def test_errors_have_their_exit_codes(run: Run) -> None:
    assert run("catalog", "remove", "none")[0] == 2
    assert run("catalog", "add", "https://example.org/c")[0] == 3
    assert run("catalog", "verify")[0] == 3
    assert run("catalog", "build", "x", "--name", "Not A Name")[0] == 2


@pytest.mark.parametrize(
    ("standings", "code"),
    [
        (["same", "same"], 0),
        (["same", "changed"], 1),
        (["gone", "unreachable"], 1),
        (["same", "unreachable"], 3),
    ],
)
def test_verify_ends_by_what_it_found(
    run: Run, monkeypatch: pytest.MonkeyPatch, standings: list[Any], code: int
) -> None:
    checked = [Checked("a/b", "licence", one, "MIT", "Apache-2.0") for one in standings]
    monkeypatch.setattr(resolving, "check_curated", lambda *_args, **_told: checked)

    ended, out, _ = run("catalog", "verify")
    _, document, _ = run("catalog", "verify", "--json")

    assert ended == code
    assert out.splitlines()[-1].startswith("2 facts: ")
    assert ("a/b  licence" in out) == (code == 1)
    assert json.loads(document)["exit_code"] == code
