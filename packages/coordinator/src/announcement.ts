/**
 * What the log says when all is ready: where visitors and operators find what, by addresses that
 * answer; and whether the monitor is open to others without TLS. Main thread.
 */
import {
  answeringAddress, isForAll, isLoopback, type Interfaces
} from '@usher/shared/settings/detect-ip.ts'
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
  if (settings.decisionPort !== undefined) announceDecisions(settings, log)
  const scheme = tls === undefined ? 'http' : 'https'
  const url = (address: string, port: number): string =>
    `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
  const router = url(publicAddress, routingPort)
  const monitor = url(monitorAddress, monitoringPort)
  const all = servers.map(server =>
    server.kind === 'own' ? url(publicAddress, server.port) : server.publicUrl)
  log.info({ router, monitor, servers: all },
    `Usher is ready: visitors at ${router}, monitor at ${monitor}`)
}

function announceDecisions (
  { decisionHost, decisionPort }: AnnouncedSettings, log: Pick<Logger, 'info' | 'warn'>
): void {
  const port = { decisionHost, decisionPort }
  log.info(port, `proxies ask for decisions at port ${decisionPort} of ${decisionHost}`)
  if (isLoopback(decisionHost)) return
  log.warn(port, 'the decision port can be reached from other machines: whoever asks there speaks ' +
    'for any visitor; let only your proxies reach it, or set DECISION_HOST=127.0.0.1')
}
