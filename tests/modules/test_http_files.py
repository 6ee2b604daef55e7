"""mod_http_files: the folder of the operator, and `serve` for other modules."""

from __future__ import annotations

import pytest

from prosody_py.testing.web import WebClient

pytestmark = pytest.mark.twins("http_files")


@pytest.fixture
def start_files(start_server, tmp_path):
    www = tmp_path / "www"
    www.mkdir()
    (www / "style.css").write_text("a{}")
    (www / "page.html").write_text("page")
    (www / "odd.xyz").write_text("odd")
    (tmp_path / "mime.types").write_text("# comment\nchemical/x-xyz xyz abc\n")
    clients = []

    def start(**options):
        running = start_server(["http_files"], http_ports=[0], https_ports=[], **{
            "http_files_dir": str(www), "mime_types_file": str(tmp_path / "mime.types"),
            **options})
        clients.append(WebClient(running.address("http")))
        clients[-1].server = running.server
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def test_files_have_their_types(start_files):
    client = start_files()
    types = {path: client.get("/files/" + path).headers["content-type"]
             for path in ("style.css", "page.html", "odd.xyz")}
    assert types == {"style.css": "text/css", "page.html": "text/html",
                     "odd.xyz": "chemical/x-xyz"}


def test_types_are_known_without_a_file_of_them(start_files, tmp_path):
    client = start_files(mime_types_file=str(tmp_path / "absent"))
    assert client.get("/files/style.css").headers["content-type"] == "text/css"
    assert client.get("/files/odd.xyz").headers["content-type"] != "chemical/x-xyz"


def test_index_files_and_paths_are_the_operator_s(start_files):
    client = start_files(http_index_files=["absent.html", "page.html"],
                         http_paths={"files": "/"})
    assert client.get("/").text == "page" and client.get("/style.css").text == "a{}"
    assert client.get("/absent").status == 404


def test_a_module_may_list_folders(start_files):
    client = start_files(http_dir_listing=True)
    assert client.get("/files/").status == 403
    client.server.http.events.add_handler(
        "directory-index", lambda data: f"list of {data['path']}")
    assert client.get("/files/").text == "list of /files/"
    assert start_files().get("/files/").status == 403


def test_other_modules_may_serve_folders(start_files, tmp_path):
    client = start_files(http_files_dir=None)
    exports = client.server.modules.get_module("localhost", "http_files").exports
    assert client.get("/files/style.css").status in (404, 500)  # to Debian's it is a mistake
    module = client.server.modules.get_module("localhost", "http_files")
    module.provides("http", {"name": "own", "route": {
        "GET /*": exports.serve({"path": str(tmp_path / "www"), "mime_map": {"css": "x/y"}})}})
    answer = client.get("/own/style.css")
    assert (answer.text, answer.headers["content-type"]) == ("a{}", "x/y")
