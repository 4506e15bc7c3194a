"""Write a CSV of made-up support tickets: 600 rows, six teams, a text and a label column.

It knows two dozen phrases per team and joins them so that no pair of phrases occurs twice: the
rows look alike, as real tickets do, but no row is another one in disguise, which the leak gate of
``metier make`` would find. One ticket in forty stands with the wrong team, as in a real inbox, so
no method can be right every time. It needs nothing but Python.

    python examples/tickets.py tickets.csv
"""

from __future__ import annotations

import csv
import itertools
import random
import sys
from pathlib import Path

ROWS_PER_TEAM = 100
WRONG_TEAM = 1 / 40

# What happened, and what the customer wants or adds. Some phrases fit more than one team.
PHRASES: dict[str, tuple[list[str], list[str]]] = {
    "billing": (
        [
            "I was charged twice this month",
            "my invoice shows the wrong amount",
            "the discount code was not applied",
            "you took money after I cancelled",
            "the receipt for order 4711 is missing",
            "my card was declined although it is valid",
            "the tax on the bill looks wrong",
            "I still pay for five seats but use two",
            "the yearly plan was billed monthly",
            "there is a payment I do not recognise",
            "the price went up without a notice",
            "my bank says the payment is still pending",
        ],
        [
            "please refund the difference",
            "can you send a corrected invoice",
            "our accountant needs this by Friday",
            "how do I change the card on file",
            "I want my money back",
            "who can I talk to about the amount",
            "this happened last year as well",
            "please explain the second line",
            "we need the VAT number on it",
            "cancel the subscription otherwise",
            "is there a cheaper plan",
            "I attach the bank statement",
        ],
    ),
    "access": (
        [
            "I cannot sign in since this morning",
            "the reset mail never arrives",
            "my account is locked",
            "the code from the phone is refused",
            "a colleague left and owns our workspace",
            "it says my password is wrong, it is not",
            "the invitation link has expired",
            "single sign-on sends me in a circle",
            "I lost the phone with my second factor",
            "somebody else is logged in as me",
            "my user name was changed",
            "I am signed out every few minutes",
        ],
        [
            "please unlock it",
            "can you send a new link",
            "I need to get in before noon",
            "how do I change the owner",
            "I tried three browsers",
            "please remove the old device",
            "the spam folder is empty",
            "our administrator is on holiday",
            "is my data still safe",
            "the same happens on my phone",
            "I already changed it twice",
            "who can add me again",
        ],
    ),
    "defect": (
        [
            "the page stays white after saving",
            "the export button does nothing",
            "the app crashes when I open a photo",
            "the total in the report is wrong",
            "search finds nothing any more",
            "the upload stops at 99 percent",
            "dates are shown one day early",
            "the chart is empty since the update",
            "umlauts turn into question marks",
            "sorting by name mixes up the rows",
            "an error 500 appears on every click",
            "the timer keeps running after I stop it",
        ],
        [
            "this worked last week",
            "it happens every time",
            "I can send a screenshot",
            "the console shows a red line",
            "please fix this soon",
            "reloading does not help",
            "only on the phone, not on the desktop",
            "my colleague sees the same",
            "we lost an hour of work",
            "is there a way around it",
            "the version is 3.2",
            "I tried three browsers",
        ],
    ),
    "feature": (
        [
            "it would help to have dark mode",
            "could you add an export to Excel",
            "we miss a shortcut for archiving",
            "an integration with our calendar would be great",
            "please let us rename several files at once",
            "is a version for tablets planned",
            "can the report be sent every Monday",
            "I would like to sort by two columns",
            "a way to undo would save us",
            "more than ten tags should be allowed",
            "it should remember my last filter",
            "an API for comments is missing",
        ],
        [
            "other tools have this",
            "we would pay for it",
            "is it on the roadmap",
            "our whole team asks for it",
            "it would save us an hour a week",
            "I could test a first version",
            "thanks for a good product",
            "this is our only wish",
            "where can I vote for it",
            "a simple version is enough",
            "we use a script until then",
            "is there a way around it",
        ],
    ),
    "delivery": (
        [
            "my parcel has not arrived",
            "the box was open when it came",
            "tracking has not moved for six days",
            "I got somebody else's order",
            "two of three items are missing",
            "the courier left it in the rain",
            "the address on the label is wrong",
            "customs wants papers from me",
            "the replacement came broken too",
            "it was delivered to a neighbour I do not know",
            "the order says shipped since Monday",
            "I was at home, nobody rang",
        ],
        [
            "where is it now",
            "please send it again",
            "I need it before the weekend",
            "can I change the address",
            "I attach a photo of the box",
            "who pays for the return",
            "it is a birthday present",
            "the number ends with 880",
            "can I pick it up myself",
            "I want my money back",
            "this happened last year as well",
            "please call the courier",
        ],
    ),
    "privacy": (
        [
            "please delete everything you hold about me",
            "I want a copy of my personal data",
            "you mail me although I unsubscribed",
            "my name can be found by search engines",
            "where are our files stored",
            "who in your company can read our notes",
            "my old address is still in your records",
            "do you share data with advertisers",
            "we need a contract on data processing",
            "a form asks for my date of birth",
            "I object to the use of my pictures",
            "how long do you keep the logs",
        ],
        [
            "please confirm in writing",
            "the law gives you thirty days",
            "I did not agree to this",
            "our auditor asks for it",
            "is my data still safe",
            "please correct it",
            "who is responsible for this",
            "I wrote about this before",
            "remove it from the backups too",
            "why do you need it",
            "please take me off the list",
            "we need the VAT number on it",
        ],
    ),
}
OPENINGS = ["Hello,", "Hi team,", "Good morning,", "Hi,", "Dear support,", "", "", ""]
CLOSINGS = ["Thanks", "Best regards", "Please answer soon", "Thank you", "", "", "", ""]


def ticket(happened: str, wanted: str, dice: random.Random) -> str:
    """One ticket of two phrases, now and then with a slip of the fingers."""
    first, second = (happened, wanted) if dice.random() < 0.8 else (wanted, happened)
    text = f"{dice.choice(OPENINGS)} {first}{dice.choice(['.', ',', ' -'])} {second}."
    text = f"{text} {dice.choice(CLOSINGS)}".strip()
    if dice.random() < 0.3:
        place = dice.randrange(1, len(text) - 2)
        text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text.lower() if dice.random() < 0.2 else text


def tickets(seed: int = 0) -> list[tuple[str, str]]:
    """All rows as (text, team), shuffled; equal seeds give equal rows."""
    dice = random.Random(seed)
    rows = []
    for team, (happened, wanted) in PHRASES.items():
        pairs = dice.sample(list(itertools.product(happened, wanted)), ROWS_PER_TEAM)
        rows += [(ticket(first, second, dice), team) for first, second in pairs]
    dice.shuffle(rows)
    teams = list(PHRASES)
    return [
        (text, dice.choice(teams) if dice.random() < WRONG_TEAM else team) for text, team in rows
    ]


def main() -> None:
    """Write the CSV to the path that was given."""
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/tickets.py FILE.csv")
    path = Path(sys.argv[1])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "team"])
        writer.writerows(tickets())
    print(f"{path}: {len(PHRASES) * ROWS_PER_TEAM} tickets for {len(PHRASES)} teams")


if __name__ == "__main__":
    main()
