-- Hash functions: name(data[, hex]), hmac_name(key, data[, hex]).

local native = require "native.hashes";
local argument = require "argument";

local digests, pairs_of_strings = {}, {};
for name, f in pairs(native) do
	if name:find("^hkdf_") then
		-- Taken up below: its first argument is a number.
	elseif name:find("^hmac_") or name:find("^pbkdf2_") or name == "equals" then
		pairs_of_strings[name] = f;
	else
		digests[name] = f;
	end
end

local hashes = argument.on_strings(digests, 1);
for name, f in pairs(argument.on_strings(pairs_of_strings, 2)) do hashes[name] = f; end

for _, name in ipairs { "sha1", "sha256", "sha512" } do
	local derive = hashes["pbkdf2_hmac_" .. name];
	hashes["pbkdf2_hmac_" .. name] = function (password, salt, iterations)
		argument.number(iterations, 3, "pbkdf2_hmac_" .. name);
		local key = derive(password, salt, iterations);
		if not key then error("pbkdf2_hmac_" .. name .. ": number of iterations out of range", 2); end
		return key;
	end;
end

-- hkdf_hmac_x(length, key, salt, info), RFC 5869.
for _, name in ipairs { "hkdf_hmac_sha256", "hkdf_hmac_sha384" } do
	hashes[name] = function (length, key, salt, info)
		argument.number(length, 1, name);
		local derived = native[name](length, argument.string(key, 2, name),
			argument.string(salt or "", 3, name), argument.string(info or "", 4, name));
		if not derived then error(name .. ": length out of range", 2); end
		return derived;
	end;
end

-- The name from before PBKDF2 was offered for more than SCRAM.
hashes.scram_Hi_sha1 = hashes.pbkdf2_hmac_sha1;
hashes.version = "1";
hashes._LIBCRYPTO_VERSION = "hashlib";

return hashes;
