from __future__ import annotations

import pytest

from metier.tools.scripts import script_files

NAMES = {"": "App.jsx", "jsx": "App.jsx", "tsx": "App.tsx"}
CODE = "export default function App() {\n  return <p />;\n}\n"


def found(answer: str) -> dict[str, str]:
    return {file.path: file.text for file in script_files(answer, NAMES, "App.jsx")}


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        (CODE, "App.jsx"),
        (f"```jsx\n{CODE}```", "App.jsx"),
        (f"```tsx\n{CODE}```\n```tsx\n<App />\n```", "App.tsx"),
        (f"```\n{CODE}", "App.jsx"),
        (f"```bash\nnpm i\n```\nThen\n```jsx\n{CODE}```", "App.jsx"),
        (f"`src/Card.jsx`\n```jsx\n{CODE}```", "src/Card.jsx"),
    ],
)
def test_the_file_is_found(answer: str, path: str) -> None:
    assert found(answer) == {path: CODE}


def test_several_named_files_are_kept() -> None:
    answer = f"```jsx App.jsx\n{CODE}```\n```css App.css\np {{}}\n```\n```jsx\nconst x = 1;\n```"
    assert list(found(answer)) == ["App.jsx", "App.css"]
    answer = f"```css App.css\np {{}}\n```\n```jsx\n{CODE}```"
    assert list(found(answer)) == ["App.jsx", "App.css"]


@pytest.mark.parametrize("answer", ["", "No.", "```python\nx = 1\n```", "```jsx ../a.jsx\n```"])
def test_an_answer_without_scripts_has_no_files(answer: str) -> None:
    assert found(answer) == {}
