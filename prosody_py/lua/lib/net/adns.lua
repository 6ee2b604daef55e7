-- Looking names up without holding up anybody. lookup(callback, name, type, class) calls
-- callback(answer), or callback(nil, reason) when nobody has answered. An answer is a list of
-- records, each with its data under the type in small letters (answer[1].srv.target), and has the
-- fields rcode, status, secure, ttl, qname, canonname; it is empty when there are no such records.

local native = require "native.server";
local asker = require "net.asker";
local dns = require "util.dns";
local promise = require "util.promise";
local idna_to_ascii = require "util.encodings".idna.to_ascii;

local ipairs, setmetatable, tonumber, tostring, type =
	ipairs, setmetatable, tonumber, tostring, type;
local t_concat = table.concat;

local answer_mt = { __tostring = function (answer) return answer._string; end };

-- The name or number of a type or class as its name.
local function name_of(known, given, default)
	if given == nil then return default; end
	if tonumber(given) then return known[tonumber(given)] or tostring(given); end
	return tostring(given):upper();
end

local function make_answer(question, rcode, secure, ttl, canonical, records)
	local kind, class = question.kind, question.class;
	local status = dns.errors[rcode] or "RCODE" .. tostring(rcode);
	local answer = {
		qname = question.name; qtype = dns.types[kind]; type = kind; qclass = dns.classes[class];
		class = class; rcode = rcode; status = status; secure = secure; bogus = false; ttl = ttl;
		canonname = canonical ~= "" and canonical or nil; nxdomain = rcode == 3;
		havedata = records[1] ~= nil;
	};
	local key = kind:lower();
	local record_mt = {
		__index = answer; __tostring = function (record) return tostring(record[key]); end;
	};
	local lines = {
		"Status: " .. (dns.errors[status] or status) .. (secure and ", Secure" or "");
	};
	for _, data in ipairs(records) do
		local value = dns.parsers[kind](data);
		if value ~= nil then
			answer[#answer + 1] = setmetatable({ [key] = value }, record_mt);
			lines[#lines + 1] = t_concat({ question.name, class, kind, tostring(value) }, "\t");
		end
	end
	answer._string = t_concat(lines, "\n");
	return setmetatable(answer, answer_mt);
end

local function make_question(name, kind, class)
	local question = {
		name = tostring(name); kind = name_of(dns.types, kind, "A");
		class = name_of(dns.classes, class, "IN");
	};
	if question.class ~= "IN" then return nil, "only the class IN is served"; end
	if question.name:find("[\128-\255]") then
		question.name = idna_to_ascii(question.name) or question.name;
	end
	return question;
end

local query = {};
query.__index = query;

-- The callback is not called any more; with call_handler it is called once, with (nil, reason).
function query:cancel(call_handler, reason)
	if not self.callback then return; end
	local callback = self.callback;
	self.callback = nil;
	native.job_cancel(self.job);
	if call_handler then callback(nil, reason or "cancelled"); end
end

local function start(callback, name, kind, class, owner)
	local question, reason = make_question(name, kind, class);
	if not question then
		callback(nil, reason);
		return nil, reason;
	end
	local self = setmetatable({ callback = callback }, query);
	self.job = native.dns_start(question.name, question.kind, function (rcode, ...)
		self.callback = nil;
		if not rcode then return callback(nil, (...)); end
		return callback(make_answer(question, rcode, ...));
	end, owner);
	return self;
end

local function lookup(callback, name, kind, class)
	return start(callback, name, kind, class, asker.of(callback));
end

local function lookup_promise(name, kind, class)
	local owner = asker.of();
	return promise.new(function (resolve, reject)
		start(function (answer, err)
			if answer then resolve(answer); else reject(err); end
		end, name, kind, class, owner);
	end);
end

-- Wait for the answer.
local function lookup_now(name, kind, class)
	local question, reason = make_question(name, kind, class);
	if not question then return nil, reason; end
	local function found(rcode, ...)
		if not rcode then return nil, (...); end
		return make_answer(question, rcode, ...);
	end
	return found(native.dns_lookup(question.name, question.kind));
end

local function cancel(running, call_handler, reason)
	if type(running) == "table" and running.cancel then running:cancel(call_handler, reason); end
end

local methods = {
	lookup = function (_, ...) return lookup(...); end;
	lookup_promise = function (_, ...) return lookup_promise(...); end;
	_resolver = { purge = native.dns_purge; cache = "(answers are kept outside of Lua)" };
};
methods.__index = methods;

local function resolver() return setmetatable({ _resolver = methods._resolver }, methods); end

return {
	lookup = lookup; lookup_promise = lookup_promise; lookup_now = lookup_now; cancel = cancel;
	resolver = resolver;
};
