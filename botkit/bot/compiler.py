"""From the nodes of a file to the steps, reactions and guards that the interpreter plays.

Each step is compiled on its own: one that is wrong is told of and left out, and the next one is
looked at. What needs the whole script (which variables are set where) is checked afterwards, in
``variables.py``; for that the compiler remembers the node of each step by its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from botkit.bot import script
from botkit.bot import step_models as models
from botkit.bot.attachments import AttachmentError, media_type_of, read_attachment
from botkit.bot.diagnostics import Problems, did_you_mean
from botkit.bot.fields import EVENT_WORDS, Vocabulary
from botkit.bot.matchers import MatcherError, MatcherSpec, PlainValue
from botkit.bot.models import Model
from botkit.bot.order import Order, with_judges
from botkit.bot.parts import MAX_STEPS, NoParts, Part, PartError, PartSource, given
from botkit.bot.script import BotScript, Guard, Place, Step, Whenever, moved_under
from botkit.bot.sides import OWN_LINES, misfit, misfits_among
from botkit.bot.simple_steps import SIMPLE_STEPS, summary
from botkit.bot.source import (
    Document,
    Entries,
    Items,
    Node,
    Scalar,
    find,
    find_key,
    plain,
)
from botkit.bot.step_models import (
    REACTION_VERBS,
    STEP_MODELS,
    StepModel,
)
from botkit.bot.validation import validate
from botkit.bot.values import Template
from botkit.chat import Event, Message, Notice

M = TypeVar("M", bound=Model)


@dataclass(slots=True, kw_only=True)
class Compiled:
    """A script, and what else its compilation brought to light.

    Attributes:
        nodes: the node of each step, reaction and guard by its path.
        broken: the nodes of the steps that are wrong and were left out.
        parts: the files of steps that are used, by the path of the step that does.
        knows_parts: False if one of them cannot be used, so that nobody knows what it captures.
        userdata: what ``start`` attaches to the request for the chat.
    """

    script: BotScript
    nodes: Mapping[str, Node]
    broken: Sequence[Node] = ()
    parts: Mapping[str, Part]
    knows_parts: bool = True
    userdata: Mapping[str, Template]


@dataclass(slots=True, kw_only=True)
class Compiler:
    """Compiles the script of one party.

    Attributes:
        document: the file.
        problems: takes all that is wrong.
        vocabulary: what plugins add to the language.
        plays_agent: the script is of a simulated agent, who hears the customer; None if it is a
            file of steps, which both sides may use in the middle of a chat.
        source: finds the files of steps that are used.
        used: how many steps these come to.
    """

    document: Document
    problems: Problems
    vocabulary: Vocabulary
    plays_agent: bool | None = False
    source: PartSource = field(default_factory=NoParts)
    nodes: dict[str, Node] = field(default_factory=dict)
    broken: list[Node] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    used: int = 0
    knows_parts: bool = True
    userdata: dict[str, Template] = field(default_factory=dict)

    def compile(
        self, name: str, *, steps: Node, whenever: Node | None = None, never: Node | None = None
    ) -> Compiled:
        """Compile a script; what is wrong in it is left out and told of."""
        done = BotScript(
            name=name,
            file=self.document.file,
            steps=self._script_steps(steps),
            whenever=self._reactions(whenever),
            never=self._guards(never),
        )
        return Compiled(
            script=done,
            nodes=self.nodes,
            broken=self.broken,
            parts=self.parts,
            knows_parts=self.knows_parts,
            userdata=self.userdata,
        )

    # --- steps ---

    def _script_steps(self, node: Node) -> tuple[Step, ...]:
        if isinstance(node, Items) and not node.items:
            nothing = "" if self.plays_agent is None else "; a bot without steps proves nothing"
            self.problems.add(node.mark, f"steps is empty{nothing}")
        steps = self._steps(node, "steps")
        order = Order(nodes=self.nodes, parts=self.parts, problems=self.problems)
        order.check(steps, is_part=self.plays_agent is None)
        return steps

    def _steps(self, node: Node, path: str, only: tuple[str, ...] = ()) -> tuple[Step, ...]:
        """Compile a list of steps; ``only`` closes it to all but a few verbs."""
        if not isinstance(node, Items):
            return ()  # not being a list was told when the list's owner was validated
        steps = (
            self._step(item, f"{path}[{number}]", only) for number, item in enumerate(node.items)
        )
        return with_judges([step for step in steps if step is not None])

    def _step(self, node: Node, path: str, only: tuple[str, ...]) -> Step | None:
        step = self._compiled_step(node, path, only)
        if step is None:
            self.broken.append(node)
        return step

    def _compiled_step(self, node: Node, path: str, only: tuple[str, ...]) -> Step | None:
        entries = self._as_entries(node)
        verb = self._verb_of(entries, path) if entries is not None else None
        if entries is None or verb is None:
            return None
        if only and verb not in only:
            message = f"{verb!r} cannot stand in a reaction; {', '.join(only)} can"
            self.problems.add(entries.keys[verb].mark, message)
            return None
        entries = self._with_known_modifiers(entries, verb)
        model = self._validate(STEP_MODELS[verb], entries)
        if model is None:
            self._look_below(entries, verb, path)
            return None
        self.nodes[path] = entries
        step = self._build(model, entries, path)
        return step if step is None or self._is_for_this_side(step, entries) else None

    def _is_for_this_side(self, step: Step, node: Entries) -> bool:
        wrong = None
        if self.plays_agent is not None:
            wrong = misfit(step, plays_agent=self.plays_agent)
        if wrong is not None:
            at = find_key(node, wrong.trail) if wrong.at_key else find(node, wrong.trail).mark
            self.problems.add(at, wrong.message)
        return wrong is None

    def _as_entries(self, node: Node) -> Entries | None:
        """Take a bare verb for a mapping without a value."""
        if isinstance(node, Entries) and node.keys:
            return node
        if not isinstance(node, Scalar):
            self.problems.add(node.mark, "a step is a mapping with one verb")
            return None
        verb, hint = node.text, ""
        model = STEP_MODELS.get(verb)
        if model is not None and model.bare:
            nothing = Scalar(mark=node.mark, text="")
            return Entries(mark=node.mark, keys={verb: node}, values={verb: nothing})
        if model is not None:
            message = f"{verb!r} needs a value: write '{verb}: ...'"
        elif verb.strip():
            message, hint = f"unknown verb {verb.strip()!r}", did_you_mean(verb, STEP_MODELS)
        else:
            message = "this step is empty; a step begins with a verb, such as 'say: Hello'"
        self.problems.add(node.mark, message, hint=hint)
        return None

    def _verb_of(self, node: Entries, path: str) -> str | None:
        verbs = [key for key in node.keys if key in STEP_MODELS]
        if len(verbs) > 1:
            self.problems.add(
                node.keys[verbs[1]].mark,
                f"a step has one verb, and this one has {verbs[0]!r} and {verbs[1]!r};"
                " begin a new step with '- '",
            )
            return None
        if not verbs:
            self._no_verb(node)
            return None
        if verbs[0] == "start" and (path != "steps[0]" or self.plays_agent is not False):
            message = "'start' is the first step of a bot or none: the chat is already open here"
            self.problems.add(node.keys["start"].mark, message)
            return None
        return verbs[0]

    def _no_verb(self, node: Entries) -> None:
        """Tell that a step has no verb, at the key that was meant to be one."""
        modifiers = {key for model in STEP_MODELS.values() for key in model.modifiers()}
        strange = [key for key in node.keys if key not in modifiers]
        if not strange:
            self.problems.add(node.mark, f"a step without a verb; it has {', '.join(node.keys)}")
            return
        hint = did_you_mean(strange[0], STEP_MODELS)
        self.problems.add(node.keys[strange[0]].mark, f"unknown verb {strange[0]!r}", hint=hint)

    def _with_known_modifiers(self, node: Entries, verb: str) -> Entries:
        """Tell of the keys that do not belong to a verb, and leave them out."""
        allowed = STEP_MODELS[verb].modifiers()
        strange = [key for key in node.keys if key != verb and key not in allowed]
        for key in strange:
            message = f"{key!r} does not belong to {verb!r}"
            takes = f"it takes {', '.join(allowed)}" if allowed else "it takes nothing besides"
            hint = did_you_mean(key, allowed) or takes
            self.problems.add(node.keys[key].mark, message, hint=hint)
        if not strange:
            return node
        values = {key: value for key, value in node.values.items() if key not in strange}
        return Entries(mark=node.mark, keys=node.keys, values=values)

    def _validate(self, model: type[M], node: Node, what: str = "") -> M | None:
        return validate(
            model,
            node,
            document=self.document,
            problems=self.problems,
            vocabulary=self.vocabulary,
            what=what,
        )

    def _look_below(self, node: Entries, verb: str, path: str) -> None:
        """Find what is wrong in the steps of a step that is wrong itself."""
        value = node.values[verb]
        if verb == "choose" and isinstance(value, Items):
            for number in range(len(value.items)):
                self._steps(find(value, (number, "do")), f"{path}.choose[{number}].do")
            self._steps(find(node, ("otherwise",)), f"{path}.otherwise")
        elif verb == "repeat" and isinstance(value, Entries):
            self._steps(find(value, ("do",)), f"{path}.repeat.do")

    def _build(self, model: StepModel, node: Entries, path: str) -> Step | None:
        base = {
            "path": path,
            "verb": model.verb,
            "text": summary(model.verb, node.values[model.verb]),
            "place": self._place(node),
        }
        match model:
            case models.StartModel():
                self.userdata |= model.userdata
                return None
            case models.ChooseModel():
                return self._choose(model, node, base)
            case models.RepeatModel():
                return self._repeat(model, node, base)
            case models.ExpectModel() | models.ExpectNextModel():
                return self._expect(model, node, base)
            case models.UseModel():
                return self._use(model, node, base)
            case models.CallModel():
                return self._call(model, node, base)
            case models.SendFileModel():
                return self._send_file(model, node, base)
            case _:
                return SIMPLE_STEPS[model.verb](model, base)

    def _expect(
        self,
        model: models.ExpectModel | models.ExpectNextModel,
        node: Entries,
        base: dict[str, Any],
    ) -> Step:
        next_only = isinstance(model, models.ExpectNextModel)
        matcher = model.expect_next if isinstance(model, models.ExpectNextModel) else model.expect
        for number, name in enumerate(model.mask):
            if name not in matcher.captures:
                message = f"mask names {name!r}, which this matcher does not capture"
                hint = did_you_mean(name, matcher.captures)
                self.problems.add(find(node, ("mask", number)).mark, message, hint=hint)
        return script.Expect(
            **base,
            matcher=matcher,
            next_only=next_only,
            sender=model.sender,
            mask=tuple(model.mask),
            within=model.within,
            slow_after=model.slow_after,
        )

    def _check_sender(self, sender: str | None, node: Entries) -> None:
        if sender == "customer" and not self.plays_agent:
            self.problems.add(find(node, ("from",)).mark, OWN_LINES)

    def _choose(self, model: models.ChooseModel, node: Entries, base: dict[str, Any]) -> Step:
        cases = []
        for number, case in enumerate(model.choose):
            found = case.when
            matcher, kind = (found, None) if isinstance(found, MatcherSpec) else (None, found)
            below = find(node, ("choose", number, "do"))
            do = self._steps(below, f"{base['path']}.choose[{number}].do")
            cases.append(script.Case(matcher=matcher, kind=kind, do=do))
        otherwise = None
        if model.otherwise is not None:
            otherwise = self._steps(find(node, ("otherwise",)), f"{base['path']}.otherwise")
        return script.Choose(
            **base, cases=tuple(cases), otherwise=otherwise, within=model.within, slow_after=None
        )

    def _repeat(self, model: models.RepeatModel, node: Entries, base: dict[str, Any]) -> Step:
        below = find(node, ("repeat", "do"))
        if isinstance(below, Items) and not below.items:
            self.problems.add(below.mark, "there is nothing to repeat")
        do = self._steps(below, f"{base['path']}.repeat.do")
        return script.Repeat(**base, times=model.repeat.times, until=model.repeat.until, do=do)

    def _use(self, model: models.UseModel, node: Entries, base: dict[str, Any]) -> Step | None:
        mark = find(node, ("use",)).mark
        try:
            part = self._part(model.use)
        except PartError as error:
            self.problems.add(mark, error.message)
            part = None
        if part is None:
            self.knows_parts = False
            return None
        self.parts[base["path"]] = part
        if self.plays_agent is not None:
            for message in misfits_among(part.steps, plays_agent=self.plays_agent):
                self.problems.add(mark, message)
        arguments = given(model.arguments, part, node, self.problems)
        return script.Use(
            **base,
            arguments=MappingProxyType(arguments),
            do=moved_under(base["path"], part.steps),
        )

    def _part(self, file: str) -> Part | None:
        part = self.source.part(Path(self.document.file).parent / file)
        self.used += part.size if part is not None else 0
        if self.used > MAX_STEPS:
            message = f"with this file it comes to more than {MAX_STEPS:,} steps"
            raise PartError(f"{message}; that is not accepted")
        return part

    def _call(self, model: models.CallModel, node: Entries, base: dict[str, Any]) -> Step:
        known = self.vocabulary.actions
        if model.call not in known:
            hint = did_you_mean(model.call, known)
            if not hint:
                listed = ", ".join(sorted(known))
                hint = f"there is {listed}" if listed else "no plugin has registered any"
            message = f"unknown action {model.call!r}"
            self.problems.add(find(node, ("call",)).mark, message, hint=hint)
        return script.Call(
            **base,
            action=model.call,
            arguments=MappingProxyType(model.arguments),
            save_as=model.save_as,
            within=model.within,
        )

    def _send_file(self, model: models.SendFileModel, node: Entries, base: dict[str, Any]) -> Step:
        path = Path(self.document.file).parent / model.send_file.file
        content = b""
        try:
            content = read_attachment(path)
        except AttachmentError as error:
            self.problems.add(find(node, ("send_file", "file")).mark, error.message)
        return script.SendFile(
            **base,
            name=path.name,
            content=content,
            media_type=model.send_file.type or media_type_of(path.name),
        )

    # --- reactions and guards ---

    def _reactions(self, node: Node | None) -> tuple[Whenever, ...]:
        items = node.items if isinstance(node, Items) else []
        found = (self._reaction(item, f"whenever[{n}]") for n, item in enumerate(items))
        return tuple(reaction for reaction in found if reaction is not None)

    def _reaction(self, node: Node, path: str) -> Whenever | None:
        if not isinstance(node, Entries):
            self.problems.add(node.mark, "a reaction is a mapping with one event and 'do'")
            return None
        key = self._event_key(node)
        if key is None:
            self._steps(find(node, ("do",)), f"{path}.do", REACTION_VERBS)
            return None
        kind = EVENT_WORDS[key]
        besides = {name: value for name, value in node.values.items() if name != key}
        beside = Entries(mark=node.mark, keys=node.keys, values=besides)
        model = self._validate(models.WheneverModel, beside, "a reaction")
        do = self._steps(find(node, ("do",)), f"{path}.do", REACTION_VERBS)
        if model is None:
            return None
        self._check_reaction(node, model, kind, do)
        self.nodes[path] = node
        return Whenever(
            path=path,
            place=self._place(node),
            kind=kind,
            matcher=self._reaction_matcher(node.values[key], kind),
            sender=model.sender,
            times=model.times,
            do=do,
        )

    def _event_key(self, node: Entries) -> str | None:
        keys = [key for key in node.keys if key not in ("do", "times", "from")]
        known = [key for key in keys if key in EVENT_WORDS]
        if len(known) == 1:
            return known[0]
        if known:
            message = f"a reaction has one event, and this one has {known[0]!r} and {known[1]!r}"
            self.problems.add(node.keys[known[1]].mark, message)
        elif keys:
            hint = did_you_mean(keys[0], EVENT_WORDS) or f"there is {', '.join(EVENT_WORDS)}"
            self.problems.add(node.keys[keys[0]].mark, f"unknown event {keys[0]!r}", hint=hint)
        else:
            self.problems.add(node.mark, "a reaction needs an event, such as 'message: hello'")
        return None

    def _check_reaction(
        self,
        node: Entries,
        model: models.WheneverModel,
        kind: type[Event],
        do: tuple[Step, ...],
    ) -> None:
        if isinstance(find(node, ("do",)), Items) and not plain(find(node, ("do",))):
            self.problems.add(find(node, ("do",)).mark, "this reaction does nothing")
        if model.sender is not None:
            self._check_sender(model.sender, node)
            if kind is not Message:
                self.problems.add(node.keys["from"].mark, "'from' belongs to messages alone")
        for step in do:
            if (
                isinstance(step, script.Say | script.Press | script.Offer)
                and step.typing is not None
            ):
                message = "a reaction does not wait, so it shows no typing; leave 'typing' out"
                self.problems.add(find_key(self.nodes[step.path], ("typing",)), message)

    def _reaction_matcher(self, node: Node, kind: type[Event]) -> MatcherSpec | None:
        if isinstance(node, Scalar) and not node.text and not node.style:
            return None
        if kind not in (Message, Notice):
            self.problems.add(node.mark, "only messages and notices have a text to match")
            return None
        return self._matcher(plain(node), node)

    def _guards(self, node: Node | None) -> tuple[Guard, ...]:
        items = node.items if isinstance(node, Items) else []
        found = (self._guard(item, f"never[{n}]") for n, item in enumerate(items))
        return tuple(guard for guard in found if guard is not None)

    def _guard(self, node: Node, path: str) -> Guard | None:
        value, sender = plain(node), None
        if isinstance(node, Entries) and isinstance(value, Mapping) and "from" in value:
            value = {key: item for key, item in value.items() if key != "from"}
            where = node.values["from"]
            sender = where.text if isinstance(where, Scalar) else ""
            if not sender.strip() or "${" in sender:
                self.problems.add(where.mark, "'from' takes who says it, such as 'agent'")
            self._check_sender(sender, node)
        matcher = self._matcher(value, node)
        if matcher is None:
            return None
        self.nodes[path] = node
        return Guard(path=path, place=self._place(node), matcher=matcher, sender=sender)

    def _matcher(self, value: PlainValue, node: Node) -> MatcherSpec | None:
        try:
            return self.vocabulary.matchers.parse(value)
        except MatcherError as error:
            below = find(node, error.path)
            mark = find_key(node, error.path) if error.at_key else below.mark
            if error.offset is not None and isinstance(below, Scalar):
                mark = self.document.place_in(below, error.offset)
            self.problems.add(mark, error.message, hint=error.hint)
            return None

    def _place(self, node: Node) -> Place:
        return Place(file=self.document.file, line=node.mark.line, column=node.mark.column)
