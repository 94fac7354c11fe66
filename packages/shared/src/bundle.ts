/**
 * Runs a bundle of the program's folder with the code that V8 made of it when it was built (its
 * code cache, NAME.js.code), where this Node can take that; else V8 compiles it as always.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'

/**
 * Stands before the code: of which source it was made, and by which Node. V8 compares no more than
 * the source's length and its own version, which two Nodes with different V8s may share.
 */
const DIGEST = 'sha256'
const DIGEST_BYTES = 32
/** As node:module wraps CommonJS. */
const WRAPPER = ['(function (exports, require, module, __filename, __dirname) { ', '\n});'] as const

/** Returns what it exports. Throws what it throws. @param folder absolute */
export function runBundle (folder: string, name: string): unknown {
  const path = join(folder, name)
  const source = readFileSync(path)
  const script = new Script(WRAPPER.join(source.toString()), {
    filename: name, // V8 keeps it in the code, wherever that is copied to.
    cachedData: readCode(path, source)
  })
  const module = { exports: {} }
  const run = script.runInThisContext() as (...parts: unknown[]) => void
  run(module.exports, createRequire(path), module, path, folder)
  return module.exports
}

function readCode (path: string, source: Buffer): Buffer | undefined {
  try {
    const stored = readFileSync(`${path}.code`)
    const isOfSource = digestOf(source).equals(stored.subarray(0, DIGEST_BYTES))
    return isOfSource ? stored.subarray(DIGEST_BYTES) : undefined
  } catch {
    return undefined // Built elsewhere, or without.
  }
}

function digestOf (source: Buffer): Buffer {
  return createHash(DIGEST).update(`${process.version} ${process.arch}\n`).update(source).digest()
}
