"""Hits of a search in text: what each is, its evidence, whether it runs here, and why it is there.

It lays out a ``Found``; the evidence bars are drawn by ``verdicts``. It ranks nothing, and what
others wrote is shown without what a terminal would obey.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.text import Text

from metier.card import Evidence
from metier.cli.terminal import Signs, aligned, shortened, shown_text, wrapped
from metier.cli.verdicts import Comparison, evidence_bars
from metier.cli.wording import NOT_MEASURED, counted, date, size
from metier.finding import Claim, Entry, Found, Hit, Query, Reason, sections

_PROSE = 92
_MOST_REASONS = 3
_ROLES = ("base", "general")
_SHOWN = frozenset({"claim", "fit"})
"""Reasons that stand above in words of their own."""


def found_lines(found: Found, width: int, signs: Signs, *, hub_asked: bool = False) -> list[Text]:
    """All hits with the reasons why they are there, and what to do next on the last line.

    Args:
        found: What the search gave.
        width: Columns to lay out in.
        signs: The characters to draw with.
        hub_asked: Whether the hub was asked already, so that it is not offered again.
    """
    lines: list[Text] = []
    for wrong, right in found.corrected:
        lines.append(Text(f"Nothing is called {_own(wrong)!r}; searched {_own(right)!r}.", "dim"))
    if not found.hits:
        return [
            *lines,
            *_notes(found, width),
            *nothing_lines(found.query, width, hub_asked=hub_asked),
        ]
    lines += hit_lines(found.hits, width, signs, headed=found.query.order == "best")
    lines += [Text(), Text(_counted(found), style="dim"), *_notes(found, width)]
    return [*lines, next_line(found.hits[0])]


def hit_lines(hits: Sequence[Hit], width: int, signs: Signs, *, headed: bool = False) -> list[Text]:
    """The hits; ``headed``, under what can be said of them together."""
    rows = [_cells(hit) for hit in hits]
    heads = aligned(rows, "llrl")
    apart = max((head.cell_len for head in heads), default=0) > width
    if apart:
        heads = aligned([row[:-1] for row in rows], "llr")
    lines: list[Text] = []
    titles = _titles(hits, width) if headed else {}
    for index, (hit, head) in enumerate(zip(hits, heads, strict=True)):
        if index:
            lines.append(Text())
        lines += titles.get(index, [])
        lines.append(shortened(head, width, signs))
        if apart:
            lines.append(Text("  ") + rows[index][-1])
        lines += [Text("  ") + line for line in _under(hit, width - 2, signs)]
    return lines


def _titles(hits: Sequence[Hit], width: int) -> dict[int, list[Text]]:
    """By the place of the first hit under it, each heading."""
    found, place = {}, 0
    for one in sections(hits):
        told = wrapped(f"{one.title}. {one.note}".rstrip(), min(width, _PROSE))
        found[place] = [Text(line.plain, style="bold dim") for line in told]
        place += len(one.hits)
    return found


def next_line(hit: Hit) -> Text:
    """The next command for a hit, or where to read on."""
    entry = hit.entry
    if hit.installed:
        return Text(f"Run it:  metier run {shlex.quote(_own(hit.installed))}", style="bold")
    if entry.pull:
        return Text(f"Bring it here:  metier pull {shlex.quote(_own(entry.pull))}", style="bold")
    return Text(f"Read about it:  {_own(entry.upstream) or _own(entry.name)}", style="bold")


def nothing_lines(query: Query, width: int, *, hub_asked: bool = False) -> list[Text]:
    """That nothing was found, and what to do: widen, ask the hub, make one."""
    words = _own(query.words)
    asked = f" for {words!r}" if words else ""
    lines = [Text(f"Nothing found{asked}.", style="bold")]
    if filters := filters_of(query):
        told = f"Widen the search: leave out {', '.join(filters)}."
        if query.most_bytes or query.least_context or query.licence or query.since:
            told += " An entry that does not state it fails the filter."
        lines += wrapped(told, min(width, _PROSE), indent="  ")
    quoted = shlex.quote(words) if words else "WORDS"
    task = f"--task {shlex.quote(_own(query.task))} " if query.task else ""
    if not hub_asked:
        lines.append(Text(f"Ask the hub:  metier find {quoted} --hub", style="bold"))
    return [
        *lines,
        Text(f"Make one:  metier make {task}--data FILE --name NAME", style="bold"),
    ]


def filters_of(query: Query) -> list[str]:
    """The filters of a query as the options that set them."""
    given: list[tuple[str, object]] = [
        ("--task", query.task), ("--domain", query.domain), ("--licence", query.licence),
        ("--base", query.base), ("--max-size", query.most_bytes and size(query.most_bytes)),
        ("--min-context", query.least_context), ("--fits", query.fits),
        ("--proved", query.proved), ("--verdict", query.verdict), ("--since", query.since),
        ("--here", query.here), ("--origin", query.origin),
    ]  # fmt: skip
    return [
        name if value is True else f"{name} {_own(str(value))}" for name, value in given if value
    ]


def claim_said(claim: Claim) -> str:
    """A number that somebody reports, with everything needed to doubt it."""
    unit = "" if claim.unit in ("", "share") else f" {_own(claim.unit)}"
    items = f", {counted(claim.n, 'item')}" if claim.n is not None else ""
    told = f"{_own(claim.metric)} {claim.value:g}{unit} on {_own(claim.on)}{items}"
    rival = f" ({_own(claim.rival)})" if claim.rival else ""
    return f"{told}{rival}: reported by {_own(claim.by)}, not measured by us"


def _cells(hit: Hit) -> list[Text]:
    """Name, task and domain, size, and what else there is in a word or two."""
    entry = hit.entry
    job = entry.task if entry.domain == "general" else f"{entry.task}, {entry.domain}"
    weight = size(entry.size_bytes) if entry.size_bytes is not None else _parameters(entry)
    facts = [entry.licence or "", "installed" if hit.installed else hit.origin]
    told = ", ".join(_own(fact) for fact in facts if fact)
    return [
        Text(_own(entry.name), style="bold"),
        Text(_own(job)),
        Text(weight),
        Text(told, style="dim"),
    ]


def _parameters(entry: Entry) -> str:
    """How many parameters, where no size is known: ``600M``, ``14B``."""
    number = entry.parameters
    if number is None:
        return "size " + NOT_MEASURED.replace("measured", "known")
    for scale, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= scale:
            return f"{number / scale:.3g}{unit} parameters"
    return f"{number} parameters"


def _under(hit: Hit, width: int, signs: Signs) -> list[Text]:
    entry = hit.entry
    narrow = min(width, _PROSE)
    lines = wrapped(_own(entry.description), narrow) if entry.description else []
    lines += _evidence(hit, width, signs)
    if hit.fit is not None and (hit.installed or entry.pull or hit.fit.runs != "unknown"):
        why = "" if hit.fit.runs in ("yes", "tight") else _own(hit.fit.why).rstrip(".")
        told = why and why not in hit.fit.said
        lines += wrapped(f"{hit.fit.said} ({why})" if told else hit.fit.said, narrow)
    if said := [_sentence(one) for one in hit.reasons if one.kind not in _SHOWN][:_MOST_REASONS]:
        reasons = wrapped("why: " + " ".join(said), narrow, indent="     ")
        lines += [Text(line.plain, style="dim") for line in reasons]
    return lines


def _sentence(reason: Reason) -> str:
    said = _own(reason.said)
    return said if said.endswith((".", "?")) else f"{said}."


def _evidence(hit: Hit, width: int, signs: Signs) -> list[Text]:
    """The bars against base and general model; a claim or its absence where nothing was paired."""
    shown: dict[str, Evidence] = {}
    for one in hit.entry.evidence:
        if one.against in _ROLES:
            shown.setdefault(one.against, one)
    shown |= hit.measured
    if hit.proof is not None:
        shown[hit.proof.evidence.against] = hit.proof.evidence
    if not shown:
        return [
            line
            for claim in hit.entry.claims[:1]
            for line in wrapped(claim_said(claim), min(width, _PROSE), indent="  ")
        ]
    rows = [Comparison(role, shown[role].difference if role in shown else None) for role in _ROLES]
    others = [Comparison(role, one.difference) for role, one in shown.items() if role not in _ROLES]
    proof = "measured here; no proof" if hit.measured else "claimed by its publisher"
    if hit.proof is not None:
        proof = f"proved: measured {_own(hit.proof.measured)}, holds until {date(hit.proof.until)}"
    return [*evidence_bars([*rows, *others], width, signs), Text(proof, style="dim")]


def _counted(found: Found) -> str:
    hits, query = len(found.hits), found.query
    took = f"{found.milliseconds:.0f} ms" if found.milliseconds >= 1 else "under 1 ms"
    shown = counted(found.total, "hit")
    if hits < found.total:
        first = query.offset + 1
        shown = f"{first} to {query.offset + hits} of {shown}; --limit {2 * query.limit} shows more"
    return f"{shown}, {took}"


def _notes(found: Found, width: int) -> list[Text]:
    return [
        Text(line.plain, style="dim")
        for note in found.notes
        for line in wrapped(_own(note), min(width, _PROSE))
    ]


def _own(text: str) -> str:
    """Somebody else's words on one line, without what a terminal would obey or hide."""
    return " ".join(shown_text(text).split())
