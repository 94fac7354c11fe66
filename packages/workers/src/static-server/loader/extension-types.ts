/**
 * The type of an extension, as mime-types has it. What most sites consist of is said here: to load
 * the table of all types takes some 10 ms, for which a start would wait.
 */
import { createRequire } from 'node:module'
import type MimeTypes from 'mime-types'

const require = createRequire(import.meta.url)

export const COMMON_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json; charset=utf-8'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.jpg', 'image/jpeg'],
  ['.gif', 'image/gif'],
  ['.webp', 'image/webp'],
  ['.ico', 'image/vnd.microsoft.icon'],
  ['.woff2', 'font/woff2']
])

/** The value of Content-Type, false for what is not known. @param extension in lower case */
export function contentType (extension: string): string | false {
  return COMMON_TYPES.get(extension) ??
    (require('mime-types') as typeof MimeTypes).contentType(extension)
}
