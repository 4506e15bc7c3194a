"""What the environment says, read once into a frozen value.

It is the only reader of the environment (a house test checks that); everything else is handed a
``Settings``. It opens nothing but the key file, and it never shows a key.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from metier.errors import InputError

_MAX_KEY_BYTES = 16_384
_MAX_THREADS = 1024
_TRUE = frozenset({"1", "ON", "YES", "TRUE"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person may set, and the places that follow from it.

    Attributes:
        home: Where everything is kept (``METIER_HOME``; else ``$XDG_DATA_HOME/metier``; else
            ``~/.metier``). It need not exist.
        mirror: A folder of data sets addressed by the digest of their rows (``METIER_MIRROR``).
        general_url: Base URL of an OpenAI-compatible service (``METIER_GENERAL_URL``).
        general_model: The general model's name there (``METIER_GENERAL_MODEL``).
        general_key: Its key (``METIER_GENERAL_KEY`` or the file ``METIER_GENERAL_KEY_FILE``);
            never shown by ``repr``.
        general_sees: Whether the general model takes pictures (``METIER_GENERAL_SEES``).
        base: What writes where nobody says (``METIER_BASE``: ``remote:NAME``, a model, a file).
        threads: Threads an engine may use (``METIER_THREADS``), or ``None``: as many as there
            are cores.
        no_color: Whether output stays without colour (``NO_COLOR`` is set and not empty).
        hub_endpoint: Base address of the model hub (``HF_ENDPOINT``), or ``None``: the public one.
        hub_offline: Whether nothing may be asked of it (``HF_HUB_OFFLINE``).
        toolchains_folder: Where toolchains are kept, if not in ``home``
            (``METIER_TOOLCHAINS``).
        memory: Bytes that models in memory may take together (``METIER_MEMORY``), or ``None``:
            most of what is free.
        models: Models in memory at most (``METIER_MAX_MODELS``), or ``None``: as many as fit.
        keep_alive: Seconds that a model stays in memory after its last request
            (``METIER_KEEP_ALIVE``); negative for ever.
        queue: Requests to models that wait at most (``METIER_QUEUE``).
        keep_texts: Whether the log of routing decisions keeps people's texts
            (``METIER_ROUTE_TEXTS``).
    """

    home: Path
    mirror: Path | None = None
    general_url: str | None = None
    general_model: str | None = None
    general_key: str | None = field(default=None, repr=False)
    general_sees: bool = False
    base: str | None = None
    threads: int | None = None
    no_color: bool = False
    toolchains_folder: Path | None = None
    hub_endpoint: str | None = None
    hub_offline: bool = False
    memory: int | None = None
    models: int | None = None
    keep_alive: float = 300.0
    queue: int = 512
    keep_texts: bool = False

    @property
    def toolchains(self) -> Path:
        """Where toolchains are kept; it need not exist."""
        return self.toolchains_folder or self.home / "toolchains"

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.home / "ledger.sqlite"

    @property
    def prices(self) -> Path:
        """The file of prices that the user may write, in TOML."""
        return self.home / "prices.toml"

    @property
    def services(self) -> Path:
        """The file of remote services that the user may write, in TOML."""
        return self.home / "services.toml"

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the environment, or ``environ`` in its place.

        Raises:
            InputError: A value is not usable; the message names the variable.
        """
        values = os.environ if environ is None else environ
        url = _url(values, "METIER_GENERAL_URL")
        model = values.get("METIER_GENERAL_MODEL") or None
        if url and not model:
            raise InputError(
                "METIER_GENERAL_URL is set, METIER_GENERAL_MODEL is not.",
                code="bad_setting",
                remedy="Set METIER_GENERAL_MODEL to the name of the model to ask there.",
            )
        return cls(
            home=_home(values),
            mirror=_mirror(values),
            general_url=url,
            general_model=model,
            general_key=_key(values),
            general_sees=values.get("METIER_GENERAL_SEES", "").strip().upper() in _TRUE,
            base=values.get("METIER_BASE", "").strip() or None,
            threads=_threads(values),
            no_color=bool(values.get("NO_COLOR")),
            toolchains_folder=_toolchains(values),
            hub_endpoint=_url(values, "HF_ENDPOINT"),
            hub_offline=values.get("HF_HUB_OFFLINE", "").strip().upper() in _TRUE,
            memory=_memory(values),
            models=_whole(values, "METIER_MAX_MODELS", "Unset it to keep as many as fit."),
            keep_alive=_keep_alive(values),
            queue=_whole(values, "METIER_QUEUE", "Unset it for 512.") or 512,
            keep_texts=values.get("METIER_ROUTE_TEXTS", "").strip().upper() in _TRUE,
        )


def variable(name: str) -> str | None:
    """The variable that ``services.toml`` names as the place of a key, read when it is needed."""
    return os.environ.get(name) or None


def _home(values: Mapping[str, str]) -> Path:
    if chosen := values.get("METIER_HOME"):
        return _folder("METIER_HOME", chosen, values)
    if data := values.get("XDG_DATA_HOME"):
        return _folder("XDG_DATA_HOME", data, values) / "metier"
    return _folder("HOME", "~/.metier", values)


def _mirror(values: Mapping[str, str]) -> Path | None:
    chosen = values.get("METIER_MIRROR")
    if not chosen:
        return None
    mirror = _folder("METIER_MIRROR", chosen, values)
    if not mirror.is_dir():
        raise InputError(
            f"METIER_MIRROR is {str(mirror)!r}, which is not a folder.",
            code="bad_setting",
            remedy="Set METIER_MIRROR to the folder of mirrored data sets, or unset it.",
        )
    return mirror


def _toolchains(values: Mapping[str, str]) -> Path | None:
    chosen = values.get("METIER_TOOLCHAINS")
    return _folder("METIER_TOOLCHAINS", chosen, values) if chosen else None


def _folder(name: str, text: str, values: Mapping[str, str]) -> Path:
    """``text`` as an absolute path, ``~`` expanded by ``HOME`` or the password database."""
    if "\0" in text:
        raise InputError(f"{name} has a NUL character in it.", code="bad_setting")
    if text == "~" or text.startswith("~/"):
        home = values.get("HOME")
        try:
            start = Path(home) if home else Path.home()
        except RuntimeError as error:
            raise InputError(
                "There is no home folder: HOME is not set and this user has none.",
                code="bad_setting",
                remedy="Set METIER_HOME to the folder that Metier may use.",
            ) from error
        path = start / text[2:]
    else:
        path = Path(text)
    path = path.absolute()
    if path.exists() and not path.is_dir():
        raise InputError(
            f"{name} names {str(path)!r}, which is a file and not a folder.",
            code="bad_setting",
            remedy=f"Set {name} to a folder, or remove the file.",
        )
    return path


def _url(values: Mapping[str, str], name: str) -> str | None:
    text = values.get(name)
    if not text:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # The text itself may hold a key, so the message does not repeat it.
        raise InputError(
            f"{name} is not an http or https address.",
            code="bad_setting",
            remedy=f"Set {name} to a base address like 'https://api.example.com/v1'.",
        )
    if parts.username or parts.password:
        raise InputError(
            f"{name} has a user name or a password in it, which logs would show.",
            code="bad_setting",
            remedy="Put the key in a variable of its own: METIER_GENERAL_KEY, or HF_TOKEN for the "
            "hub.",
        )
    return text.rstrip("/")


def _key(values: Mapping[str, str]) -> str | None:
    key = values.get("METIER_GENERAL_KEY")
    file = values.get("METIER_GENERAL_KEY_FILE")
    if key and file:
        raise InputError(
            "METIER_GENERAL_KEY and METIER_GENERAL_KEY_FILE are both set.",
            code="bad_setting",
            remedy="Unset one of them.",
        )
    if file:
        key = _key_file(Path(file).expanduser())
    if not key:
        return None
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise InputError(
            "The key of the general model is empty or has characters that no header can carry.",
            code="bad_setting",
            remedy="The key is one line of ASCII characters.",
        )
    return key


def _key_file(path: Path) -> str:
    remedy = "Set METIER_GENERAL_KEY_FILE to a text file that holds the key and nothing else."
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _MAX_KEY_BYTES:
            raise InputError(
                f"METIER_GENERAL_KEY_FILE names {str(path)!r}, which is not a small file.",
                code="bad_setting",
                remedy=remedy,
            )
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"METIER_GENERAL_KEY_FILE names {str(path)!r}, which cannot be read.",
            code="bad_setting",
            remedy=remedy,
        ) from error
    if not text:
        raise InputError(
            f"METIER_GENERAL_KEY_FILE names {str(path)!r}, which is empty.",
            code="bad_setting",
            remedy=remedy,
        )
    return text


def _threads(values: Mapping[str, str]) -> int | None:
    text = values.get("METIER_THREADS")
    if not text:
        return None
    plain = text.isascii() and text.isdigit() and len(text) <= 4
    threads = int(text) if plain else 0
    if not 1 <= threads <= _MAX_THREADS:
        raise InputError(
            f"METIER_THREADS is {text[:40]!r}, which is not a number from 1 to {_MAX_THREADS}.",
            code="bad_setting",
            remedy="Unset METIER_THREADS to use every core.",
        )
    return threads


def _whole(values: Mapping[str, str], name: str, remedy: str) -> int | None:
    """A number from 1 on, or ``None`` where the variable is not set."""
    text = values.get(name)
    if not text:
        return None
    plain = text.isascii() and text.isdigit() and len(text) <= 6
    if not plain or int(text) < 1:
        raise InputError(
            f"{name} is {text[:40]!r}, which is not a number from 1 to 999999.",
            code="bad_setting",
            remedy=remedy,
        )
    return int(text)


def _memory(values: Mapping[str, str]) -> int | None:
    text = values.get("METIER_MEMORY")
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?) ?([KMGT]i?)?B?", text.strip(), re.IGNORECASE)
    if found is None:
        raise InputError(
            f"METIER_MEMORY is {text[:40]!r}, which is not a number of bytes.",
            code="bad_setting",
            remedy="Write it like '8GB', '7.5GiB' or '500MB'.",
        )
    unit = (found[2] or "").lower()
    scale = 1024 if unit.endswith("i") else 1000
    return int(float(found[1]) * scale ** (" kmgt".index(unit[0]) if unit else 0))


def _keep_alive(values: Mapping[str, str]) -> float:
    text = values.get("METIER_KEEP_ALIVE")
    if not text:
        return 300.0
    found = re.fullmatch(r"(-?\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?", text.strip())
    if found is None:
        raise InputError(
            f"METIER_KEEP_ALIVE is {text[:40]!r}, which is not a time.",
            code="bad_setting",
            remedy="Write seconds, or a number with 'm' or 'h'; -1 keeps models for ever.",
        )
    return float(found[1]) * {"ms": 0.001, "m": 60.0, "h": 3600.0}.get(found[2] or "s", 1.0)
