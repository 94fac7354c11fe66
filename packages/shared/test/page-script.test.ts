import { runInNewContext } from 'node:vm'
import t from 'tap'
import { renderPageScript } from '../src/page-script.ts'

const settings = {
  routerUrl: '', routingPort: 8080, timeoutThresholdMs: 1_800_000, ticketParameter: 'ticket-1'
}
const ALL = '__ROUTER_URL__|__ROUTING_PORT__|__TIMEOUT_THRESHOLD_MS__|__TICKET_PARAMETER__'

t.test('page script: what pages are told takes the place of the tokens', async t => {
  const cases: ReadonlyArray<[source: string, port: number, expected: string]> = [
    ['p = __ROUTING_PORT__; t = __TIMEOUT_THRESHOLD_MS__; u = "__ROUTER_URL__"; n = __TICKET_PARAMETER__', 8080,
      'p = 8080; t = 1800000; u = ""; n = ticket-1'],
    ['__TIMEOUT_THRESHOLD_MS____ROUTING_PORT____ROUTER_URL____TICKET_PARAMETER__', 1, '18000001ticket-1'],
    [`"é", ${ALL}, "$&"`, 65535, '"é", |65535|1800000|ticket-1, "$&"']
  ]
  for (const [source, routingPort, expected] of cases) {
    t.equal(renderPageScript(source, { ...settings, routingPort }).toString(), expected)
  }
})

t.test('page script: without exactly one of each token it is refused', async t => {
  const [url, port, threshold, ticket] =
    ['__ROUTER_URL__', '__ROUTING_PORT__', '__TIMEOUT_THRESHOLD_MS__', '__TICKET_PARAMETER__']
  const cases: ReadonlyArray<[source: string, message: RegExp]> = [
    ['', /__ROUTER_URL__ 0 times/],
    [`${port} ${threshold}`, /__ROUTER_URL__ 0 times/],
    [`${url} ${url} ${port} ${threshold}`, /__ROUTER_URL__ 2 times/],
    [`${url} ${threshold}`, /__ROUTING_PORT__ 0 times/],
    [`${url} ${port} ${port} ${threshold}`, /__ROUTING_PORT__ 2 times/],
    [`${url} ${port} ${threshold}`, /__TICKET_PARAMETER__ 0 times/],
    [`${url} ${port} ${threshold} ${ticket} ${ticket}`, /__TICKET_PARAMETER__ 2 times/],
    [`${url} ${port} ${ticket}`, /__TIMEOUT_THRESHOLD_MS__ 0 times/],
    [`${url} ${ticket} ${threshold} ${port} ${threshold}`, /__TIMEOUT_THRESHOLD_MS__ 2 times/]
  ]
  for (const [source, message] of cases) {
    t.throws(() => renderPageScript(source, settings), { code: 'USHER_PAGE_SCRIPT_INVALID', message })
  }
})

t.test('page script: a port that no browser can visit is refused', async t => {
  for (const routingPort of [0, 65536, 80.5]) {
    t.throws(() => renderPageScript(ALL, { ...settings, routingPort }), {
      code: 'USHER_PAGE_SCRIPT_INVALID',
      message: `the router's port in the page script is ${routingPort}; it must be 1 to 65535`
    })
  }
})

t.test('page script: the public URL of the router reaches the script, whatever its quotes', async t => {
  const urls = ['', 'https://www.example.org', 'http://a.example:81/it%27s/o\'clock/$&', 'http://[::1]']
  for (const routerUrl of urls) {
    for (const quote of ["'", '"', '`']) {
      const source = ALL.replace('__ROUTER_URL__', `${quote}__ROUTER_URL__${quote}`)
      const [literal = ''] = renderPageScript(source, { ...settings, routerUrl }).toString().split('|')
      t.equal(runInNewContext(literal), routerUrl)
    }
  }
})
