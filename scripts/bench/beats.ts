/**
 * Beats of 100,000 pages at one server, who came in one second, simulated with the server's own
 * schedule and with what the pages' script makes of its header: how many come in each second,
 * against HEARTBEAT_BUDGET. Takes no real time.
 */
import { beatDelayMs, parseIntervalMs } from '../../html/page-script/pace.ts'
import { BeatSchedule, formatSeconds } from '../../packages/shared/src/beats/beat.ts'
import { type BenchPart } from './report/report.ts'

const PAGES = 100_000
const SECONDS = 600
const SECOND_MS = 1000
const SETTINGS = { heartbeatIntervalMs: 2500, heartbeatBudget: 2000, timeoutThresholdMs: 1_800_000 }

export const benchBeats: BenchPart = () => {
  const counts = beatsPerSecond()
  const later = counts.slice(2)
  const most = Math.max(...later)
  const mean = later.reduce((sum, count) => sum + count, 0) / later.length
  return Promise.resolve({
    tables: [{
      id: 'beats',
      title: `Beats of ${PAGES} pages that came in one second`,
      columns: ['budget', 'most in a second', 'mean'],
      rows: [[String(SETTINGS.heartbeatBudget), String(most), mean.toFixed(0)]],
      notes: [
        'Without the first beat of each page, which comes with it. All pages are in sight: those that ' +
        'are not beat more seldom.'
      ],
      command: 'npm run bench:peers -- --only beats'
    }],
    plots: [{
      id: 'beats',
      title: 'Beats a second after 100,000 pages came at once',
      xLabel: 'seconds since they came',
      yLabel: 'beats a second',
      isLogX: false,
      isLogY: false,
      series: [
        { name: 'beats', points: later.map((count, at) => [at + 2, count]) },
        { name: 'budget', points: [[2, SETTINGS.heartbeatBudget], [SECONDS, SETTINGS.heartbeatBudget]] }
      ]
    }],
    goals: []
  })
}

function beatsPerSecond (): number[] {
  let nowMs = 0
  const schedule = new BeatSchedule(SETTINGS, Math.random, () => nowMs)
  const due: number[] = new Array<number>(SECONDS * SECOND_MS).fill(0)
  for (let page = 0; page < PAGES; page++) due[Math.floor(Math.random() * SECOND_MS)]!++
  const counts = new Array<number>(SECONDS).fill(0)
  let activeUsers = 0
  for (; nowMs < due.length; nowMs++) {
    for (let beat = due[nowMs]!; beat > 0; beat--) {
      if (nowMs < SECOND_MS) activeUsers++
      counts[Math.floor(nowMs / SECOND_MS)]!++
      const nextMs = nowMs + pageDelayMs(formatSeconds(schedule.nextInMs(activeUsers)))
      if (nextMs < due.length) due[nextMs]!++
    }
  }
  return counts
}

/** @param header the reply's X-Heartbeat-Interval */
function pageDelayMs (header: string): number {
  return Math.round(beatDelayMs({
    intervalMs: parseIntervalMs(header)!,
    thresholdMs: SETTINGS.timeoutThresholdMs,
    failureCount: 0,
    isHidden: false,
    isOffline: false,
    isFollowing: false
  }, Math.random()))
}
