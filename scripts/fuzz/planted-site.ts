/** A site for a fuzzed program, with files in and beside it that must not be served. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The content of those files: it must never be in an answer. */
export const SECRET = 'planted-secret-7f3a'
export const INDEX = '<!doctype html><title>fuzz</title><p>The start page.'

/** Makes the folder `site` in this one. */
export function makeSite (folder: string): void {
  const site = join(folder, 'site')
  mkdirSync(join(site, '.git'), { recursive: true })
  mkdirSync(join(site, 'deep'))
  const files = {
    'index.html': INDEX,
    'style.css': 'p { color: green }'.repeat(100),
    'large.txt': 'A line of a large file.\n'.repeat(20_000),
    'deep/page.html': '<!doctype html><title>deep</title>',
    'deep/index.html': '<!doctype html><title>index</title>',
    'picture.png': '\x89PNG\r\n\x1a\n',
    'caf\u00e9.html': '<!doctype html><title>caf\u00e9</title>',
    'with blank.txt': 'blank',
    '.env': SECRET,
    '.git/config': SECRET,
    '../secret.txt': SECRET
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(site, name), text)
  symlinkSync('../secret.txt', join(site, 'link.txt'))
  symlinkSync('..', join(site, 'up'))
}
