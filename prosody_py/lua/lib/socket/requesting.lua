-- One HTTP request in LuaSocket's manner, which waits without holding up the server.
--
-- perform(request, settings): request has url, method, headers, source, sink, step; settings are
-- timeout (seconds), user_agent, redirects (how many are followed), insecure, sslctx. Returns 1,
-- status, headers and status line, or nil and the reason.

local native = require "native.server";
local ltn12 = require "ltn12";

local pairs, tostring, type = pairs, tostring, type;

-- LuaSocket's words for what net.http calls otherwise.
local REASONS = {
	["unable to resolve service"] = "host not found"; ["connection timeout"] = "timeout";
	["read timeout"] = "timeout"; ["write timeout"] = "timeout"; ["unexpected-eof"] = "closed";
};

local function read_all(source, step)
	local parts = {};
	local ok, err = ltn12.pump.all(source, ltn12.sink.table(parts), step);
	if not ok then return nil, err; end
	return table.concat(parts);
end

local function headers_of(request, settings)
	local headers = { ["user-agent"] = settings.user_agent };
	for name, value in pairs(request.headers or {}) do
		name = tostring(name):lower();
		if name ~= "transfer-encoding" and name ~= "connection" and name ~= "te" then
			headers[name] = tostring(value);
		end
	end
	return headers;
end

local function perform(request, settings)
	local body, err;
	if request.source then
		body, err = read_all(request.source, request.step);
		if not body then return nil, err; end
	end
	local method = request.method or "GET";
	local repeatable = method == "GET" or method == "HEAD";
	local status, version, headers, reason, content = native.http_request(request.url, method, body,
		headers_of(request, settings), {
			insecure = settings.insecure; silence = settings.timeout;
			redirects = repeatable and settings.redirects or 0; max_body = settings.max_body;
		}, settings.sslctx);
	if not status then
		if version == "invalid-url" then return nil, "invalid host '" .. tostring(request.url) .. "'"; end
		return nil, REASONS[version] or version;
	end
	local sink = request.sink or ltn12.sink.null();
	local ok;
	ok, err = ltn12.pump.all(ltn12.source.string(content), sink, request.step);
	if not ok then return nil, err; end
	return 1, status, headers, "HTTP/" .. version .. " " .. status .. " " .. reason;
end

-- The form with an address and a body to post: returns the body of the answer first.
local function simply(url, body, settings)
	local parts = {};
	local request = { url = url; sink = ltn12.sink.table(parts) };
	if body then
		request.method, request.source = "POST", ltn12.source.string(body);
		request.headers = { ["content-type"] = "application/x-www-form-urlencoded" };
	end
	local ok, code, headers, line = perform(request, settings);
	if not ok then return nil, code; end
	return table.concat(parts), code, headers, line;
end

-- The address that a table of parts stands for.
local function address(request, default)
	if type(request.url) == "string" then return request.url; end
	return require "socket.url".build {
		scheme = request.scheme or default.scheme; host = request.host;
		port = request.port; user = request.user; password = request.password;
		path = request.path or request.uri or "/"; query = request.query;
	};
end

-- What is asked when the request is a table, in a copy of it.
local function complete(request, default)
	local copy = {};
	for name, value in pairs(request) do copy[name] = value; end
	copy.url = address(request, default);
	if request.user and type(request.url) == "string" then
		copy.headers = {};
		for name, value in pairs(request.headers or {}) do copy.headers[name] = value; end
		copy.headers["authorization"] = copy.headers["authorization"] or "Basic "
			.. require "util.encodings".base64.encode(request.user .. ":" .. (request.password or ""));
	end
	return copy;
end

return { perform = perform; simply = simply; complete = complete };
