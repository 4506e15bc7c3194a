"""What may come in: header checks of the few formats that are ever loaded, in pure Python.

``checking`` says yes or no to one part of an artifact; ``gguf`` reads the header of a GGUF file,
``describing`` says what it means to people. No tensor is ever loaded here.
"""

from metier.formats.checking import (
    MAX_HEADER_BYTES,
    MAX_JSON_BYTES,
    MAX_TOML_BYTES,
    OnnxModel,
    Tensor,
    check_json,
    check_onnx,
    check_part,
    check_safetensors,
    check_toml,
    refuse_unsafe,
)
from metier.formats.describing import GgufFacts, describe
from metier.formats.gguf import GgufHeader, GgufTensor, LongArray, check_gguf, read_gguf

__all__ = [
    "MAX_HEADER_BYTES",
    "MAX_JSON_BYTES",
    "MAX_TOML_BYTES",
    "GgufFacts",
    "GgufHeader",
    "GgufTensor",
    "LongArray",
    "OnnxModel",
    "Tensor",
    "check_gguf",
    "check_json",
    "check_onnx",
    "check_part",
    "check_safetensors",
    "check_toml",
    "describe",
    "read_gguf",
    "refuse_unsafe",
]
