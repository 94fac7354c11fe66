/**
 * The program: settings, ports, then the coordinator with its threads; and the signals that end it.
 *
 *     main thread   settings, port check, user table, router, sweep, supervision (coordinator.ts)
 *     worker        static server, one per port            (workers/src/static-server/main.ts)
 *     worker        monitor                                      (workers/src/monitor/main.ts)
 *
 * Exit codes: 0 clean stop, 1 failed or a port is unavailable, 2 a setting is wrong.
 */
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { reportOf } from '@usher/shared/errors.ts'
import { openLog } from '@usher/shared/log.ts'
import { allocateLogLosses } from '@usher/shared/memory/log-losses.ts'
import { ownServers } from '@usher/shared/settings/servers.ts'
import { compareSettings, type SettingChanges } from '@usher/shared/settings/setting-changes.ts'
import {
  loadSettings, processSource, type CompleteSettings, type LoadedSettings, type Settings
} from '@usher/shared/settings/settings.ts'
import { renderCheck, renderHelp } from '@usher/shared/settings/settings-text.ts'
import { withPlaces } from '@usher/shared/stack-places.ts'
import { closeUnaskedDebugger } from '@usher/shared/unused-signals.ts'
import manifest from '../../../package.json' with { type: 'json' }
import type { Coordinator, CoordinatorParts } from './coordinator.ts'
import type { SignalHandler } from './early-signals.ts'
import type { EarlyServer } from './early-server.ts'
import { checkNode } from './node-check.ts'
import { checkPorts } from './port-check.ts'
import { signalHandler } from './shutdown.ts'
import { hasDatabase } from './start-order.ts'

const EXIT_FAILED = 1
const EXIT_SETTINGS = 2
const STANDARD_FDS = [0, 1, 2] as const
const STARTS_MAX = 3

const programDir = import.meta.dirname
const source = processSource(programDir)

/** What has begun before all of this was loaded. */
export interface EarlyParts {
  readonly listenForSignals: (handler: SignalHandler) => void
  readonly earlyServer: EarlyServer
}

/** Never rejects. */
export async function runProgram (early: EarlyParts): Promise<void> {
  closeUnaskedDebugger()
  const loaded = await load()
  if (loaded?.command === 'help') process.stdout.write(renderHelp(manifest.version))
  if (loaded?.command === 'version') process.stdout.write(`${manifest.version}\n`)
  if (loaded?.command === 'check') await check(loaded)
  if (loaded?.command === 'run') await run(loaded, early)
}

async function load (): Promise<LoadedSettings | undefined> {
  try {
    const loaded = loadSettings(source)
    if (loaded.settings === undefined) return loaded
    const { lookUpHosts } = await import('@usher/shared/settings/host-lookup.ts')
    return await lookUpHosts(loaded)
  } catch (error) {
    fail(error, EXIT_SETTINGS)
    return undefined
  }
}

/** What is right, but will not do for long, is said beside it. */
async function check ({ effective, settings }: CompleteSettings): Promise<void> {
  const { readCertificate, warningsOf } = await import('@usher/shared/certificate.ts')
  const { checkSites } = await import('./site-keeper.ts')
  const { tls, publicHosts, servers, live } = settings
  process.stdout.write(renderCheck(effective))
  const warnings = tls === undefined
    ? []
    : warningsOf(readCertificate(tls.cert), publicHosts, Date.now())
  for (const warning of warnings) process.stderr.write(`usher: warning: TLS_CERT: ${warning}\n`)
  try {
    checkNode(process.versions.node, manifest.engines.node)
    await checkSites({ servers, live, programDir })
  } catch (error) {
    fail(error, EXIT_FAILED)
  }
}

async function run (
  loaded: CompleteSettings, { listenForSignals, earlyServer }: EarlyParts
): Promise<void> {
  try {
    checkNode(process.versions.node, manifest.engines.node)
    const settings = await checkPorts(loaded.settings)
    const [first] = ownServers(settings.servers)
    if (first === undefined) earlyServer.close()
    // Nobody is denied where there is no database yet.
    else if (!hasDatabase(settings.dbPath)) earlyServer.listen(settings.host, first.port)
    const isTerminal = isatty(STANDARD_FDS[1])
    const logLosses = allocateLogLosses()
    const log = openLog({
      thread: 'coordinator',
      level: settings.live.logLevel,
      file: settings.logFile,
      isTerminal,
      losses: logLosses,
      isHeld: true
    })
    process.on('uncaughtException', error => {
      log.fatal({ err: error }, 'failed while running')
      process.exit(EXIT_FAILED)
    })
    // The flags are the same as at the start, so a command in them is not run again.
    const readChanges = (): SettingChanges =>
      compareSettings(loaded, loadSettings(source) as CompleteSettings)
    // Listens before it has started: a signal during the start waits for its end, then stops.
    const starting = start(
      { settings, readChanges, programDir, earlyServer, isTerminal, log, logLosses },
      loaded.settings)
    listenForSignals(signalHandler({
      close: async () => { await (await starting).close() },
      reload: async () => { await (await starting).reload() },
      restartServers: async () => { await (await starting).restarts.all() },
      hasTerminal: STANDARD_FDS.some(fd => isatty(fd)),
      timeoutMs: settings.shutdownTimeoutMs,
      now: monotonicNowMs,
      exit: code => process.exit(code),
      log
    }))
    await starting.finally(() => { log.load() })
  } catch (error) {
    fail(error, EXIT_FAILED)
    process.exit()
  }
}

/**
 * Between the check and the opening of a port another program may take it: then all are checked
 * again, so that the kernel chooses another one where it may, and the taken ones are named.
 */
async function start (parts: CoordinatorParts, given: Settings): Promise<Coordinator> {
  const { startCoordinator } = await import('./coordinator.ts')
  for (let starts = 1, { settings } = parts; ; starts++) {
    try {
      return await startCoordinator({ ...parts, settings })
    } catch (error) {
      if (reportOf(error).code !== 'EADDRINUSE' || starts === STARTS_MAX) throw error
      parts.log.warn({ err: error }, 'a port was taken during the start: starting again')
      settings = await checkPorts(given)
    }
  }
}

/** An error that a person can fix is one sentence; only a bug of ours shows a stack. */
function fail (error: unknown, exitCode: number): void {
  const { code, message, stack } = reportOf(error)
  const isExpected = code.startsWith('USHER_') || code in constants.errno
  process.stderr.write(`usher: ${isExpected || stack === '' ? message : withPlaces(stack)}\n`)
  process.exitCode = exitCode
}
