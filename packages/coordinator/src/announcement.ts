/**
 * What the log says when all is ready: where visitors and operators find what, by addresses that
 * answer; and whether the monitor is open to others without TLS. Main thread.
 */
import { answeringAddress, isForAll, type Interfaces } from '@usher/shared/settings/detect-ip.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'

export type AnnouncedSettings = Pick<Settings,
  'host' | 'monitoringHost' | 'ip' | 'servers' | 'routingPort' | 'monitoringPort' | 'tls'>

const LOOPBACK = /^(?:127\.|::1$)/

export function announce (
  settings: AnnouncedSettings, interfaces: Interfaces, log: Pick<Logger, 'info' | 'warn'>
): void {
  const { host, monitoringHost, ip, servers, routingPort, monitoringPort, tls } = settings
  const publicAddress = answeringAddress(host, ip, interfaces)
  const monitorAddress = answeringAddress(monitoringHost, ip, interfaces)
  const isOpen = isForAll(monitoringHost) || !LOOPBACK.test(monitorAddress)
  if (tls === undefined && isOpen) {
    log.warn({ monitoringHost }, 'the monitor can be reached from other machines, without TLS: ' +
      'set TLS_CERT and TLS_KEY, or MONITORING_HOST=127.0.0.1')
  }
  const scheme = tls === undefined ? 'http' : 'https'
  const url = (address: string, port: number): string =>
    `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
  const router = url(publicAddress, routingPort)
  const monitor = url(monitorAddress, monitoringPort)
  log.info({ router, monitor, servers: servers.map(({ port }) => url(publicAddress, port)) },
    `Usher is ready: visitors at ${router}, monitor at ${monitor}`)
}
