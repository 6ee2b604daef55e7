"""commands.md: the command line, and the commands of the shell."""

from __future__ import annotations

import argparse
import inspect
import re

from prosody_py.api.commands import Argument, Command, Section
from prosody_py.app.main import COMMANDS, CommandParser, parser
from prosody_py.app.manual.bundled import bundled
from prosody_py.app.manual.markdown import code, inline, page, table
from prosody_py.app.shell.sections import SECTIONS

_INTRO = """\
`prosody-py COMMAND --help` prints what is here. The configuration is the file given with
`--config` before the command, else `$PROSODY_PY_CONFIG`, else `./prosody.cfg.yaml`, else
`/etc/prosody-py/prosody.cfg.yaml`. Exit codes: 0 done, 1 failed, 2 wrong usage or problems
found."""
_SHELL = """\
These are for `prosody-py shell`, in its own line or behind it. Capitals stand for what you fill in,
brackets for what may be left out. `shell` may be left out, too, where the first word is no command
of its own: `prosody-py user create alice@example.com`. With `mod_admin_adhoc` administrators have
the same commands in their clients (XEP-0050); what names no host is for those of the whole
server."""
_MODULES = """\
These are there while the module is loaded."""
_TYPES = {
    "jid": "an address", "bare_jid": "the address of an account", "host": "a host's name",
    "module": "a module's name, with or without `mod_`", "integer": "a whole number",
    "boolean": "yes or no", "password": "a password; it is never logged",
    "text": "the rest of the line",
}


def render() -> str:
    """Return the page."""
    whole = parser()
    parts = [_command(subparsers(whole)[name], name) for name in COMMANDS]
    index = table(("command", ""), [(f"[`{name}`](#prosody-py-{name})", inline(text))
                                    for name, text in COMMANDS.items()])
    shell = ["## Shell commands", _SHELL, *map(_section, SECTIONS), *_of_modules()]
    return page("Commands", _INTRO, index, *parts, *shell)


def _of_modules() -> list[str]:
    rows = [(f"`{module.name}`", code(command.usage), inline(command.help), _arguments(command))
            for module in bundled() for command in module.commands]
    return ["### Commands of modules", _MODULES,
            table(("module", "command", "", "arguments"), rows)]


def subparsers(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of a command's own commands, by name."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _command(of: argparse.ArgumentParser, name: str, level: str = "##") -> str:
    if isinstance(of, CommandParser):
        of.complete()
    arguments = [action for action in of._actions
                 if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
                 and action.help is not argparse.SUPPRESS]
    parts = [f"{level} prosody-py {name}", _description(of.description or ""),
             f"```text\n{_usage(name, of, arguments)}\n```"]
    if arguments:
        parts.append(table(("argument", ""), [(code(_shown(action)), inline(action.help or ""))
                                              for action in arguments]))
    helps = {action.dest: action.help for group in of._actions
             if isinstance(group, argparse._SubParsersAction) for action in group._choices_actions}
    for inner, inner_parser in subparsers(of).items():
        inner_parser.description = (helps[inner][0].upper() + helps[inner][1:] + ".")
        parts.append(_command(inner_parser, f"{name} {inner}", level + "#"))
    return "\n\n".join(part for part in parts if part)


def _description(text: str) -> str:
    """Return a description: its paragraphs, and what is indented as it stands."""
    parts = []
    for block in text.split("\n\n"):
        if all(line.startswith("  ") for line in block.splitlines()):
            parts.append("```text\n" + inspect.cleandoc("\n" + block) + "\n```")
        else:
            parts.append(inline(re.sub(r"'(prosody-py[^']*|\w+: \w+|\w+)'", r"`\1`", block)))
    return "\n\n".join(parts)


def _usage(name: str, of: argparse.ArgumentParser, arguments: list[argparse.Action]) -> str:
    exclusive = {id(action): group for group in of._mutually_exclusive_groups
                 for action in group._group_actions}
    words, said = [], set()
    for action in sorted(arguments, key=lambda one: not one.option_strings):
        group = exclusive.get(id(action))
        if group is None:
            words.append(_word(action))
        elif id(group) not in said:
            said.add(id(group))
            words.append("[" + " | ".join(_shown(one) for one in group._group_actions) + "]")
    actions = "|".join(subparsers(of))
    return " ".join(["prosody-py", name, *words, *([actions] if actions else [])])


def _word(action: argparse.Action) -> str:
    shown = _shown(action)
    if action.nargs == argparse.REMAINDER:
        return f"[{shown} ...]"
    return f"[{shown}]" if action.option_strings or action.nargs == "?" else shown


def _shown(action: argparse.Action) -> str:
    """Return an argument as one types it."""
    if not action.option_strings:
        return str(action.metavar or (action.choices and "|".join(action.choices)) or action.dest)
    name = action.option_strings[-1]
    return name if action.nargs == 0 else f"{name} {action.metavar or action.dest.upper()}"


def _section(section: Section) -> str:
    rows = [(code(command.usage), inline(command.help), _arguments(command))
            for command in section.commands]
    title = section.name or "help"
    return f"### {title}\n\n{inline(section.help)}.\n\n" + table(
        ("command", "", "arguments"), rows)


def _arguments(command: Command) -> str:
    return "; ".join(f"{argument.name.upper()}: {_TYPES.get(argument.type) or _choices(argument)}"
                     for argument in command.arguments
                     if argument.type in _TYPES or argument.choices)


def _choices(argument: Argument) -> str:
    return " or ".join(f"`{word}`" for word in argument.choices)
