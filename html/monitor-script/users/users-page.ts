/**
 * The query of the users: as it is sent to the monitor, and as it stands in the console's own
 * address. Pure.
 */
import type { UsersSort } from '@usher/shared/api/users.ts'

export interface UsersQuery {
  readonly search: string
  /** The name of a server; NODE/NAME of another node's, NODE/ for all of that; empty for all. */
  readonly server: string
  readonly sort: UsersSort
}

/** `place` is no order at all: where they stand in the table. The others: newest first. */
const SORTS: readonly UsersSort[] = ['first_seen', 'last_seen', 'place']
/** Newest first: arrivals are on top and the rest stays in place. */
const SORT_DEFAULT: UsersSort = 'first_seen'
/**
 * As the settings allow: a server of this node, of another one, or all of that; one that nobody has
 * is dropped when the servers are known.
 */
const SERVER_NAME = /^[a-z0-9][a-z0-9._-]{0,62}(\/([a-z0-9][a-z0-9._-]{0,62})?)?$/
/** As much as a server looks for. */
const SEARCH_LENGTH_MAX = 64

export const EVERYBODY: UsersQuery = { search: '', server: '', sort: SORT_DEFAULT }

export function usersPath (
  { search, server, sort }: UsersQuery, offset: number, limit: number
): string {
  const query = new URLSearchParams({ limit: String(limit), sort })
  if (offset > 0) query.set('offset', String(offset))
  if (search !== '') query.set('q', search)
  if (server.endsWith('/')) query.set('node', server.slice(0, -1))
  else if (server !== '') query.set('server', server)
  return `/users?${query}`
}

export function isSort (text: string | null): text is UsersSort {
  return SORTS.some(sort => sort === text)
}

/** What the console's address asks for, after its `#users?`; anything unknown is left out. */
export function parseUsersHash (hash: string): UsersQuery {
  const query = new URLSearchParams(hash.split('?')[1] ?? '')
  const [server, sort] = [query.get('server') ?? '', query.get('sort')]
  return {
    search: (query.get('q') ?? '').slice(0, SEARCH_LENGTH_MAX),
    server: SERVER_NAME.test(server) ? server : '',
    sort: isSort(sort) ? sort : SORT_DEFAULT
  }
}

export function usersHash ({ search, server, sort }: UsersQuery): string {
  const query = new URLSearchParams()
  if (search !== '') query.set('q', search)
  if (server !== '') query.set('server', server)
  if (sort !== SORT_DEFAULT) query.set('sort', sort)
  return query.size === 0 ? '#users' : `#users?${query}`
}

export function isSameQuery (one: UsersQuery, other: UsersQuery): boolean {
  return usersHash(one) === usersHash(other)
}
