/** How a page has to look for everybody: what axe-core finds, and whether it scrolls sideways. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'

/** Light and dark, phone and wide. */
export async function checkLooks (t: Test, page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1440]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 900 })
      await page.evaluate(axe.source)
      const violations = await page.evaluate(async () => {
        const { violations } = await (window as unknown as { axe: typeof axe }).axe.run()
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
      })
      t.strictSame(violations, [], `${name}, ${colorScheme}, ${width}`)
      const isTooWide = await page.evaluate(() =>
        document.documentElement.scrollWidth > document.documentElement.clientWidth)
      t.equal(isTooWide, false, `${name} does not scroll sideways at ${width}`)
    }
  }
}
