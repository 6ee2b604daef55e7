-- Lists with methods: array{1, 2, 3}, array(iterator). Methods change the list and return it;
-- the functions array.map(list, f), array.filter(...) return a new one.

local t_insert, t_sort, t_concat, t_remove = table.insert, table.sort, table.concat, table.remove;
local getmetatable, setmetatable, type, tostring, next, math_random =
	getmetatable, setmetatable, type, tostring, next, math.random;

local array_mt = { __name = "array" };
local methods = {}; -- arr:name(...) works in place
local base = {}; -- array.name(result, source, ...) builds `result`
local array = {};

array_mt.__index = methods;

local function new(list)
	return setmetatable(list or {}, array_mt);
end

local function collect(f, state, var)
	local list = {};
	while true do
		var = f(state, var);
		if var == nil then break; end
		list[#list + 1] = var;
	end
	return setmetatable(list, array_mt);
end

setmetatable(array, {
	__call = function (_, list, state, var)
		if type(list) == "function" then return collect(list, state, var); end
		return new(list);
	end;
});

function array_mt.__add(a, b)
	local result = new();
	return result:append(a):append(b);
end

function array_mt.__eq(a, b)
	if getmetatable(a) ~= array_mt or getmetatable(b) ~= array_mt or #a ~= #b then return false; end
	for i = 1, #a do
		if a[i] ~= b[i] then return false; end
	end
	return true;
end

-- array / function: the values that the function returns, without nils.
function array_mt.__div(list, f)
	local result = new();
	for i = 1, #list do
		local value = f(list[i]);
		if value ~= nil then result[#result + 1] = value; end
	end
	return result;
end

function array_mt.__tostring(list)
	local texts = {};
	for i = 1, #list do texts[i] = tostring(list[i]); end
	return "{" .. t_concat(texts, ", ") .. "}";
end

function array_mt.__freeze(list)
	return list;
end

function base.map(out, list, f)
	for i = 1, #list do out[i] = f(list[i]); end
	return out;
end

function base.filter(out, list, f)
	local kept, count = 0, #list;
	for i = 1, count do
		local value = list[i];
		if f(value) then
			kept = kept + 1;
			out[kept] = value;
		end
	end
	for i = kept + 1, #out do out[i] = nil; end
	return out;
end

function base.slice(out, list, first, last)
	local count = #list;
	first, last = first or 1, last or -1;
	if first < 0 then first = count + first + 1; end
	if last < 0 then last = count + last + 1; end
	if first < 1 then first = 1; end
	if last > count then last = count; end
	local kept = 0;
	for i = first, last do
		kept = kept + 1;
		out[kept] = list[i];
	end
	for i = count, kept + 1, -1 do out[i] = nil; end
	return out;
end

function base.sort(out, list, ...)
	if out ~= list then
		for i = 1, #list do out[i] = list[i]; end
	end
	t_sort(out, ...);
	return out;
end

function base.unique(out, list)
	local seen = {};
	return base.filter(out, list, function (value)
		if seen[value] then return false; end
		seen[value] = true;
		return true;
	end);
end

function base.pluck(out, list, key, default)
	local count, kept = #list, 0;
	for i = 1, count do
		local value = list[i][key];
		if value == nil then value = default; end
		if value ~= nil then
			kept = kept + 1;
			out[kept] = value;
		end
	end
	for i = count, kept + 1, -1 do
		if out[i] ~= nil then out[i] = nil; end
	end
	return out;
end

function base.reverse(out, list)
	local count = #list;
	if out == list then
		for i = 1, math.floor(count / 2) do
			out[i], out[count + 1 - i] = out[count + 1 - i], out[i];
		end
	else
		for i = 1, count do out[i] = list[count + 1 - i]; end
	end
	return out;
end

function methods:shuffle()
	for i = #self, 2, -1 do
		local j = math_random(1, i);
		self[i], self[j] = self[j], self[i];
	end
	return self;
end

function methods:append(list)
	local count = #self;
	for i = 1, #list do self[count + i] = list[i]; end
	return self;
end

function methods:push(value)
	t_insert(self, value);
	return self;
end

methods.pop = t_remove;

function methods:concat(separator)
	return t_concat(array.map(self, tostring), separator);
end

function methods:length()
	return #self;
end

function methods:random()
	if #self == 0 then return nil; end
	return self[math_random(1, #self)];
end

function methods:contains(value)
	for i = 1, #self do
		if self[i] == value then return true; end
	end
	return false;
end

array.collect = collect;

for name, f in next, base do
	array[name] = function (list, ...) return f(new(), list, ...); end;
	methods[name] = function (list, ...) return f(list, list, ...); end;
end

return array;
