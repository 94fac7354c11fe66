/**
 * Takes the ticket of a redirect out of the address bar: it is this visitor's and was for this
 * once, so it is not to be bookmarked or passed on.
 */

/** What of `window` is used here. */
export interface AddressBar {
  readonly location: Pick<Location, 'pathname' | 'search' | 'hash'>
  readonly history: Pick<History, 'replaceState' | 'state'>
}

/** The ticket, if there was one. @param parameter letters, digits, `_` and `-` */
export function takeTicket (
  { location, history }: AddressBar, parameter: string
): string | undefined {
  const { pathname, search, hash } = location
  const entry = new RegExp(`([?&])${parameter}=([^&]*)(&|$)`)
  let ticket: string | undefined
  const plain = search.replace(entry, (_entry, before: string, value: string, after: string) => {
    ticket = value
    return after && before
  })
  if (plain !== search) history.replaceState(history.state, '', pathname + plain + hash)
  return ticket
}
