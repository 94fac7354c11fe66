/**
 * `npm run load -- SCENARIO`: load tests against a running cluster, with autocannon. Every visitor
 * brings a cookie of their own. Ends with 1 when a request failed.
 */
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'

interface Load {
  readonly connections: number
  readonly seconds: number
  readonly host: string
  readonly routingPort: number
  readonly port: number
}

interface Scenario {
  readonly about: string
  /** Where its visitors come to. */
  readonly port: (load: Load) => number
  readonly run: (load: Load) => Promise<autocannon.Result>
}

const USAGE_EXIT = 2
const CONNECTIONS_MAX = 10_000
const SECONDS_MAX = 600
const CONNECT_MS_MAX = 5_000
/** A burst is answered in DELAY_BETWEEN_ROUTING; this is for one that never is. */
const BURST_TIMEOUT_S = 30

/** The ports that redirects led to, and how often. */
const arrivals = new Map<string, number>()

interface Version {
  count: number
  readonly firstMs: number
  lastMs: number
}

/** What a page was answered with, by its ETag, in the order of coming. */
const versions = new Map<string, Version>()

const scenarios: Readonly<Record<string, Scenario>> = {
  page: {
    about: 'visitors who load the start page of one server',
    port: load => load.port,
    run: load => steadily(load, load.port, '/')
  },
  redirect: {
    about: 'visitors who ask the router, over and over',
    port: load => load.routingPort,
    run: load => steadily(load, load.routingPort, '/')
  },
  heartbeat: {
    about: 'open pages of one server that beat as fast as they can',
    port: load => load.port,
    run: async load => {
      await bringIn(load)
      return steadily(load, load.port, '/heartbeat')
    }
  },
  deploy: {
    about: 'visitors who load the start page of one server while you deploy, and what they were given',
    port: load => load.port,
    run: load => steadily(load, load.port, '/', noteVersion)
  },
  burst: {
    about: 'new visitors who all ask the router at once, and how they were spread',
    port: load => load.routingPort,
    run: burst
  }
}

const { scenario, load } = parse(process.argv.slice(2))
const visitors = Array.from({ length: load.connections }, () => randomUUID())
const address = `${load.host}:${scenario.port(load)}`
const refusal = await refusalOf(load.host, scenario.port(load))
if (refusal !== undefined) {
  process.stderr.write(`load: nothing answers at ${address} (${refusal}); \`npm start\` starts Usher, and --host, --routing-port and --port say where it is\n`)
  process.exitCode = 1
} else {
  const result = await scenario.run(load)
  print(result)
  process.exitCode = isFailed(result) ? 1 : 0
}

/** Why no connection can be made; undefined when one can. Closes it again. */
function refusalOf (host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout: CONNECT_MS_MAX })
    const settle = (refusal: string | undefined): void => {
      socket.destroy()
      resolve(refusal)
    }
    socket.on('connect', () => settle(undefined))
    socket.on('timeout', () => settle('no answer'))
    socket.on('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message))
  })
}

async function burst ({ connections, host, routingPort }: Load): Promise<autocannon.Result> {
  return shoot({
    url: `http://${host}:${routingPort}`,
    connections,
    amount: connections,
    timeout: BURST_TIMEOUT_S,
    requests: [{ path: '/', setupRequest: asVisitor(() => randomUUID()), onResponse: noteArrival }]
  })
}

/** Whoever beats by GET has to be here. */
async function bringIn ({ host, port }: Load): Promise<void> {
  for (const id of visitors) {
    const headers = { cookie: `client_id=${id}` }
    await fetch(`http://${host}:${port}/heartbeat`, { method: 'POST', headers })
  }
}

/** Each connection is one visitor with an open page, who asks without a pause. */
function steadily (
  { connections, seconds, host }: Load, port: number, path: string, onResponse = noteArrival
): Promise<autocannon.Result> {
  let next = 0
  return shoot({
    url: `http://${host}:${port}`,
    connections,
    duration: seconds,
    requests: [{
      path,
      setupRequest: asVisitor(() => visitors[next++ % connections]!),
      onResponse
    }]
  })
}

function asVisitor (nextId: () => string) {
  return (request: autocannon.Request): autocannon.Request => ({
    ...request, headers: { ...request.headers, cookie: `client_id=${nextId()}` }
  })
}

function noteArrival (
  status: number, _body: string, _context: object, headers: Record<string, unknown> = {}
): void {
  if (status !== 302) return
  const location = headers['Location'] ?? headers['location']
  const port = typeof location === 'string' ? new URL(location).port : 'unknown'
  arrivals.set(port, (arrivals.get(port) ?? 0) + 1)
}

function noteVersion (
  status: number, _body: string, _context: object, headers: Record<string, unknown> = {}
): void {
  if (status !== 200) return
  const tag = String(headers['ETag'] ?? headers['etag'])
  const nowMs = performance.now()
  const version = versions.get(tag) ?? { count: 0, firstMs: nowMs, lastMs: nowMs }
  version.count++
  version.lastMs = nowMs
  versions.set(tag, version)
}

function shoot (options: autocannon.Options): Promise<autocannon.Result> {
  return new Promise((resolve, reject) => {
    const instance = autocannon(options, (error: unknown, result) => {
      if (error === null || error === undefined) resolve(result)
      else reject(error instanceof Error ? error : new Error(String(error)))
    })
    if (process.stderr.isTTY) {
      autocannon.track(instance, { renderProgressBar: true, renderResultsTable: false })
    }
    const onInterrupt = (): void => { (instance as unknown as { stop (): void }).stop() }
    process.once('SIGINT', onInterrupt)
  })
}

function print (result: autocannon.Result): void {
  const answered = result['2xx'] + result['3xx']
  const rows: Array<readonly [string, string]> = [
    ['answered', answered.toLocaleString('en')],
    ['requests a second', perSecond(result).toLocaleString('en')],
    ['p50', `${result.latency.p50} ms`],
    ['p99', `${result.latency.p99} ms`],
    ['slowest', `${result.latency.max} ms`],
    ['4xx and 5xx', String(result['4xx'] + result['5xx'])],
    ['errors', `${result.errors}, of these ${result.timeouts} time-outs`],
    ...spreadRows(),
    ...versionRows()
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(width)}  ${value}\n`)
}

/** Over the whole time: autocannon's own average is by whole seconds, and wrong for a burst. */
function perSecond (result: autocannon.Result): number {
  return Math.round(result.requests.total / Math.max(result.duration, 0.001))
}

/** How many went to each server, and what share of all that is. */
function spreadRows (): Array<readonly [string, string]> {
  const total = [...arrivals.values()].reduce((sum, count) => sum + count, 0)
  return [...arrivals]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([port, count]) => [
      `to server ${port}`, `${count.toLocaleString('en')}, ${(count / total * 100).toFixed(1)} %`
    ])
}

/** Which version was answered how often, and when. */
function versionRows (): Array<readonly [string, string]> {
  const [first] = versions.values()
  const seconds = (ms: number): string => ((ms - first!.firstMs) / 1000).toFixed(1)
  return [...versions].map(([tag, { count, firstMs, lastMs }]) => [
    `version ${tag}`,
    `${count.toLocaleString('en')}, from ${seconds(firstMs)} s to ${seconds(lastMs)} s`
  ])
}

function isFailed (result: autocannon.Result): boolean {
  const answered = result['2xx'] + result['3xx']
  return result.errors > 0 || result['4xx'] + result['5xx'] > 0 || answered === 0
}

function parse (args: string[]): { scenario: Scenario, load: Load } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        connections: { type: 'string', default: '300' },
        seconds: { type: 'string', default: '10' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '8000' },
        'routing-port': { type: 'string', default: '8080' }
      }
    })
    const [name = ''] = positionals
    const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined
    if (scenario === undefined || positionals.length > 1) {
      throw new Error(`name one scenario, not "${positionals.join(' ')}"`)
    }
    return {
      scenario,
      load: {
        connections: whole('connections', values.connections, CONNECTIONS_MAX),
        seconds: whole('seconds', values.seconds, SECONDS_MAX),
        host: values.host,
        port: whole('port', values.port, 65_535),
        routingPort: whole('routing-port', values['routing-port'], 65_535)
      }
    }
  } catch (error) {
    process.stderr.write(`load: ${(error as Error).message}\n\n${usage()}`)
    process.exit(USAGE_EXIT)
  }
}

function whole (name: string, text: string, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value
  throw new Error(`--${name} is "${text}"; it must be a whole number from 1 to ${max}`)
}

function usage (): string {
  const lines = Object.entries(scenarios).map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  return `npm run load -- SCENARIO [--connections 300] [--seconds 10] [--host 127.0.0.1]
                 [--routing-port 8080] [--port 8000]

${lines.join('\n')}
`
}
