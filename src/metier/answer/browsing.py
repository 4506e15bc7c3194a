"""What a browser needs to answer as this process does: which files, and how to compute.

It knows which parts of a classifier the page can compute with and writes them down as a *plan*;
it sends nothing and knows no address. Files are named by digest, and only a plan's own files are
ever given out. The scripts that read it lie in ``site/static/running``.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from metier.errors import CorruptError, InputError

if TYPE_CHECKING:
    from metier.engines.encoder import BaseDescription
    from metier.engines.parts import Member, SpecialistFile

MODULE = "onnxruntime-web/dist/ort.wasm.bundle.min.mjs"
PROGRAM = "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm"
"""ONNX Runtime Web's two files, below ``node_modules``: its module and its WebAssembly program."""


class Part(Protocol):
    """One file of what is installed."""

    @property
    def filepath(self) -> str:
        """Its path inside the specialist or the base."""

    @property
    def digest(self) -> object:
        """``str`` of it is ``sha256:…``."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def path(self) -> Path:
        """Where its bytes lie."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """One file that the page loads.

    Attributes:
        name: For people: ``linear.safetensors``.
        digest: ``sha256:…`` of its bytes.
        size: Bytes.
        path: Where it lies on this machine; never told.
    """

    name: str
    digest: str
    size: int
    path: Path


@dataclass(frozen=True, slots=True)
class RunPlan:
    """How a browser answers as one classifier.

    Attributes:
        name: The specialist.
        digest: ``sha256:…`` of its system.
        document: Labels, rules and members, for the page's scripts; ``alphabet`` goes with it.
        files: What is loaded, each digest once.
        encoder: Whether it needs ONNX Runtime Web.
        exact: Whether the page's scores are the server's up to 1e-4; an int8 encoder's are not.
    """

    name: str
    digest: str
    document: Mapping[str, Any]
    files: tuple[RunFile, ...]
    encoder: bool
    exact: bool

    def file(self, digest: str) -> RunFile | None:
        """The file of this digest, if it is one of the plan's."""
        return next((item for item in self.files if item.digest == digest), None)


def plan_of(
    name: str,
    digest: str,
    specialist: SpecialistFile,
    parts: Sequence[Part],
    base_of: Callable[[], tuple[BaseDescription, Sequence[Part]]],
) -> RunPlan:
    """The plan of one classifier.

    Args:
        name: Its name.
        digest: ``sha256:…`` of its system.
        specialist: Its ``specialist.json``.
        parts: Its files.
        base_of: Gives its base and the base's files; asked only if a member needs one.

    Raises:
        InputError: The page cannot compute a part of it (code ``not_for_browsers``).
        UnavailableError: Its base is not here (from ``base_of``).
        CorruptError: A file that it names is not there.
    """
    files: dict[str, RunFile] = {}

    def take(found: Sequence[Part], filepath: str) -> str:
        part = next((part for part in found if part.filepath == filepath), None)
        if part is None:
            raise CorruptError(
                f"{name!r} names {filepath!r}, which is not among its files.", code="bad_specialist"
            )
        files.setdefault(
            str(part.digest), RunFile(filepath, str(part.digest), part.size, part.path)
        )
        return str(part.digest)

    members = []
    for member in specialist.members:
        told: dict[str, Any] = {"kind": member.kind, "weight": member.weight}
        told["file"] = take(parts, member.file)
        if member.kind == "linear":
            told |= {"buckets": member.buckets, "words": member.words}
            told["characters"] = member.characters
        elif member.kind == "prior":
            told["dimension"] = 0
        else:
            base, held = base_of()
            told |= _encoder(member, base, partial(take, held))
        members.append(told)
    kinds = {member.kind for member in specialist.members}
    document = {
        "format": 1,
        "labels": specialist.labels,
        "out_of_scope_label": specialist.out_of_scope_label,
        "abstain_below": specialist.abstain_below,
        "energy_below": specialist.energy_below,
        "members": members,
    }
    exact = not any(member.precision == "int8" for member in specialist.members)
    return RunPlan(name, digest, document, tuple(files.values()), "encoder" in kinds, exact)


def _encoder(member: Member, base: BaseDescription, take: Callable[[str], str]) -> dict[str, Any]:
    """What the page needs of a member's encoder."""
    static = member.kind == "static"
    graph = f"encoder-{member.precision or 'fp32'}.onnx"
    weights = [] if static or graph == "encoder-int8.onnx" else ["model.safetensors"]
    names = ("tokenizer.json", "static.safetensors" if static else graph, *weights)
    base.require(*names)
    _check_tokenizer(base.folder / "tokenizer.json", base.name)
    told: dict[str, Any] = {
        "kind": member.kind,
        "max_tokens": base.max_tokens,
        "files": {filepath: take(filepath) for filepath in names},
    }
    dimension = base.dimension
    if static:
        tokens, width = _table_shape(base.folder / "static.safetensors")
        told |= {"tokens": tokens, "width": width}
        dimension = 2 * width
    else:
        told |= {"graph": graph, "weights": weights, "precision": member.precision or "fp32"}
    return {"encoder": told, "dimension": dimension}


def _check_tokenizer(path: Path, base: str) -> None:
    """Refuse what the page's tokenizer does not read as the library does."""
    facts = json.loads(path.read_bytes())
    single = facts["post_processor"]["single"] if facts.get("post_processor") else []
    kinds = [(facts.get(key) or {}).get("type") for key in ("normalizer", "pre_tokenizer", "model")]
    plain = all(
        not (token["normalized"] or token["lstrip"] or token["rstrip"] or token["single_word"])
        for token in facts.get("added_tokens", ())
    )
    known = kinds == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]
    if not (known and plain and sum("Sequence" in piece for piece in single) == 1):
        raise InputError(
            f"The tokenizer of the base {base} is not of BERT's kind, so a page cannot run it.",
            code="not_for_browsers",
            remedy="Use it on this server; a linear specialist runs in every page.",
        )


def _table_shape(path: Path) -> tuple[int, int]:
    """Rows and columns of a static table, from the head of its file."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        tokens, width = json.loads(file.read(length))["table"]["shape"]
    return int(tokens), int(width)


@lru_cache(maxsize=1)
def alphabet() -> Mapping[str, Any]:
    """What this Python takes for letters: Unicode grows, and browsers have other versions.

    ``words``: the UTF-16 units that belong to words. ``unknown``: code points that it does not
    know and leaves as they are. Both are ``[gap, length, gap, length, …]``.
    """
    from metier.features import word_units

    category = unicodedata.category
    unknown = (point for point in range(0x110000) if category(chr(point)) == "Cn")
    return {
        "unicode": unicodedata.unidata_version,
        "words": _gaps(word_units().nonzero()[0].tolist()),
        "unknown": _gaps(unknown),
    }


def _gaps(numbers: Iterable[int]) -> list[int]:
    """Rising numbers as ranges: gap, length, gap, length."""
    told: list[int] = []
    end = 0
    for number in numbers:
        if told and number == end:
            told[-1] += 1
        else:
            told += [number - end, 1]
        end = number + 1
    return told
