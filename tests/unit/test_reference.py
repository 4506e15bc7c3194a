from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metier.errors import InputError
from metier.reference import Digest, Reference, parted

FIRST = string.ascii_letters + string.digits + "_"


def parts(rest: str) -> st.SearchStrategy[str]:
    return st.builds(
        lambda first, more: first + more, st.sampled_from(FIRST), st.text(rest, max_size=79)
    )


NAMES = parts(FIRST + ".-")
NAMESPACES = parts(FIRST + "-")


@given(
    model=NAMES,
    tag=NAMES,
    namespace=st.one_of(st.just(""), NAMESPACES),
    host=st.one_of(st.just(""), NAMES),
)
def test_a_name_survives_the_round_trip(model: str, tag: str, namespace: str, host: str) -> None:
    reference = Reference(model, tag, namespace, host if namespace else "")
    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(reference.familiar) == reference


@given(st.text(max_size=40))
@example("a/b/c/d")
@example("../escape")
@example("a//b")
@example("name:")
@example(":tag")
@example("name\n")
@example("x" * 601)
@example("é")
def test_any_text_is_a_name_or_wrong_input(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InputError as error:
        refusal = error
    else:
        assert text in (str(reference), reference.name, reference.familiar)
        assert ".." not in reference.name.split("/")
        return
    assert refusal.code == "bad_name"
    assert refusal.remedy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/b/c/d",
        "../x",
        "a//b",
        "/a",
        "name:",
        ":tag",
        ".hidden",
        "-x",
        "a b",
        "name\n",
        "é",
        "team.x/model",
        "a/b:c/d",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a valid name"):
        Reference.parse(text)


def test_the_tag_is_left_out_when_it_is_latest() -> None:
    assert Reference.parse("team/triage").familiar == "team/triage"
    assert Reference.parse("team/triage:2").familiar == "team/triage:2"
    assert str(Reference.parse("triage")) == "triage:latest"
    assert Reference.parse("localhost:5000/team/triage").host == "localhost:5000"


@given(st.binary(max_size=100))
def test_a_digest_survives_the_round_trip(data: bytes) -> None:
    digest = Digest.of(data)
    assert digest.hex == hashlib.sha256(data).hexdigest()
    assert Digest.parse(str(digest)) == digest
    assert digest.hex.startswith(digest.short)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        "a" * 64,
        "sha256:" + "A" * 64,
        "sha512:" + "a" * 64,
        "sha256:" + "a" * 65,
        "sha256:" + "a" * 64 + "\n",
        "sha256:../../" + "a" * 58,
    ],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Digest.parse(text)
    assert caught.value.code == "bad_digest"


def test_a_digest_cannot_be_made_of_other_text() -> None:
    with pytest.raises(InputError):
        Digest("../../etc/passwd")


@given(model=NAMES, tag=parts(FIRST + "-"))
def test_what_a_hop_puts_aside_has_a_name_of_its_own(model: str, tag: str) -> None:
    reference = Reference(model, tag[:50])
    for side in ("previous", "rejected-0123abcd"):
        aside = reference.beside(side)
        assert aside != reference
        assert (aside.side, aside.front) == (side, reference)
        assert aside.familiar == f"{reference.familiar}@{side}"
        assert Reference.parse(aside.familiar) == Reference.parse(str(aside)) == aside
        assert aside.previous == reference.previous
        assert ":" in str(aside)
        assert "@" not in str(aside)


@pytest.mark.parametrize(
    "text",
    ["name@", "name@latest", "name@previous@previous", "@previous", "name@rejected-XYZ", "a@b:1"],
)
def test_what_is_no_side_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Reference.parse(text)
    assert caught.value.code == "bad_name"


def test_nothing_is_put_aside_twice() -> None:
    twice = Reference("name", "latest.previous.previous")
    assert twice.side == ""
    assert twice.front == twice
    with pytest.raises(InputError):
        Reference("name", "x" * 75).previous  # noqa: B018  the tag would be too long


@pytest.mark.parametrize(
    ("model", "name", "base"),
    [
        ("docs", "docs", ""),
        ("docs@remote:gpt", "docs", "remote:gpt"),
        ("docs@previous", "docs@previous", ""),
        ("docs@previous@remote:gpt", "docs@previous", "remote:gpt"),
        ("docs:2@rejected-0123abcd@tiny", "docs:2@rejected-0123abcd", "tiny"),
        ("docs@previously", "docs", "previously"),
    ],
)
def test_a_name_and_what_it_writes_with(model: str, name: str, base: str) -> None:
    assert parted(model) == (name, base)
