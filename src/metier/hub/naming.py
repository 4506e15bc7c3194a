"""What a person may write after ``metier pull``: a hub's repository, an address or a file.

It knows spelling only: it asks no network and does not look whether a repository is there. Only
for a word that could be both a file and a name it looks whether the file exists.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from metier.errors import InputError, NotFoundError
from metier.reference import Reference

HUB = "hf.co"
"""The host part of the name under which a repository of the hub is installed."""

_HOSTS = frozenset({"hf.co", "huggingface.co", "www.huggingface.co"})
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,94}[A-Za-z0-9])?|[A-Za-z0-9]")
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,95})")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,199}")
_SELECTOR = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,299}")
_FRAGMENT = re.compile(r"sha256[=:]([0-9a-f]{64})")
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class HubName:
    """A repository of the hub, and which of its files.

    Attributes:
        owner: User or organisation.
        name: Repository.
        selector: A quantisation (``Q4_K_M``) or a file's path, as written, or ``None``.
        revision: Branch, tag or commit, or ``None``: the main branch.
    """

    owner: str
    name: str
    selector: str | None = None
    revision: str | None = None

    @property
    def repository(self) -> str:
        """``owner/name``, as the hub calls it."""
        return f"{self.owner}/{self.name}"

    def __str__(self) -> str:
        text = f"{HUB}/{self.repository}"
        text += f":{self.selector}" if self.selector else ""
        return text + (f"@{self.revision}" if self.revision else "")

    @property
    def reference(self) -> Reference:
        """The name under which it is installed; a file's path gives its file name as tag.

        Raises:
            InputError: It cannot be a name here (code ``bad_name``); ``--name`` gives another.
        """
        tag = PurePosixPath(self.selector).name.removesuffix(".gguf") if self.selector else ""
        return Reference.parse(f"{HUB}/{self.repository}" + (f":{tag}" if tag else ""))


@dataclass(frozen=True, slots=True)
class Address:
    """One file at an address; ``sha256`` is what the person wrote behind ``#sha256=``."""

    url: str
    filename: str
    sha256: str | None = None

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file or folder of this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Source = HubName | Address | LocalFile


def parse_source(text: str, *, revision: str | None = None, anywhere: bool = True) -> Source:
    """What ``text`` names.

    Args:
        text: ``hf.co/owner/name[:QUANT][@revision]``, ``hf://owner/name``, the address of a
            repository's page or of a file, or a path.
        revision: Branch, tag or commit, if it is not in the text.
        anywhere: Whether it may be an address or a path. If not, no disk is looked at.

    Raises:
        InputError: It is none of them (code ``bad_source``), names a registry that is not read
            yet (``no_registry``), or says two revisions.
        NotFoundError: It is a path and there is nothing (code ``file_not_found``).
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise _bad(text, "it is empty, too long or has control characters")
    source = _parsed(text, anywhere=anywhere)
    if revision is None:
        return source
    if not isinstance(source, HubName):
        raise _bad(text, "only a repository of the hub has revisions")
    if source.revision not in (None, revision):
        raise _bad(text, f"it says the revision {source.revision!r} and --revision {revision!r}")
    return HubName(source.owner, source.name, source.selector, _revision(text, revision))


def _parsed(text: str, *, anywhere: bool) -> Source:
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if separator and scheme == "hf":
        host, _, after = rest.partition("/")
        return _hub_name(text, after if host.lower() in _HOSTS else rest)
    if separator and scheme in ("http", "https"):
        return _address(text, anywhere=anywhere)
    if separator:
        raise _bad(text, f"addresses begin with 'https://' or 'hf://', not {scheme[:20]!r}")
    host, _, after = text.partition("/")
    if host.lower() in _HOSTS:
        return _hub_name(text, after)
    return _path(text, anywhere=anywhere)


def _path(text: str, *, anywhere: bool) -> LocalFile:
    if anywhere:
        # A home that nobody has, or a name that no disk can hold: nothing is there.
        with suppress(OSError, RuntimeError, ValueError):
            path = Path(text).expanduser()
            if path.exists():
                return LocalFile(path)
    if text[0] in "./~" or text.lower().endswith((".gguf", ".safetensors")):
        if not anywhere:
            raise _only_the_hub(text)
        raise NotFoundError(
            f"There is no file {text[:200]!r}.", code="file_not_found", remedy="Check the path."
        )
    raise InputError(
        f"{text[:120]!r} would come from an Ollama-style registry; registries come later.",
        code="no_registry",
        remedy="Write 'hf.co/owner/name:Q4_K_M' for a repository of the Hugging Face hub, the "
        "address of a .gguf file, or its path.",
    )


def _address(text: str, *, anywhere: bool) -> Source:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad(text, "it is not an address") from error
    if not host or port == 0:
        raise _bad(text, "it names no host")
    if parts.username or parts.password:
        raise InputError(
            "The address has a user name or a password in it, which logs would show.",
            code="bad_source",
            remedy="Fetch the file by other means and pull it by its path.",
        )
    if host.lower() in _HOSTS:
        return _page(text, unquote(parts.path))
    if not anywhere:
        raise _only_the_hub(text)
    digest = _FRAGMENT.fullmatch(parts.fragment) if parts.fragment else None
    if parts.fragment and digest is None:
        raise _bad(text, "what stands behind '#' is not 'sha256=' and 64 lower-case digits")
    filename = PurePosixPath(unquote(parts.path)).name
    if not filename.lower().endswith(".gguf"):
        raise _bad(text, "the file at an address must be a .gguf")
    plain = urlunsplit((parts.scheme.lower(), parts.netloc, parts.path, parts.query, ""))
    return Address(plain, filename, digest.group(1) if digest else None)


def _page(text: str, path: str) -> HubName:
    """A repository's page, or one of its files as the hub's website links it."""
    parts = path.strip("/").split("/")
    if len(parts) >= 5 and parts[2] in ("resolve", "blob"):
        base = _hub_name(text, "/".join(parts[:2]))
        selector = "/".join(parts[4:])
        return HubName(base.owner, base.name, _selector(text, selector), _revision(text, parts[3]))
    if len(parts) == 4 and parts[2] == "tree":
        base = _hub_name(text, "/".join(parts[:2]))
        return HubName(base.owner, base.name, None, _revision(text, parts[3]))
    return _hub_name(text, "/".join(parts))


def _hub_name(text: str, rest: str) -> HubName:
    """``owner/name``, then ``:selector`` or ``/file`` and ``@revision`` in either order."""
    match = re.fullmatch(r"([^/:@]+)/([^/:@]+)([/:@].*)?", rest)
    if match is None:
        raise _bad(text, "a repository is written hf.co/owner/name")
    owner, name, tail = match.group(1), match.group(2), match.group(3) or ""
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name):
        raise _bad(text, f"{owner[:80]}/{name[:100]} cannot be a repository")
    selector = revision = None
    for sign, value in re.findall(r"([:@]|^/)([^:@]*)", tail):
        if sign == "@" and revision is None:
            revision = _revision(text, value)
        elif sign != "@" and selector is None:
            selector = _selector(text, value)
        else:
            raise _bad(text, f"it has {sign!r} twice")
    # Clients of Ollama's API write ":latest" where a person writes nothing.
    return HubName(owner, name, None if selector == "latest" else selector, revision)


def _selector(text: str, value: str) -> str:
    if not _SELECTOR.fullmatch(value) or ".." in value.split("/"):
        raise _bad(text, f"{value[:80]!r} is neither a quantisation nor a file")
    return value


def _revision(text: str, value: str) -> str:
    if not _REVISION.fullmatch(value) or ".." in value.split("/"):
        raise _bad(text, f"{value[:80]!r} cannot be a revision")
    return value


def _only_the_hub(text: str) -> InputError:
    return InputError(
        f"{text[:120]!r} is a path or an address; here only repositories of the hub are taken.",
        code="bad_source",
        remedy="Write 'hf.co/owner/name:Q4_K_M', or pull it on the command line.",
    )


def _bad(text: str, why: str) -> InputError:
    return InputError(
        f"{text[:160]!r} cannot be pulled: {why}.",
        code="bad_source",
        remedy="Write 'hf.co/owner/name:Q4_K_M', the https address of a .gguf file, or a path.",
    )
