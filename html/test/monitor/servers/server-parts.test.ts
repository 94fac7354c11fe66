/** What the card and the row of a server have in common. */
import t from 'tap'
import { serversOf } from '../../../monitor-script/kit/console-servers.ts'
import {
  evenShare, leftOf, placesText, whyText
} from '../../../monitor-script/servers/server-parts.ts'
import { testStats } from '../fixtures/test-stats.ts'

t.test('server parts: the even share is by weight, among those that take visitors', async t => {
  const shares = (servers: NonNullable<Parameters<typeof testStats>[0]>['servers']) => {
    const all = serversOf(testStats({ servers: servers! }))
    return all.map(server => evenShare(server, all))
  }
  t.same(shares({ 1: { weight: 1 }, 2: { weight: 1 }, 3: { weight: 2 } }), [0.25, 0.25, 0.5])
  t.same(shares({ 1: {}, 2: { state: 'draining' }, 3: { weight: 3 } }), [0.25, undefined, 0.75])
  t.same(shares({ 1: {}, 2: { state: 'down' } }), [undefined, undefined])
})

t.test('server parts: what is left of a drain is a part of those who were there', async t => {
  const [server] = serversOf(testStats({ servers: { 1: { active_users: 12, drained_from: 48 } } }))
  t.equal(leftOf(server!), 0.25)
  t.equal(leftOf({ ...server!, drained_from: 0 }), undefined)
})

t.test('server parts: why it is down, may be, or drains, and nothing where all is well', async t => {
  const textOf = (server: object): string =>
    whyText(serversOf(testStats({ servers: { 1: server } }))[0]!, 0)
  t.equal(textOf({}), '')
  t.equal(textOf({ state: 'down', reason: 'connection refused' }), 'connection refused')
  t.equal(textOf({ suspect: true }), 'Everybody there fell silent at once')
  t.equal(textOf({ state: 'down', reason: 'timeout', drain: { note: 'new disk', moves_from: null } }),
    'timeout · new disk')
})

t.test('server parts: the last check is told, but for what is told as the reason', async t => {
  const textOf = (found: string, server: object): string => whyText(serversOf(testStats({
    servers: { 1: { last_check: { found, took_ms: 12, at: '2026-11-29T12:00:00.000Z' }, ...server } }
  }))[0]!, 0)
  t.equal(textOf('status 200', {}), 'Last check: status 200, 12 ms')
  t.equal(textOf('timeout', { state: 'down', reason: 'timeout' }), 'timeout')
  t.equal(textOf('status 200', { state: 'down', reason: 'timeout' }),
    'timeout · Last check: status 200, 12 ms')
  t.equal(textOf('status 200', { state: 'maintenance', drain: { note: 'new disk', moves_from: null } }),
    'new disk · Last check: status 200, 12 ms')
})

t.test('server parts: how full it is counts the places that are held, and is left out without a capacity', async t => {
  const figures = { active_users: 7, reserved: 3, capacity: 20 }
  const [server] = serversOf(testStats({ servers: { 1: figures } }))
  t.equal(placesText(server!), '10 of 20 places taken')
  const [other] = serversOf(testStats({ servers: { 1: { active_users: 7 } } }))
  t.equal(placesText(other!), '')
})
