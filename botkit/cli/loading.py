"""What commands work with: plugins and bots, as the options and the surroundings say."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from botkit.bot.diagnostics import Severity
from botkit.bot.fields import Vocabulary
from botkit.bot.loader import Loaded, Settings, load_paths
from botkit.bot.matchers import MatcherRegistry
from botkit.bot.yaml_bot import Surroundings
from botkit.driver import ScriptedBot
from botkit.interfaces import Bot
from botkit.plugins import Plugins, load_plugins
from botkit.session import utc_now

DEFAULT_PATHS = (Path("bots"),)


@contextmanager
def plugins_of(folders: Iterable[Path]) -> Iterator[Plugins]:
    """Load all plugins; what they keep running is stopped at the end.

    Raises:
        PluginError: one of them does not work.
        ConfigError: a folder does not exist, or ``BOTKIT_LOAD_PLUGINS`` names what is not there.
    """
    plugins = load_plugins(folders=folders, environ=os.environ)
    try:
        yield plugins
    finally:
        plugins.close()


def load_bots(
    paths: Sequence[Path],
    plugins: Plugins,
    *,
    variables: Mapping[str, str] | None = None,
    missing: Severity = Severity.ERROR,
) -> tuple[list[Bot], Loaded]:
    """Load the bots that somebody named, or those of ``bots/`` and of plugins.

    Args:
        paths: files, folders, and names of bots that plugins registered.
        plugins: what they add to the language.
        variables: what ``${env.X}`` gives before the environment does.
        missing: how bad it is that an environment variable is not there.

    Returns:
        The bots, and what the loader found.
    """
    registered = [plugins.bots[str(p)] for p in paths if is_registered(p, plugins)]
    files = [path for path in paths if not is_registered(path, plugins)]
    if not paths:
        registered = list(plugins.bots.values())
        files = [path for path in DEFAULT_PATHS if path.exists()]
    loaded = load_paths(files, loader_settings(plugins, variables or {}, missing))
    return [*loaded.bots, *registered], loaded


def is_registered(path: Path, plugins: Plugins) -> bool:
    """Tell whether what looks like a path is the name of a bot that a plugin registered."""
    return str(path) in plugins.bots and not path.exists()


def loader_settings(plugins: Plugins, variables: Mapping[str, str], missing: Severity) -> Settings:
    """Say what loading depends on besides the files."""
    env = {**os.environ, **variables}
    rng = random.Random()
    return Settings(
        vocabulary=Vocabulary(
            matchers=MatcherRegistry(plugins.matchers), actions=frozenset(plugins.actions)
        ),
        surroundings=Surroundings(env=env, secrets=env, today=today, rng=rng),
        make_script=partial(ScriptedBot, rng=rng),
        missing=missing,
    )


def today() -> date:
    """Tell the date where this process runs."""
    return datetime.fromtimestamp(utc_now(), UTC).astimezone().date()
