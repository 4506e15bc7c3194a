"""The files of specialists in memory."""

from __future__ import annotations

from pathlib import Path

from metier.errors import MetierError, NotFoundError
from metier.fleet import Part
from metier.reference import Digest, Reference

RESULT = "results/base.jsonl"


class SmallFleet:
    """The files of every specialist, and what is damaged."""

    def __init__(self) -> None:
        self.files = {"recipe.toml": b'format = 1\n[specialist]\nname = "x"\n', RESULT: b"{}\n"}
        self.damaged: dict[Reference, MetierError] = {}

    def broken(self) -> dict[Reference, MetierError]:
        return self.damaged

    def parts(self, _name: str) -> list[Part]:
        return [Part(path, "doc", Digest.of(body), len(body)) for path, body in self.files.items()]

    def read_part(self, name: str, filepath: str) -> bytes:
        if filepath not in self.files:
            raise NotFoundError(f"{name!r} has no part {filepath!r}.", code="part_not_found")
        return self.files[filepath]

    def part_path(self, _name: str, filepath: str) -> Path:
        return Path("blobs") / Digest.of(self.files[filepath]).hex
