"""What people ask of a general model: requests of no domain in particular, written by us.

They are the router's counter-examples. A fleet of one specialist has nothing else to tell its
domain from, and a fleet of many meets requests that are none of theirs. They are put together
from frames and subjects, always in the same order; nobody's text is among them.
"""

from __future__ import annotations

from functools import cache

_SUBJECTS = (
    "the French Revolution", "photosynthesis", "my neighbour's dog", "black holes", "jazz piano",
    "a birthday party for a six-year-old", "the stock market", "growing tomatoes on a balcony",
    "Roman roads", "sleep", "learning Spanish", "chess openings", "the water cycle", "old maps",
    "my grandmother's bread", "a trip to Lisbon", "marathon training", "the moon", "bees",
    "winter tyres", "the Ottoman Empire", "watercolour painting", "inflation", "headaches",
    "a job interview", "vegetarian cooking", "the violin", "climate change", "house plants",
    "the rules of cricket", "Shakespeare", "solar panels", "renting a flat", "public speaking",
    "dinosaurs", "knitting", "the human heart", "my thesis on river ecology", "volcanoes",
    "cats that scratch furniture", "the Silk Road", "wedding speeches", "bicycle brakes",
    "the immune system", "a short film about the sea", "Norse myths", "coffee", "gravity",
    "the metric system", "a quarrel with my brother", "electric cars", "elections in Brazil",
    "the periodic table", "mountain weather", "a museum for children", "stage fright", "glaciers",
    "meditation", "a used camera", "the history of printing", "earthquakes", "my cover letter",
)  # fmt: skip
_FRAMES = (
    "What is the best way to learn about {}?", "Tell me something surprising about {}.",
    "Write a short poem about {}.", "Explain {} to a ten-year-old.",
    "I would like to know more about {}. Where should I begin?",
    "Summarise in three sentences what one should know about {}.",
    "Who was the first to write about {}?", "Translate into German: I have read a book on {}.",
    "Give me five ideas for a talk on {}.", "how does {} work", "is {} worth it",
    "why do people care so much about {}?", "Write an e-mail to my teacher about {}.",
    "Compare {} with {}.", "Make a table of the pros and cons of {}.",
    "Which books on {} can you recommend, and why?", "What did people think of {} in 1900?",
    "Please improve this paragraph: Last year I spent a lot of time on {}, and it was very good.",
    "Pretend to be an expert on {} and let me ask you questions.",
    "I am writing a novel in which {} plays a part. How could the first chapter begin?",
    "what are common mistakes with {}", "Draft a plan for a week that has to do with {}.",
    "Imagine a conversation between two strangers about {}.",
    "Is it true what they say about {}? Answer yes or no, then give your reasons.",
)  # fmt: skip
_NAMES = ("Clara", "Mr. Osei", "Tomas", "Yuki", "the baker", "Leila", "a farmer", "Sam", "Ines")
_THINGS = ("apples", "stamps", "litres of milk", "books", "tickets", "marbles", "bricks", "eggs")
_SUMS = (
    ("{name} has {a} {thing} and buys {b} more. Half of them are given away on Monday, and on "
    "Tuesday {c} are lost. How many {thing} are left?"),
    ("{name} sells {thing} at ${c} each. On the first day {a} are sold, on the second twice as "
    "many. How much money is that in total?"),
    "If {b} workers need {c} hours to pack {a} {thing}, how long do {c} workers need?",
    ("A train leaves at {c} o'clock and drives {a} kilometres an hour. {name} follows {b} minutes "
    "later at twice the speed. When do they meet?"),
    ("{name} reads {c} pages on the first day and {b} pages more on each day after it. After how "
    "many days have {a} pages been read?"),
    "Solve for x: {a}x + {b} = {c}x - 7", "what is {a} percent of {b}{c}", "{a} * {b} + {c} = ?",
    ("The area of a rectangle is {a} square metres and one side is {c} metres. How long is the "
    "other?"),
)  # fmt: skip
_CODE = (
    "Write a Python function that reverses a {}.", "How do I sort a {} in Java?",
    "fix this: for i in range(10) print({})", "What does a segmentation fault mean in a {}?",
    ("def total({}):\n    result = 0\n    for item in {}:\n        result += item\n"
    "    return result"),
    "Explain the difference between a {} and a {} in C++.", "regex that matches a {}",
    "SELECT name, COUNT(*) FROM {} GROUP BY name;", "How can I undo my last git commit on {}?",
    "import os\n\nfor path in os.listdir('{}'):\n    print(path)",
    "const {} = items.filter((one) => one.ready);\nconsole.log({}.length);",
)  # fmt: skip
_CODE_THINGS = ("list", "string", "linked_list", "queue", "table", "tree", "branch", "date", "map")
_ERRANDS = (
    "my gym membership", "the parcel that I ordered", "my car insurance", "a table for four",
    "my library book", "the dentist", "my phone contract", "a plumber", "the electricity bill",
    "my password", "the washing machine", "a refund", "my concert ticket", "the heating",
    "an invoice", "my sister's birthday", "a taxi to the station", "the kitchen light", "my alarm",
    "the school trip", "a parking fine", "the newspaper", "my shopping list", "a hotel in Vienna",
    "my tax return", "the printer", "a haircut", "my vaccination", "the bus", "my salary",
)  # fmt: skip
_DOING = (
    "can you cancel {}", "i need help with {}", "what is going on with {}", "when is {} due",
    "please remind me of {} tomorrow", "how much is {}", "i have a problem with {}",
    "where do i find {}", "why is {} so late", "can i change {}", "what do i need for {}",
    "book {} for friday", "how long does {} take", "is it possible to get {} today",
    "please check {} for me", "i lost {}", "who do i call about {}", "turn {} off",
    "Hello, I have been waiting two weeks for {} and nobody answers. What can I do?",
)  # fmt: skip
_SMALL_TALK = (
    "hi", "hello there", "thanks!", "thank you, that helps", "ok", "yes please", "no", "go on",
    "who are you?", "what can you do?", "are you a person?", "tell me a joke", "good morning",
    "how are you today?", "that is wrong", "please try again", "make it shorter", "I am bored",
    "what time is it", "what should I eat tonight", "do you like music?", "I feel sad today",
    "can you help me", "never mind", "continue", "say it in simpler words", "in English please",
    "what is the weather like", "sing a song", "what is the meaning of life?", "asdf", "test",
    "?", "lol", "who won the match yesterday", "set a timer", "where are my keys", "what's up",
)  # fmt: skip
_PASSAGES = (
    ("The harbour was quiet when they arrived. Nobody had lit the lamps, and the only sound was "
    "the rope against the mast. Continue this story."),
    ("Dear Sir or Madam, I am writing to complain about the noise in our street, which begins at "
    "five in the morning. Please make this letter more polite."),
    ("Here are my notes: budget unclear, date in May, two speakers, vegetarian lunch, train at "
    "six. Turn them into a message to my colleagues."),
    ("A study followed 400 people for ten years and found that those who walked every day slept "
    "better. What can and what cannot be concluded from this?"),
    ("My landlord says that I must paint the walls before I leave, but the contract says nothing "
    "about it. What are my rights, and what should I write to him?"),
    ("Read the following text and list all persons in it: Anna met the mayor, Mr. Lindt, at the "
    "market. His sister Eva was late."),
    "Classify this review as positive or negative: The room was small but the view was lovely.",
    "I have a rash on my arm since yesterday and a little fever. Should I see a doctor?",
)  # fmt: skip


@cache
def requests_elsewhere() -> tuple[str, ...]:
    """Some 1,700 requests of no domain in particular, always the same ones in the same order."""
    count = len(_SUBJECTS)
    found: list[str] = []
    for place, frame in enumerate(_FRAMES):
        for step in range(count // 2):
            first = _SUBJECTS[(place * 7 + step * 2) % count]
            found.append(frame.format(first, _SUBJECTS[(place * 5 + step * 3 + 1) % count]))
    for place, frame in enumerate(_SUMS):
        for step in range(24):
            found.append(_sum(frame, place, step))
    for place, frame in enumerate(_CODE):
        for step in range(len(_CODE_THINGS)):
            second = _CODE_THINGS[(step + place + 1) % len(_CODE_THINGS)]
            found.append(frame.format(_CODE_THINGS[step], second))
    for place, frame in enumerate(_DOING):
        for step in range(len(_ERRANDS)):
            found.append(frame.format(_ERRANDS[(step * 7 + place) % len(_ERRANDS)]))
    found.extend(_SMALL_TALK)
    found.extend(_PASSAGES)
    return tuple(found)


def _sum(frame: str, place: int, step: int) -> str:
    return frame.format(
        name=_NAMES[(place + step) % len(_NAMES)],
        thing=_THINGS[(place * 3 + step) % len(_THINGS)],
        a=12 + 7 * step,
        b=3 + (5 * step + place) % 40,
        c=2 + (3 * step + 2 * place) % 11,
    )
