/** Servers for tests: on the given ports, and otherwise as plain as can be. */
import type { Server } from '@usher/shared/settings/servers.ts'

export function testServers (
  ports: readonly number[], changes: ReadonlyArray<Partial<Server>> = []
): readonly Server[] {
  return ports.map((port, index) => ({
    index,
    name: String(port),
    port,
    folder: `/srv/site-${index + 1}`,
    publicUrl: undefined,
    weight: 1,
    ...changes[index]
  }))
}

/** Three servers with names of their own. */
export const NAMED_SERVERS: readonly Server[] = testServers([8000, 8001, 8002], [
  { name: 'red' }, { name: 'green' }, { name: 'blue' }
])
