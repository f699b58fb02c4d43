"""From what happened in a chat to a bot that plays it again. Pure.

A chat comes from a person at a terminal (:class:`Recorder`) or from the evidence of a run
(:func:`recording_of`); :func:`bot_text` makes the bot.
"""

from botkit.recording.beats import Beat, Recording
from botkit.recording.evidence import recording_of
from botkit.recording.recorder import Recorder
from botkit.recording.writing import bot_name, bot_text, place_of

__all__ = ["Beat", "Recorder", "Recording", "bot_name", "bot_text", "place_of", "recording_of"]
