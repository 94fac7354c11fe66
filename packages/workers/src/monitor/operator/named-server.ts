/** The server of a path's name. Pure. */
import { namesOf, presentServers, type Server, type Slot } from '@usher/shared/settings/servers.ts'
import { ApiError } from '../errors/api-error.ts'

/** Throws `not_found`, which names those that there are. */
export function serverNamed (servers: readonly Slot[], name: string): Server {
  const server = presentServers(servers).find(candidate => candidate.name === name)
  if (server !== undefined) return server
  throw new ApiError('not_found',
    `No server has the name ${name}; there are ${namesOf(servers)}.`)
}
