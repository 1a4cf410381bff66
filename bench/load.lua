-- wrk -s load.lua URL -- METHOD [BODY_FILE]; prints one line of JSON at the end.
function init(arguments)
  wrk.method = arguments[1]
  if arguments[2] then
    wrk.headers["Content-Type"] = "text/xml; charset=utf-8"
    wrk.headers["SOAPAction"] = '"https://ets.org/edm/webservices/GetScores"'
    local file = assert(io.open(arguments[2], "rb"))
    wrk.body = file:read("*a")
    file:close()
  end
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"calls": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "errors": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
