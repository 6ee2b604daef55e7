-- Error objects for failed requests: new(code, body, context), by the status or, for code 0, by the
-- name of what went wrong.

local util_error = require "util.error";
local codes = require "net.http.codes";

local setmetatable, type = setmetatable, type;

-- condition and type of statuses that say something to XMPP; all others are undefined
local conditions = {
	[400] = "modify bad-request"; [401] = "auth not-authorized"; [402] = "auth payment-required";
	[403] = "auth forbidden"; [404] = "cancel item-not-found"; [405] = "cancel not-allowed";
	[406] = "modify not-acceptable"; [407] = "auth registration-required";
	[408] = "wait remote-server-timeout"; [409] = "cancel conflict"; [410] = "cancel gone";
	[411] = "modify bad-request"; [412] = "cancel conflict"; [413] = "modify resource-constraint";
	[414] = "modify resource-constraint"; [415] = "cancel feature-not-implemented";
	[416] = "modify bad-request"; [422] = "modify bad-request"; [423] = "wait resource-constraint";
	[429] = "wait resource-constraint"; [431] = "modify resource-constraint";
	[451] = "auth forbidden"; [500] = "wait internal-server-error";
	[501] = "cancel feature-not-implemented"; [502] = "wait remote-server-timeout";
	[503] = "cancel service-unavailable"; [504] = "wait remote-server-timeout";
	[507] = "wait resource-constraint"; [511] = "auth not-authorized";
};

local function template(kind_and_condition, code, text)
	local kind, condition = kind_and_condition:match("^(%S+) (%S+)$");
	return { type = kind; condition = condition; code = code; text = text };
end

local registry = {
	[0] = template("cancel internal-server-error", 0, "The request has failed");
	["cancelled"] = template("cancel remote-server-timeout", 0, "The request was cancelled");
	["connection-closed"] = template("wait remote-server-timeout", 0, "The connection was closed");
	["certificate-chain-invalid"] = template("cancel remote-server-timeout", 0,
		"The server's certificate is not trusted");
	["certificate-verify-failed"] = template("cancel remote-server-timeout", 0,
		"The server's certificate is for another host");
	["connection failed"] = template("cancel remote-server-not-found", 0,
		"The server cannot be reached");
	["connection refused"] = template("cancel remote-server-not-found", 0,
		"The server refuses connections");
	["connection timeout"] = template("wait remote-server-timeout", 0,
		"The server does not answer");
	["read timeout"] = template("wait remote-server-timeout", 0, "The server has fallen silent");
	["closed"] = template("wait remote-server-timeout", 0, "The server has closed the connection");
	["invalid-url"] = template("modify bad-request", 0, "This is not a URL");
	["unable to resolve service"] = template("cancel remote-server-not-found", 0,
		"The server's name is not known");
};

setmetatable(registry, {
	__index = function (_, code)
		if type(code) ~= "number" then return nil; end
		local text = codes[code];
		return template(conditions[code] or "cancel undefined-condition", code, text);
	end;
});
for code in pairs(conditions) do registry[code] = registry[code]; end

local function new(code, body, context)
	return util_error.new(code == 0 and body or code, context, registry);
end

return { registry = registry; new = new };
