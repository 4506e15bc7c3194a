from __future__ import annotations

import dataclasses
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.card import Cost
from metier.errors import InputError
from metier.router import DomainModel, Router, Rules, decision_bytes
from metier.router.rules import unable
from metier.routing import Candidate, Decision, Request

BANKING = "why is my card pending in the app"
COOKING = "fry onions in butter for two people"
ELSE = "who painted the ceiling of this chapel"
GB = 10**9
GENERAL = Candidate("all", "sha256:0", "generate", general=True, cost=Cost(size_bytes=4 * GB))
BANK = Candidate("teller", "sha256:1", "chat", domain="bank", proof="2027-01-01", gain=0.05)
COOK = Candidate("cook", "sha256:2", "chat", domain="cooking", proof="2027-01-01", gain=0.03)
FLEET = (GENERAL, BANK, COOK)


@pytest.fixture(scope="module")
def router(model: DomainModel) -> Router:
    return Router(model)


def decided(
    router: Router, text: str, fleet: tuple[Candidate, ...] = FLEET, **asked: object
) -> Decision:
    return router.decide(Request(text, **asked), fleet)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "name"), [(BANKING, "teller"), (COOKING, "cook")])
def test_a_proved_specialist_gets_what_looks_like_its_domain(
    router: Router, text: str, name: str
) -> None:
    decision = decided(router, text)
    assert (decision.chosen, decision.ground) == (name, "domain")
    assert decision.then == ("all",)
    assert decision.next == "all"
    assert decision.score is not None
    assert decision.threshold is not None
    assert decision.score >= decision.threshold
    assert decision.router == router.digest
    assert name in decision.why


def test_it_abstains_to_the_general_model(router: Router) -> None:
    decision = decided(router, ELSE)
    assert (decision.chosen, decision.ground) == ("all", "abstained")
    assert decision.domain in ("bank", "cooking")
    assert decision.next in ("teller", "cook")
    assert "below the threshold" in decision.why


@pytest.mark.parametrize(
    "lost", [{"proof": ""}, {"state": "DEMOTED"}, {"state": "HOP"}, {"context": 10}]
)
def test_without_proof_or_place_it_gets_nothing(router: Router, lost: dict[str, object]) -> None:
    decision = decided(router, BANKING, (GENERAL, replace(BANK, **lost), COOK), tokens=50)
    assert (decision.chosen, decision.ground) == ("all", "abstained")
    assert [one.name for one in decision.refused] == ["teller"]
    assert "nobody here may take it" in decision.why


def test_the_watch_does_not_take_a_route_away_by_watching(router: Router) -> None:
    fleet = (GENERAL, replace(BANK, state="WATCH"))
    assert decided(router, BANKING, fleet).chosen == "teller"


def test_alone_it_is_the_only_one(router: Router) -> None:
    assert decided(router, BANKING, (GENERAL,)).ground == "only"
    assert decided(router, BANKING, (GENERAL,)).domain == "bank"


def test_without_anybody_it_says_what_to_pull(router: Router) -> None:
    for fleet in ((), (replace(BANK, proof=""),)):
        decision = decided(router, BANKING, fleet)
        assert (decision.chosen, decision.ground) == ("", "nobody")
        assert decision.remedy.startswith("metier pull")
        assert decision.why.startswith("Nobody here can take it.")
    unsure = decided(router, ELSE, (BANK, COOK))
    assert (unsure.chosen, unsure.ground) == ("", "nobody")
    assert "no general model" in unsure.why


def test_without_a_general_model_a_sure_domain_is_still_answered(router: Router) -> None:
    assert decided(router, BANKING, (BANK, COOK)).chosen == "teller"


def test_a_named_domain_is_not_guessed(router: Router) -> None:
    decision = decided(router, ELSE, domain="bank")
    assert (decision.chosen, decision.ground, decision.score) == ("teller", "named", None)
    unknown = decided(router, BANKING, domain="law")
    assert (unknown.chosen, unknown.ground, unknown.domain) == ("all", "abstained", "law")


def test_names_are_never_read_as_templates(model: DomainModel) -> None:
    odd = replace(BANK, name="{name}", domain="{0}")
    decision = Router(model).decide(Request(ELSE, domain="{0}"), (GENERAL, odd))
    assert decision.chosen == "{name}"


def test_pictures_go_to_what_sees(router: Router) -> None:
    eyes = replace(GENERAL, name="eyes", sees=True)
    for text in (BANKING, ELSE, ""):
        decision = decided(router, text, (*FLEET, eyes), pictures=1)
        assert (decision.chosen, decision.ground) == ("eyes", "picture")
    seeing = replace(BANK, sees=True)
    assert decided(router, BANKING, (seeing, GENERAL, eyes), pictures=1).ground == "domain"
    assert decided(router, ELSE, (seeing, GENERAL), pictures=1).chosen == "teller"
    assert decided(router, ELSE, FLEET, pictures=1).ground == "nobody"


def test_a_chat_goes_to_no_classifier_but_route_may_name_one(router: Router) -> None:
    intents = replace(BANK, name="intents", task="classify", gain=0.2)
    assert decided(router, BANKING, (*FLEET, intents)).chosen == "teller"
    assert decided(router, BANKING, (*FLEET, intents), wanted="any").chosen == "intents"
    shirts = replace(BANK, name="shirts", task="classify-image", domain="clothes", sees=True)
    only = decided(router, "", (GENERAL, shirts), wanted="any", pictures=1)
    assert (only.chosen, only.ground) == ("shirts", "picture")


def test_what_a_picture_is_of_is_named_and_never_guessed_from_words(router: Router) -> None:
    shirts = replace(BANK, name="shirts", task="classify-image", domain="clothes", sees=True)
    bills = replace(shirts, name="bills", domain="bank")
    eyes = replace(GENERAL, name="eyes", sees=True)
    asked = {"wanted": "any", "pictures": 1}
    for text in (BANKING, ELSE, ""):
        general = decided(router, text, (*FLEET, eyes, bills), **asked)
        assert (general.chosen, general.ground, general.next) == ("eyes", "picture", "bills")
        assert "name that domain" in general.why
        named = decided(router, text, (*FLEET, eyes, bills, shirts), domain="clothes", **asked)
        assert (named.chosen, named.ground) == ("shirts", "named")
        nobody = decided(router, text, (*FLEET, bills, shirts), **asked)
        assert (nobody.chosen, nobody.ground) == ("", "nobody")
        assert nobody.remedy == "metier route --image FILE --domain bank"
    only = decided(router, "", (*FLEET, shirts), **asked)
    assert only.chosen == "shirts"
    assert "of clothes" in only.why
    other = decided(router, "", (*FLEET, shirts), domain="cooking", **asked)
    assert (other.chosen, other.ground) == ("", "nobody")
    chat = decided(router, "", (*FLEET, eyes, shirts), pictures=1)
    assert (chat.chosen, chat.next) == ("eyes", "")
    unproved = (*FLEET, eyes, replace(shirts, proof=""))
    assert decided(router, "", unproved, domain="clothes", **asked).chosen == "eyes"
    lost = (*FLEET, eyes, replace(shirts, state="DEMOTED"))
    assert decided(router, "", lost, domain="clothes", **asked).chosen == "eyes"


def test_the_best_proof_goes_first_then_the_cheaper(router: Router) -> None:
    better = replace(BANK, name="b", gain=0.09, cost=Cost(size_bytes=9 * GB))
    equal = replace(BANK, name="a", cost=Cost(size_bytes=2 * GB))
    decision = decided(router, BANKING, (GENERAL, BANK, better, equal))
    assert decision.chosen == "b"
    assert decision.then == ("teller", "a", "all")


def test_a_cheap_one_whose_tool_judges_goes_before_the_best(model: DomainModel) -> None:
    dear = replace(BANK, name="dear", gain=0.2, cost=Cost(size_bytes=9 * GB))
    cheap = replace(BANK, name="cheap", judged=True)
    fleet = (GENERAL, dear, cheap)
    decision = Router(model).decide(Request(BANKING), fleet)
    assert decision.chosen == "cheap"
    assert decision.then == ("dear", "all")
    assert "its tool judges" in decision.why
    plain = Router(model, Rules(cascades=False)).decide(Request(BANKING), fleet)
    assert plain.chosen == "dear"


def test_a_budget_leaves_out_what_costs_more(router: Router) -> None:
    dear = replace(BANK, cost=Cost(size_bytes=20 * GB))
    decision = decided(router, BANKING, (GENERAL, dear), most_cost="8 GB")
    assert decision.chosen == "all"
    assert decided(router, BANKING, (GENERAL, dear), most_cost="32 GB").chosen == "teller"
    remote = replace(GENERAL, name="far", cost=Cost(cost_class="remote"))
    decision = decided(router, ELSE, (GENERAL, remote))
    assert (decision.chosen, decision.then) == ("all", ("far",))
    with pytest.raises(InputError):
        decided(router, ELSE, (), most_cost="cheap")


def test_a_conversation_stays_with_who_has_it(router: Router) -> None:
    kept = decided(router, "thanks, and shorter please", last="teller", cached_tokens=900)
    assert (kept.chosen, kept.ground) == ("teller", "kept")
    assert kept.then == ("all",)
    same = decided(router, BANKING, last="teller")
    assert (same.chosen, same.ground) == ("teller", "kept")


def test_a_switch_must_outweigh_the_lost_cache(router: Router) -> None:
    near = decided(router, BANKING, last="all", cached_tokens=4_900)
    assert (near.chosen, near.ground) == ("teller", "domain")
    far = decided(router, BANKING, last="all", cached_tokens=5_100)
    assert (far.chosen, far.ground) == ("all", "kept")
    assert far.next == "teller"
    assert "5.0 points" in far.why
    less = decided(router, COOKING, last="teller", cached_tokens=0)
    assert less.chosen == "teller"  # the cook's gain is not above the teller's


def test_nobody_is_switched_in_a_tool_loop(router: Router) -> None:
    loop = {"last": "all", "in_tool_loop": True}
    assert decided(router, BANKING, **loop).ground == "kept"
    fallen = (GENERAL, replace(BANK, proof="", state="DEMOTED"), COOK)
    kept = decided(router, COOKING, fallen, last="teller", in_tool_loop=True)
    assert (kept.chosen, kept.then) == ("teller", ())
    full = (GENERAL, replace(BANK, context=100))
    assert (
        decided(router, BANKING, full, last="teller", in_tool_loop=True, tokens=90).chosen == "all"
    )


def test_who_lost_its_proof_loses_its_conversations(router: Router) -> None:
    decision = decided(router, BANKING, (GENERAL, replace(BANK, proof="")), last="teller")
    assert decision.chosen == "all"


def test_a_named_domain_is_a_persons_word(router: Router) -> None:
    decision = decided(router, ELSE, domain="cooking", last="all", cached_tokens=10**6)
    assert (decision.chosen, decision.ground) == ("cook", "named")


def test_a_person_can_override(router: Router) -> None:
    fallen = replace(BANK, proof="", state="DEMOTED")
    decision = router.override("teller", Request(ELSE), (GENERAL, fallen))
    assert (decision.chosen, decision.ground) == ("teller", "override")
    blind = router.override("teller", Request(ELSE, pictures=1), (GENERAL, fallen))
    assert (blind.chosen, blind.ground) == ("", "nobody")
    assert router.override("nemo", Request(ELSE), FLEET).why == (
        "nemo is nobody who could be asked this."
    )


def test_the_order_of_candidates_does_not_matter(router: Router) -> None:
    fleet = (*FLEET, replace(BANK, name="second"), replace(GENERAL, name="other"))
    for text in (BANKING, ELSE):
        found = {
            decision_bytes(decided(router, text, one)) for one in itertools.permutations(fleet)
        }
        assert len(found) == 1


def test_the_digest_covers_model_and_rules(model: DomainModel) -> None:
    digests = {
        Router().digest,
        Router(model).digest,
        Router(model, Rules(cascades=False)).digest,
        Router(model, Rules(tokens_per_point=5)).digest,
        Router(dataclasses.replace(model, offset=0.0)).digest,
    }
    assert len(digests) == 5


CANDIDATES = st.builds(
    Candidate,
    name=st.sampled_from("abcdef"),
    digest=st.just("sha256:0"),
    task=st.sampled_from(("chat", "generate", "classify", "classify-image")),
    domain=st.sampled_from(("", "bank", "cooking", "law")),
    general=st.booleans(),
    sees=st.booleans(),
    calls_tools=st.booleans(),
    context=st.none() | st.integers(0, 5_000),
    languages=st.sampled_from(((), ("en",), ("de",))),
    proof=st.sampled_from(("", "2027-01-01")),
    gain=st.floats(-0.01, 0.5),
    state=st.sampled_from(("PROMOTED", "WATCH", "DEMOTED")),
    judged=st.booleans(),
)
REQUESTS = st.builds(
    Request,
    text=st.sampled_from((BANKING, COOKING, ELSE, "")),
    wanted=st.sampled_from(("chat", "any")),
    pictures=st.integers(0, 2),
    tools=st.booleans(),
    tokens=st.integers(0, 6_000),
    language=st.sampled_from(("", "en", "de")),
    domain=st.sampled_from(("", "bank", "law")),
    last=st.sampled_from(("", "a", "b", "z")),
    in_tool_loop=st.booleans(),
    cached_tokens=st.integers(0, 9_000),
)


@given(REQUESTS, st.lists(CANDIDATES, unique_by=lambda one: one.name, max_size=6).map(tuple))
def test_no_decision_breaks_a_hard_fact(
    router: Router, request_: Request, fleet: tuple[Candidate, ...]
) -> None:
    decision = router.decide(request_, fleet)
    by_name = {one.name: one for one in fleet}
    for name in filter(None, (decision.chosen, *decision.then)):
        one = by_name[name]
        assert unable(request_, one, Rules()) == ""
        kept = request_.in_tool_loop and name == request_.last
        assert one.general or kept or (one.proof and one.state in ("PROMOTED", "WATCH"))
    assert (decision.chosen == "") == (decision.ground == "nobody")
    assert decision.chosen not in decision.then
    assert decision.why
    assert bool(decision.remedy) == (decision.ground == "nobody")
