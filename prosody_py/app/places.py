"""Where things are: the files and folders that a configuration means, without touching them."""

from __future__ import annotations

import os

from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.load import load
from prosody_py.config.problems import ConfigError
from prosody_py.config.tags import read_regular
from prosody_py.config.yaml_tree import parse

ENVIRONMENT = "PROSODY_PY_CONFIG"
FILE = "prosody.cfg.yaml"
SYSTEM_FILE = "/etc/prosody-py/prosody.cfg.yaml"
SOCKET = "prosody-py.sock"
_MAX_FILE_SIZE = 1024 * 1024


def config_file(given: str | None) -> str:
    """Return the configuration file to use.

    That is the one given, else $PROSODY_PY_CONFIG, else the one in the working folder, else the
    system's, whether it exists or not.
    """
    chosen = given or os.environ.get(ENVIRONMENT)
    if chosen:
        return chosen
    return FILE if os.path.exists(FILE) else SYSTEM_FILE


def optional_config(given: str | None) -> Config | None:
    """Return the configuration that would be used, None when there is none.

    Raises ConfigError for one that has mistakes, or that was asked for and is not there.
    """
    path = config_file(given)
    if given or os.environ.get(ENVIRONMENT) or os.path.exists(path):
        return load(path)
    return None


def data_folder(config: Config) -> str:
    """Return the folder of everything that is stored."""
    return os.path.join(config.directory, _text(config, "data_path") or "data")


def admin_socket(config: Config) -> str:
    """Return the path of the administration socket."""
    return _socket(config.directory, _text(config, "admin_socket"), _text(config, "data_path"))


def pidfile(config: Config) -> str | None:
    """Return the path of the file with the process id, None when none is written."""
    path = _text(config, "pidfile")
    return os.path.join(config.directory, path) if path else None


def plugin_folders(config: Config) -> list[str]:
    """Return the folders of the option `plugin_paths`."""
    given = config.get(GLOBAL, "plugin_paths")
    return [os.path.join(config.directory, folder)
            for folder in (given if isinstance(given, list) else [given])
            if isinstance(folder, str) and folder]


def certificates_folder(config: Config) -> str:
    """Return the folder that is searched for certificates."""
    given = _text(config, "certificates")
    return (os.path.join(config.directory, given) if given
            else os.path.join(data_folder(config), "certs"))


def running(file: str) -> tuple[str, str | None]:
    """Return (admin socket, pidfile) of the server of a configuration file.

    Also works when the file has mistakes, or names secrets that only the server can read: then
    what the main file itself says counts. Raises ConfigError when there is no such file.
    """
    try:
        config = load(file)
    except ConfigError as error:
        options = _top_level(file)
        if options is None:
            raise error from None
        folder = os.path.dirname(os.path.abspath(file))
        pid = options.get("pidfile")
        return (_socket(folder, options.get("admin_socket"), options.get("data_path")),
                os.path.join(folder, pid) if pid else None)
    return admin_socket(config), pidfile(config)


def _text(config: Config, option: str) -> str | None:
    """Return an option that is a path; a value of another kind is reported elsewhere."""
    value = config.get(GLOBAL, option)
    return value if isinstance(value, str) and value else None


def _socket(folder: str, given: str | None, data: str | None) -> str:
    if given:
        return os.path.join(folder, given)
    return os.path.join(folder, data or "data", SOCKET)


def _top_level(file: str) -> dict[str, str] | None:
    """Return the texts at the top level of a file; None when it cannot be read."""
    try:
        text = read_regular(file, _MAX_FILE_SIZE).decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        return None
    root = parse(text, file, [])
    if root is None or not isinstance(root.value, dict):
        return {}
    return {name: node.value for name, node in root.value.items() if isinstance(node.value, str)}
