-- parse(text[, options]): a whole document as a stanza; nil and a reason for bad XML.
-- options: allow_comments, allow_processing_instructions (both are skipped then).

local native = require "native.xml";
local argument = require "argument";
local st = require "util.stanza";

local function parse(text, options)
	text = argument.string(text or "", 1, "parse"); -- nothing is an empty document
	local values = {};
	options = options or {};
	local ok, err = native.parse(text, function (...) st.flat_extend(values, ...); end,
		options.allow_comments, options.allow_processing_instructions);
	if not ok then return nil, err; end
	return st.from_flat_table(values);
end

return { parse = parse };
