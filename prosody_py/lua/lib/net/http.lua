-- The HTTP client. request(url, options, callback) calls callback(body, code, response, request),
-- or callback(reason, 0, request) when there is no answer; without a callback it returns a promise.
-- A module that was unloaded meanwhile is not called.

local native = require "native.server";
local asker = require "net.asker";
local errors = require "net.http.errors";
local promise = require "util.promise";
local new_events = require "util.events".new;
local url_parse = require "socket.url".parse;
local base64 = require "util.encodings".base64.encode;
local util_http = require "util.http";
local log = require "util.logger".init("http");

local pairs, setmetatable, tostring, type, xpcall = pairs, setmetatable, tostring, type, xpcall;
local traceback = debug.traceback;

local USER_AGENT = "prosody-py/" .. prosody.version;

-- The reasons that come after the request was sent; all others are troubles with connecting.
local AFTER_SENDING = {
	["closed"] = true; ["read timeout"] = true; ["write timeout"] = true; ["timeout"] = true;
	["unexpected-eof"] = true; ["invalid-status-line"] = true; ["invalid-response"] = true;
	["content-length-limit-exceeded"] = true; ["response-headers-too-large"] = true;
	["certificate-chain-invalid"] = true; ["certificate-verify-failed"] = true;
};

local function new_response(code, version, headers)
	return {
		code = code; httpversion = version; responseversion = version;
		headers = headers; responseheaders = headers; body = false; partial = true;
		chunked = headers["transfer-encoding"] ~= nil;
	};
end

-- What the request sends: the client's own headers, and those of the options in their place.
local function headers_of(req, options, body)
	local headers = {
		["Host"] = req.host:find(":", 1, true) and "[" .. req.host .. "]" or req.host;
		["User-Agent"] = USER_AGENT;
	};
	local port = req.port;
	if port and not (port == "80" and req.scheme == "http")
		and not (port == "443" and req.scheme == "https") then
		headers["Host"] = headers["Host"] .. ":" .. port;
	end
	if req.userinfo then headers["Authorization"] = "Basic " .. base64(req.userinfo); end
	if body then
		headers["Content-Length"] = tostring(#body);
		headers["Content-Type"] = "application/x-www-form-urlencoded";
	end
	for name, value in pairs(options.headers or {}) do
		for own in pairs(headers) do
			if own ~= name and own:lower() == tostring(name):lower() then
				headers[own] = nil;
				break;
			end
		end
		headers[name] = value;
	end
	return headers;
end

local function sent(headers)
	local texts = {};
	for name, value in pairs(headers) do texts[tostring(name)] = tostring(value); end
	return texts;
end

-- Call the callback of a request once; errors in it stay here.
local function wrap(req, callback)
	return function (content, code, response, request)
		if req.finished then return; end
		req.finished, req.job = true, nil;
		if code and code > 0 then
			req.http.events.fire_event("response", {
				http = req.http; url = req.url; request = req; response = response;
				content = content; code = code; callback = req.callback;
			});
		end
		log("debug", "Request '%s': done, status %s", req.id, code);
		local ok, err = xpcall(callback, function (err)
			return type(err) == "string" and traceback(err, 2) or err;
		end, content, code, response, request);
		if not ok then
			log("error", "Request '%s': error in its callback: %s", req.id, tostring(err));
		end
	end;
end

local function fail(req, reason)
	if req.finished then return; end
	if not AFTER_SENDING[reason] then
		req.http.events.fire_event("request-connection-error", {
			http = req.http; request = req; url = req.url; err = reason;
		});
	end
	req.callback(reason, 0, req);
end

local function cancel(req, reason)
	if req.finished then return; end
	if req.job then native.job_cancel(req.job); end
	req.callback(reason or "cancelled", 0, req);
end

local function destroy_request(req)
	if not req or req.finished then return; end
	req.finished = true;
	local job = req.job;
	req.job = nil;
	if job then native.job_cancel(job); end
end

-- Begin to ask; `sslctx` is LuaSec's options or a context.
local function start(req, options, owner)
	local response, on_head;
	if req.streaming_handler then
		function on_head(code, version, headers)
			response = new_response(code, version, headers);
			req.streaming_handler(response);
			local sink = response.body_sink;
			return sink and function (data) sink:write(data); end or nil;
		end
	end
	local function done(reason_or_nil, code, version, headers, _, body)
		if reason_or_nil then
			log("debug", "Request '%s': %s (%s)", req.id, reason_or_nil, code or "");
			return fail(req, reason_or_nil);
		end
		response = response or new_response(code, version, headers);
		response.partial = nil;
		response.body = body;
		if not response.chunked then response.body_length = #body; end
		return req.callback(body, code, response, req);
	end
	req.job = native.http_start(req.url, req.method, req.body, sent(req.headers), {
		insecure = req.insecure; silence = options.timeout; max_body = options.max_body;
	}, options.sslctx, done, on_head, owner);
	return req;
end

local function request(self, url, options, callback, owner)
	local req = url_parse(url) or {};
	if not req.host then
		callback("invalid-url", 0, req);
		return nil, "invalid-url";
	end
	req.url, req.http, req.time, req.callback = url, self, os.time(), callback;
	req.path = req.path or "/";
	req.id = options and options.id or tostring(req):match("%x+$");
	local event = { http = self; url = url; request = req; options = options; callback = callback };
	local answer = self.events.fire_event("pre-request", event);
	if answer ~= nil then return answer; end
	req, options, callback = event.request, event.options or {}, event.callback;
	req.url = event.url;

	local body = options.body and tostring(options.body) or nil;
	req.body, req.headers = body, headers_of(req, options, body);
	req.method = options.method or (body and "POST") or nil;
	req.insecure, req.suppress_errors = options.insecure, options.suppress_errors;
	req.streaming_handler, req.onlystatus = options.streaming_handler, options.onlystatus;
	req.callback, req.cancel = wrap(req, callback), cancel;
	log("debug", "Making %s %s request '%s' to %s", (req.scheme or "http"):upper(),
		req.method or "GET", req.id, options.suppress_url and req.headers["Host"] or req.url);
	start(req, setmetatable({}, { __index = function (_, name)
		if options[name] ~= nil then return options[name]; end
		return self.options and self.options[name];
	end }), owner);
	self.events.fire_event("request", { http = self; request = req; url = req.url });
	return req;
end

-- With a callback return the request, without one a promise of the response.
local function ask(self, url, options, callback)
	local owner = asker.of(callback);
	if callback then return request(self, url, options, callback, owner); end
	return promise.new(function (resolve, reject)
		request(self, url, options, function (body, code, response, req)
			-- Without an answer the request stands in its place.
			if code == 0 then return reject(errors.new(code, body, { request = response })); end
			response.request = req;
			resolve(response);
		end, owner);
	end);
end

-- A client of its own, with its own events. options: sslctx, timeout, max_body, for all requests.
local function new(options)
	local http = { options = options; events = new_events(); request = ask };
	function http.new(own)
		return new(own and setmetatable(own, { __index = options }) or options);
	end
	return http;
end

local default = new({ suppress_errors = true });

return {
	request = function (url, options, callback) return ask(default, url, options, callback); end;
	new = default.new; default = default; events = default.events;
	destroy_request = destroy_request; features = { sni = true };
	urlencode = util_http.urlencode; urldecode = util_http.urldecode;
	formencode = util_http.formencode; formdecode = util_http.formdecode;
};
