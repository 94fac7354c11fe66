/** The console in a test's browser, logged in, and moved about in by keyboard. */
import type { BrowserContext, Page } from 'playwright-core'
import type { Cluster } from '../cluster.ts'
import { urlOf } from './browser.ts'

export const PASSWORD = 'correct horse battery'
export const SETTINGS = { ADMIN_PASSWORD: PASSWORD, DELAY_BETWEEN_ROUTING: '0' }

/** A page of its own, at one of the console's sections. */
export async function openConsole (
  context: BrowserContext, cluster: Cluster, view: string, username = 'admin'
): Promise<Page> {
  const page = await context.newPage()
  await page.goto(urlOf(cluster.monitoringPort))
  await page.getByLabel('Name').fill(username)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL('**/tracker.html')
  await showView(page, view)
  return page
}

export async function showView (page: Page, view: string): Promise<void> {
  await page.evaluate(hash => { location.hash = hash }, view)
  await page.locator(`#title-${view}`).waitFor()
}

/** What has the focus: its name for people, or its id. */
export function focused (page: Page): Promise<string | undefined> {
  return page.evaluate(() =>
    document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.id)
}

/** Presses Tab until what is called so has the focus. */
export async function tabTo (page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await focused(page) === name) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`nothing called ${name} gets the focus by Tab`)
}
