/**
 * The console with news that are made up: a server down, a full table, a day of load. For pictures
 * and tests of what a healthy program does not show. Tools and tests only.
 */
import type { BrowserContext, Page } from 'playwright-core'

export interface StagedServer {
  readonly active_users: number
  readonly reserved?: number
  readonly state?: 'starting' | 'up' | 'draining' | 'down'
  readonly [field: string]: unknown
}

export interface StagedNews {
  /** By port. */
  readonly servers: Readonly<Record<string, StagedServer>>
  readonly [field: string]: unknown
}

/** As the monitor answers `GET /history`. */
export interface StagedHistory {
  readonly servers: Readonly<Record<string, ReadonlyArray<number | null>>>
  readonly events?: ReadonlyArray<{ at: string, type: string, server: number | null }>
}

const STEP_S = 5

/**
 * From the next page on the console hears this instead of the monitor; an event `staged-loss` of
 * its window ends the stream.
 */
export async function stageNews (place: Page | BrowserContext, news: StagedNews): Promise<void> {
  const servers = Object.fromEntries(Object.entries(news.servers).map(([port, server]) =>
    [port, { reserved: 0, state: 'up', users: [], users_truncated: false, ...server }]))
  const users = Object.values(servers).reduce((sum, { active_users: count }) => sum + count, 0)
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
  }, { total_users: users, denied_users: 0, ...news, servers })
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
        servers: Object.fromEntries(Object.entries(servers).map(([port, loads]) => {
          const shown = loads.slice(-count)
          const before = new Array<null>(count - shown.length).fill(null)
          const points = [...before, ...shown]
          const reserved = points.map(load => load === null ? null : 0)
          return [port, { active_users: points, reserved }]
        })),
        events
      }
    })
  })
}
