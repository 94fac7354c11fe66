/**
 * The console with news that are made up: a server down, a full table, a day of load. For pictures
 * and tests of what a healthy program does not show. Tools and tests only.
 */
import type { BrowserContext, Page } from 'playwright-core'
import type { ServerStats, Stats } from '@usher/shared/api/stats.ts'
import { describeBalance, isNearlyFull } from '@usher/workers/monitor/figures/balance.ts'

export type StagedServer = Partial<ServerStats> & Pick<ServerStats, 'active_users'>

export interface StagedNews extends Partial<Omit<Stats, 'servers' | 'table'>> {
  /** By name. */
  readonly servers: Readonly<Record<string, StagedServer>>
  /** All of the load is in it unless something else is said. */
  readonly table?: { readonly used?: number, readonly size: number }
}

/** As the monitor answers `GET /history`. */
export interface StagedHistory {
  readonly servers: Readonly<Record<string, ReadonlyArray<number | null>>>
  readonly events?: ReadonlyArray<{ at: string, type: string, server: string | null }>
}

const STEP_S = 5
const TABLE_SIZE = 131_072

/**
 * From the next page on the console hears this instead of the monitor; an event `staged-loss` of
 * its window ends the stream.
 */
export async function stageNews (place: Page | BrowserContext, news: StagedNews): Promise<void> {
  await place.addInitScript(stats => {
    class StagedStream extends EventTarget {
      readonly #timer = setInterval(() => { this.#tell() }, 1000)

      constructor () {
        super()
        super.addEventListener('error', () => { this.close() })
        setTimeout(() => { this.#tell() })
        const window = globalThis as unknown as EventTarget
        window.addEventListener('staged-loss', () => { this.dispatchEvent(new Event('error')) })
      }

      close (): void {
        clearInterval(this.#timer)
      }

      #tell (): void {
        const data = JSON.stringify({ ...stats, timestamp: new Date().toISOString() })
        this.dispatchEvent(new MessageEvent('stats', { data }))
      }
    }
    Object.assign(globalThis, { EventSource: StagedStream })
  }, statsOf(news))
}

/** As the monitor would say it. */
function statsOf ({ servers: staged, table, ...others }: StagedNews): Stats {
  const servers = Object.fromEntries(Object.entries(staged).map(([name, server], index) =>
    [name, serverOf(server, name, index)]))
  const all = Object.values(servers)
  const users = all.reduce((sum, server) => sum + server.active_users, 0)
  const load = all.reduce((sum, server) => sum + server.load, 0)
  const { used = load, size } = table ?? { size: TABLE_SIZE }
  const balance = describeBalance({
    policy: 'fewest-users',
    servers: Object.entries(servers).map(([name, { index, weight }]) =>
      ({ name, index, weight })),
    isAvailable: server => all[server]!.state === 'up',
    isFull: () => false
  }, Int32Array.from(all, ({ load }) => load))
  return {
    timestamp: new Date().toISOString(),
    up_since: new Date().toISOString(),
    total_users: users,
    denied_users: 0,
    ...balance,
    ...others,
    servers,
    table: { used, size, nearly_full: isNearlyFull(used, size) },
    refused_networks: []
  }
}

function serverOf (server: StagedServer, name: string, index: number): ServerStats {
  return {
    index,
    kind: 'own',
    port: Number(name),
    weight: 1,
    reserved: 0,
    load: server.active_users + (server.reserved ?? 0),
    state: 'up',
    suspect: false,
    folder: `site-${index + 1}`,
    users: [],
    users_truncated: false,
    restarts: 0,
    ...server
  }
}

/** The last points of it end now, whatever time is asked for. */
export async function stageHistory (
  place: Page | BrowserContext, { servers, events = [] }: StagedHistory
): Promise<void> {
  await place.route('**/history?*', route => {
    const minutes = Number(new URL(route.request().url()).searchParams.get('minutes'))
    const count = minutes * 60 / STEP_S
    const nowStep = Math.floor(Date.now() / 1000 / STEP_S)
    return route.fulfill({
      json: {
        from: new Date((nowStep - count + 1) * STEP_S * 1000).toISOString(),
        step_seconds: STEP_S,
        servers: Object.fromEntries(Object.entries(servers).map(([name, loads], index) => {
          const shown = loads.slice(-count)
          const before = new Array<null>(count - shown.length).fill(null)
          const points = [...before, ...shown]
          const reserved = points.map(load => load === null ? null : 0)
          return [name, { index, active_users: points, reserved }]
        })),
        events
      }
    })
  })
}
