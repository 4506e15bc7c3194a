"""``metier watch`` over a real home: what it shows, its exit codes, and what is refused."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import workshop
from loopback import serving
from metier.assembly import Metier
from metier.cli import main
from metier.cli.session import Session
from metier.cli.terminal import UNICODE
from metier.cli.watching import odds, track_lines, track_words
from metier.evals.items import read_eval
from metier.watching import Track
from stand_in.watching import OPEN, WORSE
from watched_home import NAME, knowing, made, unlike, with_general, written


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("watched")
    made(home).close()
    return home


@pytest.fixture
def metier(template: Path, tmp_path: Path) -> Metier:
    shutil.copytree(template, tmp_path / "home", symlinks=True)
    return workshop.opened(tmp_path / "home", base=False)


class Ran:
    """How a run ended."""

    def __init__(self, metier: Metier, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                main(words, obj=Session(lambda: metier))
        self.code = ended.value.code
        self.out, self.err = out.getvalue(), err.getvalue()


def test_it_shows_state_reason_and_tracks(metier: Metier, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = Ran(metier, monkeypatch, ["watch", NAME])
    assert ran.code == 0
    assert f"{NAME}  PROMOTED since" in ran.out
    assert "60 new pairs" in ran.out
    assert "no general model is configured" in ran.out
    assert "base: tiny on label names" in ran.out
    assert "Add fresh items: metier watch tickets --fresh FILE" in ran.out
    document = json.loads(Ran(metier, monkeypatch, ["watch", "--json"]).out)
    assert [look["name"] for look in document["looks"]] == [NAME]
    assert document["looks"][0]["added"] == 0
    assert document["exit_code"] == 0
    assert document["asks"] == "nobody over a network"


def test_a_lost_route_is_exit_code_1_and_stays_it(
    metier: Metier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (path,) = (metier.settings.home / "evals").glob("*.jsonl")
    known = [{"text": item.text, "label": item.label} for item in read_eval(path).items]
    rows = [{**row, "label": "returns"} for row in unlike(40)]
    fresh = written(tmp_path / "fresh.jsonl", rows)
    with serving(knowing([*known, *rows])) as (_, url):
        able = with_general(metier, url)
        ran = Ran(able, monkeypatch, ["watch", NAME, "--fresh", str(fresh)])
        assert ran.code == 1
        assert "160 fresh items of 160 rows sealed" in ran.out
        assert "was " not in ran.out.splitlines()[3]
        assert "Hop to another base: metier hop tickets" in ran.out
        again = Ran(able, monkeypatch, ["watch", NAME, "--json"])
    assert again.code == 1
    assert any(one["kind"] == "demoted" for one in json.loads(again.out)["notices"])
    assert "DEMOTED" in Ran(metier, monkeypatch, ["list"]).out


def test_the_same_fresh_file_again_goes_on_with_the_look(
    metier: Metier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fresh = str(written(tmp_path / "fresh.jsonl", unlike(3)))
    first = Ran(metier, monkeypatch, ["watch", NAME, "--fresh", fresh])
    again = Ran(metier, monkeypatch, ["watch", NAME, "--fresh", fresh])
    assert (first.code, again.code) == (0, 0)
    assert "were there before" in again.err
    assert "No new pair" in again.out


def test_who_could_not_be_asked_is_exit_code_3(
    metier: Metier, monkeypatch: pytest.MonkeyPatch
) -> None:
    able = with_general(metier, "http://127.0.0.1:9/v1")
    ran = Ran(able, monkeypatch, ["watch", NAME])
    assert ran.code == 3
    assert "Could not ask: The general model 'general-x' cannot be reached" in ran.out


@pytest.mark.parametrize(
    "words",
    [
        ["watch", "nobody"],
        ["watch", workshop.BASE],
        ["watch", "--fresh", "FILE"],
        ["watch", NAME, "other", "--fresh", "FILE"],
        ["watch", "--erase-texts"],
        ["watch", NAME, "--fresh", "not-there.csv"],
        ["watch", NAME, "--fresh", "FILE"],
    ],
)
def test_what_cannot_be_is_the_persons_input(
    metier: Metier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\x00\xff not a table\x01\n\n")
    told = [str(bad) if word == "FILE" else word for word in words]
    assert Ran(metier, monkeypatch, told).code == 2


def test_texts_of_feedback_are_erased(metier: Metier, monkeypatch: pytest.MonkeyPatch) -> None:
    metier.watching.feedback(NAME, text="my parcel", label="delivery", keep=True)
    ran = Ran(metier, monkeypatch, ["watch", NAME, "--erase-texts"])
    assert (ran.code, ran.out) == (0, "1 text erased. Thumbs and counts stay.\n")
    assert json.loads(Ran(metier, monkeypatch, ["watch", NAME, "--erase-texts", "--json"]).out) == {
        "name": NAME,
        "erased": 0,
    }


def test_e_values_are_said_in_words() -> None:
    assert odds(20.4) == "20 to 1"
    assert odds(12_345.0) == "12,345 to 1"
    assert odds(4e7) == "10^7 to 1"
    assert track_words(WORSE) == "worse (10^7 to 1)"
    assert track_words(OPEN) == "open: about 688 more"

    def found(**told: Any) -> str:
        return track_words(Track("base", "b", 9, 5, 1, 0.4, 0.1, 0.7, **told))

    assert found(for_it=30.0, against_it=0.1, not_worse=40.0) == "better (30 to 1)"
    assert found(for_it=3.0, against_it=0.1, not_worse=40.0) == "not worse (40 to 1)"
    assert found(for_it=3.0, against_it=0.1, not_worse=4.0) == "open"
    rows = track_lines([WORSE, OPEN], UNICODE)
    assert "fresh" in rows[2].plain
