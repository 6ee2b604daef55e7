-- ANONYMOUS (RFC 4505). What the client says about itself is not kept.

local function anonymous(self)
	self.username = self.profile.anonymous(self, nil, self.realm);
	if not self.username then return "failure", "temporary-auth-failure"; end
	return "success";
end

local function init(register)
	register("ANONYMOUS", { "anonymous" }, anonymous);
end

return { init = init };
