/** Large files in the running program: read from the disk while they are sent. */
import {
  readdirSync, readFileSync, readlinkSync, renameSync, truncateSync, unlinkSync, writeFileSync
} from 'node:fs'
import { open } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { ask, startCluster, until, workingFolder, type Cluster } from './cluster.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const READERS = 50
/** Far more than is kept for a client, and far less than what 50 copies of the file would be. */
const GROWTH_MIB_MAX = 150
const ALL_SERVE = /serve the files as they are now/

/** Takes no more than it is told to. */
class Reader {
  bytes = 0
  hasEnded = false
  readonly #response: http.IncomingMessage
  #wantedBytes = 0
  #onEnough = (): void => {}

  constructor (response: http.IncomingMessage) {
    this.#response = response
    response.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length
      if (this.bytes < this.#wantedBytes) return
      response.pause()
      this.#onEnough()
    })
    for (const event of ['end', 'error', 'close']) {
      response.on(event, () => {
        this.hasEnded = true
        this.#onEnough()
      })
    }
    response.pause()
  }

  static async of (port: number, path: string): Promise<Reader> {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get({ host: '127.0.0.1', port, path, agent: false }, resolve).on('error', reject)
    })
    return new Reader(response)
  }

  /** Resolves when so many more have come, or no more will. */
  async take (moreBytes: number): Promise<void> {
    this.#wantedBytes = this.bytes + moreBytes
    const enough = new Promise<void>(resolve => { this.#onEnough = resolve })
    if (this.hasEnded) return
    this.#response.resume()
    await enough
  }

  leave (): void {
    this.#response.destroy()
  }
}

function rssMib ({ process }: Cluster): number {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))!
  return Number(kib) / 1024
}

/** How often the program has a file of that name open. */
function openCount ({ process }: Cluster, name: string): number {
  const fds = `/proc/${process.pid}/fd`
  return readdirSync(fds).filter(fd => {
    try {
      return readlinkSync(join(fds, fd)).endsWith(name)
    } catch {
      return false
    }
  }).length
}

async function reload (cluster: Cluster): Promise<void> {
  const earlier = cluster.log.length
  cluster.process.kill('SIGHUP')
  await until(
    async () => cluster.log.slice(earlier), lines => lines.some(({ msg }) => ALL_SERVE.test(msg)))
}

t.test('streams: 50 slow readers of 1 GB take little memory, and pages are answered meanwhile', async t => {
  const cwd = workingFolder(t, { site: { 'index.html': 'a page' } })
  const path = join(cwd, 'site/film.mp4')
  writeFileSync(path, 'beginning')
  truncateSync(path, GIB)
  const file = await open(path, 'r+')
  await file.write('the end', GIB - 7)
  await file.close()
  const cluster = await startCluster(t, { HTML_DIRS: 'site', SOCKET_TIMEOUT: '60' }, { cwd })
  const { ports } = cluster
  const baseMib = rssMib(cluster)
  const readers = await Promise.all(Array.from({ length: READERS },
    (_, at) => Reader.of(ports[at % ports.length]!, '/film.mp4')))
  await Promise.all(readers.map(reader => reader.take(MIB)))
  t.ok(readers.every(({ bytes }) => bytes >= MIB))
  t.equal(openCount(cluster, 'film.mp4'), ports.length, 'one descriptor in each server')

  const fast = await Reader.of(ports[0]!, '/film.mp4')
  const isWhole = fast.take(2 * GIB)
  for (let round = 0; round < 20; round++) {
    for (const port of ports) t.equal((await ask(port)).body, 'a page')
  }
  await isWhole
  t.equal(fast.bytes, GIB, 'one who is fast gets all of it')
  for (const [range, body] of [['bytes=0-8', 'beginning'], ['bytes=-7', 'the end']] as const) {
    const part = await ask(ports[1]!, '/film.mp4', { headers: { range } })
    t.strictSame([part.status, part.body], [206, body])
  }
  const head = await ask(ports[2]!, '/film.mp4', { method: 'HEAD' })
  t.strictSame([head.status, head.headers['content-length'], head.body], [200, String(GIB), ''])

  const growthMib = rssMib(cluster) - baseMib
  t.ok(growthMib < GROWTH_MIB_MAX, `${Math.round(growthMib)} MiB more`)
  await Promise.all(readers.map(reader => reader.take(MIB)))
  t.ok(readers.every(({ bytes, hasEnded }) => bytes >= 2 * MIB && !hasEnded), 'who is slow goes on')
  for (const reader of readers) reader.leave()
  await until(async () => openCount(cluster, 'film.mp4'), count => count === 0)
})

t.test('streams: a file that is changed while it is sent is cut off, said once, and 404 until a reload', async t => {
  const cwd = workingFolder(t, { site: { 'index.html': 'a page' } })
  const path = join(cwd, 'site/film.mp4')
  writeFileSync(path, Buffer.alloc(64 * MIB, 'a'))
  const cluster = await startCluster(t, { HTML_DIRS: 'site' }, { cwd })
  const [port] = cluster.ports as [number]
  const readers = await Promise.all([Reader.of(port, '/film.mp4'), Reader.of(port, '/film.mp4')])
  await Promise.all(readers.map(reader => reader.take(MIB)))
  truncateSync(path, 32 * MIB)
  await Promise.all(readers.map(reader => reader.take(GIB)))
  for (const { bytes, hasEnded } of readers) t.ok(hasEnded && bytes < 64 * MIB, `${bytes} bytes`)
  t.equal((await ask(port, '/film.mp4')).status, 404)
  t.equal((await ask(port, '/film.mp4', { method: 'HEAD' })).status, 404)
  const warnings = cluster.log.filter(({ msg }) => /not as it was loaded/.test(msg))
  t.match(warnings, [{ level: 40, file: path, reason: 'has changed' }])
  t.equal(warnings.length, 1)

  writeFileSync(`${path}.new`, Buffer.alloc(5 * MIB, 'b'))
  renameSync(`${path}.new`, path)
  t.equal((await ask(port, '/film.mp4')).status, 404)
  await reload(cluster)
  const { status, body } = await ask(port, '/film.mp4')
  t.strictSame([status, body.length, body[0], body.at(-1)], [200, 5 * MIB, 'b', 'b'])
})

t.test('streams: a reload reads MEMORY_FILE_MAX again, for the files that it loads', async t => {
  const cwd = workingFolder(t, { 'usher.env': 'MEMORY_FILE_MAX=128KiB\n', site: { 'index.html': 'a page' } })
  const path = join(cwd, 'site/data.bin')
  const write = (): void => { writeFileSync(path, Buffer.alloc(100_000, 'a')) }
  write()
  const cluster = await startCluster(t, { HTML_DIRS: 'site' }, { cwd })
  const [port] = cluster.ports as [number]
  const statusWithoutFile = async (): Promise<number> => {
    unlinkSync(path)
    const { status } = await ask(port, '/data.bin')
    write()
    return status
  }
  t.equal(await statusWithoutFile(), 200, 'from memory')
  writeFileSync(join(cwd, 'usher.env'), 'MEMORY_FILE_MAX=64KiB\n')
  await reload(cluster)
  t.equal(await statusWithoutFile(), 404, 'from the disk')
  const { changes } = await cluster.logged(/settings were changed/)
  t.strictSame(changes, ['MEMORY_FILE_MAX from 128KiB to 64KiB'])
})
