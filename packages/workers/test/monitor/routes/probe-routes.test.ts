/** /healthz and /readyz, for whoever watches over the process. */
import t from 'tap'
import { testApp } from '../fixtures/test-app.ts'

t.test('probes: healthy unless it starts or stops, ready while visitors are placed', async t => {
  let reason: string | undefined
  let notHealthy: string | undefined
  const { ask } = await testApp(t, {
    reasonNotReady: () => reason, reasonNotHealthy: () => notHealthy
  })
  t.strictSame((await ask('GET', '/healthz')).json, { status: 'healthy' })
  t.strictSame((await ask('GET', '/readyz')).json, { status: 'ready' })
  for (const why of ['starting', 'stopping', 'no server is available']) {
    reason = why
    notHealthy = why === 'no server is available' ? undefined : why
    for (const path of notHealthy === undefined ? ['/readyz'] : ['/readyz', '/healthz']) {
      const { status, headers, json } = await ask('GET', path)
      t.equal(status, 503)
      t.equal(headers['retry-after'], '1')
      t.strictSame(json, { error: 'not_ready', message: why })
      t.equal((await ask('HEAD', path)).status, 503)
    }
  }
  t.equal((await ask('GET', '/healthz')).status, 200, 'the process is well without a server')
})
