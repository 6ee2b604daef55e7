"""`prosody-py completion`: a script that completes the command line in a shell."""

from __future__ import annotations

import argparse

_DESCRIPTION = """\
Prints a script with which bash completes prosody-py's commands and options. Use it once with

  eval "$(prosody-py completion bash)"

or keep it in /etc/bash_completion.d/prosody-py."""

_BASH = """\
# Completion of prosody-py for bash; made by 'prosody-py completion bash'.
_prosody_py() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    local command="" words="" word config=()
    local -i index start=0
    case $previous in
        --config|--folder) COMPREPLY=($(compgen -f -- "$current")); return ;;
    esac
    for ((index = 1; index < COMP_CWORD && start == 0; index++)); do
        word=${{COMP_WORDS[index]}}
        case $word in
            --config) index+=1; config=(--config "${{COMP_WORDS[index]}}") ;;
            -*) ;;
{cases}
            *) [ -n "$command" ] || start=index ;;
        esac
        [ "$command" != shell ] || start=index+1
    done
    if [ $start -gt 0 ]; then  # a command of the running server, which knows how it may go on
        words=$("${{COMP_WORDS[0]}}" "${{config[@]}}" shell --complete \\
            "${{COMP_WORDS[@]:start:COMP_CWORD-start}}" 2>/dev/null)
        COMPREPLY=($(compgen -W "$words" -- "$current"))
        return
    fi
    COMPREPLY=($(compgen -W "${{words:-{commands}}}" -- "$current"))
}}
complete -F _prosody_py prosody-py"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("shell", choices=("bash",), help="the shell")


def run(args: argparse.Namespace) -> int:
    """Print the script; return the exit code."""
    from prosody_py.app.main import parser
    from prosody_py.app.shell.sections import SECTIONS
    print(script(parser(), [section.name for section in SECTIONS if section.name]))
    return 0


def script(parser: argparse.ArgumentParser, sections: list[str]) -> str:
    """Return the bash script for a parser with subcommands.

    `sections` are first words of commands of a running server.
    """
    commands = _subcommands(parser)
    options = [option for option in _options(parser)]
    cases = []
    for name, command in commands.items():
        command.complete()
        words = [*_subcommands(command), *_choices(command), *_options(command)]
        files = " $(compgen -f -- \"$current\")" if name in ("lua", "module") else ""
        cases.append(f'            {name}) [ -n "$command" ] || '
                     f'{{ command=$word; words="{" ".join(words)}{files}"; }} ;;')
    return _BASH.format(cases="\n".join(cases), commands=" ".join(
        [*commands, *(name for name in sections if name not in commands), *options]))


def _subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def _choices(parser: argparse.ArgumentParser) -> list[str]:
    """Return what the arguments may be: their choices, or the words that they suggest."""
    suggested = [word for action in parser._actions for word in getattr(action, "words", ())]
    return suggested + [choice for action in parser._actions if not action.option_strings
            and isinstance(action.choices, tuple) for choice in action.choices]


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings
            if option.startswith("--")]
