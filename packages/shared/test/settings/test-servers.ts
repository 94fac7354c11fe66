/** Servers for tests: on the given ports, and otherwise as plain as can be. */
import type { ExternalServer, HealthCheck, OwnServer } from '@usher/shared/settings/servers.ts'

export function testServers (
  ports: readonly number[], changes: ReadonlyArray<Partial<OwnServer>> = []
): readonly OwnServer[] {
  return ports.map((port, index) => ({
    kind: 'own',
    index,
    name: String(port),
    port,
    folder: `/srv/site-${index + 1}`,
    publicUrl: undefined,
    weight: 1,
    capacity: undefined,
    ...changes[index]
  }))
}

/** As the settings are without any change. */
export const CHECK: HealthCheck = {
  path: '/',
  intervalMs: 2000,
  timeoutMs: 1000,
  rise: 2,
  fall: 3,
  statuses: { min: 200, max: 399 }
}

/** External ones that follow so many of our own. */
export function testExternal (
  ownCount: number, names: readonly string[], changes: ReadonlyArray<Partial<ExternalServer>> = []
): readonly ExternalServer[] {
  return names.map((name, at) => ({
    kind: 'external',
    index: ownCount + at,
    place: at,
    name,
    publicUrl: `https://${name}.example`,
    weight: 1,
    capacity: undefined,
    check: CHECK,
    source: 'settings',
    ...changes[at]
  }))
}

/** Three servers with names of their own. */
export const NAMED_SERVERS: readonly OwnServer[] = testServers([8000, 8001, 8002], [
  { name: 'red' }, { name: 'green' }, { name: 'blue' }
])
