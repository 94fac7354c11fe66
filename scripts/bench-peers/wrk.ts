/** wrk, the load of the benchmark: asks as the visitors of visitors.lua do. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ROOT } from '../kit/places.ts'

export interface Load {
  /** A base URL, without a slash at the end. */
  readonly url: string
  readonly shape: 'same' | 'differ'
  readonly service: 'page' | 'away' | 'beat' | 'decide'
  /** A new connection for each request. */
  readonly isClosing: boolean
  /** Whole ones: wrk takes no others. */
  readonly seconds: number
  /** Of wrk, all on one core; THREADS if left out. */
  readonly threads?: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers of 400 and above. */
  readonly refused: number
  /** Connections that broke, and requests that were not answered in time. */
  readonly broken: number
}

export const CONNECTIONS = 64
/**
 * Each is a visitor; more than that only take each other's time on one core. What they say of
 * latency is how long they wait for each other: see latency-bench.ts.
 */
const THREADS = 8
const SCRIPT = join(ROOT, 'scripts/bench-peers/visitors.lua')
/** A machine that halts for a moment is no server that fails. */
const TIMEOUT_S = 20
/** A busy machine may not end one of 64 handshakes in a second: it is given more, up to that. */
const SECONDS_MAX_UNANSWERED = 32

/** Rejects when requests were refused or broken: such a measurement means nothing. */
export async function runWrk (path: string, load: Load): Promise<LoadResult> {
  const { url, shape, service, isClosing, seconds, threads = THREADS } = load
  const child = spawn(path, [
    `-t${threads}`, `-c${CONNECTIONS}`, `-d${seconds}s`,
    '--timeout', `${TIMEOUT_S}s`, '-s', SCRIPT, url, '--',
    shape, service, isClosing ? 'close' : 'keep'
  ], { stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => { printed += text.toString() })
  }
  await once(child, 'close')
  const [, json] = /^JSON (.*)$/m.exec(printed) ?? []
  if (json === undefined) throw new Error(`wrk failed: ${printed}`)
  const result = JSON.parse(json) as LoadResult
  const failed = result.refused + result.broken
  if (result.requests + failed === 0 && seconds < SECONDS_MAX_UNANSWERED) {
    return await runWrk(path, { ...load, seconds: seconds * 2 })
  }
  if (result.requests === 0 || failed > 0) {
    throw new Error(`${url} (${shape} ${service}): of ${result.requests} requests ` +
      `${result.refused} were refused, ${result.broken} broke`)
  }
  return result
}
