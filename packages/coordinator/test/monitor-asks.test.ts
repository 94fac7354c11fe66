import t from 'tap'
import { parseClientId } from '@usher/shared/client.ts'
import type { Ask, AskAnswer } from '@usher/shared/messages.ts'
import { makeTicketKey, publicPart } from '@usher/shared/tickets/make-key.ts'
import { noSites } from '../../shared/test/fixtures/no-sites.ts'
import { answerAsk, type AskedActions } from '../src/monitor-asks.ts'

const CLIENT = parseClientId('6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61')!
const SITES = noSites()
const KEY = makeTicketKey()
const KEYS = { signing: KEY, published: [publicPart(KEY)] }
const ENTRIES = [{ kind: 'address', text: '192.0.2.7', untilMs: undefined }] as const

function testActions () {
  const done: unknown[] = []
  const actions: AskedActions = {
    sites: async () => {
      done.push(['sites'])
      return SITES
    },
    setDenyList: async (...given) => {
      done.push(['setDenyList', ...given])
      return { removedUsers: 3 }
    },
    disconnect: async (...given) => {
      done.push(['disconnect', ...given])
      return { wasHere: true, removedUsers: 2 }
    },
    restartServer: async (...given) => {
      done.push(['restartServer', ...given])
      return {}
    },
    setDrain: (...given) => {
      if (given[0] > 2) throw new RangeError('there is no server 3')
      done.push(['setDrain', ...given])
      return {}
    },
    tickets: {
      setKeys: async (...given) => {
        done.push(['setKeys', ...given])
        return {}
      },
      use: (...given) => {
        done.push(['use', ...given])
        return { isFirstUse: true }
      }
    },
    setServers: async (...given) => {
      done.push(['setServers', ...given])
      return { servers: [], leftOut: ['a'], late: [] }
    }
  }
  return { actions, done }
}

t.test('monitor asks: each is one action, and its answer goes back', async t => {
  const cases: ReadonlyArray<[ask: Ask, done: readonly unknown[], answer: AskAnswer]> = [
    [{ type: 'get-sites' }, ['sites'], SITES],
    [{ type: 'set-deny-list', entries: ENTRIES }, ['setDenyList', ENTRIES], { removedUsers: 3 }],
    [{ type: 'disconnect', client: CLIENT, entries: ENTRIES },
      ['disconnect', CLIENT, ENTRIES], { wasHere: true, removedUsers: 2 }],
    [{ type: 'disconnect', client: CLIENT, entries: undefined },
      ['disconnect', CLIENT, undefined], { wasHere: true, removedUsers: 2 }],
    [{ type: 'restart-server', server: 2 }, ['restartServer', 2], {}],
    [{ type: 'set-drain', server: 2, drain: { movesFromMs: 7 } },
      ['setDrain', 2, { movesFromMs: 7 }], {}],
    [{ type: 'set-ticket-keys', keys: KEYS }, ['setKeys', KEYS], {}],
    [{ type: 'use-ticket', ticketId: 'a', issuedMs: 7 }, ['use', 'a', 7], { isFirstUse: true }],
    [{ type: 'set-servers', stored: [], isStart: true },
      ['setServers', [], true], { servers: [], leftOut: ['a'], late: [] }]
  ]
  for (const [ask, expected, answer] of cases) {
    const { actions, done } = testActions()
    t.same(await answerAsk(actions, ask), answer, ask.type)
    t.same(done, [expected], ask.type)
  }
})

t.test('monitor asks: what cannot be done rejects', async t => {
  const { actions } = testActions()
  const ask: Ask = { type: 'set-drain', server: 3, drain: undefined }
  await t.rejects(answerAsk(actions, ask), { name: 'RangeError' })
})
