/** Usher as users run it, `node dist/coordinator.js` with three servers, without the delay. */
import { freePorts, type Certificate, type Ground } from '../ground.ts'
import { startProgram } from '../../kit/program.ts'
import type { Peer, RunningPeer } from './peer.ts'

/**
 * @param program another build's coordinator.js; this tree's if left out. Loopback addresses have
 * no limit of newcomers, and `MAX_CONNECTIONS` is by far not reached, so no setting is bent.
 */
export function usher (program?: string): Peer {
  return {
    name: 'Usher',
    services: ['page', 'redirect', 'beat', 'decision'],
    async start (ground, core) {
      const [decisionPort] = await freePorts(1)
      const settings = { DECISION_PORT: String(decisionPort) }
      const { pid, stop, program: started } = await startUsher(ground, core, { program, settings })
      const { serverUrls: [page], routerUrl: redirect } = started
      const decision = `http://127.0.0.1:${decisionPort}`
      return { pid, stop, urls: { page: page!, redirect, beat: page!, decision } }
    }
  }
}

/** The same where every port speaks HTTPS: with Usher that is another process. */
export function usherWithTls (program?: string): Peer {
  return {
    name: 'Usher',
    services: ['tlsPage'],
    async start (ground, core) {
      const { pid, stop, program: { serverUrls } } =
        await startUsher(ground, core, { program, certificate: ground.certificate! })
      return { pid, stop, urls: { tlsPage: serverUrls[0]! } }
    }
  }
}

interface UsherOptions {
  readonly program?: string | undefined
  readonly certificate?: Certificate
  readonly settings?: Record<string, string>
}

export async function startUsher (
  { siteFolder }: Ground, core: number, { program, certificate, settings = {} }: UsherOptions
): Promise<Pick<RunningPeer, 'pid' | 'stop'> & { program: Awaited<ReturnType<typeof startProgram>> }> {
  const tls = certificate === undefined
    ? {}
    : { TLS_CERT: certificate.certPath, TLS_KEY: certificate.keyPath }
  const started = await startProgram(
    { HTML_DIRS: siteFolder, DELAY_BETWEEN_ROUTING: '0', ...tls, ...settings },
    { shell: `exec taskset -c ${core} "$@"`, ...(program === undefined ? {} : { program }) }
  )
  return {
    program: started,
    pid: started.process.pid!,
    async stop () { await started.stop() }
  }
}
