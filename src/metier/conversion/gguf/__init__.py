"""Turns Hugging Face folders of llama, qwen2 and qwen3 models, and their adapters, into GGUF.

It reads safetensors and JSON with its own code and writes with the ``gguf`` package; no torch, no
transformers, and nothing of a folder is ever run. It does not fetch, and upstream's files keep
their bytes.
"""

from metier.conversion.gguf.adapter import ConvertedAdapter, convert_adapter
from metier.conversion.gguf.model import Converted, convert_folder
from metier.conversion.gguf.writing import DType

__all__ = ["Converted", "ConvertedAdapter", "DType", "convert_adapter", "convert_folder"]
