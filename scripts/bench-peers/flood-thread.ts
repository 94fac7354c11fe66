/**
 * The thread of flood-bench.ts that floods the monitor: wave after wave of logins, and a console
 * that asks for one page of the users after another. From its first message to the second.
 */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { floodWithLogins } from '../bench/login-flood.ts'
import { Operator } from '../kit/operator.ts'

export interface FloodData {
  readonly monitoringPort: number
  readonly username: string
  readonly password: string
  readonly users: number
}

/** What the flood did. */
export interface FloodCounts {
  readonly pages: number
  /** In milliseconds, of one page of the console. */
  readonly pageMs: number
}

/** As many as a page of the console has. */
const PAGE_USERS = 100
const NICE_LEAST = 19

const { monitoringPort, username, password, users } = workerData as FloodData
const port = parentPort!
// The visitors who are measured share a core with it, and are not to wait for their own attacker.
setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICE_LEAST)
const operator = await Operator.loggedIn({ monitoringPort }, username, password)

let isOver = true
const isOn = (): boolean => !isOver
port.on('message', (order: 'begin' | 'end') => {
  isOver = order === 'end'
  if (order === 'begin') void flood().then(counts => { port.postMessage(counts) })
})
port.postMessage('there')

async function flood (): Promise<FloodCounts> {
  const [counts] = await Promise.all([
    pageThrough(),
    floodWithLogins(monitoringPort, () => !isOn())
  ])
  return counts
}

async function pageThrough (): Promise<FloodCounts> {
  const startMs = performance.now()
  let pages = 0
  for (; isOn(); pages++) {
    const offset = pages * PAGE_USERS * 97 % users
    const path = `/users?limit=${PAGE_USERS}&sort=first_seen&offset=${offset}`
    const { status } = await operator.get(path)
    if (status !== 200) throw new Error(`${path}: ${status}`)
  }
  return { pages, pageMs: (performance.now() - startMs) / pages }
}
