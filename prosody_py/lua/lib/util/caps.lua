-- The hash of an entity's capabilities (XEP-0115, section 5.1).

local base64 = require "util.encodings".base64.encode;
local sha1 = require "util.hashes".sha1;

local t_sort, t_concat = table.sort, table.concat;

local function form_text(tag)
	local form_type, fields = "", {};
	for field in tag:childtags("field") do
		local values = {};
		for value in field:childtags("value") do values[#values + 1] = value:get_text(); end
		t_sort(values);
		if field.attr.var == "FORM_TYPE" then
			form_type = values[1] or "";
		elseif values[1] then
			fields[#fields + 1] = (field.attr.var or "") .. "<" .. t_concat(values, "<");
		else
			fields[#fields + 1] = field.attr.var or "";
		end
	end
	t_sort(fields);
	if fields[1] then return form_type .. "<" .. t_concat(fields, "<"); end
	return form_type;
end

-- disco_info: the <query/> with identities, features and forms, or the list of these. Return the
-- hash, and the text that was hashed.
local function calculate_hash(disco_info)
	local identities, features, forms = {}, {}, {};
	for _, tag in ipairs(disco_info.tags or disco_info) do
		local attr = tag.attr;
		if tag.name == "identity" then
			identities[#identities + 1] = (attr.category or "") .. "/" .. (attr.type or "") .. "/"
				.. (attr["xml:lang"] or "") .. "/" .. (attr.name or "");
		elseif tag.name == "feature" then
			features[#features + 1] = attr.var or "";
		elseif tag.name == "x" and attr.xmlns == "jabber:x:data" then
			forms[#forms + 1] = form_text(tag);
		end
	end
	local parts = {};
	for _, list in ipairs { identities, features, forms } do
		t_sort(list);
		for _, text in ipairs(list) do parts[#parts + 1] = text .. "<"; end
	end
	local text = t_concat(parts);
	return base64(sha1(text)), text;
end

return { calculate_hash = calculate_hash };
