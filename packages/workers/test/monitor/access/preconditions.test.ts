/** Conditions upon what has no validators: by themselves, and behind the monitor's routes. */
import t from 'tap'
import { preconditionStatus } from '../../../src/monitor/access/preconditions.ts'
import { emptyStats } from '../fixtures/empty-stats.ts'
import { testApp } from '../fixtures/test-app.ts'

t.test('preconditions: only that something is there can be told', async t => {
  const cases: ReadonlyArray<[headers: Record<string, string>, expected: number | undefined]> = [
    [{}, undefined],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': ' * ' }, 304],
    [{ 'if-none-match': '"a"' }, undefined],
    [{ 'if-match': '*' }, undefined],
    [{ 'if-match': '"a"' }, 412],
    [{ 'if-match': '' }, 412],
    [{ 'if-match': '"a"', 'if-none-match': '*' }, 412],
    [{ 'if-modified-since': 'Fri, 31 Dec 2100 23:59:59 GMT' }, undefined],
    [{ 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, undefined]
  ]
  for (const [headers, expected] of cases) {
    t.equal(preconditionStatus(headers), expected, JSON.stringify(headers))
  }
})

t.test('preconditions: stand in place of a 200, and of nothing else', async t => {
  let isBroken = false
  const { ask, calls } = await testApp(t, {
    stats: async () => {
      if (isBroken) throw new Error('a fault of ours')
      return emptyStats()
    }
  })
  const [as, any, other] = ['viewer', { 'if-none-match': '*' }, { 'if-match': '"a"' }]
  for (const method of ['GET', 'HEAD']) {
    const there = await ask(method, '/stats', { as, headers: any })
    t.match(there, { status: 304, text: '' }, method)
    t.equal(there.headers['content-length'], undefined, `${method}: no length`)
    t.equal(there.headers['x-content-type-options'], 'nosniff', `${method}: all else`)
    const failed = await ask(method, '/stats', { as, headers: other })
    t.match(failed, { status: 412, headers: { 'content-type': /^application\/json/, 'content-length': /^\d\d/ } }, method)
    if (method === 'GET') t.match(failed.json, { error: 'precondition_failed', message: /\w/ })
    t.equal((await ask(method, '/nothing', { as, headers: { ...any, ...other } })).status, 404, method)
  }
  isBroken = true
  t.equal((await ask('GET', '/stats', { as, headers: any })).status, 500)
  const body = { userId: '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61' }
  t.equal((await ask('POST', '/disconnect', { as: 'operator', headers: any, body })).status, 200)
  t.match(calls, [['disconnect']])
})
