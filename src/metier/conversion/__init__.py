"""Turns the files of an upstream text encoder into the files that our engines read.

It knows tensors, ONNX graphs and quantisation. It does not run what it makes, fetch anything, or
know where the store keeps files: it reads one folder and writes one folder.

Its modules are imported by name: to look whether an encoder's package is here costs nothing, to
convert one loads ONNX.
"""
