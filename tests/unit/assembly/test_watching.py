"""The watch over a real home: pairs, standings, what is asked and what is not asked again."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import workshop
from local_models import install_local
from loopback import serving
from metier.assembly import Metier, meetings
from metier.assembly.watching import due_at
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.evals.items import read_eval
from metier.messages import Progress
from tiny_gguf import tiny_model
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


def truths(metier: Metier) -> list[dict[str, str]]:
    """The specialist's own sealed items, with their labels."""
    (path,) = (metier.settings.home / "evals").glob("*.jsonl")
    return [{"text": item.text, "label": item.label} for item in read_eval(path).items]


def test_nobody_has_looked_at_first(metier: Metier) -> None:
    watching = metier.watching
    assert watching.standing(NAME) is None
    assert watching.standings() == {}
    assert watching.notices() == []
    assert watching.looked() is None
    document = watching.document(NAME)
    assert (document["standing"], document["history"], document["fresh_items"]) == (None, [], 0)
    with pytest.raises(NotFoundError):
        watching.standing("nobody")


def test_a_look_pairs_it_with_its_base_and_is_written_down(metier: Metier) -> None:
    (look,) = metier.watching.look([NAME])
    assert (look.name, look.before, look.added) == (NAME, "", 60)
    assert look.standing.state == "PROMOTED"
    assert any("no general model" in note for note in look.notes)
    (track,) = look.standing.tracks
    assert (track.rival, track.pairs, track.fresh) == ("base", 60, False)
    assert metier.watching.standing(NAME) == look.standing
    assert metier.watching.looked() is not None
    assert metier.ledger.verify_chain() == ()


def test_the_same_items_add_no_pair(metier: Metier) -> None:
    first = metier.watching.once([NAME])
    (look,) = metier.watching.look([NAME])
    assert look.added == 0
    assert look.standing.tracks == first[0].tracks
    assert len(metier.ledger.rows("outcomes")) == 1
    assert len(metier.ledger.rows("state")) == 2
    assert len(metier.watching.document(NAME)["history"]) == 2


def test_a_general_model_that_knows_better_takes_the_route(metier: Metier, tmp_path: Path) -> None:
    fresh = unlike(40)
    wrong = [{**row, "label": "returns"} for row in fresh[:150]]  # what people asked has moved
    rows = [*wrong, *fresh[150:]]
    with serving(knowing([*truths(metier), *rows])) as (asked, url):
        able = with_general(metier, url)
        able.watching.add_fresh(NAME, written(tmp_path / "fresh.jsonl", rows))
        (look,) = able.watching.look([NAME])
        count = len(asked.bodies)
        able.watching.look([NAME])
        assert len(asked.bodies) == count  # nobody is paid twice for the same answer
    assert look.standing.state in ("DEMOTED", "HOP")
    general = [track for track in look.standing.tracks if track.rival == "general"]
    assert {track.fresh for track in general} == {False, True}
    kinds = [notice.kind for notice in able.watching.notices()]
    assert "demoted" in kinds
    # Without that general model nobody is there who could take the route.
    (again,) = metier.watching.look([NAME])
    assert {track.rival for track in again.standing.tracks} == {"base"}


def test_a_general_model_of_this_machine_is_met_a_part_at_a_look(
    metier: Metier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real engine over a tiny model, which writes noise."""
    monkeypatch.setattr(meetings, "MOST_OF_A_MODEL", 4)
    install_local(metier.fleet, "noise", tiny_model(tmp_path))
    (unasked,) = metier.watching.look([NAME], background=True)
    assert {track.rival for track in unasked.standing.tracks} == {"base"}
    assert any("no second model is loaded" in note for note in unasked.notes)
    (first,) = metier.watching.look([NAME])
    assert first.added == 4
    assert any("56 are left" in note for note in first.notes)
    (second,) = metier.watching.look([NAME])
    metier.close()
    assert second.added == 4
    pairs = [(track.rival, track.pairs) for track in second.standing.tracks]
    assert sorted(pairs) == [("base", 60), ("general", 8)]


def test_a_service_as_base_is_the_general_model_on_any_day(
    metier: Metier, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(knowing(truths(metier))) as (asked, url):
        services = f'[mine]\nurl = "{url}"\nmodel = "big"\n'
        metier.settings.services.write_text(services)
        settings = replace(metier.settings, base="remote:mine")
        (first,) = Metier.open(settings).watching.look([NAME])
        assert {track.rival for track in first.standing.tracks} == {"base", "general"}
        count = len(asked.bodies)
        assert count >= 60
        monkeypatch.setattr("metier.assembly.bases._today", lambda: "2031-01-01")
        (again,) = Metier.open(settings).watching.look([NAME])
        assert (again.added, len(asked.bodies)) == (0, count)
    assert again.standing.tracks == first.standing.tracks


def test_a_general_model_that_is_not_there_is_told_and_stops_nothing(metier: Metier) -> None:
    able = with_general(metier, "http://127.0.0.1:9/v1")
    (look,) = able.watching.look([NAME])
    assert [problem.code for problem in look.problems] == ["general_unreachable"]
    assert {track.rival for track in look.standing.tracks} == {"base"}


def test_what_was_answered_is_kept_when_it_is_stopped(metier: Metier) -> None:
    with serving(knowing(truths(metier))) as (asked, url):
        able = with_general(metier, url)
        stop = threading.Event()

        def watched(progress: Progress) -> None:
            if "general-x" in progress.message:
                stop.set()

        with pytest.raises(UnavailableError) as stopped:
            able.watching.look([NAME], report=watched, cancelled=stop.is_set)
        assert stopped.value.code == "cancelled"
        before = len(asked.bodies)
        assert 0 < before < 60
        able.watching.look([NAME])
        assert len(asked.bodies) == 60
    assert able.ledger.verify_chain() == ()


def test_fresh_items_are_looked_at_and_refused_where_they_are_not(
    metier: Metier, tmp_path: Path
) -> None:
    rows = [*unlike(5), *truths(metier)[:3], {**unlike(1)[0], "date": "2999-01-01"}]
    added = metier.watching.add_fresh(NAME, written(tmp_path / "fresh.jsonl", rows))
    assert (added.rows, added.added, added.leaked, added.future) == (24, 20, 3, 1)
    assert (added.training_seen, added.eval_seen) == (True, True)
    (look,) = metier.watching.look([NAME])
    assert look.added == 80
    fresh = [track for track in look.standing.tracks if track.fresh]
    assert [track.pairs for track in fresh] == [20]
    with pytest.raises(InputError) as refused:
        metier.watching.add_fresh(NAME, tmp_path / "fresh.jsonl")
    assert refused.value.code == "nothing_fresh"


def test_a_right_label_makes_a_pair_and_a_thumb_makes_none(metier: Metier) -> None:
    text = unlike(1)[0]
    metier.watching.look([NAME])
    metier.watching.feedback(NAME, text=text["text"], thumb="down")
    assert metier.watching.look([NAME])[0].added == 0
    taken = metier.watching.feedback(NAME, text=text["text"], label=text["label"], keep=True)
    assert taken["kept_text"] is True
    (look,) = metier.watching.look([NAME])
    assert look.added == 1
    assert metier.watching.look([NAME])[0].added == 0
    assert metier.watching.thumbs(NAME).down == 1
    assert metier.watching.document(NAME)["labelled"] == 1
    assert metier.watching.erase_texts(NAME) == 1
    assert metier.watching.document(NAME)["labelled"] == 0
    assert metier.ledger.verify_chain() == ()


def test_what_cannot_be_watched_is_said(metier: Metier) -> None:
    with pytest.raises(InputError) as refused:
        metier.watching.look([workshop.BASE])
    assert refused.value.code == "not_watched"
    with pytest.raises(InputError):
        metier.watching.feedback(NAME, text="a text", label="no such label")
    assert metier.watching.names() == [NAME]


def test_a_schedule_goes_on_from_the_last_look(metier: Metier) -> None:
    now = datetime(2026, 11, 12, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert due_at(None, 60.0, now) == now
    assert due_at(now - hour, 7200.0, now) == now + hour
    assert due_at(now - hour, 60.0, now) == now
    assert metier.watching.schedule()["every"] is None
    metier.watching.every = 60.0
    told = metier.watching.schedule()
    assert told["next"] is not None
    assert told["asks"] == "nobody over a network"
