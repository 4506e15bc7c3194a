"""The best sandbox that works, each kind's reason if it does not, and no run without one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metier.errors import InputError, MetierError, UnavailableError
from metier.sandbox import detecting
from metier.sandbox.confining import Request, Sandbox
from metier.sandbox.detecting import State, describe, detect, remedy
from metier.sandbox.launching import Launch
from metier.sandbox.values import Kind


def pretending(kind: Kind, *script: str) -> Sandbox:
    """A kind of sandbox whose trial run is a script's."""

    def prepare(request: Request) -> Launch:
        return Launch(
            script or request.command,
            end=lambda process: process.kill(),
            members=lambda process: [process.pid],
            environment={"PATH": "/usr/bin:/bin"},
        )

    return Sandbox(kind, ("files",), ("side channels",), prepare)


def failing() -> Sandbox:
    raise UnavailableError("It is not installed.", code="no_sandbox")


@pytest.fixture(autouse=True)
def nothing_found_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(detecting, "_found", {})
    return


def kinds(monkeypatch: pytest.MonkeyPatch, bubblewrap: object, landlock: object) -> None:
    monkeypatch.setattr(detecting, "_KINDS", {"bubblewrap": bubblewrap, "landlock": landlock})


def test_the_first_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def opening() -> Sandbox:
        opened.append("bubblewrap")
        return pretending("bubblewrap")

    kinds(monkeypatch, opening, lambda: pretending("landlock"))
    assert detect().kind == "bubblewrap"
    assert detect(only="landlock").kind == "landlock"
    assert detect() is detect()
    assert opened == ["bubblewrap"]


def test_the_next_where_the_first_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    forbidden = pretending("bubblewrap", "/bin/sh", "-c", "echo no permission >&2; exit 1")
    kinds(monkeypatch, lambda: forbidden, lambda: pretending("landlock"))
    assert detect().kind == "landlock"
    with pytest.raises(UnavailableError, match="status 1: no permission"):
        detect(only="bubblewrap")
    assert describe() == (
        State("bubblewrap", False, "A trial run ended with status 1: no permission."),
        State("landlock", True, "", ("files",), ("side channels",)),
    )


def test_none_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = pretending("landlock", "/bin/true")
    kinds(monkeypatch, failing, lambda: silent)
    with pytest.raises(UnavailableError) as caught:
        detect()
    assert caught.value.code == "no_sandbox"
    assert caught.value.remedy == remedy("Linux")
    assert caught.value.details["reasons"] == [
        "bubblewrap: It is not installed.",
        "landlock: A trial run ended with status 0: no message.",
    ]


def test_an_unknown_kind() -> None:
    with pytest.raises(InputError) as caught:
        detect(only="chroot")
    assert caught.value.code == "bad_sandbox_kind"


@pytest.mark.parametrize(
    ("system", "word"),
    [("Linux", "apt install bubblewrap"), ("Windows", "WSL"), ("Darwin", "virtual machine")],
)
def test_remedies(system: str, word: str) -> None:
    assert word in remedy(system)


def test_this_machine_is_described() -> None:
    assert [state.kind for state in describe()] == ["bubblewrap", "landlock"]
    for state in describe():
        try:
            found = detect(only=state.kind)
        except MetierError:
            assert state.why_not
        else:
            assert state.works
            assert (found.contains, found.does_not_contain) == (
                state.contains,
                state.does_not_contain,
            )
