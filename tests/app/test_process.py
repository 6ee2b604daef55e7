"""The process around the server: umask, limits, the file with the process id, the admin socket."""

import os
import subprocess
import sys

import pytest

from prosody_py.app import process
from prosody_py.app.errors import StartupError
from prosody_py.app.main import main
from prosody_py.app.shell import address
from prosody_py.config.load import load_mapping


@pytest.mark.parametrize("value", ["099", "7777", "rwx", -1])
def test_a_umask_is_octal(value):
    with pytest.raises(StartupError, match="umask"):
        process.set_umask(load_mapping({"umask": value}))


def test_the_umask_of_the_configuration_is_set(umask):
    process.set_umask(load_mapping({"umask": "077"}))
    assert os.umask(0) == 0o077
    process.set_umask(load_mapping({}))
    assert os.umask(0) == 0o027


def test_the_limit_of_open_files_is_raised_to_what_is_allowed():
    code = ("import resource; from prosody_py.app.process import raise_file_limit\n"
            "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))\n"
            "assert raise_file_limit() == hard\n"
            "assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard\n")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20,
                   env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


def test_a_pidfile_is_held_by_one_process_and_a_stale_one_counts_not(tmp_path):
    path = str(tmp_path / "pid")
    with open(path, "w", encoding="ascii") as file:
        file.write("12345\n")
    assert process.running_pid(path) is None
    held = process.PidFile(path)
    assert process.running_pid(path) == os.getpid()
    with pytest.raises(StartupError, match=f"process {os.getpid()}"):
        process.PidFile(path)
    held.remove()
    assert process.running_pid(path) is None and not os.path.exists(path)


def test_a_path_longer_than_the_kernel_takes_is_an_address_too(tmp_path):
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    path = str(folder / "socket")
    listener = address.listen(path)
    assert address.answers(path)
    with address.connect(path) as client:
        listener.accept()[0].close()
        listener.accept()[0].close()
        assert address.peer_of(client)[:2] == (os.getpid(), os.geteuid())
    with pytest.raises(OSError, match="another server"):
        address.listen(path)
    listener.close()
    address.listen(path).close()  # what a dead server left is replaced
    address.remove(path)
    assert not os.path.exists(path)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(OSError, match="no socket"):
        address.listen(str(path))
    assert path.read_text() == "data"


def test_a_second_server_with_the_same_data_is_refused(running, umask, capsys):
    assert main(["--config", str(running.file), "run"]) == 1
    assert "runs already" in capsys.readouterr().err
