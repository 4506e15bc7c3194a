"""Names and digests: what a specialist may be called and how bytes are addressed.

A digest is a type, parsed at the edge, and paths are only ever made from its 64 hexadecimal
digits, so that no manifest can name a file outside the store. It touches no disk.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from metier.errors import InputError

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,349}(:[0-9]{1,5})?")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_SIDE = r"previous|rejected-[0-9a-f]{8}"
_ASIDE = re.compile(rf"(?P<front>.+)\.(?P<side>{_SIDE})")
_SIDES = re.compile(_SIDE)
PREVIOUS = "previous"


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest; ``hex`` is 64 lower-case hexadecimal digits."""

    hex: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", self.hex):
            raise InputError(
                f"{self.hex[:80]!r} is not a SHA-256 digest.",
                code="bad_digest",
                remedy="A digest is 'sha256:' followed by 64 lower-case hexadecimal digits.",
            )

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @property
    def short(self) -> str:
        """The first twelve digits, for people."""
        return self.hex[:12]

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Parse ``sha256:<64 hex>``; raises InputError (code ``bad_digest``) on anything else."""
        match = _DIGEST.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise InputError(
                f"{str(text)[:80]!r} is not a SHA-256 digest.",
                code="bad_digest",
                remedy="A digest is 'sha256:' followed by 64 lower-case hexadecimal digits.",
            )
        return cls(match.group(1))

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The digest of ``data``."""
        return cls(hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A specialist's name: ``[host/][namespace/]model[:tag]``.

    Part syntax follows what Ollama's clients send: 1 to 80 letters, digits, ``_ - .``, the first a
    letter, digit or ``_``; no dot in a namespace.

    What a hop puts aside stands under a tag of its own and is written with an ``@``:
    ``NAME@previous`` is the champion before this one (tag ``latest.previous``), and
    ``NAME@rejected-1a2b3c4d`` what was not promoted. Such a name is not listed.
    """

    model: str
    tag: str = "latest"
    namespace: str = ""
    host: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}"

    @property
    def name(self) -> str:
        """The name without its tag."""
        return "/".join(part for part in (self.host, self.namespace, self.model) if part)

    @property
    def familiar(self) -> str:
        """The name as people write it: the tag is left out when it is ``latest``."""
        if self.side:
            return f"{self.front.familiar}@{self.side}"
        return self.name if self.tag == "latest" else str(self)

    @property
    def side(self) -> str:
        """``previous``, ``rejected-<8 hex>``, or "" for what stands under its own name."""
        return self._aside()[1]

    @property
    def front(self) -> Reference:
        """The name that this was put aside from, or itself."""
        tag, _ = self._aside()
        return self if tag == self.tag else replace(self, tag=tag)

    @property
    def previous(self) -> Reference:
        """Where the champion before this one stands."""
        return self.beside(PREVIOUS)

    def beside(self, side: str) -> Reference:
        """Where ``side`` of this name stands; raises InputError (code ``bad_name``)."""
        front = self.front
        aside = replace(front, tag=f"{front.tag}.{side}")
        if not _SIDES.fullmatch(side):
            raise _bad_name(
                f"{front.familiar}@{side}"[:160], "after '@' stands 'previous' or 'rejected-…'"
            )
        if not _PART.fullmatch(aside.tag):
            raise _bad_name(f"{front.familiar}@{side}"[:160], "its tag is too long")
        return aside

    def _aside(self) -> tuple[str, str]:
        """The tag that this was put aside from, and the side; nothing is put aside twice."""
        match = _ASIDE.fullmatch(self.tag)
        if match is None or _ASIDE.fullmatch(match["front"]):
            return self.tag, ""
        return match["front"], match["side"]

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Parse a name; raises InputError (code ``bad_name``) saying which part is wrong."""
        if not isinstance(text, str) or not text or len(text) > 600:
            raise _bad_name(str(text), "it is empty or too long")
        text, at, side = text.partition("@")
        if at:
            return cls.parse(text).beside(side)
        rest, separator, tag = text.rpartition(":")
        if not separator or "/" in tag:
            rest, tag = text, "latest"
        parts = rest.split("/")
        if len(parts) > 3:
            raise _bad_name(text, "it has more than three parts")
        model = parts[-1]
        namespace = parts[-2] if len(parts) > 1 else ""
        host = parts[0] if len(parts) == 3 else ""
        if not _PART.fullmatch(model):
            raise _bad_name(text, f"the part {model[:80]!r} is not allowed")
        if not _PART.fullmatch(tag):
            raise _bad_name(text, f"the tag {tag[:80]!r} is not allowed")
        if namespace and not _NAMESPACE.fullmatch(namespace):
            raise _bad_name(text, f"the namespace {namespace[:80]!r} is not allowed")
        if host and not _HOST.fullmatch(host):
            raise _bad_name(text, f"the host {host[:80]!r} is not allowed")
        if (len(parts) == 2 and not namespace) or (len(parts) == 3 and not (namespace and host)):
            raise _bad_name(text, "one of its parts is empty")
        return cls(model=model, tag=tag, namespace=namespace, host=host)


def parted(model: str) -> tuple[str, str]:
    """A model's name and what it shall write with, as chat APIs take them: ``NAME[@BASE]``.

    What a hop put aside belongs to the name: ``NAME@previous``, ``NAME@previous@remote:BASE``.
    """
    name, _, base = model.partition("@")
    side, _, rest = base.partition("@")
    if _SIDES.fullmatch(side):
        return f"{name}@{side}", rest
    return name, base


def _bad_name(text: str, why: str) -> InputError:
    return InputError(
        f"{text[:120]!r} is not a valid name: {why}.",
        code="bad_name",
        remedy="Use letters, digits, '_', '-' and '.', like 'banking-intents' or 'team/triage:2'.",
    )
