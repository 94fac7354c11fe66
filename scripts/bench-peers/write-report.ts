/** Writes docs/performance.md and its plots. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { PLOTS_FOLDER, performanceMarkdown } from '../bench/report/document.ts'
import { barsSvg, plotSvg } from '../bench/report/plot.ts'
import type { BenchResult } from '../bench/report/report.ts'
import { ROOT } from '../kit/places.ts'
import { findProgram } from './peers/peer.ts'

interface Absences {
  readonly missing: readonly string[]
  readonly failures: readonly string[]
}

const DOCS = join(ROOT, 'docs')
const PLOTS = join(DOCS, PLOTS_FOLDER)
const BY_HAND = join(PLOTS, 'by-hand.md')
/** How each program says which version it is; haproxy and wrk print more than that. */
const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  nginx: ['-v'], haproxy: ['-v'], caddy: ['version'], wrk: ['-v']
}

export function writeReport (
  results: readonly BenchResult[], { missing, failures }: Absences
): void {
  mkdirSync(PLOTS, { recursive: true })
  // What no part draws any more.
  for (const name of readdirSync(PLOTS)) if (name.endsWith('.svg')) rmSync(join(PLOTS, name))
  for (const { plots, bars = [] } of results) {
    for (const plot of plots) writeFileSync(join(PLOTS, `${plot.id}.svg`), plotSvg(plot))
    for (const chart of bars) writeFileSync(join(PLOTS, `${chart.id}.svg`), barsSvg(chart))
  }
  writeFileSync(join(DOCS, 'performance.md'), performanceMarkdown({
    results,
    machine: machineSentences(missing),
    date: new Date().toISOString().slice(0, 10),
    failures,
    byHand: readFileSync(BY_HAND, 'utf8')
  }))
  process.stdout.write('written: docs/performance.md\n')
}

function machineSentences (missing: readonly string[]): readonly string[] {
  const [first] = cpus()
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  const versions = Object.keys(VERSIONS).flatMap(versionOf)
  return [
    `A machine with ${cpus().length} cores (${first?.model.trim()}) and ${memoryGib} GiB of memory, ` +
    `Node ${process.versions.node}; ${versions.join(', ')}.`,
    ...(missing.length === 0 ? [] : [`Not there: ${missing.join(', ')}.`])
  ]
}

function versionOf (name: string): readonly string[] {
  const path = findProgram(name)
  if (path === undefined) return []
  try {
    // nginx says it on standard error, and wrk ends with 1.
    const printed = execFileSync('sh', ['-c', '"$@" 2>&1 || true', 'sh', path, ...VERSIONS[name]!])
    const [version] = /\d+\.\d+(\.\d+)?/.exec(printed.toString()) ?? []
    return version === undefined ? [] : [`${name} ${version}`]
  } catch {
    return []
  }
}
