/** What every page of the monitor must be in every look: free of barriers, and not too wide. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'

const WIDTHS = [390, 1440]
/** A layout for each begins at one of them. */
const LAYOUT_WIDTHS = [360, 390, 600, 768, 1024, 1440, 1600]

/** Light and dark, phone and wide. Leaves the page light and wide. */
export async function checkLooks (t: Test, page: Page, name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 900 })
      await page.evaluate(axe.source)
      const violations = await page.evaluate(async () => {
        const { violations } = await (window as unknown as { axe: typeof axe }).axe.run()
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
      })
      t.strictSame(violations, [], `${name}, ${colorScheme}, ${width}`)
    }
  }
  for (const width of LAYOUT_WIDTHS) {
    await page.setViewportSize({ width, height: 900 })
    const isTooWide = await page.evaluate(() =>
      document.documentElement.scrollWidth > document.documentElement.clientWidth)
    t.equal(isTooWide, false, `${name} does not scroll sideways at ${width}`)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}
