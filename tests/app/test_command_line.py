"""The command line itself: help, completion, exit codes, and that it starts quickly."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from prosody_py.app.main import COMMANDS, main

ROOT = Path(__file__).parents[2]


def test_every_command_has_help_that_explains_it(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert end.value.code == 0
        assert len(capsys.readouterr().out) > 150, name


@pytest.mark.parametrize("words", [[], ["adduser"], ["check", "weather"]])
def test_wrong_usage_has_exit_code_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage: prosody-py" in capsys.readouterr().err


def test_help_and_status_need_neither_gevent_nor_lua():
    code = ("import sys; from prosody_py.app.main import main\n"
            "main(['--config', '/dev/null', 'status'])\n"
            "assert not {'gevent', 'lupa', 'OpenSSL'} & set(sys.modules)\n")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20, cwd=ROOT,
                   stdout=subprocess.DEVNULL)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(("words", "expected"), [
    (["statu"], ["status"]), (["deluser", "--y"], ["--yes"]), (["module", "re"], ["reload"]),
    (["--config", "x", "rel"], ["reload"])])
def test_bash_completes_commands_and_options(words, expected, capsys):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    line = " ".join(f"'{word}'" for word in ["prosody-py", *words])
    script += (f"\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _prosody_py\n"
               'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20)
    assert (done.stdout.split(), done.stderr) == (expected, "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
@pytest.mark.parametrize(("words", "expected"), [
    (["statu"], "status"), (["deluser", "--y"], "--yes"), (["module", "re"], "reload"),
    (["--config", "x", "rel"], "reload"), (["--config", "x"], "FILES"), (["lua", "x"], "FILES")])
def test_zsh_completes_commands_and_options(words, expected, capsys):
    assert main(["completion", "zsh"]) == 0
    script = ("compdef() { :; }; _files() { print FILES; }; compadd() { print -l -- ${(P)2}; }\n"
              + capsys.readouterr().out + '\nwords=("$@"); CURRENT=$#words; _prosody_py')
    done = subprocess.run(["zsh", "-f", "-c", script, "zsh", "prosody-py", *words],
                          capture_output=True, text=True, timeout=20)
    assert expected in done.stdout.split() and done.stderr == ""


def test_an_option_without_its_value_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--config"])
    assert ended.value.code == 2
    assert "argument --config: expected one argument" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code", "told"), [
    (["user", "list", "a.b"], 1, "'user' is for the running server: No server is running here"),
    (["module", "info", "x"], 1, "'module' is for the running server: No server"),
    (["statu"], 2, "There is no command 'statu' here; did you mean status?"),
    (["xyzzy"], 2, "There is no command 'xyzzy' here; the running server may have it"),
])
def test_a_command_of_a_server_that_does_not_run_is_told_apart(tmp_path, capsys, words, code, told):
    file = tmp_path / "prosody.cfg.yaml"
    file.write_text("hosts: {a.b: {}}\n")
    assert main(["--config", str(file), *words]) == code
    assert told in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_the_systemd_unit_is_valid(tmp_path):
    unit = tmp_path / "prosody-py.service"
    shutil.copy(ROOT / "packaging" / "prosody-py.service", unit)
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True,
                          timeout=20)
    told = [line for line in done.stderr.splitlines() if unit.name in line
            and "notify-reload" not in line]  # systemd before 253 keeps Type=notify
    assert (done.returncode, told) == (0, [])
