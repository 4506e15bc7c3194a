"""Finding over one home: what is installed or named is found; proof is what the ledger holds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from local_models import install_local
from metier.assembly import Metier, toolchain
from metier.assembly import finding as finding_module
from metier.catalog import static
from metier.errors import NotFoundError
from metier.finding import Entry, Query
from metier.reference import Digest
from metier.settings import Settings
from tiny_gguf import tiny_model


@pytest.fixture
def metier(tmp_path: Path) -> Metier:
    found = Metier.open(Settings(home=tmp_path / "home"))
    found.install_starters(lambda _: None)
    return found


def names(metier: Metier, **asked: object) -> list[str]:
    return [hit.entry.name for hit in metier.find(Query(**asked)).hits]  # type: ignore[arg-type]


def test_what_is_installed_is_found(metier: Metier) -> None:
    found = metier.find(Query(words="banking"))
    assert found.hits[0].entry.name == "banking-intents"
    assert found.hits[0].installed == "banking-intents"
    assert found.hits[0].fit is not None
    assert found.milliseconds > 0
    assert found.hits[0].reasons[0].kind == "word"


def test_a_starter_is_a_claim_until_it_is_measured_here(metier: Metier) -> None:
    hit = metier.find(Query(words="message-spam")).hits[0]
    assert hit.proof is None
    assert hit.verdicts["base"] == "WIN"
    (claim,) = [reason.said for reason in hit.reasons if reason.kind == "claim"]
    assert "Not measured here." in claim
    assert "metier eval message-spam --on message-spam --against base" in claim
    assert names(metier, proved=True) == []


def test_evidence_in_the_ledger_is_proof(metier: Metier, monkeypatch: pytest.MonkeyPatch) -> None:
    card = metier.show("message-spam").classifier
    assert card is not None
    against = next(one for one in card.evidence if one.against == "base")
    body = {**against.model_dump(mode="json"), "date": finding_module.today()}
    assert metier.find(Query()).hits[0].proof is None
    metier.ledger.append("evidence", "message-spam", Digest.parse(card.system), body)
    # Here stands what it was made with, as if it had been made here.
    monkeypatch.setattr(finding_module, "toolchain", lambda: dict(card.toolchain))
    assert toolchain() is not None
    hit = metier.find(Query()).hits[0]
    assert hit.entry.name == "message-spam"
    assert hit.proof is not None
    assert hit.reasons[0].said.startswith("Better than its base by")
    assert names(metier, proved=True) == ["message-spam"]
    assert names(metier, words="banking")[0] == "banking-intents", "no proof lifts the irrelevant"
    assert metier.entry("here", "message-spam").proof is not None


def test_a_day_later_it_may_have_expired(metier: Metier, monkeypatch: pytest.MonkeyPatch) -> None:
    card = metier.show("message-spam").classifier
    assert card is not None
    against = next(one for one in card.evidence if one.against == "base")
    body = {**against.model_dump(mode="json"), "date": "2026-01-01"}
    metier.ledger.append("evidence", "message-spam", Digest.parse(card.system), body)
    monkeypatch.setattr(finding_module, "toolchain", lambda: dict(card.toolchain))
    hit = metier.entry("here", "message-spam")
    assert hit.proof is None
    assert any("The proof expired" in reason.said for reason in hit.reasons)


def test_what_is_installed_and_removed_is_seen_at_once(metier: Metier, tmp_path: Path) -> None:
    assert names(metier, words="tinytalk ", meaning=False) == []
    before = names(metier, here=True)
    install_local(metier.fleet, "tinytalk", tiny_model(tmp_path))
    assert names(metier, words="tinytalk ", meaning=False) == ["tinytalk"]
    assert set(names(metier, here=True)) == {*before, "tinytalk"}
    metier.remove("tinytalk")
    assert names(metier, words="tinytalk ", meaning=False) == []
    assert names(metier, here=True) == before


def test_a_catalogue_that_was_added_is_searched(metier: Metier, tmp_path: Path) -> None:
    entry = Entry(name="acme/zebra", kind="model", task="chat", domain="zoology")
    files = static.render([entry], name="acme", title="", made="2026-11-23")
    shelf = metier.finder.shelf
    shelf.add(lambda path, most: files[path][:most], address="https://a.example/", today="x")
    hit = metier.find(Query(words="zebra")).hits[0]
    assert (hit.origin, hit.installed) == ("acme", "")
    assert metier.entry("acme", "acme/zebra").entry == entry
    with pytest.raises(NotFoundError) as told:
        metier.entry("acme", "acme/zebar")
    assert told.value.code == "no_entry"
    assert "acme/zebra" in told.value.message
    (path,) = (tmp_path / "home" / "catalogs" / "acme" / "entries").iterdir()
    path.write_text("{}", "utf-8")
    (tmp_path / "home" / "catalogs" / "acme" / "catalogue.json").touch()
    found = metier.find(Query(words="zebra", origin="acme"))
    assert found.hits == ()
    assert any("acme" in note for note in found.notes)
    shelf.remove("acme")
    assert metier.find(Query(words="zebra")).notes == metier.find(Query(words="x")).notes


def test_facets_are_written_as_entries_write_them(metier: Metier) -> None:
    found = metier.find(Query(here=True))
    assert "CC-BY-4.0" in [facet.value for facet in found.facets["licence"]]
    assert found.facets["origin"][0].value == "here"


def test_a_damaged_index_is_made_again(metier: Metier, tmp_path: Path) -> None:
    before = names(metier, words="banking")
    for path in (tmp_path / "home" / "catalog").rglob("*"):
        if path.is_file() and path.suffix in (".term", ".idx", ".fast"):
            path.write_bytes(b"x")
    again = Metier.open(Settings(home=tmp_path / "home"))
    assert names(again, words="banking") == before
    (tmp_path / "home" / "catalog" / "entries.sqlite").write_bytes(b"x" * 5000)
    for path in (tmp_path / "home" / "catalog").glob("entries.sqlite-*"):
        path.unlink()
    assert names(Metier.open(Settings(home=tmp_path / "home")), words="banking") == before


def test_without_the_encoder_words_alone_and_it_is_said(metier: Metier) -> None:
    if any(item.name == "all-minilm-l6-v2" for item in metier.list()):
        metier.remove("all-minilm-l6-v2")
    assert any("Meaning is left out" in note for note in metier.find(Query(words="spam")).notes)
    assert metier.find(Query(words="spam", meaning=False)).notes == ()


def test_a_second_look_costs_little(metier: Metier) -> None:
    metier.find(Query(words="svelte", meaning=False))
    best = min(_seconds(metier) for _ in range(20))
    assert best < 0.1  # 5 ms on a quiet machine


def _seconds(metier: Metier) -> float:
    began = time.perf_counter()
    metier.find(Query(words="svelte", meaning=False))
    return time.perf_counter() - began
