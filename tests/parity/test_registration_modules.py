"""Debian's modules around new accounts: forms on the web, redirections, invitations, watchers."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import Client
from prosody_py.testing.web import WebClient
from prosody_py.xmpp import ns

HTTP = {"http_ports": [0], "https_ports": []}
REGISTER = "jabber:iq:register"


@pytest.fixture
def web():
    """Return a function that gives a web client of a server; all are closed at the end."""
    clients = []

    def connect(running):
        clients.append(WebClient(running.address("http")))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def register(running, username, password="secret", before=""):
    """Ask for an account on a fresh stream; return the answer."""
    client = running.connect()
    client.open()
    if before:
        assert client.iq("set", before).attr["type"] == "result"
    return client.iq("set", f"<query xmlns='{REGISTER}'><username>{username}</username>"
                     f"<password>{password}</password></query>")


def notices(client):
    return [message.get_child_text("body") for message in client.flush()
            if message.name == "message"]


# -- the form on the web -------------------------------------------------------------------


def solved(page):
    """Return the fields of the page's captcha, with its solution."""
    challenge = re.search(r'name="?captcha_challenge"?[^>]*value="([0-9a-f]+)"', page)[1]
    one, operator, two = re.search(r"(\d) *([+-]) *(\d)", page).groups()
    result = int(one) + int(two) if operator == "+" else int(one) - int(two)
    return {"captcha_challenge": challenge, "captcha_reply": result}


def post(client, **fields):
    return client.request("POST", "/register_web/", {
        "Content-Type": "application/x-www-form-urlencoded"}, urlencode(fields).encode())


def test_the_form_on_the_web_makes_accounts(start_debian, web):
    running = start_debian("register_web", "watchregistrations", admins=["root@localhost"], **HTTP)
    root, client = running.client("root").available(), web(running)
    page = client.get("/register_web/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    wanted = {"username": "Juliet", "password": "s e+c&ret", "confirm_password": "s e+c&ret",
              "email": "juliet@example.com"}
    answer = post(client, **wanted, captcha_challenge="0", captcha_reply="1")
    assert "Captcha verification failed" in answer.text and notices(root) == []
    answer = post(client, **solved(answer.text), **{**wanted, "confirm_password": "other"})
    assert "match" in answer.text
    answer = post(client, **solved(answer.text), **wanted)
    assert answer.status == 200 and "juliet@localhost" in answer.text
    (notice,) = notices(root)
    assert notice == "User juliet just registered on localhost from 127.0.0.1"
    assert running.connect().login("juliet", wanted["password"]).jid
    store = running.server.storage.open("localhost", "account_details")
    assert store.get("juliet") == {"email": "juliet@example.com"}
    page = client.get("/register_web/")
    assert "already taken" in post(client, **solved(page.text), **wanted).text


# -- in-band registration ------------------------------------------------------------------


def test_who_wants_to_register_is_sent_to_a_page(start_debian):
    running = start_debian("register_redirect", registration_url="https://example.org/register",
                           no_registration_whitelist=True)
    client = running.connect()
    client.open()
    query = client.iq("get", f"<query xmlns='{REGISTER}'/>").get_child("query", REGISTER)
    assert "https://example.org/register" in query.get_child_text("instructions")
    assert query.get_child("x", "jabber:x:oob").get_child_text("url") == (
        "https://example.org/register")
    assert register(running, "juliet").get_error()[1] == "not-authorized"


def test_addresses_of_the_whitelist_are_not_redirected(start_debian):
    running = start_debian("register_redirect", modules=["register_ibr"], allow_registration=True,
                           registration_url="https://example.org/register")
    assert register(running, "juliet").attr["type"] == "result"


def test_watchers_hear_of_new_accounts(start_each):
    running = start_each("register_ibr", "watchregistrations", allow_registration=True,
                         registration_watchers=["watcher@localhost"],
                         registration_notification="$username of $host at $ip")
    watcher = running.client("watcher").available()
    assert register(running, "juliet").attr["type"] == "result"
    assert notices(watcher) == ["juliet of localhost at 127.0.0.1"]


def test_names_that_look_like_another_are_refused(start_debian):
    running = start_debian("mimicking", modules=["register_ibr"], allow_registration=True)
    assert register(running, "paypal").attr["type"] == "result"
    assert register(running, "p\u0430yp\u0430l").get_error()[1] == "not-acceptable"  # Cyrillic
    assert register(running, "paypa1").get_error()[1] == "not-acceptable"
    users.delete_user(running.server, "paypal", "localhost")
    assert register(running, "p\u0430yp\u0430l").attr["type"] == "result"


# -- invitations ---------------------------------------------------------------------------


def command(client, node):
    """Run a command that asks nothing; return the fields of its form."""
    answer = client.iq("set", "<command xmlns='http://jabber.org/protocol/commands' "
                       f"node='{node}' action='execute'/>", "localhost")
    form = answer.tags[0].get_child("x", "jabber:x:data")
    return {field.attr["var"]: field.get_child_text("value") for field in form.tags
            if field.name == "field"}


def preauth(token):
    return f"<preauth xmlns='urn:xmpp:pars:0' token='{token}'/>"


@pytest.fixture
def invites(start_debian):
    return start_debian("adhoc", "invites", "invites_adhoc", "invites_register", "register_apps",
                        "invites_page", modules=["register_ibr"], admins=["root@localhost"],
                        allow_registration=True, allow_user_invites=True, **HTTP)


def test_who_has_an_invitation_gets_an_account(invites, web):
    root = invites.client("root")
    invite = command(root, "urn:xmpp:invite#create-account")
    assert invite["uri"].startswith("xmpp:localhost?register;preauth=")
    token = invite["uri"].rpartition("=")[2]
    client = invites.connect()
    assert client.open().get_child("register", "urn:xmpp:invite") is not None
    assert client.iq("set", preauth("wrong")).get_error()[1] == "forbidden"
    refused = register(invites, "juliet")
    assert refused.get_error()[2] == "Registration on this server is through invitation only"
    page = web(invites).get("/invites_page?" + token)
    assert page.status == 200 and invite["uri"] in page.headers["link"]
    assert "Conversations" in page.text and invite["landing-url"].endswith("/invites_page?" + token)
    assert register(invites, "juliet", before=preauth(token)).attr["type"] == "result"
    assert invites.connect().login("juliet").jid
    client = invites.connect()
    client.open()
    assert client.iq("set", preauth(token)).get_error()[1] == "forbidden"  # it is used up


def test_the_pages_of_invitations_show_the_apps(invites, web):
    client = web(invites)
    token = command(invites.client("root"), "urn:xmpp:invite#create-account")["uri"].rpartition(
        "=")[2]
    assert "expired" in client.get("/invites_page?nonsense").text
    page = client.get("/invites_page?" + token)
    logo = re.search(r'src="[^"]*(/register_apps/assets/logos/dino\.svg)"', page.text)[1]
    answer = client.get(logo)
    assert answer.status == 200 and answer.headers["content-type"] == "image/svg+xml"
    setup = client.get("/invites_page/setup/yaxim?" + token)
    assert setup.status == 200 and f"preauth={token}" in setup.text
    script = client.get("/invites_page/static/qrcode.min.js")
    assert script.status == 200 and "javascript" in script.headers["content-type"]


def test_who_is_invited_by_a_user_has_a_contact(invites):
    romeo = invites.client("romeo").available()
    romeo.iq("get", f"<query xmlns='{ns.ROSTER}'/>")
    uri = command(romeo, "urn:xmpp:invite#invite")["uri"]
    assert uri.startswith("xmpp:romeo@localhost?roster;preauth=") and uri.endswith(";ibr=y")
    token = uri.partition("preauth=")[2].partition(";")[0]
    assert register(invites, "juliet", before=preauth(token)).attr["type"] == "result"
    items = romeo.iq("get", f"<query xmlns='{ns.ROSTER}'/>").tags[0].tags
    assert [(item.attr["jid"], item.attr["subscription"]) for item in items] == [
        ("juliet@localhost", "both")]
    juliet: Client = invites.connect().login("juliet")
    (item,) = juliet.iq("get", f"<query xmlns='{ns.ROSTER}'/>").tags[0].tags
    assert (item.attr["jid"], item.attr["subscription"]) == ("romeo@localhost", "both")


def test_a_request_with_an_invitation_is_approved_at_once(invites):
    romeo, paris = (invites.client(name).available() for name in ("romeo", "paris"))
    for client in (romeo, paris):
        client.iq("get", f"<query xmlns='{ns.ROSTER}'/>")
    token = command(romeo, "urn:xmpp:invite#invite")["uri"].partition("preauth=")[2]
    token = token.partition(";")[0]
    paris.send(f"<presence to='romeo@localhost' type='subscribe'>{preauth(token)}</presence>")
    kinds = {paris.receive_until(lambda element: element.attr.get("from") == "romeo@localhost"
                                 ).attr["type"] for _ in range(2)}
    assert kinds == {"subscribe", "subscribed"}


def test_programs_with_a_key_make_invitations(start_debian, web, capfd):
    running = start_debian("invites", "invites_api", "register_apps", "invites_page", **HTTP)
    runtime = running.server.lua

    def run(*arguments):
        capfd.readouterr()
        running.server.modules.get_module("localhost", "invites_api").code.call(
            "command", list(arguments))
        runtime.driver.call(runtime.lua.eval(b"function() io.stdout:flush() end"))
        return capfd.readouterr().out.strip()

    key = run("create", "localhost", "robot")
    assert run("list", "localhost").split() == [key.partition("/")[0], "robot"]
    client = web(running)
    assert client.get("/invites_api?key=" + key[:-1]).status == 403
    answer = client.get("/invites_api?some=thing", authorization="Bearer " + key)
    assert answer.status == 201
    page = client.get("/invites_page?" + answer.headers["location"].rpartition("?")[2])
    assert page.status == 200 and "preauth=" in page.headers["link"]
    run("delete", "localhost", key.partition("/")[0])
    assert client.get("/invites_api?key=" + key).status == 403
