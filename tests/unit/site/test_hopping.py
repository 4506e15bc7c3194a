"""What a page shows of hops: the form's bases, what stands beside it, acts in words."""

from __future__ import annotations

from typing import Any

from metier.assembly.bases import BaseChoice
from metier.assembly.versions import Version
from metier.hop import Done, Offer
from metier.site.hopping import MOST_SHOWN, base_box, section
from stand_in.hopping import NEW, OLD, put_aside


def document(**more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": "triage",
        "champion": "triage",
        "task": "classify",
        "versions": [],
        "evals": [],
        "side": "",
        "base": "small@static",
        "previous": None,
        "aside": [],
        "history": [],
        "bases": [Offer("small", here=True, note="", command="x").to_dict()],
    }
    return {**told, **more}


def test_what_cannot_hop_and_never_did_has_no_section() -> None:
    assert section(None) is None
    assert section(document(base="", bases=[])) is None
    assert section(document(base="", side="previous")) is not None


def test_bases_that_are_here_and_those_to_pull() -> None:
    offer = Offer("hf.co/team/large", here=False, note="91 MB", command="metier pull z")
    found = section(document(bases=[*document()["bases"], offer.to_dict()]))
    assert found is not None
    assert found["here"] == ["small"]
    assert [one["command"] for one in found["elsewhere"]] == ["metier pull z"]
    assert found["command"] == "metier hop triage --base small"
    bare = section(document(bases=[]))
    assert bare is not None
    assert bare["command"] == "metier hop triage --base REF"


def test_a_pack_hops_to_versions_that_it_does_not_hold() -> None:
    told = [Version("kit@2", "kit@2", held=True, command="x").to_dict()]
    found = section(document(task="search", base="", bases=[], versions=told))
    assert found is not None
    assert (found["way"], found["held"], found["versions"]) == ("docs", ["kit@2"], [])
    assert found["command"] == "metier hop triage --docs ./FOLDER"
    told.append(Version("kit@3", "kit@2", held=False, command="x").to_dict())
    found = section(document(task="search", base="", bases=[], versions=told))
    assert found is not None
    assert found["versions"] == [{"key": "kit@3", "replaces": "kit@2"}]
    assert found["command"] == "metier hop triage --docs kit@3"
    assert section(document(task="search", base="", bases=[])) is None


def test_a_chat_specialist_hops_to_a_base_on_an_eval() -> None:
    told = document(task="chat", base="", evals=["svelte", "python"])
    found = section(told)
    assert found is not None
    assert (found["way"], found["evals"]) == ("chat", ["svelte", "python"])
    assert found["command"] == "metier hop triage --base small --on svelte"
    assert section(document(task="chat", base="remote:mine")) is None


def test_its_own_base_is_selected_once_it_has_one() -> None:
    bases = [
        BaseChoice("remote:mine", here=True, model="m", note=""),
        BaseChoice("local:small", here=True, model="s", note=""),
    ]
    bare = base_box(document(base=""), bases, "")
    assert (bare["base_chosen"], bare["base_none"][:4]) == ("", "none")
    own = base_box(document(base="small"), bases, "")
    assert (own["own"], own["base_chosen"], own["base_none"]) == ("local:small", "local:small", "")
    assert base_box(document(base="small"), bases, "remote:mine")["base_chosen"] == "remote:mine"
    gone = base_box(document(base="remote:gone"), bases, "")
    assert (gone["base_chosen"], gone["base_none"]) == (
        "",
        "its own, which is not here: remote:gone",
    )


def test_what_stands_beside_it_has_the_command_that_brings_it_back() -> None:
    found = section(
        document(
            previous=put_aside("triage", "previous"),
            aside=[put_aside("triage", "rejected-0123abcd")],
        )
    )
    assert found is not None
    assert found["previous"]["page"] == "/specialists/triage@previous"
    assert found["previous"]["score"] == "78.4\u202f%"
    assert found["aside"][0]["command"] == "metier rollback triage --to rejected-0123abcd"


def test_acts_in_words_and_signs() -> None:
    acts = [
        Done("hop", "2026-11-23T10:00:00Z", OLD, NEW, "won", suspect=True),
        Done("kept", "2026-11-22T10:00:00Z", OLD, NEW, "lost", ground="loss"),
        Done("kept", "2026-11-21T10:00:00Z", OLD, NEW, "unclear", ground="underpowered"),
        Done("rollback", "2026-11-20T10:00:00Z", OLD, NEW, "back"),
        Done("by-hand", "2026-11-19T10:00:00Z", OLD, NEW, "forced"),
    ]
    found = section(document(history=[one.to_dict() for one in acts] * 20))
    assert found is not None
    assert len(found["history"]) == MOST_SHOWN
    styles = [one["act"].style for one in found["history"][:5]]
    assert styles == ["win", "loss", "underpowered", "tie", "not-worse"]
    assert found["history"][0]["suspect"]
    assert all(one["act"].sign and one["act"].word for one in found["history"])
