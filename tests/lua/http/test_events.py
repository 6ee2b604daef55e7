"""The server library net.http.server in Lua modules: its events, files, other protocols."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until

EVENTS = r"""
module:set_global();
local server = require "net.http.server";
local codes, files = require "net.http.codes", require "net.http.files";
local events = server._events;
local trace = {};
local function tracer(tag, result)
	return function (event)
		trace[#trace + 1] = tag .. " " .. (event.request and event.request.method or "-");
		return result;
	end
end
module:hook_object_event(events, "GET localhost/direct", tracer("exact", "direct"));
module:hook_object_event(events, "GET localhost/direct/*", tracer("low"), -1);
module:hook_object_event(events, "GET localhost/direct/*", tracer("high"), 1);
module:hook_object_event(events, "GET /everywhere", function (event)
	return server.fire_event("http-error", { code = 451, message = "said here",
		request = event.request, response = event.response });
end);
server.add_handler("GET localhost/added", function () return codes[404] .. codes[299]; end);
server.add_host("added.example");
events.add_handler("GET added.example/", function () return "added host"; end);
module:wrap_object_event(events, false, function (fire, name, data)
	trace[#trace + 1] = name;
	return fire(name, data);
end);
local serve = files.serve({ path = module:get_option_string("www"); mime_map = { x = "text/y" } });
module:hook_object_event(events, "GET localhost/files/*", function (event)
	return serve(event, event.request.path:sub(#"/files/" + 1));
end);
local serve_here = files.serve(module:get_option_string("www"));
module:hook_object_event(events, "GET localhost/one.x", serve_here);
module:hook_object_event(events, "GET localhost/hijack", function (event)
	server.hijack_response(event.response, {
		onincoming = function (conn, data) conn:write(data:upper()); end;
		ondisconnect = function () trace[#trace + 1] = "hijacked is gone"; end;
	});
	event.response.conn:write("mine ");
	return true;
end);
module:hook_object_event(events, "GET localhost/upgrade", function (event)
	event.response.conn:setlistener({
		onincoming = function (conn, data) conn:write("<" .. data .. ">"); end;
	});
	event.response.status_code = 101;
	event.response.headers.upgrade = "angle";
	event.response.headers.connection = "Upgrade";
	return "";
end);
module:hook_object_event(events, "GET localhost/head", function (event)
	local lines = server.prepare_header({ status_code = 404, headers = { a_b = "c" } });
	return table.concat(lines) .. tostring(
		server.get_request_from_conn(event.request.conn) == event.request);
end);
function traced() return table.concat(trace, "; "); end
function forget() trace = {}; end
"""


@pytest.fixture
def with_events(start_lua, tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "one.x").write_text("one")
    running = start_lua(EVENTS, "events", modules_enabled=["http"], www=str(tmp_path / "www"))
    running.lua_module = lambda: running.server.modules.get_module("*", "events").exports
    return running


def test_handlers_of_the_private_events_run_in_their_order(with_events):
    client, module = with_events.web(), with_events.lua_module()
    assert client.get("/direct").text == "direct"
    assert module.traced() == "GET /direct; GET localhost/direct; exact GET"
    module.forget()
    assert client.request("HEAD", "/direct/x").status == 404
    assert module.traced() == (
        "HEAD /direct/x; GET /direct/x; HEAD localhost/direct/x; GET localhost/direct/x; "
        "high HEAD; low HEAD; http-error")


def test_the_server_library_does_what_modules_ask(with_events):
    client = with_events.web()
    assert client.get("/added").text == "404 Not Found299 Unassigned"
    page = client.get("/everywhere")
    assert "said here" in page.text and page.headers["content-type"].startswith("text/html")
    assert with_events.web("added.example").get("/").text == "added host"
    assert client.get("/head").text == "HTTP/1.1 404 Not Found\r\nA-B: c\r\n\r\ntrue"


def test_files_are_served_by_handlers_of_lua(with_events):
    client = with_events.web()
    answer = client.get("/files/one.x")
    assert (answer.text, answer.headers["content-type"]) == ("one", "text/y")
    assert client.get("/files/one.x", if_none_match=answer.headers["etag"]).status == 304
    assert client.get("/files/one.x", range="bytes=1-1").text == "n"
    assert client.get("/files/../secret").status == 400
    assert client.get("/one.x").text == "one"


def test_a_connection_can_be_hijacked_by_lua(with_events):
    client = with_events.web().ask("GET", "/hijack")
    assert client.sock.recv(100) == b"mine "
    client.send("abc")
    assert client.sock.recv(100) == b"ABC" and not with_events.server.http.sessions
    client.close()
    wait_until(lambda: "hijacked is gone" in with_events.lua_module().traced())


def test_another_protocol_can_be_spoken_by_lua(with_events):
    client = with_events.web().send(
        "GET /upgrade HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
        "Upgrade: angle\r\n\r\nearly")
    data = b""
    while not data.endswith(b"<early>"):
        data += client.sock.recv(1000)
    assert data.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    client.send("late")
    assert client.sock.recv(100) == b"<late>"
    refused = with_events.web().ask("GET", "/upgrade").rest()
    assert refused.startswith(b"HTTP/1.1 500 ")
