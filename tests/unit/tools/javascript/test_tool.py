from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.coding import Behaviour, SourceFile
from metier.sandbox import detect
from metier.tools import Workshop
from metier.tools.javascript import JavaScriptTool, open_tool
from toolchain import needs, toolchains


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaScriptTool]:
    folder = tmp_path_factory.mktemp("scratch")
    made = open_tool(Workshop(toolchains(), detect, folder, pool_size=1))
    yield made
    made.close()


def parsed(tool: JavaScriptTool, text: str, path: str = "main.js") -> list[tuple[str, int | None]]:
    found = tool.check([SourceFile(path, text)])
    assert found.ok == (not found.diagnostics)
    return [(one.code, one.line) for one in found.diagnostics]


@needs()
@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("main.js", "const a = 1;\nexport function f(x { return x }\n", 2),
        ("main.mjs", "import x from 'y';\nconst x = ;\n", 2),
        ("main.js", "export const x = “a”;\n", 1),
        ("main.js", "const x = 1;\nconst x = 2;\n", 2),
        ("main.cjs", "const a = 1;\nimport b from 'b';\n", 2),
        ("main.js", "export default () => <p/>;", 1),
        ("main.js", "function f() {\n", 2),
    ],
)
def test_what_does_not_parse_has_its_place(
    tool: JavaScriptTool, path: str, text: str, line: int
) -> None:
    assert parsed(tool, text, path) == [("syntax", line)]
    (found,) = tool.check([SourceFile(path, text)]).diagnostics
    assert found.explanation
    assert found.docs


@needs()
@pytest.mark.parametrize(
    "text",
    [
        "export const x = await Promise.resolve(1);\n",
        "const x = require('x');\nmodule.exports = { x };\nreturn;\n",
        "",
        "process.exit(1);\n",
        "while (true) {}\n",
    ],
)
def test_what_parses_is_never_run(tool: JavaScriptTool, text: str) -> None:
    assert parsed(tool, text) == []


@needs()
def test_hostile_texts_are_parsed(tool: JavaScriptTool) -> None:
    for text in ("[" * 900_000, "\0", "x=" + "+1" * 400_000, "/" * 900_000, "\ud800"):
        parsed(tool, text)
    assert parsed(tool, "a" * 1_000_001) == [("file_too_large", None)]
    assert parsed(tool, "export const x = 1;") == []
    assert tool.check([SourceFile("readme.md", "[")]).ok


@needs()
def test_marks_and_typography_are_mended(tool: JavaScriptTool) -> None:
    for text in ("```js\nexport const x = 1;\n```\n", "export const x = “a”;\n"):
        files = [SourceFile("main.js", text)]
        mended = tool.repair(files, tool.check(files))
        assert mended is not None
        assert mended.checked.ok
    files = [SourceFile("main.js", "const x = ;")]
    assert tool.repair(files, tool.check(files)) is None
    files = [SourceFile("main.js", "const x = '“';")]
    assert tool.repair(files, tool.check(files)) is None


@needs("react@19")
def test_a_module_is_judged_by_what_it_does(tool: JavaScriptTool) -> None:
    step = {"call": "twice", "args": [21], "returns": 42}
    behaviour = Behaviour("module", "main.js", steps=(step,))
    (right,) = tool.files_of("```js\nexport const twice = (x) => x * 2;\n```")
    assert tool.judge([right], behaviour).standing == "passed"
    wrong = SourceFile("main.js", "export const twice = (x) => x + 2;")
    assert tool.judge([wrong], behaviour).standing == "failed"


def test_it_has_a_name_and_finds_files(tmp_path: Path) -> None:
    tool = open_tool(Workshop(toolchains(), detect, tmp_path))
    assert tool.name == "javascript"
    assert [file.path for file in tool.files_of("const x = 1;")] == ["main.js"]
    assert tool.files_of("No.") == ()
    tool.close()
