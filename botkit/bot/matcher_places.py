"""Every matcher of a script, with the node that it was written as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from botkit.bot import script
from botkit.bot.compiler import Compiled
from botkit.bot.fields import EVENT_WORDS
from botkit.bot.matchers import GroupSpec, JsonSpec, LeafSpec, MatcherSpec, RegexSpec
from botkit.bot.script import Step, Whenever, all_steps
from botkit.bot.source import Entries, Node, find
from botkit.chat import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedMatcher:
    """A matcher and where it stands.

    Attributes:
        node: the text, or the mapping with one key besides a guard's ``from``.
        of_text: it is asked about a text alone, where one of messages is asked about each button
            besides the text.
        any_is_meant: what fits everything has a meaning here: that there is something at all, or
            that it is none of the cases before.
    """

    node: Node
    spec: MatcherSpec
    of_text: bool = False
    any_is_meant: bool = False

    @property
    def children(self) -> tuple[PlacedMatcher, ...]:
        """The matchers that it is made of."""
        if isinstance(self.spec, GroupSpec):
            return tuple(
                replace(
                    self,
                    node=find(self.node, (self.spec.name, number)),
                    spec=child,
                    any_is_meant=False,
                )
                for number, child in enumerate(self.spec.children)
            )
        if isinstance(self.spec, JsonSpec):
            return tuple(
                PlacedMatcher(
                    node=find(self.node, ("json", pointer)),
                    spec=child,
                    of_text=True,
                    any_is_meant=True,
                )
                for pointer, child in self.spec.parts.items()
            )
        return ()

    @property
    def argument(self) -> Node:
        """What stands behind its key; a plain text is that itself."""
        match self.spec:
            case RegexSpec():
                return find(self.node, ("matches",))
            case JsonSpec():
                return find(self.node, ("json",))
            case LeafSpec(name=name) | GroupSpec(name=name):
                return find(self.node, (name,))
            case _:
                return self.node


def matchers_of(compiled: Compiled) -> Iterator[PlacedMatcher]:
    """Walk over the matchers of a script; what they are made of is left to their ``children``."""
    for guard in compiled.script.never:
        yield PlacedMatcher(node=compiled.nodes[guard.path], spec=guard.matcher)
    for reaction in compiled.script.whenever:
        yield from _of_reaction(reaction, compiled.nodes[reaction.path])
    for step in all_steps(compiled.script.steps):
        # Those of other files are looked at there.
        if step.path in compiled.nodes:
            yield from _of_step(step, compiled.nodes[step.path])


def with_parts(placed: PlacedMatcher) -> Iterator[PlacedMatcher]:
    """Walk over a matcher and all that it is made of."""
    yield placed
    for child in placed.children:
        yield from with_parts(child)


def _of_reaction(reaction: Whenever, node: Node) -> Iterator[PlacedMatcher]:
    if reaction.matcher is None or not isinstance(node, Entries):
        return
    key = next(key for key in node.keys if EVENT_WORDS.get(key) is reaction.kind)
    of_text = reaction.kind is not Message
    yield PlacedMatcher(node=node.values[key], spec=reaction.matcher, of_text=of_text)


def _of_step(step: Step, node: Node) -> Iterator[PlacedMatcher]:
    match step:
        case script.Expect():
            yield PlacedMatcher(node=find(node, (step.verb,)), spec=step.matcher)
        case script.ExpectNothing(matching=MatcherSpec() as spec):
            yield PlacedMatcher(node=find(node, ("matching",)), spec=spec)
        case script.ExpectUserdata():
            for key, spec in step.matchers.items():
                below = find(node, (step.verb, key))
                yield PlacedMatcher(node=below, spec=spec, of_text=True, any_is_meant=True)
        case script.Choose():
            for number, case in enumerate(step.cases):
                if case.matcher is not None:
                    below = find(node, (step.verb, number, "when"))
                    yield PlacedMatcher(node=below, spec=case.matcher, any_is_meant=True)
        case script.Repeat(until=MatcherSpec() as spec):
            yield PlacedMatcher(node=find(node, (step.verb, "until")), spec=spec)
        case _:
            pass
