"""Remote services: where an OpenAI-compatible model is, how it is reached and what it costs.

It reads ``services.toml`` in the home folder (``docs/formats/services.md``); it calls nobody. A key
is never written there: an entry names the variable or the file that holds it, and the key is read
when the service is opened. It is never shown by ``repr`` and goes into no digest.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from metier.errors import InputError, NotFoundError

GENERAL = "general"
"""Name of the service that ``METIER_GENERAL_*`` describes."""
LONGEST_KEY = 16_384
LONGEST_TIMEOUT = 3600.0
MOST_PARALLEL = 64

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}")
_SECRET = re.compile(r"auth|key|token|secret|cookie|password|credential", re.IGNORECASE)
_TEXTS = ("url", "model", "key_env", "key_file", "key_header", "proxy", "certificates")
_FIELDS = frozenset({*_TEXTS, "timeout", "parallel", "headers"})

Variable = Callable[[str], str | None]
"""Gives the value of an environment variable; only ``settings`` reads the environment."""


@dataclass(frozen=True)
class Service:
    """A service that can be called.

    Attributes:
        url: Base address up to and including ``/v1``.
        model: The model's name there.
        key: What is sent as bearer token, or ``None``; never shown.
        price_in: Price per million prompt tokens, or ``None`` if unknown.
        price_out: Price per million answer tokens.
        date: ISO date; with URL and model it binds the evidence.
        timeout: Seconds that may pass without a byte of an answer.
        parallel: Calls at once.
        name: What people call it here (``remote:NAME``).
        key_header: Header that carries the key as it is; ``Authorization`` carries it as bearer.
        headers: Further headers; never secrets.
        proxy: Address of a proxy, or ``None``: proxies of the environment are not used.
        certificates: A PEM file of authorities to trust instead of the usual ones.
        sees: Whether it takes pictures.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    price_in: float | None = None
    price_out: float | None = None
    date: str = ""
    timeout: float = 60.0
    parallel: int = 4
    name: str = GENERAL
    key_header: str = "Authorization"
    headers: Mapping[str, str] = field(default_factory=dict)
    proxy: str | None = field(default=None, repr=False)
    certificates: Path | None = None
    sees: bool = False

    def spent(self, tokens_in: int, tokens_out: int) -> float | None:
        """Money for so many tokens, or ``None`` if the price is not known."""
        if self.price_in is None or self.price_out is None:
            return None
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6

    @property
    def cautions(self) -> tuple[str, ...]:
        """Sentences that a person should read before the service is used."""
        parts = urlsplit(self.url)
        if self.key and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            host = parts.hostname
            return (f"The key of {self.name!r} travels unencrypted to {host}; prefer https.",)
        return ()


@dataclass(frozen=True)
class ServiceEntry:
    """One table of ``services.toml``: a service whose key has not been read yet.

    The fields are those of ``Service``; ``key_env`` and ``key_file`` say where its key is.
    """

    name: str
    url: str
    model: str
    key_env: str | None = None
    key_file: Path | None = None
    key_header: str = "Authorization"
    timeout: float = 60.0
    parallel: int = 4
    headers: Mapping[str, str] = field(default_factory=dict)
    proxy: str | None = field(default=None, repr=False)
    certificates: Path | None = None


def read_services(path: Path) -> dict[str, ServiceEntry]:
    """The services of a ``services.toml``, by name, in its order; none if there is no file.

    Raises:
        InputError: The file is not what ``docs/formats/services.md`` says (``bad_services``); the
            message names the table and the field, and never repeats a value that may be secret.
    """
    if not path.is_file():
        return {}
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad(path, "", f"is not valid TOML: {error}") from error
    except OSError as error:
        raise _bad(path, "", f"cannot be read: {error.strerror}") from error
    return {name: _entry(path, name, table) for name, table in tables.items()}


def find_service(entries: Mapping[str, ServiceEntry], name: str) -> ServiceEntry:
    """The entry of that name; raises NotFoundError (code ``no_service``) that lists what is."""
    if name in entries:
        return entries[name]
    known = ", ".join(sorted(entries)) or "none"
    raise NotFoundError(
        f"There is no remote service named {name[:80]!r}; known: {known}.",
        code="no_service",
        remedy=f"Add a table [{name[:80]}] with url and model to services.toml in the home folder.",
    )


def open_service(
    entry: ServiceEntry,
    *,
    variable: Variable,
    price: tuple[float | None, float | None] = (None, None),
    date: str = "",
) -> Service:
    """The service with its key.

    Args:
        entry: From ``read_services``.
        variable: Gives the value of an environment variable.
        price: Per million prompt and answer tokens, from ``prices.toml``.
        date: ISO date of today.

    Raises:
        InputError: The key cannot be read (code ``bad_key``).
    """
    service = Service(
        url=entry.url,
        model=entry.model,
        key=_key(entry, variable),
        price_in=price[0],
        price_out=price[1],
        date=date,
        timeout=entry.timeout,
        parallel=entry.parallel,
        name=entry.name,
        key_header=entry.key_header,
        headers=entry.headers,
        proxy=entry.proxy,
        certificates=entry.certificates,
    )
    check_service(service)
    return service


def check_service(service: Service) -> None:
    """Refuse an address that cannot be a service; raises InputError (code ``bad_service``)."""
    if problem := _address_problem(service.url):
        raise InputError(
            f"The address of the service {service.name!r} {problem}.",
            code="bad_service",
            remedy="Give the base address up to and including /v1.",
        )
    if not service.model:
        raise InputError(
            f"The service {service.name!r} names no model.",
            code="bad_service",
            remedy="Name the model that the service should answer with "
            "(METIER_GENERAL_MODEL for the general one).",
        )


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _entry(path: Path, name: str, table: Any) -> ServiceEntry:
    if not _NAME.fullmatch(name):
        raise _bad(path, name[:80], "is not a name of letters, digits, '.', '_' and '-'")
    if name == GENERAL:
        raise _bad(path, name, "is set by METIER_GENERAL_URL and METIER_GENERAL_MODEL only")
    if not isinstance(table, dict):
        raise _bad(path, name, "is not a table")
    if problem := _table_problem(table):
        raise _bad(path, name, problem)
    return ServiceEntry(
        name=name,
        url=table["url"].rstrip("/"),
        model=table["model"],
        key_env=table.get("key_env"),
        key_file=_beside(path, table.get("key_file")),
        key_header=table.get("key_header", "Authorization"),
        timeout=_number(path, name, "timeout", table.get("timeout", 60.0), LONGEST_TIMEOUT),
        parallel=int(_number(path, name, "parallel", table.get("parallel", 4), MOST_PARALLEL)),
        headers=_headers(path, name, table.get("headers", {})),
        proxy=table.get("proxy"),
        certificates=_beside(path, table.get("certificates")),
    )


def _table_problem(table: Mapping[str, Any]) -> str | None:
    """What is wrong with the texts of a table, without repeating one."""
    if "key" in table:
        return "holds a key; write key_env or key_file and say where it is"
    if unknown := sorted(set(table) - _FIELDS):
        return f"has an unknown field {unknown[0][:40]!r}"
    for name in _TEXTS:
        value = table.get(name)
        if value is not None and (not isinstance(value, str) or not value or "\0" in value):
            return f"needs a text in {name}"
    for name in ("url", "model"):
        if name not in table:
            return f"has no {name}"
    for name in ("url", "proxy"):
        if name in table and (problem := _address_problem(table[name])):
            return f"has a {name} that {problem}"
    if "key_env" in table and "key_file" in table:
        return "has both key_env and key_file"
    if not _HEADER.fullmatch(table.get("key_header", "Authorization")):
        return "has a key_header that is no header's name"
    return None


def _address_problem(url: str) -> str | None:
    """What is wrong with a base address, which is not repeated: it may hold a secret."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable or not url.isprintable() or " " in url:
        return "is not an http or https address"
    if parts.username or parts.password:
        return "has a user name or a password in it, which logs would show"
    if parts.query or parts.fragment:
        return "has a query or a fragment, which a base address has not"
    return None


def _headers(path: Path, name: str, headers: Any) -> dict[str, str]:
    if not isinstance(headers, dict):
        raise _bad(path, name, "needs a table in headers")
    for header, value in headers.items():
        if not _HEADER.fullmatch(header):
            raise _bad(path, name, f"has a header {header[:40]!r}, which is no header's name")
        if _SECRET.search(header):
            raise _bad(
                path,
                name,
                f"has a header {header!r}, which looks like a secret; "
                "use key_env or key_file with key_header",
            )
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise _bad(path, name, f"has a header {header!r} whose value is no line of ASCII")
    return dict(headers)


def _number(path: Path, name: str, field_name: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise _bad(path, name, f"has a {field_name} that is not a number up to {most:g}")
    if field_name == "parallel" and value != int(value):
        raise _bad(path, name, "has a parallel that is not a whole number")
    return float(value)


def _beside(path: Path, text: str | None) -> Path | None:
    """A path as written, relative ones from the folder of ``services.toml``."""
    if text is None:
        return None
    return path.parent / Path(text).expanduser()


def _key(entry: ServiceEntry, variable: Variable) -> str | None:
    if entry.key_env:
        key = (variable(entry.key_env) or "").strip()
        where = f"the variable {entry.key_env}"
    elif entry.key_file:
        where = f"the file {entry.key_file}"
        try:
            with entry.key_file.open("rb") as file:
                key = file.read(LONGEST_KEY + 1).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _bad_key(entry, f"{where} cannot be read") from error
    else:
        return None
    if not key:
        raise _bad_key(entry, f"{where} is empty or not set")
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise _bad_key(entry, f"{where} is not one line of ASCII characters")
    return key


def _bad_key(entry: ServiceEntry, why: str) -> InputError:
    return InputError(
        f"The service {entry.name!r} has no usable key: {why}.",
        code="bad_key",
        remedy="Set what key_env or key_file of services.toml names; one line, the key alone.",
    )


def _bad(path: Path, name: str, problem: str) -> InputError:
    where = f"{path}: [{name}]" if name else str(path)
    return InputError(
        f"{where} {problem}.",
        code="bad_services",
        remedy='Write a table a service: [name] with url = "https://…/v1" and model = "…".',
    )
