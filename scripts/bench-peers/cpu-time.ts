/**
 * Processor time, as the kernel counts it: of a process with all its threads and children, and of
 * whole cores, so that what others took of them is known. Linux: from /proc.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Cores } from './cores.ts'

/** The kernel's unit in /proc/PID/stat and /proc/stat (USER_HZ). */
const TICKS_PER_SECOND = 100
/** Fields of /proc/PID/stat, counted from the one after the command's name (proc(5)). */
const [UTIME, CUTIME] = [11, 13]
/** Fields of a line of /proc/stat after its name. */
const [IDLE, IOWAIT, IRQ, SOFTIRQ] = [3, 4, 5, 6]

/** In seconds: of a process, its threads, and the processes that it has started and still run. */
export function cpuSeconds (pid: number): number {
  const own = statFields(pid)
  const children = childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), 0)
  return (own[UTIME]! + own[UTIME + 1]!) / TICKS_PER_SECOND + children
}

/** In bytes: what is resident of a process and of those that it has started. */
export function residentBytes (pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024 +
    childrenOf(pid).reduce((sum, child) => sum + residentBytes(child), 0)
}

/** What a stretch of time was taken up by; see `foreignShare`. */
export interface CoreClock {
  readonly wallMs: number
  /** Of both cores together, in seconds: not idle, and no interrupt. */
  readonly busySeconds: number
  /** Of this process, in seconds, and of its children that have ended, such as the load. */
  readonly ownSeconds: number
}

export function readCoreClock ({ server, load }: Cores): CoreClock {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n')
  const busyTicks = [server, load].map(core => {
    const line = lines.find(line => line.startsWith(`cpu${core} `))!
    // The first eight; guests' time, after them, is in the user's already.
    const fields = line.split(/\s+/).slice(1, 9).map(Number)
    const aside = [IDLE, IOWAIT, IRQ, SOFTIRQ].reduce((sum, field) => sum + fields[field]!, 0)
    return fields.reduce((sum, ticks) => sum + ticks, 0) - aside
  })
  const own = statFields(process.pid).slice(UTIME, CUTIME + 2)
  return {
    wallMs: performance.now(),
    busySeconds: (busyTicks[0]! + busyTicks[1]!) / TICKS_PER_SECOND,
    ownSeconds: own.reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND
  }
}

/**
 * Which share of both cores' time went neither to the server, nor to the load, nor to this process:
 * to other processes, or to other machines of the same host (steal).
 *
 * @param serverSeconds of processor time, meanwhile
 */
export function foreignShare (before: CoreClock, after: CoreClock, serverSeconds: number): number {
  const ownSeconds = after.ownSeconds - before.ownSeconds + serverSeconds
  const foreignSeconds = after.busySeconds - before.busySeconds - ownSeconds
  return Math.max(0, foreignSeconds) / (2 * (after.wallMs - before.wallMs) / 1000)
}

function statFields (pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold anything.
  return text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number)
}

function childrenOf (pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap(thread => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  })
}
