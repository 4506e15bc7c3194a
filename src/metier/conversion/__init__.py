"""Turns the files of an upstream text encoder into the files that our engines read.

It knows tensors, ONNX graphs and quantisation. It does not run what it makes, fetch anything, or
know where the store keeps files: it reads one folder and writes one folder.
"""

from metier.conversion.preparation import BaseFiles, prepare_base
from metier.conversion.upstream import DEFAULT_NAME, find_packaged_default

__all__ = ["DEFAULT_NAME", "BaseFiles", "find_packaged_default", "prepare_base"]
