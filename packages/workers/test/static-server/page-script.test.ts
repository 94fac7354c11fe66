import t from 'tap'
import { renderPageScript } from '../../src/static-server/page-script.ts'

t.test('page script: the port takes the place of the token', async t => {
  const cases: ReadonlyArray<[source: string, port: number, expected: string]> = [
    ['const port = __ROUTING_PORT__;', 8080, 'const port = 8080;'],
    ['__ROUTING_PORT__', 1, '1'],
    ['"é", __ROUTING_PORT__, "$&"', 65535, '"é", 65535, "$&"']
  ]
  for (const [source, port, expected] of cases) {
    t.equal(renderPageScript(source, port).toString(), expected)
  }
})

t.test('page script: a script without exactly one token, or a port that is none, is refused', async t => {
  const cases: ReadonlyArray<[source: string, port: number, message: RegExp]> = [
    ['no token', 8080, /0 times/],
    ['', 8080, /0 times/],
    ['__ROUTING_PORT__ __ROUTING_PORT__', 8080, /2 times/],
    ['__ROUTING_PORT__', 0, /is 0; it must be 1 to 65535/],
    ['__ROUTING_PORT__', 65536, /is 65536/],
    ['__ROUTING_PORT__', 80.5, /is 80.5/]
  ]
  for (const [source, port, message] of cases) {
    t.throws(() => renderPageScript(source, port), { code: 'USHER_PAGE_SCRIPT_INVALID', message })
  }
})
