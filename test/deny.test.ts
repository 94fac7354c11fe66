/** The deny list across all threads: in force everywhere when the promise resolves. */
import { join } from 'node:path'
import t from 'tap'
import { startCoordinator } from '@usher/coordinator/coordinator.ts'
import { checkPorts } from '@usher/coordinator/port-check.ts'
import { silentLog } from '@usher/shared/log.ts'
import { loadSettings } from '@usher/shared/settings.ts'
import { ROOT, Visitor } from './cluster.ts'

t.test('deny list: every thread refuses as soon as the list is replaced, and no longer', async t => {
  const programDir = join(ROOT, 'dist')
  const loaded = loadSettings({
    argv: ['--host', '127.0.0.1', '--ports', '0,0,0', '--routing-port', '0', '--monitoring-port',
      '0', '--delay-between-routing', '0', '--log-file', '-', '--log-level', 'silent'],
    env: {},
    cwd: t.testdir(),
    programDir
  })
  const settings = await checkPorts(loaded.settings!)
  const cluster = await startCoordinator({
    settings, programDir, isTerminal: false, log: silentLog()
  })
  t.teardown(() => cluster.close())
  const everywhere = [settings.routingPort, ...settings.ports]
  const visitor = new Visitor()
  visitor.cookie = 'client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
  const statuses = (who: Visitor): Promise<number[]> =>
    Promise.all(everywhere.map(async port => (await who.ask(port)).status))
  const welcome = [302, ...settings.ports.map(() => 200)]
  const refused = everywhere.map(() => 403)

  t.same(await statuses(visitor), welcome)
  const text = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
  await cluster.setDenyList([{ kind: 'id', text, untilMs: undefined }])
  t.same(await statuses(visitor), refused)
  t.same(await statuses(new Visitor()), welcome, 'others may come in')
  const [port] = settings.ports as [number]
  const page = await visitor.ask(port, '/any')
  t.match(page.body, new RegExp(`Your visit was ended[^]*${text}`))
  const beat = await visitor.ask(port, '/heartbeat')
  t.same([beat.status, (JSON.parse(beat.body) as { error: string }).error], [403, 'denied'])

  const malformed = [{ kind: 'range', text: 'nonsense', untilMs: undefined } as const]
  await t.rejects(cluster.setDenyList(malformed), { code: 'USHER_DENY_ENTRY_INVALID' })
  t.same(await statuses(visitor), refused, 'the list that stood before stays in force')

  await cluster.setDenyList([{ kind: 'range', text: '127.0.0.0/8', untilMs: undefined }])
  t.same(await statuses(new Visitor()), refused, 'a whole network')
  await cluster.setDenyList([])
  t.same(await statuses(visitor), welcome)
})
