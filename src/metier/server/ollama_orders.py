"""Ollama's requests that change what is here: create, copy, delete, pull; and their progress.

Pure translation: no I/O, no framework. Files are named by digests of blobs that the store holds,
never by a path; where a blob lies is asked of ``Find``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from metier.errors import InputError
from metier.generating import Order
from metier.messages import Progress
from metier.modelfile import parse_modelfile
from metier.reference import Digest
from metier.server.ollama import line
from metier.server.ollama_options import checked, wrong
from metier.server.ollama_reading import flag, messages, model_of, stored_name, text

Find = Callable[[Digest], Path]
"""Where a blob lies; raises NotFoundError."""
_FILE = re.compile(r"(?!/)(?:(?!\.{1,2}(?:/|$))[^/\\\x00-\x1f:]{1,200}(?:/(?!$)|$)){1,8}")
_QUANTIZE = ("f16", "q8_0")
_REFUSED = ("path", "remote_host", "draft_files", "draft_quantize")


@dataclass(frozen=True, slots=True)
class AskedPull:
    """A checked request of ``/api/pull`` or ``/api/push``."""

    name: str
    stream: bool


def parse_pull(asked: Mapping[str, Any]) -> AskedPull:
    """The checked request; a name keeps its host, which says where to pull from."""
    return AskedPull(model_of(asked), flag(asked, "stream", otherwise=True))


def parse_copy(asked: Mapping[str, Any]) -> tuple[str, str, str]:
    """Source as written, source, destination; raises InputError."""
    source, destination = text(asked, "source"), text(asked, "destination")
    if not source or not destination:
        raise wrong("source and destination are required", "source", "bad_request")
    return source, stored_name(source), stored_name(destination)


def parse_create(asked: Mapping[str, Any], find: Find) -> tuple[Order, bool]:
    """The order of ``/api/create``, and whether its progress is streamed.

    Raises InputError naming the field that is wrong, NotFoundError for a blob that is not here.
    """
    name = stored_name(model_of(asked))
    stream = flag(asked, "stream", otherwise=True)
    quantize = _quantize(text(asked, "quantize") or text(asked, "quantization"))
    if text(asked, "modelfile"):
        order = _of_modelfile(name, text(asked, "modelfile"), find)
        return replace(order, quantize=quantize), stream
    for field in _REFUSED:
        if asked.get(field):
            raise wrong(f"{field} is not offered here", field, "bad_request")
    base = text(asked, "from")
    files = _files(asked.get("files"), "files", find)
    if not base and not files:
        raise wrong("neither 'from' or 'files' was specified", "from", "bad_request")
    template, system = text(asked, "template"), text(asked, "system")
    order = Order(
        name=name,
        base=stored_name(base) if base else None,
        weights={} if base else files,
        adapters=_files(asked.get("adapters"), "adapters", find),
        template=template or None,
        template_language="go" if template else None,
        system=system or None,
        parameters=_parameters(asked.get("parameters")),
        messages=messages(asked.get("messages")) or None,
        licences=_licences(asked.get("license")),
        quantize=quantize,
    )
    return order, stream


def _of_modelfile(name: str, given: str, find: Find) -> Order:
    """The order of a Modelfile, which Ollama's older clients send as a text.

    FROM names an installed model or, as those clients write it, a blob: ``@sha256:…``. A path of
    the server's machine is neither.
    """
    said = parse_modelfile(given)
    blobs = [source for source in said.sources if source.startswith("@")]
    if blobs and len(blobs) < len(said.sources):
        raise wrong("FROM names a model and blobs at once", "modelfile", "bad_modelfile")
    if not blobs and len(said.sources) > 1:
        raise wrong("FROM names several models", "modelfile", "bad_modelfile")
    return Order(
        name=name,
        base=None if blobs else _named(said.sources[0]),
        weights=_numbered(blobs, "model", find),
        adapters=_numbered(said.adapters, "adapter", find),
        template=said.template,
        template_language="go" if said.template is not None else None,
        system=said.system,
        parameters=dict(said.parameters),
        messages=messages([{"role": role, "content": told} for role, told in said.messages])
        or None,
        licences=said.licences or None,
    )


def _named(source: str) -> str:
    try:
        return stored_name(source)
    except InputError as error:
        raise wrong(
            f"FROM {source[:80]!r} is not the name of a model; over HTTP a Modelfile names only "
            "what is in the store",
            "modelfile",
            "bad_modelfile",
        ) from error


def _numbered(blobs: Sequence[str], stem: str, find: Find) -> dict[str, Path]:
    files = {}
    for number, blob in enumerate(blobs):
        if not blob.startswith("@"):
            raise wrong(
                f"ADAPTER {blob[:80]!r} is not a blob; send its bytes to /api/blobs first and "
                "name it by '@sha256:…'",
                "modelfile",
                "bad_modelfile",
            )
        files[f"{stem}-{number}.gguf"] = find(blob_digest(blob[1:], "modelfile"))
    return files


def _parameters(value: Any) -> dict[str, Any]:
    return {
        name: list(one) if isinstance(one, tuple) else one
        for name, one in checked(value, "parameters").items()
    }


def _licences(value: Any) -> tuple[str, ...] | None:
    if value is None or value == "" or value == []:
        return None
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
        raise wrong("license must be a string or an array of strings", "license", "bad_request")
    return tuple(several)


def _quantize(value: str) -> str | None:
    if not value:
        return None
    kind = value.lower()
    if kind not in _QUANTIZE:
        raise wrong(
            f"quantize is {value[:40]!r}; here it is one of {', '.join(_QUANTIZE)}",
            "quantize",
            "bad_request",
        )
    return kind


def _files(value: Any, field: str, find: Find) -> dict[str, Path]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(f"{field} must be an object of names and digests", field, "bad_request")
    return {
        _file_name(name, field): find(blob_digest(digest, field)) for name, digest in value.items()
    }


def _file_name(name: str, field: str) -> str:
    if not _FILE.fullmatch(name):
        raise wrong(f"{field}: file path must be relative: {name[:80]!r}", field, "bad_request")
    return name


def blob_digest(value: Any, field: str = "digest") -> Digest:
    """``sha256:`` and 64 hexadecimal digits, or with ``-``; raises InputError (``bad_digest``)."""
    if isinstance(value, str):
        try:
            return Digest.parse(value.replace("sha256-", "sha256:", 1))
        except InputError as error:
            raise wrong(f"invalid digest format: {value[:80]!r}", field, error.code) from error
    raise wrong(f"{field}: a digest must be a string", field, "bad_digest")


def created(sentence: str) -> bytes:
    """A line of progress of ``/api/create``."""
    return line({"status": sentence})


SUCCESS = line({"status": "success"})


def pulled(progress: Progress) -> bytes:
    """A line of progress of ``/api/pull``; ``data`` may hold digest, total and completed."""
    told: dict[str, Any] = {"status": progress.message}
    for field in ("digest", "total", "completed"):
        if progress.data.get(field) is not None:
            told[field] = progress.data[field]
    return line(told)
