-- SASL as authentication modules describe it: new(realm, profile), where the profile's functions
-- answer for accounts. The server's own exchange asks the profile; for modules that do the talking
-- themselves, there are PLAIN, ANONYMOUS, EXTERNAL and what is registered here.
--
-- Functions of a profile, each with the handler first: plain_test(username, password, realm) ->
-- correct, state; plain(username, realm) -> password, state; anonymous() -> username;
-- external(authzid) -> username. A state of nil is an unknown account, false one that is disabled.

local equals = require "util.hashes".equals;
local saslprep, nodeprep = require "util.encodings".stringprep.saslprep,
	require "util.encodings".stringprep.nodeprep;
local setmetatable, pairs, ipairs, type = setmetatable, pairs, ipairs, type;

local methods = {};
local mt = { __index = methods };
local mechanisms = {}; -- name -> { backends, step }

-- A mechanism is there for profiles that have one of the functions `backends`. step(handler,
-- message) returns "success", "challenge" and data, or "failure", condition and text.
local function register(name, backends, step)
	mechanisms[name] = { backends = backends; step = step };
end

local function new(realm, profile)
	return setmetatable({ profile = profile; realm = realm; state = {} }, mt);
end

function methods:clean_clone()
	return new(self.realm, self.profile);
end

-- { [name] = true }
function methods:mechanisms()
	local names = {};
	for name, mechanism in pairs(mechanisms) do
		for _, backend in ipairs(mechanism.backends) do
			if self.profile[backend] then names[name] = true; end
		end
	end
	return names;
end

function methods:select(name)
	if self.selected or not self:mechanisms()[name] then return nil; end
	self.selected = name;
	return true;
end

function methods:process(message)
	if not self.selected then return "failure", "malformed-request"; end
	return mechanisms[self.selected].step(self, message);
end

-- Channel binding is the server's own matter; what modules offer here is kept for them.
function methods:add_cb_handler(name, handler)
	if type(self.profile.cb) ~= "table" then self.profile.cb = {}; end
	self.profile.cb[name] = handler;
	return self;
end

-- Mechanisms --------------------------------------------------------------------------------------

local function account(self, username, correct, state)
	self.username = username;
	if state == false then return "failure", "account-disabled"; end
	if not state or not correct then
		return "failure", "not-authorized", "Wrong user name or password";
	end
	return "success";
end

register("PLAIN", { "plain", "plain_test" }, function (self, message)
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
		return account(self, username, profile.plain_test(self, username, password, self.realm));
	end
	local known, state = profile.plain(self, username, self.realm);
	return account(self, username, known and equals(known, password), state);
end);

register("ANONYMOUS", { "anonymous" }, function (self)
	self.username = self.profile.anonymous(self, nil, self.realm);
	if not self.username then return "failure", "temporary-auth-failure"; end
	return "success";
end);

register("EXTERNAL", { "external" }, function (self, message)
	if not message then return "challenge"; end
	local username, condition = self.profile.external(self, message);
	if not username then return "failure", condition or "not-authorized"; end
	self.username = username;
	return "success";
end);

return { new = new; registerMechanism = register };
