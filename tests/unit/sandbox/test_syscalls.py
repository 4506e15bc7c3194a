"""Numbers of calls: one number, one name; and those of the kernel's headers, if here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metier.sandbox.syscalls import MACHINES, NUMBERS

HEADERS = {
    "x86_64": "asm/unistd_64.h",
    "aarch64": "asm-generic/unistd.h",
}


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_no_two_calls_share_a_number(machine: str) -> None:
    assert len(set(NUMBERS[machine].values())) == len(NUMBERS[machine])


def test_well_known_numbers() -> None:
    assert [NUMBERS["x86_64"][name] for name in ("ptrace", "mount", "bpf")] == [101, 165, 321]
    assert [NUMBERS["aarch64"][name] for name in ("ptrace", "mount", "bpf")] == [117, 40, 280]


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_the_kernels_headers_agree(machine: str) -> None:
    for folder in (Path("/usr/include"), *Path("/usr/include").glob("*-linux-gnu")):
        header = folder / HEADERS[machine]
        text = header.read_text() if header.is_file() else ""
        found = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", text))
        theirs = {name: int(number) for name, number in found.items()}
        ours = {name: number for name, number in NUMBERS[machine].items() if name in theirs}
        assert ours == {name: theirs[name] for name in ours}
