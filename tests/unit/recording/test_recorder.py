"""What must not be shown stands in no recording."""

from __future__ import annotations

from botkit.chat import Message, Party, PartyKind, Userdata
from botkit.masking import Masker
from botkit.recording import Recorder
from botkit.recording.masking import matcher_for


def test_what_the_service_repeats_of_a_password_is_not_recorded() -> None:
    masker = Masker()
    masker.hide("s3cret/key")
    recorder = Recorder({}, masker)
    party = Party(name="Ada", kind=PartyKind.AGENT)
    recorder.came(Message(at=1.0, seq=1, text="your key s3cret%2Fkey is good", party=party))
    recorder.came(Userdata(at=2.0, seq=2, changes={"Key": "s3cret/key"}))

    said, attached = (beat.value for beat in recorder.beats)
    assert (said, attached) == ("your key *** is good", {"Key": "***"})
    assert matcher_for(said) == {"matches": "your key .+ is good"}
