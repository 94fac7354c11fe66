-- Asks Usher's decision port for each request. Sets txn.usher_server, and for a newcomer also
-- txn.usher_client and txn.usher_set_cookie; who is denied or finds no room is answered at once.

local DECISION_URL = 'http://127.0.0.1:8082/decide'
local TIMEOUT_MS = 5000

-- What tells a person who opens a page from everything else, and one visitor from another.
local FORWARDED = {
  'cookie', 'host', 'sec-fetch-dest', 'sec-fetch-mode', 'sec-fetch-site', 'sec-purpose', 'purpose'
}

-- What a refusal says beside its page.
local TOLD = {
  'content-type', 'retry-after', 'cache-control', 'x-usher-reason', 'x-usher-location'
}

local function decide (txn)
  local sent = txn.http:req_get_headers()
  local headers = {
    ['x-original-uri'] = { txn.f:pathq() },
    ['x-forwarded-method'] = { txn.f:method() },
    ['x-forwarded-for'] = { txn.f:src() },
    ['x-forwarded-proto'] = { txn.f:ssl_fc() == 1 and 'https' or 'http' }
  }
  for _, name in ipairs(FORWARDED) do
    if sent[name] ~= nil then headers[name] = { sent[name][0] } end
  end
  local answer = core.httpclient():get{ url = DECISION_URL, headers = headers, timeout = TIMEOUT_MS }
  local function told (name)
    local values = answer.headers and answer.headers[name]
    return values and values[0]
  end

  if answer.status ~= 200 then
    local reply = txn:reply{ status = answer.status, body = answer.body or '' }
    for _, name in ipairs(TOLD) do
      if told(name) then reply:add_header(name, told(name)) end
    end
    txn:done(reply)
    return
  end
  txn:set_var('txn.usher_server', told('x-usher-server'))
  local base = told('x-usher-upstream'):match('^%w+://[^/]+(/.*)$')
  if base then txn.http:req_set_path(base .. txn.f:path()) end
  if told('set-cookie') then
    txn:set_var('txn.usher_client', told('x-usher-client'))
    txn:set_var('txn.usher_set_cookie', told('set-cookie'))
  end
end

core.register_action('usher_decide', { 'http-req' }, decide)
