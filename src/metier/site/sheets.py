"""The pages of one entry, whatever its kind: the values that their common frame and each need.

It lays out cards, files, family and mistakes; it writes no HTML but the charts it asks for.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from metier.card import AnyCard, Card, ChatCard, SearchCard, Verdict
from metier.coding import SourceFile
from metier.finding import Fit, Proof
from metier.generating import ModelSheet, RunningModel
from metier.overtaking import Timeline
from metier.site import (
    charts,
    coding,
    entries,
    evidence,
    hopping,
    lineage,
    local,
    timelines,
    trials,
    watching,
    watchplot,
    words,
)
from metier.site.calls import (
    Call,
    calls,
    chat_calls,
    embed_calls,
    model_calls,
    picture_calls,
    rerank_calls,
    search_calls,
)
from metier.site.clients import editors
from metier.site.values import File, Item, Lacking, Offered, Options, Said, Spoken

if TYPE_CHECKING:
    from metier.evals.mistakes import LabelScore, Mistakes

MOST_EXAMPLES = 12
MOST_PAIRS = 8
Command = tuple[str, str]


class Around(Protocol):
    """What stands around one entry."""

    @property
    def parts(self) -> Sequence[File]:
        """Its files."""

    @property
    def recipe(self) -> str | None:
        """The recipe among them."""

    @property
    def family(self) -> Sequence[lineage.Kin]:
        """What it was made from, itself, what was made from it."""

    @property
    def fit(self) -> Fit | None:
        """Whether it runs here."""

    @property
    def proof(self) -> Proof | None:
        """The best proof that it holds here."""

    @property
    def watch(self) -> Mapping[str, Any] | None:
        """Where it stands with the watch."""

    @property
    def hops(self) -> Mapping[str, Any] | None:
        """What hops did to it, and where it could hop."""

    @property
    def timelines(self) -> Sequence[Timeline]:
        """General models by date against it."""

    @property
    def looks(self) -> Sequence[watchplot.Look]:
        """When the watch looked at it."""

    @property
    def mistakes(self) -> Mistakes | None:
        """What is known of its answers to its sealed items."""


def frame(name: str, digest: str, around: Around) -> dict[str, Any]:
    """What every page of an entry has: name, files, recipe, lineage, the address of its JSON."""
    return {
        "name": name,
        "digest": digest,
        "chip": entries.chip(around.fit),
        "standing": entries.standing(around.proof) if around.proof is not None else "",
        "files": around.parts,
        "recipe": around.recipe,
        "family": lineage.rows(around.family),
        "family_drawing": lineage.drawing(around.family),
        "family_summary": lineage.summary(around.family),
        "timelines": timelines.plots(around.timelines),
        "sequence": watchplot.watch_values(around.looks),
        "watch": watching.section(around.watch),
        "hops": hopping.section(around.hops),
        "json_address": f"/specialists/{name}.json",
    }


def bare(item: Item, around: Around) -> dict[str, Any]:
    """An entry without a card."""
    return {**frame(item.reference.familiar, str(item.digest), around), "item": item}


def specialist(
    item: Item, card: Card, around: Around, tried: trials.Trials | None, options: Options
) -> dict[str, Any]:
    """A classifier."""
    name = item.reference.familiar
    return {
        **frame(name, str(item.digest), around),
        "item": item,
        "card": card,
        "all_labels": watching.offered(card),
        "depicts": card.task == "classify-image",
        "calls": picture_calls(name, options.here)
        if card.task == "classify-image"
        else calls(name, options.here),
        "tried": trials.several(tried, "picture" if card.task == "classify-image" else "text"),
        "unproved": _unproved(name, card),
        "well": well_and_badly(around.mistakes),
        "licences": licences(card),
        **_claims(item, card, evidence.roles(around.parts)),
    }


def chat(
    item: Item,
    card: ChatCard,
    around: Around,
    choices: tuple[Sequence[Lacking], Sequence[Offered]],
    told: Said,
    options: Options,
) -> dict[str, Any]:
    """A chat specialist; ``choices`` is what is missing here and which bases there are."""
    name = item.reference.familiar
    lacks, bases = choices
    files = told.files or (SourceFile(coding.example(card.tools)[0], ""),)
    checked = told.checked
    explained = dict(told.explained)
    return {
        **frame(name, str(item.digest), around),
        "item": item,
        "card": card,
        "facts": coding.facts(card),
        "headline": coding.headline(bases),
        "proved": entries.proof_words(around.proof),
        "lacks": lacks,
        "bases": bases,
        "offered": [base for base in bases if base.here],
        **hopping.base_box(around.hops, bases, told.base),
        "told": told,
        "form_files": files,
        "example": coding.example(card.tools),
        "reply": coding.answered(told.reply) if told.reply is not None else None,
        "sheets": coding.sheets(told.files, checked, explained) if checked is not None else [],
        "wrong": checked is not None and not checked.ok,
        "mended": coding.repair(told.files, told.mended),
        "calls": chat_calls(name, options.here),
        "editors": editors(name, options.here),
        "licences": licences(card),
    }


def pack(
    item: Item, card: SearchCard, around: Around, told: Said, options: Options
) -> dict[str, Any]:
    """A document pack."""
    name = item.reference.familiar
    return {
        **frame(name, str(item.digest), around),
        "item": item,
        "card": card,
        "told": told,
        "found": coding.passages(told.found) if told.found is not None else None,
        "calls": search_calls(name, options.here),
        "licences": licences(card),
    }


def model(
    sheet: ModelSheet,
    around: Around,
    running: RunningModel | None,
    spoken: Spoken | None,
    options: Options,
) -> dict[str, Any]:
    """A model that writes, embeds or ranks."""
    name = sheet.listing.name
    talks = "completion" in sheet.listing.capabilities
    tools = "tools" in sheet.listing.capabilities
    return {
        **frame(name, f"sha256:{sheet.listing.digest}", around),
        "sheet": sheet,
        "listing": sheet.listing,
        "parent": sheet.listing.parent,
        "able": local.abilities(sheet),
        "facts": local.facts(sheet, running),
        "talks": talks,
        "prove": entries.proving(name, sheet.listing.task, here=True),
        "ranks": sheet.listing.task in ("embed", "rerank"),
        "sees": "vision" in sheet.listing.capabilities,
        "thinks": "thinking" in sheet.listing.capabilities,
        "talked": local.conversation(spoken),
        "ranked": local.ranking(spoken, sheet.listing.task),
        "calls": _model_calls(name, sheet.listing.task, options, talks=talks),
        "editors": editors(name, options.here, context=sheet.context, tools=tools) if talks else [],
        "licences": [],
    }


def _model_calls(name: str, task: str, options: Options, *, talks: bool) -> list[Call]:
    if talks:
        return model_calls(name, options.here)
    ways = rerank_calls if task == "rerank" else embed_calls
    return ways(name, options.here)


def licences(card: AnyCard) -> list[tuple[str, str]]:
    """Whose licence, and which: of the specialist, of its data, of its base."""
    said = [("the specialist", card.licence or "not said")]
    if isinstance(card, Card):
        said.append(("the data", card.data.licence or "not said"))
    if isinstance(card, SearchCard):
        kinds = sorted({source.licence or "not said" for source in card.sources})
        said.append(("the documents", words.listed(kinds)))
    if isinstance(card, Card | SearchCard) and card.base is not None:
        said.append((f"the base, {card.base.name}", card.base.licence or "not said"))
    return said


def _unproved(name: str, card: Card) -> str:
    """What would measure here what the card claims to win; "" where it claims nothing."""
    wins = {Verdict.WIN, Verdict.NOT_WORSE}
    for claim in card.evidence:
        if claim.against in ("base", "general") and claim.difference.verdict in wins:
            quoted = shlex.quote(name)
            return f"metier eval {quoted} --on {quoted} --against {claim.against}"
    return ""


def well_and_badly(known: Mistakes | None) -> dict[str, Any] | None:
    """Best and worst labels, pairs that are confused, wrong answers; ``None`` if not known."""
    if known is None:
        return None
    by_truth = known.by == "truth"
    return {
        "summary": _summary(known),
        "best_title": "Labels it knows best" if by_truth else "Answers to rely on most",
        "worst_title": "Labels it knows worst" if by_truth else "Answers to rely on least",
        "how": "Share of each label's questions answered rightly."
        if by_truth
        else "Share of its answers with this label that are right: the questions themselves are "
        "not on this machine.",
        "best": [_label(score) for score in known.best],
        "worst": [_label(score) for score in known.worst],
        "pairs": [
            {"truth": pair.truth, "said": pair.said, "n": pair.n}
            for pair in known.confusions[:MOST_PAIRS]
        ],
        "partly": known.truth_known < known.wrong - known.abstained,
        "truth_known": known.truth_known,
        "wrong": known.wrong,
        "examples": known.examples[:MOST_EXAMPLES],
    }


def _summary(known: Mistakes) -> str:
    said = f"{words.count(known.wrong)} of {words.plural(known.n, 'answer')} were wrong"
    if known.abstained:
        said += f"; {words.count(known.abstained)} of those were abstentions"
    return f"{said}."


def _label(score: LabelScore) -> dict[str, str]:
    ends = score.interval
    return {
        "label": score.label,
        "bar": charts.share_bar(score.share, ends.low, ends.high),
        "share": words.percent(score.share),
        "interval": f"{words.points(ends.low)} to {words.points(ends.high)}",
        "n": words.count(score.n),
    }


def _claims(item: Item, card: Card, results: Sequence[str]) -> dict[str, Any]:
    domain = charts.difference_domain(evidence.shown_differences(card))
    scores = {row.role: row.score.value for row in card.rows if row.score is not None}
    curve = (
        charts.curve_plot(
            card.curve, base=scores.get("base"), general=scores.get("general"), key="curve"
        )
        if card.curve is not None
        else ""
    )
    return {
        "headline": words.headline(card),
        "facts": words.cost_line(card),
        "evidence": evidence.evidence_rows(item, card, domain, results),
        "axis": charts.evidence_axis(domain),
        "rows": evidence.score_rows(item, card, results),
        "ladder": evidence.ladder_rows(card.ladder),
        "plot": charts.ladder_plot(card.ladder, key="ladder"),
        "curve": curve,
        "curve_rows": evidence.curve_rows(card),
        "trust": evidence.trust_sentences(card),
        "leaks": evidence.leak_sentence(card),
        "shown_labels": card.labels[: evidence.SHOWN_LABELS],
    }
