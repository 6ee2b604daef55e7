"""`prosody-py completion`: a script that completes the command line in a shell."""

from __future__ import annotations

import argparse

_DESCRIPTION = """\
Prints a script with which bash or zsh completes prosody-py's commands and options. Use it with

  eval "$(prosody-py completion bash)"     in ~/.bashrc
  eval "$(prosody-py completion zsh)"      in ~/.zshrc, behind compinit

or keep that of bash in /etc/bash_completion.d/prosody-py."""

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

_ZSH = """\
# Completion of prosody-py for zsh; made by 'prosody-py completion zsh'.
_prosody_py() {{
    local command="" word files=""
    local -a candidates config
    local -i index start=0
    case ${{words[CURRENT-1]}} in
        --config|--folder) _files; return ;;
    esac
    candidates=({commands})
    for ((index = 2; index < CURRENT && start == 0; index++)); do
        word=${{words[index]}}
        case $word in
            --config) index+=1; config=(--config "${{words[index]}}") ;;
            -*) ;;
{cases}
            *) [[ -n $command ]] || start=index ;;
        esac
        [[ $command != shell ]] || start=index+1
    done
    if ((start > 0)); then  # a command of the running server, which knows how it may go on
        candidates=(${{(f)"$("${{words[1]}}" "${{config[@]}}" shell --complete \
            "${{(@)words[start,CURRENT-1]}}" 2>/dev/null)"}})
    fi
    compadd -a candidates
    [[ -z $files ]] || _files
}}
compdef _prosody_py prosody-py"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell")


def run(args: argparse.Namespace) -> int:
    """Print the script; return the exit code."""
    from prosody_py.app.main import parser
    from prosody_py.app.shell.sections import SECTIONS
    print(script(parser(), [section.name for section in SECTIONS if section.name], args.shell))
    return 0


def script(parser: argparse.ArgumentParser, sections: list[str], shell: str) -> str:
    """Return the script of a shell for a parser with subcommands.

    `sections` are first words of commands of a running server.
    """
    commands = _subcommands(parser)
    options = [option for option in _options(parser)]
    cases = []
    for name, command in commands.items():
        command.complete()
        words = [*_subcommands(command), *_choices(command), *_options(command)]
        cases.append(_CASES[shell](name, words, name in ("lua", "module")))
    return {"bash": _BASH, "zsh": _ZSH}[shell].format(cases="\n".join(cases), commands=" ".join(
        [*commands, *(name for name in sections if name not in commands), *options]))


def _bash_case(name: str, words: list[str], files: bool) -> str:
    more = ' $(compgen -f -- "$current")' if files else ""
    return (f'            {name}) [ -n "$command" ] || '
            f'{{ command=$word; words="{" ".join(words)}{more}"; }} ;;')


def _zsh_case(name: str, words: list[str], files: bool) -> str:
    quoted = " ".join(f"'{word}'" for word in words)
    return (f"            {name}) [[ -n $command ]] || "
            f"{{ command=$word; candidates=({quoted}){'; files=yes' if files else ''}; }} ;;")


_CASES = {"bash": _bash_case, "zsh": _zsh_case}


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
