/**
 * Takes the types out of TypeScript for a Node that cannot. What comes of a file is kept by its
 * contents: most processes of a test run import the same files.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'

const KEPT = resolve(import.meta.dirname, '../../node_modules/.cache/tests')

export async function load (url, context, nextLoad) {
  const address = new URL(url)
  if (address.protocol !== 'file:' || !address.pathname.endsWith('.ts')) return await nextLoad(url, context)
  return { format: 'module', shortCircuit: true, source: withoutTypes(fileURLToPath(address)) }
}

function withoutTypes (path) {
  const source = readFileSync(path, 'utf8')
  const kept = join(KEPT, createHash('sha256').update(`${path}\n${source}`).digest('hex'))
  try {
    return readFileSync(kept, 'utf8')
  } catch {} // The first time.
  const { code } = transformSync(source, {
    loader: 'ts', format: 'esm', target: 'node20.19', sourcefile: path, sourcemap: 'inline', sourcesContent: false
  })
  mkdirSync(KEPT, { recursive: true })
  const unfinished = `${kept}.${process.pid}` // Another process may read it at any time.
  writeFileSync(unfinished, code)
  renameSync(unfinished, kept)
  return code
}
