-- Sends prepared requests for ever and prints one line of JSON at the end.
-- Arguments: FILE, then any of the words
--   targets  FILE holds request targets, a line each: a GET to each, in turn, from a place drawn by lot.
--            Without it FILE is one request's octets; where they hold MARK, each one sent has another number there
--            (VARIANTS of them, in turn)
--   count    count every status but 307 as strange (a `response` function makes wrk slower)

local threads = {}
local MARK = "00000000-0000-0000-0000-000000000000"
local VARIANTS = 4093
local HOST = "www.example.com"

function setup(thread)
  table.insert(threads, thread)
end

-- Only a global `request` is asked for each request: wrk sends what `wrk.format` made once over and over.
local function in_turn(requests, next)
  local count = #requests
  function request()
    next = next % count + 1
    return requests[next]
  end
end

local function marked(octets, first, last)
  local variants = {}
  for number = 1, VARIANTS do
    local id = string.format("%08x-6a43-4f6c-9a55-%012x", number * 1048583, number)
    variants[number] = octets:sub(1, first - 1) .. id .. octets:sub(last + 1)
  end
  in_turn(variants, 0)
end

local function targets(path)
  local requests = {}
  for target in io.lines(path) do
    requests[#requests + 1] = "GET " .. target .. " HTTP/1.1\r\nHost: " .. HOST .. "\r\n\r\n"
  end
  math.randomseed(os.time())
  in_turn(requests, math.random(0, #requests - 1))
end

local function one(path)
  local file = assert(io.open(path, "rb"))
  local octets = file:read("*a")
  file:close()
  local first, last = octets:find(MARK, 1, true)
  if first then
    marked(octets, first, last)
  else
    wrk.format = function() return octets end
  end
end

function init(args)
  local words = {}
  for number = 2, #args do words[args[number]] = true end
  if words.targets then targets(args[1]) else one(args[1]) end
  strange = 0
  if words.count then
    response = function(status) if status ~= 307 then strange = strange + 1 end end
  end
end

function done(summary, latency)
  local strange = 0
  for _, thread in ipairs(threads) do strange = strange + (thread:get("strange") or 0) end
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"strange":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,'
    .. '"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, strange, e.status, e.connect, e.read, e.write, e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
