import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readSmallFile, refusalOfFileToMake, refusalOfFolder } from '@usher/shared/settings/path-check.ts'

const MIB = 1_048_576

t.test('path-check: says why a path is no folder, or no place for a file', async t => {
  const dir = testFolder(t)
  const cases: ReadonlyArray<[path: string, folder: string, fileToMake: string]> = [
    ['folder', '', 'DIR/folder is a folder'],
    ['file', 'DIR/file is not a folder', ''],
    ['missing', 'DIR/missing does not exist', ''],
    ['missing/file', 'DIR/missing/file does not exist', ''],
    ['file/x', 'DIR/file/x does not exist, because a part of its path is not a folder',
      'DIR/file/x does not exist, because a part of its path is not a folder'],
    ['circle', 'DIR/circle is a link that leads in a circle',
      'DIR/circle is a link that leads in a circle']
  ]
  for (const [name, folder, fileToMake] of cases) {
    const path = join(dir, name)
    t.equal(refusalOfFolder(path), folder.replace('DIR', dir), `${name} as a folder`)
    t.equal(refusalOfFileToMake(path), fileToMake.replace('DIR', dir), `${name} as a file`)
  }
})

t.test('path-check: reads small UTF-8 files and says why not', async t => {
  const dir = testFolder(t)
  writeFileSync(join(dir, 'bom'), '\ufeffa=ü')
  writeFileSync(join(dir, 'latin'), Buffer.from([0x61, 0xfc]))
  writeFileSync(join(dir, 'full'), 'x'.repeat(MIB))
  writeFileSync(join(dir, 'large'), 'x'.repeat(MIB + 1))
  const cases: ReadonlyArray<[string, ReturnType<typeof readSmallFile>]> = [
    ['file', { text: 'text' }],
    ['bom', { text: 'a=ü' }],
    ['full', { text: 'x'.repeat(MIB) }],
    ['large', { refusal: 'is larger than 1048576 bytes', isMissing: false }],
    ['latin', { refusal: 'is not UTF-8 text', isMissing: false }],
    ['folder', { refusal: 'is a folder', isMissing: false }],
    ['missing', { refusal: 'does not exist', isMissing: true }],
    ['a\0b', { refusal: 'cannot be used (ERR_INVALID_ARG_VALUE)', isMissing: false }]
  ]
  for (const [name, expected] of cases) t.same(readSmallFile(join(dir, name)), expected, name)
})

t.test('path-check: reads no more of a file than it may, whatever size that claims', async t => {
  t.same(readSmallFile('/dev/zero'), { refusal: 'is larger than 1048576 bytes', isMissing: false })
  t.same(readSmallFile('/dev/null'), { text: '' })
  t.same(readSmallFile('/proc/self/cmdline').refusal, undefined, 'one without a size')
})

function testFolder (t: Test): string {
  const dir = t.testdir({ file: 'text' })
  mkdirSync(join(dir, 'folder'))
  symlinkSync('circle', join(dir, 'circle'))
  return dir
}
