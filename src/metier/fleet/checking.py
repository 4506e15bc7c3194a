"""What may become an artifact: every part is sound, and what describes it names what is there.

It knows manifests, cards and ``model.json``; it keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from metier.card import read_card
from metier.errors import CorruptError, InputError
from metier.fleet.binding import refuse_wrong_pairing
from metier.fleet.models import base_of, files_of
from metier.formats import check_part, read_gguf
from metier.localmodel import MODEL_FILE, LocalModelFile
from metier.manifest import ARTIFACT_TYPE, BASE, CONFIG_TYPE, ROLE_TYPES, Descriptor, Manifest
from metier.picturing import VISION_FILE, VISION_GRAPH, VisionFile
from metier.specialist import SPECIALIST_FILE, ChatFile, task_of

CARD = "card.json"
MAX_PARTS = 1000
MAX_CARD_BYTES = 16 << 20
MAX_MODEL_BYTES = 16 << 20


def check(manifest: Manifest, path_of: Callable[[Descriptor], Path]) -> None:
    """Refuse an artifact whose parts are unsafe, malformed or without a path.

    Raises:
        InputError: Saying which part and why.
        CorruptError: Its card (code ``bad_card``) or what it says of a chat specialist
            (``bad_specialist``) is not valid.
    """
    if manifest.artifact_type != ARTIFACT_TYPE or manifest.config.media_type != CONFIG_TYPE:
        raise InputError(
            f"The artifact is a {manifest.artifact_type[:100]!r} and not a CNCF ModelPack.",
            code="not_a_modelpack",
            remedy="Import a folder that 'metier export' wrote.",
        )
    if not manifest.layers or len(manifest.layers) > MAX_PARTS:
        raise InputError(
            f"The artifact has {len(manifest.layers)} parts; 1 to {MAX_PARTS} are possible.",
            code="bad_parts",
        )
    beside = frozenset(layer.filepath or "" for layer in manifest.layers)
    for layer in manifest.layers:
        if layer.filepath is None or layer.media_type not in ROLE_TYPES.values():
            raise InputError(
                f"A part ({layer.media_type[:100]!r}) has no path, or is not a raw weight, "
                "configuration or document.",
                code="bad_parts",
                remedy="Parts are single files that are not packed; export it so.",
            )
        check_part(layer.filepath, path_of(layer), beside)
        if layer.filepath == CARD:
            if layer.size > MAX_CARD_BYTES:
                raise InputError(
                    f"The card is longer than {MAX_CARD_BYTES} bytes.", code="too_large"
                )
            read_card(path_of(layer).read_bytes())
        if layer.filepath == SPECIALIST_FILE:
            _check_specialist(path_of(layer))
        if layer.filepath == VISION_FILE:
            _check_vision(manifest, path_of(layer).read_bytes())
        if layer.filepath == MODEL_FILE:
            _check_model(manifest, layer, path_of)


def _check_model(
    manifest: Manifest, described: Descriptor, path_of: Callable[[Descriptor], Path]
) -> None:
    """``model.json`` names GGUF parts that are there, the base that they are, and its adapters."""
    if described.size > MAX_MODEL_BYTES:
        raise InputError(f"{MODEL_FILE} is longer than {MAX_MODEL_BYTES} bytes.", code="too_large")
    model = LocalModelFile.from_bytes(path_of(described).read_bytes())
    layers = {layer.filepath: layer for layer in manifest.layers}
    wrong = [name for name in files_of(model) if name not in layers or not name.endswith(".gguf")]
    if wrong or not model.weights:
        raise CorruptError(
            f"{MODEL_FILE} names {', '.join(wrong) or 'no weights'}, which is no GGUF part.",
            code="bad_model",
        )
    base = base_of(model, {name: layer.blob for name, layer in layers.items()})
    if model.base != str(base) or manifest.annotations.get(BASE, model.base) != model.base:
        raise CorruptError(
            f"{MODEL_FILE} is bound to the base {model.base}, which its weights are not.",
            code="bad_model",
        )
    if model.adapters:
        headers = [read_gguf(path_of(layers[name])) for name in model.weights]
        for adapter in model.adapters:
            refuse_wrong_pairing(
                read_gguf(path_of(layers[adapter.file])),
                headers,
                adapter_name=adapter.file,
                base_name=model.parent or model.weights[0],
            )


def _check_vision(manifest: Manifest, described: bytes) -> None:
    """``vision.json`` names the very graph that lies beside it."""
    file = VisionFile.from_bytes(described)
    graph = manifest.part(VISION_GRAPH)
    if graph is None or graph.blob.hex != file.sha256:
        raise CorruptError(
            f"{VISION_FILE} is bound to the graph {file.sha256}, which is not beside it.",
            code="bad_vision",
        )


def _check_specialist(path: Path) -> None:
    """A chat specialist may name tools and packs and nothing else; others check their own."""
    data = path.read_bytes()
    if task_of(data) == "chat":
        ChatFile.from_bytes(data)
