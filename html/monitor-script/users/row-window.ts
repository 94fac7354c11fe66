/**
 * Which rows of a long list are in the page, and where: the arithmetic of scrolling. Every row is
 * as high as the one that was measured. Pure.
 */
export interface ListShape {
  readonly count: number
  readonly rowPx: number
  /** What of the list can be seen at a time. */
  readonly viewPx: number
}

export interface RowWindow {
  readonly first: number
  /** One behind the last. */
  readonly end: number
  /** Where the first row begins, from the top of the list. */
  readonly topPx: number
}

/** Rows beyond each edge, so that a turn of the wheel meets rows that are there. */
const OVERSCAN = 8
/** Firefox draws nothing beyond some 17.8 million pixels; a longer list scrolls faster. */
const LIST_PX_MAX = 15_000_000

export function listPx ({ count, rowPx }: ListShape): number {
  return Math.min(LIST_PX_MAX, count * rowPx)
}

export function windowAt (scrollPx: number, shape: ListShape): RowWindow {
  const { count, rowPx } = shape
  const { first, end } = rowsInView(scrollPx, shape)
  const from = Math.max(0, first - OVERSCAN)
  return {
    first: from,
    end: Math.min(count, end + OVERSCAN),
    topPx: Math.max(0, scrollPx - (placeAt(scrollPx, shape) - from * rowPx))
  }
}

/** The rows of which a part can be seen. */
export function rowsInView (
  scrollPx: number, shape: ListShape
): { readonly first: number, readonly end: number } {
  const { count, rowPx, viewPx } = shape
  const place = placeAt(scrollPx, shape)
  const first = Math.min(Math.max(0, count - 1), Math.floor(place / rowPx))
  return { first, end: Math.min(count, Math.ceil((place + viewPx) / rowPx)) }
}

/** Where to scroll so that the whole row can be seen: not at all if it can be already. */
export function scrollFor (index: number, scrollPx: number, shape: ListShape): number {
  const { rowPx, viewPx } = shape
  const place = placeAt(scrollPx, shape)
  const topPx = index * rowPx
  if (topPx < place) return topPx / stretch(shape)
  const lowestPx = topPx + rowPx - viewPx
  return lowestPx > place ? lowestPx / stretch(shape) : scrollPx
}

/** How far down a list of full height would be. */
function placeAt (scrollPx: number, shape: ListShape): number {
  return Math.max(0, scrollPx) * stretch(shape)
}

/** Pixels of the list for each that is scrolled. */
function stretch (shape: ListShape): number {
  const { count, rowPx, viewPx } = shape
  const scrollablePx = listPx(shape) - viewPx
  return scrollablePx <= 0 ? 1 : (count * rowPx - viewPx) / scrollablePx
}
