-- luaossl's keys: new(pem) or new { type = "EC", curve = "prime256v1" }; :sign(digest),
-- :verify(signature, digest), :toPEM("public" or "private", ...), :derive(peer), :getParameters().
-- RSA keys are read, not made: that would hold up the server.

local native = require "native.keys";
local argument = require "argument";
local hash_name = require "running_hash".name_of;

local error, select, setmetatable, tostring, type, unpack =
	error, select, setmetatable, tostring, type, table.unpack or unpack;

local methods = {};
local pkey_mt = { __index = methods; __name = "EVP_PKEY*" };
local handles = setmetatable({}, { __mode = "k" });

local SCHEMES = { ["id-ecPublicKey"] = "ecdsa_"; rsaEncryption = "rsassa_pkcs1_" };

local function wrap(handle)
	local key = setmetatable({}, pkey_mt);
	handles[key] = handle;
	return key;
end

local function handle_of(key)
	return handles[key] or error("bad argument #1 (key expected)", 3);
end

local function scheme_of(handle, digest)
	local family = SCHEMES[native.key_type(handle)];
	if not family then error("keys of this kind sign no digests", 3); end
	return family .. hash_name(digest);
end

function methods:type()
	return native.key_type(handle_of(self));
end

-- digest: what openssl.digest has made, with all data in it.
function methods:sign(digest)
	local handle = handle_of(self);
	local signature = native.sign(scheme_of(handle, digest), handle, digest:final(), true);
	if not signature then error("pkey:sign: the key cannot sign", 2); end
	return signature;
end

function methods:verify(signature, digest)
	local handle = handle_of(self);
	return native.verify(scheme_of(handle, digest), handle, digest:final(),
		argument.string(signature, 2, "verify"), true) == true;
end

function methods:derive(peer)
	return native.derive(handle_of(self), handle_of(peer))
		or error("pkey:derive: the keys do not fit", 2);
end

-- Return the key as PEM, once for each argument.
function methods:toPEM(...)
	local out, count = {}, select("#", ...);
	for i = 1, count do
		local which = (select(i, ...));
		if which == "public" or which == "PublicKey" then
			out[i] = native.public_pem(handle_of(self));
		elseif which == "private" or which == "PrivateKey" then
			out[i] = native.private_pem(handle_of(self)) or error("not a private key", 2);
		else
			error("pkey:toPEM: " .. tostring(which) .. ": unknown type", 2);
		end
	end
	if count == 0 then return native.public_pem(handle_of(self)); end
	return unpack(out, 1, count);
end

-- The public point of an EC key, as a number that knows its bytes.
function methods:getParameters()
	local point = native.public_raw(handle_of(self));
	return { pub_key = point and { toBinary = function () return point; end } };
end

function pkey_mt.__tostring(key)
	return native.public_pem(handle_of(key));
end

local function generate(options)
	if options.type == "EC" then
		return native.generate_ec(tostring(options.curve or "prime256v1"));
	elseif options.type == "ED25519" then
		return native.generate_ed25519();
	end
	return nil;
end

local function new(source)
	local handle;
	if type(source) == "table" then
		handle = generate(source);
		if not handle then error("pkey.new: keys of this kind are not made here", 2); end
	else
		local pem = argument.string(source, 1, "pkey.new");
		handle = native.import_private_pem(pem) or native.import_public_pem(pem);
		if not handle then error("pkey.new: the key cannot be read", 2); end
	end
	return wrap(handle);
end

return { new = new };
