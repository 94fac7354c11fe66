/**
 * Preloaded by code-cache.mjs into each thread of the program: when the thread ends, it writes the
 * code that V8 has made of its bundle beside that, as packages/shared/src/bundle.ts reads it.
 */
'use strict'

const { createHash } = require('node:crypto')
const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { setFlagsFromString } = require('node:v8')
const vm = require('node:vm')
const { threadId } = require('node:worker_threads')

vm.Script = class extends vm.Script {
  constructor (code, options) {
    super(code, options)
    process.once('exit', () => { write(join(process.env.PROGRAM_DIR, options.filename), this) })
  }
}

function write (bundle, script) {
  // V8 takes code that was made with its own flags only, and the program has set this one.
  setFlagsFromString('--no-expose-gc')
  const digest = createHash('sha256')
    .update(`${process.version} ${process.arch}\n`).update(readFileSync(bundle)).digest()
  const own = `${bundle}.${threadId}.new` // All servers run one bundle.
  writeFileSync(own, Buffer.concat([digest, script.createCachedData()]))
  renameSync(own, `${bundle}.code`)
}
