-- luaossl's ciphers: new(name), then :encrypt(key, iv[, padding]) or :decrypt(...), :update(data),
-- :final(data), and for GCM :getTag(size) and :setTag(tag). AES in the modes GCM, CBC and CTR.

local native = require "native.ciphers";
local argument = require "argument";

local error, setmetatable, tostring = error, setmetatable, tostring;

local methods = {};
local cipher_mt = { __index = methods; __name = "EVP_CIPHER_CTX*" };
local states = setmetatable({}, { __mode = "k" });

local function state_of(cipher, at_work)
	local state = states[cipher];
	if not state then error("bad argument #1 (cipher expected)", 3); end
	if at_work and not state.context then error("the cipher has no key yet", 3); end
	return state;
end

local function start(cipher, encrypting, key, iv, padding)
	local state = state_of(cipher);
	key, iv = argument.string(key, 2, "cipher"), argument.string(iv, 3, "cipher");
	local context, err = native.cipher_new(state.name, encrypting, key, iv, padding ~= false);
	if context == nil then error("cipher: " .. err, 3); end
	state.context = context;
	return cipher;
end

function methods:encrypt(key, iv, padding) return start(self, true, key, iv, padding); end
function methods:decrypt(key, iv, padding) return start(self, false, key, iv, padding); end

function methods:update(data)
	return native.cipher_update(state_of(self, true).context, argument.string(data, 2, "update"));
end

-- Return the rest of the output, or nil and a reason: bad padding, a wrong tag.
function methods:final(data)
	local context = state_of(self, true).context;
	local output = "";
	if data then
		local err;
		output, err = native.cipher_update(context, argument.string(data, 2, "final"));
		if output == nil then return nil, err; end
	end
	local rest, err = native.cipher_final(context);
	if rest == nil then return nil, err; end
	return output .. rest;
end

function methods:getTag(size)
	return native.cipher_tag(state_of(self, true).context, size or 16);
end

function methods:setTag(tag)
	native.cipher_expect_tag(state_of(self, true).context, argument.string(tag, 2, "setTag"));
	return self;
end

function methods:blockSize()
	return state_of(self).name:lower():find("cbc", 1, true) and 16 or 1;
end

function methods:keyLength()
	return (native.cipher_sizes(state_of(self).name));
end

function methods:ivLength()
	local _, size = native.cipher_sizes(state_of(self).name);
	return size;
end

local function new(name)
	name = argument.string(name, 1, "cipher.new");
	if not native.cipher_sizes(name) then
		error("cipher.new: " .. tostring(name) .. ": invalid cipher type", 2);
	end
	local cipher = setmetatable({}, cipher_mt);
	states[cipher] = { name = name };
	return cipher;
end

return { new = new };
