"""Who could answer: the general model chosen by a rule, candidates from what is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tiny_gguf
import workshop
from local_models import install_local
from metier.assembly import Metier
from metier.assembly.candidates import (
    GENERAL,
    Field,
    Means,
    as_documents,
    choose_general,
    of_document,
    read_field,
    suggestion,
)
from metier.card import Cost
from metier.errors import NotFoundError
from metier.finding import Entry, Fit
from metier.generating import ModelDetails, ModelListing
from metier.routing import Candidate
from metier.services import Service
from metier.settings import Settings
from metier.watching import Standing

ALL = Fit("yes")


def listing(name: str, parameters: int, **more: Any) -> ModelListing:
    details = ModelDetails(parameters=parameters, context_length=more.pop("context", 2048))
    return ModelListing(
        name=name, digest="0" * 64, size_bytes=1000, modified="", task="generate",
        details=details, **more,
    )  # fmt: skip


def means(
    settings: Settings,
    *,
    metier: Metier | None = None,
    fit: Callable[[str | Entry], Fit] = lambda _: ALL,
    standing: Mapping[str, Standing] | None = None,
    service: Service | None = None,
) -> Means:
    return Means(
        settings=settings,
        installed=metier.fleet.list if metier else list,
        listings=metier.models.listings if metier else list,
        proofs=dict,
        standing=lambda name: (standing or {}).get(name),
        fit=fit,
        lacks=lambda _: [],
        service=lambda: service,
    )


def chosen(settings: Settings, listings: Sequence[ModelListing], **how: Any) -> Any:
    return choose_general(means(settings, **how), listings)


def test_the_configured_service_goes_before_everything(tmp_path: Path) -> None:
    settings = Settings(tmp_path, general_url="http://x/v1", general_model="big", base="tiny")
    found = chosen(settings, [listing("tiny", 5)])
    assert (found.name, found.ref) == (GENERAL, GENERAL)
    assert "big" in found.why


def test_then_what_metier_base_names(tmp_path: Path) -> None:
    there = [listing("tiny", 5), listing("large", 50)]
    assert chosen(Settings(tmp_path, base="tiny:latest"), there).name == "tiny"
    assert chosen(Settings(tmp_path, base="local:tiny"), there).name == "tiny"
    assert chosen(Settings(tmp_path, base="remote:mine"), there).ref == "remote:mine"
    file = chosen(Settings(tmp_path, base="/models/own.gguf"), there)
    assert (file.name, file.ref) == ("own.gguf", Path("/models/own.gguf"))


def test_then_the_largest_that_runs_here(tmp_path: Path) -> None:
    there = [
        listing("small", 5),
        listing("b", 50),
        listing("a", 50),
        listing("longer", 50, context=9000),
        listing("adapter", 90, parent="small"),
        listing("huge", 900),
    ]

    def fit(what: str | Entry) -> Fit:
        return Fit("no" if what == "huge" else "yes")

    found = chosen(Settings(tmp_path), there, fit=fit)
    assert found.name == "longer"
    assert "largest of 4" in found.why
    assert chosen(Settings(tmp_path), there[:3], fit=fit).name == "a", "names decide at last"


def test_without_any_it_says_what_to_pull(tmp_path: Path) -> None:
    found = chosen(Settings(tmp_path), [])
    assert found.name == ""
    assert found.remedy.startswith("metier pull hf.co/")
    cramped = chosen(Settings(tmp_path), [listing("huge", 9)], fit=lambda _: Fit("no"))
    assert cramped.name == ""
    assert "None of the 1" in cramped.why


def test_what_is_suggested_fits_and_is_quick_enough() -> None:
    largest = suggestion(lambda _: Fit("yes"))
    quick = suggestion(lambda _: Fit("yes", tokens_per_second=30.0))
    slow = suggestion(lambda _: Fit("yes", tokens_per_second=2.0))
    assert "8B" in quick
    assert "8B" not in largest, "unmeasured, four thousand million parameters are the most"
    assert slow == suggestion(lambda _: Fit("no")), "the smallest where none is right"
    seeing = suggestion(lambda _: Fit("yes"), sees=True)
    assert seeing.startswith("metier pull ")
    assert seeing != largest


def test_a_fleet_becomes_candidates(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    base = tiny_gguf.tiny_model(tmp_path)
    metier.fleet.import_gguf(base, "tiny")
    metier.fleet.import_gguf(tiny_gguf.tiny_embedder(tmp_path), "embeds")
    adapter = tiny_gguf.tiny_adapter(tmp_path, base, seed=3)
    install_local(metier.fleet, "bent", base, (adapter,), kind="specialist", parent="tiny")
    metier.make(metier.packaged_recipe("coder"), folder=tmp_path)
    watched = {"coder": Standing("coder", "sha256:", "DEMOTED", "2026-11-23", "it lost")}
    found = read_field(means(metier.settings, metier=metier, standing=watched))
    by_name = {one.name: one for one in found.candidates}
    assert set(by_name) == {"bent", "coder", "tiny"}, "what cannot answer is no candidate"
    assert by_name["tiny"].general
    assert by_name["tiny"].calls_tools
    assert not by_name["tiny"].sees
    assert by_name["tiny"].context
    assert by_name["tiny"].cost.cost_class == "memory up to 1 GB"
    assert not by_name["bent"].general, "an adapter is somebody's specialist"
    assert (by_name["coder"].domain, by_name["coder"].state) == ("code", "DEMOTED")
    assert by_name["coder"].proof == ""
    assert found.named("tiny:latest") is by_name["tiny"]
    assert found.domains == ("code",)
    metier.close()


def test_a_service_is_a_candidate_of_its_own(tmp_path: Path) -> None:
    settings = Settings(tmp_path, general_url="http://x/v1", general_model="big")
    service = Service("http://x/v1", "big", price_out=2.0)
    (one,) = read_field(means(settings, service=service)).candidates
    assert (one.name, one.general, one.sees, one.calls_tools) == (GENERAL, True, False, True)
    assert (one.cost.cost_class, one.cost.price_per_million_tokens) == ("remote", 2.0)
    seeing = read_field(means(replace(settings, general_sees=True), service=service))
    assert seeing.candidates[0].sees, "METIER_GENERAL_SEES says so"
    assert seeing.digest != read_field(means(settings, service=service)).digest


def test_a_model_that_left_meanwhile_is_not_chosen(tmp_path: Path) -> None:
    def gone(what: str | Entry) -> Fit:
        if isinstance(what, str):
            raise NotFoundError(what)
        return ALL

    assert chosen(Settings(tmp_path), [listing("tiny", 5)], fit=gone).name == ""


def test_candidates_travel_as_json() -> None:
    one = Candidate(
        "helper", "sha256:1", "chat", "python", languages=("en", "de"), cost=Cost(size_bytes=5),
        context=2048, proof="2026-12-01", gain=0.25, judged=True,
    )  # fmt: skip
    (document,) = as_documents([one])
    assert of_document(document) == one
    with pytest.raises((TypeError, ValueError, KeyError)):
        of_document({**document, "languages": None})
    with pytest.raises(TypeError):
        of_document({**document, "unknown": 1})


def test_an_empty_field_names_nobody() -> None:
    from metier.assembly.candidates import General

    assert Field((), General(""), "").named("tiny") is None
