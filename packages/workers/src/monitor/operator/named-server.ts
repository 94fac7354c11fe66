/** The server of a path's name, or of a search's. Pure. */
import { namesOf, presentServers, type Server, type Slot } from '@usher/shared/settings/servers.ts'
import { ApiError } from '../errors/api-error.ts'

/** Throws `not_found`, which names those that there are. */
export function serverNamed (servers: readonly Slot[], name: string): Server {
  const server = presentServers(servers).find(candidate => candidate.name === name)
  if (server !== undefined) return server
  throw new ApiError('not_found',
    `No server has the name ${name}; there are ${namesOf(servers)}.`)
}

/** The index of a server whose users are looked for. Throws `bad_request`, which names all. */
export function searchedServer (servers: readonly Slot[], name: string): number {
  const server = presentServers(servers).find(candidate => candidate.name === name)
  if (server !== undefined) return server.index
  throw new ApiError('bad_request', `server must be one of ${namesOf(servers)}.`)
}
