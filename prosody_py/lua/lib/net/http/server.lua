-- The HTTP server. Its events are those of requests: "GET /path", "GET host/path", with `/*` for the
-- rest of a path, and "http-error".

local native = require "native.server";
local codes = require "net.http.codes";

local pairs, tostring = pairs, tostring;

local server = { codes = codes; _events = native.http_events() };
server.listener = native.http_listener();

function server.add_handler(event, handler, priority)
	return server._events.add_handler(event, handler, priority);
end

function server.remove_handler(event, handler)
	return server._events.remove_handler(event, handler);
end

function server.fire_event(event, data) return server._events.fire_event(event, data); end

server.add_host, server.remove_host, server.set_default_host =
	native.http_add_host, native.http_remove_host, native.http_set_default_host;

-- Limits are options of the configuration.
function server.set_option() end

-- The functions of an answer, also for one in which a module has replaced them.
server.send_response, server.send_file, server.write_headers, server.finish_response =
	native.http_send, native.http_send_file, native.http_write_headers, native.http_done;
server.send_head_response = server.send_response;

server.get_request_from_conn = native.http_request_of;

-- Hand the connection over; the answer is the listener's to give.
function server.hijack_response(response, listener)
	local conn = response.conn;
	native.http_forget(conn);
	conn:setlistener(listener);
end

local function written(name)
	return (tostring(name):gsub("_", "-"):gsub("(%a)(%a*)", function (first, rest)
		return first:upper() .. rest;
	end));
end

-- The lines of a head; the last one ends it.
function server.prepare_header(response)
	local request = response.request;
	local lines = { "HTTP/" .. (request and request.httpversion or "1.1") .. " "
		.. (codes[response.status_code] or tostring(response.status_code)) };
	for name, value in pairs(response.headers) do
		lines[#lines + 1] = "\r\n" .. written(name) .. ": " .. tostring(value);
	end
	lines[#lines + 1] = "\r\n\r\n";
	return lines;
end

return server;
