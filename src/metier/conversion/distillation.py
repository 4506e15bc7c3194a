"""Makes the table of static token embeddings of an encoder: one vector for each vocabulary token.

It knows how the table is made and stored. It does not know texts or tokenisers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from metier.conversion.upstream import Upstream


def write_static(upstream: Upstream, path: Path) -> None:
    """Write the static embeddings of ``upstream`` to ``path`` as safetensors."""
    words = upstream.tensors.array(upstream.prefix + "embeddings.word_embeddings.weight")
    scales = np.abs(words).max(axis=1) / 127
    scales[scales == 0] = 1
    table = np.rint(words / scales[:, None]).astype(np.int8)
    save_file({"table": table, "scales": scales.astype(np.float32)}, path)
