/** What every page must be in every look: free of barriers, and not too wide. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'

const WIDTHS = [390, 1440]
/** A layout for each begins at one of them. */
const LAYOUT_WIDTHS = [360, 390, 600, 768, 1024, 1210, 1280, 1440, 1600]

/**
 * Light and dark, phone and wide: no barriers, nothing too wide, no figure over another. Leaves it
 * light and wide.
 */
export async function checkLooks (t: Test, page: Page, name: string): Promise<void> {
  await checkBarriers(t, page, name)
  for (const width of LAYOUT_WIDTHS) {
    await page.setViewportSize({ width, height: 900 })
    const isTooWide = await page.evaluate(() =>
      document.documentElement.scrollWidth > document.documentElement.clientWidth)
    t.equal(isTooWide, false, `${name} does not scroll sideways at ${width}`)
    t.strictSame(await page.evaluate(crowdedCells), [], `${name} has room at ${width}`)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

/** axe-core finds nothing, light or dark, on a phone or wide. Leaves the page light and wide. */
export async function checkBarriers (t: Test, page: Page, name: string): Promise<void> {
  await page.evaluate(`globalThis.axe || ${axe.source}`)
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 })
      const { violations, passes } = await page.evaluate(runAxe)
      t.ok(passes > 0, `there was something to look at: ${name}, ${colorScheme}, ${width}`)
      t.strictSame(violations, [], `${name}, ${colorScheme}, ${width}`)
    }
  }
}

/** In the page: headings and figures that need more than their cell has. */
function crowdedCells (): string[] {
  const cells = [...document.querySelectorAll<HTMLElement>('table.tbl :is(th, td.num)')]
  return cells.filter(cell => {
    const text = document.createRange()
    text.selectNodeContents(cell)
    // Headings that are there for screen readers alone have a box of one pixel.
    const isSeen = cell.closest('thead, tbody')!.getBoundingClientRect().width > 1
    const room = cell.getBoundingClientRect().width
    return isSeen && room > 0 && text.getBoundingClientRect().width > room
  }).map(({ innerText }) => innerText)
}

/** In the page. */
async function runAxe () {
  const { violations, passes } = await (window as unknown as { axe: typeof axe }).axe.run({
    resultTypes: ['violations'] // Of the others it makes up less, which takes time too.
  })
  return {
    violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    passes: passes.length
  }
}
