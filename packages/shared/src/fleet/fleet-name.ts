/**
 * What a server is called in its fleet, where every name is there once: NODE/NAME. Tickets are for
 * servers by these names, and a visitor's cookie has the latest one's. Pure.
 */
import type { Settings } from '../settings/settings.ts'

const FLEET_SERVER = /^[a-z0-9][a-z0-9._-]{0,62}\/[a-z0-9][a-z0-9._-]{0,62}$/

export type FleetNameSettings = Pick<Settings, 'clusterUrl' | 'nodeName'>

/** The server's own name where the program is alone. */
export function fleetName (
  { clusterUrl, nodeName }: FleetNameSettings, serverName: string
): string {
  return clusterUrl === '' ? serverName : `${nodeName}/${serverName}`
}

/** Whether a visitor's text is NODE/NAME, of whichever fleet. */
export function isFleetServer (text: string): boolean {
  return FLEET_SERVER.test(text)
}
