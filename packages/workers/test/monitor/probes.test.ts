import t from 'tap'
import type { Reply } from '@usher/shared/http/values.ts'
import { probeHandler } from '../../src/monitor/probes.ts'
import { headerOf, testRequest } from '../static-server/fixtures/request.ts'

type Case = readonly [
  method: string, target: string, reason: string | undefined, status: number, body: object
]

const NOT_FOUND = { error: 'not_found', message: 'There is nothing here.' }
const NOT_ALLOWED = { error: 'method_not_allowed', message: 'Use GET or HEAD.' }

async function ask (method: string, target: string, reason: string | undefined): Promise<Reply> {
  return await probeHandler(() => reason)(testRequest(target, { method }))
}

t.test('probes: say whether the program is healthy and whether it is ready', async t => {
  const cases: readonly Case[] = [
    ['GET', '/healthz', undefined, 200, { status: 'healthy' }],
    ['GET', '/healthz', 'stopping', 200, { status: 'healthy' }],
    ['HEAD', '/healthz', undefined, 200, { status: 'healthy' }],
    ['GET', '/healthz?verbose', undefined, 200, { status: 'healthy' }],
    ['GET', '/readyz', undefined, 200, { status: 'ready' }],
    ['HEAD', '/readyz', undefined, 200, { status: 'ready' }],
    ['GET', '/readyz', 'starting', 503, { error: 'not_ready', message: 'starting' }],
    ['HEAD', '/readyz', 'stopping', 503, { error: 'not_ready', message: 'stopping' }],
    ['POST', '/readyz', undefined, 405, NOT_ALLOWED],
    ['POST', '/readyz', 'stopping', 405, NOT_ALLOWED],
    ['DELETE', '/healthz', undefined, 405, NOT_ALLOWED],
    ['get', '/healthz', undefined, 405, NOT_ALLOWED],
    ['GET', '/', undefined, 404, NOT_FOUND],
    ['GET', '/readyz/', undefined, 404, NOT_FOUND],
    ['GET', '/READYZ', undefined, 404, NOT_FOUND],
    ['GET', '/%72eadyz', undefined, 404, NOT_FOUND],
    ['POST', '/nothing', 'stopping', 404, NOT_FOUND]
  ]
  for (const [method, target, reason, status, body] of cases) {
    const label = `${method} ${target}, not ready: ${reason}`
    const reply = await ask(method, target, reason)
    t.equal(reply.status, status, label)
    t.same(JSON.parse(reply.body.toString()), body, label)
    t.equal(headerOf(reply, 'Content-Type'), 'application/json; charset=utf-8', label)
    t.equal(headerOf(reply, 'Cache-Control'), 'no-store', label)
    t.equal(headerOf(reply, 'Allow'), status === 405 ? 'GET, HEAD' : undefined, label)
  }
})

t.test('probes: ask for readiness at every request', async t => {
  let reason: string | undefined = 'starting'
  const handler = probeHandler(() => reason)
  const status = async (): Promise<number> => (await handler(testRequest('/readyz'))).status
  t.equal(await status(), 503)
  reason = undefined
  t.equal(await status(), 200)
  reason = 'no server is available'
  t.equal(await status(), 503)
})
