/**
 * What slow and greedy clients at one address cost a visitor at another: a page of one server and
 * redirects, each on a connection of its own. In turn with the same attack on two ports of a plain
 * node:http server in a process of its own, since attackers, visitor and program share one machine:
 * the ratios of the visitor's median and p99 are what Usher itself adds.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { attack, ATTACKS, type AttackName } from './attackers.ts'
import { quantile, spread } from '../measure/figures.ts'
import { startProgram } from '../kit/program.ts'

const ROUNDS = 5
const ROUND_MS = 1500
const ATTACKER = '127.0.0.2'
/** Together more than the program takes. */
const MAX_CONNECTIONS = 500
const ATTACKERS = 600
/** Fewer of those that take processor time, which the benchmark shares with the program. */
const FEWER: Partial<Record<AttackName, number>> = {
  'huge heads': 50, 'tiny chunks': 10, 'pipelines without end': 10, 'new ids': 20
}
/** Takes as many connections, and closes those beyond, and answers whatever comes. */
const PLAIN_SERVERS = `
  const { createServer } = require('node:http')
  process.on('disconnect', () => process.exit()) // The benchmark is over, or has failed.
  const servers = [1, 2].map(() => createServer((request, response) => response.end('x')))
  for (const server of servers) {
    server.maxConnections = ${MAX_CONNECTIONS}
    server.listen(0, '127.0.0.1', () => {
      if (servers.every(({ listening }) => listening)) {
        process.send(servers.map(server => server.address().port))
      }
    })
  }`

type Ports = readonly number[]

export async function benchAttacks (): Promise<void> {
  const program = await startProgram({
    MAX_CONNECTIONS: String(MAX_CONNECTIONS), DELAY_BETWEEN_ROUTING: '0'
  })
  const others = spawn(process.execPath, ['-e', PLAIN_SERVERS], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const [otherPorts] = await once(others, 'message') as [number[]]
  const ports = [program.routerUrl, program.serverUrls[0]!].map(url => Number(new URL(url).port))
  try {
    await visitFor(ports, ROUND_MS) // Warm-up.
    for (const name of ATTACKS) {
      const pairs: Array<readonly [elsewhere: number[], here: number[]]> = []
      for (let round = 0; round < ROUNDS; round++) {
        const elsewhere = await visitUnder(name, otherPorts, ports)
        pairs.push([elsewhere, await visitUnder(name, ports, ports)])
      }
      print(`visitor's median, ${name}`, pairs, 0.5)
      print(`visitor's p99, ${name}`, pairs, 0.99)
    }
  } finally {
    others.disconnect()
    await program.stop()
  }
}

function print (
  label: string, pairs: ReadonlyArray<readonly [number[], number[]]>, share: number
): void {
  const ms = pairs.map(pair => pair.map(latenciesMs => quantile(latenciesMs, share)))
  const ratios = ms.map(([elsewhere, here]) => here! / elsewhere!)
  const here = spread(ms.map(([, here]) => here!), 1)
  process.stdout.write(`${label.padEnd(41)}  ${spread(ratios, 1)} times, ${here} ms\n`)
}

/** A visitor's latencies in milliseconds while `attacked` are. */
async function visitUnder (name: AttackName, attacked: Ports, visited: Ports): Promise<number[]> {
  const connections = FEWER[name] ?? ATTACKERS
  const { stop } = await attack(name, attacked.map(port => ({ port, from: ATTACKER, connections })))
  try {
    return await visitFor(visited, ROUND_MS)
  } finally {
    await stop()
  }
}

/** In milliseconds: one visitor's requests, one after the other, for so long. */
async function visitFor (ports: Ports, ms: number): Promise<number[]> {
  const latenciesMs: number[] = []
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    for (const port of ports) {
      const startMs = performance.now()
      await visit(port)
      latenciesMs.push(performance.now() - startMs)
    }
  }
  return latenciesMs
}

function visit (port: number): Promise<void> {
  const agent = new Agent({ keepAlive: false })
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, response => {
      response.resume()
      response.on('error', reject)
      response.on('end', () => {
        const isServed = response.statusCode === 200 || response.statusCode === 302
        if (isServed) resolve()
        else reject(new Error(`a visitor was answered ${response.statusCode}`))
      })
    }).on('error', reject)
  })
}
