/**
 * Takes the place that a redirect has named (`usher_place`) out of the address bar: it is this
 * visitor's and was for this once, so it is not to be bookmarked or passed on.
 */
const PLACE = /([?&])usher_place=[^&]*(&|$)/

/** What of `window` is used here. */
export interface AddressBar {
  readonly location: Pick<Location, 'pathname' | 'search' | 'hash'>
  readonly history: Pick<History, 'replaceState' | 'state'>
}

export function showPlainAddress ({ location, history }: AddressBar): void {
  const { pathname, search, hash } = location
  const plain = search.replace(PLACE, (_place, before: string, after: string) => after && before)
  if (plain !== search) history.replaceState(history.state, '', pathname + plain + hash)
}
