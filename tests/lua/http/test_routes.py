"""HTTP in Lua modules, on both runtimes: routes, requests and answers."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.testing.client import wait_until

ROUTES = r"""
module:depends("http");
local server = require "net.http.server";
local promise, errors, timer = require "util.promise", require "util.error", require "util.timer";
local held, destroyed, notes = {}, {}, {};

local function later(f, ...)
	timer.add_task(0.01, f, ...);
	return true;
end

local source = {
	left = 3;
	read = function (self, size)
		if self.left == 0 then return nil; end
		self.left = self.left - 1;
		return "part" .. self.left;
	end;
	close = function () notes.closed = true; end;
};

module:provides("http", {
	name = "lua"; title = "Routes in Lua"; streaming_uploads = true;
	route = {
		["GET"] = function (event) return "root " .. event.request.path; end;
		["GET /rest/*"] = function (event, rest) return "rest " .. rest; end;
		["GET /exact"] = function (...) return tostring(select("#", ...)); end;
		["GET /text"] = "static \0\255";
		["GET /table"] = { status_code = 201; headers = { ["x-a"] = "b" }; body = "made" };
		["GET /dynamic"] = function ()
			return { status_code = 202; headers = { content_type = "text/x" }; body = "dyn" };
		end;
		["GET /number"] = function () return 403; end;
		["GET /false"] = function () return false; end;
		["GET /fails"] = function () error("the inside"); end;
		["GET /error"] = function ()
			return errors.new({ condition = "forbidden", text = "no <way>", code = 403 });
		end;
		["GET /uncoded"] = function () return errors.new({ condition = "item-not-found" }); end;
		["GET /later"] = function (event)
			return later(function () event.response:send("late"); end);
		end;
		["GET /later-code"] = function (event)
			return later(function ()
				event.response.status_code = 404;
				event.response.headers.x_late = 1;
				event.response:send("late 404");
			end);
		end;
		["GET /promise"] = function () return promise.resolve("kept"); end;
		["GET /promise-table"] = function ()
			return promise.new(function (resolve)
				later(function () resolve({ status_code = 203; body = "table" }); end);
			end);
		end;
		["GET /promise-code"] = function () return promise.reject(409); end;
		["GET /promise-error"] = function ()
			return promise.reject(errors.new({ code = 410, text = "it is gone" }));
		end;
		["GET /promise-text"] = function () return promise.reject("the inside"); end;
		["GET /promise-nil"] = function () return promise.resolve(); end;
		["GET /held"] = function (event)
			event.response.on_destroy = function (response, ...)
				destroyed[#destroyed + 1] = response == event.response and select("#", ...) == 0;
			end
			held[#held + 1] = event.response;
			return true;
		end;
		["GET /replaced"] = function (event)
			local send = event.response.send;
			function event.response.send(response, body)
				response.headers.x_replaced = "yes";
				return send(response, body and body:upper());
			end
			return event.response:send("replaced");
		end;
		["GET /wrapped"] = function (event)
			function event.response.send(response, body)
				return server.send_response(response, "<" .. body .. ">");
			end
			return "wrapped";
		end;
		["GET /library"] = function (event)
			return server.send_response(event.response, "by the library");
		end;
		["GET /file"] = function (event)
			return event.response:send_file(io.open(notes.path, "rb"));
		end;
		["GET /part"] = function (event)
			local file = io.open(notes.path, "rb");
			file:seek("set", 1000);
			event.response.headers.content_length = 5000;
			return event.response:send_file(file);
		end;
		["GET /source"] = function (event)
			source.left = 3;
			return event.response:send_file(source);
		end;
		["GET /raw"] = function (event)
			local response = event.response;
			response.headers.content_type = "text/event-stream";
			response:write_headers();
			later(function ()
				response.conn:write("data: 1\n\n");
				response.conn:close();
			end);
			return true;
		end;
		["GET /parts"] = function (event)
			local response = event.response;
			for i = 1, 3 do response:write_body("part " .. i .. ";"); end
			response:done();
			return true;
		end;
		["POST /echo"] = function (event)
			local request = event.request;
			return table.concat({ request.method, request.httpversion, request.ip,
				tostring(request.secure), request.host, type(request.id), #request.body,
				request.headers.x_some_header, request.url.query, request.body }, " ");
		end;
		["PUT /upload"] = function (event)
			local request = event.request;
			if request.body == false then
				request.body_sink = io.open(notes.path .. ".new", "wb");
				return request.partial;
			elseif request.body_sink then
				local size = request.body_sink:seek();
				request.body_sink:close();
				return "stored " .. size;
			end
			return "small " .. #request.body;
		end;
		["GET /url"] = function ()
			return module:http_url() .. " " .. module:http_url("other", "/o/");
		end;
		["GET /pairs"] = function (event)
			local names = {};
			for name in pairs(event.request.headers) do names[#names + 1] = name; end
			table.sort(names);
			local response = event.response;
			response.context = { of = response };
			return table.concat(names, " ") .. tostring(response.context.of == response)
				.. tostring(response.absent) .. tostring(event.request == response.request);
		end;
	};
});

function note(name, value) notes[name] = value; end
function noted(name) return notes[name]; end
function release(text) table.remove(held, 1):send(text); end
function counts() return #held, #destroyed, destroyed[#destroyed]; end
"""


@pytest.fixture
def running(start_lua):
    return start_lua(ROUTES)


def test_each_kind_of_route_and_result_is_an_answer(running):
    client = running.web()
    for path, status, body in (
            ("", 200, b"root /lua"), ("/rest/a/b%20c", 200, b"rest a/b c"), ("/exact", 200, b"1"),
            ("/text", 200, b"static \0\xff"), ("/table", 201, b"made"), ("/dynamic", 202, b"dyn"),
            ("/false", 200, b""), ("/later", 200, b"late"), ("/later-code", 404, b"late 404"),
            ("/promise", 200, b"kept"), ("/promise-table", 203, b"table"),
            ("/library", 200, b"by the library"), ("/replaced", 200, b"REPLACED"),
            ("/wrapped", 200, b"<wrapped>"),
            ("/parts", 200, b"part 1;part 2;part 3;")):
        answer = client.get("/lua" + path)
        assert (answer.status, answer.body) == (status, body), path
    for path, status, shown in (
            ("/number", 403, "403 Forbidden"), ("/fails", 500, "500 "), ("/uncoded", 500, "500 "),
            ("/error", 403, "no &lt;way&gt;"), ("/promise-code", 409, "409 Conflict"),
            ("/promise-error", 410, "it is gone"), ("/promise-text", 500, "500 "),
            ("/promise-nil", 404, "404 ")):
        answer = client.get("/lua" + path)
        assert answer.status == status and shown in answer.text, path
        assert "the inside" not in answer.text


def test_headers_that_lua_sets_are_sent(running):
    client = running.web()
    assert client.get("/lua/table").headers["x-a"] == "b"
    assert client.get("/lua/dynamic").headers["content-type"] == "text/x"
    assert client.get("/lua/later-code").headers["x-late"] == "1"
    assert client.get("/lua/replaced").headers["x-replaced"] == "yes"


def test_lua_sees_the_whole_request(running):
    client = running.web()
    body = bytes(range(256))
    answer = client.request("POST", "/lua/echo?a=b%20c", {"X-Some-Header": "v"}, body)
    assert answer.body == b"POST 1.1 127.0.0.1 false localhost string 256 v a=b%20c " + body
    assert b" true localhost " in running.web(tls=True).request(
        "POST", "/lua/echo?q", {"X-Some-Header": "v"}, b"x").body
    assert client.get("/lua/pairs", x_z="1").text == "host x_ztrueniltrue"


def test_an_answer_may_be_held_and_its_end_is_told(running):
    module = running.lua_module()
    first, second = running.web().ask("GET", "/lua/held"), running.web().ask("GET", "/lua/held")
    wait_until(lambda: module.counts()[0] == 2)
    module.release("one")
    wait_until(lambda: module.counts()[1] == 1)
    first.close()
    second.close()
    wait_until(lambda: module.counts()[1] == 2)
    assert module.counts()[2] is True


def test_files_are_sent_whole_and_in_part(running, tmp_path):
    data = bytes(range(256)) * 2000
    (tmp_path / "data").write_bytes(data)
    module, client = running.lua_module(), running.web()
    module.note("path", str(tmp_path / "data"))
    answer = client.get("/lua/file")
    assert (answer.body, answer.headers["transfer-encoding"]) == (data, "chunked")
    answer = client.get("/lua/part")
    assert (answer.body, answer.headers["content-length"]) == (data[1000:6000], "5000")
    assert client.get("/lua/source").body == b"part2part1part0"
    assert module.noted("closed") is True
    assert client.get("/lua/exact").text == "1"


def test_a_module_may_write_to_the_connection_itself(running):
    data = running.web().ask("GET", "/lua/raw").rest()
    head, _end, body = data.partition(b"\r\n\r\n")
    assert b"Content-Type: text/event-stream" in head and b"Connection: close" in head
    assert body == b"data: 1\n\n" and b"hunked" not in head


def test_large_bodies_go_to_a_file_of_lua_s(start_lua, tmp_path):
    running = start_lua(ROUTES, http_max_content_size="10 KB")
    running.lua_module().note("path", str(tmp_path / "up"))
    client, body = running.web(), bytes(range(256)) * 1000
    assert client.request("PUT", "/lua/upload", body=b"abc").text == "small 3"
    assert client.request("PUT", "/lua/upload", body=body).text == f"stored {len(body)}"
    assert (tmp_path / "up.new").read_bytes() == body


def test_the_url_of_an_app_in_lua(start_lua):
    running = start_lua(ROUTES, http_external_url="https://e.example/")
    assert running.web().get("/lua/url").text == "https://e.example/lua https://e.example/o"


def test_a_module_is_replaced_under_its_clients(running):
    client = running.web()
    assert client.get("/lua/exact").text == "1"
    file = running.lua_folder / "mod_lua.lua"
    file.write_text(ROUTES.replace('"static', '"fresh'))
    running.server.modules.reload("localhost", "lua")
    assert client.get("/lua/text").body == b"fresh \0\xff"
    running.server.modules.unload("localhost", "lua")
    assert client.get("/lua/text").status == 404


def test_answers_of_an_unloaded_module_can_still_be_given(running):
    module = running.lua_module()
    client = running.web().ask("GET", "/lua/held")
    wait_until(lambda: module.counts()[0] == 1)
    release = module.release
    running.server.modules.unload("localhost", "lua")
    release("after all")
    assert client.answer().text == "after all"


def test_many_clients_at_a_time(running):
    def ask(number):
        client = running.web()
        return [client.get(f"/lua/{path}").text for path in
                ("later", f"rest/{number}", "promise-table", "exact")]

    jobs = [gevent.spawn(ask, number) for number in range(20)]
    gevent.joinall(jobs, raise_error=True, timeout=20)
    assert [job.value for job in jobs] == [["late", f"rest {number}", "table", "1"]
                                           for number in range(20)]
