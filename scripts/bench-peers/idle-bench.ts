/**
 * What an idle connection costs: the growth of a server's resident memory over 10,000 connections
 * that each have had one page and are kept open. From 20 loopback addresses, since Usher gives one
 * address a share of the connections only. What the kernel keeps for a socket is in none of it.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { verdictOf, type BenchResult, type PlotSeries } from '../bench/report/report.ts'
import { median, spread } from '../measure/figures.ts'
import { residentBytes } from './cpu-time.ts'
import { PAGE_BYTES } from './ground.ts'
import { pageHead } from './heads.ts'
import type { Peer } from './peers/peer.ts'
import { withOne, type Stand } from './stand.ts'
import { runWrk } from './wrk.ts'

const CONNECTIONS = 10_000
const CONNECTIONS_OF_TRIAL = 200
const STEPS = 10
const AT_ONCE = 100
const ADDRESSES = 20
const SETTLE_MS = 500
const WARM_UP_SECONDS = 2
const PEERS = ['Usher', 'nginx', 'haproxy', 'node:http', 'node:net']
const GOAL = { floor: 4, goal: 3.3 }
const ROUNDS_MAX = 2
const MIB = 1 << 20

/** Of one server: how much more memory than at first, at so many connections. */
type Growth = ReadonlyArray<readonly [connections: number, bytes: number]>

export async function benchIdle (stand: Stand, rounds: number): Promise<BenchResult> {
  const peers = stand.peers.filter(({ name, services }) => (
    PEERS.includes(name) && services.includes('page')
  ))
  const growths = new Map<string, Growth[]>(peers.map(({ name }) => [name, []]))
  for (let round = 0; round < Math.min(rounds, ROUNDS_MAX); round++) {
    // One at a time, afresh: what a server has once taken it keeps.
    for (const peer of peers) growths.get(peer.name)!.push(await growthOf(peer, stand))
  }
  const perConnection = new Map(
    [...growths].map(([name, all]) => [name, all.map(kibPerConnection)]))
  const ours = perConnection.get('Usher')
  return {
    tables: [{
      id: 'idle',
      title: 'An idle connection',
      columns: ['server', 'KiB per connection', 'connections'],
      rows: [...perConnection].map(([name, all]) => [
        name, spread(all, 1), growths.get(name)![0]!.at(-1)![0].toLocaleString('en')
      ]),
      notes: [
        'Growth of resident memory over connections that each have had one page, after a load of ' +
        'pages that brings a server to its working size; each time in a process started afresh.'
      ],
      command: stand.commandOf('idle')
    }],
    plots: [{
      id: 'idle',
      title: 'Memory that idle connections take',
      xLabel: 'connections',
      yLabel: 'MiB more than without',
      isLogX: false,
      isLogY: false,
      series: [...growths].map(([name, all]): PlotSeries => ({
        name, points: all[0]!.map(([connections, bytes]) => [connections, bytes / MIB])
      }))
    }],
    goals: ours === undefined
      ? []
      : [{
          case: 'Idle connection',
          floor: `${GOAL.floor} KiB`,
          goal: `${GOAL.goal} KiB`,
          measured: `${spread(ours, 1)} KiB`,
          verdict: verdictOf(median(ours), GOAL)
        }]
  }
}

function kibPerConnection (growth: Growth): number {
  const [connections, bytes] = growth.at(-1)!
  return bytes / connections / 1024
}

async function growthOf (peer: Peer, stand: Stand): Promise<Growth> {
  return await withOne(peer, stand, async ({ pid, urls }) => {
    const url = urls.page!
    await runWrk(stand.wrk, {
      url,
      shape: 'same',
      service: 'page',
      isClosing: false,
      seconds: stand.isTrial ? 1 : WARM_UP_SECONDS
    })
    await wait(SETTLE_MS)
    const first = residentBytes(pid)
    const growth: Array<readonly [number, number]> = [[0, 0]]
    const sockets: Socket[] = []
    const connections = stand.isTrial ? CONNECTIONS_OF_TRIAL : CONNECTIONS
    const connectionsMax = Math.min(connections, peer.connectionsMax ?? connections)
    const step = stand.isTrial ? connections : connections / STEPS
    try {
      while (sockets.length < connectionsMax) {
        await openMany(new URL(url).port, sockets, Math.min(sockets.length + step, connectionsMax))
        await wait(SETTLE_MS)
        growth.push([sockets.length, residentBytes(pid) - first])
      }
      const closed = sockets.filter(socket => socket.closed).length
      if (closed > 0) throw new Error(`${peer.name} closed ${closed} idle connections`)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
    return growth
  })
}

async function openMany (port: string, sockets: Socket[], count: number): Promise<void> {
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, (_, at) => (
      connectionWithPage(Number(port), sockets.length + at)
    ))
    sockets.push(...await Promise.all(batch))
  }
}

/** Resolves when the page has arrived. */
function connectionWithPage (port: number, number: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const localAddress = `127.0.0.${2 + number % ADDRESSES}`
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    const client = `${number.toString(16).padStart(8, '0')}-1d1e-4000-8000-000000000000`
    let bytes = 0
    socket.write(pageHead(`127.0.0.1:${port}`, '/index.html', { client }))
    socket.on('data', (data: Buffer) => {
      bytes += data.length
      if (bytes > PAGE_BYTES) resolve(socket)
    })
    socket.on('error', reject)
    socket.on('close', () => { reject(new Error(`port ${port} closed a connection`)) })
  })
}
