"""A frozen vision encoder from a folder: its graph and its description become a base.

It knows what such a folder must hold and what is written down of it; how the graph is asked is the
engine's. The graph's bytes stay as they came: it is checked and never converted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from metier.datasets.sources import file_sha256
from metier.errors import InputError, NotFoundError
from metier.fleet import Fleet, Installed
from metier.formats import check_onnx
from metier.manifest import KIND, Descriptor, Manifest
from metier.picturing import VISION_FILE, VISION_GRAPH, VisionFile
from metier.reference import Reference

MOST_GRAPH_BYTES = 4 << 30
_DOMAINS = ("", "ai.onnx")


def is_vision(folder: Path) -> bool:
    """Whether a folder describes a vision encoder."""
    return (folder / VISION_FILE).is_file()


def install_vision(fleet: Fleet, home: Path, folder: Path, *, name: str | None) -> Installed:
    """Check, try and file the encoder in ``folder``.

    Args:
        fleet: Where it is installed.
        home: The home folder, for what is under way.
        folder: Holds ``vision.json`` and one ``.onnx`` file with its weights inside.
        name: What to call it; the folder's name if not given.

    Raises:
        NotFoundError: There is no graph (``no_file``).
        InputError: The description is wrong (``bad_vision``), the graph is malformed
            (``bad_onnx``), it needs operators of others (``custom_operators``), it has loops or
            branches (``control_flow``), or takes too much for one picture (``too_large``).
        CorruptError: ONNX Runtime cannot run it as described (``bad_graph``).
    """
    described = VisionFile.from_bytes(_read(folder / VISION_FILE))
    graph = _graph(folder)
    _refuse_code(graph)
    called = Reference.parse(name or folder.name)
    digest = file_sha256(graph)
    whole = described.model_copy(
        update={
            "name": called.familiar,
            "sha256": digest,
            "size_bytes": graph.stat().st_size,
        }
    )
    if described.sha256 not in (None, digest):
        raise InputError(
            f"{graph.name} is not the file that {VISION_FILE} names: its sha256 is {digest}.",
            code="wrong_sha256",
            remedy="Take the right file, or write its digest down.",
        )
    dimension = _tried(home, whole.to_bytes(), graph)
    whole = whole.model_copy(update={"dimension": dimension})
    return fleet.install(
        called,
        {VISION_FILE: ("weight-config", whole.to_bytes()), VISION_GRAPH: ("weight", graph)},
        {KIND: "base"},
        whole.licence,
    )


def try_imported(home: Path) -> Callable[[Manifest, Callable[[Descriptor], Path]], None]:
    """A further check of what is imported: its vision encoder, if it has one, is tried as well.

    Args:
        home: The home folder, for what is under way.
    """

    def tried(manifest: Manifest, path_of: Callable[[Descriptor], Path]) -> None:
        described, graph = manifest.part(VISION_FILE), manifest.part(VISION_GRAPH)
        if described is not None and graph is not None:
            _refuse_code(path_of(graph))
            _tried(home, path_of(described).read_bytes(), path_of(graph))

    return tried


def _refuse_code(graph: Path) -> None:
    """Operators that come with code, and loops that nobody can tell the end of."""
    model = check_onnx(graph)
    strange = sorted({domain for domain, _ in model.opsets} - set(_DOMAINS))
    if strange:
        raise InputError(
            f"The graph needs operators of {', '.join(strange)[:100]}, which come with code.",
            code="custom_operators",
            remedy="Export it with ONNX's own operators only.",
        )
    if model.inner:
        raise InputError(
            "The graph has loops or branches, so nobody knows how long it runs.",
            code="control_flow",
            remedy="Export it for inference, with a fixed size of picture.",
        )


def _tried(home: Path, described: bytes, graph: Path) -> int:
    """The length of its vectors; a graph that is not as described is never installed."""
    from metier.engines.visiontrial import tried_dimension

    work = home / "work"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as temporary:
        place = Path(temporary)
        (place / VISION_GRAPH).symlink_to(graph.absolute())
        (place / VISION_FILE).write_bytes(described)
        return tried_dimension(place)


def _graph(folder: Path) -> Path:
    named = folder / VISION_GRAPH
    found = [named] if named.is_file() else sorted(folder.glob("*.onnx"))
    if len(found) != 1:
        raise NotFoundError(
            f"{folder.name} holds {len(found)} .onnx files; one is wanted, best {VISION_GRAPH}.",
            code="no_file",
            remedy="Put the exported encoder beside vision.json; see docs/formats/vision.md.",
        )
    if found[0].stat().st_size > MOST_GRAPH_BYTES:
        raise InputError(f"{found[0].name} is larger than 4 GB.", code="too_large")
    return found[0]


def _read(path: Path) -> bytes:
    if path.stat().st_size > 1 << 20:
        raise InputError(f"{path.name} is larger than 1 MB.", code="too_large")
    return path.read_bytes()
