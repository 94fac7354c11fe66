/** What the settings say of newcomers, as the user table takes it. Values only. */
import { rangeFrom } from './deny-list.ts'
import type { NewcomerSettings } from './memory/newcomers.ts'
import { LOOPBACK } from './networks.ts'
import type { Settings } from './settings/settings.ts'

/** @param thread the index of a server, or ROUTER */
export function newcomerSettings (
  settings: Pick<Settings, 'newcomersPerMinute' | 'trustedNetworks' | 'trustProxy'>, thread: number
): NewcomerSettings {
  const { newcomersPerMinute, trustedNetworks, trustProxy } = settings
  return {
    perMinute: newcomersPerMinute,
    exempt: [...LOOPBACK, ...trustProxy, ...trustedNetworks].map(rangeFrom),
    thread
  }
}
