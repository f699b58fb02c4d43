"""Where plugins are found, which of them are loaded, and what is said of those that break."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from botkit.errors import ConfigError, PluginError
from botkit.plugins import Origin, Plugins, load_plugins
from botkit.version import __version__

GREETER = """
    from botkit import hookimpl

    @hookimpl
    def on_message(event): ...
"""
NOTHING: Mapping[str, str] = {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


def write(file: Path, text: str) -> Path:
    file.write_text(dedent(text), encoding="utf-8")
    return file


def load(*folders: Path, environ: Mapping[str, str] = NOTHING) -> Plugins:
    return load_plugins(folders=folders, environ=environ, built_in=None)


def names(plugins: Plugins) -> list[str]:
    return [listing.name for listing in plugins.listing()]


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution with an entry point where Python finds it."""

    def install(name: str, *, point: str, target: str, code: str = GREETER) -> None:
        site = tmp_path / name
        info = site / f"{name}-2.5.dist-info"
        info.mkdir(parents=True)
        write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.5\n")
        write(info / "entry_points.txt", f"[botkit]\n{point} = {target}\n")
        module = f"{name}_plugin"
        write(site / f"{module}.py", code)
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


# --- where they are found ------------------------------------------------------------------------


def test_botkits_own_come_first() -> None:
    plugins = load_plugins(environ=NOTHING)
    own = plugins.listing()[0]
    assert (own.name, own.version, own.origin) == (
        "default_plugins",
        __version__,
        Origin.BUILT_IN,
    )
    assert plugins.connectors
    assert {plugins.connectors.plugin_of(name) for name in plugins.connectors} == {
        "default_plugins"
    }


def test_files_of_a_folder(folder: Path) -> None:
    write(folder / "b.py", GREETER)
    write(folder / "a.py", f"__version__ = '0.3'\n{dedent(GREETER)}")
    write(folder / "not_a_plugin.py", "x = 1")
    write(folder / "_helper.py", "raise OSError")
    write(folder / "README.md", "# Plugins")
    (folder / "package").mkdir()
    plugins = load(folder)
    assert names(plugins) == ["a", "b"]
    listing = plugins.listing()[0]
    assert (listing.version, listing.origin) == ("0.3", Origin.FILE)
    assert listing.place == str(folder / "a.py")
    assert listing.hooks == ("on_message",)


def test_a_folder_that_is_named_twice_is_meant_once(folder: Path) -> None:
    write(folder / "a.py", GREETER)
    assert names(load(folder, folder / ".." / folder.name)) == ["a"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such folder of plugins") as caught:
        load(tmp_path / "plugns")
    assert caught.value.file == str(tmp_path / "plugns")


def test_an_entry_point_names_a_module_or_an_object(install: Install) -> None:
    install("botkitone", point="one", target="botkitone_plugin")
    install(
        "botkittwo",
        point="two",
        target="botkittwo_plugin:plugin",
        code="""
            from botkit import hookimpl

            class Plugin:
                @hookimpl
                def on_notice(self): ...

            plugin = Plugin()
        """,
    )
    one, two = load().listing()
    assert (one.name, one.version, one.place) == ("one", "2.5", "botkitone")
    assert (one.origin, one.hooks) == (Origin.ENTRY_POINT, ("on_message",))
    assert (two.name, two.hooks) == ("two", ("on_notice",))


async def test_what_was_found_is_called(folder: Path) -> None:
    write(
        folder / "a.py",
        """
        from botkit import hookimpl

        @hookimpl
        async def on_message(event):
            event.append("heard")
        """,
    )
    plugins = load(folder)
    heard: list[str] = []
    await plugins.dispatcher(None, "b").dispatch(
        "on_message", journey=None, session=None, event=heard
    )
    plugins.close()
    assert heard == ["heard"]


# --- which of them are loaded --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "loaded"),
    [("", []), (" ", []), ("a", ["a"]), ("installed, b", ["installed", "b"])],
)
def test_the_environment_limits_them(
    limit: str, loaded: list[str], folder: Path, install: Install
) -> None:
    write(folder / "a.py", GREETER)
    write(folder / "b.py", GREETER)
    install("botkitsome", point="installed", target="botkitsome_plugin")
    assert names(load(folder)) == ["installed", "a", "b"]
    assert names(load(folder, environ={"BOTKIT_LOAD_PLUGINS": limit})) == loaded


def test_what_is_not_to_be_loaded_is_not_imported(folder: Path) -> None:
    write(folder / "a.py", GREETER)
    write(folder / "broken.py", "raise OSError")
    assert names(load(folder, environ={"BOTKIT_LOAD_PLUGINS": "a"})) == ["a"]


def test_botkits_own_are_always_loaded() -> None:
    plugins = load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""})
    assert names(plugins) == ["default_plugins"]


def test_a_named_plugin_that_is_not_there(folder: Path) -> None:
    write(folder / "greeter.py", GREETER)
    with pytest.raises(ConfigError) as caught:
        load(folder, environ={"BOTKIT_LOAD_PLUGINS": "greter"})
    assert str(caught.value) == (
        "BOTKIT_LOAD_PLUGINS: there is no plugin 'greter'; did you mean greeter?"
    )


def test_two_of_the_same_name(folder: Path, tmp_path: Path, install: Install) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(folder / "greeter.py", GREETER)
    write(other / "greeter.py", GREETER)
    with pytest.raises(PluginError) as caught:
        load(folder, other)
    assert str(caught.value) == (
        f"plugin 'greeter': two plugins have this name: file {folder / 'greeter.py'}"
        f" and file {other / 'greeter.py'}"
    )
    install("botkitgreeter", point="greeter", target="botkitgreeter_plugin")
    with pytest.raises(PluginError, match="entry point botkitgreeter and file"):
        load(folder)


# --- those that break ----------------------------------------------------------------------------


def test_a_file_that_raises(folder: Path) -> None:
    file = write(folder / "bad.py", "\nimport nothing_of_this_name\n")
    with pytest.raises(PluginError) as caught:
        load(folder)
    assert str(caught.value) == (
        "plugin 'bad': cannot be imported: ModuleNotFoundError:"
        f" No module named 'nothing_of_this_name' ({file}:2)"
    )
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    assert "botkit_plugin_bad" not in sys.modules


def test_a_file_that_is_no_python(folder: Path) -> None:
    file = write(folder / "bad.py", "\n\ndef on_message(:\n")
    with pytest.raises(PluginError, match="cannot be imported: SyntaxError") as caught:
        load(folder)
    assert str(caught.value).endswith(f"({file}:3)")


def test_a_file_that_leaves(folder: Path) -> None:
    write(folder / "bad.py", "raise SystemExit('bye')")
    with pytest.raises(PluginError, match="cannot be imported: SystemExit: bye"):
        load(folder)


def test_first_result_is_refused(folder: Path) -> None:
    file = write(
        folder / "bad.py",
        """
        from botkit import hookimpl

        @hookimpl(firstresult=True)
        def on_message(): ...
        """,
    )
    with pytest.raises(PluginError, match="cannot be imported: TypeError") as caught:
        load(folder)
    assert str(caught.value).endswith(f"({file}:4)")


def test_the_line_is_that_of_the_plugins_own_file(folder: Path) -> None:
    file = write(folder / "bad.py", "import json\n\njson.loads('{')\n")
    with pytest.raises(PluginError) as caught:
        load(folder)
    assert str(caught.value).endswith(f"({file}:3)")


def test_an_entry_point_that_raises(install: Install) -> None:
    install("botkitbad", point="bad", target="botkitbad_plugin", code="\n1 / 0\n")
    with pytest.raises(PluginError, match="'bad': cannot be imported: ZeroDivisionError") as caught:
        load()
    assert str(caught.value).endswith("botkitbad_plugin.py:2)")


def test_an_entry_point_that_leads_nowhere(install: Install) -> None:
    install("botkitlost", point="lost", target="nowhere_at_all.plugin")
    with pytest.raises(PluginError, match=r"'lost': cannot be imported: .* \(botkitlost\)$"):
        load()


def test_a_file_whose_mark_is_missing(folder: Path) -> None:
    write(folder / "bad.py", "def on_message(event): ...\n")
    with pytest.raises(PluginError, match="'bad' in on_message: it is not marked"):
        load(folder)


def test_a_misspelt_hook_names_the_plugin(folder: Path) -> None:
    write(folder / "bad.py", GREETER.replace("on_message", "on_mesage"))
    with pytest.raises(PluginError, match=r"'bad' in on_mesage: .*did you mean on_message\?"):
        load(folder)
