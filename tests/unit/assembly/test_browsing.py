"""Plans of a home: which specialists have one, how long it is kept, and where the assets lie."""

from __future__ import annotations

import json

import pytest

import running_fleet
import tiny_bert
import workshop
from metier.assembly import Metier, browsing
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.manifest import KIND, TASK
from metier.reference import Reference
from toolchain import needs, toolchains


@pytest.fixture
def metier(tmp_path) -> Metier:
    return running_fleet.opened(tmp_path / "home")


def test_a_plan_is_made_once_and_anew_for_another_specialist_of_the_name(metier) -> None:
    plan = metier.browsing.plan("words")
    assert metier.browsing.plan("words") is plan
    running_fleet.install(metier, "words", ("static",))
    again = metier.browsing.plan("words")
    assert again.document["members"][0]["kind"] == "static"


def test_only_so_many_plans_are_kept(metier, monkeypatch) -> None:
    monkeypatch.setattr(browsing, "_KEPT", 1)
    first = metier.browsing.plan("words")
    metier.browsing.plan("same")
    assert metier.browsing.plan("words") is not first


def test_what_is_no_classifier_has_none(metier) -> None:
    with pytest.raises(InputError) as caught:
        metier.browsing.plan(workshop.BASE)
    assert caught.value.code == "not_a_classifier"
    with pytest.raises(NotFoundError):
        metier.browsing.plan("nobody")


def test_a_specialist_of_another_task_has_none(metier) -> None:
    parts = {"specialist.json": ("weight-config", b'{"task": "chat"}')}
    notes = {KIND: "specialist", TASK: "chat"}
    metier.fleet.install(Reference.parse("chatty"), parts, notes)
    with pytest.raises(InputError) as caught:
        metier.browsing.plan("chatty")
    assert caught.value.code == "not_a_classifier"


def test_another_base_under_the_name_is_not_sent(metier, tmp_path) -> None:
    plan = metier.browsing.plan("full")
    other = tiny_bert.make_folder(tmp_path / "other", layer_norm_eps=1e-5)
    metier.install_base(other, name=workshop.BASE)
    with pytest.raises(UnavailableError) as caught:
        metier.browsing.plan("full")
    assert caught.value.code == "wrong_base"
    assert plan.exact


def test_a_base_that_is_gone_is_said(metier) -> None:
    metier.browsing.plan("small")
    metier.fleet.remove(workshop.BASE)
    with pytest.raises(UnavailableError) as caught:
        metier.browsing.plan("small")
    assert caught.value.code == "base_missing"


def test_assets_that_are_missing_are_said_with_the_command(tmp_path) -> None:
    metier = workshop.opened(tmp_path, base=False, METIER_TOOLCHAINS=str(tmp_path / "none"))
    with pytest.raises(UnavailableError) as caught:
        metier.browsing.assets()
    assert caught.value.code == "no_toolchain"
    assert "metier doctor --install browser" in (caught.value.remedy or "")


def test_assets_of_the_wheel_come_first(tmp_path, monkeypatch) -> None:
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.setattr(browsing, "PACKAGED", tmp_path)
    metier = workshop.opened(tmp_path / "home", base=False)
    assert {path.parent for path in metier.browsing.assets().values()} == {tmp_path}
    assert browsing.packaged()


@needs("browser")
def test_installed_assets_are_two_files_that_the_lock_fixes(tmp_path) -> None:
    folder = str(toolchains().folder)
    metier = workshop.opened(tmp_path, base=False, METIER_TOOLCHAINS=folder)
    assets = metier.browsing.assets()
    assert sorted(assets) == ["ort-wasm-simd-threaded.wasm", "ort.wasm.bundle.min.mjs"]
    assert assets["ort-wasm-simd-threaded.wasm"].read_bytes()[:4] == b"\0asm"
    asked = metier.toolchains.path("browser") / "package.json"
    assert len(json.loads(asked.read_text())["kept"]) == 4
    assert metier.browsing.assets_digest().startswith("sha256:")
