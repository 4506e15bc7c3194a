"""The doctor: the optional is missing, the damaged is wrong, and both say how to mend it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import pytest

from metier.assembly.candidates import General
from metier.cli.doctor import examine


def states(facade: Any) -> dict[str, str]:
    return {finding.name: finding.state for finding in examine(facade)}


def test_what_is_optional_is_missing_and_not_wrong(metier: Any, facade: Any) -> None:
    del facade.items["all-minilm-l6-v2"]
    outcome = metier("doctor")
    assert outcome.code == 0
    assert states(facade)["encoder"] == "missing"
    assert states(facade)["general model"] == "missing"
    assert "metier up" in outcome.out
    assert "METIER_GENERAL_URL" in outcome.out
    assert "metier pull hf.co/somebody/model" in " ".join(outcome.out.split())


def test_a_model_of_this_machine_is_the_general_one(metier: Any, facade: Any) -> None:
    facade.general = General("qwen", "qwen", "No other model here writes.")
    assert "qwen. No other model here writes." in metier("doctor").out
    assert states(facade)["general model"] == "here"


def test_what_is_here_is_named(metier: Any, facade: Any) -> None:
    facade.settings = replace(
        facade.settings, general_url="http://127.0.0.1:1/v1", general_model="big-1"
    )
    out = metier("doctor").out
    assert "big-1 at http://127.0.0.1:1/v1" in out
    assert "all-minilm-l6-v2, 91.0 MB" in out
    assert "41 checked, no problems" in out


def test_a_damaged_store_is_wrong(metier: Any, facade: Any) -> None:
    facade.problems = [{"what": "the bytes differ."}]
    outcome = metier("doctor", "--json")
    assert outcome.code == 1
    found = {item["name"]: item for item in outcome.json()["findings"]}
    assert found["store"]["state"] == "wrong"
    assert found["store"]["remedy"] == "metier verify"


def test_git_is_looked_for(facade: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert states(facade)["git"] == "missing"
    monkeypatch.setattr(shutil, "which", lambda _name: "/bin/git")
    assert states(facade)["git"] == "here"


def test_a_home_that_does_not_exist_yet_has_a_disk(facade: Any) -> None:
    facade.settings = replace(facade.settings, home=facade.settings.home / "not" / "yet")
    assert states(facade)["disk"] in ("here", "wrong")


def test_tools_packs_sandbox_and_services_are_looked_for(metier: Any, facade: Any) -> None:
    found = {finding.name: finding for finding in examine(facade)}
    assert found["documents"].state == "missing"
    assert found["services"].state == "missing"
    assert "services.toml" in (found["services"].remedy or "")
    assert found["sandbox"].state in ("here", "missing")
    if found["sandbox"].state == "here":
        assert found["  contains"].found
        assert found["  does not"].found
    toolchain = found.get("svelte@5")
    if toolchain is not None:
        assert toolchain.remedy == "metier doctor --install svelte@5"


def test_services_are_named_and_no_key_is_shown(
    metier: Any, facade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facade, "services", lambda: ["mine"])
    facade.settings = replace(facade.settings, base="remote:mine", general_key="sk-secret")
    out = metier("doctor").out
    assert "remote:mine; METIER_BASE is remote:mine" in " ".join(out.split())
    assert "sk-secret" not in out


def test_an_unknown_toolchain_is_input(metier: Any) -> None:
    outcome = metier("doctor", "--install", "vue@3")
    assert outcome.code == 2
    assert "svelte@5" in outcome.err


def test_an_encoder_of_pictures_is_none_of_texts(facade: Any) -> None:
    facade.items["all-minilm-l6-v2"] = replace(facade.items["all-minilm-l6-v2"], sees=True)
    assert states(facade)["encoder"] == "missing"
