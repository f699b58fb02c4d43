"""The shapes of files: each describes itself, and knows its words."""

import json

import pytest

from botkit.bot.fields import EVENT_WORDS
from botkit.bot.models import AgentsModel, BotModel, Model
from botkit.bot.step_models import REACTION_VERBS, STEP_MODELS, VERBS_AFTER_LEAVE
from botkit.chat import EVENT_NAMES


@pytest.mark.parametrize("model", [BotModel, AgentsModel, *STEP_MODELS.values()])
def test_every_shape_describes_itself_as_json_schema(model: type[Model]) -> None:
    schema = model.model_json_schema()

    assert json.dumps(schema)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("verb", STEP_MODELS)
def test_every_verb_is_a_key_of_its_shape(verb: str) -> None:
    model = STEP_MODELS[verb]

    assert verb in model.model_fields
    assert verb not in model.modifiers()


def test_lists_of_verbs_name_verbs() -> None:
    assert set(REACTION_VERBS) | set(VERBS_AFTER_LEAVE) <= set(STEP_MODELS)


def test_every_event_may_be_called_by_the_name_of_its_hook() -> None:
    assert EVENT_NAMES.items() <= EVENT_WORDS.items()
