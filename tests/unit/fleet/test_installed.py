"""What a manifest says of an installed thing, without opening a file."""

from __future__ import annotations

from typing import Any

from metier.fleet import Installed
from metier.localmodel import LocalModelFile
from metier.manifest import CONFIG_TYPE, TASK, Descriptor, Manifest
from metier.reference import Digest, Reference


def installed(kind: str, annotations: dict[str, str], **more: Any) -> Installed:
    digest = Digest.of(b"")
    config = Descriptor(mediaType=CONFIG_TYPE, digest=str(digest), size=0)
    manifest = Manifest(config=config, layers=(), annotations=annotations)
    reference = Reference.parse("team/tiny:1")
    return Installed(reference, kind, None, digest, digest, 0, "", manifest, **more)


def test_a_specialist_has_its_task_and_a_base_has_none() -> None:
    made = installed("specialist", {TASK: "generate"})
    assert (made.name, made.task, made.model) == ("team/tiny:1", "generate", None)
    assert (made.classifier, made.chat, made.pack) == (None, None, None)
    assert installed("base", {TASK: "generate"}).task is None
    assert installed("specialist", {}).task is None


def test_a_local_model_says_what_it_is() -> None:
    model = LocalModelFile(weights=("w.gguf",), base="")
    assert installed("base", {}, model=model).model == model
