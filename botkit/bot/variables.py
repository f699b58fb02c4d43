"""Whether every ``${...}`` of a file will have its value.

Captured variables are followed along all branches: a step may use what was surely captured before
it, whichever way the chat went. What only some ways capture may be unset, and using it is an error
at its place, found before anything is started.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from botkit.bot import script
from botkit.bot.compiler import Compiled
from botkit.bot.diagnostics import Problems, Severity, did_you_mean
from botkit.bot.field_schemas import LONGEST_TEXT
from botkit.bot.matcher_places import matchers_of, with_parts
from botkit.bot.matchers import RegexSpec
from botkit.bot.script import Step, all_steps
from botkit.bot.source import Document, Entries, Items, Node, Scalar, get, scalars
from botkit.bot.values import Reference, Scope, Template, TemplateError

Names = frozenset[str]
NONE: Names = frozenset()
_GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")


@dataclass(slots=True, kw_only=True)
class References:
    """Checks the references of a file.

    Attributes:
        document: the file.
        problems: takes all that is wrong.
        env: the environment; unset and empty are the same.
        secrets: what ``${secret.X}`` may name.
        missing: how bad it is that the environment or a secret is not there.
        columns: the columns of the data; None if there is no data.
        knows_columns: False if the data are wrong themselves, so that nothing can be said.
        arguments: what a file of steps takes; None if this is none.
        knows_captures: False if a file that is used is wrong itself.
    """

    document: Document
    problems: Problems
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    missing: Severity = Severity.ERROR
    columns: Names | None = None
    knows_columns: bool = True
    arguments: Names | None = None
    knows_captures: bool = True

    def check(self, node: Node | None, *, known: Names = NONE, captured: Names = NONE) -> None:
        """Check the texts below a node.

        Args:
            known: the variables that surely have a value there.
            captured: all variables that the script captures anywhere.
        """
        for scalar in scalars(node) if node is not None else ():
            for reference in references_in(scalar.text):
                if not self.problems.full:
                    self._check(scalar, reference, known, captured)

    def _check(self, scalar: Scalar, reference: Reference, known: Names, captured: Names) -> None:
        name = reference.name
        match reference.scope:
            case Scope.VARIABLE if name not in known:
                if self.knows_captures:
                    self._report_unset(scalar, reference, captured)
            case Scope.ROW if not self.knows_columns:
                pass
            case Scope.ROW if self.columns is None:
                message = f"{reference}: there are no data here"
                self._report(scalar, reference, message, hint=self._to_hand_over(reference))
            case Scope.ROW if self.columns is not None and name not in self.columns:
                hint = did_you_mean(name, self.columns)
                message = f"{reference}: the data have no column {name!r}"
                self._report(scalar, reference, message, hint=hint)
            case Scope.ARGS if self.arguments is None:
                message = f"{reference}: only a file of steps has arguments"
                self._report(scalar, reference, message)
            case Scope.ARGS if self.arguments is not None and name not in self.arguments:
                hint = did_you_mean(name, self.arguments) or "name it under 'args'"
                message = f"{reference}: this file takes no argument {name!r}"
                self._report(scalar, reference, message, hint=hint)
            case Scope.ENV if not self.env.get(name):
                message = f"{reference}: the environment variable is not set, or is empty"
                self._report(scalar, reference, message, severity=self.missing)
            case Scope.SECRET if not self.secrets.get(name):
                message = f"{reference}: there is no such secret, or it is empty"
                self._report(scalar, reference, message, severity=self.missing)
            case _:
                pass

    def _report_unset(self, scalar: Scalar, reference: Reference, captured: Names) -> None:
        if reference.name in captured:
            message = f"{reference} may be unset here: not every way to this place captures it"
            self._report(scalar, reference, message)
            return
        hint = did_you_mean(reference.name, captured) or self._to_hand_over(reference)
        message = f"{reference}: no step captures {reference.name!r}"
        self._report(scalar, reference, message, hint=hint)

    def _to_hand_over(self, reference: Reference) -> str:
        """Say how a file of steps gets what belongs to its users."""
        if self.arguments is None:
            return ""
        name = reference.name if reference.name.isidentifier() else "NAME"
        return f"make it an argument, and give it by 'with: {{{name}: \"{reference}\"}}'"

    def _report(
        self,
        scalar: Scalar,
        reference: Reference,
        message: str,
        *,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        mark = self.document.place_in(scalar, reference.offset)
        self.problems.add(mark, message, hint=hint, severity=severity)


def references_in(text: str) -> tuple[Reference, ...]:
    """Give what a text refers to; none if it is no good text, which is told elsewhere."""
    if "${" not in text or len(text) > LONGEST_TEXT:
        return ()
    try:
        return Template.parse(text).names
    except TemplateError:
        return ()


def references_below(node: Node) -> Iterator[Reference]:
    """Give what all texts below a node refer to."""
    for scalar in scalars(node):
        yield from references_in(scalar.text)


@dataclass(slots=True, kw_only=True)
class Flow:
    """Follows what is captured through a script.

    Attributes:
        compiled: the script with its nodes.
        references: checks the texts.
        captured: all variables that the script captures anywhere.
        certain: those that it surely captures; None if no journey comes to its end.
    """

    compiled: Compiled
    references: References
    captured: Names = field(init=False, default=NONE)
    certain: Names | None = field(init=False, default=NONE)
    _assumed: Names = field(init=False, default=NONE)

    def check(self) -> None:
        """Check the whole script."""
        done = self.compiled.script
        self.references.knows_captures = self.compiled.knows_parts
        self._assumed = frozenset(name for node in self.compiled.broken for name in _names_in(node))
        self.captured = self._assumed.union(
            _captures(done.steps),
            *(reaction.matcher.captures for reaction in done.whenever if reaction.matcher),
        )
        for guard in done.never:
            self._own(guard.path, NONE)
        for reaction in done.whenever:
            # It fires at any time, so it knows nothing but what it captured itself.
            known = reaction.matcher.certain if reaction.matcher else NONE
            for key, value in self._entries(reaction.path).items():
                if key != "do":
                    self._look(value, NONE)
            self._follow(reaction.do, known)
        self.certain = self._follow(done.steps, NONE)

    def check_used(self) -> None:
        """Warn of what is captured for nothing; ``_`` in front of a name says that it is meant.

        Of a file with mistakes nothing is told: each may be a use that went wrong.
        """
        if self.references.problems.has_errors:
            return
        nodes = self.compiled.nodes.values()
        used = {
            reference.name
            for node in nodes
            for reference in references_below(node)
            if reference.scope is Scope.VARIABLE
        }
        for node in nodes:
            mask = get(node, ("mask",))
            used |= {scalar.text for scalar in scalars(mask)} if mask is not None else set()
        for scalar, name in self._captured_at():
            if name not in used and not name.startswith("_"):
                self._warn_of_unused(scalar, name)

    def _captured_at(self) -> Iterator[tuple[Scalar, str]]:
        """Give the texts that capture, each with the names that it captures."""
        for placed in matchers_of(self.compiled):
            for part in with_parts(placed):
                if isinstance(part.spec, RegexSpec) and isinstance(part.argument, Scalar):
                    for name in sorted(part.spec.captures):
                        yield part.argument, name
        for step in all_steps(self.compiled.script.steps):
            # The steps of other files have no nodes here.
            node = self.compiled.nodes.get(step.path)
            saved = None if node is None else get(node, ("as",))
            if isinstance(step, script.Call) and isinstance(saved, Scalar):
                yield saved, saved.text

    def _warn_of_unused(self, scalar: Scalar, name: str) -> None:
        self.references.problems.add(
            scalar.mark,
            f"{name!r} is captured and never used",
            hint=f"write ${{{name}}} where it is wanted, or call it '_{name}'",
            severity=Severity.WARNING,
        )

    def _follow(self, steps: Iterable[Step], known: Names) -> Names | None:
        """Follow steps one after another.

        Returns:
            What is surely captured behind them; None if the chat never gets there.
        """
        going: Names | None = known
        for step in steps:
            going = self._step(step, known if going is None else going)
            known = known if going is None else going
        return going

    def _step(self, step: Step, known: Names) -> Names | None:
        match step:
            case script.Choose():
                return self._choose(step, known)
            case script.Repeat():
                return self._repeat(step, known)
            case script.Expect():
                # The matcher itself is built before anything is captured by it.
                self._own(step.path, known)
                return known | step.matcher.certain
            case script.ExpectUserdata():
                self._own(step.path, known)
                return known.union(*(m.certain for m in step.matchers.values()))
            case script.Use():
                self._own(step.path, known)
                certain = self.compiled.parts[step.path].certain
                return None if certain is None else known | certain
            case script.Call():
                self._own(step.path, known)
                return known | {step.save_as} if step.save_as else known
            case script.Finish():
                self._own(step.path, known)
                return None
            case _:
                self._own(step.path, known)
                return known

    def _choose(self, step: script.Choose, known: Names) -> Names | None:
        cases = self._entries(step.path)["choose"]
        for case_node in cases.items if isinstance(cases, Items) else ():
            self._look(_without_steps(case_node), known)
        ends = []
        for case in step.cases:
            begins = known | case.matcher.certain if case.matcher else known
            ends.append(self._follow(case.do, begins))
        if step.otherwise is not None:
            ends.append(self._follow(step.otherwise, known))
        reached = [end for end in ends if end is not None]
        return reached[0].intersection(*reached[1:]) if reached else None

    def _repeat(self, step: script.Repeat, known: Names) -> Names | None:
        """Follow a loop: its steps are played at least once, and then ``until`` is built."""
        end = self._follow(step.do, known)
        loop = _without_steps(self._entries(step.path)["repeat"])
        self._look(loop, known if end is None else end)
        if end is None or step.until is None:
            return end
        return end | step.until.certain

    def _entries(self, path: str) -> Mapping[str, Node]:
        node = self.compiled.nodes[path]
        return node.values if isinstance(node, Entries) else {}

    def _own(self, path: str, known: Names) -> None:
        self._look(self.compiled.nodes[path], known)

    def _look(self, node: Node, known: Names) -> None:
        self.references.check(node, known=known | self._assumed, captured=self.captured)


def _without_steps(node: Node) -> Node:
    """Leave out the steps below a case or a loop: they are looked at in their turn."""
    if not isinstance(node, Entries):
        return node
    values = {key: value for key, value in node.values.items() if key != "do"}
    return Entries(mark=node.mark, keys=node.keys, values=values)


def _names_in(node: Node) -> Iterator[str]:
    """Guess what a wrong step would capture, so that one mistake is not told twice."""
    for scalar in scalars(node):
        yield from _GROUP.findall(scalar.text)
    saved = get(node, ("as",))
    if isinstance(saved, Scalar):
        yield saved.text


def _captures(steps: Iterable[Step]) -> Iterator[str]:
    """Give all names that steps may capture, whichever way the chat goes."""
    for step in steps:
        match step:
            case script.Expect():
                yield from step.matcher.captures
            case script.ExpectUserdata():
                for matcher in step.matchers.values():
                    yield from matcher.captures
            case script.Call(save_as=str(name)):
                yield name
            case script.Use():
                yield from _captures(step.do)
            case script.Repeat():
                yield from step.until.captures if step.until else ()
                yield from _captures(step.do)
            case script.Choose():
                for case in step.cases:
                    yield from case.matcher.captures if case.matcher else ()
                    yield from _captures(case.do)
                yield from _captures(step.otherwise or ())
            case _:
                pass
