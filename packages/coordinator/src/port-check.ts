/**
 * Tries every port before anything is started, so that all that are taken are named at once, and
 * lets the kernel choose where a port is 0. Holds no port afterwards.
 */
import { createServer } from 'node:net'
import { PortsUnavailable } from '@usher/shared/errors.ts'
import { hostsToTry, listenOn } from '@usher/shared/http/listen.ts'
import { openPort } from '@usher/shared/http/opened-port.ts'
import { ownServers, withPorts } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'

interface PortUse {
  readonly setting: 'PORTS' | 'ROUTING_PORT' | 'MONITORING_PORT' | 'DECISION_PORT'
  readonly port: number
  readonly host: string
}

/** A port that is bound, until it is closed. */
interface Bound {
  readonly port: number
  close (): Promise<void> | void
}

/** The settings with a number for every port; throws PortsUnavailable naming all that are taken. */
export async function checkPorts (settings: Settings): Promise<Settings> {
  const own = ownServers(settings.servers)
  const { host, monitoringHost, decisionHost, routingPort, monitoringPort, decisionPort } = settings
  const uses: readonly PortUse[] = [
    ...own.map(({ port }) => ({ setting: 'PORTS' as const, port, host })),
    { setting: 'ROUTING_PORT', port: routingPort, host },
    { setting: 'MONITORING_PORT', port: monitoringPort, host: monitoringHost },
    ...(decisionPort === undefined
      ? []
      : [{ setting: 'DECISION_PORT' as const, port: decisionPort, host: decisionHost }])
  ]
  const { numbers, problems } = await bindAll(uses)
  if (problems.length > 0) {
    throw new PortsUnavailable(`These ports cannot be used:\n${problems.join('\n')}\n` +
      'Stop what holds them, or choose others: --ports, --routing-port, --monitoring-port' +
      `${decisionPort === undefined ? '' : ', --decision-port'}.`)
  }
  const [routing, monitoring, decision] = numbers.slice(own.length)
  return {
    ...settings,
    servers: withPorts(settings.servers, numbers.slice(0, own.length)),
    routingPort: routing!,
    monitoringPort: monitoring!,
    decisionPort: decision
  }
}

/**
 * All ports stay bound until the last one is tried, and ports of 0 come last: so the kernel cannot
 * choose a port that another setting names.
 */
async function bindAll (
  uses: readonly PortUse[]
): Promise<{ readonly numbers: readonly number[], readonly problems: readonly string[] }> {
  const numbers = uses.map(({ port }) => port)
  const problems = uses.map(() => '')
  const bound: Bound[] = []
  const bind = async (at: number): Promise<void> => {
    const { port, host } = uses[at]!
    try {
      const opened = openPort(host, port, false) ?? await bindByServer(host, port)
      numbers[at] = opened.port
      bound.push(opened)
    } catch (error) {
      problems[at] = complain(uses[at]!, error as NodeJS.ErrnoException)
    }
  }
  const isChosen = (at: number): boolean => uses[at]!.port === 0
  const places = [...uses.keys()]
  for (const at of places.filter(at => !isChosen(at))) await bind(at)
  for (const at of places.filter(isChosen)) await bind(at)
  await Promise.all(bound.map(opened => opened.close()))
  return { numbers, problems: problems.filter(problem => problem !== '') }
}

/** As node:net does it. Throws the system's error. */
async function bindByServer (host: string, wanted: number): Promise<Bound> {
  // A client that connects during the check is disconnected: close() would wait for it, and no
  // handler answers here.
  const server = createServer(socket => { socket.destroy() })
  const port = await listenOn(server, wanted, hostsToTry(host))
  return { port, close: () => new Promise(resolve => { server.close(() => { resolve() }) }) }
}

function complain ({ setting, port, host }: PortUse, error: NodeJS.ErrnoException): string {
  return `  ${setting}: port ${port} ${reason(error, host)}`
}

function reason (error: NodeJS.ErrnoException, host: string): string {
  switch (error.code ?? '') {
    case 'EADDRINUSE': return 'is taken by another program'
    case 'EACCES': return 'is not allowed to this user (ports below 1024 need the right to bind them)'
    case 'EADDRNOTAVAIL': return `cannot be bound: ${host} is not an address of this machine`
    default: return `cannot be bound on ${host}: ${error.message}`
  }
}
