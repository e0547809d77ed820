-- Counts what wrk sends. What it reports itself are the responses, and at the end some are on their way.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("first", #threads == 1)
end

function init(args)
  -- wrk has the first thread make one request more, to look at it. That one is not sent.
  sent = first and -1 or 0
end

function request()
  sent = sent + 1
  return wrk.format()
end

function done(summary, latency, requests)
  local total = 0
  for _, thread in ipairs(threads) do
    total = total + thread:get("sent")
  end
  io.write("answered: ", summary.requests, "\n")
  io.write("sent: ", total, "\n")
end
