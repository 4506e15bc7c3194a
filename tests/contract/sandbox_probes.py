"""Attacks on a sandbox, as a table: a name and a function that returns what it gained, if anything.

Each body becomes ``def attack():`` in a Python process inside the sandbox. Raising OSError, or
returning nothing, means refused. ``FACT`` holds what the host offers to be stolen or broken.
"""

from __future__ import annotations

from dataclasses import dataclass

PRELUDE = """
import ctypes, errno, json, mmap, os, resource, signal, socket, struct, subprocess, sys, time
FACT = json.loads(os.environ["FACT"])
CANARY = FACT["yranac"][::-1]
LIBRARY = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    number = name if isinstance(name, int) else FACT["numbers"][name]
    LIBRARY.syscall.restype = ctypes.c_long
    values = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    result = LIBRARY.syscall(ctypes.c_long(number), *values)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return f"{name} gave {result}"

def read(path):
    with open(path, "rb") as file:
        return file.read(200)

def write(path, text):
    with open(path, "ab", buffering=0) as file:
        return file.write(text.encode())

def tried(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, timeout=5)
    return done.stdout if done.returncode == 0 else None

def in_child(action):
    child = os.fork()
    if child == 0:
        try:
            action()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0 and "went on"
"""

POSTLUDE = """
try:
    gained = attack()
except (OSError, ValueError, subprocess.SubprocessError) as refusal:
    print("REFUSED", refusal)
else:
    print("ALLOWED" if gained else "REFUSED", gained)
"""


@dataclass(frozen=True)
class Probe:
    """One attack.

    Attributes:
        name: What it tries.
        body: Lines of a function.
        only: The kind of sandbox that claims it, if not both.
        control: Whether it is harmless, and so shown to succeed without a sandbox.
    """

    name: str
    body: str
    only: str | None = None
    control: bool = False

    @property
    def script(self) -> str:
        lines = "\n".join(f"    {line}" for line in self.body.strip().splitlines())
        return f"{PRELUDE}\ndef attack():\n{lines}\n{POSTLUDE}"
