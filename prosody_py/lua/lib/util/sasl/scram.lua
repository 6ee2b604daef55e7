-- SCRAM (RFC 5802, RFC 7677), with and without channel binding.
--
-- hashers[hash](password, salt, iterations) returns true, stored key and server key, or false and
-- a reason.

local base64 = require "util.encodings".base64;
local hashes = require "util.hashes";
local random = require "util.random";
local stringprep = require "util.encodings".stringprep;
local sxor = require "util.strbitop".sxor;

local saslprep, nodeprep, equals = stringprep.saslprep, stringprep.nodeprep, hashes.equals;
local ipairs, pairs, type = ipairs, pairs, type;
local s_format, s_gsub, s_match, s_sub = string.format, string.gsub, string.match, string.sub;

local MAX_MESSAGE = 8 * 1024;
local DEFAULT_ITERATIONS = 10000;
local SALT_SIZE, NONCE_SIZE = 16, 18;
local BINDINGS = { "tls-exporter", "tls-server-end-point", "tls-unique" };
local ALGORITHMS = {
	["SHA-1"] = { hash = hashes.sha1; hmac = hashes.hmac_sha1; derive = hashes.pbkdf2_hmac_sha1 };
	["SHA-256"] = { hash = hashes.sha256; hmac = hashes.hmac_sha256;
		derive = hashes.pbkdf2_hmac_sha256 };
	["SHA-512"] = { hash = hashes.sha512; hmac = hashes.hmac_sha512;
		derive = hashes.pbkdf2_hmac_sha512 };
};

-- For names that nobody has: their exchange looks like others', with the same salt each time.
local secret = random.bytes(32);

local function get_hasher(name)
	local algorithm = ALGORITHMS[name];
	return algorithm and function (password, salt, iterations)
		if type(password) ~= "string" or type(salt) ~= "string" or type(iterations) ~= "number" then
			return false, "inappropriate argument types";
		end
		password = saslprep(password);
		if not password then return false, "password fails SASLprep"; end
		local salted = algorithm.derive(password, salt, iterations);
		return true, algorithm.hash(algorithm.hmac(salted, "Client Key")),
			algorithm.hmac(salted, "Server Key");
	end;
end

local hashers = {};
for name in pairs(ALGORITHMS) do hashers[name] = get_hasher(name); end

-- Return what the exchange needs to know of an account, "failure" and a condition where it ends.
local function load_keys(self, name, username)
	local profile = self.profile;
	local stored = profile["scram_" .. name:lower():gsub("%-", "_")];
	if stored then
		local stored_key, server_key, iterations, salt, state = stored(self, username, self.realm);
		if state == false then return nil, "account-disabled"; end
		if state and stored_key then
			return { stored = stored_key; server = server_key; iterations = iterations; salt = salt };
		end
	else
		local password, state = profile.plain(self, username, self.realm);
		if state == false then return nil, "account-disabled"; end
		if state and password then
			local salt = random.bytes(SALT_SIZE);
			local ok, stored_key, server_key = hashers[name](password, salt, DEFAULT_ITERATIONS);
			if not ok then return nil, "not-authorized"; end
			return { stored = stored_key; server = server_key; iterations = DEFAULT_ITERATIONS;
				salt = salt };
		end
	end
	return { stored = random.bytes(20); server = random.bytes(20); iterations = DEFAULT_ITERATIONS;
		salt = s_sub(hashes.hmac_sha256(secret, username), 1, SALT_SIZE) };
end

-- Return the data of the channel binding, or nil and why the client's flag is refused.
local function check_binding(self, flag, plus)
	local cb = self.profile.cb;
	if not plus then
		-- "y": the client believes that we have none; then somebody has cut ours out.
		local offered = type(cb) == "table" and (cb[BINDINGS[1]] or cb[BINDINGS[2]] or cb[BINDINGS[3]]);
		if flag == "n" or flag == "y" and not offered then return ""; end
		return nil, "malformed-request";
	end
	local handler = s_sub(flag, 1, 2) == "p=" and type(cb) == "table" and cb[s_sub(flag, 3)];
	local data = handler and handler(self);
	if not data then return nil, "malformed-request"; end
	return data;
end

local function unescape(name)
	if s_gsub(s_gsub(name, "=2C", ""), "=3D", ""):find("=", 1, true) then return nil; end
	return (s_gsub(s_gsub(name, "=2C", ","), "=3D", "="));
end

local function first(self, message, name, plus)
	local header, flag, authzid, bare = s_match(message, "^(([^,]+),([^,]*),)(.+)$");
	local escaped, nonce = s_match(bare or "", "^n=([^,]+),r=([^,%c ]+)");
	local username = escaped and unescape(escaped);
	username = username and nodeprep(saslprep(username) or "");
	if not username or username == "" then return "failure", "malformed-request"; end
	if authzid ~= "" and authzid ~= "a=" .. escaped .. "@" .. self.realm then
		return "failure", "invalid-authzid";
	end
	local binding, condition = check_binding(self, flag, plus);
	if not binding then return "failure", condition; end
	local keys;
	keys, condition = load_keys(self, name, username);
	self.username = username;
	if not keys then return "failure", condition; end
	local state = self.state;
	state.keys, state.nonce = keys, nonce .. base64.encode(random.bytes(NONCE_SIZE));
	state.binding = base64.encode(header .. binding);
	local answer = s_format("r=%s,s=%s,i=%d", state.nonce, base64.encode(keys.salt), keys.iterations);
	state.signed = bare .. "," .. answer .. ",";
	return "challenge", answer;
end

local function final(self, message, name)
	local state = self.state;
	local keys = state.keys;
	state.keys = nil; -- one proof for each challenge
	local binding, nonce, proof = s_match(message, "^c=([^,]+),r=([^,]+),.-p=([^,]+)$");
	if not binding then return "failure", "malformed-request"; end
	if not equals(binding, state.binding) or not equals(nonce, state.nonce) then
		return "failure", "malformed-request", "The nonce or the channel binding is another one";
	end
	local algorithm = ALGORITHMS[name];
	local signed = state.signed .. s_sub(message, 1, #message - #proof - 3);
	local signature = algorithm.hmac(keys.stored, signed);
	proof = base64.decode(proof);
	if not proof or #proof ~= #signature
			or not equals(algorithm.hash(sxor(proof, signature)), keys.stored) then
		return "failure", "not-authorized", "Wrong user name or password";
	end
	return "success", "v=" .. base64.encode(algorithm.hmac(keys.server, signed));
end

local function mechanism(name, plus)
	return function (self, message)
		if type(message) ~= "string" or message == "" or #message > MAX_MESSAGE then
			return "failure", "malformed-request";
		end
		if self.state.keys then return final(self, message, name); end
		if self.state.nonce then return "failure", "malformed-request"; end
		return first(self, message, name, plus);
	end;
end

local function init(register)
	for _, name in ipairs { "SHA-1", "SHA-256", "SHA-512" } do
		local backends = { "plain", "scram_" .. name:lower():gsub("%-", "_") };
		register("SCRAM-" .. name, backends, mechanism(name, false));
		register("SCRAM-" .. name .. "-PLUS", backends, mechanism(name, true), BINDINGS);
	end
end

return {
	init = init; hashers = hashers; get_hash = get_hasher;
	getAuthenticationDatabaseSHA1 = hashers["SHA-1"];
};
