"""What is in memory."""

from __future__ import annotations

from pathlib import Path

from metier.generating import AdapterWeights, Loading, Residence, Weights

BASE = Weights("sha256:" + "0" * 64, (Path("a.gguf"),))


def test_a_residence_is_a_key():
    adapter = AdapterWeights("sha256:" + "1" * 64, Path("b.gguf"))
    kept = {Residence(BASE): "plain", Residence(BASE, (adapter,)): "adapted"}
    assert kept[Residence(BASE, (adapter,))] == "adapted"
    assert Residence(BASE, loading=Loading(num_ctx=8192)) not in kept
