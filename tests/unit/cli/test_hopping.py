"""``metier hop`` and ``metier rollback``: what is said, and how they end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import workshop
from metier.assembly import Metier
from metier.cli import main
from metier.cli.session import Session


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hop") / "home"
    home.mkdir()
    metier = workshop.opened(home)
    data = workshop.tickets(home / "data", train=40, held_out=40)
    recipe = workshop.recipe(metier, data, name="tickets", curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority", "static")})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    metier.close()
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "home")
    return tmp_path / "home"


def told(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error over a real home."""
    session = Session(lambda: Metier.open(workshop.settings(home)))
    with pytest.raises(SystemExit) as ended:
        main([*words], obj=session)
    caught = capsys.readouterr()
    return int(ended.value.code or 0), " ".join(caught.out.split()), caught.err


def test_a_win_is_told_with_the_way_back(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(home, capsys, "hop", "tickets", "--base", "tiny")
    assert code == 0
    assert "tickets stood on tiny@static." in out
    assert "▲ WIN" in out
    assert "WIN: promoted." in out
    assert "metier rollback tickets puts the one before back" in out
    assert "Making tickets on tiny." in err
    code, out, _ = told(home, capsys, "hop", "tickets")
    assert code == 0
    assert "1 act of hopping" in out
    code, out, _ = told(home, capsys, "rollback", "tickets")
    assert code == 0
    assert "answers again" in out
    code, out, _ = told(home, capsys, "rollback", "tickets", "--json")
    assert json.loads(out)["name"] == "tickets"
    assert json.loads(out)["act"] == "rollback"


def test_nothing_promoted_is_exit_code_1_with_the_reason(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("hop", "tickets", "--base", "tiny@encoder")
    code, out, _ = told(home, capsys, *words)
    assert code == 1
    assert "LOSS" in out
    assert "tickets stays as it was." in out
    assert "metier rollback tickets --to rejected-" in out
    code, out, err = told(home, capsys, *words, "--json")
    assert (code, err) == (1, "")
    document = json.loads(out)
    assert document["promoted"] is None
    assert document["challengers"][0]["ground"] == "loss"


def test_every_new_base_leaves_out_what_was_tried(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(home, capsys, "hop", "tickets", "--every-new-base", "--json")
    assert code == 0
    assert [one["key"] for one in json.loads(out)["challengers"]] == ["tiny"]
    code, out, _ = told(home, capsys, "hop", "tickets", "--every-new-base", "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "no_bases"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("hop", "tickets", "--base", "tiny@static"), 2, "already"),
        (("hop", "tickets", "--base", "team/absent"), 3, "metier pull team/absent"),
        (("hop", "tickets", "--budget", "2m"), 2, "No base is named"),
        (("hop", "absent", "--base", "tiny"), 2, "There is no 'absent' here"),
        (("hop", "tickets@previous", "--base", "tiny"), 2, "has no 'previous'"),
        (("rollback", "tickets"), 2, "metier hop tickets"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    ended, _, err = told(home, capsys, *words)
    assert ended == code
    assert said in " ".join(err.split())


def test_without_a_base_history_and_bases_are_shown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(home, capsys, "hop", "tickets")
    assert code == 0
    assert "tickets has not hopped yet." in out
    assert "metier hop tickets --base tiny" in out
    code, out, _ = told(home, capsys, "hop", "tickets", "--json")
    document = json.loads(out)
    assert document["history"] == []
    assert document["bases"][0]["key"] == "tiny"


def test_a_pack_moves_to_other_documents(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for folder, words in (("old", "before"), ("new", "after")):
        (tmp_path / folder).mkdir()
        for number in range(12):
            text = " ".join(f"{words} {number}x{place}" for place in range(12))
            (tmp_path / folder / f"{number}.md").write_text(f"# Page {words} {number}\n\n{text}\n")
    metier = Metier.open(workshop.settings(home))
    metier.make(metier.pack_recipe(tmp_path / "old", name="pages"), folder=tmp_path)
    metier.close()
    code, out, err = told(home, capsys, "hop", "pages", "--docs", str(tmp_path / "new"))
    assert code == 0
    assert "what changed +100.0 points" in out
    assert "are sealed: sha256:" in " ".join(err.split())
    code, _, err = told(home, capsys, "hop", "pages", "--docs", "kit@3")
    assert code == 2
    assert "holds no documents of kit" in err
    code, _, err = told(home, capsys, "hop", "pages", "--docs", "kit@3", "--base", "tiny")
    assert code == 2
    assert "--base is not for this hop" in err
    code, _, err = told(home, capsys, "hop", "tickets", "--base", "tiny", "--on", "svelte")
    assert code == 2
    assert "--on is not for this hop" in err
