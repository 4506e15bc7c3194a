"""Makes every file that a base needs from an upstream encoder, in one call.

It knows the order of the work, its progress, and that a file stands under its final name only when
it is whole. It does not know the store, and runs no model.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnx import ModelProto
from threadpoolctl import threadpool_limits

from metier.conversion.graph import build_fp32
from metier.conversion.quantisation import build_int8
from metier.conversion.static_table import write_static
from metier.conversion.upstream import (
    CONFIG,
    TOKENIZER,
    UPSTREAM_FILES,
    WEIGHTS,
    Upstream,
    file_sha256,
    read_upstream,
)
from metier.errors import StorageError
from metier.messages import Progress, Report, silent

FP32, INT8 = "encoder-fp32.onnx", "encoder-int8.onnx"
STATIC, DESCRIPTION = "static.safetensors", "base.json"
FORMAT = "metier-base/1"


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """The files of a base, all in one folder and none under another name.

    Attributes:
        folder: The folder.
        weights: Upstream's ``model.safetensors``, byte by byte.
        tokenizer: Upstream's ``tokenizer.json``, byte by byte.
        config: Upstream's ``config.json``, byte by byte.
        graphs: Precision (``fp32``, ``int8``) to ONNX file. The fp32 graph reads ``weights``.
        static: The static token embeddings.
        description: ``base.json``, which names all the others with their digests.
    """

    folder: Path
    weights: Path
    tokenizer: Path
    config: Path
    graphs: dict[str, Path]
    static: Path
    description: Path

    def parts(self) -> tuple[Path, ...]:
        """Every file, ``base.json`` last."""
        upstream = (self.weights, self.tokenizer, self.config)
        return (*upstream, *self.graphs.values(), self.static, self.description)


def prepare_base(
    source: Path, out: Path, report: Report = silent, *, name: str | None = None
) -> BaseFiles:
    """Make the files of a base in ``out`` from the upstream encoder in ``source``.

    Upstream's files are hard-linked (copied where that is not possible), never rewritten. What is
    made is the same bytes each time on one machine, and each file appears under its name when it is
    whole; ``base.json`` comes last, so a folder with it is complete.

    Args:
        source: The upstream folder; see ``upstream.read_upstream``.
        out: Where to write; made if needed. Files that are there are replaced.
        report: Told of each step, stage ``base``.
        name: What to call the base; by default what ``read_upstream`` says.

    Raises:
        NotFoundError, CorruptError, InputError: As ``read_upstream``.
        StorageError: ``out`` cannot be written.
    """
    report(Progress("base", f"Checking the encoder in {source}", 0.0))
    upstream = read_upstream(source, name=name)
    files = BaseFiles(
        folder=out,
        weights=out / WEIGHTS,
        tokenizer=out / TOKENIZER,
        config=out / CONFIG,
        graphs={"fp32": out / FP32, "int8": out / INT8},
        static=out / STATIC,
        description=out / DESCRIPTION,
    )
    steps: list[tuple[str, Callable[[], object]]] = [
        ("Linking upstream's files", lambda: _link_upstream(upstream, out)),
        ("Writing the fp32 graph", lambda: _graph(upstream, build_fp32, out / FP32)),
        ("Writing the int8 graph", lambda: _graph(upstream, build_int8, out / INT8)),
        ("Making the static embeddings", lambda: _static(upstream, files.static)),
        ("Writing base.json", lambda: _write(files.description, _describe(upstream, files))),
    ]
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Many small products: more than one BLAS thread only burns time, and may change a last bit.
        with threadpool_limits(limits=1, user_api="blas"):
            for number, (message, step) in enumerate(steps):
                report(Progress("base", message, (number + 1) / (len(steps) + 1)))
                step()
    except OSError as error:
        raise StorageError(
            f"The base {upstream.name} could not be written to {out}: {error}.",
            code="base_not_written",
            remedy="Free some space there (a base needs about 150 MB) or check its permissions.",
            retryable=True,
        ) from error
    report(Progress("base", f"{upstream.name} is ready", 1.0))
    return files


def _graph(upstream: Upstream, build: Callable[[Upstream], ModelProto], path: Path) -> None:
    _write(path, bytes(build(upstream).SerializeToString(deterministic=True)))


def _static(upstream: Upstream, path: Path) -> None:
    with _whole_or_nothing(path) as temporary:
        write_static(upstream, temporary)


def _describe(upstream: Upstream, files: BaseFiles) -> bytes:
    made = [*files.graphs.values(), files.static]
    described: dict[str, Any] = {
        "format": FORMAT,
        "name": upstream.name,
        "licence": upstream.licence,
        "dimension": upstream.hidden,
        "max_tokens": upstream.max_tokens,
        "pooling": upstream.pooling,
        "upstream": {name: f"sha256:{digest}" for name, digest in upstream.digests.items()},
        "made": {path.name: f"sha256:{file_sha256(path)}" for path in made},
        "sizes": {path.name: path.stat().st_size for path in files.parts()[:-1]},
        "toolchain": {name: importlib.metadata.version(name) for name in ("numpy", "onnx")},
    }
    return (json.dumps(described, indent=2, sort_keys=True) + "\n").encode()


def _link_upstream(upstream: Upstream, out: Path) -> None:
    for name in UPSTREAM_FILES:
        source, target = upstream.folder / name, out / name
        if target.exists() and target.samefile(source):
            continue
        with _whole_or_nothing(target) as temporary:
            temporary.unlink()
            try:
                os.link(source.resolve(), temporary)
            except OSError:  # Another file system, or one without hard links.
                shutil.copyfile(source, temporary)


def _write(path: Path, data: bytes) -> None:
    with _whole_or_nothing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def _whole_or_nothing(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its name at the end, or vanishes."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
