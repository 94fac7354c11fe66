/**
 * What a User-Agent says, for people: `Firefox on Linux`. A guess by the usual marks; a text
 * without them is shown as it came, cut. Pure.
 */
import { ACCOUNT } from './texts.ts'

/** In this order: each of the later marks stands in the texts of the earlier ones too. */
const BROWSERS: ReadonlyArray<readonly [mark: RegExp, name: string]> = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\b(?:OPR|Opera)\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bVersion\/\S+ (?:Mobile\/\S+ )?Safari\//, 'Safari']
]
const SYSTEMS: ReadonlyArray<readonly [mark: RegExp, name: string]> = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux']
]
const LENGTH_MAX = 40

export function browserName (userAgent: string): string {
  const browser = nameIn(BROWSERS, userAgent)
  const system = nameIn(SYSTEMS, userAgent)
  if (browser !== undefined) return system === undefined ? browser : ACCOUNT.on(browser, system)
  if (userAgent.trim() === '') return ACCOUNT.unnamed
  return userAgent.length > LENGTH_MAX ? `${userAgent.slice(0, LENGTH_MAX)}…` : userAgent
}

function nameIn (marks: typeof BROWSERS, text: string): string | undefined {
  return marks.find(([mark]) => mark.test(text))?.[1]
}
