/**
 * What the health checks of 256 external servers cost, each a TLS handshake: processor time of the
 * thread that checks, and of the main thread for each redirect beside it, in turn with a program
 * that does not check. The servers are names of one server in a process of its own, on the other
 * core with the load.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { chooseCores } from '../bench-peers/cores.ts'
import { makeGround, type Ground } from '../bench-peers/ground.ts'
import { startUsher } from '../bench-peers/peers/usher.ts'
import { runWrk } from '../bench-peers/wrk.ts'
import { spread } from '../measure/figures.ts'

const SERVERS = 256
const ROUNDS = 7
const ROUND_S = 3
const CALM_MS = 10_000
/** As it is without a setting, and so that no second check comes. */
const [INTERVAL_S, NEVER_S] = ['2', '3600']
const TICKS_PER_SECOND = 100
/** Fields of /proc/PID/task/TID/stat, counted from the one after the name (proc(5)). */
const [UTIME, STIME] = [11, 12]

/** Answers 200 to whoever asks by TLS. */
const TLS_SERVER = `
  const { readFileSync } = require('node:fs')
  const [cert, key] = process.argv.slice(1).map(path => readFileSync(path))
  process.on('disconnect', () => process.exit()) // The benchmark is over, or has failed.
  const server = require('node:https').createServer({ cert, key }, (_, response) => response.end())
  server.listen(0, 'localhost', () => process.send(server.address().port))`

type Started = Awaited<ReturnType<typeof startUsher>>

export async function benchHealth (): Promise<void> {
  const cores = chooseCores()
  const ground = makeGround()
  if (ground.certificate === undefined) throw new Error('openssl is needed')
  const { certPath, keyPath } = ground.certificate
  const server = spawn('taskset', ['-c', String(cores.load), process.execPath, '-e', TLS_SERVER,
    certPath, keyPath], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const started: Started[] = []
  try {
    for (const interval of [INTERVAL_S, NEVER_S]) {
      started.push(await startChecking(ground, cores.server, server, interval))
    }
    await measure(started[0]!, started[1]!)
  } finally {
    for (const { stop } of started) await stop()
    server.disconnect()
    ground.clear()
  }
}

let tlsPort: number | undefined

async function startChecking (
  ground: Ground, core: number, server: ChildProcess, interval: string
): Promise<Started> {
  tlsPort ??= (await once(server, 'message') as [number])[0]
  return await startUsher(ground, core, {
    settings: {
      PORTS: '',
      EXTERNAL_SERVERS: Array.from({ length: SERVERS }, (_, at) =>
        `shop-${at}=https://localhost:${tlsPort}/${at}`).join(),
      HEALTH_INTERVAL: interval,
      HEALTH_TIMEOUT: '10',
      NODE_EXTRA_CA_CERTS: ground.certificate!.certPath
    }
  })
}

async function measure (checking: Started, calm: Started): Promise<void> {
  const print = (what: string, text: string): void => {
    process.stdout.write(`${what.padEnd(46)}  ${text}\n`)
  }
  await redirectMicroseconds(checking) // Warm-up, and all have been checked.
  await redirectMicroseconds(calm)
  const [before, beforeCalm] = [threadSeconds(checking.pid), threadSeconds(calm.pid)]
  await setTimeout(CALM_MS)
  const shares = sharesSince(before, threadSeconds(checking.pid))
  const calmShares = sharesSince(beforeCalm, threadSeconds(calm.pid))
  const all = shares.reduce((sum, share) => sum + share, 0)
  const allCalm = calmShares.reduce((sum, share) => sum + share, 0)
  print(`${SERVERS} checks by TLS every ${INTERVAL_S} s, of a core`,
    `${percent(all - allCalm)}, the thread that checks ${percent(Math.max(...shares))}`)
  const pairs: Array<readonly [calm: number, beside: number]> = []
  for (let round = 0; round < ROUNDS; round++) {
    pairs.push([await redirectMicroseconds(calm), await redirectMicroseconds(checking)])
  }
  print('a redirect without checks, of the main thread', `${spread(pairs.map(([calm]) => calm), 1)} us`)
  print('beside checks, pair by pair', `${spread(pairs.map(([calm, beside]) => beside / calm), 2)} times`)
}

/** Processor time of the main thread for each. */
async function redirectMicroseconds ({ program, pid }: Started): Promise<number> {
  const main = (): number => threadSeconds(pid).get(String(pid))!
  const before = main()
  const { requests } = await runWrk('wrk', {
    url: program.routerUrl, shape: 'differ', service: 'away', isClosing: false, seconds: ROUND_S
  })
  return (main() - before) / requests * 1e6
}

/** Processor time of each thread so far, by its number. */
function threadSeconds (pid: number): ReadonlyMap<string, number> {
  return new Map(readdirSync(`/proc/${pid}/task`).map(thread => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number)
    return [thread, (fields[UTIME]! + fields[STIME]!) / TICKS_PER_SECOND]
  }))
}

function sharesSince (
  before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>
): number[] {
  return [...after].map(([thread, seconds]) =>
    (seconds - (before.get(thread) ?? 0)) * 1000 / CALM_MS)
}

function percent (share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
