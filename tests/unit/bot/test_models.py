"""The shapes of files: each knows its words."""

import pytest

from botkit.bot.fields import EVENT_WORDS
from botkit.bot.step_models import REACTION_VERBS, STEP_MODELS, VERBS_AFTER_LEAVE
from botkit.chat import EVENT_NAMES


@pytest.mark.parametrize("verb", STEP_MODELS)
def test_every_verb_is_a_key_of_its_shape(verb: str) -> None:
    model = STEP_MODELS[verb]

    assert verb in model.model_fields
    assert verb not in model.modifiers()


def test_lists_of_verbs_name_verbs() -> None:
    assert set(REACTION_VERBS) | set(VERBS_AFTER_LEAVE) <= set(STEP_MODELS)


def test_every_event_may_be_called_by_the_name_of_its_hook() -> None:
    assert EVENT_NAMES.items() <= EVENT_WORDS.items()
