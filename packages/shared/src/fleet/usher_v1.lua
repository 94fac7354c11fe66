#!lua name=usher_v1
--[[
The fleet's count, in the engine: which servers there are, how many users each has, which places are
held, and which node is alive. Choosing a server and holding a place there is one step. Who is active
where is not known here, only how many; that stands in each node's own table.

Every function has one key, the fleet's prefix P (`usher:{NAME}`, so that all keys are in one slot),
and begins with the same: it forgets nodes whose lease has ended and places whose time is over. Its
answer is a list: a status, the engine's time in milliseconds, and what follows OK below. A function
with SENT (the engine's time when the call was sent) does nothing when that is more than 500 ms away,
and answers LATE. Others: WARM, nobody is placed yet; UNKNOWN, the node has to join (again).

  usher_v1_join P SENT NODE RUN (NAME URL CAPACITY SHARE)...    OK number fed index...
      All servers of the node; those that it had already keep their index and users, those that are
      left out go. CAPACITY 0: as many as come. SHARE 0: takes no visitors. A server of share 2 is to
      have twice the users of one of share 1. RUN tells one process of a node from the next.
      TAKEN until: another process is the node of this name, as long as its lease lasts.
  usher_v1_leave P SENT NODE RUN                                OK
      The node goes with its servers and the places there; what its router placed elsewhere stands.
  usher_v1_drain P SENT NODE RUN (INDEX SHARE)...               OK
      Other shares for some servers of the node.
  usher_v1_place P SENT NUMBER HOLD_MS VISITORS                 OK answers
      VISITORS: client17 hint2 refused2, again and again. A client that holds a place keeps it, for
      HOLD_MS from now. Else one that is at server `hint` stays there where that has the fewest without
      it, and holds none; else it gets a place at the one with the fewest users for its share that is
      not full. At server `refused` it holds no place any more and gets none: that has refused it.
      NUMBER is the node's own: it is not told of places at its own servers. Answers: 2 bytes for
      each visitor, an index, 0 (no server takes visitors) or 65535 (all that do are full, or `refused`).
  usher_v1_report P SENT NODE RUN SEQ FED ARRIVED RELEASED TOLD (INDEX ACTIVE)...
                                                                OK view warm fed news
      ARRIVED: index2 from2 at6 client17, who has come to the server, and where it was before (0:
      nowhere). Index 0: that it has come was told before; it may hold another place by now. AT, here
      and below: when it was placed there, by the engine's time; of a visitor's two places the later
      one is where it is.
      RELEASED: index2 client17, a place that is not used (index 0: wherever it is held).
      TOLD: index2 tenths2 at6 client17, a place that the node's router holds, and for how long still;
      one that is held anywhere stands. ACTIVE: how many are active on the server, read after ARRIVED.
      Answers: the view's version, 1 while nobody is placed yet, how many parcels of news have been
      sent to the node in all, and those that are new to who has had FED of them:
        R index2 from2 tenths2 at6 client17  a place at its server is held for a visitor
        X index2 client17                    it is held no more
        G index2 at6 client17                who was active at its server has come to another node's
      OLD: a report with this or a later SEQ has been counted.
  usher_v1_view P                                               OK view warm nodes servers
      nodes: name, lease until; servers: index, node, name, url, active, held, capacity, share.

Numbers in texts are big-endian. A client is a letter for its kind and 16 bytes.

  P:meta    hash   format, last (call), warm (until), index and node (given last), view (version)
  P:order   zset   index in 5 digits -> load / share of servers that take visitors, FULL for full ones
  P:load    hash   index -> active, held, capacity, share, node's number (4 4 4 4 2 bytes)
  P:about   hash   index -> node, name and URL, in lines
  P:held    zset   client -> end in tenths of a second * 65536 + index
  P:lease   zset   node -> until
  P:node:N  hash   number, run, seq, fed, servers (indexes)
  P:feed:n  list   news for the node with this number, a parcel from each call
--]]

-- Raised with each change of this text: a node brings a newer one with it, and leaves a newer one alone.
local REVISION = 3
local FORMAT = '2'
local LEASE_MS, GAP_MS, WARM_MS, LATE_MS = 2000, 1000, 1000, 500
local INDEX_MAX, NONE, ALL_FULL = 65534, 0, 65535
local FULL = 1e15
-- Of a call: what falls due beyond that waits for the next one.
local EXPIRED_MAX, DEAD_MAX, PARCELS_MAX = 2000, 8, 1000
-- What unpack and the stack of Lua allow with room to spare.
local CHUNK = 1000
local CLIENT_BYTES = 17
local LOAD = '>I4I4I4I4I2'

local function number(text)
  return text and tonumber(text) or 0
end

local function engine_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function member_of(index)
  return string.format('%05d', index)
end

local function uint16(text, at)
  local high, low = string.byte(text, at, at + 1)
  return high * 256 + low
end

local function bytes2(value)
  return string.char(math.floor(value / 256), value % 256)
end

local function bytes6(value)
  return struct.pack('>I6', value)
end

local function index_of(held)
  return held and tonumber(held) % 65536 or 0
end

local function users_of(server)
  return server.active + server.held
end

local function is_full(server)
  return server.capacity > 0 and users_of(server) >= server.capacity
end

-- The servers as one call reads and changes them; written once, at its end.
local Servers = {}
Servers.__index = Servers

function Servers.of(P)
  return setmetatable({ P = P, known = {}, changed = {}, news = {} }, Servers)
end

-- Reads those that are not known yet, in one go.
function Servers:fetch(indexes)
  local missing = {}
  for _, index in ipairs(indexes) do
    if self.known[index] == nil then missing[#missing + 1] = index end
  end
  for first = 1, #missing, CHUNK do
    local last = math.min(#missing, first + CHUNK - 1)
    local loads = redis.call('HMGET', self.P .. ':load', unpack(missing, first, last))
    for at = first, last do
      local load = loads[at - first + 1]
      local server = false
      if load then
        server = {}
        server.active, server.held, server.capacity, server.share, server.node = struct.unpack(LOAD, load)
      end
      self.known[missing[at]] = server
    end
  end
end

-- Nil for one that is gone.
function Servers:get(index)
  if index < 1 or index > INDEX_MAX then return nil end
  if self.known[index] == nil then self:fetch({ index }) end
  return self.known[index] or nil
end

-- Nil for one that is gone or takes no visitors.
function Servers:open(index)
  local server = self:get(index)
  return server and server.share > 0 and server or nil
end

function Servers:put(index, server)
  self.known[index] = server
  self.changed[index] = true
end

-- Changes how many places are held there.
function Servers:hold(index, count)
  local server = self:get(index)
  if server then
    server.held = math.max(0, server.held + count)
    self.changed[index] = true
  end
  return server
end

function Servers:drop(index)
  self.known[index] = false
  self.changed[index] = nil
  redis.call('HDEL', self.P .. ':load', index)
  redis.call('HDEL', self.P .. ':about', index)
  redis.call('ZREM', self.P .. ':order', member_of(index))
end

-- For the node of a server.
function Servers:tell(node, text)
  local list = self.news[node]
  if list then list[#list + 1] = text else self.news[node] = { text } end
end

function Servers:save()
  local loads, open, closed = {}, {}, {}
  for index in pairs(self.changed) do
    local server = self.known[index]
    loads[#loads + 1] = index
    loads[#loads + 1] = struct.pack(LOAD, server.active, server.held, server.capacity, server.share, server.node)
    if server.share > 0 then
      open[#open + 1] = is_full(server) and FULL or users_of(server) / server.share
      open[#open + 1] = member_of(index)
    else
      closed[#closed + 1] = member_of(index)
    end
  end
  for first = 1, #loads, CHUNK do
    redis.call('HSET', self.P .. ':load', unpack(loads, first, math.min(#loads, first + CHUNK - 1)))
  end
  for first = 1, #open, CHUNK do
    redis.call('ZADD', self.P .. ':order', unpack(open, first, math.min(#open, first + CHUNK - 1)))
  end
  for first = 1, #closed, CHUNK do
    redis.call('ZREM', self.P .. ':order', unpack(closed, first, math.min(#closed, first + CHUNK - 1)))
  end
  for node, list in pairs(self.news) do
    redis.call('RPUSH', self.P .. ':feed:' .. node, table.concat(list))
  end
  self.changed, self.news = {}, {}
end

-- What a node has; nil for one that is not there.
local function node_of(P, name)
  local node = redis.call('HMGET', P .. ':node:' .. name, 'number', 'run', 'seq', 'fed', 'servers')
  if not node[1] then return nil end
  local indexes = {}
  for index in string.gmatch(node[5], '%d+') do indexes[#indexes + 1] = tonumber(index) end
  return { number = number(node[1]), run = node[2], seq = number(node[3]), fed = number(node[4]), servers = indexes }
end

local function raise_view(P)
  redis.call('HINCRBY', P .. ':meta', 'view', 1)
end

-- Places held at its servers go with these: nobody counts them any more.
local function forget_node(P, servers, name)
  local node = node_of(P, name)
  redis.call('ZREM', P .. ':lease', name)
  if not node then return end
  for _, index in ipairs(node.servers) do servers:drop(index) end
  redis.call('DEL', P .. ':node:' .. name, P .. ':feed:' .. node.number)
  raise_view(P)
end

local function end_leases(P, servers, now)
  local ended = redis.call('ZRANGE', P .. ':lease', '-inf', '(' .. string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, DEAD_MAX)
  for _, name in ipairs(ended) do forget_node(P, servers, name) end
end

local function end_places(P, servers, now)
  local latest = '(' .. string.format('%.0f', (math.floor(now / 100) + 1) * 65536)
  local due = redis.call('ZRANGE', P .. ':held', '-inf', latest, 'BYSCORE', 'LIMIT', 0, EXPIRED_MAX, 'WITHSCORES')
  if #due == 0 then return end
  local clients, counts, indexes = {}, {}, {}
  for at = 1, #due, 2 do
    local index = index_of(due[at + 1])
    clients[#clients + 1] = due[at]
    if not counts[index] then indexes[#indexes + 1] = index end
    counts[index] = (counts[index] or 0) + 1
  end
  redis.call('ZREM', P .. ':held', unpack(clients))
  servers:fetch(indexes)
  for index, count in pairs(counts) do servers:hold(index, -count) end
end

-- Nobody called for a second: the engine was away, not the nodes.
local function extend_leases(P, now)
  for _, name in ipairs(redis.call('ZRANGE', P .. ':lease', 0, -1)) do
    redis.call('ZADD', P .. ':lease', now + LEASE_MS, name)
  end
end

-- Returns whether nobody is to be placed yet.
local function begin(P, servers, now)
  local meta = redis.call('HMGET', P .. ':meta', 'format', 'last', 'warm')
  local last, warm = number(meta[2]), number(meta[3])
  if not meta[1] then
    warm = now + WARM_MS
    -- A view of before is never taken for one of now.
    redis.call('HSET', P .. ':meta', 'format', FORMAT, 'last', now, 'warm', warm, 'view', now)
  elseif meta[1] ~= FORMAT then
    error(redis.error_reply('USHERFORMAT the fleet is kept by another version of Usher: its format is ' .. meta[1] ..
      ', that of usher_v1 is ' .. FORMAT))
  elseif now - last > GAP_MS then
    extend_leases(P, now)
    warm = now + WARM_MS
    redis.call('HSET', P .. ':meta', 'last', now, 'warm', warm)
  elseif now ~= last then
    redis.call('HSET', P .. ':meta', 'last', now)
  end
  end_leases(P, servers, now)
  end_places(P, servers, now)
  servers:save()
  return now < warm
end

-- work(call, args): call has P, now, servers, is_warm; it returns a status and what follows the time.
local function register(name, is_timed, work)
  redis.register_function('usher_v1_' .. name, function(keys, args)
    local P, now = keys[1], engine_ms()
    local servers = Servers.of(P)
    local is_warm = begin(P, servers, now)
    if is_timed and math.abs(now - number(args[1])) > LATE_MS then return { 'LATE', now } end
    local reply = { '', now }
    reply[1] = work({ P = P, now = now, servers = servers, is_warm = is_warm, reply = reply }, args)
    servers:save()
    return reply
  end)
end

-- The node that calls; nil where it is not there, or another process is it.
local function caller(P, name, run)
  local node = node_of(P, name)
  return node and node.run == run and node or nil
end

local function new_index(P)
  repeat
    local index = (redis.call('HINCRBY', P .. ':meta', 'index', 1) - 1) % INDEX_MAX + 1
    if redis.call('HEXISTS', P .. ':load', index) == 0 then return index end
  until false
end

-- Index and description by the server's name.
local function servers_by_name(P, node)
  local by_name = {}
  for _, index in ipairs(node.servers) do
    local about = redis.call('HGET', P .. ':about', index)
    by_name[string.match(about, '\n(.-)\n')] = { index = index, about = about }
  end
  return by_name
end

register('join', true, function(call, args)
  local P, servers, name, run = call.P, call.servers, args[2], args[3]
  local node = node_of(P, name)
  if node and node.run ~= run then
    call.reply[3] = number(redis.call('ZSCORE', P .. ':lease', name))
    return 'TAKEN'
  end
  local is_new = not node
  if is_new then
    node = { number = redis.call('HINCRBY', P .. ':meta', 'node', 1), fed = 0, servers = {} }
    redis.call('HSET', P .. ':node:' .. name, 'number', node.number, 'run', run, 'seq', 0, 'fed', 0)
  end
  local before, indexes, is_changed = servers_by_name(P, node), {}, is_new
  for at = 4, #args, 4 do
    local about = name .. '\n' .. args[at] .. '\n' .. args[at + 1]
    local old = before[args[at]]
    local index = old and old.index or new_index(P)
    local server = old and servers:get(index) or { active = 0, held = 0, node = node.number }
    server.capacity, server.share = tonumber(args[at + 2]), tonumber(args[at + 3])
    servers:put(index, server)
    if not old or old.about ~= about then
      redis.call('HSET', P .. ':about', index, about)
      is_changed = true
    end
    before[args[at]] = nil
    indexes[#indexes + 1] = index
  end
  for _, old in pairs(before) do
    servers:drop(old.index)
    is_changed = true
  end
  redis.call('HSET', P .. ':node:' .. name, 'servers', table.concat(indexes, ' '))
  redis.call('ZADD', P .. ':lease', call.now + LEASE_MS, name)
  if is_changed then raise_view(P) end
  local reply = call.reply
  reply[3], reply[4] = node.number, node.fed
  for at, index in ipairs(indexes) do reply[at + 4] = index end
  return 'OK'
end)

register('leave', true, function(call, args)
  if not caller(call.P, args[2], args[3]) then return 'UNKNOWN' end
  forget_node(call.P, call.servers, args[2])
  return 'OK'
end)

register('drain', true, function(call, args)
  local node = caller(call.P, args[2], args[3])
  if not node then return 'UNKNOWN' end
  for at = 4, #args, 2 do
    local index = tonumber(args[at])
    local server = call.servers:get(index)
    if server and server.node == node.number then
      server.share = tonumber(args[at + 1])
      call.servers:put(index, server)
    end
  end
  return 'OK'
end)

-- The open servers with a place free, the one with the fewest users for its share on top. Ties go to
-- the lowest index.
local Heap = {}
Heap.__index = Heap

function Heap.of(servers, indexes)
  local heap = setmetatable({ servers = servers, indexes = {}, scores = {}, places = {} }, Heap)
  for _, index in ipairs(indexes) do heap:update(index) end
  return heap
end

function Heap:is_before(a, b)
  local score_a, score_b = self.scores[a], self.scores[b]
  return score_a < score_b or (score_a == score_b and a < b)
end

function Heap:set(place, index)
  self.indexes[place] = index
  self.places[index] = place
end

function Heap:rise(place)
  local indexes = self.indexes
  local index = indexes[place]
  while place > 1 do
    local above = math.floor(place / 2)
    if not self:is_before(index, indexes[above]) then break end
    self:set(place, indexes[above])
    place = above
  end
  self:set(place, index)
end

function Heap:sink(place)
  local indexes = self.indexes
  local index, count = indexes[place], #indexes
  while 2 * place <= count do
    local below = 2 * place
    if below < count and self:is_before(indexes[below + 1], indexes[below]) then below = below + 1 end
    if not self:is_before(indexes[below], index) then break end
    self:set(place, indexes[below])
    place = below
  end
  self:set(place, index)
end

-- After the load of a server has changed.
function Heap:update(index)
  local server = self.servers:open(index)
  local place = self.places[index]
  if not server or is_full(server) then
    if place then self:remove(place) end
    return
  end
  local before, score = self.scores[index], users_of(server) / server.share
  self.scores[index] = score
  if not place then
    self:set(#self.indexes + 1, index)
    self:rise(#self.indexes)
  elseif score < before then
    self:rise(place)
  else
    self:sink(place)
  end
end

function Heap:remove(place)
  local last = #self.indexes
  local moved = self.indexes[last]
  self.places[self.indexes[place]] = nil
  self.indexes[last] = nil
  if place == last then return end
  self:set(place, moved)
  self:rise(place)
  self:sink(self.places[moved])
end

-- The best one but this.
function Heap:best_but(index)
  local indexes = self.indexes
  if indexes[1] ~= index then return indexes[1] end
  local second, third = indexes[2], indexes[3]
  return third and self:is_before(third, second) and third or second
end

-- Whether one who is at the server stays: it has the fewest, not counting the visitor.
local function stays(servers, heap, hint, refused)
  local server = hint ~= refused and servers:open(hint)
  if not server then return false end
  local best = heap:best_but(refused)
  return best == nil or (users_of(server) - 1) / server.share <= heap.scores[best]
end

register('place', true, function(call, args)
  if call.is_warm then return 'WARM' end
  local P, now, servers = call.P, call.now, call.servers
  local caller_number, hold_ms, visitors = number(args[2]), number(args[3]), args[4]
  local step = CLIENT_BYTES + 4
  local clients, hints, refused, refusals = {}, {}, {}, 0
  for at = 1, #visitors, step do
    clients[#clients + 1] = string.sub(visitors, at, at + CLIENT_BYTES - 1)
    hints[#hints + 1] = uint16(visitors, at + CLIENT_BYTES)
    refused[#refused + 1] = uint16(visitors, at + CLIENT_BYTES + 2)
    if refused[#refused] > 0 then refusals = refusals + 1 end
  end
  -- Each visitor fills one server at most, and passes over one at most: no more are looked at.
  local order = redis.call('ZRANGE', P .. ':order', 0, #clients + refusals)
  local indexes = {}
  for at, member in ipairs(order) do indexes[at] = tonumber(member) end
  local held = redis.call('ZMSCORE', P .. ':held', unpack(clients))
  local is_known = {}
  for _, index in ipairs(indexes) do is_known[index] = true end
  local others = {}
  for at = 1, #clients do
    local index = index_of(held[at])
    if index == 0 then index = hints[at] end
    if index > 0 and index <= INDEX_MAX and not is_known[index] then
      is_known[index] = true
      others[#others + 1] = index
    end
  end
  for _, index in ipairs(indexes) do others[#others + 1] = index end
  servers:fetch(others)
  local heap = Heap.of(servers, indexes)
  local tenths = math.ceil(hold_ms / 100)
  local ends = (math.floor(now / 100) + 1 + tenths) * 65536
  local chosen_at = bytes6(now)
  local answers, given, ends_of = {}, {}, {}
  for at, client in ipairs(clients) do
    local answer
    local current = given[client] or index_of(held[at])
    local is_held = current > 0 and current ~= refused[at] and servers:open(current)
    if current > 0 and not is_held then
      local server = servers:hold(current, -1)
      heap:update(current)
      if server and server.node ~= caller_number then servers:tell(server.node, 'X' .. bytes2(current) .. client) end
      redis.call('ZREM', P .. ':held', client)
      given[client], ends_of[client] = 0, nil
    end
    if is_held then
      answer = current
    elseif hints[at] > 0 and stays(servers, heap, hints[at], refused[at]) then
      answer = hints[at]
    else
      answer = heap:best_but(refused[at])
      if answer then
        servers:hold(answer, 1)
        heap:update(answer)
        is_held = servers:get(answer)
        given[client] = answer
      end
    end
    if is_held then
      ends_of[client] = ends + answer
      if is_held.node ~= caller_number then
        servers:tell(is_held.node, 'R' .. bytes2(answer) .. bytes2(hints[at]) .. bytes2(math.min(tenths, 65535)) .. chosen_at .. client)
      end
    end
    answers[at] = bytes2(answer or (#order == 0 and NONE or ALL_FULL))
  end
  local places = {}
  for client, place in pairs(ends_of) do
    places[#places + 1] = place
    places[#places + 1] = client
  end
  for first = 1, #places, CHUNK do
    redis.call('ZADD', P .. ':held', unpack(places, first, math.min(#places, first + CHUNK - 1)))
  end
  call.reply[3] = table.concat(answers)
  return 'OK'
end)

-- index2 extra(bytes) client, again and again, in chunks: work(clients, indexes, extras, held). Of a
-- client that comes twice in a chunk the first counts.
local function each_chunk(P, text, extra_bytes, work)
  local step = 2 + extra_bytes + CLIENT_BYTES
  for first = 1, #text, step * CHUNK do
    local clients, indexes, extras, is_there = {}, {}, {}, {}
    for at = first, math.min(#text, first + step * CHUNK - 1), step do
      local client = string.sub(text, at + 2 + extra_bytes, at + step - 1)
      if not is_there[client] then
        is_there[client] = true
        clients[#clients + 1] = client
        indexes[#indexes + 1] = uint16(text, at)
        extras[#extras + 1] = string.sub(text, at + 2, at + 1 + extra_bytes)
      end
    end
    work(clients, indexes, extras, redis.call('ZMSCORE', P .. ':held', unpack(clients)))
  end
end

-- Came to the place, or to another one: either way it is not held any more.
local function take_arrived(call, node, text)
  local P, servers = call.P, call.servers
  each_chunk(P, text, 8, function(clients, indexes, extras, held)
    local gone = {}
    for at, client in ipairs(clients) do
      local index = index_of(held[at])
      if index > 0 and indexes[at] > 0 then
        gone[#gone + 1] = client
        local server = servers:hold(index, -1)
        if server and index ~= indexes[at] and server.node ~= node.number then
          servers:tell(server.node, 'X' .. bytes2(index) .. client)
        end
      end
      local from = uint16(extras[at], 1)
      local earlier = from > 0 and from ~= indexes[at] and servers:get(from)
      if earlier and earlier.node ~= node.number then
        servers:tell(earlier.node, 'G' .. bytes2(from) .. string.sub(extras[at], 3) .. client)
      end
    end
    if #gone > 0 then redis.call('ZREM', P .. ':held', unpack(gone)) end
  end)
end

local function take_released(call, node, text)
  local P, servers = call.P, call.servers
  each_chunk(P, text, 0, function(clients, indexes, _, held)
    local gone = {}
    for at, client in ipairs(clients) do
      local index = index_of(held[at])
      if index > 0 and (indexes[at] == 0 or indexes[at] == index) then
        gone[#gone + 1] = client
        local server = servers:hold(index, -1)
        if server and server.node ~= node.number then servers:tell(server.node, 'X' .. bytes2(index) .. client) end
      end
    end
    if #gone > 0 then redis.call('ZREM', P .. ':held', unpack(gone)) end
  end)
end

-- Whatever is held for a client stands: told twice it is counted once.
local function take_told(call, node, text)
  local P, servers = call.P, call.servers
  each_chunk(P, text, 8, function(clients, indexes, extras, held)
    local places = {}
    for at, client in ipairs(clients) do
      local server = not held[at] and servers:get(indexes[at])
      if server then
        servers:hold(indexes[at], 1)
        local tenths = uint16(extras[at], 1)
        places[#places + 1] = (math.floor(call.now / 100) + 1 + tenths) * 65536 + indexes[at]
        places[#places + 1] = client
        if server.node ~= node.number then
          servers:tell(server.node, 'R' .. bytes2(indexes[at]) .. bytes2(0) .. extras[at] .. client)
        end
      end
    end
    for first = 1, #places, CHUNK do
      redis.call('ZADD', P .. ':held', unpack(places, first, math.min(#places, first + CHUNK - 1)))
    end
  end)
end

-- Parcels are kept until a report says that they have come.
local function news_for(call, name, node, had)
  local feed = call.P .. ':feed:' .. node.number
  if had > node.fed then
    redis.call('LTRIM', feed, had - node.fed, -1)
    redis.call('HSET', call.P .. ':node:' .. name, 'fed', had)
    node.fed = had
  end
  local parcels = redis.call('LRANGE', feed, 0, PARCELS_MAX - 1)
  return node.fed + #parcels, table.concat(parcels)
end

register('report', true, function(call, args)
  local P, servers, name = call.P, call.servers, args[2]
  local node = caller(P, name, args[3])
  if not node then return 'UNKNOWN' end
  local seq = number(args[4])
  if seq <= node.seq then return 'OLD' end
  redis.call('HSET', P .. ':node:' .. name, 'seq', seq)
  redis.call('ZADD', P .. ':lease', call.now + LEASE_MS, name)
  servers:fetch(node.servers)
  take_arrived(call, node, args[6])
  take_released(call, node, args[7])
  take_told(call, node, args[8])
  for at = 9, #args, 2 do
    local index = tonumber(args[at])
    local server = servers:get(index)
    if server and server.node == node.number and server.active ~= tonumber(args[at + 1]) then
      server.active = tonumber(args[at + 1])
      servers:put(index, server)
    end
  end
  servers:save()
  local reply = call.reply
  reply[3] = number(redis.call('HGET', P .. ':meta', 'view'))
  reply[4] = call.is_warm and 1 or 0
  reply[5], reply[6] = news_for(call, name, node, number(args[5]))
  return 'OK'
end)

register('view', false, function(call)
  local P, reply = call.P, call.reply
  local servers = {}
  local about = redis.call('HGETALL', P .. ':about')
  local indexes = {}
  for at = 1, #about, 2 do indexes[#indexes + 1] = tonumber(about[at]) end
  call.servers:fetch(indexes)
  for at, index in ipairs(indexes) do
    local node, name, url = string.match(about[2 * at], '^(.-)\n(.-)\n(.*)$')
    local server = call.servers:get(index)
    servers[at] = { index, node, name, url, server.active, server.held, server.capacity, server.share }
  end
  reply[3] = number(redis.call('HGET', P .. ':meta', 'view'))
  reply[4] = call.is_warm and 1 or 0
  reply[5] = redis.call('ZRANGE', P .. ':lease', 0, -1, 'WITHSCORES')
  reply[6] = servers
  return 'OK'
end)

redis.register_function('usher_v1_revision', function() return REVISION end)
