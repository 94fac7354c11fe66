-- The visitors of the benchmark, for wrk: the heads that Chromium 156 on Linux sends for a page and
-- for a beat, seen there. Arguments: `same` or `differ`, then `page`, `away` or `beat`, then `keep`
-- or `close`.
--   same    every connection sends the same head again; the connections of one of wrk's threads
--           are one visitor, for wrk does not say which connection it asks for
--   differ  each request differs from the last ones: 60 paths, 8 browsers, and each visitor's
--           own cookie
-- Prints what came of it as one line of JSON.

local PATHS, BROWSERS, VISITORS = 60, 8, 4800
local thread_count = 0

function setup (thread)
  thread:set('number', thread_count)
  thread_count = thread_count + 1
end

-- Visitors of the two shapes are not the same ones.
local function cookie (visitor)
  return string.format('theme=dark; client_id=%08x-5eed-4000-8000-000000000000', visitor)
end

local function head (path, is_beat, host, version, visitor, is_last, asked)
  local browser = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ' ..
    'Chrome/' .. version .. '.0.0.0 Safari/537.36'
  local brands = '"Not:A-Brand";v="8", "Chromium";v="' .. version .. '"'
  local lines = {
    'GET ' .. path .. ' HTTP/1.1',
    'Host: ' .. host,
    'Connection: ' .. (is_last and 'close' or 'keep-alive')
  }
  local function add (line) lines[#lines + 1] = line end
  if is_beat then
    add('sec-ch-ua-platform: "Linux"')
    add('User-Agent: ' .. browser)
    add('sec-ch-ua: ' .. brands)
    add('sec-ch-ua-mobile: ?0')
    add('Accept: */*')
    add('Sec-Fetch-Site: same-origin')
    add('Sec-Fetch-Mode: cors')
    add('Sec-Fetch-Dest: empty')
    add('Referer: http://' .. host .. '/')
  else
    add('sec-ch-ua: ' .. brands)
    add('sec-ch-ua-mobile: ?0')
    add('sec-ch-ua-platform: "Linux"')
    add('Upgrade-Insecure-Requests: 1')
    add('User-Agent: ' .. browser)
    add('Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,' ..
      'image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7')
    add('Sec-Fetch-Site: none')
    add('Sec-Fetch-Mode: navigate')
    add('Sec-Fetch-User: ?1')
    add('Sec-Fetch-Dest: document')
  end
  if asked then
    add('X-Original-URI: ' .. asked)
    add('X-Forwarded-Method: GET')
    add('X-Forwarded-For: 127.0.0.1')
    add('X-Forwarded-Proto: https')
  end
  add('Accept-Encoding: gzip, deflate, br, zstd')
  add('Accept-Language: en-US,en;q=0.9')
  add('Cookie: ' .. cookie(visitor))
  return table.concat(lines, '\r\n') .. '\r\n\r\n'
end

function init (args)
  local shape, service, connection = args[1], args[2], args[3]
  local is_beat, is_last = service == 'beat', connection == 'close'
  local is_decision = service == 'decide'
  local host = wrk.headers['Host']
  local prefix = wrk.path == '/' and '' or wrk.path
  local function page_path (page)
    return prefix .. '/' .. (page == nil and 'index.html' or 'p' .. page .. '.html')
  end
  local function path (page)
    if is_beat then return '/heartbeat' end
    return is_decision and '/decide' or page_path(page)
  end
  if shape == 'same' then
    local only = head(path(), is_beat, host, 156, number, is_last, is_decision and page_path())
    wrk.format = function () return only end
  else
    -- wrk looks for `request` after this has run once; without it nothing is called per request.
    local heads = {}
    for at = 1, VISITORS do
      local page = at % PATHS
      heads[at] = head(path(page), is_beat, host, 149 + at % BROWSERS, 1000 + at, is_last,
        is_decision and page_path(page))
    end
    -- Threads begin at different places.
    local at = number * 577 % VISITORS
    request = function ()
      at = at % VISITORS + 1
      return heads[at]
    end
  end
end

function done (summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nJSON {"requests":%d,"seconds":%.6f,"p50Ms":%.4f,"p99Ms":%.4f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
