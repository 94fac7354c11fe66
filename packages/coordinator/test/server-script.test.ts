import { brotliDecompressSync } from 'node:zlib'
import t from 'tap'
import type { Reply } from '@usher/shared/http/vocabulary/values.ts'
import { serverScript } from '../src/server-script.ts'
import { headerOf } from './fixtures/router.ts'
import { requestOf, SHOP, type Asked } from './fixtures/server-beats.ts'
import { testExternal } from '../../shared/test/settings/test-servers.ts'

const SOURCE = `say('__TICKET_PARAMETER__', __TIMEOUT_THRESHOLD_MS__) ${'// again '.repeat(99)}`
const SENT = SOURCE.replace('__TICKET_PARAMETER__', 'usher_ticket').replace('__TIMEOUT_THRESHOLD_MS__', '1800000')

function testScript ({ sources = [SOURCE] as ReadonlyArray<string | Error> } = {}) {
  const reads = [...sources]
  const handler = serverScript({
    settings: {
      servers: testExternal(0, ['shop-a']),
      publicHosts: [],
      routerUrl: '',
      routingPort: 8080,
      timeoutThresholdMs: 1_800_000,
      ticketParameter: 'usher_ticket',
      live: { allowedOrigins: [] }
    },
    async readScript () {
      const source = reads.shift()!
      if (typeof source === 'string') return source
      throw source
    }
  })
  const ask = async (headers: Asked['headers'] = {}, method = 'GET'): Promise<Reply> =>
    await handler(requestOf('/usher.js', { method, headers }))
  return { ask, reads }
}

t.test('server script: is filled in, compressed, and told apart by its tag', async t => {
  const { ask, reads } = testScript()
  const plain = await ask()
  t.strictSame([plain.status, plain.body.toString()], [200, SENT])
  t.strictSame(['Content-Type', 'Cache-Control', 'Vary', 'Cross-Origin-Resource-Policy', 'Access-Control-Allow-Origin']
    .map(name => headerOf(plain, name)),
  ['text/javascript; charset=utf-8', 'no-cache', 'Accept-Encoding, Origin', 'cross-origin', '*'])
  const coded = await ask({ 'accept-encoding': 'gzip, br' })
  t.equal(headerOf(coded, 'Content-Encoding'), 'br')
  t.equal(brotliDecompressSync(coded.body).toString(), SENT)
  const etag = headerOf(coded, 'ETag')!
  const again = await ask({ 'accept-encoding': 'br', 'if-none-match': etag })
  t.strictSame([again.status, headerOf(again, 'Access-Control-Allow-Origin')], [304, '*'])
  t.strictSame(reads, [], 'read once')
})

t.test('server script: is for every page, with credentials for those that may beat', async t => {
  const { ask } = testScript()
  const credentials = async (origin: string): Promise<unknown[]> => {
    const reply = await ask({ origin })
    return ['Access-Control-Allow-Origin', 'Access-Control-Allow-Credentials'].map(name => headerOf(reply, name))
  }
  t.strictSame(await credentials(SHOP), [SHOP, 'true'])
  t.strictSame(await credentials('https://evil.example'), ['*', undefined])
})

t.test('server script: by HEAD as by GET, and by nothing else', async t => {
  const { ask } = testScript()
  t.strictSame(await ask({}, 'HEAD'), await ask())
  const options = await ask({}, 'OPTIONS')
  t.strictSame([options.status, headerOf(options, 'Allow')], [204, 'GET, HEAD'])
  const post = await ask({}, 'POST')
  t.strictSame([post.status, headerOf(post, 'Allow')], [405, 'GET, HEAD'])
})

t.test('server script: what could not be read is tried again', async t => {
  const { ask } = testScript({ sources: [new Error('EMFILE'), 'no token', SOURCE] })
  await t.rejects(ask(), { message: 'EMFILE' })
  await t.rejects(ask(), { code: 'USHER_PAGE_SCRIPT_INVALID' })
  t.equal((await ask()).status, 200)
})
