/**
 * Where in the sources the lines of a stack trace are, for whoever is told of an error. A stack
 * that is only looked at (node's streams look at that of each error they pass on, such as a write
 * to a client who has just gone) costs nothing of this: a map takes some 12 MB and 100 ms.
 */
import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { join, resolve } from 'node:path'

/** A bundle is known by its file's name alone (bundle.ts); other files by their paths. */
const BUNDLE_PLACE = /(?<=\(|at |async )([\w-]+\.js):(\d+):(\d+)(?=\)?$)/gm
const maps = new Map<string, SourceMap | undefined>()

/**
 * The same stack with the sources' files and lines in the place of the bundles', where there is a
 * map beside the bundle. @param folder of the bundles, absolute; this one's own if left out
 */
export function withPlaces (stack: string, folder: string = import.meta.dirname): string {
  return stack.replace(BUNDLE_PLACE, (place, name: string, line: string, column: string) => {
    const entry = mapOf(join(folder, `${name}.map`))?.findEntry(Number(line) - 1, Number(column) - 1)
    if (entry === undefined || !('originalSource' in entry)) return place
    const { originalSource, originalLine, originalColumn } = entry
    return `${resolve(folder, originalSource)}:${originalLine + 1}:${originalColumn + 1}`
  })
}

function mapOf (path: string): SourceMap | undefined {
  if (!maps.has(path)) maps.set(path, readMap(path))
  return maps.get(path)
}

function readMap (path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload)
  } catch {
    return undefined // Built without.
  }
}
