/** The program as the cases of HTTP know it: four kinds of ports, hosts and files with names. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startCluster, workingFolder, type Cluster } from '../cluster.ts'

export const PORT_KINDS = ['router', 'server', 'monitor', 'decision'] as const
export type PortKind = typeof PORT_KINDS[number]

export const DIGITS = '0123456789'
/** What the files were last modified. */
export const MODIFIED = new Date('2024-02-29T12:00:00Z')
const TEXT = '<p>all the same words again and again</p>\n'.repeat(40)

export interface KnownCluster extends Cluster {
  portOf (kind: PortKind): number
}

type Owner = Parameters<typeof startCluster>[0]

export async function startKnownCluster (
  t: Owner, settings: Record<string, string> = {}
): Promise<KnownCluster> {
  const cwd = workingFolder(t)
  const site = join(cwd, 'site')
  mkdirSync(join(site, 'folder'), { recursive: true })
  const files = {
    'index.html': TEXT, 'digits.bin': DIGITS, 'empty.bin': '', 'folder/index.html': TEXT, '404.html': TEXT
  }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(site, name), text)
    utimesSync(join(site, name), MODIFIED, MODIFIED)
  }
  const cluster = await startCluster(t, {
    HTML_DIRS: 'site',
    DELAY_BETWEEN_ROUTING: '0',
    DECISION_PORT: '0',
    PUBLIC_HOSTS: 'example.org,example.com',
    ADMIN_PASSWORD: 'a long and secret text',
    ...settings
  }, { cwd })
  const ports = {
    router: cluster.routingPort,
    server: cluster.ports[0]!,
    monitor: cluster.monitoringPort,
    decision: cluster.decisionPort!
  }
  return { ...cluster, portOf: kind => ports[kind] }
}
