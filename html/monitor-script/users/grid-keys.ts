/** Where in a list a key leads. Pure. */

/** @param rowsPerPage how far a page key leads; undefined for a key that leads nowhere */
export function keyMove (
  key: string, active: number, count: number, rowsPerPage: number
): number | undefined {
  const to = target(key, active, count, rowsPerPage)
  return to === undefined || count === 0 ? undefined : Math.max(0, Math.min(count - 1, to))
}

function target (
  key: string, active: number, count: number, rowsPerPage: number
): number | undefined {
  switch (key) {
    case 'ArrowDown': return active + 1
    case 'ArrowUp': return active - 1
    case 'PageDown': return active + rowsPerPage
    case 'PageUp': return active - rowsPerPage
    case 'Home': return 0
    case 'End': return count - 1
    default: return undefined
  }
}
