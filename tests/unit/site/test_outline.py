"""The HTTP reference: every operation of the OpenAPI document, with a line to copy."""

from __future__ import annotations

import shlex
from pathlib import Path

from metier.server import create_app
from metier.server.facade import Here
from metier.site import Site
from metier.site.outline import outline
from stand_in.metier import StandIn


def test_every_operation_is_there_with_a_curl_line(tmp_path: Path) -> None:
    document = create_app(StandIn(tmp_path), Site()).openapi()
    groups = outline(document, Here("http://localhost:1", needs_key=True))
    operations = [operation for group in groups for operation in group["operations"]]
    assert len(operations) == sum(len(verbs) for verbs in document["paths"].values())
    assert len({operation["key"] for operation in operations}) == len(operations)
    for operation in operations:
        words = shlex.split(operation["curl"])
        assert words[0] == "curl"
        assert "Authorization: Bearer KEY" in words
        assert words[-1].startswith("http://localhost:1/")
        assert "{" not in words[-1]


def test_fields_say_where_they_go_and_whether_they_are_needed(tmp_path: Path) -> None:
    document = create_app(StandIn(tmp_path), Site()).openapi()
    by_path = {
        operation["path"]: operation
        for group in outline(document, Here("http://h"))
        for operation in group["operations"]
    }
    classify = {field["name"]: field for field in by_path["/v1/classify"]["fields"]}
    assert classify["input"]["type"] == "string or list of string"
    assert classify["model"]["needed"]
    assert not classify["top"]["needed"]
    make = {field["name"]: field for field in by_path["/metier/v1/make"]["fields"]}
    assert make["data"]["type"] == "file"
    assert make["data"]["place"] == "form"
    assert "-F data=@rows.csv" in by_path["/metier/v1/make"]["curl"]


def test_a_document_without_paths_is_an_empty_page() -> None:
    assert outline({"info": {}}, Here("http://h")) == []
    odd = {"paths": {"/x": {"get": {"tags": ["new"]}}}}
    assert outline(odd, Here("http://h"))[0]["title"] == "new"
