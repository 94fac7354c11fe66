/**
 * `npm run bench`: the user table's touch against its plain rival, a Map on the main thread that
 * workers reach by postMessage; then what a flood of logins costs an operator (login-flood.ts),
 * and slow and greedy clients a visitor (attacks.ts). Both sides in turn, A B A B; quoted as
 * ratios.
 */
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { formatClient, parseAddress, parseClientId, type Client } from '@usher/shared/client.ts'
import {
  allocateTable, MAIN_THREAD_TAG, WORKER_PATIENCE, type TableMemory
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { benchAttacks } from './attacks.ts'
import { benchLogins } from './login-flood.ts'
import { spread } from '../measure/figures.ts'

const USERS = 20_000
const TOUCHES = 200_000
const ROUNDS = 9
const SERVERS = 3
const TIMES = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }
/** Messages on their way at a time; more only fills memory. */
const IN_FLIGHT = 10_000

type Order = 'table' | 'map' | 'end'
/** A touch for the Map, or the time that a round took. */
type Report = { readonly id: string, readonly server: number } | { readonly roundMs: number }

if (isMainThread) {
  await benchTouch()
  await benchLogins()
  await benchAttacks()
} else {
  work(workerData as TableMemory)
}

async function benchTouch (): Promise<void> {
  const random = (): number => (Math.random() * 2 ** 32) | 0
  const memory = allocateTable(USERS * 2, SERVERS, TIMES, random)
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: memory })
  const map = new Map<string, { server: number, lastSeenMs: number }>()
  const round = (order: Order): Promise<number> => new Promise(resolve => {
    let seen = 0
    worker.removeAllListeners('message')
    worker.on('message', (report: Report) => {
      if ('roundMs' in report) return resolve(report.roundMs)
      map.set(report.id, { server: report.server, lastSeenMs: monotonicNowMs() })
      if (++seen % IN_FLIGHT === 0) worker.postMessage('more')
    })
    worker.postMessage(order)
  })

  await round('table') // Warm-up: both are compiled and every user is in.
  await round('map')
  const pairs: Array<readonly [tableMs: number, mapMs: number]> = []
  for (let pair = 0; pair < ROUNDS; pair++) pairs.push([await round('table'), await round('map')])
  await worker.terminate()
  print('touch in the user table', pairs.map(([tableMs]) => tableMs))
  print('touch by postMessage to a Map', pairs.map(([, mapMs]) => mapMs))
  const ratios = pairs.map(([tableMs, mapMs]) => mapMs / tableMs)
  process.stdout.write(`${'ratio, pair by pair'.padEnd(30)}  ${spread(ratios, 1)}\n`)
}

function work (memory: TableMemory): void {
  const table = new UserTable(memory, {
    threadTag: MAIN_THREAD_TAG + 1, patience: WORKER_PATIENCE, now: monotonicNowMs
  })
  const clients = Array.from({ length: USERS }, newClient)
  const ids = clients.map(formatClient)
  const address = parseAddress('192.0.2.1')!
  const port = parentPort!
  let startMs = 0
  let sent = 0

  const touchTable = (): void => {
    for (let touch = 0; touch < TOUCHES; touch++) {
      table.touch(clients[touch * 7919 % USERS]!, touch % SERVERS, address)
    }
  }
  const postBatch = (): void => {
    for (let batch = 0; batch < IN_FLIGHT; batch++, sent++) {
      port.postMessage({ id: ids[sent * 7919 % USERS]!, server: sent % SERVERS })
    }
  }
  port.on('message', (order: Order | 'more') => {
    if (order !== 'more') startMs = monotonicNowMs()
    if (order === 'map') sent = 0
    if (order === 'table') touchTable()
    else if (sent < TOUCHES) return postBatch()
    port.postMessage({ roundMs: monotonicNowMs() - startMs })
  })
}

function newClient (): Client {
  return parseClientId(crypto.randomUUID())!
}

function print (what: string, roundsMs: readonly number[]): void {
  const nanoseconds = roundsMs.map(ms => ms / TOUCHES * 1e6)
  process.stdout.write(`${what.padEnd(30)}  ${spread(nanoseconds, 0)} ns\n`)
}
