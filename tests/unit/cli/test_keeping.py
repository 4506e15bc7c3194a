"""Keeping: the list, the card, removal, garbage and verification as a person sees them."""

from __future__ import annotations

from typing import Any

from metier.errors import CorruptError
from metier.reference import Reference


def test_list_is_aligned_specialists_first(metier: Any) -> None:
    lines = metier("list").out.splitlines()
    assert lines[0].split() == ["name", "task", "accuracy", "over", "base", "size", "ms"]
    assert lines[1].split() == [
        "banking-intents", "classify", "93.6", "%", "[92.7", "to", "94.5]", "+31.3", "▲", "WIN",
        "118", "kB", "2.9",
    ]  # fmt: skip
    assert "not measured" in lines[2]
    assert lines[3].split() == ["all-minilm-l6-v2", "base", "91.0", "MB"]
    assert max(len(line) for line in lines) <= 80
    assert lines[1].index("▲") > lines[0].index("over base")


def test_list_json(metier: Any) -> None:
    document = metier("list", "--json").json()
    assert document["damaged"] == []
    first, _, base = document["installed"]
    assert first["name"] == "banking-intents"
    assert first["accuracy"]["value"] == 0.936
    assert first["against_base"]["verdict"] == "WIN"
    assert first["digest"].startswith("sha256:")
    assert base["kind"] == "base"
    assert "accuracy" not in base


def test_an_empty_fleet_says_what_to_do_first(metier: Any, facade: Any) -> None:
    facade.items.clear()
    assert "metier make --data FILE --name NAME" in metier("list").out
    assert metier("list", "--json").json() == {"installed": [], "damaged": []}


def test_what_is_damaged_is_said_beside_the_list(metier: Any, facade: Any) -> None:
    facade.fleet.damaged[Reference("old")] = CorruptError("A manifest is not valid.")
    outcome = metier("list")
    assert "old is damaged: A manifest is not valid. See metier verify." in outcome.err
    assert "old" not in outcome.out
    assert metier("list", "--json").json()["damaged"][0]["name"] == "old"


def test_show_is_the_ladder_and_the_card(metier: Any) -> None:
    out = metier("show", "banking-intents").out
    assert out.splitlines()[0].split()[0] == "rung"
    assert out.splitlines()[-1] == 'Run it:  metier run banking-intents "your text"'
    assert metier("show", "banking-intents", "--json").json()["card"]["seed"] == 0


def test_show_a_base(metier: Any) -> None:
    out = metier("show", "all-minilm-l6-v2").out
    assert "size    91.0 MB" in out
    assert "stored  12 Nov 2026" in out


def test_show_the_recipe_is_the_recipe(metier: Any) -> None:
    told = 'format = 1\n[specialist]\nname = "x"\n'
    assert metier("show", "banking-intents", "--recipe").out == told
    assert metier("show", "banking-intents", "--recipe", "--json").json()["recipe"] == told


def test_show_results(metier: Any, facade: Any) -> None:
    assert metier("show", "banking-intents", "--results").out.startswith("results/base.jsonl")
    document = metier("show", "banking-intents", "--results", "--json").json()
    assert [part["filepath"] for part in document["results"]] == ["results/base.jsonl"]
    assert metier("show", "banking-intents", "--results", "--recipe").code == 2
    facade.fleet.files.clear()
    assert metier("show", "banking-intents", "--results").out == (
        "banking-intents has no results.\n"
    )
    assert metier("show", "banking-intents", "--recipe").code == 2


def test_an_unknown_name_is_input_with_near_names(metier: Any) -> None:
    outcome = metier("show", "banking")
    assert outcome.code == 2
    assert "Did you mean banking-intents?" in outcome.err


def test_rm_removes_all_or_none(metier: Any, facade: Any) -> None:
    assert metier("rm", "sms-spam", "nope").code == 2
    assert "sms-spam" in facade.items
    outcome = metier("rm", "sms-spam", "banking-intents")
    assert outcome.out == "Removed sms-spam, banking-intents.\nFree the space:  metier gc\n"
    assert list(facade.items) == ["all-minilm-l6-v2"]
    assert metier("rm", "all-minilm-l6-v2", "--json").json() == {"removed": ["all-minilm-l6-v2"]}


def test_gc(metier: Any, facade: Any) -> None:
    assert metier("gc").out == "Removed 3 files, 412 kB.\n"
    assert metier("gc", "--json").json() == {"removed": 3, "bytes": 412_000}
    facade.collect_garbage = lambda: {"removed": 0, "bytes": 0}
    assert metier("gc").out == "Nothing to remove.\n"


def test_verify(metier: Any, facade: Any) -> None:
    assert metier("verify").out == "41 checked, no problems.\n"
    facade.problems = [
        {"what": "the bytes differ.", "where": "blob ab", "remedy": "Make it again."}
    ]
    outcome = metier("verify", "--remake")
    assert outcome.code == 1
    assert "blob ab: the bytes differ. What to do: Make it again." in outcome.out
    assert "41 checked, 1 problem." in outcome.out
    assert "sms-spam made again: other bytes, 99.9 % equal answers" in outcome.out
    assert facade.calls[-1] == ("verify", {"remake": True})
    told = metier("verify", "--json")
    assert told.code == 1
    assert told.json()["problems"] == facade.problems
