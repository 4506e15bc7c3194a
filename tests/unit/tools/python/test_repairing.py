from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from metier.coding import Checked, Mended, SourceFile
from metier.tools.python.checking import Reader
from metier.tools.python.repairing import RULES, repaired

F = "def f(x):\n    return x\n"
SAMPLES: list[tuple[str, str, str]] = [
    ("fences", f"```python\n{F}```\n", F),
    ("prose", f"Here is the function:\n\n{F}\nThis returns x, as asked.\n", F),
    ("prose", f"Sure! Here you go.\n{F}", F),
    ("typography", "x = “a”\n", 'x = "a"\n'),
    ("typography", "def\u00a0f(x):\n    return x\n", F),
    ("margin", "    def f(x):\n        return x\n", F),
    ("wide_tabs", "def f(x):\n    if x:\n\treturn 1\n    return x\n", ""),
    ("tabs", "class A:\n\tdef f(self):\n        return 1\n", ""),
    ("python2", "def f(x):\n    print x\n    print 'a %s' % x\n", ""),
    ("python2", "try:\n    x = 1\nexcept ValueError, error:\n    print error\n", ""),
    ("python2", "def f():\n    raise ValueError, 'no'\n", ""),
    ("colons", "def f(x)\n    return x\n", F),
    ("colons", "for x in range(3)  # three\n    x\n", "for x in range(3):  # three\n    x\n"),
    ("old_names", "def f():\n    return [x for x in xrange(3)]\n", ""),
    ("imports", "def f(x) -> List[int]:\n    return [math.floor(x)]\n", ""),
    ("imports", '"""Doc."""\nfrom __future__ import annotations\nx = Counter()\n', ""),
]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


def mend(reader: Reader, text: str) -> Mended | None:
    files = [SourceFile("a.py", text)]
    return repaired(files, reader.check(files), reader.check)


@pytest.mark.parametrize(("rule", "text", "wanted"), SAMPLES)
def test_a_rule_mends(reader: Reader, rule: str, text: str, wanted: str) -> None:
    mended = mend(reader, text)
    assert mended is not None
    assert mended.checked.ok
    assert rule in [name for name, _ in mended.applied]
    assert all(sentence.endswith(".") for _, sentence in mended.applied)
    assert not wanted or mended.files[0].text.strip() == wanted.strip()
    assert mend(reader, mended.files[0].text) is None


def test_several_rules_work_together(reader: Reader) -> None:
    text = "Here:\n```python\ndef f(x)\n    print sqrt(x)\n    return Counter(xrange(x))\n```\n"
    mended = mend(reader, text)
    assert mended is not None
    assert {name for name, _ in mended.applied} >= {"fences", "colons", "python2", "imports"}


@pytest.mark.parametrize(
    "text", ["def f(:\n", "x = (1\n", "something(3)\n", "class\n", "def f():\n    return x.\n"]
)
def test_what_cannot_be_mended_is_left(reader: Reader, text: str) -> None:
    assert mend(reader, text) is None


def test_no_rule_touches_what_checks(reader: Reader) -> None:
    texts = [F, "print('a')\n", "x = '“'\n", "s = '''\n```\n'''\n", "Text: int = 1\n"]
    assert [mend(reader, text) for text in texts] == [None] * len(texts)


def test_other_files_stay_as_they_are(reader: Reader) -> None:
    files = [SourceFile("a.py", F), SourceFile("b.py", "x = xrange(3)\n"), SourceFile("c.txt", "“")]
    mended = repaired(files, reader.check(files), reader.check)
    assert mended is not None
    assert [file.text for file in mended.files] == [F, "x = range(3)\n", "“"]


def test_a_repair_that_makes_nothing_better_is_not_kept() -> None:
    def worse(files: Sequence[SourceFile]) -> Checked:
        return Checked(False, broken.diagnostics)

    reader = Reader()
    files = [SourceFile("a.py", "def f(x)\n    return x\n")]
    broken = reader.check(files)
    reader.close()
    assert repaired(files, broken, worse) is None


def test_every_rule_has_a_sample() -> None:
    assert {name for name, _, _ in RULES} == {rule for rule, _, _ in SAMPLES}
