"""The page Compare as values: who stands where, each pair, what they disagree on, side by side.

It lays out what ``/compare.json`` tells; it asks nobody and writes no HTML but its charts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from metier.card import Difference, Evidence, Score
from metier.site import charts, tradeoff, words

_WHICH = {
    "all": "all on which they differ",
    "first": "{first} right, {second} wrong",
    "second": "{second} right, {first} wrong",
    "others": "same outcome, other answers",
}
_ROLES = frozenset({"majority", "base", "general"})


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair: the better first."""

    first: str
    second: str
    bar: str
    verdict: words.VerdictWords
    difference: str
    interval: str
    sentence: str
    apart: str
    note: str
    address: str


def page_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the page's template prints."""
    names: Sequence[str] = document["names"]
    return {
        "found": document,
        "names": names,
        "evals": [_eval(one, document) for one in document["evals"]],
        "able": document["able"],
        "missing": document["missing"],
        "compared": _compared(document) if document["contrast"] else None,
        "json_address": f"/compare.json?{_query(document)}" if names else "/compare.json",
    }


def asked_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the template of answers side by side prints."""
    answers = [
        {
            **one,
            "took": words.milliseconds(one["ms"]) if one["ms"] and one["text"] else "",
            "title": one["name"] or f"Answer {one['sign']}",
        }
        for one in document["answers"]
    ]
    return {
        "duel": document,
        "answers": answers,
        "voted": next((one for one in answers if one["sign"] == document["vote"]), None),
        "again": urlencode([("name", one["name"]) for one in answers if one["name"]]),
        "json_address": f"{document['page']}.json",
    }


def _eval(one: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """One eval of the form: its owners are ticked where they were chosen."""
    chosen = set(document["names"]) if document["on"] in one["owners"] else set()
    everybody = [*one["owners"], *one["others"]]
    return {
        "name": one["name"],
        "facts": f"{words.plural(one['items'], 'question')}, "
        f"{words.plural(one['labels'], 'label')}",
        "open": document["on"] in one["owners"] or len(document["evals"]) == 1,
        "owners": [
            {
                "name": name,
                "chosen": name in chosen or (not chosen and len(one["owners"]) > 1),
            }
            for name in one["owners"]
        ],
        "others": [{"name": name, "chosen": name in chosen} for name in one["others"]],
        "roles": [{"name": name, "chosen": name in chosen} for name in sorted(_ROLES)],
        "able": len(everybody) > 1,
    }


def _compared(document: Mapping[str, Any]) -> dict[str, Any]:
    contrast = document["contrast"]
    evidence = [Evidence.model_validate(pair["evidence"]) for pair in contrast["pairs"]]
    domain = charts.difference_domain(one.difference for one in evidence)
    rows = [_row(number, one) for number, one in enumerate(contrast["systems"], 1)]
    dots = [
        tradeoff.Dot(row["number"], row["name"], row["value"], row["low"], row["high"], row["ms"])
        for row in rows
        if row["ms"] is not None
    ]
    beaten = [(pair["first"], pair["second"]) for pair in contrast["pairs"] if pair["told_apart"]]
    best = tradeoff.front(dots, beaten)
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    return {
        "questions": words.plural(contrast["items"], "question"),
        "scorer": contrast["scorer"],
        "groups": [{"number": number, "rows": found} for number, found in groups.items()],
        "one_group": len(groups) == 1,
        "summary": _summary(groups, contrast["pairs"], evidence),
        "pairs": [
            _pair(pair, one, domain, document)
            for pair, one in zip(contrast["pairs"], evidence, strict=True)
        ],
        "axis": charts.evidence_axis(domain),
        "method": contrast["method"],
        "unlooked": contrast["leaks_not_looked_for"],
        "plot": tradeoff.drawing(dots, best, key="tradeoff"),
        "front": [row["name"] for row in rows if row["name"] in best],
        "disputes": _disputes(document),
    }


def _row(number: int, one: Mapping[str, Any]) -> dict[str, Any]:
    score = Score.model_validate(one["score"])
    ends = score.interval
    cost = one["cost"]
    sizes = [value for value in (cost["size_bytes"], cost["shared_bytes"]) if value]
    return {
        "number": number,
        "name": one["name"],
        "page": "" if one["name"] in _ROLES else f"/specialists/{quote(one['name'])}",
        "group": one["group"],
        "score": words.percent(score.value),
        "interval": f"{words.points(ends.low)} to {words.points(ends.high)}" if ends else "",
        "value": score.value,
        "low": ends.low if ends else score.value,
        "high": ends.high if ends else score.value,
        "n": words.count(score.n),
        "ms": cost["ms_per_text"],
        "took": words.milliseconds(cost["ms_per_text"]),
        "size": words.size(sum(sizes)) if sizes else words.NOT_MEASURED,
        "date": words.date(one["date"]) if one["date"] else "",
    }


def _summary(
    groups: Mapping[int, Sequence[Mapping[str, Any]]],
    pairs: Sequence[Mapping[str, Any]],
    evidence: Sequence[Evidence],
) -> str:
    """One sentence that answers the page's question."""
    if len(pairs) == 1:
        return f"{pairs[0]['first']} against {pairs[0]['second']}: {_found(evidence[0].difference)}"
    if len(groups) == 1:
        return "They cannot be told apart on these questions: all stand in one group."
    first = [row["name"] for row in groups[1]]
    if len(first) == 1:
        return f"{first[0]} is told apart from all the others, which score lower."
    told = words.listed(first)
    return f"{told} cannot be told apart from the best; the others score lower."


def _found(difference: Difference) -> str:
    verdict = words.VERDICTS[difference.verdict]
    return (
        f"{words.points(difference.difference, signed=True)} points "
        f"({words.interval_words(difference)}), {verdict.word}."
    )


def _pair(
    pair: Mapping[str, Any], found: Evidence, domain: charts.Domain, document: Mapping[str, Any]
) -> PairRow:
    difference = found.difference
    several = len(document["contrast"]["pairs"]) > 1
    apart = ""
    if several:
        apart = "told apart" if pair["told_apart"] else "one group: not told apart"
    rest = found.without_leaks
    note = ""
    if rest is not None:
        note = f"Without the items that leaked into the training of {pair['first']}: {_found(rest)}"
    query = urlencode([("name", pair["first"]), ("name", pair["second"]), ("on", document["on"])])
    return PairRow(
        first=pair["first"],
        second=pair["second"],
        bar=charts.evidence_bar(
            difference,
            domain=domain,
            key=f"p-{pair['first'].encode().hex()}-{pair['second'].encode().hex()}",
            against=pair["second"],
        ),
        verdict=words.VERDICTS[difference.verdict],
        difference=words.points(difference.difference, signed=True),
        interval=words.interval_words(difference),
        sentence=f"{words.plural(difference.discordant, 'question')} of "
        f"{words.count(difference.n)} came out differently",
        apart=apart,
        note=note,
        address=f"/compare?{query}#items-h" if several else "",
    )


def _disputes(document: Mapping[str, Any]) -> dict[str, Any] | None:
    found = document["disagreements"]
    if found is None:
        return None
    at, size = document["at"], document["page_size"]
    return {
        **found,
        "filters": [
            {
                "key": key,
                "title": title.format(first=found["first"], second=found["second"]),
                "chosen": document["which"] == key,
                "address": f"/compare?{_query(document, which=key)}#items-h",
            }
            for key, title in _WHICH.items()
        ],
        "shown": f"{at + 1:,} to {min(at + size, found['total']):,} of {found['total']:,}"
        if found["rows"]
        else "",
        "before": f"/compare?{_query(document, at=max(0, at - size))}#items-h" if at else "",
        "after": f"/compare?{_query(document, at=at + size)}#items-h"
        if at + size < found["total"]
        else "",
        "rows": [
            {
                **row,
                "answers": [
                    {
                        **told,
                        "sign": "?"
                        if told["outcome"] is None
                        else "✓"
                        if told["outcome"] >= 1
                        else "✗",
                        "word": "not scored"
                        if told["outcome"] is None
                        else "right"
                        if told["outcome"] >= 1
                        else "wrong",
                        "said": "no answer" if told["answer"] is None else told["answer"],
                    }
                    for told in row["answers"]
                ],
            }
            for row in found["rows"]
        ],
    }


def _query(document: Mapping[str, Any], **changed: Any) -> str:
    """The address's query for the same comparison, with another filter or page."""
    which = changed.get("which", document["which"])
    at = changed.get("at", 0)
    pairs = [("name", name) for name in document["names"]] + [("on", document["on"])]
    pairs += [("which", which)] if which != "all" else []
    pairs += [("at", str(at))] if at else []
    return urlencode(pairs)
