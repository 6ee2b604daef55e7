-- Random identifiers in the URL-safe alphabet, of 24, 72, 144 and 216 bits.

local bytes = require "util.random".bytes;
local encode = require "util.encodings".base64.encode;

local function identifier(size)
	return (encode(bytes(size)):gsub("[+/=]", { ["+"] = "-"; ["/"] = "_"; ["="] = "" }));
end

local function sized(size)
	return function () return identifier(size); end;
end

return {
	tiny = sized(3); short = sized(9); medium = sized(18); long = sized(27);
	-- custom(n) returns a function that makes identifiers of n random bytes.
	custom = sized;
};
