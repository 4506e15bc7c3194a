"""The doctor: the optional is missing, the damaged is wrong, and both say how to mend it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import pytest

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
