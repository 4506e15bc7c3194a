"""Manifests: how a specialist is written down as an OCI artifact (CNCF ModelPack).

It knows the media types and annotations of the CNCF model specification (modelpack/model-spec,
docs/spec.md) and canonical JSON; it reads and writes no files. A manifest lists parts by digest;
everything Metier adds (base, recipe, evidence) stands in annotations, because the ModelPack
config schema forbids extra fields.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metier.errors import CorruptError, InputError
from metier.reference import Digest

MANIFEST_TYPE: Literal["application/vnd.oci.image.manifest.v1+json"] = (
    "application/vnd.oci.image.manifest.v1+json"
)
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
ARTIFACT_TYPE = "application/vnd.cncf.model.manifest.v1+json"
CONFIG_TYPE = "application/vnd.cncf.model.config.v1+json"
WEIGHT_TYPE = "application/vnd.cncf.model.weight.v1.raw"
WEIGHT_CONFIG_TYPE = "application/vnd.cncf.model.weight.config.v1.raw"
DOC_TYPE = "application/vnd.cncf.model.doc.v1.raw"

FILEPATH = "org.cncf.model.filepath"
REF_NAME = "org.opencontainers.image.ref.name"
SYSTEM = "io.metier.system"
BASE = "io.metier.base"
RECIPE = "io.metier.recipe"
BUILD = "io.metier.build"
TASK = "io.metier.task"
KIND = "io.metier.kind"
"""``specialist`` or ``base``."""

Role = Literal["weight", "weight-config", "doc"]
ROLE_TYPES: dict[str, str] = {
    "weight": WEIGHT_TYPE,
    "weight-config": WEIGHT_CONFIG_TYPE,
    "doc": DOC_TYPE,
}


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Descriptor(_Wire):
    """One blob: media type, digest (``sha256:…``), size in bytes and annotations."""

    media_type: str = Field(alias="mediaType")
    digest: str
    size: int = Field(ge=0)
    annotations: dict[str, str] = Field(default_factory=dict)

    @property
    def blob(self) -> Digest:
        """The digest, parsed."""
        return Digest.parse(self.digest)

    @property
    def filepath(self) -> str | None:
        """The part's path inside the specialist, if the descriptor names one."""
        return self.annotations.get(FILEPATH)


class Manifest(_Wire):
    """An OCI image manifest that holds one specialist or one base."""

    schema_version: Literal[2] = Field(default=2, alias="schemaVersion")
    media_type: Literal["application/vnd.oci.image.manifest.v1+json"] = Field(
        default=MANIFEST_TYPE, alias="mediaType"
    )
    artifact_type: str = Field(default=ARTIFACT_TYPE, alias="artifactType")
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: dict[str, str] = Field(default_factory=dict)

    def part(self, filepath: str) -> Descriptor | None:
        """The layer with this file path, or ``None``."""
        return next((layer for layer in self.layers if layer.filepath == filepath), None)

    def blobs(self) -> tuple[Descriptor, ...]:
        """Every blob that the manifest needs: the config first, then the layers."""
        return (self.config, *self.layers)

    def to_bytes(self) -> bytes:
        """Canonical bytes: the manifest's digest is theirs."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Parse and check a manifest; raises CorruptError (code ``bad_manifest``).

        Every digest must be well formed and every file path relative, without ``..``.
        """
        try:
            manifest = cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise CorruptError(
                f"A manifest is not valid: {where}: {first['msg']}.", code="bad_manifest"
            ) from error
        for descriptor in manifest.blobs():
            try:
                descriptor.blob  # noqa: B018  parsing is the check
            except InputError as error:
                raise CorruptError(
                    f"A manifest is not valid: {error.message}", code="bad_manifest"
                ) from error
            path = descriptor.filepath
            if path is not None and not safe_filepath(path):
                raise CorruptError(
                    f"A manifest names the file path {path[:120]!r}, which leaves its folder.",
                    code="bad_manifest",
                )
        return manifest


def safe_filepath(path: str) -> bool:
    """Whether ``path`` is relative, normal, printable and stays inside its folder."""
    parts = path.split("/")
    return (
        0 < len(path) <= 255
        and path.isprintable()
        and "\\" not in path
        and ":" not in path
        and all(part not in ("", ".", "..") for part in parts)
    )


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: equal values have equal bytes.

    Raises ValueError for NaN and infinities, which JSON cannot carry.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


def model_config(*, name: str, layers: tuple[Descriptor, ...], licence: str | None) -> bytes:
    """The ModelPack config document (no field beyond its schema) as canonical bytes."""
    descriptor: dict[str, Any] = {"name": name}
    if licence:
        descriptor["licenses"] = [licence]
    return canonical_json(
        {
            "descriptor": descriptor,
            "modelfs": {"type": "layers", "diffIds": [layer.digest for layer in layers]},
            "config": {},
        }
    )


def system_digest(layers: tuple[Descriptor, ...], base: str | None) -> Digest:
    """The digest of what answers: weights and their configuration, and the base's digest.

    Cards, results and dates are left out, so a remake on the same machine has the same digest.
    """
    answering = sorted(
        (layer.filepath or "", layer.digest)
        for layer in layers
        if layer.media_type in (WEIGHT_TYPE, WEIGHT_CONFIG_TYPE)
    )
    return Digest.of(canonical_json({"base": base, "parts": answering}))
