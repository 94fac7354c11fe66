/**
 * `npm run profile -- page`, or another load: where the time of Usher's busiest thread goes under
 * that load. Prints self time by kind, module and function, and writes a .cpuprofile that the
 * browsers' developer tools and speedscope show as a flame graph.
 */
import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync
} from 'node:fs'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { ReportTable } from '../bench/report/report.ts'
import { tableText } from '../bench/report/tables.ts'
import { chooseCores, moveToCores } from '../bench-peers/cores.ts'
import { freePorts, makeGround } from '../bench-peers/ground.ts'
import { findProgram } from '../bench-peers/peers/peer.ts'
import { runWrk, type Load } from '../bench-peers/wrk.ts'
import { TOOLS_DIR } from '../kit/places.ts'
import { startProgram, type Program } from '../kit/program.ts'
import { summarize, type CpuProfile, type ProfileRow } from './profile-table.ts'

type LoadName = keyof typeof LOADS

const USAGE_EXIT = 2
const LOADS = {
  page: { service: 'page', isClosing: false },
  redirect: { service: 'away', isClosing: false },
  close: { service: 'page', isClosing: true },
  'close-redirect': { service: 'away', isClosing: true },
  beat: { service: 'beat', isClosing: false },
  decision: { service: 'decide', isClosing: false }
} as const
const [SECONDS_DEFAULT, SECONDS_MAX] = [5, 60]
const ROWS = 25
const WARM_UP_SECONDS = 2
/** Threads look for the files many times a second. */
const LOOK_MS = 100
const WRITE_MS_MAX = 20_000

/** By the bundle's file. */
const maps = new Map<string, SourceMap | undefined>()

const { name, seconds, shape } = parse(process.argv.slice(2))
const wrk = findProgram('wrk')
if (wrk === undefined) {
  process.stderr.write('profile: wrk is needed (in Debian: wrk)\n')
  process.exitCode = 1
} else {
  await profile(wrk)
}

async function profile (wrk: string): Promise<void> {
  const cores = chooseCores()
  moveToCores(cores.load)
  const ground = makeGround()
  const folder = mkdtempSync(join(tmpdir(), 'usher-profile-'))
  const preload = pathToFileURL(join(TOOLS_DIR, 'profile-thread.js')).href
  const [decisionPort] = await freePorts(1)
  const settings = {
    HTML_DIRS: ground.siteFolder,
    DELAY_BETWEEN_ROUTING: '0',
    DECISION_PORT: String(decisionPort),
    PROFILE_DIR: folder
  }
  const program = await startProgram(settings,
    { nodeOptions: `--import=${preload}`, shell: `exec taskset -c ${cores.server} "$@"` }
  )
  try {
    const load = loadOf(program, decisionPort!)
    if (load.service === 'beat') await runWrk(wrk, { ...load, service: 'page', seconds: 1 })
    await runWrk(wrk, { ...load, seconds: WARM_UP_SECONDS })
    mkdirSync(join(folder, 'start'))
    await wait(LOOK_MS)
    const { requests } = await runWrk(wrk, { ...load, seconds })
    mkdirSync(join(folder, 'stop'))
    await waitForProfiles(folder, 2 + program.ports.length)
    print(folder, requests)
  } finally {
    await program.stop()
    ground.clear()
  }
}

function loadOf ({ serverUrls: [page], routerUrl }: Program, decisionPort: number): Load {
  const { service, isClosing } = LOADS[name]
  const urls: Partial<Record<Load['service'], string>> = {
    away: routerUrl, decide: `http://127.0.0.1:${decisionPort}`
  }
  return { url: urls[service] ?? page!, shape, service, isClosing, seconds }
}

async function waitForProfiles (folder: string, count: number): Promise<void> {
  const endMs = performance.now() + WRITE_MS_MAX
  while (profilesIn(folder).length < count && performance.now() < endMs) await wait(LOOK_MS)
}

function profilesIn (folder: string): readonly string[] {
  return readdirSync(folder).filter(file => file.endsWith('.cpuprofile'))
}

function print (folder: string, requests: number): void {
  const all = profilesIn(folder).map(file => {
    const text = readFileSync(join(folder, file), 'utf8')
    return { file, summary: summarize(JSON.parse(text) as CpuProfile, findMap) }
  })
  const busiest = [...all].sort((a, b) => b.summary.busyMs - a.summary.busyMs)[0]
  if (busiest === undefined) throw new Error('no thread has written a profile')
  const { file, summary } = busiest
  const usPerRequest = summary.busyMs * 1000 / requests
  const table = (title: string, rows: readonly ProfileRow[]): void => {
    process.stdout.write(`${tableText(shareTable(title, rows, usPerRequest))}\n`)
  }
  process.stdout.write(`${file}: busy for ${summary.busyMs.toFixed(0)} ms, ${requests} requests\n\n`)
  table('Self time by kind', summary.kinds)
  table('Self time by module', summary.modules)
  table('Self time by function', summary.functions)
  const path = join(tmpdir(), `usher-${name}.cpuprofile`)
  renameSync(join(folder, file), path)
  process.stdout.write(`flame graph: ${path} (developer tools of a browser, speedscope)\n`)
}

function shareTable (
  title: string, rows: readonly ProfileRow[], usPerRequest: number
): ReportTable {
  return {
    id: 'profile',
    title,
    columns: ['what', 'share', 'us a request', 'where'],
    rows: rows.slice(0, ROWS).map(({ name, place, share }) => [
      name, `${(share * 100).toFixed(1)} %`, (share * usPerRequest).toFixed(2), place
    ]),
    notes: [],
    command: ''
  }
}

function findMap (url: string): SourceMap | undefined {
  if (!maps.has(url)) {
    const path = url.startsWith('file:') ? `${fileURLToPath(url)}.map` : `${url}.map`
    maps.set(url, existsSync(path)
      ? new SourceMap(JSON.parse(readFileSync(path, 'utf8')))
      : undefined)
  }
  return maps.get(url)
}

function parse (args: string[]): { name: LoadName, seconds: number, shape: Load['shape'] } {
  try {
    const { values, positionals: [name = ''] } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: String(SECONDS_DEFAULT) },
        differ: { type: 'boolean', default: false }
      }
    })
    if (!Object.hasOwn(LOADS, name)) throw new Error(`name one load, not "${name}"`)
    const seconds = Number(values.seconds)
    if (!(Number.isInteger(seconds) && seconds >= 1 && seconds <= SECONDS_MAX)) {
      throw new Error(`--seconds is "${values.seconds}"; it must be a whole number from 1 to ${SECONDS_MAX}`)
    }
    return { name: name as LoadName, seconds, shape: values.differ ? 'differ' : 'same' }
  } catch (error) {
    process.stderr.write(`profile: ${(error as Error).message}\n\n` +
      `npm run profile -- ${Object.keys(LOADS).join('|')} [--seconds ${SECONDS_DEFAULT}] [--differ]\n`)
    process.exit(USAGE_EXIT)
  }
}
