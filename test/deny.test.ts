/** The deny list across all threads: in force everywhere when the promise resolves. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import { buildAskingProgram, startAskingCluster } from './asking-cluster.ts'
import { ask, startCluster, Visitor, workingFolder } from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'

const ANA_ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const BEN_ID = '7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62'
const PASSWORD = 'correct horse battery'
const PRELOAD = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`

const setDenyList = (entries: readonly DenyEntry[]) =>
  ({ type: 'set-deny-list', entries } as const)

const program = buildAskingProgram(t.testdir())

t.test('deny list: every thread refuses as soon as the list is replaced, and no longer', async t => {
  const { asks, everywhere, ports } = await startAskingCluster(t, program)
  const visitor = new Visitor()
  visitor.cookie = 'client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
  const statuses = (who: Visitor): Promise<number[]> =>
    Promise.all(everywhere.map(async port => (await who.ask(port)).status))
  const welcome = [302, ...ports.map(() => 200)]
  const refused = everywhere.map(() => 403)

  t.same(await statuses(visitor), welcome)
  const text = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
  await asks(setDenyList([{ kind: 'id', text, untilMs: undefined }]))
  t.same(await statuses(visitor), refused)
  t.same(await statuses(new Visitor()), welcome, 'others may come in')
  const [port] = ports as [number]
  const page = await visitor.ask(port, '/any')
  t.match(page.body, new RegExp(`Your access has ended[^]*${text}`))
  const beat = await visitor.ask(port, '/heartbeat')
  t.same([beat.status, (JSON.parse(beat.body) as { error: string }).error], [403, 'denied'])

  const malformed = [{ kind: 'range', text: 'nonsense', untilMs: undefined } as const]
  await t.rejects(asks(setDenyList(malformed)), { code: 'USHER_DENY_ENTRY_INVALID' })
  t.same(await statuses(visitor), refused, 'the list that stood before stays in force')

  await asks(setDenyList([{ kind: 'range', text: '127.0.0.0/8', untilMs: undefined }]))
  t.same(await statuses(new Visitor()), refused, 'a whole network')
  await asks(setDenyList([]))
  t.same(await statuses(visitor), welcome)
})

t.test('deny list: is known before any port is open, and again when the monitor is replaced', async t => {
  const [before, later] = [ANA_ID, BEN_ID].map(text => JSON.stringify([{ kind: 'id', text }]))
  const cwd = workingFolder(t, { 'denied.json': before! })
  const cluster = await startAskingCluster(
    t, program, { CRASH_DIR: cwd, DB_PATH: 'denied.json' }, { cwd, nodeOptions: PRELOAD })
  t.same(JSON.parse((await ask(cluster.monitoringPort)).body), { early: [] })
  const statuses = (id: string): Promise<number[]> =>
    Promise.all(cluster.everywhere.map(async port => {
      const visitor = new Visitor()
      visitor.cookie = `client_id=${id}`
      return (await visitor.ask(port)).status
    }))
  t.same(await statuses(ANA_ID), [403, 403, 403, 403])
  t.same(await statuses(BEN_ID), [302, 200, 200, 200])

  writeFileSync(join(cwd, 'denied.json'), later!)
  writeFileSync(join(cwd, 'monitor throw'), '')
  await cluster.logged(/worker is up again/)
  t.same(await statuses(ANA_ID), [302, 200, 200, 200])
  t.same(await statuses(BEN_ID), [403, 403, 403, 403])
})

t.test('deny: the monitor refuses by address too, but not this machine nor whoever logged in from there', async t => {
  const cluster = await startCluster(t, { ADMIN_PASSWORD: PASSWORD, TRUST_PROXY: '127.0.0.1' })
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const logIn = (address: string) => new Operator(cluster).post('/login',
    { username: 'admin', password: PASSWORD }, { headers: from(address) })
  const cookie = (await logIn('203.0.113.9')).headers['set-cookie']![0]!.split(';')[0]!
  const own = { ...from('203.0.113.9'), cookie }
  const operator = new Operator(cluster)
  const range = { address: '203.0.113.0/24' }
  t.equal((await operator.post('/deny', range, { headers: own })).status, 409)
  t.equal((await operator.post('/deny', { ...range, force: true }, { headers: own })).status, 200)
  t.equal((await operator.get('/stats', own)).status, 200, 'the operator can take it back')
  t.match(await operator.get('/stats', { ...own, ...from('203.0.113.8') }), {
    status: 403, json: { error: 'denied' }
  })
  t.match(await logIn('203.0.113.8'), { status: 403, json: { error: 'denied' } })
  t.match(await operator.get('/login.html', from('203.0.113.8')), { status: 403, text: /203\.0\.113\.8/ })
  t.equal((await operator.get('/healthz', from('203.0.113.8'))).status, 200)
  t.equal((await operator.get('/login.html')).status, 200)
  t.equal((await operator.post('/allow', range, { headers: own })).status, 200)
  t.equal((await logIn('203.0.113.8')).status, 200)
})
