/**
 * A reload, at SIGHUP: settings, certificate and the servers' files are read again, and all are
 * taken over or none: a wrong setting or a file that cannot be read leaves everything as it is. The
 * log goes on in a new file, if it was moved, whatever comes of that. Main thread.
 */
import type { TlsPair } from '@usher/shared/http/tls-context.ts'
import { reportOf } from '@usher/shared/errors.ts'
import type { ClusterMeter } from '@usher/shared/memory/meters.ts'
import type { LoadedSites } from '@usher/shared/messages.ts'
import {
  applyToThread, type ChangedValues, type SettingChanges
} from '@usher/shared/settings/setting-changes.ts'
import type { Applier } from '@usher/shared/settings/setting-definition.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import type { LiveSettings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'
import type { SiteKeeper } from './site-keeper.ts'
import type { InTurn } from '@usher/shared/turns.ts'
import type { Workers } from './workers.ts'

export interface ReloadParts {
  /** Reads the settings again; throws `SettingsInvalid`. */
  readonly readChanges: () => SettingChanges
  /** This thread's own. */
  readonly live: LiveSettings
  /** Writes what `live` says of the user table into it. */
  readonly setLimits: () => void
  /** Every thread gets the servers as the settings have them; `live` has what they say. */
  readonly setServers: (servers: readonly Slot[]) => Promise<void>
  readonly sites: Pick<SiteKeeper, 'load' | 'keep' | 'abandon'>
  readonly workers: Pick<Workers, 'tellServers' | 'tellAll'>
  /** Every thread goes on in the log file of LOG_FILE, if another one was moved away. */
  readonly reopenLog: () => Promise<void>
  /** New connections to all ports get this certificate. */
  readonly switchCertificate: (pair: TlsPair) => Promise<void>
  readonly meter: Pick<ClusterMeter, 'reloaded'>
  readonly inTurn: InTurn
  readonly log: Logger
}

type Appliers = { readonly [A in Applier]: (changes: ChangedValues<A>) => Promise<void> | void }

/** For a server to look through the list of its files, among its visitors' requests. */
export const PREPARE_TIMEOUT_MS = 60_000
const ORDER_TIMEOUT_MS = 5000

/** Each call is one reload; they come one after another, and never reject: they log. */
export function reloader (parts: ReloadParts): () => Promise<void> {
  return () => parts.inTurn(() => reload(parts))
}

async function reload (parts: ReloadParts): Promise<void> {
  await reopenLog(parts)
  const changes = readChanges(parts)
  if (changes === undefined || !await reloadFiles(parts, changes)) return
  const { needRestart, texts, certificate } = changes
  if (certificate !== undefined) await applyCertificate(parts, certificate)
  if (needRestart.length > 0) {
    parts.log.warn({ settings: needRestart },
      'some changed settings need a restart and keep their old values until then')
  }
  if (texts.length > 0) await applySettings(parts, changes)
}

async function reopenLog ({ reopenLog, log }: ReloadParts): Promise<void> {
  try {
    await reopenLog()
  } catch (error) {
    log.error({ err: error }, 'not every thread could open LOG_FILE anew: its lines go on into the old file')
  }
}

/** Undefined when a setting is wrong. */
function readChanges ({ readChanges, log }: ReloadParts): SettingChanges | undefined {
  try {
    return readChanges()
  } catch (error) {
    const problems = reportOf(error).message.split('\n')
    log.error({ problems }, 'the reload failed: a setting is wrong, so pages and settings stay as they were')
    return undefined
  }
}

/** All servers switch to the files as they are now, or none does; returns whether they did. */
async function reloadFiles (
  { sites, workers, meter, log }: ReloadParts, { values }: SettingChanges
): Promise<boolean> {
  let loaded: LoadedSites
  try {
    loaded = await sites.load(values.loader)
    await workers.tellServers({ type: 'prepare-reload', loaded }, PREPARE_TIMEOUT_MS)
  } catch (error) {
    log.error({ err: error }, 'the reload failed: not every server could read its files, so pages and settings stay as they were')
    await workers.tellServers({ type: 'abort-reload' }, ORDER_TIMEOUT_MS).catch(() => {})
    await sites.abandon()
    return false
  }
  // Before they switch: a server that starts from now on has the new ones.
  sites.keep(loaded)
  try {
    await workers.tellServers({ type: 'commit-reload', loaded }, ORDER_TIMEOUT_MS)
    log.info('all servers serve the files as they are now')
  } catch (error) {
    log.error({ err: error }, 'not every server has said that it serves the files as they are now')
  }
  meter.reloaded()
  return true
}

async function applyCertificate (
  { switchCertificate, log }: ReloadParts, pair: TlsPair
): Promise<void> {
  try {
    await switchCertificate(pair)
  } catch (error) {
    log.error({ err: error }, 'not every thread has taken over the changed certificate')
  }
}

async function applySettings (
  { live, setLimits, setServers, workers, log }: ReloadParts,
  { values, servers, texts }: SettingChanges
): Promise<void> {
  const appliers: Appliers = {
    // The router reads the error pages anew for each visitor.
    router: changes => { Object.assign(live, changes) },
    // It has loaded with them already.
    loader: changes => { Object.assign(live, changes) },
    table: changes => {
      Object.assign(live, changes)
      setLimits()
    },
    servers: async changes => {
      Object.assign(live, changes)
      if (servers !== undefined) await setServers(servers)
    },
    'every-thread': async changes => {
      applyToThread(live, changes, log)
      await workers.tellAll({ type: 'apply-settings', changes }, ORDER_TIMEOUT_MS)
    }
  }
  const apply = async <A extends Applier>(applier: A): Promise<void> => {
    if (Object.keys(values[applier]).length > 0) await appliers[applier](values[applier])
  }
  const say = (): void => { log.info({ changes: texts }, 'settings were changed') }
  // Said at the more talkative of two log levels.
  const isHeardBefore = log.isLevelEnabled('info')
  if (isHeardBefore) say()
  try {
    await Promise.all([
      apply('router'), apply('loader'), apply('table'), apply('servers'), apply('every-thread')
    ])
  } catch (error) {
    log.error({ err: error }, 'not every thread has taken over the changed settings')
  }
  if (!isHeardBefore) say()
}
