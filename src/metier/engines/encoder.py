"""Runs a frozen text encoder by ONNX Runtime: texts in, unit vectors out.

It knows sessions, batches and threads. It does not know how the graph was made, what a vector is
used for, or where the store keeps files.

The vector of a text is a function of that text alone: the other texts of a call move it by rounding
only (cosine above 1 - 1e-5), the number of threads not at all.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from metier.engines.tokenizing import CHARACTERS_PER_TOKEN, TokenReader
from metier.errors import CorruptError, InputError, NotFoundError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

Precision = Literal["fp32", "int8"]

RUN_TOKENS = 256
"""Tokens in one run at most, but for a single longer text: its activations fit the second cache."""

PADDING = 12
"""Padding tokens that one run may carry: about what it costs to start another one."""

_ALGORITHM = "onnx-encoder/1"


@dataclass(frozen=True, slots=True)
class BaseDescription:
    """What ``base.json`` says of a base, as far as the engines need it.

    Attributes:
        folder: Where the base's files are.
        name: The base's name.
        dimension: Length of a vector.
        max_tokens: Texts are cut to this many tokens.
        pooling: ``mean`` or ``cls``.
        digests: File name to ``sha256:…``.
        sizes: File name to bytes.
    """

    folder: Path
    name: str
    dimension: int
    max_tokens: int
    pooling: str
    digests: Mapping[str, str]
    sizes: Mapping[str, int]

    def require(self, *names: str) -> None:
        """Raise NotFoundError (code ``base_incomplete``) unless all these files are there."""
        for name in names:
            if name not in self.digests or not (self.folder / name).is_file():
                raise NotFoundError(
                    f"The base {self.name} in {self.folder} has no {name}.",
                    code="base_incomplete",
                    remedy="Make the base again from its upstream files.",
                )

    def identity(self, algorithm: str, *names: str) -> str:
        """``sha256:…`` over an algorithm's name and version, its files and its settings."""
        facts = {
            "algorithm": algorithm,
            "characters_per_token": CHARACTERS_PER_TOKEN,
            "files": {name: self.digests[name] for name in names},
            "max_tokens": self.max_tokens,
        }
        return f"sha256:{sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()}"


def read_base(folder: Path) -> BaseDescription:
    """Read ``base.json`` in ``folder``.

    Raises NotFoundError if it is not there and CorruptError (code ``bad_base``) if it is not sound.
    """
    path = folder / "base.json"
    if not path.is_file():
        raise NotFoundError(
            f"There is no base in {folder}: base.json is missing.",
            code="base_missing",
            remedy="Make the base first; `make up` does it for the default encoder.",
        )
    try:
        facts: dict[str, Any] = json.loads(path.read_bytes())
        if facts["format"] != "metier-base/1":
            raise ValueError(f"its format is {facts['format']!r}")
        return BaseDescription(
            folder=folder,
            name=str(facts["name"]),
            dimension=int(facts["dimension"]),
            max_tokens=int(facts["max_tokens"]),
            pooling=str(facts["pooling"]),
            digests={**facts["upstream"], **facts["made"]},
            sizes={str(name): int(size) for name, size in facts["sizes"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptError(
            f"{path} is not a base description: {error}.",
            code="bad_base",
            remedy="Make the base again from its upstream files.",
        ) from error


class OnnxEncoder:
    """A frozen encoder behind ``messages.Encoder``. Thread-safe; open one per process and share it.

    Args:
        folder: A base folder as ``conversion.prepare_base`` makes it. The graph and
            ``model.safetensors`` must be files or hard links there: ONNX Runtime follows no
            symbolic link out of the folder.
        precision: ``fp32`` or ``int8``.
        threads: How many runs may go on at once. It changes the time, not the vectors.

    Raises:
        NotFoundError: The base, or its graph of this precision, is not there.
        CorruptError: A file is not what its name says.
        InputError: Unknown precision, or fewer than one thread.
    """

    def __init__(self, folder: Path, precision: Precision = "fp32", *, threads: int = 1) -> None:
        if precision not in ("fp32", "int8") or threads < 1:
            raise InputError(
                f"An encoder cannot run with precision {precision!r} and {threads} threads.",
                code="bad_encoder_settings",
                remedy="Precision is 'fp32' or 'int8'; threads is 1 or more.",
            )
        base = read_base(folder)
        graph = f"encoder-{precision}.onnx"
        files = (graph, "tokenizer.json", *(("model.safetensors",) if precision == "fp32" else ()))
        base.require(*files)
        self._base = base
        self._name = f"{base.name}/{precision}/{base.pooling}/{base.max_tokens}"
        self._digest = base.identity(_ALGORITHM, *files)
        self._size = sum(base.sizes[name] for name in files)
        self._reader = TokenReader(folder / "tokenizer.json", max_tokens=base.max_tokens)
        self._session = _open_session(folder / graph)
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._pool_lock = threading.Lock()

    @property
    def name(self) -> str:
        """``base/precision/pooling/max tokens``."""
        return self._name

    @property
    def digest(self) -> str:
        """``sha256:…`` over the files it reads and every setting that changes its vectors."""
        return self._digest

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._base.dimension

    @property
    def size_bytes(self) -> int:
        """Bytes of the files it needs."""
        return self._size

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32, shape (len(texts), dimension), in the order of ``texts``.

        Any string will do: a text is cut to ``max_tokens``, an empty one is two special tokens.
        """
        vectors = np.empty((len(texts), self.dimension), np.float32)
        tokens = self._reader.read(texts)
        runs = plan_runs([len(ids) for ids in tokens])
        if self._threads == 1 or len(runs) == 1:
            for rows in runs:
                self._run(rows, tokens, vectors)
        else:
            list(self._workers().map(lambda rows: self._run(rows, tokens, vectors), runs))
        return vectors

    def counted(self, texts: Sequence[str]) -> list[tuple[int, bool]]:
        """Of each text: the tokens that are looked at, and whether some were cut off."""
        return self._reader.counted(texts)

    def _run(self, rows: list[int], tokens: list[list[int]], vectors: FloatArray) -> None:
        longest = max(len(tokens[row]) for row in rows)
        ids = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros((len(rows), longest), np.int32)
        for place, row in enumerate(rows):
            ids[place, : len(tokens[row])] = tokens[row]
            mask[place, : len(tokens[row])] = 1
        vectors[rows] = self._session.run(None, {"ids": ids, "mask": mask})[0]

    def _workers(self) -> ThreadPoolExecutor:
        with self._pool_lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, "encoder")
            return self._pool


def plan_runs(
    lengths: Sequence[int], *, budget: int = RUN_TOKENS, padding: int = PADDING
) -> list[list[int]]:
    """Group texts of like token count into runs, longest first.

    Args:
        lengths: Token count of each text, at least 1.
        budget: A run of several texts holds at most so many tokens, padding included.
        padding: And at most so many padding tokens.

    Returns:
        Lists of positions in ``lengths``, each position once. Longest first, so that no thread
        starts a long run when the others are done.
    """
    runs: list[list[int]] = []
    longest = spare = 0
    for position in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        gap = longest - lengths[position]
        if runs and gap <= spare and (len(runs[-1]) + 1) * longest <= budget:
            runs[-1].append(position)
            spare -= gap
        else:
            runs.append([position])
            longest, spare = lengths[position], padding
    return runs


def _open_session(path: Path) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    # One thread inside a run; parallel work is whole runs, so results do not depend on it.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The graph is fused by hand; the optimiser would replace nodes by slower fused ones.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (
        errors.Fail,
        errors.InvalidArgument,
        errors.InvalidGraph,
        errors.InvalidProtobuf,
        errors.NoSuchFile,
        errors.NotImplemented,
        errors.RuntimeException,
    ) as error:
        raise CorruptError(
            f"ONNX Runtime cannot load {path}: {str(error)[:300]}",
            code="bad_graph",
            remedy="Make the base again from its upstream files.",
        ) from error
