/** The fuzzer: that it is quiet on this program, repeatable, and finds what it is there to find. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isLong } from '../packages/shared/test/length.ts'
import { wrongEnd } from '../scripts/fuzz/account-target.ts'
import { Findings } from '../scripts/fuzz/findings.ts'
import { growthOf, HEAP_GROWTH_BYTES_MAX, RESIDENT_ROUNDS_MIN } from '../scripts/fuzz/growth.ts'
import { inputsOf, lineOf, type Finding, type RequestInput } from '../scripts/fuzz/inputs.ts'
import { MONITOR_ROUTES } from '../scripts/fuzz/monitor-routes.ts'
import { RequestRun } from '../scripts/fuzz/request-campaign.ts'
import { requestInput, requestsAtMost } from '../scripts/fuzz/request-inputs.ts'
import { settingsInput } from '../scripts/fuzz/settings-target.ts'
import type { Subject } from '../scripts/fuzz/subject.ts'
import { startCluster } from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { runTool, type ToolEnd } from './tool.ts'

const SECRET = 'what nobody may see'
const HANG_MS = 500
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const fuzz = (...args: string[]): Promise<ToolEnd> => runTool('fuzz', ...args)

t.test('fuzz: nothing is found in the corpus, nor in some seconds more', async t => {
  const seconds = isLong ? '60' : '3'
  const { code, printed } = await fuzz('--seconds', seconds, '--seed', '1')
  t.equal(code, 0, printed)
  t.match(printed, /^fuzz: seed 1, \d+ s; .*\brouter \d+.*\bsettings \d+.*; findings 0$/m)
  t.match(printed, /; heap \d.* MB, .* MB\/min, rss .*; descriptors (\d+) to \d+; /)
})

t.test('fuzz: the same seed means the same inputs, and another one others', async t => {
  const sequence = { seed: 7, corpus: [], batchSize: 50 }
  const some = (seed: number): string => Array.from({ length: 300 }, (_, at) =>
    lineOf(requestInput({ ...sequence, seed }, at)) + lineOf(settingsInput(seed, at))).join('\n')
  const [first, again, other] = [7, 7, 8].map(some)
  t.ok(first === again)
  t.ok(first !== other)
  const alone = requestInput(sequence, 299)
  t.same(inputsOf(lineOf(alone)), [alone], 'and a line means its input')
})

t.test('fuzz: an input is taken for no more requests than it has', async t => {
  const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const cases: ReadonlyArray<[wire: string, requests: number]> = [
    ['', 1], ['\r\n', 1], ['GET', 1], [head, 1], [head + head, 2], [`${head}GET`, 2],
    [`${head}\r\n`, 1], ['GET /\n\nGET /\n\n', 2]
  ]
  for (const [wire, requests] of cases) {
    t.equal(requestsAtMost(wire), requests, JSON.stringify(wire))
  }
})

t.test('fuzz: knows every route of the monitor', async t => {
  const cluster = await startCluster(t, { ADMIN_PASSWORD: 'a password for the routes' })
  const operator = new Operator(cluster)
  await operator.logIn('admin', 'a password for the routes')
  const { paths } = (await operator.get('/openapi.json')).json as { paths: Record<string, object> }
  const known = MONITOR_ROUTES.map(({ method, path }) =>
    `${method.toLowerCase()} ${path.replace(/^\/nodes\/[^/]+/, '/nodes/{node}').replace(/^\/servers\/[^/]+\/([^/]+\/)?/, (_, name) =>
      name === undefined ? '/servers/{name}/' : '/servers/{node}/{name}/')}`)
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      if (method === 'head') continue // Asked with GET's routes.
      t.ok(known.includes(`${method} ${path}`), `${method} ${path}`)
    }
  }
})

/** Stands in for all ports of a program: does to every connection what it is told to. */
async function fakeSubject (
  t: Test, serve: (socket: Socket) => void, complaints: string[] = [], wrongs: string[] = []
): Promise<Subject> {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.teardown(() => { server.close() })
  return {
    secrets: { texts: [SECRET], publicHosts: ['shop.example'] },
    portOf: () => port,
    fill: (_input, wire) => wire,
    complaints: () => complaints.splice(0),
    check: async () => wrongs,
    figures: async () => undefined
  }
}

function says (text: string): (socket: Socket) => void {
  return socket => { socket.once('data', () => { socket.end(text, 'latin1') }) }
}

const INPUT: RequestInput = {
  to: 'router',
  send: ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  end: 'finish',
  requestsMax: 1,
  isIntact: true
}

async function findingsOf (subject: Subject, inputs = [INPUT]): Promise<readonly Finding[]> {
  const found: Finding[] = []
  const onFinding = (finding: Finding): void => { found.push(finding) }
  const run = new RequestRun({ direct: subject, proxied: subject, hangMs: HANG_MS, onFinding })
  await run.batch(inputs)
  return found
}

/** What it does, how, and what is said of it. */
const broken: ReadonlyArray<readonly [string, (socket: Socket) => void, RegExp | undefined]> = [
  ['answers well', says(OK), undefined],
  ['has an answer that is final behind one that is not', says(`HTTP/1.1 100 Continue\r\n\r\n${OK}`), undefined],
  ['answers 500', says(OK.replace('200', '500')), /^answered 500$/],
  ['answers 502', says(OK.replace('200', '502')), /^answered 502$/],
  ['hangs', socket => { socket.resume() }, /^neither answered nor closed in time$/],
  ['closes without a word', socket => { socket.resume().end() }, /^0 answers to 1 whole requests$/],
  ['dies in the middle of an answer', says(OK.slice(0, -1)), /^an answer was cut short$/],
  ['answers twice', says(OK + OK), /^2 answers to 1 requests at most$/],
  ['says what is no HTTP', says('hello'), /not HTTP/],
  ['does not say how long its answer is', says('HTTP/1.1 200 OK\r\n\r\n'), /not HTTP/],
  ['lets a field through', says(OK.replace('\r\n', '\r\nX: a\0b\r\n')), /not HTTP/],
  ['leaks a secret', says(OK.replace('\r\n', `\r\nX: ${SECRET}\r\n`)), /^the answer leaks "what nobody/],
  [
    'shows a stack',
    says('HTTP/1.1 404 No\r\nContent-Length: 38\r\n\r\nError: no!\n    at f (/a/b.js:100:200)\n'),
    /^the answer shows a stack/
  ],
  [
    'leads away',
    says('HTTP/1.1 302 Found\r\nLocation: http://evil.example:80/\r\nContent-Length: 0\r\n\r\n'),
    /^redirected to http:\/\/evil\.example:80\/$/
  ],
  ['is full and does not say until when', says(OK.replace('200', '503')), /^503 without Retry-After$/]
]

for (const [what, serve, wrong] of broken) {
  t.test(`fuzz: a program that ${what}`, async t => {
    const found = await findingsOf(await fakeSubject(t, serve))
    t.match(found.map(finding => finding.wrong), wrong === undefined ? [] : [wrong])
    t.equal(found.length, wrong === undefined ? 0 : 1)
    for (const { inputs } of found) t.same(inputs, [INPUT])
  })
}

t.test('fuzz: a program that is gone, complains, or is not what it was', async t => {
  const gone = await fakeSubject(t, () => {})
  t.match(await findingsOf({ ...gone, portOf: () => 1 }), [{ wrong: 'no connection was taken' }])
  const loud = await fakeSubject(t, says(OK), ['logged: a worker died'])
  t.match(await findingsOf(loud), [{ wrong: 'logged: a worker died', inputs: [INPUT] }])
  const lame = await fakeSubject(t, says(OK), [], ['/healthz is 404'])
  t.match(await findingsOf(lame), [{ wrong: '/healthz is 404', inputs: [INPUT] }])
})

t.test('fuzz: an answer of the monitor that is called JSON is JSON', async t => {
  const answer = 'HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n'
  const asked = [{ ...INPUT, to: 'administrator' } as const]
  const wrongs = async (body: string): Promise<string[]> =>
    (await findingsOf(await fakeSubject(t, says(answer + body)), asked)).map(({ wrong }) => wrong)
  t.same(await wrongs('{"error":"busy"}'), [])
  t.same(await wrongs('{"error":"odd!"}'), ['503 for odd!'])
  t.same(await wrongs('{"error":"busy!!'), ['a body of JSON is none', '503 for '])
})

t.test('fuzz: memory that rises is a finding, a step at first and noise are none', async t => {
  const wrongs = (
    rounds: number, grows: (at: number) => number, resident = (at: number) => 3e6 * Math.sin(at)
  ): readonly string[] =>
    growthOf(Array.from({ length: rounds }, (_, at) => ({
      atMs: at * 3000,
      heapBytes: 6e7 + grows(at),
      residentBytes: 2e8 + resident(at),
      descriptors: 50
    }))).wrongs
  const leak = (at: number): number => at * HEAP_GROWTH_BYTES_MAX / 10 * 1.05
  t.match(wrongs(21, leak), [/^memory rises: heap 64\.2 to 68\.4 MB, \+8\.4 MB\/min$/])
  t.equal(wrongs(21, leak).length, 1)
  t.same(wrongs(21, at => leak(at) * 0.9), [])
  t.same(wrongs(21, at => Math.min(leak(at), 4e6)), [])
  t.same(wrongs(21, at => 2e7 * Math.sin(at * 2)), [])
  t.same(wrongs(7, leak), [], 'too few to tell')
  const residentLeak = (at: number): number => at * 2e6
  t.match(wrongs(RESIDENT_ROUNDS_MIN, () => 0, residentLeak), [/^memory rises: rss 240\.0 to 278\.0/])
  t.same(wrongs(RESIDENT_ROUNDS_MIN - 1, () => 0, residentLeak), [], 'the allocator still fills up')
})

t.test('fuzz: an account command has an end and a reason, and shows no password', async t => {
  t.same(wrongEnd(0, 'Added', SECRET), [])
  t.same(wrongEnd(1, 'account: no', SECRET), [])
  t.same(wrongEnd(3, 'account: no', SECRET), ['ended with 3'])
  t.same(wrongEnd(1, '', SECRET), ['ended with 1 without a reason'])
  t.same(wrongEnd(null, 'account: killed', SECRET), ['ended with null'])
  t.same(wrongEnd(2, `account: unknown word ${SECRET}`, SECRET), ['shows a password'])
  t.match(wrongEnd(1, 'account: Error\n    at f (/a.js:1:2)', SECRET), [/^said a stack/])
})

t.test('fuzz: a kind of finding is written down once, to be repeated', async t => {
  const folder = t.testdir()
  const printed: string[] = []
  const findings = new Findings(folder, text => { printed.push(text) })
  for (const wrong of ['took 5 ms', 'took 7 ms', 'answered 500']) findings.add({ wrong, inputs: [INPUT] })
  t.equal(findings.count, 2)
  t.match(printed, [/^FOUND router: took 5 ms\n.*npm run fuzz -- --replay .*1\.jsonl$/, /FOUND router: answered/])
  t.same(inputsOf(readFileSync(join(folder, '2.jsonl'), 'utf8')), [{ ...INPUT, note: 'answered 500' }])
})

t.test('fuzz: wrong words end with 2, and say what is wrong', async t => {
  const file = join(t.testdir(), 'inputs.jsonl')
  writeFileSync(file, `${lineOf(INPUT)}\n{\n`)
  const cases: ReadonlyArray<[args: string[], said: RegExp]> = [
    [['--seconds', 'x'], /^fuzz: --seconds is "x"; it must be a whole number up to 86400$/m],
    [['--sed', '1'], /^fuzz: Unknown option '--sed'/m],
    [['--replay', file], /^fuzz: .*inputs\.jsonl, line 2 is no input/m],
    [['--replay', '/nowhere'], /^fuzz: ENOENT/m]
  ]
  for (const [args, said] of cases) {
    const { code, printed } = await fuzz(...args)
    t.equal(code, 2, printed)
    t.match(printed, said)
  }
})
