// An app that lets in only who came by the door. Needs jose (npm install jose).
//     PORT=8000 SERVER=shop-a DOOR=https://www.example.org node app.mjs
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const { PORT, SERVER, DOOR, SECURE = '' } = process.env
const LIFE_MS = 60_000
const SESSIONS_MAX = 10_000

const keys = createRemoteJWKSet(new URL(`${DOOR}/.well-known/jwks.json`))
const used = new Map() // ticket's id -> when it may be forgotten
const sessions = new Map() // session -> who

/** Whose ticket this is; throws when it is not good, or not for the first time. */
async function redeem (ticket) {
  const { payload } = await jwtVerify(ticket, keys, {
    algorithms: ['EdDSA'],
    issuer: DOOR, // ROUTER_URL of Usher
    audience: SERVER, // this server's name there
    requiredClaims: ['sub', 'exp', 'jti']
  })
  const now = Date.now()
  for (const [id, until] of used) if (until < now) used.delete(id)
  if (used.has(payload.jti)) throw new Error('this ticket was used before')
  used.set(payload.jti, now + LIFE_MS)
  return payload.sub
}

/** Of one who has come by the door; the oldest sessions give way. */
function newSession (visitor) {
  const session = randomBytes(16).toString('base64url')
  if (sessions.size === SESSIONS_MAX) sessions.delete(sessions.keys().next().value)
  sessions.set(session, visitor)
  return session
}

http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://app')
  const [, session] = /(?:^|; )app_session=([\w-]+)/.exec(request.headers.cookie ?? '') ?? []
  let visitor = sessions.get(session)
  const ticket = url.searchParams.get('usher_ticket')
  if (visitor === undefined && ticket !== null) {
    try {
      visitor = await redeem(ticket)
    } catch (error) {
      response.writeHead(403, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' })
      response.end(`No entry: ${error.message}\n`)
      return
    }
    response.setHeader('Set-Cookie',
      `app_session=${newSession(visitor)}; Path=/; HttpOnly; SameSite=Lax${SECURE && '; Secure'}`)
  }
  if (visitor === undefined) {
    response.writeHead(302, { Location: DOOR + request.url, 'Cache-Control': 'no-store' }).end()
    return
  }
  response.writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'private, no-store' })
  response.end(`<!doctype html><title>Shop</title>
<script src="${DOOR}/usher.js" data-server="${SERVER}" defer></script>
<p>Welcome, ${visitor}\n`)
}).listen(PORT, '127.0.0.1')
