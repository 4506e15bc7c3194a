"""The recipe: how a specialist is made, as data, independent of trainer and base.

There is one kind of recipe a task, told apart by ``specialist.task``; ``read_recipe`` finds out
which. Recipes are values: nothing here opens a file or fetches anything.
"""

from metier.recipe.chatting import (
    Alternative,
    ChatAnswer,
    ChatBase,
    ChatEval,
    ChatRecipe,
    ChatSampling,
    ChatSpecialist,
)
from metier.recipe.classifying import (
    PICTURE_RUNGS,
    PICTURES,
    RUNGS,
    AnswerPart,
    BasePart,
    DataPart,
    EvalPart,
    GitRepository,
    LadderPart,
    Recipe,
    SpecialistPart,
    SplitPart,
    UpstreamFile,
)
from metier.recipe.domains import GENERAL, checked_domain
from metier.recipe.reading import AnyRecipe, read_recipe
from metier.recipe.searching import (
    DocumentPart,
    SearchAnswer,
    SearchBase,
    SearchRecipe,
    SearchSpecialist,
)

__all__ = [
    "GENERAL",
    "PICTURES",
    "PICTURE_RUNGS",
    "RUNGS",
    "Alternative",
    "AnswerPart",
    "AnyRecipe",
    "BasePart",
    "ChatAnswer",
    "ChatBase",
    "ChatEval",
    "ChatRecipe",
    "ChatSampling",
    "ChatSpecialist",
    "DataPart",
    "DocumentPart",
    "EvalPart",
    "GitRepository",
    "LadderPart",
    "Recipe",
    "SearchAnswer",
    "SearchBase",
    "SearchRecipe",
    "SearchSpecialist",
    "SpecialistPart",
    "SplitPart",
    "UpstreamFile",
    "checked_domain",
    "read_recipe",
]
