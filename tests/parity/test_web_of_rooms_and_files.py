"""Debian's modules that are used over HTTP: logs of rooms, files that are sent, avatars."""

from __future__ import annotations

import hashlib
import hmac
import re

import pytest

from prosody_py.testing.web import WebClient

MUC, ROOMS, HALL = "http://jabber.org/protocol/muc", "rooms.localhost", "hall@rooms.localhost"
WEB = {"http_ports": [0], "https_ports": []}
UPLOAD = "urn:xmpp:http:upload:0"


@pytest.fixture
def web():
    """Return a function that gives a web client for a host of a server."""
    clients = []

    def connect(running, host):
        clients.append(WebClient(running.address("http"), host))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def talk(running, *lines):
    """Let somebody say something in a public room."""
    juliet = running.client("juliet").available()
    juliet.send(f"<presence to='{HALL}/Jule'><x xmlns='{MUC}'/></presence>").flush()
    fields = "".join(f"<field var='muc#roomconfig_{name}'><value>1</value></field>"
                     for name in ("publicroom", "persistentroom", "enablelogging"))
    answer = juliet.iq("set", f"<query xmlns='{MUC}#owner'><x xmlns='jabber:x:data' "
                       f"type='submit'><field var='FORM_TYPE'><value>{MUC}#roomconfig</value>"
                       f"</field>{fields}</x></query>", HALL)
    assert answer.attr["type"] == "result", str(answer)
    for line in lines:
        juliet.send(f"<message to='{HALL}' type='groupchat'><body>{line}</body></message>")
    juliet.flush()
    return juliet


def start(start_hosts, *names, muc=("muc", "muc_unique", "adhoc"), **options):
    return start_hosts(*muc, *names, modules=["disco"], components={
        ROOMS: {"module": "muc", "modules_enabled": list(names)}}, **WEB, **options)


@pytest.mark.parametrize("muc", [("muc", "muc_unique", "adhoc"), ()], ids=["debian", "ours"])
def test_what_was_said_is_on_a_page_of_its_day(start_hosts, web, muc):
    running = start(start_hosts, "muc_mam", "http_muc_log", muc=muc, muc_log_all_rooms=True)
    talk(running, "But soft", "a &lt;b&gt;tag&lt;/b&gt;")
    client = web(running, ROOMS)
    rooms = client.get("/muc_log/")
    assert rooms.status == 200 and "hall" in rooms.text
    days = client.get("/muc_log/hall/")
    (day, *_) = re.findall(r"\d{4}-\d\d-\d\d", days.text)
    page = client.get(f"/muc_log/hall/{day}")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert "Jule" in page.text and "But soft" in page.text
    assert "a &lt;b&gt;tag" in page.text and "<b>tag" not in page.text
    assert client.get("/muc_log/nowhere/").status == 404
    assert client.get("/muc_log/@static/style.css").status == 200


def test_a_slot_of_another_server_is_signed(start_hosts):
    running = start_hosts(
        "http_upload_external", modules=["disco"],
        http_upload_external_base_url="https://files.example/", http_upload_external_secret="key",
        http_upload_external_file_size_limit=1000,
        components={"upload.localhost": {"module": "http_upload_external"}})
    juliet = running.client("juliet")

    def ask(size, name="a.txt"):
        return juliet.iq("get", f"<request xmlns='{UPLOAD}' filename='{name}' size='{size}'/>",
                         "upload.localhost")

    slot = ask(999).get_child("slot", UPLOAD)
    get, put = (slot.get_child(name).attr["url"] for name in ("get", "put"))
    path = get.removeprefix("https://files.example/")
    proof = hmac.digest(b"key", f"{path} 999".encode(), "sha256").hex()
    assert put == f"{get}?v={proof}" and path.endswith("/a.txt")
    assert ask(1001).attr["type"] == "error"
    assert ask(10, "../a").get_error()[1] == "bad-request"


def test_files_are_put_and_got(start_hosts, web):
    running = start_hosts(
        "http_upload", modules=["disco"],
        components={"upload.localhost": {
            "module": "http_upload", "http_external_url": "https://upload.localhost/",
            "http_upload_quota": 1500}}, **WEB)
    juliet, client = running.client("juliet"), web(running, "upload.localhost")
    data = bytes(range(250)) * 4

    def slot(size=1000):
        return juliet.iq("get", f"<request xmlns='{UPLOAD}' filename='a b.txt' size='{size}'/>",
                         "upload.localhost")

    url = slot().get_child("slot", UPLOAD).get_child("put").attr["url"]
    assert url.startswith("https://upload.localhost/upload/")
    path = url.removeprefix("https://upload.localhost")
    assert client.request("PUT", path, {"Content-Type": "text/plain"}, data).status == 201
    answer = client.get(path)
    assert (answer.status, answer.body) == (200, data)
    assert client.request("PUT", path, body=data).status in (404, 409, 403)
    assert client.request("PUT", "/upload/unknown/a.txt", body=data).status in (403, 404)
    assert slot().get_error()[1] == "resource-constraint"


def test_a_picture_that_is_public_is_on_the_web(start_debian, web):
    running = start_debian("pubsub", "pep", "http_pep_avatar", **WEB)
    juliet, client = running.client("juliet").available(), web(running, "localhost")
    assert client.get("/pep_avatar/juliet").status == 404
    picture = hashlib.sha1(b"picture").hexdigest()
    for node, payload in (
            ("data", "<data xmlns='urn:xmpp:avatar:data'>cGljdHVyZQ==</data>"),
            ("metadata", f"<metadata xmlns='urn:xmpp:avatar:metadata'><info id='{picture}' "
             "bytes='7' type='image/png'/></metadata>")):
        answer = juliet.iq(
            "set", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish "
            f"node='urn:xmpp:avatar:{node}'><item id='{picture}'>{payload}</item></publish>"
            "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
            "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>"
            "<field var='pubsub#access_model'><value>open</value></field></x></publish-options>"
            "</pubsub>")
        assert answer.attr["type"] == "result", str(answer)
    answer = client.get("/pep_avatar/juliet")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (
        200, b"picture", "image/png")
    assert client.get("/pep_avatar/juliet", if_none_match=picture).status == 304
    assert client.get("/pep_avatar/nobody").status == 404
