/** From the words of a command line to what is to be run: each test file, each check is a job. */
import { readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from '../setup.mjs'
import { LANES } from './lanes.mjs'

const FOLDERS = ['packages', 'html', 'test']
/** tap's own limit comes first, because it says what was under way. */
const TAP_MARGIN_S = 20

/** Rejects when a word is no lane and no file. Needs what `prepare` has installed. */
export async function chosenJobs (words) {
  const files = testFiles()
  return lanesOf(words, files).flatMap(lane => lane.command === undefined
    ? files.filter(file => lane.files.test(file)).map(file => testJob(lane, file))
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

function testJob ({ name, env, secondsMax }, file) {
  const preloads = [
    import.meta.resolve('@tapjs/mock/import'),
    pathToFileURL(join(import.meta.dirname, 'typescript.mjs')).href
  ]
  return {
    name: `${name} ${file}`,
    // Threads of the test have these as well, processes that it starts have not.
    args: ['--enable-source-maps', ...preloads.map(url => `--import=${url}`), join(ROOT, file)],
    env: { ...env, TAP_TIMEOUT: secondsMax - TAP_MARGIN_S },
    isTap: true,
    secondsMax
  }
}

function checkJob ({ name, command: [program, ...args], secondsMax }) {
  return {
    name, args: [join(ROOT, 'node_modules/.bin', program), ...args], env: {}, isTap: false, secondsMax
  }
}
