-- PLAIN (RFC 4616).

local equals = require "util.hashes".equals;
local stringprep = require "util.encodings".stringprep;
local saslprep, nodeprep = stringprep.saslprep, stringprep.nodeprep;

local function result(self, username, correct, state)
	self.username = username;
	if state == false then return "failure", "account-disabled"; end
	if not state or not correct then
		return "failure", "not-authorized", "Wrong user name or password";
	end
	return "success";
end

local function plain(self, message)
	if not message then return "failure", "malformed-request"; end
	local authzid, username, password = message:match("^([^%z]*)%z([^%z]+)%z([^%z]+)$");
	username = username and nodeprep(saslprep(username) or "");
	password = password and saslprep(password);
	if not username or username == "" or not password then return "failure", "malformed-request"; end
	if authzid ~= "" and authzid ~= username .. "@" .. self.realm then
		return "failure", "invalid-authzid";
	end
	local profile = self.profile;
	if profile.plain_test then
		return result(self, username, profile.plain_test(self, username, password, self.realm));
	end
	local known, state = profile.plain(self, username, self.realm);
	return result(self, username, known and equals(known, password), state);
end

local function init(register)
	register("PLAIN", { "plain", "plain_test" }, plain);
end

return { init = init };
