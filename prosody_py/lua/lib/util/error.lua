-- Error objects: { type=, condition=, text=, code=, extra=, context=, source=, instance_id= }.

local id = require "util.id";

local setmetatable, getmetatable, type, pairs =
	setmetatable, getmetatable, type, pairs;

local error_mt = { __name = "error" };
error_mt.__index = error_mt;

function error_mt:__tostring()
	return ("error<%s:%s:%s>"):format(self.type, self.condition, self.text or "");
end

local auto_traceback = false;

local function is_error(value)
	return getmetatable(value) == error_mt;
end

local function configure(options)
	if options.auto_inject_traceback ~= nil then
		auto_traceback = options.auto_inject_traceback;
	end
end

-- Make an error from a template (a table or the key of one in `registry`), the context of this
-- case, and the source that reports it. An error object is given back as it is.
local function new(template, context, registry, source)
	if is_error(template) then return template; end
	local entry = registry and registry[template];
	if type(entry) ~= "table" then entry = type(template) == "table" and template or {}; end
	context = context or {};
	if auto_traceback then
		context.traceback = context.traceback or debug.traceback("error stack", 2);
	end
	local wrapped = type(template) ~= "table" and not (registry and registry[template]) and template
		or nil;
	return setmetatable({
		instance_id = context.id or id.short();
		type = entry.type or "cancel";
		condition = entry.condition or "undefined-condition";
		text = entry.text or (context.text ~= nil and context.text) or nil;
		code = entry.code;
		extra = entry.extra or (registry and registry.namespace and entry.name and {
			namespace = registry.namespace; condition = entry.name;
		}) or nil;
		context = context;
		source = source or context.source;
		wrapped = wrapped;
	}, error_mt);
end

-- Registries may be given in short: { key = { "type", "condition", "text"[, "own condition"] } }.
local function expand(registry, namespace)
	local full = { namespace = namespace };
	for key, entry in pairs(registry) do
		if type(entry) == "table" and entry[1] then
			full[key] = {
				type = entry[1]; condition = entry[2]; text = entry[3];
				extra = namespace and entry[4] and { namespace = namespace; condition = entry[4] } or nil;
			};
		else
			full[key] = entry;
		end
	end
	return full;
end

local function init(source, namespace, registry)
	if type(namespace) == "table" then
		registry, namespace = namespace, nil;
	end
	registry = expand(registry, namespace);
	local function wrap(key, context)
		return new(key, context, registry, source);
	end
	return {
		source = source; registry = registry; new = wrap;
		coerce = function (ok, err, ...)
			if ok then return ok, err, ...; end
			if is_error(err) then return nil, err; end
			return nil, wrap(err);
		end;
	};
end

-- For the results of calls that answer nil and a reason: make the reason an error object.
local function coerce(ok, err, ...)
	if ok or is_error(err) then return ok, err, ...; end
	local object = new({ type = "cancel"; condition = "undefined-condition" }, { wrapped_error = err },
		nil, "util.error");
	object.wrapped = err;
	if type(err) == "string" then object.text = err; end
	return ok, object, ...;
end

local function from_stanza(stanza, context, source)
	local kind, condition, text, extra_tag = stanza:get_error();
	local error_tag = stanza:get_child("error");
	context = context or {};
	context.stanza = stanza;
	context.by = error_tag and error_tag.attr.by or stanza.attr.from;
	local uri = error_tag and condition
		and (condition == "gone" or condition == "redirect")
		and error_tag:get_child_text(condition, "urn:ietf:params:xml:ns:xmpp-stanzas") or nil;
	local extra;
	if uri or extra_tag then
		extra = { uri = uri ~= "" and uri or nil; tag = extra_tag };
		if extra_tag then
			extra.namespace, extra.condition = extra_tag.attr.xmlns, extra_tag.name;
		end
	end
	return new({
		type = kind or "cancel"; condition = condition or "undefined-condition"; text = text;
		extra = extra;
	}, context, nil, source);
end

return {
	new = new; init = init; coerce = coerce; is_error = is_error; is_err = is_error;
	from_stanza = from_stanza; configure = configure;
};
