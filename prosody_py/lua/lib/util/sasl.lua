-- SASL as authentication modules describe it: new(realm, profile), where the profile's functions
-- answer for accounts. The server's own exchange asks the profile; for modules that do the talking
-- themselves, there are the mechanisms of util.sasl.* and what is registered here.
--
-- Functions of a profile, each with the handler first: plain_test(username, password, realm) ->
-- correct, state; plain(username, realm) -> password, state; anonymous(name, realm) -> whether the
-- name may be taken; external(authzid) -> username; scram_sha_1(username, realm) -> stored key,
-- server key, iterations, salt, state; oauthbearer(token, realm) -> username, state, token info. A
-- state of nil is an unknown account, false one that is disabled. profile.cb has functions that
-- give the data of a channel binding.

local setmetatable, pairs, ipairs, type = setmetatable, pairs, ipairs, type;

local methods = {};
local mt = { __index = methods };
local mechanisms = {}; -- name -> { backends, step, bindings }

-- A mechanism is there for profiles that have one of the functions `backends`, and if `bindings`
-- is given one of these channel bindings. step(handler, message) returns "success" and data,
-- "challenge" and data, or "failure", condition and text.
local function register(name, backends, step, bindings)
	mechanisms[name] = { backends = backends; step = step; bindings = bindings };
end

local function new(realm, profile)
	return setmetatable({ profile = profile; realm = realm; state = {} }, mt);
end

function methods:clean_clone()
	return new(self.realm, self.profile);
end

local function has_one(t, names)
	if type(t) ~= "table" then return false; end
	for _, name in ipairs(names) do
		if t[name] then return true; end
	end
	return false;
end

-- { [name] = true }
function methods:mechanisms()
	local names = {};
	for name, mechanism in pairs(mechanisms) do
		if has_one(self.profile, mechanism.backends)
				and (not mechanism.bindings or has_one(self.profile.cb, mechanism.bindings)) then
			names[name] = true;
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

for _, name in ipairs { "plain", "anonymous", "external", "scram", "oauthbearer" } do
	require("util.sasl." .. name).init(register);
end

return { new = new; registerMechanism = register };
