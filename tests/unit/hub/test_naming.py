from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import InputError, NotFoundError
from metier.hub.naming import Address, HubName, LocalFile, parse_source

DIGEST = "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf.co/maker/model", HubName("maker", "model")),
        ("huggingface.co/maker/model-GGUF", HubName("maker", "model-GGUF")),
        ("hf://maker/model", HubName("maker", "model")),
        ("hf://hf.co/maker/model", HubName("maker", "model")),
        ("hf.co/maker/model:latest", HubName("maker", "model")),
        ("hf.co/maker/model:Q4_K_M", HubName("maker", "model", "Q4_K_M")),
        ("hf.co/maker/model:q8_0@v1.2", HubName("maker", "model", "q8_0", "v1.2")),
        ("hf.co/maker/model@v1.2:q8_0", HubName("maker", "model", "q8_0", "v1.2")),
        ("hf.co/maker/model@refs/pr/3", HubName("maker", "model", None, "refs/pr/3")),
        ("hf.co/maker/model/deep/m.gguf", HubName("maker", "model", "deep/m.gguf")),
        ("hf.co/maker/model:m-Q4_0.gguf", HubName("maker", "model", "m-Q4_0.gguf")),
        ("https://huggingface.co/maker/model", HubName("maker", "model")),
        ("https://huggingface.co/maker/model/tree/main", HubName("maker", "model", None, "main")),
        (
            "https://huggingface.co/maker/model/resolve/main/m.gguf?download=true",
            HubName("maker", "model", "m.gguf", "main"),
        ),
        (
            "https://huggingface.co/maker/model/blob/v1/deep/m.gguf",
            HubName("maker", "model", "deep/m.gguf", "v1"),
        ),
        (
            "https://example.com/files/m.gguf",
            Address("https://example.com/files/m.gguf", "m.gguf"),
        ),
        (
            f"HTTPS://example.com/m.gguf?x=1#sha256={DIGEST}",
            Address("https://example.com/m.gguf?x=1", "m.gguf", DIGEST),
        ),
    ],
)
def test_what_a_person_may_write(text: str, expected: object) -> None:
    assert parse_source(text) == expected


def test_a_path_is_a_path(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(b"GGUF")
    assert parse_source(str(file)) == LocalFile(file)
    with pytest.raises(NotFoundError) as caught:
        parse_source(str(tmp_path / "other.gguf"))
    assert caught.value.code == "file_not_found"


@pytest.mark.parametrize(
    "text", ["llama3.2", "qwen2.5:0.5b", "registry.example.com/team/m:1", "x" * 400]
)
def test_registries_come_later_and_it_is_said_what_to_write(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_source(text)
    assert caught.value.code == "no_registry"
    assert "hf.co/owner/name:Q4_K_M" in (caught.value.remedy or "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hf.co/maker",
        "hf.co/maker/model:",
        "hf.co/maker/model:a:b",
        "hf.co/maker/model@a@b",
        "hf.co/maker/model/../x.gguf",
        "hf.co/../x",
        "hf.co/maker/model@..",
        "ftp://example.com/m.gguf",
        "https://example.com/m.bin",
        "https://user:secret@example.com/m.gguf",
        "https:///m.gguf",
        "https://example.com:0/m.gguf",
        "https://[/m.gguf",
        "https://example.com/m.gguf#sha256=short",
        "hf.co/maker/mo\ndel",
        "x" * 3000,
    ],
)
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_source(text)
    assert caught.value.code == "bad_source"
    assert "secret" not in caught.value.message


def test_where_only_the_hub_counts_no_disk_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(b"GGUF")
    texts = (str(file), str(tmp_path / "other.gguf"), "~/m", "https://example.com/m.gguf")
    messages = set()
    for text in texts:
        with pytest.raises(InputError) as caught:
            parse_source(text, anywhere=False)
        assert caught.value.code == "bad_source"
        messages.add(caught.value.message.removeprefix(repr(text)))
    assert len(messages) == 1
    page = "https://huggingface.co/maker/model"
    assert parse_source(page, anywhere=False) == HubName("maker", "model")


def test_a_revision_is_said_once() -> None:
    named = parse_source("hf.co/maker/model:Q4_0", revision="v2")
    assert named == HubName("maker", "model", "Q4_0", "v2")
    assert parse_source("hf.co/maker/model@v2", revision="v2").revision == "v2"  # type: ignore[union-attr]
    with pytest.raises(InputError):
        parse_source("hf.co/maker/model@v1", revision="v2")
    with pytest.raises(InputError):
        parse_source("https://example.com/m.gguf", revision="v2")


def test_its_name_here_is_what_clients_ask_for() -> None:
    assert HubName("maker", "model").reference.familiar == "hf.co/maker/model"
    assert str(HubName("maker", "model", "Q4_K_M", "v1").reference) == "hf.co/maker/model:Q4_K_M"
    assert HubName("maker", "model", "deep/m-Q8_0.gguf").reference.tag == "m-Q8_0"
    assert str(HubName("maker", "model", "Q4_K_M", "v1")) == "hf.co/maker/model:Q4_K_M@v1"


@given(st.text(max_size=60))
def test_any_text_is_a_source_or_an_error_of_ours(text: str) -> None:
    with suppress(InputError):
        parse_source(text)


@given(st.text(alphabet="hf.co/:@-_aQ4%?#[]~\\", max_size=40))
def test_text_that_looks_like_a_source_is_one_or_an_error_of_ours(text: str) -> None:
    for start in ("hf.co/", "https://", "hf://", "https://huggingface.co/"):
        try:
            found = parse_source(start + text)
        except InputError:
            continue
        if isinstance(found, HubName):
            assert ".." not in (found.selector or "").split("/")
