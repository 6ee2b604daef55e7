"""Files of a folder over HTTP: `http_files_dir`, at /files unless `http_paths` says otherwise."""

from __future__ import annotations

import mimetypes

from prosody_py.api import Options, array, boolean, path, string
from prosody_py.api.errors import LoadError

DEPENDS = ("http",)


class Config(Options):
    """What is served."""

    http_files_dir = path(None, doc="Folder whose files are served.")
    http_path = path(None, doc="An older name of http_files_dir.")
    http_index_files = array(("index.html", "index.htm"), of=string(),
                             doc="Files that stand for the folder they are in.")
    http_dir_listing = boolean(False, doc="Whether modules may list folders without such a file.")
    mime_types_file = path("/etc/mime.types", doc="Types of files by the endings of their names.")


def types_of(module) -> dict[str, str]:
    """Return types by ending; the table is shared with all modules that serve files."""
    shared = module.shared("/*/http_files/mime")
    if shared.get("types") is None:
        known = mimetypes.MimeTypes()
        types = {ending[1:]: type for ending, type in known.types_map[True].items()}
        try:
            found = mimetypes.read_mime_types(module.options.mime_types_file) or {}
        except (OSError, UnicodeDecodeError) as error:
            module.log("warn", "Cannot read mime_types_file: %s", error)
            found = {}
        shared["types"] = types | {ending[1:]: type for ending, type in found.items()}
    return shared["types"]


def field(options, name: str):
    """Return a field of a mapping, of either language."""
    value = options.get(name)
    return value.copy() if hasattr(value, "copy") and not isinstance(value, dict) else value


def load(module):
    """Serve the folder, if there is one, and offer `serve` to other modules."""
    options, server = module.options, module.server.http
    types = types_of(module)

    def serve(given=None):
        """Return a handler for a folder: a path, or options such as Prosody's net.http.files."""
        if given is None or isinstance(given, str):
            given = {"path": given}
        folder = given.get("path") or options.http_files_dir or options.http_path
        if not folder:
            raise LoadError("http_files: there is no folder to serve")
        chosen = field(given, "mime_map")
        return server.files(folder, types if chosen is None else chosen,
                            field(given, "index_files") or options.http_index_files,
                            bool(given.get("directory_index")))

    module.exports.serve = serve
    folder = options.http_files_dir or options.http_path
    if not folder:
        module.log("debug", "http_files_dir is not set, so no files are served")
        return
    module.provides("http", {"name": "files", "route": {"GET /*": serve({
        "path": folder, "directory_index": options.http_dir_listing})}})
