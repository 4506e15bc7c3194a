"""A chat specialist or a document pack on one screen: what it is put together from, what next.

It lays out a ``ChatCard`` or a ``SearchCard`` and computes nothing.
"""

from __future__ import annotations

from rich.text import Text

from metier.card import ChatCard, SearchCard
from metier.cli.terminal import Line, aligned, wrapped
from metier.cli.wording import NOT_MEASURED, count, counted, date, duration, percent, size, span
from metier.fleet import Installed

_PROSE = 92


def brief_lines(item: Installed, width: int) -> list[Text]:
    """What ``metier show`` says of something that is no classifier and no base."""
    if item.chat is not None:
        return _chat_lines(item, item.chat, width)
    if item.pack is not None:
        return _pack_lines(item, item.pack, width)
    return [Text(item.name, style="bold")]


def _chat_lines(item: Installed, card: ChatCard, width: int) -> list[Text]:
    lines = [
        Text(item.name, style="bold") + Text(f"  chat, {card.domain}, made {date(card.made)}"),
        *wrapped(card.description, min(width, _PROSE)),
        Text(),
    ]
    bases = ", ".join(name for name, _ in card.bases)
    told = f"{counted(card.candidates, 'draft')} a question, then repair by the rules"
    if card.repairs:
        told += f" and at most {counted(card.repairs, 'round')} by the base"
    rows = [
        ("reads", ", ".join(card.packs) or "no documents"),
        ("checks with", ", ".join(card.tools) or "no tool"),
        ("for", ", ".join(card.toolchains)),
        ("answers", told),
        ("evals", ", ".join(card.evals) or "none"),
        ("bases", f"any; {bases}" if bases else "any"),
        ("size", size(item.size_bytes)),
    ]
    lines += _titled([(title, value) for title, value in rows if value])
    lines += [Text(), *_measured(card)]
    lines += [line for note in card.notes for line in wrapped(note, min(width, _PROSE))]
    question = f'metier run {item.name} --base remote:NAME "your question"'
    return [*lines, Text(), Text(question, style="bold")]


def _pack_lines(item: Installed, card: SearchCard, width: int) -> list[Text]:
    made = f"made {date(card.made)} in {duration(card.seconds)}"
    lines = [
        Text(item.name, style="bold")
        + Text(f"  search, {counted(card.passages, 'passage')}, {made}"),
        *wrapped(card.description, min(width, _PROSE)),
        Text(),
    ]
    table: list[list[Line]] = [
        [Text(title, style="dim") for title in ("source", "version", "files", "passages")]
    ]
    table += [
        [source.source, source.version, count(source.files), count(source.passages)]
        for source in card.sources
    ]
    lines += aligned(table, "llrr", indent=2)
    encoder = card.base.name if card.base is not None else "none: by words only"
    lines += [Text(), *_titled([("encoder", encoder), ("size", size(item.size_bytes))])]
    lines += [Text(), *_measured(card)]
    lines += [line for note in card.notes for line in wrapped(note, min(width, _PROSE))]
    return [*lines, Text(), Text(f'metier run {item.name} "how do I …"', style="bold")]


def _titled(rows: list[tuple[str, str]]) -> list[Text]:
    titled: list[list[Line]] = [[Text(title, style="dim"), value] for title, value in rows]
    return aligned(titled, "ll", indent=2)


def _measured(card: ChatCard | SearchCard) -> list[Text]:
    """Every row of the card: a score with its interval, or why there is none and what measures."""
    rows: list[list[Line]] = []
    for row in card.rows:
        if row.score is not None:
            interval = f"[{span(row.score.interval)}]" if row.score.interval else ""
            rows.append([row.name, f"{percent(row.score.value)} {interval}".strip()])
            continue
        rows.append([row.name, Text(f"{NOT_MEASURED}: {row.note}" if row.note else NOT_MEASURED)])
        if row.command:
            rows.append(["", Text(row.command, style="dim")])
    return aligned(rows, "ll", indent=2) if rows else []
