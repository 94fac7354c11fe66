/**
 * The Chromium of this machine, for browser tests and screenshots: where it is, and how it is
 * started. Brings no browser of its own and downloads none. Tools and tests only.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser, type LaunchOptions } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
/** Where Debian puts it, should PATH be short of that. */
const FOLDER_DEFAULT = '/usr/bin'

/** A test has no screen and no privileges for a sandbox, and must not call home. */
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'
]
/** Playwright would take the back/forward cache away, which visitors have. */
const FLAGS_LEFT_OUT = ['--disable-back-forward-cache']

/** The path of the program; undefined where there is none. */
export function findChromium (): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), FOLDER_DEFAULT]
  const places = NAMES.flatMap(name => folders.map(folder => join(folder, name)))
  return places.find(place => existsSync(place))
}

/** Throws where there is no Chromium. */
export function launchChromium (options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch(chromiumOptions(options))
}

/** What `launchChromium` starts it with; `args` are added to its own. */
export function chromiumOptions (options: LaunchOptions = {}): LaunchOptions {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    throw new Error(`no Chromium was found (looked for ${NAMES.join(', ')} on PATH)`)
  }
  return {
    executablePath,
    headless: true,
    ignoreDefaultArgs: FLAGS_LEFT_OUT,
    ...options,
    args: [...FLAGS, ...options.args ?? []]
  }
}
