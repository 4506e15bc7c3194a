"""Whether an index is still true: same, changed, gone, or not reached, fact by fact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metier.assembly import Metier
from metier.assembly.resolving import Asking, Checked, Resolver, check_curated
from metier.errors import NotFoundError, UnavailableError
from metier.finding import Claim, Entry, Source
from metier.hub import ask_repository, asking
from metier.hub.searching import ask_facts
from metier.messages import Progress
from metier.settings import Settings
from stand_in.hub import Fault, Hub, serving_hub

PAGE = Source(address="https://example.org/page", read="2026-11-23")
OTHER = Source(address="https://example.org/other", read="2026-11-23")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSES", (0.0, 0.0))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as found:
        found.add("maker/model", {"config.json": b"{}"})
        found.facts["maker/model"] = {
            "safetensors": {"total": 700_000_000},
            "cardData": {"license": "apache-2.0"},
        }
        found.add("maker/model-GGUF", {"model-Q4_K_M.gguf": b"w" * 5000})
        yield found


def asked(hub: Hub, *entries: Entry, **pages: Any) -> list[Checked]:
    resolver = Resolver(
        Asking(
            page=lambda address: pages.get(address.rpartition("/")[2], "there"),
            facts=lambda name: ask_facts(name, endpoint=hub.url, token=None),
            files=lambda name: ask_repository(name.repository, None, endpoint=hub.url, token=None),
        )
    )
    return resolver.check(entries)


def entry(**facts: Any) -> Entry:
    given = {"upstream": "https://huggingface.co/maker/model", **facts}
    sources = dict.fromkeys(("name", *given), PAGE)
    return Entry(name="maker/model", kind="model", task="chat", sources=sources, **given)


def standings(checked: list[Checked]) -> dict[str, str]:
    return {one.fact: one.standing for one in checked}


def test_what_is_still_so_is_the_same(hub: Hub) -> None:
    whole = entry(licence="Apache-2.0", parameters=600_000_000)
    pulled = entry(pull="hf.co/maker/model-GGUF:Q4_K_M", size_bytes=5100, quantization="Q4_K_M")

    assert standings(asked(hub, whole)) == {
        "page": "same", "upstream": "same", "licence": "same", "parameters": "same",
    }  # fmt: skip
    assert standings(asked(hub, pulled)) == {
        "page": "same", "upstream": "same", "pull": "same", "size_bytes": "same",
        "quantization": "same",
    }  # fmt: skip


def test_what_is_other_than_stated_has_changed(hub: Hub) -> None:
    whole = entry(licence="MIT", parameters=7_000_000_000)
    pulled = entry(pull="hf.co/maker/model-GGUF", size_bytes=9000, quantization="Q8_0")

    first, second = asked(hub, whole), asked(hub, pulled)

    assert (standings(first)["licence"], standings(first)["parameters"]) == ("changed", "changed")
    licence = next(one for one in first if one.fact == "licence")
    assert (licence.was, licence.now) == ("MIT", "Apache-2.0")
    assert standings(second)["size_bytes"] == "changed"
    assert standings(second)["quantization"] == "changed"


def test_what_is_not_there_any_more_is_gone(hub: Hub) -> None:
    gone = entry(upstream="https://huggingface.co/maker/none", pull="hf.co/maker/model-GGUF:Q8_0")

    assert standings(asked(hub, gone, page="gone")) == {
        "page": "gone", "upstream": "gone", "pull": "gone",
    }  # fmt: skip


def test_what_cannot_be_reached_says_nothing(hub: Hub) -> None:
    hub.faults = [Fault("status", times=99, path="/api/", status=503)]

    checked = asked(hub, entry(pull="hf.co/maker/model-GGUF"), page="unreachable")

    assert set(standings(checked).values()) == {"unreachable"}


def test_a_gated_model_is_there(hub: Hub) -> None:
    hub.gated.add("maker/model")

    assert standings(asked(hub, entry()))["upstream"] == "same"


def test_an_upstream_elsewhere_is_a_page(hub: Hub) -> None:
    elsewhere = entry(upstream="https://example.org/project")

    assert standings(asked(hub, elsewhere, project="gone"))["upstream"] == "gone"


def test_each_page_is_asked_once_and_claims_have_pages_too(hub: Hub) -> None:
    claim = Claim(metric="accuracy", value=1, source=OTHER)
    claimed = entry().model_copy(update={"claims": (claim,)})
    pages: list[str] = []
    steps: list[Progress] = []
    resolver = Resolver(
        Asking(
            page=lambda address: pages.append(address) or "there",  # type: ignore[func-returns-value]
            facts=lambda name: ask_facts(name, endpoint=hub.url, token=None),
            files=lambda name: ask_repository(name.repository, None, endpoint=hub.url, token=None),
        )
    )
    checked = resolver.check([claimed], report=steps.append)
    resolver.check([claimed])

    assert sorted(pages) == [OTHER.address, PAGE.address]
    assert [one.was for one in checked if one.fact == "page"] == [PAGE.address, OTHER.address]
    assert steps[-1].fraction == 1.0
    assert resolver.check([claimed], cancelled=lambda: True) == []


def test_the_index_that_came_along_is_asked_by_name_and_never_offline(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path, hub_offline=True))
    with pytest.raises(UnavailableError) as caught:
        check_curated(metier)
    assert caught.value.code == "offline"
    online = Metier.open(Settings(home=tmp_path))

    with pytest.raises(NotFoundError) as missing:
        check_curated(online, ["rockypod/svelte-codr"])

    assert "rockypod/svelte-coder" in missing.value.message
