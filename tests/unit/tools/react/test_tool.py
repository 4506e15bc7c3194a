from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.coding import Behaviour, Diagnostic, Mended, SourceFile
from metier.sandbox import detect
from metier.tools import Workshop
from metier.tools.react import ReactTool, open_tool
from toolchain import needs, toolchains

COUNTER = """import { useState } from 'react';

export default function Counter() {
  const [count, setCount] = useState(0);
  return <button className="count" onClick={() => setCount(count + 1)}>{count}</button>;
}
"""
LIST = """import { useEffect, useMemo, useState } from 'react';

export default function List({ items = [] }) {
  const [query, setQuery] = useState('');
  const shown = useMemo(() => items.filter((item) => item.name.includes(query)), [items, query]);
  useEffect(() => {
    document.title = query;
  }, [query]);
  return (
    <>
      <label htmlFor="q">Find</label>
      <input id="q" value={query} onChange={(event) => setQuery(event.target.value)} />
      <ul>{shown.map((item) => <li key={item.id} style={{ marginTop: 2 }}>{item.name}</li>)}</ul>
    </>
  );
}
"""
# What is wrong, the rule that mends it, and the text.
SAMPLES: list[tuple[str, str, str]] = [
    ("a hook not imported", "imports", COUNTER.replace("import { useState } from 'react';", "")),
    (
        "a second hook not imported",
        "imports",
        LIST.replace("{ useEffect, useMemo, useState }", "{ useState }"),
    ),
    (
        "React not imported",
        "imports",
        COUNTER.replace("import { useState } from 'react';", "").replace("= useS", "= React.useS"),
    ),
    (
        "createRoot not imported",
        "imports",
        COUNTER + "createRoot(document.getElementById('root')).render(<Counter />);\n",
    ),
    ("a directive comes first", "imports", "'use client';\n" + COUNTER.split("\n", 1)[1]),
    ("class and for", "attributes", LIST.replace("htmlFor", "for")),
    ("a handler in small letters", "attributes", COUNTER.replace("onClick", "onclick")),
    ("class", "attributes", COUNTER.replace("className", "class")),
    ("style in text", "styles", LIST.replace("{{ marginTop: 2 }}", '"margin-top: 2px; --x: 1"')),
    ("an open void element", "void_elements", LIST.replace(" />\n", ">\n")),
    ("an HTML comment", "comments", LIST.replace("<>", "<><!-- the list -->")),
    (
        "two roots",
        "one_root",
        LIST.replace("<>", "").replace("</>", ""),
    ),
    ("marks of a block", "fences", f"```jsx\n{COUNTER}```\n"),
    (
        "types in JavaScript",
        "types",
        LIST.replace("{ items = [] }", "{ items = [] }: { items: any[] }"),
    ),
]


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReactTool]:
    folder = tmp_path_factory.mktemp("scratch")
    made = open_tool(Workshop(toolchains(), detect, folder, pool_size=1))
    yield made
    made.close()


def found(tool: ReactTool, text: str, path: str = "App.jsx") -> list[Diagnostic]:
    return list(tool.check([SourceFile(path, text)]).diagnostics)


def mend(tool: ReactTool, text: str, path: str = "App.jsx") -> Mended | None:
    files = [SourceFile(path, text)]
    return tool.repair(files, tool.check(files))


@needs("react@19")
@pytest.mark.parametrize("path", ["App.jsx", "App.tsx"])
@pytest.mark.parametrize("text", [COUNTER, LIST, "", "export const x = 1;\n"])
def test_what_works_is_not_complained_of(tool: ReactTool, path: str, text: str) -> None:
    assert found(tool, text, path) == []


@needs("react@19")
@pytest.mark.parametrize(
    ("path", "before", "after", "code", "line"),
    [
        ("App.jsx", "useState(0)", "useState(0", "TS1005", 4),
        ("App.jsx", "</button>", "", "TS17008", 5),
        ("App.jsx", "import { useState } from 'react';", "", "TS2304", 4),
        ("App.jsx", "useState }", "useStat }", "TS2724", 1),
        (
            "App.jsx",
            "const [count",
            "if (true) return null; const [count",
            "react-hooks/rules-of-hooks",
            4,
        ),
        ("App.jsx", "count + 1)", "total + 1)", "TS2304", 5),
        ("App.tsx", "setCount(count + 1)", "setCount('one')", "TS2345", 5),
        ("App.tsx", "className=", "klass=", "TS2322", 5),
        ("App.jsx", "onClick", "onclick", "html_attribute", 5),
    ],
)
def test_what_is_wrong_has_its_place_and_reason(
    tool: ReactTool, path: str, before: str, after: str, code: str, line: int
) -> None:
    assert before in COUNTER
    diagnostics = found(tool, COUNTER.replace(before, after, 1), path)
    matching = [one for one in diagnostics if one.code == code and one.severity == "error"]
    assert [one.line for one in matching][:1] == [line], diagnostics
    assert matching[0].explanation
    assert matching[0].docs


@needs("react@19")
def test_doubts_are_warnings(tool: ReactTool) -> None:
    text = LIST.replace("[query]);", "[]);").replace(
        "from 'react';",
        "from 'react';\nimport Card from './Card';\nimport axios from 'axios';\n"
        "import './list.css';",
    )
    checked = tool.check([SourceFile("App.jsx", text)])
    assert checked.ok
    assert {one.code for one in checked.diagnostics} == {"TS2307", "react-hooks/exhaustive-deps"}


@needs("react@19")
def test_files_see_each_other(tool: ReactTool) -> None:
    card = SourceFile(
        "src/Card.tsx",
        "export function Card(props: { title: string }) { return <p>{props.title}</p>; }",
    )
    app = "import { Card } from './Card';\nexport default () => <Card title={TITLE} />;\n"
    right = SourceFile("src/App.tsx", app.replace("TITLE", "'x'"))
    wrong = SourceFile("src/App.tsx", app.replace("TITLE", "3"))
    assert tool.check([card, right]).ok
    assert [one.code for one in tool.check([card, wrong]).errors] == ["TS2322"]


@needs("react@19")
@pytest.mark.parametrize(("name", "rule", "text"), SAMPLES, ids=[one[0] for one in SAMPLES])
def test_a_rule_mends(tool: ReactTool, name: str, rule: str, text: str) -> None:
    mended = mend(tool, text)
    assert mended is not None, found(tool, text)
    assert rule in [applied for applied, _ in mended.applied]
    assert mended.checked.ok, mended
    assert not [one for one in mended.checked.diagnostics if one.code == "html_attribute"]
    assert mended.files[0].path == "App.jsx"


@needs("react@19")
def test_a_type_of_react_is_imported_as_a_type(tool: ReactTool) -> None:
    text = "export const App: FC<{ n: number }> = ({ n }) => <p>{n}</p>;\n"
    mended = mend(tool, text, "App.tsx")
    assert mended is not None
    assert mended.files[0].text.startswith("import { type FC } from 'react';\n")


@needs("react@19")
@pytest.mark.parametrize("text", [COUNTER, LIST, COUNTER.replace("useState(0)", "useState(0")])
def test_what_no_rule_mends_is_left(tool: ReactTool, text: str) -> None:
    assert mend(tool, text) is None


@needs("react@19")
def test_hostile_texts_are_read_and_never_executed(tool: ReactTool) -> None:
    for text in ("<" * 50_000, "\0", "(" * 100_000, "process.exit(1)", "`${" * 2_000, "\ud800"):
        found(tool, text)
    assert [one.code for one in found(tool, "a" * 1_000_001)] == ["file_too_large"]
    many = [SourceFile(f"a{number}.jsx", "") for number in range(201)]
    assert [one.code for one in tool.check(many).diagnostics] == ["too_many_files"]
    secret = found(
        tool, "import x from '/etc/passwd';\nimport y from '../../../../etc/passwd.js';\n"
    )
    assert all("root:" not in one.message for one in secret)
    assert found(tool, COUNTER) == []


@needs("react@19")
def test_a_component_is_judged_by_what_it_does(tool: ReactTool) -> None:
    steps = (
        {"mount": {}},
        {"click": {"role": "button"}},
        {"expect": {"role": "button"}, "text": "1"},
    )
    behaviour = Behaviour("dom", "App.jsx", steps=steps)
    assert tool.judge([SourceFile("App.jsx", COUNTER)], behaviour).standing == "passed"
    wrong = SourceFile("App.jsx", COUNTER.replace("count + 1", "count + 2"))
    assert tool.judge([wrong], behaviour).standing == "failed"


def test_it_has_a_name_and_finds_files(tmp_path: Path) -> None:
    tool = open_tool(Workshop(toolchains(), detect, tmp_path))
    assert tool.name == "react"
    assert [file.path for file in tool.files_of(f"```tsx\n{COUNTER}```")] == ["App.tsx"]
    tool.close()
