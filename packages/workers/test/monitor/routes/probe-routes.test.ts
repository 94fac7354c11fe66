/** /healthz and /readyz, for whoever watches over the process. */
import t from 'tap'
import { testApp } from '../fixtures/test-app.ts'

t.test('probes: healthy as long as it answers, ready while visitors are placed', async t => {
  let reason: string | undefined
  const { ask } = await testApp(t, { reasonNotReady: () => reason })
  t.strictSame((await ask('GET', '/healthz')).json, { status: 'healthy' })
  t.strictSame((await ask('GET', '/readyz')).json, { status: 'ready' })
  for (const why of ['starting', 'stopping', 'no server is available']) {
    reason = why
    const { status, headers, json } = await ask('GET', '/readyz')
    t.equal(status, 503)
    t.equal(headers['retry-after'], '1')
    t.strictSame(json, { error: 'not_ready', message: why })
    t.equal((await ask('GET', '/healthz')).status, 200)
    t.equal((await ask('HEAD', '/readyz')).status, 503)
  }
})
