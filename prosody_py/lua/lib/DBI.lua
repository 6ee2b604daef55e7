-- LuaDBI's interface to SQL databases, for SQLite. Calls wait in a thread, not in Lua.
--
-- Text goes in and comes out as it is; what is not UTF-8, or has a NUL, is kept as a blob. A
-- statement has all its rows when it has been executed.

local server = require "native.server";
local type, select, error, setmetatable, tostring = type, select, error, setmetatable, tostring;
local s_format, s_gsub = string.format, string.gsub;

local INSTEAD = "SQLite files work (driver SQLite3); what another database server keeps has to be "
	.. "copied into one, or be read through a module in Python that brings its own client library";

-- Statements ------------------------------------------------------------------------------------

local statement_methods = {};
local statement_mt = { __index = statement_methods; __name = "DBD.SQLite3.Statement" };
function statement_mt.__tostring(self) return "DBD.SQLite3.Statement: " .. self._sql; end

-- Run the statement with a value for each `?`: true, or false and why not.
function statement_methods:execute(...)
	if self._closed or not server.db_is_open(self._database) then
		return false, "Execute called on a closed or invalid statement";
	end
	local given = select("#", ...);
	if self._parameters ~= given then
		return false, s_format("Statement expected %d parameters but received %d",
			self._parameters, given);
	end
	for i = 1, given do
		local kind = type((select(i, ...)));
		if kind == "table" or kind == "function" or kind == "thread" or kind == "userdata" then
			return false, s_format(
				"Error binding statement parameters: Unknown or unsupported type `%s'", kind);
		end
	end
	local affected, id, columns, count, values = server.db_execute(self._database, self._sql, ...);
	if not affected then return false, "Execute failed " .. tostring(id); end
	self._affected, self._columns, self._count, self._values = affected, columns, count, values;
	self._next = 0;
	self._connection._last_id = id;
	return true;
end

local function open_columns(self)
	if self._closed then error("Invalid statement handle", 3); end
	return self._columns or {};
end

-- The next row: a list, or with `named` a table by column; nil after the last.
function statement_methods:fetch(named)
	if self._closed then error("Fetch called on a closed or invalid statement", 2); end
	local at = self._next;
	if not at or at >= self._count then return nil; end
	self._next = at + 1;
	local columns, values, row = self._columns, self._values, {};
	local width = #columns;
	for i = 1, width do
		row[named and columns[i] or i] = values[at * width + i];
	end
	return row;
end

function statement_methods:rows(named)
	return function () return self:fetch(named); end;
end

function statement_methods:columns() return open_columns(self); end

function statement_methods:affected()
	open_columns(self);
	return self._affected or 0;
end

-- The number of rows that the last execution has given.
function statement_methods:rowcount()
	open_columns(self);
	return self._count or 0;
end

function statement_methods:close()
	if self._closed then return false; end
	self._closed, self._values, self._next = true, nil, nil;
	return true;
end

-- Connections -----------------------------------------------------------------------------------

local connection_methods = {};
local connection_mt = { __index = connection_methods; __name = "DBD.SQLite3.Connection" };
function connection_mt.__tostring(self) return "DBD.SQLite3.Connection: " .. self._path; end

-- A statement to execute, or nil and what is wrong with it.
function connection_methods:prepare(sql)
	if type(sql) ~= "string" and type(sql) ~= "number" then
		error("bad argument #2 to 'prepare' (string expected, got " .. type(sql) .. ")", 2);
	end
	if not self:ping() then return nil, "Database not available"; end
	sql = tostring(sql);
	local parameters, err = server.db_prepare(self._database, sql);
	if not parameters then return nil, "Error preparing statement handle: " .. tostring(err); end
	return setmetatable({
		_database = self._database; _connection = self; _sql = sql; _parameters = parameters;
	}, statement_mt);
end

function connection_methods:autocommit(on)
	return (server.db_autocommit(self._database, on)) or false;
end

function connection_methods:commit() return (server.db_commit(self._database)) or false; end
function connection_methods:rollback() return (server.db_rollback(self._database)) or false; end
function connection_methods:ping() return server.db_is_open(self._database); end

function connection_methods:close()
	if not self:ping() then return false; end
	return (server.db_close(self._database)) or false;
end

function connection_methods:quote(text)
	if not self:ping() then error("Database not available", 2); end
	return (s_gsub(text, "'", "''"));
end

-- The number of the row that was inserted last.
function connection_methods:last_id()
	if not self:ping() then error("Database not available", 2); end
	return self._last_id or 0;
end

-- Call f with the database to itself, and how many such calls are under way.
function connection_methods:exclusively(f)
	return server.db_exclusive(self._database, f);
end

-- The library -----------------------------------------------------------------------------------

local DBI = { _VERSION = "0.7" };

function DBI.Drivers() return { "SQLite3" }; end

-- A connection, or nil and why there is none. Raises for a driver that does not exist.
function DBI.Connect(driver, path, _user, _password, _host, _port)
	if driver ~= "SQLite3" then
		error(s_format("Cannot load driver %s. Available drivers are: SQLite3. %s",
			tostring(driver), INSTEAD), 2);
	end
	if type(path) ~= "string" then
		error("bad argument #2 to 'Connect' (string expected, got " .. type(path) .. ")", 2);
	end
	local database, err = server.db_connect(path);
	if not database then return nil, "Failed to connect to database: " .. tostring(err); end
	return setmetatable({ _database = database; _path = path }, connection_mt);
end

-- Run one statement; the number of rows changed, or false and why not.
function DBI.Do(connection, sql, ...)
	local statement, err = connection:prepare(sql);
	if not statement then return false, err; end
	local ok, reason = statement:execute(...);
	if not ok then return false, reason; end
	return statement:affected();
end

return DBI;
