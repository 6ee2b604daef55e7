-- JSON (RFC 8259).
--
-- null is a value of its own. Lists get the metatable of util.array, so that an empty list stays a
-- list; a table without it is a list when it has something at 1. What has neither form is written
-- with the members "__array" and "__hash" (keys and values in turn), as Prosody stores it.

local write = require "json.write";
local decode = require "json.read".decode;

return {
	null = write.null; encode = write.encode; encode_ordered = write.encode_ordered;
	encode_array = write.encode_array; decode = decode; parse = decode;
};
