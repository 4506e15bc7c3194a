"""The Python files in a model's answer: named blocks, unnamed blocks joined, or the text as it is.

It decides what is the answer and what is an example of its use; it mends nothing and runs nothing.
"""

from __future__ import annotations

import ast
import re

from metier.coding import SourceFile
from metier.tools.blocks import Block, blocks_of, plain_text

DEFAULT = "solution.py"
"""The name of a file that the answer does not name."""
_LANGUAGES = frozenset({"", "python", "py", "python3", "py3", "ipython", "pycon"})
_STARTS = re.compile(
    r"^(?:def|class|import|from|@|async def|if |for |while |try:|with |\"\"\"|"
    r"\w+ *(?::[^=]+)?=(?!=))",
    re.MULTILINE,
)
_USE = (ast.Expr, ast.If, ast.For, ast.While, ast.With, ast.Assert)
_GIVES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def files_of(answer: str) -> tuple[SourceFile, ...]:
    """The Python files of an answer in their order; the last of two with one name is kept.

    Unnamed blocks are one file, ``solution.py``: those that define something, joined; blocks that
    only use what others define are examples and are left out, and of two blocks that define the
    same names the later one is taken. Without any block the whole text is the file, if it looks
    like Python.
    """
    text = plain_text(answer)
    blocks = [block for block in blocks_of(text, "py|pyi") if block.language in _LANGUAGES]
    if not blocks:
        bare = text.strip("\n")
        looks = _STARTS.search(bare) and "```" not in bare
        return (SourceFile(DEFAULT, bare + "\n"),) if looks else ()
    named: dict[str, SourceFile] = {}
    unnamed: list[Block] = []
    for block in blocks:
        if block.path and block.path.lstrip("/") == block.path and ".." not in block.path:
            named.pop(block.path, None)
            named[block.path] = SourceFile(block.path, block.text)
        elif block.text.strip():
            unnamed.append(block)
    if not unnamed or (named and not any(_defines(block) for block in unnamed)):
        return tuple(named.values())
    return (SourceFile(DEFAULT, _joined(unnamed)), *named.values())


def _joined(blocks: list[Block]) -> str:
    """The unnamed blocks as one text."""
    kept = [block for block in blocks if not _is_use(block)] or [
        max(blocks, key=lambda block: len(block.text))
    ]
    names = [_names(block) for block in kept]
    last = [
        block
        for index, block in enumerate(kept)
        if not names[index] or not any(names[index] <= later for later in names[index + 1 :])
    ]
    return "\n\n".join(block.text.strip("\n") for block in last) + "\n"


def _tree(block: Block) -> ast.Module | None:
    try:
        return ast.parse(block.text) if len(block.text) <= 200_000 else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_use(block: Block) -> bool:
    """Whether a block only uses, asserts or prints: an example, a session, a test."""
    if block.text.lstrip().startswith((">>>", "$ ", "pip ")):
        return True
    tree = _tree(block)
    if tree is None:
        return False
    assigned = all(
        isinstance(each, (*_USE, ast.Assign, ast.Import, ast.ImportFrom)) for each in tree.body
    )
    return assigned and any(isinstance(each, _USE) for each in tree.body)


def _defines(block: Block) -> bool:
    tree = _tree(block)
    return tree is None or any(isinstance(each, _GIVES) for each in tree.body)


def _names(block: Block) -> set[str]:
    tree = _tree(block)
    body = [] if tree is None else tree.body
    return {
        each.name
        for each in body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
