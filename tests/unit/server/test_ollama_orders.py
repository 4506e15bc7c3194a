from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import InputError, NotFoundError
from metier.generating import Message, Order
from metier.messages import Progress
from metier.reference import Digest
from metier.server import ollama_orders as orders

HEX = "a" * 64
BLOB = f"sha256:{HEX}"
ATTACKS = [
    "sha256:../../../../etc/passwd",
    "sha256-../../../../etc/passwd",
    "sha256:" + "a" * 63,
    "sha256:" + "A" * 64,
    f"sha256:{HEX}/../x",
    f"sha256:{HEX}\n",
    f"md5:{HEX}",
    HEX,
    "sha256:" + "../" * 21 + "a",
    "",
    "/etc/passwd",
]


def find(digest: Digest) -> Path:
    if digest.hex != HEX:
        raise NotFoundError("no blob", code="no_blob")
    return Path("/blobs") / digest.hex


def create(**fields: Any) -> Order:
    return orders.parse_create({"model": "new", **fields}, find)[0]


def test_a_model_of_another_one() -> None:
    order, stream = orders.parse_create(
        {
            "model": "library/new:2",
            "from": "registry.ollama.ai/library/tiny",
            "system": "Be brief.",
            "template": "{{ .Prompt }}",
            "license": ["MIT", "More"],
            "parameters": {"temperature": 0.5, "stop": ["x"], "num_ctx": None, "unknown": 1},
            "messages": [{"role": "User", "content": "Hi"}],
            "adapters": {"a.gguf": BLOB},
            "quantize": "Q8_0",
            "stream": False,
        },
        find,
    )
    assert not stream
    assert order == Order(
        name="new:2",
        base="tiny",
        adapters={"a.gguf": Path("/blobs") / HEX},
        template="{{ .Prompt }}",
        template_language="go",
        system="Be brief.",
        parameters={"temperature": 0.5, "stop": ["x"]},
        messages=(Message("user", "Hi"),),
        licences=("MIT", "More"),
        quantize="q8_0",
    )


def test_a_model_of_blobs() -> None:
    order = create(files={"model.gguf": BLOB, "sub/config.json": BLOB.replace(":", "-")})
    assert order.base is None
    assert list(order.weights) == ["model.gguf", "sub/config.json"]
    assert orders.parse_create({"name": "n", "from": "t"}, find)[1]


def test_older_clients_send_a_modelfile() -> None:
    order = create(
        modelfile="FROM tiny:latest\nSYSTEM Be brief.\nPARAMETER stop x\nPARAMETER num_ctx 512\n"
        'MESSAGE user Hi\nLICENSE MIT\nTEMPLATE """{{ .Prompt }}"""\n',
        quantize="f16",
    )
    assert order == Order(
        name="new",
        base="tiny",
        template="{{ .Prompt }}",
        template_language="go",
        system="Be brief.",
        parameters={"stop": ("x",), "num_ctx": 512},
        messages=(Message("user", "Hi"),),
        licences=("MIT",),
        quantize="f16",
    )
    order = create(modelfile=f"FROM @{BLOB}\nADAPTER @{BLOB}\n")
    assert order.base is None
    assert list(order.weights) == ["model-0.gguf"]
    assert list(order.adapters) == ["adapter-0.gguf"]


@pytest.mark.parametrize(
    "modelfile",
    [
        "FROM /etc/passwd",
        "FROM ./model.gguf",
        "FROM ../model.gguf",
        "FROM ~/model.gguf",
        "FROM C:\\model.gguf",
        "FROM @sha256:../../../etc/passwd",
        "FROM tiny\nADAPTER /etc/passwd",
        "FROM tiny\nADAPTER ./a.gguf",
        f"FROM tiny\nFROM @{BLOB}",
        "FROM tiny\nFROM other",
        "SYSTEM x",
        "NONSENSE",
    ],
)
def test_a_modelfile_over_http_names_only_what_is_in_the_store(modelfile: str) -> None:
    with pytest.raises(InputError):
        create(modelfile=modelfile)


def test_one_licence_may_be_a_text() -> None:
    assert create(**{"from": "a", "license": "MIT"}).licences == ("MIT",)
    assert create(**{"from": "a", "license": None}).licences is None


@pytest.mark.parametrize("digest", ATTACKS)
def test_a_digest_is_never_a_path(digest: str) -> None:
    """CVE-2024-37032, and again CVE-2026-7020."""
    with pytest.raises(InputError) as caught:
        orders.blob_digest(digest)
    assert caught.value.code == "bad_digest"
    with pytest.raises(InputError):
        create(files={"a.gguf": digest})


@given(st.text(max_size=90))
def test_any_text_is_a_digest_or_refused(text: str) -> None:
    try:
        digest = orders.blob_digest(text)
    except InputError:
        return
    assert set(digest.hex) <= set("0123456789abcdef")


def test_a_blob_that_is_not_here_is_refused() -> None:
    with pytest.raises(NotFoundError):
        create(files={"a.gguf": "sha256:" + "b" * 64})


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../a", "a/../b", "a\\b", "C:/a", "a//b", "a/", ".", "..", "", "a\0b", "a\nb"],
)
def test_a_file_name_stays_inside(name: str) -> None:
    with pytest.raises(InputError, match="relative"):
        create(files={name: BLOB})


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "from"),
        ({"adapters": {"a.gguf": BLOB}}, "from"),
        ({"from": "a", "quantize": "q4_K_M"}, "quantize"),
        ({"from": "a", "license": 7}, "license"),
        ({"from": "a", "parameters": {"stop": "x"}}, "stop"),
        ({"from": "a", "messages": 7}, "messages"),
        ({"from": "a", "files": []}, "files"),
        ({"from": "a", "files": {"a": 7}}, "files"),
        ({"from": "a", "remote_host": "http://evil.example"}, "remote_host"),
        ({"from": "a", "path": "/tmp/Modelfile"}, "path"),
        ({"from": "../a"}, "'..'"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as caught:
        create(**fields)
    assert named in caught.value.message


def test_a_copy_has_two_names() -> None:
    assert orders.parse_copy({"source": "library/a", "destination": "b:1"}) == (
        "library/a",
        "a",
        "b:1",
    )
    for asked in ({}, {"source": "a"}, {"destination": "a"}):
        with pytest.raises(InputError, match="required"):
            orders.parse_copy(asked)


def test_a_pull_keeps_the_host() -> None:
    asked = orders.parse_pull({"name": "hf.co/owner/name:Q8_0", "stream": False})
    assert (asked.name, asked.stream) == ("hf.co/owner/name:Q8_0", False)


def test_progress_is_a_line_of_bytes_done() -> None:
    data = {"digest": BLOB, "total": 10, "completed": 0, "speed": 3.0}
    assert json.loads(orders.pulled(Progress("pull", "pulling aaaa", data=data))) == {
        "status": "pulling aaaa",
        "digest": BLOB,
        "total": 10,
        "completed": 0,
    }
    assert json.loads(orders.created("reading")) == {"status": "reading"}
    assert json.loads(orders.SUCCESS) == {"status": "success"}
