/** What page of the users is asked for, and who of it is selected. Pure but for the selection. */

/** As in `GET /users`. */
export interface User {
  readonly id: string
  readonly kind: 'id' | 'ip'
  readonly address: string
  readonly server: number
  readonly first_seen: string
  readonly last_seen: string
}

export interface UsersAnswer {
  readonly users: readonly User[]
  readonly matched: number
  readonly next_cursor?: string | null
}

export interface UsersQuery {
  readonly search: string
  /** A port; empty for all. */
  readonly server: string
  readonly sort: string
  /** Empty for the first page. */
  readonly cursor: string
}

const PAGE_USERS_MAX = 100

export function usersPath ({ search, server, sort, cursor }: UsersQuery): string {
  const query = new URLSearchParams({ limit: String(PAGE_USERS_MAX), sort })
  if (search !== '') query.set('q', search)
  if (server !== '') query.set('server', server)
  if (cursor !== '') query.set('cursor', cursor)
  return `/users?${query}`
}

/** The users of the page that an operator has picked; a page at most. */
export class Selection {
  #shown: readonly User[] = []
  readonly #ids = new Set<string>()
  #lastIndex: number | undefined

  /** The users that are on the page now; who is not among them is not selected any more. */
  show (users: readonly User[]): void {
    this.#shown = users
    this.#lastIndex = undefined
    const ids = new Set(users.map(({ id }) => id))
    for (const id of this.#ids) if (!ids.has(id)) this.#ids.delete(id)
  }

  /** @param isRange all from the one that was set last to this one */
  set (index: number, isSelected: boolean, isRange: boolean): void {
    const from = isRange ? this.#lastIndex ?? index : index
    for (let at = Math.min(from, index); at <= Math.max(from, index); at++) {
      const user = this.#shown[at]
      if (user === undefined) continue
      if (isSelected) this.#ids.add(user.id)
      else this.#ids.delete(user.id)
    }
    this.#lastIndex = index
  }

  setAll (isSelected: boolean): void {
    this.#ids.clear()
    if (isSelected) for (const { id } of this.#shown) this.#ids.add(id)
  }

  has ({ id }: User): boolean {
    return this.#ids.has(id)
  }

  get users (): User[] {
    return this.#shown.filter(user => this.has(user))
  }

  get isWhole (): boolean {
    return this.#shown.length > 0 && this.#ids.size === this.#shown.length
  }
}
