/**
 * Looks up the host names among the settings, once, at start: what is bound from then on is an
 * address, the same in every thread, and links name it. Main thread.
 */
import { networkInterfaces } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { parseAddress } from '../client.ts'
import { SettingsInvalid } from '../errors.ts'
import { detectIp } from './detect-ip.ts'
import { complain } from './given.ts'
import { settingNamed } from './setting-rows.ts'
import type { CompleteSettings } from './settings.ts'

/** Rejects with a `code` when the name has no address. */
export type Lookup = (name: string) => Promise<{ readonly address: string }>

/** Loaded only where there are names. */
const systemLookup: Lookup = name => process.getBuiltinModule('node:dns/promises').lookup(name)

type HostName = 'HOST' | 'MONITORING_HOST'

/** A resolver may try several servers, for 5 s each. */
const LOOKUP_MS_MAX = 15_000
const ALLOWED = 'an IP address, or a host name that this machine can look up'

/** The same settings with addresses for names; throws `SettingsInvalid`, naming all without one. */
export async function lookUpHosts (
  loaded: CompleteSettings, lookup = systemLookup
): Promise<CompleteSettings> {
  const { settings, values, effective } = loaded
  const problems: string[] = []
  const find = async (name: HostName, host: string): Promise<string> => {
    if (parseAddress(host) !== undefined) return host
    try {
      return await addressOf(host, lookup)
    } catch (error) {
      const { text, origin } = effective.find(setting => setting.name === name)!
      const refusal = `it has no address (${(error as NodeJS.ErrnoException).code})`
      problems.push(complain({ row: settingNamed(name)!, text, origin }, refusal, ALLOWED))
      return host
    }
  }
  const host = await find('HOST', values.HOST)
  const monitoringHost = values.MONITORING_HOST === values.HOST
    ? host
    : await find('MONITORING_HOST', values.MONITORING_HOST)
  if (problems.length > 0) throw new SettingsInvalid(problems.join('\n'))
  const ip = settings.ip === '' ? detectIp(host, networkInterfaces())! : settings.ip
  return {
    ...loaded,
    settings: { ...settings, host, monitoringHost, ip },
    effective: effective.map(setting => setting.name === 'IP' ? { ...setting, text: ip } : setting)
  }
}

async function addressOf (name: string, lookup: Lookup): Promise<string> {
  const over = new AbortController()
  const late = setTimeout(LOOKUP_MS_MAX, undefined, { signal: over.signal }).then(() => {
    throw Object.assign(new Error('the lookup took too long'), { code: 'ETIMEOUT' })
  })
  try {
    return (await Promise.race([lookup(name), late])).address
  } finally {
    over.abort()
    late.catch(() => {})
  }
}
