/**
 * Takes the ticket of a redirect out of the address bar: it is this visitor's and was for this
 * once, so it is not to be bookmarked or passed on.
 */

/** What of `window` is used here. */
export interface AddressBar {
  readonly location: Pick<Location, 'pathname' | 'search' | 'hash'>
  readonly history: Pick<History, 'replaceState' | 'state'>
}

/** @param parameter letters, digits, `_` and `-` */
export function showPlainAddress ({ location, history }: AddressBar, parameter: string): void {
  const { pathname, search, hash } = location
  const ticket = new RegExp(`([?&])${parameter}=[^&]*(&|$)`)
  const plain = search.replace(ticket, (_ticket, before: string, after: string) => after && before)
  if (plain !== search) history.replaceState(history.state, '', pathname + plain + hash)
}
