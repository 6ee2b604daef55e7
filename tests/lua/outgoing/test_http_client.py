"""net.http in both runtimes: callbacks, promises, events, and what belongs to a module."""

from __future__ import annotations

import base64

import gevent
import pytest

from prosody_py.net.network import Network
from prosody_py.net.ports import Ports
from prosody_py.testing.client import wait_until

HOST = "example.com"


def test_the_callback_gets_body_code_response_and_request(asking, web):
    module = asking.load("""
        request = http.request(base .. "/hello?a=b#c", { headers = { ["X-Asked"] = 7 } },
            function (body, code, response, request_)
                same = request == request_;
                note(body, code, response.headers["x-y"], response.headers["set-cookie"],
                    response.body, response.httpversion, response.code, response.body_length);
            end);
        fields = { request.host, request.port, request.path, request.query, request.scheme,
            request.url, request.headers["Host"], type(request.id), type(request.cancel) };
    """)
    assert asking.calls(module) == [["hello", 200, "z", "a=1,b=2", "hello", "1.1", 200, 5]]
    assert module.exports.same is True
    assert module.exports.fields.copy() == [
        "127.0.0.1", str(web.port), "/hello", "a=b", "http", asking.base + "/hello?a=b#c",
        f"127.0.0.1:{web.port}", "string", "function"]
    assert web.requests[0][0].startswith("GET /hello?a=b HTTP/1.1") and "X-Asked: 7" in \
        web.requests[0][0]


def test_a_body_is_posted_as_a_form(asking, web):
    module = asking.load("""
        local body = http.formencode { name = "a b&c" };
        http.request(base .. "/binary", { body = body }, function () note("form"); end);
        http.request(base .. "/binary", { body = "\\0\\255", method = "PUT",
            headers = { ["content-type"] = "x/y" } }, function (body) note(#body, body); end);
    """)
    found = asking.calls(module, 2)
    size, content = next(row for row in found if row != ["form"])
    assert size == 256 and content.encode("utf-8", "surrogateescape") == bytes(range(256))
    (first, form), (second, raw) = sorted(web.requests)
    assert first.startswith("POST") and form == b"name=a+b%26c"
    assert "Content-Type: application/x-www-form-urlencoded" in first
    assert second.startswith("PUT") and raw == b"\0\xff"
    assert second.lower().count("content-type") == 1


@pytest.mark.parametrize(("url", "reason"), [
    ("base .. '/close'", "closed"), ("base .. '/garbage'", "invalid-status-line"),
    ("'http://127.0.0.1:1/'", "connection refused"), ("'nonsense'", "invalid-url"),
    ("'ftp://127.0.0.1/'", "invalid-url"),
])
def test_a_failure_is_a_reason_and_code_0(asking, url, reason):
    module = asking.load(f"http.request({url}, nil, function (reason, code, request)"
                         " note(reason, code, type(request)); end)")
    assert asking.calls(module) == [[reason, 0, "table"]]


def test_without_a_callback_there_is_a_promise(asking):
    module = asking.load("""
        http.request(base .. "/404"):next(function (response)
            note(response.code, response.body, response.request.url == base .. "/404");
        end);
        http.request("http://127.0.0.1:1/"):catch(function (err)
            note(err.condition, err.code, err.context.request.host);
        end);
        http.request("nonsense"):catch(function (err) note(err.condition, err.type); end);
    """)
    assert sorted(asking.calls(module, 3), key=str) == sorted([
        [404, "nah", True], ["remote-server-not-found", 0, "127.0.0.1"],
        ["bad-request", "modify"]], key=str)


def test_a_promise_can_be_waited_for(asking):
    asking.load("""
        local async = require "util.async";
        module:hook("ask", function ()
            local response = async.wait_for(http.request(base .. "/hello"));
            local _, err = async.wait_for(http.request("http://127.0.0.1:1/"));
            return response.body .. " " .. err.condition;
        end);
    """)
    assert asking.fire("ask") == "hello remote-server-not-found"


def test_a_request_can_be_destroyed_or_cancelled(asking):
    module = asking.load("""
        local one = http.request(base .. "/slow", nil, note);
        local two = http.request(base .. "/slow", nil, note);
        module:add_timer(0.03, function ()
            http.destroy_request(one);
            two:cancel("enough");
            two:cancel("again");
            http.destroy_request(two);
        end);
    """)
    assert asking.calls(module)[0][:2] == ["enough", 0]
    gevent.sleep(0.02)
    assert len(module.exports.calls) == 1
    assert asking.server.http_client._slots.used == 0


def test_an_unloaded_module_is_not_called(asking, web, names):
    text = """
        local function deep() return function (...) note(...); end end
        local answered = deep();
        http.request(base .. "/late", nil, answered);
        http.request(base .. "/late"):next(note);
        require "net.adns".lookup(note, "silent.example");
    """
    module = asking.load(text)
    exports = module.exports
    wait_until(lambda: len(web.requests) == 2)
    asking.place.modules.unload(HOST, "asking")
    gevent.sleep(0.1)
    assert exports.calls.copy() == {}
    assert asking.server.http_client._slots.used == 0
    module = asking.load(text)
    fresh = asking.place.reload("asking")
    assert len(asking.calls(fresh, 2)) == 2 and module.exports is None


def test_a_module_that_fails_to_load_is_not_called(asking, web):
    with pytest.raises(Exception, match="on purpose"):
        asking.load("http.request(base .. '/hello', nil, function () module.called = true;"
                    " prosody.called = true; end) error('on purpose')")
    wait_until(lambda: len(web.requests) == 1)
    gevent.sleep(0.03)
    assert asking.run("return rawget(prosody, 'called')") is None


def test_an_error_in_the_callback_is_logged_with_its_place(asking, caplog):
    asking.load("http.request(base .. '/hello', { id = 'my-id' }, function () error('oops') end)")
    wait_until(lambda: "oops" in caplog.text)
    assert "my-id" in caplog.text and "mod_asking.lua" in caplog.text


def test_the_events_of_a_client(asking, web):
    module = asking.load("""
        local client = http.new { timeout = 5 };
        client.events.add_handler("pre-request", function (event)
            if event.url == "stop" then return { stopped = true }; end
            event.url = event.url:gsub("nowhere", "hello");
            event.options = { method = "PUT" };
        end);
        for _, name in ipairs { "request", "response", "request-connection-error" } do
            client.events.add_handler(name, function (event)
                note(name, event.url, event.code, event.err);
                assert(event.http == client and event.request.url == event.url);
            end);
        end
        client:request(base .. "/nowhere", nil, function (body) note(body); end);
        client:request("http://127.0.0.1:1/", nil, function () end);
    """)
    found = asking.calls(module, 5)
    wait_until(lambda: len(module.exports.calls) == 5)
    assert sorted(map(str, found)) == sorted(map(str, [
        ["request", asking.base + "/hello"], ["request", "http://127.0.0.1:1/"],
        ["response", asking.base + "/hello", 200], ["hello"],
        {1: "request-connection-error", 2: "http://127.0.0.1:1/", 4: "connection refused"}]))
    assert web.requests[0][0].startswith("PUT")


def test_a_streaming_handler_chooses_where_the_data_goes(asking):
    module = asking.load("""
        local pieces = {};
        http.request(base .. "/chunks", { streaming_handler = function (response)
            note(response.code, response.partial, response.body);
            response.body_sink = { write = function (_, data) pieces[#pieces + 1] = #data; end };
        end }, function (body, code, response)
            note(body, code, response.partial == nil, pieces[1], pieces[2]);
        end);
        http.request(base .. "/chunks", { streaming_handler = function () end }, function (body)
            note(#body);
        end);
    """)
    found = asking.calls(module, 3)
    assert found[0] == [200, True, False]
    assert ["", 200, True, 3, 2] in found and [5] in found


def test_credentials_and_error_registry(asking, web):
    module = asking.load("""
        http.request(base:gsub("//", "//user:secret@") .. "/hello", nil, note);
        local errors = require "net.http.errors";
        texts = { errors.registry[404].text, errors.registry[404].condition,
            errors.registry[299].condition, errors.new(503, nil, {}).condition,
            errors.new(0, "cancelled").text and "yes" };
    """)
    asking.calls(module)
    token = base64.b64encode(b"user:secret").decode()
    assert f"Authorization: Basic {token}" in web.requests[0][0]
    assert module.exports.texts.copy() == ["404 Not Found", "item-not-found",
                                           "undefined-condition", "service-unavailable", "yes"]


def test_tls_is_verified_unless_asked_otherwise(asking, secure_web):
    Ports(asking.server)
    Network(asking.server)
    module = asking.load(f"""
        local url, root = "https://localhost:{secure_web.port}/hello", "{secure_web.root}";
        local function say(name, options)
            http.request(url, options, function (body, code) note(name, body, code); end);
        end
        say("plain", nil);
        say("insecure", {{ insecure = true }});
        say("options", {{ sslctx = {{ mode = "client", cafile = root }} }});
        local ssl = require "ssl";
        say("context", {{ sslctx = ssl.newcontext {{ mode = "client", cafile = root,
            verify = "peer" }} }});
        say("lenient", {{ sslctx = ssl.newcontext {{ mode = "client", verify = "none" }} }});
        http.new({{ sslctx = {{ cafile = root }} }}):request(url, nil, function (body, code)
            note("client", body, code);
        end);
        local https = require "ssl.https";
        module:hook("https", function ()
            local body, code = https.request {{ url = url, cafile = root }};
            local refused, why = https.request(url);
            local any, status = https.request {{ url = url, verify = "none" }};
            return table.concat({{ tostring(body), code, tostring(refused), why, any, status,
                select(2, https.request {{ url = url, redirect = true }}) }}, " ");
        end);
    """)
    found = {name: rest for name, *rest in asking.calls(module, 6)}
    hello = ["hello", 200]
    untrusted = ["certificate-chain-invalid", 0]
    assert found == {"plain": untrusted, "insecure": hello, "options": hello, "context": hello,
                     "lenient": untrusted, "client": hello}
    assert asking.fire("https") == (
        "1 200 nil certificate-chain-invalid 1 200 redirect not supported")
