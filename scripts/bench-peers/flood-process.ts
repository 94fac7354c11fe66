/**
 * The process of flood-bench.ts that floods the monitor: wave after wave of logins, and a console
 * that asks for one page of the users after another. From its first message to the second.
 */
import { floodWithLogins } from '../bench/login-flood.ts'
import { Operator } from '../kit/operator.ts'

/** Its argument, as JSON. */
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

const { monitoringPort, username, password, users } = JSON.parse(process.argv[2]!) as FloodData
const operator = await Operator.loggedIn({ monitoringPort }, username, password)

let isOver = true
const isOn = (): boolean => !isOver
process.on('message', (order: 'begin' | 'end') => {
  isOver = order === 'end'
  if (order === 'begin') void flood().then(counts => { process.send!(counts) })
})
process.send!('there')

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
