"""The vocabulary of a base, from the same library that writes: text to tokens and special tokens.

It runs inside the worker. The server that xllamacpp wraps has no call for it, so llama.cpp's own
interface is called directly, on a model of which nothing but the vocabulary is loaded.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from metier.errors import UnavailableError

_WHOLE: Final = 128  # bytes, no less than ``struct llama_model_params`` has
_VOCABULARY_ONLY: Final = 72  # where ``vocab_only`` lies in it, in builds since 10000
_FLAGS: Final = bytes([0, 0, 1, 0, 0])  # vocab_only, check_tensors, use_extra_bufts, no_host, …
_GAP: Final = ("pre", "suf", "mid")
_POINTER: Final = ctypes.c_void_p
_INTEGERS: Final = (
    "llama_vocab_bos", "llama_vocab_eos", "llama_vocab_eot", "llama_vocab_fim_pre",
    "llama_vocab_fim_suf", "llama_vocab_fim_mid", "llama_vocab_n_tokens",
    "llama_model_n_ctx_train", "llama_model_n_embd",
)  # fmt: skip


class _Parameters(ctypes.Structure):
    _fields_ = (("data", ctypes.c_ubyte * _WHOLE),)


def _library() -> ctypes.CDLL:
    import xllamacpp.xllamacpp as engine

    library = ctypes.CDLL(str(engine.__file__))
    library.llama_model_default_params.restype = _Parameters
    library.llama_model_load_from_file.restype = _POINTER
    library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, _Parameters]
    library.llama_model_get_vocab.restype = _POINTER
    library.llama_model_get_vocab.argtypes = [_POINTER]
    for name in _INTEGERS:
        getattr(library, name).restype = ctypes.c_int32
        getattr(library, name).argtypes = [_POINTER]
    for name in ("llama_vocab_get_add_bos", "llama_vocab_get_add_eos"):
        getattr(library, name).restype = ctypes.c_bool
        getattr(library, name).argtypes = [_POINTER]
    library.llama_model_chat_template.restype = ctypes.c_char_p
    library.llama_model_chat_template.argtypes = [_POINTER, ctypes.c_char_p]
    library.llama_vocab_get_text.restype = ctypes.c_char_p
    library.llama_vocab_get_text.argtypes = [_POINTER, ctypes.c_int32]
    library.llama_model_meta_val_str.restype = ctypes.c_int32
    library.llama_model_meta_val_str.argtypes = [
        _POINTER, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t,
    ]  # fmt: skip
    library.llama_tokenize.restype = ctypes.c_int32
    library.llama_tokenize.argtypes = [
        _POINTER, ctypes.c_char_p, ctypes.c_int32, _POINTER, ctypes.c_int32,
        ctypes.c_bool, ctypes.c_bool,
    ]  # fmt: skip
    library.llama_detokenize.restype = ctypes.c_int32
    library.llama_detokenize.argtypes = [
        _POINTER, _POINTER, ctypes.c_int32, ctypes.c_char_p, ctypes.c_int32,
        ctypes.c_bool, ctypes.c_bool,
    ]  # fmt: skip
    return library


class Vocabulary:
    """The vocabulary of one model; threads may share it.

    Args:
        file: The model's GGUF file, its first shard.

    Raises:
        UnavailableError: ``engine_failed``: it cannot be read, or the library is not the one that
            this module knows.
    """

    def __init__(self, file: Path) -> None:
        self._library = library = _library()
        parameters = library.llama_model_default_params()
        flags = bytes(parameters.data[_VOCABULARY_ONLY : _VOCABULARY_ONLY + len(_FLAGS)])
        if flags != _FLAGS:
            raise _failed("This build of xllamacpp lays out its parameters in another way.")
        parameters.data[_VOCABULARY_ONLY] = 1
        self._model = library.llama_model_load_from_file(str(file).encode(), parameters)
        if not self._model:
            raise _failed("The model's vocabulary could not be read.")
        self._vocabulary = library.llama_model_get_vocab(self._model)
        self.size: int = library.llama_vocab_n_tokens(self._vocabulary)
        self.adds_bos: bool = library.llama_vocab_get_add_bos(self._vocabulary)
        self.adds_eos: bool = library.llama_vocab_get_add_eos(self._vocabulary)
        self.bos = self._token("bos")
        self.eos = self._token("eos")
        self.bos_text = self.text(self.bos)
        self.eos_text = self.text(self.eos)
        template = library.llama_model_chat_template(self._model, None)
        self.template: str | None = template.decode("utf-8", "replace") if template else None

    @property
    def gap_keys(self) -> dict[str, int]:
        """The tokens for filling in the middle, under the header's names for them."""
        keys = ((f"fim_{part}_token_id", self._token(f"fim_{part}")) for part in _GAP)
        return {f"tokenizer.ggml.{key}": token for key, token in keys if token is not None}

    def value(self, key: str) -> str | None:
        """What the header says under a key, as text, or ``None``."""
        room = ctypes.create_string_buffer(1 << 12)
        length = self._library.llama_model_meta_val_str(self._model, key.encode(), room, len(room))
        return room.value.decode("utf-8", "replace") if length >= 0 else None

    def text(self, token: int | None) -> str:
        """The text under which the vocabulary lists a token; "" for none."""
        if token is None:
            return ""
        found: Any = self._library.llama_vocab_get_text(self._vocabulary, token)
        return found.decode("utf-8", "replace") if found else ""

    def tokens(self, text: str, *, whole: bool = True) -> list[int]:
        """The tokens of a text, special tokens recognised.

        Args:
            text: Any text; lone surrogates count as U+FFFD.
            whole: Whether a prompt begins here, so that the vocabulary's own first and last
                tokens are added if it wants them.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 2
        found = (ctypes.c_int32 * room)()
        count = self._library.llama_tokenize(
            self._vocabulary, data, len(data), found, room, whole, True
        )
        if count < 0:
            room = -count
            found = (ctypes.c_int32 * room)()
            count = self._library.llama_tokenize(
                self._vocabulary, data, len(data), found, room, whole, True
            )
        return found[:count]

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special tokens as they are written."""
        given = (ctypes.c_int32 * len(tokens))(*tokens)
        room = 16 * len(tokens) + 16
        while True:
            buffer = ctypes.create_string_buffer(room)
            length = self._library.llama_detokenize(
                self._vocabulary, given, len(tokens), buffer, room, False, True
            )
            if length >= 0:
                return buffer.raw[:length].decode("utf-8", "replace")
            room = -length

    def _token(self, name: str) -> int | None:
        token: int = getattr(self._library, f"llama_vocab_{name}")(self._vocabulary)
        return token if token >= 0 else None


def _failed(message: str) -> UnavailableError:
    return UnavailableError(message, code="engine_failed")
