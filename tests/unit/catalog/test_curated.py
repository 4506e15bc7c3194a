"""The curated index: every fact has a page, every word is one of ours; bad files are refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from metier.catalog import curated
from metier.errors import InternalError
from metier.finding import Entry
from metier.hub import HubName, parse_source

LICENCES = {
    "Apache-2.0", "BigCode-OpenRAIL-M", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-NC-4.0",
    "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", "DeepSeek", "Gemma", "LFM-Open-1.0",
    "Llama-2", "Llama-3", "MIT",
}  # fmt: skip
LONGEST = 200
NOT_YET = "Metier cannot run it yet: "
FIRST_DAY, LAST_DAY = "2026-11-01", "2027-12-31"

ENTRIES = curated.entries()


@pytest.fixture(params=ENTRIES, ids=lambda entry: entry.name)
def entry(request: pytest.FixtureRequest) -> Entry:
    value: Entry = request.param
    return value


def test_every_fact_has_a_page_that_was_read(entry: Entry) -> None:
    stated = {"name", *curated.stated(entry)}

    assert set(entry.sources) == stated
    for source in (*entry.sources.values(), *(claim.source for claim in entry.claims)):
        assert source.address.startswith("https://")
        assert FIRST_DAY <= source.read <= LAST_DAY


def test_an_entry_says_what_a_person_must_know(entry: Entry) -> None:
    assert entry.upstream.startswith("https://")
    assert entry.description.endswith(".")
    assert len(entry.description) <= LONGEST
    assert entry.kind in ("specialist", "model")
    assert entry.licence is None or entry.licence in LICENCES
    assert entry.evidence == ()
    assert entry.card is None


def test_what_can_be_pulled_can_be_parsed_and_the_rest_says_why_not(entry: Entry) -> None:
    if entry.pull:
        assert isinstance(parse_source(entry.pull, anywhere=False), HubName)
        assert NOT_YET not in entry.description
    else:
        assert NOT_YET in entry.description
        assert entry.size_bytes is None
        assert not entry.quantization


def test_a_claim_says_of_what_and_by_whom(entry: Entry) -> None:
    for claim in entry.claims:
        assert all((claim.metric, claim.on, claim.by))
        assert claim.unit in ("%", "share", "points", "tokens/s", "")
        assert claim.unit != "share" or 0 <= claim.value <= 1
        assert claim.unit != "%" or 0 <= claim.value <= 100


def test_dates_are_days(entry: Entry) -> None:
    assert entry.released is None or "2019-01-01" <= entry.released <= LAST_DAY


def test_no_name_is_there_twice() -> None:
    names = Counter(entry.name.lower() for entry in ENTRIES)

    assert max(names.values()) == 1


def test_they_come_in_order_and_are_read_once() -> None:
    assert [one.name.lower() for one in ENTRIES] == sorted(one.name.lower() for one in ENTRIES)
    assert curated.entries() is ENTRIES


def test_the_stamp_is_that_of_the_files() -> None:
    assert len(curated.stamp()) == 64
    assert curated.stamp() == curated.stamp.__wrapped__()


def test_the_guide_tells_their_number_and_our_words() -> None:
    guide = Path(__file__).parents[3].joinpath("docs/how-to/find-models.md").read_text("utf-8")

    assert f"{len(ENTRIES)} pointers" in guide
    for words in (curated.TASKS, curated.DOMAINS):
        assert ", ".join(f"`{word}`" for word in words) in guide


PAGE = '[pages.one]\naddress = "https://example.org/page"\nread = 2026-11-23\n'
GOOD = """
[[entry]]
page = "one"
name = "owner/model"
kind = "model"
task = "embed"
upstream = "https://example.org/model"
parameters = 5
description = "Embeds."
claims = [{ metric = "accuracy", value = 90, unit = "%", on = "an eval", by = "owner" }]
"""


def test_a_file_gives_entries_whose_facts_name_their_page() -> None:
    (entry,) = curated.parsed(PAGE + GOOD, "test.toml")

    assert set(entry.sources) == {"name", "task", "upstream", "parameters"}
    assert entry.sources["parameters"].address == "https://example.org/page"
    assert entry.claims[0].source.read == "2026-11-23"


def test_single_facts_may_have_another_page() -> None:
    pages = PAGE + PAGE.replace("one", "two").replace("/page", "/other")
    text = pages + GOOD.replace('page = "one"', 'page = "one"\nfrom = { parameters = "two" }')

    (entry,) = curated.parsed(text, "test.toml")

    assert entry.sources["parameters"].address == "https://example.org/other"
    assert entry.sources["name"].address == "https://example.org/page"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD, "without a page"),
        (PAGE + GOOD.replace('page = "one"', ""), "without a page"),
        (PAGE.replace("https", "http") + GOOD, "https address"),
        (PAGE.replace("read = 2026-11-23", "") + GOOD, "https address"),
        (PAGE + GOOD + 'colour = "red"\n', "nobody reads: colour"),
        (PAGE + GOOD.replace("[[entry]]", "[[entries]]"), "nobody reads: entries"),
        (PAGE + GOOD.replace('"embed"', "5"), "task"),
        (PAGE + GOOD.replace("90", '"much"'), "claim"),
        (PAGE + GOOD.replace('"one"\nname', '"one"\nfrom = { context = "one" }\nname'), "context"),
        ("[pages", "TOML"),
    ],
)
def test_what_has_no_page_or_is_not_understood_is_refused(text: str, says: str) -> None:
    with pytest.raises(InternalError, match=says) as caught:
        curated.parsed(text, "test.toml")

    assert caught.value.code == "bad_curated_index"


@pytest.mark.parametrize(
    ("change", "says"),
    [({"task": "fly"}, "task 'fly'"), ({"domain": "bees"}, "domain 'bees'")],
)
def test_words_outside_of_the_closed_lists_are_refused(change: dict[str, str], says: str) -> None:
    (entry,) = curated.parsed(PAGE + GOOD, "test.toml")

    with pytest.raises(InternalError, match=says):
        curated.checked([entry.model_copy(update=change)])


def test_a_name_in_two_files_is_refused() -> None:
    (entry,) = curated.parsed(PAGE + GOOD, "test.toml")

    with pytest.raises(InternalError, match="twice"):
        curated.checked([entry, entry.model_copy(update={"name": "Owner/Model"})])
