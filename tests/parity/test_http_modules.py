"""Modules of Debian that answer over HTTP."""

from __future__ import annotations

import json

import pytest

from prosody_py.testing.web import WebClient

HTTP = {"http_ports": [0], "https_ports": []}


@pytest.fixture
def web():
    """Return a function that gives a web client of a server; all are closed at the end."""
    clients = []

    def connect(running, host="localhost"):
        clients.append(WebClient(running.address("http"), host))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def test_libraries_of_javascript_are_served(start_debian, web, tmp_path):
    scripts = tmp_path / "javascript"
    (scripts / "jquery").mkdir(parents=True)
    (scripts / "jquery" / "jquery.js").write_text("var $;")
    client = web(start_debian("http_libjs", modules=["http"], libjs_path=str(scripts),
                              **HTTP))
    answer = client.get("/share/jquery/jquery.js")
    assert (answer.status, answer.text) == (200, "var $;")
    assert "javascript" in answer.headers["content-type"]
    assert client.get("/share/jquery/jquery.js",
                      if_none_match=answer.headers["etag"]).status == 304
    assert client.get("/share/../secret").status == 400
    assert client.get("/share/absent.js").status == 404


def test_the_status_of_the_server_is_json(start_debian, web):
    running = start_debian("server_status", server_status_show_hosts=["localhost"],
                           server_status_json=True, **HTTP)
    running.client("juliet").available()
    answer = web(running).get("/server-status/")
    assert answer.status == 200, answer.text
    assert isinstance(json.loads(answer.body), dict)


def test_presence_is_shown_on_the_web(start_debian, web):
    running = start_debian("webpresence", **HTTP)
    client = web(running)
    running.user("juliet")
    juliet = running.client("juliet").available("<show>away</show><status>out</status>")
    assert client.get("/status/juliet/text").text.strip() == "away"
    assert client.get("/status/juliet/message").text.strip() == "out"
    assert client.get("/status/juliet").headers["content-type"].startswith("image/")
    juliet.close()


def test_files_are_served_by_the_module_of_prosody(start_debian, web, tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("hello")
    client = web(start_debian("http_files", http_files_dir=str(tmp_path / "www"), **HTTP))
    answer = client.get("/files/")
    assert (answer.text, answer.headers["content-type"]) == ("hello", "text/html")


def test_bosh_carries_a_stream(start_debian, web):
    running = start_debian("bosh", consider_bosh_secure=True, **HTTP)
    client = web(running)
    body = (b"<body xmlns='http://jabber.org/protocol/httpbind' to='localhost' rid='100' "
            b"content='text/xml; charset=utf-8' wait='5' hold='1' ver='1.6' xml:lang='en' "
            b"xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'/>")
    answer = client.request("POST", "/http-bind", {"Content-Type": "text/xml"}, body)
    assert answer.status == 200 and b"sid=" in answer.body
    assert b"stream:features" in answer.body
    page = client.get("/http-bind")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")


def test_files_are_uploaded_and_downloaded(start_debian, web, tmp_path):
    running = start_debian("http_file_share", host="upload.localhost", modules=["disco"],
                           http_file_share_size_limit=30_000_000,
                           http_max_content_size="100 KB", storage="sqlite",
                           http_file_share_access=["localhost"], **HTTP)
    juliet = running.client("juliet").available()
    client = web(running, "upload.localhost")
    for size in (50_000, 400_000):  # in memory, and by way of a sink
        answer = juliet.iq("get", "<request xmlns='urn:xmpp:http:upload:0' filename='a b.txt' "
                           f"size='{size}' content-type='text/plain'/>", "upload.localhost")
        assert answer.attr["type"] == "result", str(answer)
        slot = answer.get_child("slot", "urn:xmpp:http:upload:0")
        put, get = slot.get_child("put"), slot.get_child("get")
        path = put.attr["url"].partition("://")[2].partition("/")[2]
        headers = {header.attr["name"]: header.get_text() for header in put.tags}
        data = bytes(range(250)) * (size // 250)
        stored = client.request("PUT", "/" + path, {"Content-Type": "text/plain", **headers}, data)
        assert stored.status == 201, stored.text
        path = "/" + get.attr["url"].partition("://")[2].partition("/")[2]
        answer = client.get(path)
        assert (answer.status, answer.body) == (200, data)
        part = client.get(path, range="bytes=1000-1999")
        assert part.status in (200, 206) and data[1000:2000] in part.body
        assert client.request("HEAD", path).headers["content-length"] == str(size)
    assert client.request("PUT", "/file_share/x/y.txt", body=b"x").status == 401
