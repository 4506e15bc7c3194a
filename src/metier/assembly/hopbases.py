"""Which bases a classifier may hop to: named by a person, installed, or in a catalogue.

It knows what is here, what fits and what was tried already, and says before any work why a base
cannot be made on. It makes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from metier.assembly.workbench import Workbench
from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.finding import Entry, Found, Query
from metier.fleet import Installed
from metier.hop import Challenger, Done, Offer, Wanted, on_base
from metier.messages import Report
from metier.picturing import VISION_FILE
from metier.recipe import Recipe
from metier.reference import Reference

MOST_OFFERED = 50
"""Encoders of catalogues that are looked at."""


class HopBases:
    """The bases of one home, as hops see them.

    Args:
        workbench: What is installed, recipes, bases.
        history: What hops did to a name.
        find: Searches the catalogues.
        pull: Brings a base here.
    """

    def __init__(
        self,
        workbench: Workbench,
        history: Callable[[str], Sequence[Done]],
        *,
        find: Callable[[Query], Found],
        pull: Callable[..., Installed],
    ) -> None:
        self._fleet = workbench.fleet
        self._workbench = workbench
        self._history = history
        self._find = find
        self._pull = pull

    def offers(self, name: str) -> tuple[Offer, ...]:
        """Bases that a classifier was not held against yet: installed ones, then the catalogue's.

        A name that is no classifier's has none.
        """
        champion = self._fleet.show(Reference.parse(name).front.familiar)
        if champion.classifier is None:
            return ()
        recipe = self._workbench.classifier_recipe(champion.name)
        own = self._workbench.base(recipe.base.ref)
        tried = {
            one.key
            for one in self._history(champion.name)
            if one.act == "kept" and one.before == str(champion.system)
        }
        found = []
        needed = _described_by(recipe)
        for item in self._fleet.list():
            if item.manifest.part(needed) is None or item.name in tried:
                continue
            wanted = Wanted(item.name)
            base = self._workbench.base(item.name)
            same = own is not None and base is not None and base.digest == own.digest
            if same and on_base(recipe, wanted).ladder.rungs == recipe.ladder.rungs:
                continue
            note = "the base it stands on, in all its views" if same else "installed"
            command = f"metier hop {champion.name} --base {wanted.key}"
            found.append(Offer(wanted.key, True, note, command))
        # No catalogue holds encoders of pictures.
        return (*found, *(() if recipe.of_pictures else self._of_catalogues()))

    def _of_catalogues(self) -> list[Offer]:
        """Encoders of the catalogues that run here and are not."""
        asked = Query(task="embed", fits=True, order="newest", limit=MOST_OFFERED, meaning=False)
        try:
            hits = self._find(asked).hits
        except MetierError:
            return []  # a catalogue that cannot be read is no reason to offer nothing
        here = {item.reference.model.lower() for item in self._fleet.list()}
        return [
            Offer(hit.entry.pull, False, _note(hit.entry), f"metier pull {hit.entry.pull}")
            for hit in hits
            # What has been quantised to one file writes vectors, but no head can stand on it.
            if hit.entry.pull
            and not hit.installed
            and not hit.entry.quantization
            # What came as a package or a folder bears the last part of its name.
            and hit.entry.pull.rpartition("/")[2].lower() not in here
        ]

    def wanted(
        self,
        champion: Installed,
        bases: Sequence[str],
        *,
        every_new: bool,
        pull: bool,
        report: Report,
    ) -> dict[Wanted, MetierError | None]:
        """The bases that a hop is to be made on, in order, each with why it could not be fetched.

        Raises InputError (``no_bases``); a full disk ends the hop.
        """
        wanted = [Wanted.parse(base) for base in bases]
        offers = self.offers(champion.name) if every_new else ()
        wanted += [Wanted.parse(offer.key) for offer in offers if offer.here or pull]
        if wanted:
            return dict(self._pulled(one, report) if pull else (one, None) for one in wanted)
        if every_new:
            there = ", ".join(offer.command for offer in offers)
            raise InputError(
                f"There is no base here that {champion.name!r} was not held against.",
                code="no_bases",
                remedy=f"Bring one: {there}, or all of them with --pull."
                if there
                else "'metier find --task embed' lists encoders.",
            )
        raise InputError(
            "No base is named.",
            code="no_bases",
            remedy="Write --base REF, once for each base, or --every-new-base.",
        )

    def _pulled(self, wanted: Wanted, report: Report) -> tuple[Wanted, MetierError | None]:
        """The base as it is called here, or why it did not come: the others go on without it."""
        try:
            self._fleet.show(wanted.base)
        except NotFoundError:
            try:
                return replace(wanted, base=self._pull(wanted.base, report=report).name), None
            except InputError:
                return wanted, None  # no hub's name: that it is not here is said of it
            except MetierError as error:
                if error.code in ("cancelled", "disk_full"):
                    raise
                return wanted, error
        return wanted, None

    def able(
        self, champion: Installed, recipe: Recipe, wanted: Mapping[Wanted, MetierError | None]
    ) -> dict[Wanted, Challenger | None]:
        """What cannot be made on, said before any work; raises if that is all of them.

        ``wanted`` is what ``wanted`` gives: a base that could not be fetched fails as that says.
        """
        found: dict[Wanted, Challenger | None] = {}
        errors = []
        for one, unfetched in wanted.items():
            try:
                if unfetched is not None:
                    raise unfetched
                self._check(champion, recipe, one)
                found[one] = None
            except MetierError as error:
                errors.append(error)
                found[one] = Challenger(one.key, failed=error.message, remedy=error.remedy or "")
        if len(errors) == len(wanted):
            raise errors[0]
        return found

    def _check(self, champion: Installed, recipe: Recipe, wanted: Wanted) -> None:
        base = self._installed_base(wanted, _described_by(recipe))
        own = self._workbench.base(recipe.base.ref)
        again = on_base(recipe, wanted)
        same_rungs = again.ladder.rungs == recipe.ladder.rungs
        if same_rungs and own is not None and own.digest == base:
            raise InputError(
                f"{champion.name!r} stands on {wanted.key} already: its recipe climbed every rung "
                "there.",
                code="same_base",
                remedy="Name another base; 'metier find --task embed' lists some.",
            )

    def _installed_base(self, wanted: Wanted, needed: str) -> str:
        """The digest of an encoder base that is here; ``needed`` is the part that describes it."""
        try:
            installed = self._fleet.show(wanted.base)
        except NotFoundError as error:
            raise UnavailableError(
                f"The base {wanted.base!r} is not here. {error.message}",
                code="base_missing",
                remedy=f"metier pull {wanted.base}",
            ) from error
        if installed.manifest.part(needed) is None:
            of = "pictures" if needed == VISION_FILE else "texts"
            raise InputError(
                f"{installed.name!r} is no encoder of {of}: this classifier cannot stand on it.",
                code="not_an_encoder",
                remedy="metier import FOLDER --name NAME brings one; see docs/formats/vision.md."
                if of == "pictures"
                else "'metier find --task embed' lists encoders.",
            )
        base = self._workbench.base(wanted.base)
        assert base is not None
        return base.digest


def _described_by(recipe: Recipe) -> str:
    """The part that an encoder has which such a recipe can stand on."""
    return VISION_FILE if recipe.of_pictures else "base.json"


def _note(entry: Entry) -> str:
    size = f"{entry.size_bytes / 1e6:.0f} MB" if entry.size_bytes else ""
    return ", ".join(filter(None, (size, entry.licence or "")))
