/**
 * The visitor's id, as a page keeps it that another program serves: in the browser's storage for
 * that site, or for as long as the page is open where the visitor's settings forbid that.
 */
export interface KeptId {
  readonly value: string | undefined
  /** The router has given this one, if any. */
  take (id: string | null): void
  /** To the one before the ticket's, which is not this browser's. */
  goBack (): void
}

const KEY = 'usher_client'

/**
 * @param storage throws where it is forbidden
 * @param brought by a ticket
 */
export function keepId (
  storage: () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>, brought: string | undefined
): KeptId {
  const before = attempt(() => storage().getItem(KEY)) ?? undefined
  let value = before
  const take = (id: string | null | undefined): void => {
    if (!id) return
    value = id
    attempt(() => storage().setItem(KEY, id))
  }
  take(brought)
  return {
    get value () { return value },
    take,
    goBack () {
      value = before
      if (before) take(before)
      else attempt(() => storage().removeItem(KEY))
    }
  }
}

function attempt<T> (work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
