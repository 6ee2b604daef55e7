"""packaging/install below a folder of its own: nothing of the machine is touched."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from prosody_py.config.load import load

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "packaging/install"
CONFIG = "etc/prosody-py/prosody.cfg.yaml"
UNIT = "etc/systemd/system/prosody-py.service"


def install(*words, path=None):
    """Run the script; return (exit code, output, errors)."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("PYTHON", "PROSODY_PY"))}
    # Without a network: the build and the dependencies come from where the tests run.
    environment |= {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0",
                    "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]}
    done = subprocess.run([INSTALL, *map(str, words)], env=environment, capture_output=True,
                          text=True, timeout=300, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def root(tmp_path):
    """Return a folder whose environment for the program borrows our dependencies."""
    place = tmp_path / "root"
    program = place / "opt/prosody-py"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(program)], check=True)
    own = subprocess.run([program / "bin/python", "-c",
                          "import sysconfig; print(sysconfig.get_path('purelib'))"],
                         check=True, capture_output=True, text=True).stdout.strip()
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    Path(own, "dependencies.pth").write_text("\n".join(borrowed) + "\n")
    pip = program / "bin/pip"
    pip.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n')
    pip.chmod(0o755)
    return place


@pytest.mark.slow
def test_it_installs_upgrades_and_removes(root):
    code, output, errors = install("--root", root, "--admin", "alice@example.org", "example.org")
    assert code == 0, output + errors
    config = load(str(root / CONFIG))
    assert [host.name for host in config.hosts] == ["example.org", "rooms.example.org"]
    assert config.get("*", "data_path") == "/var/lib/prosody-py"
    assert config.get("*", "admins") == ["alice@example.org"]
    assert config.get("*", "interfaces") is None and config.get("*", "run_as_root") is None
    assert "localhost" not in (root / CONFIG).read_text()
    assert "0 errors" in output and "adduser alice@example.org" in output
    assert (root / CONFIG).stat().st_mode & 0o777 == 0o640
    assert (root / UNIT).read_text() == (ROOT / "packaging/prosody-py.service").read_text()
    assert os.readlink(root / "usr/local/bin/prosody-py") == "/opt/prosody-py/bin/prosody-py"
    assert not list((root / "opt/prosody-py").rglob("*.egg-link"))

    # Again, with another domain: the configuration stays, the program is a fresh one.
    [module] = (root / "opt/prosody-py").rglob("mod_ping.py")
    module.write_text("broken(")
    (root / CONFIG).write_text((root / CONFIG).read_text() + "# ours\n")
    code, output, errors = install("--root", root, "example.net")
    assert code == 0, output + errors
    assert (root / CONFIG).read_text().endswith("# ours\n")
    assert "is kept" in output and "does not name example.net" in output
    assert module.read_text() == (ROOT / "modules/mod_ping.py").read_text()

    with open(root / CONFIG, "a") as file:
        file.write("c2s_prts: [5222]\n")
    code, output, errors = install("--root", root)
    assert code == 1 and "did you mean c2s_ports?" in output
    assert "has mistakes" in errors and "nothing was started" in errors

    (root / "var/lib/prosody-py/prosody.sqlite").write_text("data")
    assert install("--root", root, "--remove")[0] == 0
    assert not (root / "opt/prosody-py").exists() and not (root / UNIT).exists()
    assert not os.path.lexists(root / "usr/local/bin/prosody-py")
    assert (root / CONFIG).exists() and (root / "var/lib/prosody-py/prosody.sqlite").exists()
    assert install("--root", root, "--remove", "--purge")[0] == 0
    assert not (root / CONFIG).exists() and not (root / "var/lib/prosody-py").exists()


def test_a_dry_run_says_each_step_and_takes_none(tmp_path):
    code, output, _errors = install("--root", tmp_path / "root", "--dry-run", "example.org")
    assert code == 0 and "Nothing was changed." in output
    for step in ("-m venv", "bin/pip", "write_config", "prosody-py.service", "check"):
        assert f"{step}" in output
    assert not (tmp_path / "root").exists()


def test_without_another_root_everything_belongs_to_the_services_user():
    code, output, errors = install("--dry-run", "example.org")
    assert code == 0, output + errors
    assert "-o prosody-py -g prosody-py /var/lib/prosody-py" in output
    assert "runuser -u prosody-py -- /opt/prosody-py/bin/prosody-py --config" in output


def test_who_is_not_root_is_told_what_to_do(tmp_path):
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    code, output, errors = install("example.org", path=tmp_path)
    assert (code, output) == (1, "")
    assert "only root" in errors and "sudo packaging/install" in errors


@pytest.mark.parametrize("words, said", [
    (("example.org; reboot",), "is not a domain"),
    (("a.example", "b.example"), "one DOMAIN only"),
    (("--admin", "alice", "example.org"), "is not an address"),
    (("--admin",), "--admin needs a value"),
    (("--prefix", "/usr"), "no option --prefix"),
    (("--purge",), "--purge goes with --remove"),
    (("--remove", "example.org"), "--remove takes no DOMAIN"),
])
def test_wrong_words_are_told_apart(tmp_path, words, said):
    code, output, errors = install("--root", tmp_path, "--dry-run", *words)
    assert (code, output) == (2, "") and said in errors


def test_a_first_installation_needs_a_domain(tmp_path):
    code, _output, errors = install("--root", tmp_path, "--dry-run")
    assert code == 2 and "DOMAIN is needed" in errors


def test_help_says_what_it_does():
    code, output, _errors = install("--help")
    assert code == 0 and "DOMAIN" in output and "--purge" in output
