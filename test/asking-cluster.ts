/**
 * The running program with a monitor that asks of the coordinator whatever a test wants, by the
 * same messages as the real one.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import type { Ask, AskAnswers } from '@usher/shared/messages.ts'
import { ask, ROOT, startCluster, type Cluster } from './cluster.ts'
import { AS_COMMONJS } from './commonjs.ts'

export interface AskingCluster extends Cluster {
  /** The router and all servers. */
  readonly everywhere: readonly number[]
  /** Resolves with the coordinator's answer, rejects with its error. */
  asks<A extends Ask> (question: A): Promise<AskAnswers[A['type']]>
}

/** Makes a program folder; returns the path of the program in it. */
export function buildAskingProgram (dir: string): string {
  cpSync(join(ROOT, 'dist'), dir, { recursive: true })
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: ['test/fixtures/asking-monitor.ts'],
    outfile: join(dir, 'monitor.js'),
    bundle: true,
    platform: 'node',
    ...AS_COMMONJS,
    alias: { '@usher/shared': join(ROOT, 'packages/shared/src') },
    logLevel: 'error'
  })
  return join(dir, 'coordinator.js')
}

/** Without a delay, unless the settings have one. */
export async function startAskingCluster (
  t: Parameters<typeof startCluster>[0], program: string, settings: Record<string, string> = {},
  options: { readonly cwd?: string, readonly nodeOptions?: string } = {}
): Promise<AskingCluster> {
  const cluster = await startCluster(
    t, { DELAY_BETWEEN_ROUTING: '0', ...settings }, { ...options, program })
  return {
    ...cluster,
    everywhere: [cluster.routingPort, ...cluster.ports],
    async asks<A extends Ask> (question: A) {
      const { status, body } = await ask(cluster.monitoringPort, '/', {
        method: 'POST', body: JSON.stringify(question)
      })
      if (status !== 200) throw Object.assign(new Error(body), JSON.parse(body))
      return JSON.parse(body) as AskAnswers[A['type']]
    }
  }
}
