-- LuaSocket's HTTP client. Where LuaSocket holds up the process, only the caller waits here.

local requesting = require "socket.requesting";

local type = type;

local http = { TIMEOUT = 60; USERAGENT = "LuaSocket 3.0.0"; _VERSION = "LuaSocket 3.0" };

local function settings(request)
	return {
		timeout = http.TIMEOUT; user_agent = http.USERAGENT;
		redirects = type(request) == "table" and request.redirect == false and 0 or 5;
	};
end

-- request(url, body) returns body, status, headers, status line; request { url =, sink =, ... }
-- returns 1 in the place of the body. nil and the reason when there is no answer.
function http.request(request, body)
	if type(request) == "string" then
		return requesting.simply(request, body, settings(request));
	end
	return requesting.perform(requesting.complete(request, { scheme = "http" }), settings(request));
end

return http;
