from __future__ import annotations

from collections.abc import Iterator

import pytest

from metier.errors import UnavailableError
from metier.hub.requesting import Facts, NoRangesError, Origin, Patience, Requests, TryAgain
from stand_in.hub import TOKEN, Fault, Hub, serving_hub

NAME = "maker/model"
DATA = bytes(range(256)) * 40


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as found:
        found.add(NAME, {"m.gguf": DATA})
        yield found


@pytest.fixture
def requests(hub: Hub) -> Iterator[Requests]:
    patience = Patience(connect=2.0, stall=0.5)
    asking = Requests(Origin(hub.url, TOKEN), patience, connections=2)
    yield asking
    asking.close()


def url(hub: Hub) -> str:
    return f"{hub.url}/{NAME}/resolve/main/m.gguf"


def test_the_first_byte_says_what_is_to_be_known(hub: Hub, requests: Requests) -> None:
    facts = requests.facts(url(hub))
    digest = hub.large(DATA)
    assert facts == Facts(f"{hub.url}/cdn/{digest}", len(DATA), digest, digest, True, True)
    with requests.part(facts.location, (10, 30), facts) as body:
        assert b"".join(body) == DATA[10:30]
    with requests.whole(facts.location, facts) as body:
        assert b"".join(body) == DATA


def test_every_request_asks_for_plain_bytes(hub: Hub, requests: Requests) -> None:
    requests.facts(url(hub))
    assert {asked.headers["accept-encoding"] for asked in hub.asked} == {"identity"}
    assert {asked.headers["authorization"] for asked in hub.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("kind", ["range", "lie", "short", "gzip", "reset"])
def test_a_broken_answer_may_be_tried_again(hub: Hub, requests: Requests, kind: str) -> None:
    facts = requests.facts(url(hub))
    hub.faults = [Fault(kind, at=0)]
    with pytest.raises(TryAgain), requests.part(facts.location, (10, 300), facts) as body:
        b"".join(body)


def test_the_whole_instead_of_a_part_is_told_apart(hub: Hub, requests: Requests) -> None:
    facts = requests.facts(url(hub))
    hub.faults = [Fault("whole")]
    with pytest.raises(NoRangesError), requests.part(facts.location, (10, 300), facts):
        pytest.fail("it took the whole for a part")


def test_another_size_or_tag_is_another_file(hub: Hub, requests: Requests) -> None:
    facts = requests.facts(url(hub))
    other = Facts(facts.location, 5, facts.etag, None, ranges=True)
    with pytest.raises(UnavailableError) as caught, requests.part(facts.location, (0, 4), other):
        pytest.fail("the size is another one")
    assert caught.value.code == "source_changed"
    other = Facts(facts.location, len(DATA), "x", None, ranges=True)
    with pytest.raises(UnavailableError) as caught, requests.part(facts.location, (0, 4), other):
        pytest.fail("the tag is another one")
    assert caught.value.code == "source_changed"


def test_from_https_it_never_goes_back_to_http(hub: Hub, requests: Requests) -> None:
    with pytest.raises(UnavailableError) as caught:
        requests._next("https://hub.example/x", f"{hub.url}/x")
    assert caught.value.code == "bad_redirect"


def test_a_name_that_leads_elsewhere_when_it_is_asked_is_refused(hub: Hub) -> None:
    origin = Origin(hub.url, resolve=lambda _host: ["8.8.8.8"])
    asking = Requests(origin, Patience(connect=2.0, stall=0.5), connections=2)
    with pytest.raises(UnavailableError) as caught:
        asking.facts(url(hub))
    asking.close()
    assert caught.value.code == "private_address"


def test_the_credential_is_not_shown() -> None:
    assert TOKEN not in repr(Origin("https://hub.example", TOKEN))
