-- SQL databases: an engine with transactions, and tables to create in it. On DBI, so SQLite.
--
-- A transaction has the database to itself until it is over, also while its function waits.

local DBI = require "DBI";
local server = require "native.server";
local schema = require "sql.schema";
local log = require "util.logger".init("sql");
local build_url = require "socket.url".build;
local assert, error, ipairs, pcall, select, setmetatable, tostring, xpcall =
	assert, error, ipairs, pcall, select, setmetatable, tostring, xpcall;
local traceback = debug.traceback;
local unpack, pack = table.unpack or unpack, table.pack;

local engine = {};
local engine_mt = { __index = engine };

-- Connecting ------------------------------------------------------------------------------------

local function connect(self)
	if self.conn then return true; end -- by another meanwhile, or it is asked for by onconnect
	local params = self.params;
	local ok, connection, err = pcall(DBI.Connect, params.driver, params.database,
		params.username, params.password, params.host, params.port);
	if not ok then return false, connection; end
	if not connection then return nil, err; end
	connection:autocommit(true); -- outside of transactions
	self.conn, self.prepared = connection, {};
	local ready, why = self:set_encoding();
	if ready then ready, why = self:onconnect(); end
	if ready == false then
		self.conn = nil;
		return false, why;
	end
	self._ready = true;
	return true;
end

-- Connect unless that is done. Those who come meanwhile wait until all of it is.
function engine:connect()
	if self.conn and self._ready then return true; end
	return server.lock_call(self._lock, function () return connect(self); end);
end

-- Called after each connecting; an owner of the engine may have given another.
function engine:onconnect() return true; end

-- Have text in UTF-8; a new SQLite file has it in any case.
function engine:set_encoding()
	self.charset = "utf8";
	if self.params.driver ~= "SQLite3" then return true; end
	for row in self:select("PRAGMA encoding;") do
		if row[1] == "UTF-8" then return true; end
		return false, "the database keeps its text in " .. tostring(row[1]) .. ", not in UTF-8";
	end
	return true;
end

-- Statements ------------------------------------------------------------------------------------

function engine:prepquery(sql) return sql; end

-- Execute a statement; the statement, or nil or false and why not.
function engine:execute(sql, ...)
	local ok, err = self:connect();
	if not ok then return ok, err; end
	sql = self:prepquery(sql);
	local statement = self.prepared[sql];
	if not statement then
		statement, err = self.conn:prepare(sql);
		if not statement then return nil, err; end
		self.prepared[sql] = statement;
	end
	ok, err = statement:execute(...);
	if not ok then return ok, err; end
	return statement;
end

local function executed(self, sql, ...)
	if self._debug then log("debug", "%s with %d values", sql, select("#", ...)); end
	local statement, err = self:execute(sql, ...);
	if not statement then error(err, 0); end
	return statement;
end

-- Iterate over the rows of a query, each a list. Raises what the database says against it.
function engine:execute_query(sql, ...)
	local statement = executed(self, sql, ...);
	local rows, count, at = {}, 0, 0;
	for row in statement:rows() do -- the statement may be executed again meanwhile
		count = count + 1;
		rows[count] = row;
	end
	return function ()
		at = at + 1;
		return rows[at];
	end
end

local result_methods = {};
local result_mt = { __index = result_methods };
function result_methods:affected() return self._affected; end
function result_methods:rowcount() return self._rowcount; end

-- Execute what changes rows; the result knows how many. Raises as `execute_query`.
function engine:execute_update(sql, ...)
	local statement = executed(self, sql, ...);
	return setmetatable({
		__stmt = statement; _affected = statement:affected(); _rowcount = statement:rowcount();
	}, result_mt);
end

engine.select = engine.execute_query;
engine.insert = engine.execute_update;
engine.update = engine.execute_update;
engine.delete = engine.execute_update;

-- Write all statements to the log, without their values.
function engine:debug(on) self._debug = on and true or nil; end

-- Transactions ----------------------------------------------------------------------------------

local function explained(err)
	log("debug", "Error in a transaction: %s", traceback(tostring(err), 2));
	return err;
end

-- A transaction in a transaction ends with that; its own error undoes only what it has done.
local function marks(depth)
	if depth == 1 then return nil, nil; end
	return "SAVEPOINT inner", "ROLLBACK TO inner";
end

local function attempt(self, depth, f, arguments, count)
	local enter, undo = marks(depth);
	if enter then assert(self:execute(enter)); end
	local results = pack(xpcall(function () return f(unpack(arguments, 1, count)); end, explained));
	local ok = results[1];
	if enter then
		if not ok then self:execute(undo); end
		self:execute("RELEASE inner");
	elseif not self.conn then
		return pack(false, "the connection was closed in the middle of the transaction");
	elseif not ok then
		self.conn:rollback();
	elseif not self.conn:commit() then
		self.conn:rollback();
		return pack(false, "commit failed");
	end
	return results;
end

-- Call f(...) in a transaction: true and its results, or false and its error, and nothing is done.
function engine:transaction(f, ...)
	if self.conn and not self.conn:ping() then self.conn, self._ready = nil, nil; end
	local ok, err = self:connect();
	if not ok then return false, err; end
	local arguments, count, results = { ... }, select("#", ...), nil;
	self.conn:exclusively(function (depth)
		results = attempt(self, depth, f, arguments, count);
	end);
	return unpack(results, 1, results.n);
end

engine._transaction = engine.transaction;

-- Tables ----------------------------------------------------------------------------------------

function engine:_create_index(index)
	local statement, err = self:execute(schema.create_index(index));
	if not statement then return nil, err; end
	return statement;
end

function engine:_create_table(definition)
	local created, err = self:execute(schema.create_table(definition));
	if not created then return nil, err; end
	for _, part in ipairs(definition.__table__) do
		if schema.is_index(part) then
			local ok, why = self:_create_index(part);
			if not ok then return nil, why; end
		end
	end
	return created;
end

-- The library -----------------------------------------------------------------------------------

-- What is unique about the parameters of a database, as a text.
local function db2uri(params)
	return build_url {
		scheme = params.driver; user = params.username; password = params.password;
		host = params.host; port = params.port; path = params.database;
	};
end

-- An engine for a database; it connects when it is first used.
local function create_engine(_, params, onconnect)
	return setmetatable({
		url = db2uri(params), params = params, onconnect = onconnect, _lock = server.new_lock();
	}, engine_mt);
end

return {
	is_column = schema.is_column; is_index = schema.is_index; is_table = schema.is_table;
	is_query = function () return false; end;
	Integer = function () return "Integer()"; end; String = function () return "String()"; end;
	Column = schema.Column; Table = schema.Table; Index = schema.Index;
	create_engine = create_engine; db2uri = db2uri;
};
