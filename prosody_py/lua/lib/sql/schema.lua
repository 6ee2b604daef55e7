-- Columns, indexes and tables, and the statements that create them in SQLite.

local getmetatable, setmetatable, ipairs, pairs, tostring, error =
	getmetatable, setmetatable, ipairs, pairs, tostring, error;
local s_format, s_gsub, t_concat = string.format, string.gsub, table.concat;

local column_mt, index_mt = {}, {};
local table_methods = {};
local table_mt = { __index = table_methods };

local function is_column(x) return getmetatable(x) == column_mt; end
local function is_index(x) return getmetatable(x) == index_mt; end
local function is_table(x) return getmetatable(x) == table_mt; end

local function quoted(name) return '"' .. s_gsub(tostring(name), '"', '""') .. '"'; end

local function quoted_list(names)
	local list = {};
	for i, name in ipairs(names) do list[i] = quoted(name); end
	return t_concat(list, ", ");
end

-- { name, type, nullable, primary_key, auto_increment }
local function Column(definition) return setmetatable(definition, column_mt); end

function column_mt:__tostring()
	return s_format("Column{ name=%q, type=%q }", self.name, self.type);
end

-- { name, unique, column names ... }
local function Index(definition) return setmetatable(definition, index_mt); end

function index_mt:__tostring()
	local parts = { s_format("name=%q", self.name) };
	for _, column in ipairs(self) do parts[#parts + 1] = s_format("%q", column); end
	return "Index{ " .. t_concat(parts, ", ") .. " }";
end

-- { name, columns and indexes ... }; the columns are in the field c, by number and by name.
local function Table(definition)
	local columns = {};
	for _, part in ipairs(definition) do
		if is_column(part) then
			columns[#columns + 1] = part;
			columns[part.name] = part;
		elseif is_index(part) then
			part.table = definition.name;
		end
	end
	return setmetatable({ __table__ = definition, c = columns, name = definition.name }, table_mt);
end

function table_mt:__tostring()
	local parts = { s_format("name=%q", self.name) };
	for _, part in ipairs(self.__table__) do parts[#parts + 1] = tostring(part); end
	return "Table{ " .. t_concat(parts, ", ") .. " }";
end

function table_methods:create(engine) return engine:_create_table(self); end

local TYPES = { MEDIUMTEXT = "TEXT"; LONGTEXT = "TEXT" };

local function column_text(column)
	if not is_column(column) then error("a table has columns and indexes", 0); end
	local text = quoted(column.name) .. " " .. (TYPES[column.type] or column.type);
	if column.auto_increment then return quoted(column.name) .. " INTEGER PRIMARY KEY AUTOINCREMENT"; end
	if column.primary_key then text = text .. " PRIMARY KEY"; end
	if column.nullable == false then text = text .. " NOT NULL"; end
	return text;
end

local function create_table(definition)
	local parts = {};
	for i, column in ipairs(definition.c) do parts[i] = column_text(column); end
	return s_format("CREATE TABLE IF NOT EXISTS %s (%s);", quoted(definition.name),
		t_concat(parts, ", "));
end

local function create_index(index)
	return s_format("CREATE %sINDEX IF NOT EXISTS %s ON %s (%s);",
		index.unique and "UNIQUE " or "", quoted(index.name), quoted(index.table),
		quoted_list(index));
end

return {
	Column = Column; Index = Index; Table = Table; is_column = is_column; is_index = is_index;
	is_table = is_table; create_table = create_table; create_index = create_index;
};
