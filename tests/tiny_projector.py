"""A tiny projector with random weights, so that a tiny model sees; and pictures to show it.

Two layers of width 32 over four patches, as llama.cpp's ``clip`` reads them. It knows nothing of
Metier.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import gguf
import numpy as np

WIDTH, INNER, LAYERS, SIDE, PATCH = 32, 64, 2, 28, 14
TOKENS = (SIDE // PATCH) ** 2
"""Tokens that a picture takes."""


def tiny_projector(folder: Path, *, width: int = 64, seed: int = 3) -> Path:
    """A projector into a model of this width, as one GGUF file (f32)."""
    random = np.random.default_rng([seed, 17])
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"tiny-projector-{seed}.gguf"
    writer = gguf.GGUFWriter(target, "clip")
    writer.add_type("mmproj")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for name, flag in (("has_vision_encoder", True), ("has_llava_projector", True)):
        writer.add_bool(f"clip.{name}", flag)
    writer.add_bool("clip.use_gelu", True)
    writer.add_string("clip.projector_type", "mlp")
    sizes = {
        "image_size": SIDE, "patch_size": PATCH, "embedding_length": WIDTH, "block_count": LAYERS,
        "feed_forward_length": INNER, "projection_dim": width, "attention.head_count": 2,
    }  # fmt: skip
    for name, size in sizes.items():
        writer.add_uint32(f"clip.vision.{name}", size)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    for name in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{name}", [0.5, 0.5, 0.5])

    def add(name: str, *shape: int) -> None:
        values = random.standard_normal(shape) / shape[-1] ** 0.5
        writer.add_tensor(name, values.astype(np.float32))

    def add_layer(name: str, rows: int, columns: int) -> None:
        add(f"{name}.weight", rows, columns)
        add(f"{name}.bias", rows)

    add("v.patch_embd.weight", WIDTH, 3, PATCH, PATCH)
    add("v.class_embd", WIDTH)
    add("v.position_embd.weight", TOKENS + 1, WIDTH)
    norms = ["v.pre_ln", *(f"v.blk.{layer}.ln{n}" for layer in range(LAYERS) for n in (1, 2))]
    for name in norms:
        add(f"{name}.weight", WIDTH)
        add(f"{name}.bias", WIDTH)
    for layer in range(LAYERS):
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            add_layer(f"v.blk.{layer}.{part}", WIDTH, WIDTH)
        add_layer(f"v.blk.{layer}.ffn_up", INNER, WIDTH)
        add_layer(f"v.blk.{layer}.ffn_down", WIDTH, INNER)
    add_layer("mm.0", width, WIDTH)
    add_layer("mm.2", width, width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def picture(red: int, green: int, blue: int, *, side: int = 40) -> bytes:
    """A PNG of one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = (b"\0" + bytes((red, green, blue)) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    )
