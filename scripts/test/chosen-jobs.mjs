/**
 * From the words of a command line to what is to be run: a check is a job, and so are test files
 * that share a process.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from '../setup.mjs'
import { LANES } from './lanes.mjs'

const FOLDERS = ['packages', 'html', 'test']
/** tap's own limit comes first, because it says what was under way. */
const TAP_MARGIN_S = 20

/** A folder or a hook for all tests of a file is that of tap's root, and a process has one root. */
const USES_ROOT = /^(?:const|let|await|t\.).*\b(?:testdir|workingFolder|start\w*Cluster|beforeEach)\(/m

/** Rejects when a word is no lane and no file. Needs what `prepare` has installed. */
export async function chosenJobs (words) {
  const files = testFiles()
  return lanesOf(words, files).flatMap(lane => lane.command === undefined
    ? filesOfProcesses(files.filter(file => lane.files.test(file)), lane.filesAtOnce ?? 1)
      .map(chunk => testJob(lane, chunk))
    : [checkJob(lane)])
}

function lanesOf (words, files) {
  if (words.length === 0) return LANES.filter(({ isLong }) => !isLong)
  if (words[0] === 'all') return LANES
  return words.map(word => LANES.find(({ name }) => name === word) ?? laneOf(word, files))
}

/** The lane for every commit that the file is in, for that file only. */
function laneOf (word, files) {
  const path = relative(ROOT, resolve(word))
  if (!files.includes(path)) {
    const names = LANES.map(({ name }) => name).join(', ')
    throw new Error(`${word} is no test file, and no lane (${names}, all)`)
  }
  const lane = LANES.find(({ isLong, files }) => !isLong && files?.test(path))
  return { ...lane, files: { test: file => file === path } }
}

function testFiles () {
  return FOLDERS.flatMap(folder => readdirSync(join(ROOT, folder), { recursive: true })
    .filter(path => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map(path => `${folder}/${path}`)).sort()
}

function filesOfProcesses (files, filesAtOnce) {
  const isAlone = file => filesAtOnce === 1 || USES_ROOT.test(readFileSync(join(ROOT, file), 'utf8'))
  const others = files.filter(file => !isAlone(file))
  const chunkCount = Math.ceil(others.length / filesAtOnce)
  const chunks = [...Array(chunkCount).keys()]
    .map(at => others.slice(at * filesAtOnce, (at + 1) * filesAtOnce))
  return [...files.filter(isAlone).map(file => [file]), ...chunks]
}

function testJob ({ name, env, secondsMax }, files) {
  const preloads = [
    import.meta.resolve('@tapjs/mock/import'),
    pathToFileURL(join(import.meta.dirname, 'typescript.mjs')).href
  ]
  const [first, ...others] = files
  return {
    name: `${name} ${first}` + (others.length > 0 ? ` to ${others.at(-1)}` : ''),
    // Threads of the test have these as well, processes that it starts have not.
    args: ['--enable-source-maps', ...preloads.map(url => `--import=${url}`), ...commandFor(files)],
    env: { ...env, TAP_TIMEOUT: secondsMax - TAP_MARGIN_S },
    isTap: true,
    secondsMax
  }
}

function commandFor (files) {
  const paths = files.map(file => join(ROOT, file))
  return files.length === 1 ? paths : [join(import.meta.dirname, 'several-files.mjs'), ...paths]
}

function checkJob ({ name, command: [program, ...args], secondsMax }) {
  return {
    name, args: [join(ROOT, 'node_modules/.bin', program), ...args], env: {}, isTap: false, secondsMax
  }
}
