/** Who makes and revokes tokens, of what kind, and what the audit says of it. */
import t, { type Test } from 'tap'
import type { NewToken } from '@usher/shared/api/tokens.ts'
import { parseAddress } from '@usher/shared/client.ts'
import { RightWithdrawn } from '@usher/shared/errors.ts'
import type { CurrentSession } from '../../../src/accounts/session-store.ts'
import { TokenActions } from '../../../src/monitor/operator/token-actions.ts'

const FROM = { address: parseAddress('192.0.2.7')!, userAgent: '' }
const TABLE = [{ permission: 1, canView: true, canDisconnect: true }]
const WANTED: NewToken = { name: 'shop-a', scopes: ['report', 'drain'], days: 7 }

function maker (canView = true): CurrentSession {
  return {
    sessionHash: '', accountId: 3, username: 'ana', permission: 5, canView, canDisconnect: true, mustChange: false, address: '::1', createdMs: 0, lastUsedMs: 0
  }
}

function start (mayStill: (needs: string) => boolean = () => true) {
  const audited: unknown[] = []
  const done: unknown[] = []
  const asked: string[] = []
  const actions = new TokenActions({
    tokens: {
      make: async (accountId, wanted, check) => {
        check('sql' as never)
        done.push([accountId, wanted])
        return { token: 'usher_x', id: 7, expiresInMs: 7 * 86_400_000 }
      },
      revoke: async (id, check) => {
        check('sql' as never)
        done.push(id)
        return id === 7 ? 'shop-a' : undefined
      }
    },
    permissions: { list: async () => TABLE },
    permit: {
      check: (_sql, _caller, needs) => {
        asked.push(needs)
        if (!mayStill(needs)) throw new RightWithdrawn()
      }
    },
    audit: { add: async event => { audited.push(event) } }
  })
  return { actions, audited, done, asked }
}

t.test('token actions: one is made with the rights of its maker, and recorded', async t => {
  const { actions, audited, done, asked } = start()
  t.match(await actions.make(maker(), WANTED, FROM), { token: 'usher_x', id: 7 })
  t.strictSame(done, [[3, WANTED]])
  t.strictSame(asked, ['tokens', 'report', 'drain'], 'looked at again in the step that does it')
  t.strictSame(audited, [{
    who: 'ana',
    action: 'token-made',
    target: 'shop-a',
    detail: { scopes: ['report', 'drain'], days: 7 },
    address: '192.0.2.7'
  }])
})

t.test('token actions: nobody makes one that may do more than they', async t => {
  const { actions, audited, done } = start()
  await t.rejects(actions.make(maker(false), { ...WANTED, scopes: ['drain', 'view'] }, FROM), {
    code: 'forbidden',
    message: 'A token may do no more than you: scope view. Permission 5 does not allow this: it takes 1.'
  })
  t.strictSame([audited, done], [[], []])
})

t.test('token actions: who may no longer, by the time that it is done, does nothing', async t => {
  for (const needs of ['tokens', 'drain']) {
    const { actions, audited, done } = start(other => other !== needs)
    await t.rejects(actions.make(maker(), WANTED, FROM), { code: 'USHER_RIGHT_WITHDRAWN' }, needs)
    t.strictSame([audited, done], [[], []])
  }
  const { actions, audited, done } = start(() => false)
  await t.rejects(actions.revoke(maker(), 7, FROM), { code: 'USHER_RIGHT_WITHDRAWN' })
  t.strictSame([audited, done], [[], []])
})

t.test('token actions: a name can be read', async t => {
  const { actions, done } = start()
  for (const name of [' a', 'a ', ' ', 'a\u200bb', '\u202eevil']) {
    await t.rejects(actions.make(maker(), { ...WANTED, name }, FROM), { code: 'bad_request' }, JSON.stringify(name))
  }
  t.strictSame(done, [])
})

async function revoked (t: Test, id: number): Promise<unknown[]> {
  const { actions, audited } = start()
  await (id === 7
    ? actions.revoke(maker(), id, FROM)
    : t.rejects(actions.revoke(maker(), id, FROM), { code: 'not_found', message: 'There is no token with the id 8.' }))
  return audited
}

t.test('token actions: one is revoked and recorded by its name, or unknown', async t => {
  t.strictSame(await revoked(t, 7), [{ who: 'ana', action: 'token-revoked', target: 'shop-a', address: '192.0.2.7' }])
  t.strictSame(await revoked(t, 8), [])
})
