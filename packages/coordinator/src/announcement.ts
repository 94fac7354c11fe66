/**
 * What the log says when all is ready: where visitors and operators find what, by addresses that
 * answer; whether the monitor is open to others without TLS; and that there are no servers. Main
 * thread.
 */
import {
  answeringAddress, isForAll, isLoopback, type Interfaces
} from '@usher/shared/settings/detect-ip.ts'
import { presentServers } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'

export type AnnouncedSettings = Pick<Settings,
  'host' | 'monitoringHost' | 'decisionHost' | 'ip' | 'servers' | 'routingPort' | 'monitoringPort' |
  'decisionPort' | 'tls'>

export function announce (
  settings: AnnouncedSettings, interfaces: Interfaces, log: Pick<Logger, 'info' | 'warn'>
): void {
  const { host, monitoringHost, ip, servers, routingPort, monitoringPort, tls } = settings
  const publicAddress = answeringAddress(host, ip, interfaces)
  const monitorAddress = answeringAddress(monitoringHost, ip, interfaces)
  const isOpen = isForAll(monitoringHost) || !isLoopback(monitorAddress)
  if (tls === undefined && isOpen) {
    log.warn({ monitoringHost }, 'the monitor can be reached from other machines, without TLS: ' +
      'set TLS_CERT and TLS_KEY, or MONITORING_HOST=127.0.0.1')
  }
  const scheme = tls === undefined ? 'http' : 'https'
  const url = (address: string, port: number): string =>
    `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
  const router = url(publicAddress, routingPort)
  const monitor = url(monitorAddress, monitoringPort)
  const decisions = decisionUrl(settings, log)
  const present = presentServers(servers)
  if (present.length === 0) {
    log.warn('there are no servers: visitors get an error page (503) until one is added in the ' +
      'console, or named in PORTS or EXTERNAL_SERVERS')
  }
  const all = {
    router,
    monitor,
    servers: present.map(server =>
      server.kind === 'own' ? url(publicAddress, server.port) : server.publicUrl)
  }
  log.info(decisions === undefined ? all : { ...all, decisions },
    `Usher is ready: visitors at ${router}, monitor at ${monitor}`)
}

/** Where proxies ask for decisions, always by plain HTTP; undefined where they cannot. */
function decisionUrl (
  { decisionHost, decisionPort }: AnnouncedSettings, log: Pick<Logger, 'warn'>
): string | undefined {
  if (decisionPort === undefined) return undefined
  if (!isLoopback(decisionHost)) {
    log.warn({ decisionHost }, 'the decision port can be reached from other machines: who asks ' +
      'there speaks for any visitor; let only your proxies reach it, or set DECISION_HOST=127.0.0.1')
  }
  const host = decisionHost.includes(':') ? `[${decisionHost}]` : decisionHost
  return `http://${host}:${decisionPort}`
}
