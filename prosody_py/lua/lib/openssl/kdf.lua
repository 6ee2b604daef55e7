-- luaossl's derivation of keys: derive { type = "HKDF" or "PBKDF2", md =, outlen =, ... }.
-- HKDF takes key (or secret), salt and info; PBKDF2 pass, salt, iter and gives the hash's length.

local hashes = require "util.hashes";

local error, tostring, type = error, tostring, type;

local function hkdf(options, hash)
	local derive = hashes["hkdf_hmac_" .. hash];
	if not derive then error("kdf: HKDF with " .. hash .. " is not provided", 3); end
	return derive(options.outlen, options.key or options.secret, options.salt, options.info);
end

local function pbkdf2(options, hash)
	local derive = hashes["pbkdf2_hmac_" .. hash];
	if not derive then error("kdf: PBKDF2 with " .. hash .. " is not provided", 3); end
	local key = derive(options.pass, options.salt, options.iter);
	if options.outlen and options.outlen > #key then
		error("kdf: PBKDF2 gives at most " .. #key .. " bytes with " .. hash, 3);
	end
	return key:sub(1, options.outlen);
end

local function derive(options)
	if type(options) ~= "table" then error("bad argument #1 to 'derive' (table expected)", 2); end
	local hash = tostring(options.md or "sha256"):lower();
	if options.type == "HKDF" then return hkdf(options, hash); end
	if options.type == "PBKDF2" then return pbkdf2(options, hash); end
	return error("kdf: " .. tostring(options.type) .. " is not provided", 2);
end

return { derive = derive };
