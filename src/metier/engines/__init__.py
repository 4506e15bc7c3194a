"""Engines: what turns parts into answers.

Each module knows one way to answer (hashed words, an encoder, static vectors, a remote service)
and none of them knows how a part was made or what it is worth.
"""
