"""One YAML file on its way to a bot, or to scripted agents.

What the models cannot know is checked here: that references have values, that files exist, that
names lead somewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from botkit.bot.agents import AgentsFile, RoutingRule
from botkit.bot.compiler import Compiled, Compiler
from botkit.bot.data import Table, make_table, rows_of
from botkit.bot.diagnostics import Problems, Severity, did_you_mean
from botkit.bot.doubts import check_matchers
from botkit.bot.fields import Vocabulary
from botkit.bot.models import (
    AgentModel,
    AgentsModel,
    BotModel,
    DataModel,
    Model,
    StepsFileModel,
)
from botkit.bot.parts import Part, PartSource, argument_nodes, warn_of_unused
from botkit.bot.script import Place, all_steps
from botkit.bot.source import Document, Entries, Items, Node, find, get
from botkit.bot.validation import validate
from botkit.bot.values import Scope
from botkit.bot.variables import Flow, References, references_below, references_in
from botkit.bot.yaml_bot import ScriptMaker, Surroundings, YamlBot, refuse_to_play
from botkit.interfaces import Limits

M = TypeVar("M", bound=Model)
BOT_KEY, AGENTS_KEY, STEPS_KEY = "botkit", "botkit-agents", "botkit-steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What loading depends on besides the files.

    Attributes:
        vocabulary: what plugins add to the language.
        surroundings: where values come from.
        make_script: makes the object that plays a script.
        missing: how bad it is that an environment variable or a secret is not there.
    """

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    surroundings: Surroundings = field(default_factory=Surroundings)
    make_script: ScriptMaker = refuse_to_play
    missing: Severity = Severity.ERROR


class YamlFile:
    """One YAML document on its way to a bot, to agents, or to steps for others.

    Args:
        source: finds the files of steps that it uses.
    """

    def __init__(
        self, document: Document, problems: Problems, settings: Settings, source: PartSource
    ) -> None:
        self.document = document
        self.problems = problems
        self._settings = settings
        self._source = source
        self._model: BotModel | None = None
        if isinstance(document.root, Entries) and BOT_KEY in document.root.keys:
            self._model = self._validate(BotModel, document.root, "a bot")

    @property
    def data(self) -> DataModel | None:
        """What the bot says about its data; None if nothing, or nothing that makes sense."""
        return self._model.data if self._model else None

    @property
    def agents_path(self) -> Path | None:
        """The file of agents that the bot brings along, beside the bot's own."""
        simulator = self._model.simulator if self._model else None
        return Path(self.document.file).parent / simulator.agents if simulator else None

    def inline_table(self) -> Table | None:
        """Read the rows that are written in the file itself."""
        rows = get(self.document.root, ("data", "rows"))
        if not isinstance(rows, Items):
            return None  # told when the data were validated
        found = rows_of(rows, self.problems)
        return make_table(found, self.problems, rows.mark) if found is not None else None

    def bot(self, table: Table | None) -> YamlBot | None:
        """Compile the bot; None if that is not possible at all."""
        root, model = self.document.root, self._model
        compiled = self._compile(root, Path(self.document.file).stem, plays_agent=False)
        self._check_references(compiled, table)
        if model is None:
            return None
        if table is not None and model.data is not None:
            self._check_columns(model.data, table)
        self._check_files()
        if not compiled.knows_parts:
            return None
        name = model.bot or Path(self.document.file).stem
        return YamlBot(
            name=name,
            script=replace(compiled.script, name=name),
            make_script=self._settings.make_script,
            surroundings=self._settings.surroundings,
            file=self.document.file,
            line=root.mark.line,
            title=model.title,
            tags=tuple(model.tags),
            connect=model.connect,
            userdata=MappingProxyType(dict(compiled.userdata)),
            limits=Limits(whole_chat=model.limits.whole_chat),
            table=table,
            row_name=model.data.name if model.data else None,
            masked_columns=tuple(model.data.mask) if model.data else (),
            masked=tuple(model.mask),
            agents=self.agents_path,
            places=MappingProxyType(self._places()),
        )

    def part(self) -> Part | None:
        """Compile a file of steps; None if something is wrong with it."""
        root = self.document.root
        model = self._validate(StepsFileModel, root, "a file of steps")
        declared = get(root, ("args",))
        names = frozenset(name.text for name in argument_nodes(declared))
        compiled = self._compile(root, Path(self.document.file).stem, plays_agent=None)
        references = replace(self._references(None), arguments=names)
        flow = Flow(compiled=compiled, references=references)
        flow.check()
        # What an argument usually is holds before there are any.
        replace(references, arguments=frozenset()).check(declared)
        if model is None or not compiled.knows_parts or self.problems.has_errors:
            return None
        steps = get(root, ("steps",))
        used = references_below(steps) if steps is not None else ()
        wanted = frozenset(ref.name for ref in used if ref.scope is Scope.ARGS)
        warn_of_unused(argument_nodes(declared), wanted, self.problems)
        check_matchers(compiled, self.document, self.problems)
        return Part(
            file=self.document.file,
            arguments=MappingProxyType({taken.name: taken.usual for taken in model.args}),
            steps=compiled.script.steps,
            certain=flow.certain,
            size=sum(1 for _ in all_steps(compiled.script.steps)),
            depth=1 + max((part.depth for part in compiled.parts.values()), default=0),
        )

    def agents(self) -> AgentsFile | None:
        """Compile a file of agents; None if that is not possible at all."""
        root = self.document.root
        model = self._validate(AgentsModel, root, "a file of agents")
        nodes = find(root, ("agents",))
        if not isinstance(nodes, Entries):
            return None
        references = self._references(None)
        scripts, knows_parts = {}, True
        for name, node in nodes.values.items():
            compiled = self._agent(name, node)
            if compiled is not None:
                Flow(compiled=compiled, references=references).check()
                check_matchers(compiled, self.document, self.problems)
                scripts[name] = compiled.script
                knows_parts &= compiled.knows_parts
        if model is None or not knows_parts:
            return None
        if not nodes.keys:
            self.problems.add(nodes.mark, "there are no agents here")
        rules = [self._rule(model, number, nodes) for number in range(len(model.routing))]
        return AgentsFile(
            file=self.document.file, routing=tuple(rules), agents=MappingProxyType(scripts)
        )

    def _agent(self, name: str, node: Node) -> Compiled | None:
        """Compile an agent: a list of steps, or a mapping with reactions and guards besides."""
        if isinstance(node, Entries):
            if self._validate(AgentModel, node, "an agent") is None:
                return None
            return self._compile(node, name, plays_agent=True)
        if not isinstance(node, Items):
            self.problems.add(node.mark, "an agent is a list of steps")
            return None
        steps = Entries(mark=node.mark, values={"steps": node})
        return self._compile(steps, name, plays_agent=True)

    def _rule(self, model: AgentsModel, number: int, agents: Entries) -> RoutingRule:
        rule = model.routing[number]
        node = find(self.document.root, ("routing", number))
        self._references(None).check(find(node, ("attach",)))
        for position, name in enumerate(rule.to or ()):
            if name not in agents.keys:
                mark = find(node, ("to", position)).mark
                hint = did_you_mean(name, agents.keys)
                self.problems.add(mark, f"there is no agent {name!r} in this file", hint=hint)
        return RoutingRule(
            place=Place(file=self.document.file, line=node.mark.line, column=node.mark.column),
            service=rule.when.service,
            nickname=rule.when.nickname,
            subject=rule.when.subject,
            userdata=MappingProxyType(rule.when.userdata),
            attach=MappingProxyType(rule.attach),
            to=tuple(rule.to or agents.keys),
            after=rule.after,
        )

    # --- the parts ---

    def _places(self) -> dict[str, Place]:
        """Tell where ``connect`` says what; what it says of several things is found by each."""
        connect = get(self.document.root, ("connect",))
        if not isinstance(connect, Entries):
            return {}
        marks = {name: value.mark for name, value in connect.values.items()}
        for name, value in connect.values.items():
            if isinstance(value, Entries):
                marks |= {f"{name}.{key}": node.mark for key, node in value.keys.items()}
        file = self.document.file
        return {
            name: Place(file=file, line=mark.line, column=mark.column)
            for name, mark in marks.items()
        }

    def _validate(self, model: type[M], node: Node, what: str) -> M | None:
        return validate(
            model,
            node,
            document=self.document,
            problems=self.problems,
            vocabulary=self._settings.vocabulary,
            what=what,
        )

    def _compile(self, node: Node, name: str, *, plays_agent: bool | None) -> Compiled:
        compiler = Compiler(
            document=self.document,
            problems=self.problems,
            vocabulary=self._settings.vocabulary,
            plays_agent=plays_agent,
            source=self._source,
        )
        parts: Mapping[str, Node] = node.values if isinstance(node, Entries) else {}
        return compiler.compile(
            name,
            steps=parts.get("steps", Entries(mark=node.mark)),
            whenever=parts.get("whenever"),
            never=parts.get("never"),
        )

    def _references(self, table: Table | None) -> References:
        surroundings = self._settings.surroundings
        data_wanted = get(self.document.root, ("data",)) is not None
        return References(
            document=self.document,
            problems=self.problems,
            env=surroundings.env,
            secrets=surroundings.secrets,
            missing=self._settings.missing,
            columns=table.columns if table else None,
            knows_columns=table is not None or not data_wanted,
        )

    def _check_references(self, compiled: Compiled, table: Table | None) -> None:
        references = self._references(table)
        flow = Flow(compiled=compiled, references=references)
        flow.check()
        trails = (("connect",), ("mask",), ("data", "name"))
        nodes = [get(self.document.root, trail) for trail in trails]
        if compiled.userdata:
            nodes.append(compiled.nodes["steps[0]"])
        for node in nodes:
            references.check(node, captured=flow.captured)
        flow.check_used()
        check_matchers(compiled, self.document, self.problems)

    def _check_columns(self, data: DataModel, table: Table) -> None:
        node = find(self.document.root, ("data",))
        for number, column in enumerate(data.mask):
            if column not in table.columns:
                mark = find(node, ("mask", number)).mark
                hint = did_you_mean(column, table.columns)
                self.problems.add(mark, f"the data have no column {column!r}", hint=hint)
        for reference in references_in(data.name.source) if data.name else ():
            if reference.scope is Scope.UNIQUE:
                mark = find(node, ("name",)).mark
                message = "a row's name stays the same from run to run; leave unique values out"
                self.problems.add(mark, message)

    def _check_files(self) -> None:
        model = self._model
        for key in ("ca_file", "client_cert"):
            named = getattr(model.connect, key) if model else None
            if named and not (path := Path(self.document.file).parent / named).is_file():
                mark = find(self.document.root, ("connect", key)).mark
                self.problems.add(mark, f"there is no file {str(path)!r}")
