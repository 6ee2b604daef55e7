-- math.type also where Lua has but one kind of numbers.

local floor = math.floor;

local function math_type(value)
	if type(value) ~= "number" then return nil; end
	return floor(value) == value and "integer" or "float";
end

return { type = math.type or math_type };
