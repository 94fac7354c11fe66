/** A day of load that is made up, the same at every call: for pictures of the console. Pure. */
import { Random } from '../kit/random.ts'
import type { StagedHistory, StagedNews } from './staged-news.ts'

const STEP_S = 5
const DAY_STEPS = 24 * 3600 / STEP_S
const MINUTE_STEPS = 60 / STEP_S
const PORTS = ['8000', '8001', '8002'] as const
/** How much of its last step a wandering load forgets, and how far a step may go. */
const FORGETTING = 0.06
const STEP_USERS = 2.2
const MONITOR_AWAY = { fromMinutes: 38, toMinutes: 35 }
/** 12 days and 4 hours. */
const UP_FOR_MS = 292 * 3_600_000
const DRAIN_MINUTES = 21
const DOWN_MINUTES = 8
/** Until those who are left are moved. */
const MOVE_MINUTES = 40

/** All is well; half an hour ago the monitor was away for a while. */
export function quietDay (nowMs: number): { history: StagedHistory, news: StagedNews } {
  const servers = Object.fromEntries(PORTS.map((port, at) => [port, balancedLoads(at)]))
  return { history: { servers }, news: newsOf(servers, nowMs) }
}

/** One server drains, another one is down, and the table is nearly full. */
export function badDay (nowMs: number): { history: StagedHistory, news: StagedNews } {
  const [first, second, third] = [0, 1, 2].map(balancedLoads) as [Loads, Loads, Loads]
  const servers = {
    8000: first.map((load, at) => load === null ? null : load + movedHere(at)),
    8001: second.map((load, at) => load === null ? null : Math.round(load * leftInDrain(at))),
    8002: third.map((load, at) => minutesAgo(at) <= DOWN_MINUTES ? null : load)
  }
  const since = (minutes: number): string => new Date(nowMs - minutes * 60_000).toISOString()
  const news = newsOf(servers, nowMs)
  return {
    history: {
      servers,
      events: [
        { at: since(DRAIN_MINUTES), type: 'drain', server: '8001' },
        { at: since(DOWN_MINUTES), type: 'down', server: '8002' }
      ]
    },
    news: {
      ...news,
      servers: {
        ...news.servers,
        8001: {
          ...news.servers['8001']!,
          state: 'draining',
          state_since: since(DRAIN_MINUTES),
          drained_from: 431,
          drain: { note: 'new disk', moves_from: since(-MOVE_MINUTES) },
          requests_per_second: 6
        },
        8002: { active_users: 0, state: 'down', folder: 'site-3', state_since: since(DOWN_MINUTES), restarts: 4 }
      },
      table: { size: 690 }
    }
  }
}

type Loads = ReadonlyArray<number | null>

/** A tide over the day, and small changes that servers do not share. */
function balancedLoads (server: number): Loads {
  const random = new Random(server + 1)
  let own = 0
  return Array.from({ length: DAY_STEPS }, (_, at) => {
    own = own * (1 - FORGETTING) + (random.share() - 0.5) * STEP_USERS * 2
    const minutes = minutesAgo(at)
    if (minutes < MONITOR_AWAY.fromMinutes && minutes > MONITOR_AWAY.toMinutes) return null
    const hours = minutes / 60
    const tide = 330 + 90 * Math.cos(hours / 24 * 2 * Math.PI) + 45 * Math.sin(hours * 3 + 1)
    return Math.round(tide + 9 * Math.sin(hours * 23) + own)
  })
}

function minutesAgo (at: number): number {
  return (DAY_STEPS - 1 - at) / MINUTE_STEPS
}

function leftInDrain (at: number): number {
  const minutes = DRAIN_MINUTES - minutesAgo(at)
  return minutes <= 0 ? 1 : Math.exp(-minutes / 6)
}

/** Who left the draining server comes back here. */
function movedHere (at: number): number {
  return Math.round((1 - leftInDrain(at)) * 190)
}

function newsOf (servers: Readonly<Record<string, Loads>>, nowMs: number): StagedNews {
  const upSince = new Date(nowMs - UP_FOR_MS).toISOString()
  return {
    up_since: upSince,
    servers: Object.fromEntries(Object.entries(servers).map(([port, loads], at) => {
      const users = loads.at(-1) ?? 0
      return [port, {
        active_users: users,
        reserved: 3 - at,
        folder: `site-${at + 1}`,
        restarts: 0,
        up_since: upSince,
        connections: Math.round(users * 1.8),
        requests_per_second: Math.round(users * 0.49),
        beats_per_second: Math.round(users * 0.4),
        errors_per_second: 0,
        p50_ms: 0.3,
        p99_ms: 3.1 - at / 10
      }]
    })),
    redirects_per_second: 0.4,
    wait_ms: { p50: 350.6, p99: 357.9 },
    denied_users: 14
  }
}
