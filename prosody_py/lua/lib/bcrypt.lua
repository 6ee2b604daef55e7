-- lua-bcrypt's interface: digest(password, log of the rounds), verify(password, hash). It needs
-- the Python package bcrypt; without it, this library is not provided.

local server = require "native.server";
local argument = require "argument";

if not server.bcrypt_available() then
	error("library 'bcrypt' is not provided: the Python package bcrypt is not installed", 0);
end

local error, type = error, type;
local DEFAULT_COST = 12;

local function digest(password, cost)
	if cost ~= nil and type(cost) ~= "number" then error("bad argument #2 to 'digest'", 2); end
	local hash, err = server.bcrypt_digest(argument.string(password, 1, "digest"),
		cost or DEFAULT_COST);
	if not hash then error(err, 2); end
	return hash;
end

local function verify(password, hash)
	return server.bcrypt_verify(argument.string(password, 1, "verify"),
		argument.string(hash, 2, "verify"));
end

return { digest = digest; verify = verify };
