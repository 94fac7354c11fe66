/** Tickets, signed and redeemed: once, at their server, while they live, by keys of ours. */
import t from 'tap'
import {
  SignJWT, UnsecuredJWT, decodeProtectedHeader, importJWK, jwtVerify, calculateJwkThumbprint
} from 'jose'
import { formatClient } from '@usher/shared/client.ts'
import { makeTicketKey, publicPart } from '@usher/shared/tickets/make-key.ts'
import { TicketRedeemer } from '@usher/shared/tickets/redeem.ts'
import { TicketSigner } from '@usher/shared/tickets/sign.ts'
import { TICKET_LENGTH_MAX, TICKET_LIFE_S } from '@usher/shared/tickets/ticket.ts'
import { UsedTickets } from '@usher/shared/tickets/used-tickets.ts'
import { whose } from '../fixtures/test-tickets.ts'
import { clientNumber } from '../memory/test-table.ts'

const ANA = clientNumber(1)
const KEY = makeTicketKey()
const SERVER = 'shop-a'
const START_MS = 1_800_000_000_000

function testTickets (routerUrl = '') {
  const clock = { wallMs: START_MS, nowMs: 5000 }
  const pass = (ms: number): void => {
    clock.wallMs += ms
    clock.nowMs += ms
  }
  const wallNow = (): number => clock.wallMs
  const used = new UsedTickets(() => clock.nowMs, wallNow)
  const newRedeemer = (): TicketRedeemer => new TicketRedeemer({
    wallNow, useOnce: (id, issuedMs) => used.useOnce(id, issuedMs), keysWaitMs: 50
  })
  const redeemer = newRedeemer()
  redeemer.setKeys([publicPart(KEY)])
  const signer = new TicketSigner(routerUrl, wallNow)
  return {
    clock,
    pass,
    used,
    newRedeemer,
    redeemer,
    signer,
    sign: (key = KEY, hasCookie = false) =>
      signer.sign({ client: ANA, serverName: SERVER, hasCookie }, key),
    /** Of other claims than ours, by our key. */
    signClaims: async (claims: object, header: object = {}) =>
      await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: KEY.kid, ...header })
        .sign(await importJWK({ ...KEY }, 'EdDSA'))
  }
}

t.test('ticket: says whose it is, for which server, and for how long', async t => {
  const { sign, clock } = testTickets('https://door.example.org')
  const text = await sign()
  t.match(text, /^[\w-]+\.[\w-]+\.[\w-]+$/, 'fit for a query')
  const verified = await jwtVerify(text, await importJWK({ ...publicPart(KEY) }, 'EdDSA'),
    { currentDate: new Date(clock.wallMs), audience: SERVER, issuer: 'https://door.example.org' })
  const issuedS = START_MS / 1000
  const { jti, ...claims } = verified.payload
  t.strictSame(claims, {
    iss: 'https://door.example.org', sub: formatClient(ANA), aud: SERVER, iat: issuedS, exp: issuedS + 60
  })
  t.match(jti, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  t.strictSame(decodeProtectedHeader(text), { alg: 'EdDSA', typ: 'JWT', kid: KEY.kid })
  t.equal(KEY.kid, await calculateJwkThumbprint(publicPart(KEY) as never), 'RFC 7638')
  t.notOk('d' in publicPart(KEY), 'and the secret is not published')
})

t.test('ticket: is redeemed once', async t => {
  const { sign, redeemer } = testTickets()
  const text = await sign()
  t.strictSame(await whose(redeemer, text, SERVER), ANA)
  t.equal(await whose(redeemer, text, SERVER), 'used')
  t.strictSame(await whose(redeemer, await sign(), SERVER), ANA, 'the next one is another')
  const withCookie = await sign(KEY, true)
  t.match(await redeemer.redeem(withCookie, SERVER), { client: ANA, hasCookie: true })
})

t.test('ticket: that was given back is good for its first arrival still', async t => {
  const { sign, redeemer, used } = testTickets()
  const text = await sign()
  const ticket = await redeemer.redeem(text, SERVER)
  if (typeof ticket === 'string') return t.fail(ticket)
  used.giveBack(ticket.id)
  t.strictSame([await whose(redeemer, text, SERVER), await whose(redeemer, text, SERVER)], [ANA, 'used'])
})

t.test('ticket: of two who come at once with it, one is believed', async t => {
  const { sign, redeemer, newRedeemer } = testTickets()
  const other = newRedeemer()
  other.setKeys([publicPart(KEY)])
  const text = await sign()
  const all = [redeemer, other, redeemer]
  const outcomes = await Promise.all(all.map(each => whose(each, text, SERVER)))
  t.strictSame(outcomes.filter(outcome => outcome !== 'used'), [ANA])
})

t.test('ticket: another thread, or one that has started anew, knows that it was used', async t => {
  const { sign, redeemer, newRedeemer } = testTickets()
  const text = await sign()
  await whose(redeemer, text, SERVER)
  const next = newRedeemer()
  next.setKeys([publicPart(KEY)])
  t.equal(await whose(next, text, SERVER), 'used')
})

t.test('ticket: of another run of the program counts as used, a moment before the start, too', async t => {
  const { sign, clock, pass, used } = testTickets()
  const text = await sign()
  pass(1) // Within a second of the wall clock.
  const nextRun = new UsedTickets(() => clock.nowMs, () => clock.wallMs)
  const redeemer = new TicketRedeemer({
    wallNow: () => clock.wallMs, useOnce: (id, issuedMs) => nextRun.useOnce(id, issuedMs)
  })
  redeemer.setKeys([publicPart(KEY)])
  t.equal(await whose(redeemer, text, SERVER), 'used')
  t.equal(used.size, 0)
  t.strictSame(await whose(redeemer, await sign(), SERVER), ANA)
})

t.test('ticket: an id that tells no time is as old as its second', async t => {
  const { signClaims, clock, pass, redeemer } = testTickets()
  const issuedS = START_MS / 1000
  const claims = { iss: 'usher', sub: formatClient(ANA), aud: SERVER, iat: issuedS, exp: issuedS + 60 }
  const ids = ['x', '9c858901-8a57-4791-81fe-4c455b099bc9', 'zzzzzzzz-0000-7000-8000-000000000000']
  pass(500)
  const nextRun = new UsedTickets(() => clock.nowMs, () => clock.wallMs)
  for (const jti of ids) {
    const text = await signClaims({ ...claims, jti })
    const next = new TicketRedeemer({
      wallNow: () => clock.wallMs, useOnce: (id, issuedMs) => nextRun.useOnce(id, issuedMs)
    })
    next.setKeys([publicPart(KEY)])
    t.equal(await whose(next, text, SERVER), 'used', jti)
    t.strictSame(await whose(redeemer, text, SERVER), ANA, jti)
  }
})

t.test('ticket: a clock that is set back after the start spoils none for long', async t => {
  const { sign, clock, pass, redeemer } = testTickets()
  pass(61_000)
  clock.wallMs -= 3_600_000
  t.strictSame(await whose(redeemer, await sign(), SERVER), ANA)
})

t.test('ticket: lives a minute', async t => {
  const { sign, pass, redeemer } = testTickets()
  const text = await sign()
  const late = await sign()
  pass(TICKET_LIFE_S * 1000 - 1)
  t.strictSame(await whose(redeemer, text, SERVER), ANA)
  pass(1)
  t.equal(await whose(redeemer, late, SERVER), 'expired')
  t.equal(await whose(redeemer, text, SERVER), 'expired', 'a used one too')
})

t.test('ticket: used ones are remembered for as long as they live, and then forgotten', async t => {
  const { sign, pass, redeemer, used } = testTickets()
  const text = await sign()
  await whose(redeemer, text, SERVER)
  pass(TICKET_LIFE_S * 1000 - 1)
  t.equal(await whose(redeemer, text, SERVER), 'used')
  t.equal(used.size, 1)
  pass(TICKET_LIFE_S * 1000 + 1)
  await whose(redeemer, await sign(), SERVER)
  t.equal(used.size, 1)
})

t.test('ticket: for another server is not used up there', async t => {
  const { sign, redeemer } = testTickets()
  const text = await sign()
  for (const name of ['shop-b', 'shop-', 'SHOP-A', '']) t.equal(await whose(redeemer, text, name), 'other-server')
  t.strictSame(await whose(redeemer, text, SERVER), ANA)
})

t.test('ticket: signed by no key of ours is forged', async t => {
  const { sign, redeemer } = testTickets()
  const text = await sign()
  const stranger = makeTicketKey()
  const [head, , signature] = text.split('.')
  const other = (await sign()).split('.')
  const hmac = await new SignJWT({ sub: formatClient(ANA) }).setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: KEY.kid })
    .sign(Buffer.from(KEY.x, 'base64url'))
  const forged = {
    'of an unknown key': await sign(stranger),
    'of an unknown key under the name of ours': await sign({ ...stranger, kid: KEY.kid }),
    'claims of another ticket': [head, other[1], signature].join('.'),
    'by HMAC with the public key': hmac,
    'by nobody': new UnsecuredJWT({ sub: formatClient(ANA) }).encode()
  }
  for (const [what, each] of Object.entries(forged)) t.equal(await whose(redeemer, each, SERVER), 'forged', what)
  t.strictSame(await whose(redeemer, text, SERVER), ANA)
})

t.test('ticket: all else is malformed', async t => {
  const { sign, signClaims, redeemer } = testTickets()
  const issuedS = START_MS / 1000
  const good = { iss: 'usher', sub: formatClient(ANA), aud: SERVER, iat: issuedS, exp: issuedS + 60, jti: 'x' }
  t.strictSame(await whose(redeemer, await signClaims(good), SERVER), ANA)
  const { exp: _exp, ...endless } = good
  const text = await sign()
  const malformed = [
    '', '.', '..', 'none', 'a.b.c', text.slice(0, text.lastIndexOf('.')), `${text}.x`,
    'a'.repeat(TICKET_LENGTH_MAX + 1),
    await signClaims(endless), await signClaims({ ...good, sub: 'ana' }), await signClaims({ ...good, exp: 'soon' }),
    await signClaims({ ...good, jti: undefined }), await signClaims(good, { typ: 'at+jwt' })
  ]
  for (const each of malformed) t.equal(await whose(redeemer, each, SERVER), 'malformed', each.slice(0, 40))
  t.equal(await whose(redeemer, await signClaims({ ...good, aud: [SERVER, 'other'], jti: 'y' }), SERVER), 'other-server')
})

t.test('ticket: waits for the keys, for so long at most', async t => {
  const { sign, newRedeemer } = testTickets()
  const text = await sign()
  t.equal(await whose(newRedeemer(), text, SERVER), 'forged')
  const redeemer = newRedeemer()
  const redeemed = whose(redeemer, text, SERVER)
  redeemer.setKeys([publicPart(makeTicketKey()), publicPart(KEY)])
  t.strictSame(await redeemed, ANA)
  redeemer.setKeys([publicPart(makeTicketKey())])
  t.equal(await whose(redeemer, await sign(), SERVER), 'forged', 'a key that was taken back')
})

t.test('ticket: a fault of ours is none of the ticket', async t => {
  const { sign } = testTickets()
  const broken = new TicketRedeemer({
    wallNow: () => START_MS, useOnce: () => Promise.reject(new Error('the main thread is gone'))
  })
  broken.setKeys([publicPart(KEY)])
  await t.rejects(broken.redeem(await sign(), SERVER), { message: 'the main thread is gone' })
})
