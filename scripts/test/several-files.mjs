/**
 * Runs several test files in one process, one after the other: starting Node and tap costs more
 * than most of them do. A claim that fails still names its file.
 */
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'

// tap names its folders after the arguments: the first file is enough, and where the tree lies
// must not make a name too long.
const files = process.argv.splice(2)
process.argv.push(relative(process.cwd(), files[0]))
const { default: t } = await import('tap')
// None of their tests begins before all have been loaded.
await t.test('files are loaded', async t => {
  for (const file of files) {
    await t.resolves(import(pathToFileURL(file).href), relative(process.cwd(), file))
  }
})
