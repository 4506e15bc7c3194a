"""The reply without a base: citations for a question, check and repair for pasted code.

It writes no sentence of its own about the subject: what it says comes from the documents, the tool
and the list of bases that it is handed.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence

from metier.answer.prompting import last_user, query_of
from metier.answer.trace import Trace
from metier.coding import Checked, Diagnostic, Mended, SourceFile, Tool
from metier.conversing import Passage, Reply, Searcher, Turn
from metier.errors import MetierError
from metier.retrieval.presenting import cite, harmless

EXCERPT = 700
"""Characters of a passage that are shown; its address leads to the rest."""
PASSAGES_A_DIAGNOSTIC = 2


def unaided(
    turns: Sequence[Turn],
    tools: Sequence[Tool],
    searcher: Searcher | None,
    bases: Sequence[str],
    *,
    top: int,
    trace: Trace,
) -> Reply:
    """What can be said without a base: the same question gives the same reply."""
    text = turns[last_user(turns)].text
    files: tuple[SourceFile, ...] = ()
    checked: Checked | None = None
    passages: tuple[Passage, ...] = ()
    parts: list[str] = []
    tool, found = _code_in(text, tools)
    if tool is not None:
        files, checked, said, passages = _on_code(tool, found, searcher, trace)
        parts += said
    if searcher is not None and not passages and (checked is None or checked.ok):
        passages = tuple(_search(searcher, query_of(turns), top, trace))
        if passages:
            parts.append(f"## From {searcher.name}\n\n{cited(passages)}")
        else:
            parts.append(f"{searcher.name} has nothing on this.")
    parts.append(_no_base(bases))
    return Reply(
        text="\n\n".join(parts),
        files=files,
        checked=None if checked is None else checked.ok,
        diagnostics=() if checked is None else checked.diagnostics,
        passages=passages,
        trace=trace.steps,
        seconds=trace.seconds,
    )


def explain(
    checked: Checked, searcher: Searcher | None, *, top: int = PASSAGES_A_DIAGNOSTIC
) -> list[tuple[Diagnostic, tuple[Passage, ...]]]:
    """Each diagnostic with the passages that are about it; one search for equal ones."""
    known: dict[str, tuple[Passage, ...]] = {}
    found = []
    for item in checked.diagnostics:
        query = f"{item.code.replace('_', ' ')} {item.message} {item.explanation}".strip()
        if searcher is not None and query not in known:
            known[query] = tuple(searcher.search(query, top=top))
        found.append((item, known.get(query, ())))
    return found


def unified(before: Sequence[SourceFile], after: Sequence[SourceFile]) -> str:
    """The change of the files as a unified diff; "" if nothing changed."""
    old = {file.path: file.text for file in before}
    lines: list[str] = []
    for file in after:
        lines += difflib.unified_diff(
            old.get(file.path, "").splitlines(),
            file.text.splitlines(),
            f"a/{file.path}",
            f"b/{file.path}",
            lineterm="",
        )
    return "\n".join(lines)


def cited(passages: Sequence[Passage]) -> str:
    """Passages with their headings, an excerpt each and where they are from."""
    blocks = []
    for passage, citation in zip(passages, cite(passages), strict=True):
        where = f"{citation.address} ({citation.source})" if citation.source else citation.address
        blocks.append(
            f"**[{citation.number}] {citation.title}**\n\n{_excerpt(passage.text)}\n\n{where}"
        )
    return "\n\n".join(blocks)


def _on_code(
    tool: Tool, files: tuple[SourceFile, ...], searcher: Searcher | None, trace: Trace
) -> tuple[tuple[SourceFile, ...], Checked | None, list[str], tuple[Passage, ...]]:
    trace.check()
    start = time.monotonic()
    try:
        checked = tool.check(files)
        mended = None if checked.ok else tool.repair(files, checked)
    except MetierError as error:
        remedy = f" {error.remedy}" if error.remedy else ""
        trace.add("note", f"Not checked: {error.message}{remedy}", tool=tool.name, code=error.code)
        return files, None, [f"Not checked: {error.message}{remedy}"], ()
    trace.add(
        "check",
        f"{tool.name} finds {len(checked.errors)} errors.",
        time.monotonic() - start,
        tool=tool.name,
        ok=checked.ok,
        diagnostics=[item.as_dict() for item in checked.diagnostics],
    )
    explained = explain(checked, searcher)
    parts = [_diagnosed(tool, checked, explained)]
    if mended is not None:
        parts.append(_mended(files, mended))
        trace.add(
            "repair",
            ", ".join(name for name, _ in mended.applied) + ".",
            by=tool.name,
            ok=mended.checked.ok,
            applied=[list(rule) for rule in mended.applied],
        )
    passages: dict[str, Passage] = {}
    for _, about in explained:
        passages.update((passage.id, passage) for passage in about)
    if passages:
        parts.append(f"## From the documents\n\n{cited(tuple(passages.values()))}")
    return files, checked, parts, tuple(passages.values())


def _diagnosed(
    tool: Tool,
    checked: Checked,
    explained: Sequence[tuple[Diagnostic, tuple[Passage, ...]]],
) -> str:
    if not checked.diagnostics:
        return f"## Check\n\n{tool.name} finds nothing wrong."
    lines = [f"## Check\n\n{tool.name} finds:"]
    for item, _ in explained:
        place = item.path + (f":{item.line}" if item.line else "")
        place += f":{item.column}" if item.line and item.column else ""
        lines.append(f"- `{place}` {item.severity} `{item.code}`: {item.message}")
        if item.explanation:
            lines.append(f"  {item.explanation}")
        if item.docs:
            lines.append(f"  {item.docs}")
    return "\n".join(lines)


def _mended(files: Sequence[SourceFile], mended: Mended) -> str:
    rules = "\n".join(f"- {sentence or name}" for name, sentence in mended.applied)
    left = len(mended.checked.errors)
    outcome = (
        "Nothing is wrong after it." if mended.checked.ok else f"{left} errors are left after it."
    )
    return f"## Repair\n\n{rules}\n\n```diff\n{unified(files, mended.files)}\n```\n\n{outcome}"


def _no_base(bases: Sequence[str]) -> str:
    listed = "\n".join(f"- {line}" for line in bases)
    said = "No base was named, so nothing was written here by a model."
    return f"{said} Bases to use, best evidence first:\n\n{listed}" if bases else said


def _code_in(text: str, tools: Sequence[Tool]) -> tuple[Tool | None, tuple[SourceFile, ...]]:
    for tool in tools:
        files = tuple(tool.files_of(text))
        if files:
            return tool, files
    return None, ()


def _search(searcher: Searcher, query: str, top: int, trace: Trace) -> list[Passage]:
    trace.check()
    start = time.monotonic()
    try:
        found = searcher.search(query, top=top)
    except MetierError as error:
        trace.add("note", f"No documents: {error.message}", code=error.code)
        return []
    trace.add(
        "retrieve",
        f"{len(found)} passages of {searcher.name}.",
        time.monotonic() - start,
        pack=searcher.name,
        digest=searcher.digest,
        query=query,
    )
    return found


def _excerpt(text: str) -> str:
    text = harmless(text).strip()
    if len(text) <= EXCERPT:
        return text
    cut = text[:EXCERPT]
    # A fence that the cut leaves open would swallow the rest of the reply.
    closing = "\n```" if cut.count("```") % 2 else ""
    return f"{cut.rstrip()} …{closing}"
