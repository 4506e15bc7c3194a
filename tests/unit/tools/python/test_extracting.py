from __future__ import annotations

import pytest

from metier.tools.python.extracting import files_of

F = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    "answer",
    [
        F,
        f"```python\n{F}```",
        f"```\n{F}```",
        f"Here it is:\n\n```py\n{F}```\nHope it helps!",
        f"~~~python\n{F}~~~",
        f"````python\n{F}````",
        f"```python\n{F}",
        f"- one:\n\n    ```python\n    {F.replace(chr(10), chr(10) + '    ', 1)}    ```",
        f"<think>\n```python\ndef wrong(): pass\n```\n</think>\n```python\n{F}```",
        f"```bash\npip install x\n```\n```python\n{F}```",
        f"```python\n{F}```\nUse it:\n```python\nprint(f(1))\n```",
        f"```python\n{F}```\n```python\nassert f(1) == 1\n```\n```\n1\n```",
        f"```python\n{F}```\n```pycon\n>>> f(1)\n1\n```",
        f"First:\n```python\ndef f(x):\n    return 0\n```\nBetter:\n```python\n{F}```",
        f"```python\r\n{F}```".replace("\n", "\r\n"),
    ],
)
def test_one_file_is_found(answer: str) -> None:
    (found,) = files_of(answer)
    assert found.path == "solution.py"
    assert found.text.strip() == F.strip()


def test_blocks_that_define_parts_are_joined() -> None:
    answer = f"```python\nimport math\n```\nthen\n```python\n{F}```\n```python\ndef g(): pass\n```"
    (found,) = files_of(answer)
    assert found.text == f"import math\n\n{F}\n\ndef g(): pass\n".replace("x\n\n\n", "x\n\n")


@pytest.mark.parametrize(
    "answer",
    [
        f"`shop/main.py`:\n```python\n{F}```\n**shop/cart.py**\n```python\nx = 1\n```",
        f'```python shop/main.py\n{F}```\n```python title="shop/cart.py"\nx = 1\n```',
        f"```python\n# shop/main.py\n{F}```\n```shop/cart.py\nx = 1\n```",
        f"```python:shop/main.py\n{F}```\n```python\n# file: shop/cart.py\nx = 1\n```",
    ],
)
def test_named_files_have_their_names(answer: str) -> None:
    assert [file.path for file in files_of(answer)] == ["shop/main.py", "shop/cart.py"]


def test_the_last_of_two_with_one_name_is_kept_and_no_name_leaves_the_folder() -> None:
    answer = f"```python a.py\nx = 1\n```\n```python a.py\nx = 2\n```\n```python ../b.py\n{F}```"
    found = {file.path: file.text for file in files_of(answer)}
    assert found["a.py"] == "x = 2\n"
    assert all(".." not in path for path in found)


@pytest.mark.parametrize(
    "answer", ["", "I cannot do that.", "```bash\nls\n```", "```js\nlet x;\n```"]
)
def test_an_answer_without_python_has_no_files(answer: str) -> None:
    assert files_of(answer) == ()


@pytest.mark.parametrize("answer", ["```" * 10_000, "```python\n" + "(" * 100_000, "\0" * 1000])
def test_hostile_answers_are_read(answer: str) -> None:
    assert len(files_of(answer)) <= 1
