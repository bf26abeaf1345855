-- Sends one prepared request for ever and prints one line of JSON at the end. Where the request holds MARK,
-- each one sent has another number there (VARIANTS of them, in turn).
-- Arguments: FILE (the request's octets) and "count" (count every status but 307) or "run" (as fast as it goes).
-- A `response` function makes wrk slower, so it exists only while counting.

local threads = {}
local MARK = "00000000-0000-0000-0000-000000000000"
local VARIANTS = 4093

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local request = file:read("*a")
  file:close()
  local first, last = request:find(MARK, 1, true)
  if first then
    local variants, next = {}, 0
    for number = 1, VARIANTS do
      local id = string.format("%08x-6a43-4f6c-9a55-%012x", number * 1048583, number)
      variants[number] = request:sub(1, first - 1) .. id .. request:sub(last + 1)
    end
    wrk.format = function()
      next = next % VARIANTS + 1
      return variants[next]
    end
  else
    wrk.format = function() return request end
  end
  strange = 0
  if args[2] == "count" then
    response = function(status) if status ~= 307 then strange = strange + 1 end end
  end
end

function done(summary)
  local strange = 0
  for _, thread in ipairs(threads) do strange = strange + (thread:get("strange") or 0) end
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"strange":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration, strange, e.status, e.connect, e.read, e.write, e.timeout))
end
