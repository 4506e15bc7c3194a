from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from metier.errors import InputError, NotFoundError, UnavailableError
from metier.hub import asking
from metier.hub.asking import ask_repository
from stand_in.hub import COMMIT, TOKEN, Fault, Hub, serving_hub

NAME = "maker/model"
WEIGHTS = b"w" * 5000


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as found:
        files = {"m-Q4_0.gguf": WEIGHTS, "README.md": b"hi\n", "deep/x y.gguf": WEIGHTS}
        found.add(NAME, files, license="Apache-2.0", base_model=["maker/original"])
        yield found


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSES", (0.0, 0.0))


def test_a_hub_that_fails_twice_is_asked_again(hub: Hub) -> None:
    hub.faults = [Fault("status", 1, "/api/models"), Fault("reset", 1, "/tree/")]
    assert ask_repository(NAME, None, endpoint=hub.url, token=None).files
    assert len(hub.requests("/tree/")) == 2


def test_files_come_with_sizes_and_digests_at_one_commit(hub: Hub) -> None:
    found = ask_repository(NAME, None, endpoint=hub.url, token=None)
    assert (found.commit, found.licence, found.base) == (COMMIT, "apache-2.0", "maker/original")
    weights, readme, deep = found.files
    assert (weights.size, weights.sha256, weights.git_sha1) == (5000, hub.large(WEIGHTS), None)
    assert readme.git_sha1 == "45b983be36b73c0788dc9cbcb76cbb80fc7bb057"
    assert readme.sha256 is None
    assert deep.url == f"{hub.url}/{NAME}/resolve/{COMMIT}/deep/x%20y.gguf"


def test_nothing_is_asked_but_what_is_needed_and_nothing_reported(hub: Hub) -> None:
    ask_repository(NAME, "main", endpoint=hub.url + "/", token=None)
    assert [asked.path for asked in hub.asked] == [
        f"/api/models/{NAME}/revision/main",
        f"/api/models/{NAME}/tree/{COMMIT}",
    ]
    assert not [asked for asked in hub.asked if "authorization" in asked.headers]
    agent = hub.asked[0].headers["user-agent"]
    assert agent.startswith("metier/")
    assert "None" not in agent


def test_a_token_is_sent(hub: Hub) -> None:
    hub.gated.add(NAME)
    assert ask_repository(NAME, None, endpoint=hub.url, token=TOKEN).files
    with pytest.raises(UnavailableError) as caught:
        ask_repository(NAME, None, endpoint=hub.url, token=None)
    assert caught.value.code == "gated"
    assert TOKEN not in str(caught.value.as_dict())


def test_what_is_not_there_is_not_found(hub: Hub) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask_repository("maker/other", None, endpoint=hub.url, token=None)
    assert caught.value.code == "no_repository"
    with pytest.raises(NotFoundError) as caught:
        ask_repository(NAME, "v9", endpoint=hub.url, token=None)
    assert caught.value.code == "no_revision"


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "hub_failed"), (429, "hub_limited"), (403, "hub_refused"), (418, "hub_failed")],
)
def test_a_hub_that_refuses_or_fails_is_unavailable(hub: Hub, status: int, code: str) -> None:
    headers = {"Retry-After": "0"}
    hub.faults = [Fault("status", 99, "/api/models", status, headers=headers)]
    with pytest.raises(UnavailableError) as caught:
        ask_repository(NAME, None, endpoint=hub.url, token=None)
    assert caught.value.code == code


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError) as caught:
        ask_repository(NAME, None, endpoint=f"http://127.0.0.1:{port}", token=None)
    assert caught.value.code == "hub_unreachable"


def test_a_hub_that_ends_the_connection_is_unreachable(hub: Hub) -> None:
    hub.faults = [Fault("reset", 99, "/api/models")]
    with pytest.raises(UnavailableError) as caught:
        ask_repository(NAME, None, endpoint=hub.url, token=None)
    assert caught.value.code == "hub_unreachable"


def test_a_path_that_leaves_its_folder_is_refused(hub: Hub) -> None:
    hub.repositories[NAME]["../../x.gguf"] = WEIGHTS
    with pytest.raises(InputError) as caught:
        ask_repository(NAME, None, endpoint=hub.url, token=None)
    assert caught.value.code == "bad_repository"


def test_a_hub_that_names_no_commit_is_of_no_use(hub: Hub) -> None:
    hub.commits[NAME] = "../main"
    with pytest.raises(InputError) as caught:
        ask_repository(NAME, None, endpoint=hub.url, token=None)
    assert caught.value.code == "bad_repository"


def test_a_mirror_without_a_tree_lists_its_files_with_the_repository(hub: Hub) -> None:
    before = ask_repository(NAME, None, endpoint=hub.url, token=None)
    hub.faults = [Fault("status", 99, "/tree/", 404, {"X-Error-Code": "EntryNotFound"})]
    assert ask_repository(NAME, None, endpoint=hub.url, token=None) == before


def test_the_stored_token_is_the_clients_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert asking.stored_token() == TOKEN
