-- Hashes and HMACs that take their data in parts, for openssl.digest and openssl.hmac.

local native = require "native.ciphers";
local argument = require "argument";

local error, select, setmetatable, tostring = error, select, setmetatable, tostring;

local methods = {};
local mt = { __index = methods; __name = "digest" };
local states = setmetatable({}, { __mode = "k" });

local function state_of(running)
	return states[running] or error("bad argument #1 (digest expected)", 3);
end

function methods:update(...)
	local state = state_of(self);
	for i = 1, select("#", ...) do
		native.hash_update(state.handle, argument.string((select(i, ...)), i + 1, "update"));
	end
	return self;
end

function methods:final(...)
	self:update(...);
	return native.hash_final(state_of(self).handle);
end

-- Return a running hash; with a key an HMAC. Raises an error for an unknown algorithm.
local function new(name, key)
	name = argument.string(name or "sha1", 1, "new");
	local handle = native.hash_new(name, key);
	if not handle then error(tostring(name) .. ": invalid digest type", 3); end
	local running = setmetatable({}, mt);
	states[running] = { handle = handle; name = name:lower() };
	return running;
end

local function name_of(running)
	return state_of(running).name;
end

return { new = new; name_of = name_of };
