/**
 * The users that an operator has selected. A user who leaves meanwhile stays selected until the
 * selection is cleared: denying them is still of use. Pure but for what it holds.
 */
import type { User } from '@usher/shared/api/users.ts'

/** To act on more, deny a range or drain a server. */
export const SELECTED_MAX = 1000

export class Selection {
  readonly #users = new Map<string, User>()
  /** Whom the last range has brought in; the next one from the same anchor replaces it. */
  #extended: readonly string[] = []

  get users (): User[] {
    return [...this.#users.values()]
  }

  get size (): number {
    return this.#users.size
  }

  has ({ id }: Pick<User, 'id'>): boolean {
    return this.#users.has(id)
  }

  toggle (user: User): void {
    this.#extended = []
    if (!this.#users.delete(user.id)) this.add([user])
  }

  /** As many as there is room for. */
  add (users: readonly User[]): void {
    for (const user of users) {
      if (this.#users.size < SELECTED_MAX) this.#users.set(user.id, user)
    }
  }

  /** All from the anchor to here, in place of what was the range before. */
  extend (users: readonly User[]): void {
    for (const id of this.#extended) this.#users.delete(id)
    this.#extended = users.filter(user => !this.has(user)).map(({ id }) => id)
    this.add(users)
  }

  /** From here on a range adds to what is picked. */
  endRange (): void {
    this.#extended = []
  }

  clear (): void {
    this.#users.clear()
    this.#extended = []
  }
}
