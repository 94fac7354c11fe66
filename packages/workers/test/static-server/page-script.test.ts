import t from 'tap'
import { renderPageScript } from '../../src/static-server/page-script.ts'

const settings = { routingPort: 8080, timeoutThresholdMs: 1_800_000 }

t.test('page script: what pages are told takes the place of the tokens', async t => {
  const cases: ReadonlyArray<[source: string, port: number, expected: string]> = [
    ['p = __ROUTING_PORT__; t = __TIMEOUT_THRESHOLD_MS__;', 8080, 'p = 8080; t = 1800000;'],
    ['__TIMEOUT_THRESHOLD_MS____ROUTING_PORT__', 1, '18000001'],
    ['"é", __ROUTING_PORT__, "$&", __TIMEOUT_THRESHOLD_MS__', 65535, '"é", 65535, "$&", 1800000']
  ]
  for (const [source, routingPort, expected] of cases) {
    t.equal(renderPageScript(source, { ...settings, routingPort }).toString(), expected)
  }
})

t.test('page script: without exactly one of each token it is refused', async t => {
  const [port, threshold] = ['__ROUTING_PORT__', '__TIMEOUT_THRESHOLD_MS__']
  const cases: ReadonlyArray<[source: string, message: RegExp]> = [
    ['', /__ROUTING_PORT__ 0 times/],
    [threshold, /__ROUTING_PORT__ 0 times/],
    [`${port} ${port} ${threshold}`, /__ROUTING_PORT__ 2 times/],
    [port, /__TIMEOUT_THRESHOLD_MS__ 0 times/],
    [`${threshold} ${port} ${threshold}`, /__TIMEOUT_THRESHOLD_MS__ 2 times/]
  ]
  for (const [source, message] of cases) {
    t.throws(() => renderPageScript(source, settings), { code: 'USHER_PAGE_SCRIPT_INVALID', message })
  }
})

t.test('page script: a port that no browser can visit is refused', async t => {
  for (const routingPort of [0, 65536, 80.5]) {
    t.throws(() => renderPageScript('__ROUTING_PORT__ __TIMEOUT_THRESHOLD_MS__', {
      ...settings, routingPort
    }), {
      code: 'USHER_PAGE_SCRIPT_INVALID',
      message: `the router's port in the page script is ${routingPort}; it must be 1 to 65535`
    })
  }
})
