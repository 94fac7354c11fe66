/**
 * What 50 slow readers of a file of 1 GB cost a visitor of a page on the same server, and the
 * program in memory. In turn with the same readers at a plain node:http server in a process of its
 * own, since readers, visitor and program share one machine: the ratios are what sending the file
 * adds. The readers are in a process too, each at the pace of a video (2 Mbit/s).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProgram } from '../kit/program.ts'
import { quantile, spread } from '../measure/figures.ts'

const ROUNDS = 7
const ROUND_MS = 1500
const READERS = 50
const FILE_BYTES = 2 ** 30
const PAGE_BYTES = 4096

/** Sends the file to whoever asks. */
const PLAIN_SERVER = `
  const { createReadStream, statSync } = require('node:fs')
  const { createServer } = require('node:http')
  process.on('disconnect', () => process.exit()) // The benchmark is over, or has failed.
  const [path] = process.argv.slice(1)
  const server = createServer((request, response) => {
    response.setHeader('Content-Length', statSync(path).size)
    require('node:stream').pipeline(createReadStream(path), response, () => {})
  })
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))`

/** Each takes 16 KiB 16 times a second, at its own times, and begins again at the end. */
const SLOW_READERS = `
  const { connect } = require('node:net')
  process.on('disconnect', () => process.exit()) // The benchmark is over, or has failed.
  const [port, count] = process.argv.slice(1).map(Number)
  let begun = 0
  const open = () => {
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /film.mp4 HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n')
    socket.once('readable', () => { if (++begun === count) process.send('begun') })
    let timer
    const take = () => {
      socket.read(16384) ?? socket.read()
      timer = setTimeout(take, 125 * Math.random())
    }
    take()
    socket.on('close', () => {
      clearTimeout(timer)
      setTimeout(open, 100)
    })
    socket.on('error', () => {})
  }
  for (let reader = 0; reader < count; reader++) open()`

export async function benchStream (): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-bench-'))
  try {
    mkdirSync(join(folder, 'site'))
    writeFileSync(join(folder, 'site/index.html'), 'x'.repeat(PAGE_BYTES))
    writeFileSync(join(folder, 'site/film.mp4'), '')
    truncateSync(join(folder, 'site/film.mp4'), FILE_BYTES)
    await measure(join(folder, 'site'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measure (site: string): Promise<void> {
  const program = await startProgram({ HTML_DIRS: site })
  const port = Number(new URL(program.serverUrls[0]!).port)
  const rssMib = (): number => Number(
    /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${program.process.pid}/status`, 'utf8'))![1]) / 1024
  const plain = spawn(process.execPath, ['-e', PLAIN_SERVER, join(site, 'film.mp4')], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const [plainPort] = await once(plain, 'message') as [number]
  const pairs: Array<readonly [elsewhere: number[], here: number[]]> = []
  const growthMib: number[] = []
  try {
    await visitFor(port, ROUND_MS) // Warm-up.
    for (let round = 0; round < ROUNDS; round++) {
      const elsewhere = await besideReaders(plainPort, () => visitFor(port, ROUND_MS))
      const beforeMib = rssMib()
      pairs.push([elsewhere, await besideReaders(port, () => visitFor(port, ROUND_MS))])
      growthMib.push(rssMib() - beforeMib)
    }
  } finally {
    plain.disconnect()
    await program.stop()
  }
  print('visitor\'s median', pairs, 0.5)
  print('visitor\'s p99', pairs, 0.99)
  process.stdout.write(`memory for ${READERS} readers of 1 GB  ${spread(growthMib, 1)} MiB\n`)
}

async function besideReaders (
  port: number, work: () => Promise<number[]>
): Promise<number[]> {
  const readers = spawn(process.execPath, ['-e', SLOW_READERS, String(port), String(READERS)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  await once(readers, 'message')
  const latenciesMs = await work()
  readers.disconnect()
  await once(readers, 'exit')
  return latenciesMs
}

function print (
  label: string, pairs: ReadonlyArray<readonly [number[], number[]]>, share: number
): void {
  const ms = pairs.map(pair => pair.map(latenciesMs => quantile(latenciesMs, share)))
  const ratios = ms.map(([elsewhere, here]) => here! / elsewhere!)
  const here = spread(ms.map(([, here]) => here!), 2)
  process.stdout.write(`${label} beside ${READERS} slow readers  ${spread(ratios, 2)} times, ${here} ms\n`)
}

/** Latencies in milliseconds: one visitor's requests, one after the other, for so long. */
async function visitFor (port: number, ms: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true })
  const latenciesMs: number[] = []
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    const startMs = performance.now()
    await visit(port, agent)
    latenciesMs.push(performance.now() - startMs)
  }
  agent.destroy()
  return latenciesMs
}

function visit (port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, response => {
      response.resume()
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`a visitor was answered ${response.statusCode}`))
      })
    }).on('error', reject)
  })
}
