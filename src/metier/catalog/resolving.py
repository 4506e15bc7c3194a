"""What the words of a query are taken for: themselves, other forms, endings, pieces, corrections.

It knows which terms the volumes have; a word that nobody has is taken for the likeliest that
somebody has, and that is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from metier.catalog.records import Records
from metier.catalog.volumes import Volume
from metier.catalog.words import STEM, Meant, Word, distance


def resolve(
    asked: Sequence[Word], volumes: Sequence[Volume], records: Records
) -> tuple[tuple[Meant, ...], tuple[tuple[str, str], ...]]:
    """What the words of a query are taken for, and which were corrected."""
    found = [_meant(word, volumes, records) for word in asked]
    for number in range(len(found) - 1):
        one, two = found[number], found[number + 1]
        joined = one.word.term + two.word.term
        if known(joined, volumes):
            found[number] = replace(one, terms=(*one.terms, joined))
            found[number + 1] = replace(two, terms=(*two.terms, joined))
    corrected = tuple((one.word.said, one.instead) for one in found if one.instead)
    return tuple(found), corrected


def _meant(word: Word, volumes: Sequence[Volume], records: Records) -> Meant:
    from metier.catalog.text import stem_of

    terms = _forms(word.term, volumes)
    if word.open:
        endings = Counter[str]()
        for volume in volumes:
            endings.update(dict.fromkeys(volume.words.completions(word.term), 1))
        terms.extend(term for term in endings if term not in terms)
    parts = tuple(part for part in word.parts if known(part, volumes))
    if not known(word.term, volumes) and STEM + word.term in terms:
        # Nobody writes it so: it is the stem of a word, or that word without its end.
        near = _near(word.term, volumes, records)
        if near and stem_of(near) == STEM + word.term:
            return Meant(word, (near, STEM + word.term), instead=near)
    whole = parts if len(parts) > 1 and parts == word.parts else ()
    if terms or whole:
        return Meant(word, tuple(terms), whole)
    if parts:
        return Meant(word, (), parts, instead=" ".join(parts))
    for cut in range(2, len(word.term) - 1):
        pair = word.term[:cut], word.term[cut:]
        if all(known(part, volumes) for part in pair):
            return Meant(word, (), pair, instead=" ".join(pair))
    near = _near(word.term, volumes, records)
    return Meant(word, tuple(_forms(near, volumes)) if near else (), instead=near)


def _near(term: str, volumes: Sequence[Volume], records: Records) -> str:
    """The likeliest word that was meant, of all volumes."""
    found = (volume.words.near(term, _terms_at(volume, records)) for volume in volumes)
    near = [(distance(term, one, 2), -known(one, volumes), one) for one in found if one]
    return min(near)[2] if near else ""


def _forms(term: str, volumes: Sequence[Volume]) -> list[str]:
    """A term and its other forms, those that somebody has."""
    from metier.catalog.text import stem_of

    stem = stem_of(term)
    forms = dict.fromkeys((term, stem, stem[1:]))
    return [form for form in forms if form and known(form, volumes)]


def known(term: str, volumes: Sequence[Volume]) -> int:
    """How many entries have a term."""
    return sum(volume.words.known(term) for volume in volumes)


def _terms_at(volume: Volume, records: Records) -> Callable[[Sequence[int]], Sequence[str]]:
    def terms_at(places: Sequence[int]) -> Sequence[str]:
        ids = volume.numbers("id")[list(places)].tolist() if places else []
        rows = records.rows_of(ids).values()
        return [row.name_terms + row.key_terms + row.more_terms + row.text_terms for row in rows]

    return terms_at
