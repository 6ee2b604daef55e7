-- OAUTHBEARER (RFC 7628).

local json = require "util.json";
local saslprep = require "util.encodings".stringprep.saslprep;

local MAX_MESSAGE = 64 * 1024;
local DUMMY = "\1"; -- what a client says to the error that it was told

local function read_token(message)
	if #message > MAX_MESSAGE then return nil; end
	local authzid, pairs_of = message:match("^n,([^,]*),\1(.*)\1$");
	if not authzid then return nil; end
	local token = ("\1" .. pairs_of):match("\1auth=[Bb][Ee][Aa][Rr][Ee][Rr] +([%w%-%._~%+/]+=*)\1");
	return token, authzid:match("^a=(.*)$");
end

-- Profiles of older modules are asked for a user name with its token, and say whether it is right:
-- their functions are (handler, username, token, realm), today's (handler, token, realm, authzid).
local function ask(self, token, authzid)
	local f = self.profile.oauthbearer;
	if debug.getlocal(f, 4) ~= "realm" then return f(self, token, self.realm, authzid); end
	local username, realm = (authzid or ""):match("^([^@]+)@(.*)$");
	if realm ~= self.realm then return nil; end
	local correct, state, info = f(self, username, token, self.realm);
	return correct and username, state, info;
end

local function oauthbearer(self, message)
	if not message then return "failure", "malformed-request"; end
	if message == DUMMY then return "failure", "not-authorized"; end
	local token, authzid = read_token(message);
	if not token then return "failure", "malformed-request"; end
	local username, state, info = ask(self, token, authzid);
	if state == false then return "failure", "account-disabled"; end
	username = username and state and saslprep(username);
	if not username then
		return "challenge", json.encode_ordered {
			status = "invalid_token"; ["openid-configuration"] = self.profile.oidc_discovery_url;
		};
	end
	if authzid and authzid ~= username .. "@" .. self.realm then
		return "failure", "invalid-authzid";
	end
	self.username, self.token_info = username, info;
	return "success";
end

local function init(register)
	register("OAUTHBEARER", { "oauthbearer" }, oauthbearer);
end

return { init = init };
