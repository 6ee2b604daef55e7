-- Data forms (XEP-0004): new(layout) makes an object with :form(values[, type]) and :data(stanza).
--
-- layout: { title=, instructions=, { name=, var=, type=, label=, desc=, value=, required=,
-- options=, datatype=, media= }, ... }. Values are keyed by `name`; what goes over the wire is
-- `var`, the same when missing.

local st = require "util.stanza";
local read = require "dataforms.read";
local write = require "dataforms.write";

local setmetatable, ipairs = setmetatable, ipairs;

local XMLNS = "jabber:x:data";

local form_methods = {};
local form_mt = { __index = form_methods };

local function new(layout)
	return setmetatable(layout, form_mt);
end

-- Make the <x/>. kind: "form" (the default), "submit", "result" or "cancel".
function form_methods:form(values, kind)
	kind = kind or "form";
	local form = st.stanza("x", { xmlns = XMLNS, type = kind });
	if kind == "cancel" then return form; end
	if kind ~= "submit" then
		if self.title then form:text_tag("title", self.title); end
		if self.instructions then form:text_tag("instructions", self.instructions); end
	end
	for _, field in ipairs(self) do
		write.field(form, field, values, kind);
	end
	return form;
end

-- Read a submitted form. Return the values by name; errors by name or nil; which names were there.
-- With `current` (values by name) a field that is missing keeps its value.
function form_methods:data(stanza, current)
	return read.form(self, stanza, current);
end

-- Return the FORM_TYPE of an <x/>; nil and a reason.
local function get_type(form)
	if not st.is_stanza(form) then return nil, "not a stanza object"; end
	if form.attr.xmlns ~= XMLNS or form.name ~= "x" then return nil, "not a dataform element"; end
	for field in form:childtags("field") do
		if field.attr.var == "FORM_TYPE" then return field:get_child_text("value"); end
	end
	return "";
end

return { new = new; get_type = get_type };
