-- ANONYMOUS (RFC 4505). What the client says about itself is not kept.

local random_name = require "util.uuid".generate;
local TRIES = 10;

-- The profile says whether a name may be taken, or gives another one.
local function anonymous(self)
	for _ = 1, TRIES do
		local name = random_name();
		local answer = self.profile.anonymous(self, name, self.realm);
		if answer then
			self.username = type(answer) == "string" and answer or name;
			return "success";
		end
	end
	return "failure", "temporary-auth-failure";
end

local function init(register)
	register("ANONYMOUS", { "anonymous" }, anonymous);
end

return { init = init };
