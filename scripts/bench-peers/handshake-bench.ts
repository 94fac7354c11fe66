/**
 * TLS handshakes for each second of the server's processor time: a page over a new connection each,
 * with no session to resume. The load is Node's own TLS, since wrk resumes sessions; it is slower
 * than the servers, which does not matter where their processor time is what counts.
 */
import { connect } from 'node:tls'
import type { BenchResult } from '../bench/report/report.ts'
import { median, spread } from '../measure/figures.ts'
import { pageHead } from './heads.ts'
import { inRounds, ratios, type Sample } from './rounds.ts'
import { withRunning, type Stand } from './stand.ts'

const AT_ONCE = 16
const WARM_UP_MS = 1000

export async function benchHandshakes (stand: Stand, rounds: number): Promise<BenchResult> {
  const peers = stand.peers.filter(({ services }) => services.includes('tlsPage'))
  const samples = await withRunning(peers, stand, async running => {
    const sides = running.map(([{ name }, { pid, urls }]) => {
      const port = Number(new URL(urls.tlsPage!).port)
      return { name, pid, measure: () => shakeHands(port, stand.seconds * 1000), port }
    })
    if (!stand.isTrial) for (const { port } of sides) await shakeHands(port, WARM_UP_MS)
    return await inRounds(sides, rounds, stand)
  })
  const figures = new Map([...samples].map(([name, all]) => [name, all.map(perCpuSecond)]))
  const ours = figures.get('Usher')
  return {
    tables: [{
      id: 'handshake',
      title: 'TLS handshake, nothing resumed',
      columns: ['server', 'handshakes with a page per CPU second', 'Usher to it'],
      rows: [...figures].map(([name, all]) => [
        name, Math.round(median(all)).toLocaleString('en'),
        ours === undefined || name === 'Usher' ? '' : spread(ratios(ours, all), 2)
      ]),
      notes: ['TLS 1.3, a P-256 certificate; the load is Node\'s own TLS.'],
      command: stand.commandOf('handshake')
    }],
    plots: [],
    goals: []
  }
}

function perCpuSecond ({ value, serverSeconds }: Sample<number>): number {
  return value / serverSeconds
}

/** Resolves with how many pages arrived whole. */
async function shakeHands (port: number, ms: number): Promise<number> {
  const endMs = performance.now() + ms
  let count = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (performance.now() < endMs) {
      await pageOverTls(port)
      count++
    }
  }))
  return count
}

function pageOverTls (port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
    socket.once('secureConnect', () => {
      socket.write(pageHead(`localhost:${port}`, '/index.html', { isLast: true }))
    })
    socket.on('error', reject)
    socket.on('end', () => { socket.end() })
    socket.on('close', () => { resolve() })
    socket.resume()
  })
}
