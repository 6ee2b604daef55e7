-- EXTERNAL (RFC 4422 appendix A): the profile knows who stands at the other end.

local saslprep = require "util.encodings".stringprep.saslprep;

local function external(self, message)
	if not message then return "challenge"; end
	message = saslprep(message);
	if not message then return "failure", "malformed-request"; end
	local username, condition = self.profile.external(message);
	if not username then return "failure", condition or "not-authorized"; end
	self.username = username;
	return "success";
end

local function init(register)
	register("EXTERNAL", { "external" }, external);
end

return { init = init };
