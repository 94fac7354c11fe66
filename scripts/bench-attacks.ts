/**
 * What slow and greedy clients at one address cost a visitor at another: a page of one server and
 * redirects, each on a connection of its own, in turn with and without an attack on both ports.
 * Quoted as ratios of the visitor's p99.
 */
import { Agent, get } from 'node:http'
import { attack, ATTACKS, type AttackName } from './attackers.ts'
import { quantile, spread } from './figures.ts'
import { startProgram } from './started-program.ts'

const ROUNDS = 3
const ROUND_MS = 1500
const SHARE = 0.99
const ATTACKER = '127.0.0.2'
/** Together more than the program takes. */
const MAX_CONNECTIONS = 500
const ATTACKERS = 600
/** Fewer of those that take processor time, which the benchmark shares with the program. */
const FEWER: Partial<Record<AttackName, number>> = {
  'huge heads': 50, 'pipelines without end': 10, 'new ids': 20
}

export async function benchAttacks (): Promise<void> {
  const program = await startProgram({
    MAX_CONNECTIONS: String(MAX_CONNECTIONS), DELAY_BETWEEN_ROUTING: '0'
  })
  const ports = [program.routerUrl, program.serverUrls[0]!].map(url => Number(new URL(url).port))
  try {
    await visitFor(ports, ROUND_MS) // Warm-up.
    for (const name of ATTACKS) {
      const ratios: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const calmMs = await visitFor(ports, ROUND_MS)
        ratios.push(await visitUnder(name, ports) / calmMs)
      }
      process.stdout.write(`${`visitor's p99, ${name}`.padEnd(38)}  ${spread(ratios, 1)} times\n`)
    }
  } finally {
    await program.stop()
  }
}

async function visitUnder (name: AttackName, ports: readonly number[]): Promise<number> {
  const connections = FEWER[name] ?? ATTACKERS
  const { stop } = await attack(name, ports.map(port => ({ port, from: ATTACKER, connections })))
  try {
    return await visitFor(ports, ROUND_MS)
  } finally {
    await stop()
  }
}

/** p99 in milliseconds of one visitor's requests, one after the other, for so long. */
async function visitFor (ports: readonly number[], ms: number): Promise<number> {
  const latenciesMs: number[] = []
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    for (const port of ports) {
      const startMs = performance.now()
      await visit(port)
      latenciesMs.push(performance.now() - startMs)
    }
  }
  return quantile(latenciesMs, SHARE)
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
