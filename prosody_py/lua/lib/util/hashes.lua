-- Hash functions: name(data[, hex]), hmac_name(key, data[, hex]).

local native = require "native.hashes";
local argument = require "argument";

local digests, pairs_of_strings = {}, {};
for name, f in pairs(native) do
	if name:find("^hmac_") or name:find("^pbkdf2_") or name == "equals" then
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

-- The name from before PBKDF2 was offered for more than SCRAM.
hashes.scram_Hi_sha1 = hashes.pbkdf2_hmac_sha1;
hashes.version = "1";

return hashes;
