/**
 * What a flood of logins costs an operator who is logged in: `/stats` on a cluster of its own,
 * asked without a pause, in turn with and without 200 logins at once. Quoted as ratios of its p99.
 */
import { Agent, request, type IncomingMessage } from 'node:http'
import { quantile, spread } from '../measure/figures.ts'
import { Operator } from '../kit/operator.ts'
import { startProgram } from '../kit/program.ts'

const LOGINS = 200
const ROUNDS = 5
const ROUND_MS = 2000
const STATS_SHARE = 0.99
const PASSWORD = 'a password of the benchmark'

interface Monitor {
  readonly port: number
  readonly cookie: string
}

export async function benchLogins (): Promise<void> {
  const program = await startProgram({ ADMIN_PASSWORD: PASSWORD })
  try {
    const { cookie } = await Operator.loggedIn(program, 'admin', PASSWORD)
    const monitor = { port: program.monitoringPort, cookie: cookie! }
    await statsFor(monitor, ROUND_MS) // Warm-up.
    const pairs: Array<readonly [calmMs: number, floodedMs: number]> = []
    for (let round = 0; round < ROUNDS; round++) {
      pairs.push([await statsFor(monitor, ROUND_MS), await statsInFlood(monitor)])
    }
    const print = (what: string, text: string): void => {
      process.stdout.write(`${what.padEnd(30)}  ${text}\n`)
    }
    print('/stats p99, calm', `${spread(pairs.map(([calmMs]) => calmMs), 1)} ms`)
    print(`/stats p99, ${LOGINS} logins at once`, `${spread(pairs.map(([, ms]) => ms), 1)} ms`)
    print('ratio, pair by pair', spread(pairs.map(([calmMs, ms]) => ms / calmMs), 1))
  } finally {
    await program.stop()
  }
}

/** p99 in milliseconds of `/stats`, asked by one operator for so long. */
async function statsFor ({ port, cookie }: Monitor, ms: number): Promise<number> {
  return await statsUntil({ port, cookie }, async () => {
    await new Promise(resolve => setTimeout(resolve, ms))
  })
}

/** The same in a flood, for as long as a calm round. */
async function statsInFlood (monitor: Monitor): Promise<number> {
  return await statsUntil(monitor, async () => {
    const endMs = performance.now() + ROUND_MS
    await floodWithLogins(monitor.port, () => performance.now() >= endMs)
  })
}

/** Wave after wave of as many logins with wrong passwords, each of another name, at once. */
export async function floodWithLogins (port: number, isOver: () => boolean): Promise<void> {
  let wave = 0
  do {
    wave++
    await Promise.all(Array.from({ length: LOGINS }, (_, each) =>
      post(port, { username: `name ${wave} ${each}`, password: 'a wrong password' })))
  } while (!isOver())
}

async function statsUntil (monitor: Monitor, during: () => Promise<void>): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const latenciesMs: number[] = []
  let isOver = false
  const over = during().then(() => { isOver = true })
  const isStillOn = (): boolean => !isOver
  while (isStillOn()) {
    const startMs = performance.now()
    const status = await exchange({
      port: monitor.port, path: '/stats', agent, headers: { cookie: monitor.cookie }
    })
    if (status !== 200) throw new Error(`/stats answered ${status}`)
    latenciesMs.push(performance.now() - startMs)
  }
  await over
  agent.destroy()
  return quantile(latenciesMs, STATS_SHARE)
}

function post (port: number, body: object): Promise<number> {
  return exchange({
    port, path: '/login', method: 'POST', headers: { 'content-type': 'application/json' }
  }, JSON.stringify(body))
}

/** Resolves with the status. */
function exchange (options: object, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', ...options }, (response: IncomingMessage) => {
      response.resume()
      response.on('error', reject)
      response.on('end', () => { resolve(response.statusCode!) })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
