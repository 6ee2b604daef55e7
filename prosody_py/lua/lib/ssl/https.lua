-- LuaSec's HTTPS client, on the same client as socket.http. The certificate is checked unless
-- `verify = "none"` is asked for; redirects are not followed.

local requesting = require "socket.requesting";
local url = require "socket.url";

local type, ipairs = type, ipairs;

local https = { TIMEOUT = 60; PORT = 443; _VERSION = "1.3.2" };

local TLS_OPTIONS = {
	"cafile"; "capath"; "certificate"; "key"; "password"; "ciphers"; "ciphersuites"; "curve"; "depth";
};

local function is_none(verify)
	return verify == "none" or type(verify) == "table" and #verify == 1 and verify[1] == "none";
end

local function settings(request)
	local sslctx = {};
	for _, name in ipairs(TLS_OPTIONS) do sslctx[name] = request[name]; end
	return {
		timeout = https.TIMEOUT; user_agent = "LuaSocket 3.0.0"; redirects = 0;
		insecure = is_none(request.verify); sslctx = sslctx;
	};
end

-- An address without a scheme, or with another one, is asked by TLS.
local function by_tls(address)
	local parsed = url.parse(address, { scheme = "https" });
	if not parsed or not parsed.host then return address; end
	if parsed.scheme ~= "https" then
		parsed.scheme = "https";
		if parsed.port == "80" then parsed.port = nil; end
	end
	return url.build(parsed);
end

-- See socket.http; a table may also have cafile, capath, certificate, key and verify.
function https.request(request, body)
	if type(request) == "string" then
		return requesting.simply(by_tls(request), body, settings({}));
	end
	if request.redirect then return nil, "redirect not supported"; end
	if request.create then return nil, "create function not permitted"; end
	local copy = requesting.complete(request, { scheme = "https" });
	copy.url = by_tls(copy.url);
	return requesting.perform(copy, settings(request));
end

return https;
