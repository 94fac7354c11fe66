import { chmodSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { viewOf } from '@usher/shared/memory/site-memory.ts'
import { loadSites, SITE_BYTES_MAX } from '../../../src/static-server/loader/load-sites.ts'
import { linesOf } from '../../../src/static-server/loader/site-index.ts'
import { findFiles } from '../../../src/static-server/loader/site-walk.ts'
import { openSite } from '../../../src/static-server/site.ts'
import { asNobody } from '../fixtures/as-nobody.ts'
import { loadSite, skippedIn } from '../fixtures/load-site.ts'

const ENTRIES_MAX = 1000
const MIB = 2 ** 20

t.test('load sites: a site\'s size is bounded, and what is too large is named', async t => {
  const dir = t.testdir({ 'a.txt': 'x'.repeat(60), sub: { 'b.bin': 'x'.repeat(40) } })
  t.equal((await loadSite(dir, { bytesMax: 100, entriesMax: ENTRIES_MAX })).bytes, 100)
  const cases: ReadonlyArray<[bytesMax: number, message: string]> = [
    [99, `${dir} has 0.01 MiB (100 bytes) in 2 files; a site may have 0.01 MiB (99 bytes)`],
    [59, `${join(dir, 'a.txt')} has 0.01 MiB (60 bytes); all files of a site together may have 0.01 MiB (59 bytes)`]
  ]
  for (const [bytesMax, message] of cases) {
    await t.rejects(loadSite(dir, { bytesMax, entriesMax: ENTRIES_MAX }), { code: 'USHER_SITE_TOO_LARGE', message })
  }
  t.equal(SITE_BYTES_MAX, 268_435_456)
})

t.test('load sites: what does not fit in memory is refused before it is read, or while it is compressed', async t => {
  const dir = t.testdir({ 'a.txt': 'all the same '.repeat(100), 'b.txt': 'and again '.repeat(100) })
  const bytes = 2300
  const room = (leftBytes: number) => ({ room: { limitBytes: 256 * MIB, leftBytes } })
  await t.rejects(loadSite(dir, room(bytes - 1)), {
    code: 'USHER_SITE_TOO_LARGE',
    message: /need 0.01 MiB \(2300 bytes\) or more, .* of the 256 MiB \(268435456 bytes\) that this process may use, 0.01 MiB \(2299 bytes\) are left/
  })
  await t.rejects(loadSite(dir, room(bytes)), { code: 'USHER_SITE_TOO_LARGE' }, 'their compressed forms need some more')
  await t.rejects(loadSite(dir, room(-5)), { message: /, 0 MiB \(0 bytes\) are left/ })
  const { memory } = await loadSites([dir], room(10_000))
  t.ok(memory.bytes > bytes && memory.bytes <= 10_000)
  await loadSites([dir], room(memory.bytes))
})

t.test('load sites: the first load compresses nothing of small sites, and says so', async t => {
  const dir = t.testdir({ 'a.txt': 'all the same '.repeat(100) })
  const variants = async (isFirst: boolean) => {
    const loaded = await loadSites([dir], { isFirst })
    const { variants, contentType } = (await openSite(dir, loaded)).files.get('/a.txt')!
    return [loaded.isComplete, contentType, variants.identity.etag, variants.br !== undefined]
  }
  const [first, whole] = [await variants(true), await variants(false)]
  t.strictSame([first[0], first[3], whole[0], whole[3]], [false, false, true, true])
  t.strictSame(first.slice(1, 3), whole.slice(1, 3), 'what is sent as it is keeps its type and tag')
  writeFileSync(join(dir, 'b.bin'), Buffer.alloc(8 * MIB))
  t.strictSame(await variants(true), whole, 'what is larger is loaded as a whole at once')
})

t.test('load sites: the time that it takes may follow its size, which is told before', async t => {
  const dir = t.testdir({ a: { 'a.bin': 'x'.repeat(60) }, b: { 'b.bin': 'x'.repeat(40) } })
  const told: number[] = []
  await loadSites([join(dir, 'a'), join(dir, 'b')], { onFound: bytes => { told.push(bytes) } })
  t.strictSame(told, [100])
})

t.test('load sites: a folder is loaded once, whoever serves it, and equal content is kept once', async t => {
  const text = 'the same script '.repeat(1000)
  const dir = t.testdir({ a: { 'x.js': text, 'x.txt': text }, b: { 'y.js': text } })
  const [a, b] = [join(dir, 'a'), join(dir, 'b')]
  const walked: string[] = []
  const loaded = await loadSites([a, b, a], {
    walk: (dir, entriesMax) => {
      walked.push(dir)
      return findFiles(dir, entriesMax)
    }
  })
  t.strictSame(walked, [a, b])
  t.strictSame(loaded.sites.map(({ dir }) => dir), [a, b])
  const places = loaded.sites.map(({ index }) => new Map(
    [...linesOf(viewOf(loaded.memory.chunks, index))]
      .map(({ path, variants }) => [path, variants] as const)))
  t.strictSame(places[0]!.get('x.js'), places[1]!.get('y.js'))
  const [script, plain] = await Promise.all([a, b].map(dir => openSite(dir, loaded)))
  t.equal(script!.files.get('/x.txt')!.contentType, 'text/plain; charset=utf-8', 'the type is the name\'s')
  t.equal(plain!.files.get('/y.js')!.variants.identity.body.toString(), text)
  const buffers = [script!.files.get('/x.js')!, plain!.files.get('/y.js')!].map(file => file.variants.br!.body)
  t.equal(buffers[0]!.buffer, buffers[1]!.buffer, 'the memory itself, not a copy')
  t.ok(buffers[0]!.buffer instanceof SharedArrayBuffer)
})

t.test('load sites: a folder that is not there is named', async t => {
  const dir = join(t.testdir({}), 'missing')
  await t.rejects(loadSites([dir]), { code: 'USHER_SITE_UNREADABLE', message: new RegExp(`^${dir} could not be read`) })
})

t.test('load sites: many files are all loaded, large ones too', async t => {
  const files = Array.from({ length: 200 }, (_, at) => [`${at}.txt`, `body ${at}`])
  const large = Array.from({ length: 3 }, (_, at) => [`large-${at}.bin`, `${at}`.repeat(5 * MIB + at)])
  const dir = t.testdir(Object.fromEntries([...files, ...large]))
  const site = await loadSite(dir)
  t.equal(site.files.size, 203)
  for (const [name = '', body = ''] of [files[0]!, files[99]!, files[199]!, ...large]) {
    t.ok(site.files.get(`/${name}`)!.variants.identity.body.equals(Buffer.from(body)), name)
  }
})

t.test('load sites: a file from the future was last modified now', async t => {
  const dir = t.testdir({ 'future.txt': '', 'past.txt': '' })
  const pastS = Date.UTC(2020, 0, 1) / 1000
  utimesSync(join(dir, 'past.txt'), pastS, pastS)
  utimesSync(join(dir, 'future.txt'), 4e9, 4e9)
  const site = await loadSite(dir)
  t.equal(site.files.get('/past.txt')!.lastModifiedMs, pastS * 1000)
  t.ok(site.files.get('/future.txt')!.lastModifiedMs! <= Date.now())
})

t.test('load sites: what was skipped is told', async t => {
  const dir = t.testdir({ 'outside.txt': 'secret', site: { 'a.txt': '' } })
  symlinkSync('../outside.txt', join(dir, 'site/out.txt'))
  t.strictSame(await skippedIn(join(dir, 'site')), ['out.txt (leads out of the folder or to a dotfile)'])
  t.strictSame([...(await loadSite(join(dir, 'site'))).files.keys()], ['/a.txt'])
})

t.test('load sites: a file that may not be read is left out and named', { skip: process.platform !== 'linux' }, async t => {
  const dir = t.testdir({ 'a.txt': '', 'closed.txt': 'x' })
  chmodSync(join(dir, 'closed.txt'), 0)
  t.strictSame(await asNobody(() => skippedIn(dir)), ['closed.txt (may not be read)'])
})

/** Between the walk and the reading, as often as there is a change left. */
function swapping (...changes: Array<() => void>): typeof findFiles {
  return async (dir, entriesMax) => {
    const found = await findFiles(dir, entriesMax)
    changes.shift()?.()
    return found
  }
}

t.test('load sites: what is swapped between the walk and the opening is walked again', async t => {
  const dir = t.testdir({ 'usher.env': 'ADMIN_PASSWORD=secret', site: { 'a.txt': 'a', sub: { 'usher.env': 'public' } } })
  const site = join(dir, 'site')
  const at = (name: string) => join(site, name)
  const cases: ReadonlyArray<[
    what: string, swap: () => void, files: readonly string[], skipped: readonly string[]
  ]> = [
    ['a file for a link out', () => {
      unlinkSync(at('a.txt'))
      symlinkSync('../usher.env', at('a.txt'))
    }, ['/sub/usher.env'], ['a.txt (leads out of the folder or to a dotfile)']],
    ['a folder above it for a link out', () => {
      renameSync(at('sub'), join(dir, 'old'))
      symlinkSync('..', at('sub'))
    }, [], ['a.txt (leads out of the folder or to a dotfile)', 'sub (leads out of the folder or to a dotfile)']],
    ['a link out for a file', () => {
      unlinkSync(at('a.txt'))
      writeFileSync(at('a.txt'), 'new')
    }, [], ['a.txt (leads out of the folder or to a dotfile)', 'sub (leads out of the folder or to a dotfile)']],
    ['a file for another', () => {
      writeFileSync(at('next'), 'next')
      renameSync(at('next'), at('a.txt'))
    }, ['/a.txt'], ['sub (leads out of the folder or to a dotfile)']],
    ['a file that goes', () => { unlinkSync(at('a.txt')) }, [], ['sub (leads out of the folder or to a dotfile)']]
  ]
  for (const [what, swap, files, skipped] of cases) {
    const loaded = await loadSites([site], { walk: swapping(swap) })
    const opened = await openSite(site, loaded)
    t.strictSame([...opened.files.keys()], files, what)
    t.strictSame([...loaded.sites[0]!.skipped].sort(), skipped, what)
    for (const file of opened.files.values()) {
      t.notMatch(file.variants.identity.body.toString(), 'secret', what)
    }
  }
})

t.test('load sites: a walk that was itself led out by such a link serves nothing of it', async t => {
  const dir = t.testdir({ outside: { 'usher.env': 'secret' }, site: { sub: { 'usher.env': 'public' } } })
  const [site, sub, aside] = [join(dir, 'site'), join(dir, 'site/sub'), join(dir, 'aside')]
  let walks = 0
  const loaded = await loadSites([site], {
    // The folder is a link while the walk looks into it: device and inode are the secret's.
    walk: async (folder, entriesMax) => {
      walks++
      const found = await findFiles(folder, entriesMax)
      if (walks > 1) return found
      renameSync(sub, aside)
      symlinkSync('../outside', sub)
      const [secret] = (await findFiles(join(dir, 'outside'), entriesMax)).files
      const realPath = join(sub, 'usher.env')
      return { ...found, files: [{ ...secret!, path: 'sub/usher.env', realPath }] }
    }
  })
  t.equal(walks, 2)
  t.strictSame([...(await openSite(site, loaded)).files.keys()], [])
})

t.test('load sites: three walks are enough', async t => {
  const dir = t.testdir({ 'a.txt': '0' })
  const path = join(dir, 'a.txt')
  let version = 0
  const replace = () => {
    writeFileSync(join(dir, '.next'), `${++version}`)
    renameSync(join(dir, '.next'), path)
  }
  await t.rejects(loadSites([dir], { walk: swapping(replace, replace, replace) }), {
    code: 'USHER_SITE_UNREADABLE', message: `${path} was replaced while it was read, at each of 3 times: somebody is changing the folder`
  })
  const site = await openSite(dir, await loadSites([dir], { walk: swapping(replace, replace) }))
  t.equal(site.files.get('/a.txt')!.variants.identity.body.toString(), '5', 'a third walk that finds it unchanged is good')
})

t.test('load sites: a release that is switched meanwhile is read whole, the old or the new', async t => {
  const release = (version: string) => ({ 'a.txt': version, sub: { 'b.txt': version } })
  const dir = t.testdir({ old: release('old'), new: release('new'), current: t.fixture('symlink', 'old') })
  const current = join(dir, 'current')
  const toNew = () => {
    symlinkSync('new', join(dir, 'next'))
    renameSync(join(dir, 'next'), current)
  }
  const bodies = async (...changes: Array<() => void>) => {
    const site = await openSite(current, await loadSites([current], { walk: swapping(...changes) }))
    return [...site.files.values()].map(file => file.variants.identity.body.toString())
  }
  t.strictSame(await bodies(toNew), ['old', 'old'], 'the root was resolved before the switch')
  t.strictSame(await bodies(), ['new', 'new'])
  t.strictSame(await bodies(() => { rmSync(join(dir, 'new'), { recursive: true }) }, () => {}).catch(error => error.code),
    'USHER_SITE_UNREADABLE', 'a release that is gone')
})

t.test('load sites: a file that is cut while it is read is as long as it was', async t => {
  const dir = t.testdir({ 'a.bin': 'x'.repeat(100) })
  const loaded = await loadSites([dir], { walk: swapping(() => { truncateSync(join(dir, 'a.bin'), 40) }) })
  const file = (await openSite(dir, loaded)).files.get('/a.bin')!
  t.equal(file.variants.identity.body.length, 40)
})

t.test('load sites: a link that flickers never lets a secret out', async t => {
  const dir = t.testdir({ 'usher.env': 'secret', site: { 'a.txt': 'a', deep: { 'usher.env': 'public' } } })
  const [site, deep, aside] = [join(dir, 'site'), join(dir, 'site/deep'), join(dir, 'aside')]
  let flicks = 0
  const over = new AbortController()
  const flicker = async () => {
    for (; !over.signal.aborted; flicks++) {
      renameSync(deep, aside)
      symlinkSync('..', deep)
      await new Promise(resolve => setImmediate(resolve))
      unlinkSync(deep)
      renameSync(aside, deep)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  const flickering = flicker()
  const ends = { public: 0, without: 0, refused: 0 }
  for (let loads = 0; loads < 200; loads++) {
    try {
      const { files } = await loadSite(site)
      const file = files.get('/deep/usher.env')
      if (file === undefined) ends.without++
      else if (file.variants.identity.body.toString() === 'public') ends.public++
    } catch (error) {
      if ((error as { code?: string }).code !== 'USHER_SITE_UNREADABLE') throw error
      ends.refused++
    }
  }
  over.abort()
  await flickering
  t.comment(ends, flicks)
  t.equal(ends.public + ends.without + ends.refused, 200, 'nothing else was ever served')
  t.ok(flicks > 200)
})
