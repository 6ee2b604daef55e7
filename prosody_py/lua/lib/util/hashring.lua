-- A ring of hashes: which of several nodes is responsible for a name. Adding or removing one of n
-- nodes moves only every n-th name. new(replicas, hash function).

local ipairs, math_floor, setmetatable, tostring = ipairs, math.floor, setmetatable, tostring;
local t_insert, t_remove, t_sort = table.insert, table.remove, table.sort;

local methods = {};
local mt = { __index = methods };

local function new(replicas, hash)
	return setmetatable({ nodes = {}; points = {}; replicas = replicas; hash = hash }, mt);
end

local function sort_points(self)
	t_sort(self.points, function (a, b)
		if a.hash ~= b.hash then return a.hash < b.hash; end
		return a.node < b.node;
	end);
end

local function put(self, node)
	if self.nodes[node] ~= nil then return false; end
	self.nodes[node] = true;
	t_insert(self.nodes, node);
	for i = 1, self.replicas do
		t_insert(self.points, { hash = self.hash(tostring(node) .. ":" .. i); node = node });
	end
	return true;
end

local function drop(self, node)
	if self.nodes[node] == nil then return false; end
	self.nodes[node] = nil;
	for i = #self.nodes, 1, -1 do
		if self.nodes[i] == node then t_remove(self.nodes, i); end
	end
	for i = #self.points, 1, -1 do
		if self.points[i].node == node then t_remove(self.points, i); end
	end
	return true;
end

function methods:add_node(node)
	local added = put(self, node);
	if added then sort_points(self); end
	return added;
end

function methods:add_nodes(nodes)
	for _, node in ipairs(nodes) do put(self, node); end
	sort_points(self);
	return true;
end

function methods:remove_node(node)
	return drop(self, node);
end

function methods:remove_nodes(nodes)
	for _, node in ipairs(nodes) do drop(self, node); end
end

-- Return the node of the first point at or behind the name's hash, nil without nodes.
function methods:get_node(name)
	local points = self.points;
	if not points[1] then return nil; end
	local hash, low, high = self.hash(name), 1, #points;
	if hash > points[high].hash then return points[1].node; end
	while low < high do
		local middle = math_floor((low + high) / 2);
		if points[middle].hash < hash then low = middle + 1; else high = middle; end
	end
	return points[low].node;
end

function methods:clone()
	local copy = new(self.replicas, self.hash);
	copy:add_nodes(self.nodes);
	return copy;
end

return { new = new };
