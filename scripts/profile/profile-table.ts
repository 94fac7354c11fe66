/**
 * Where the time of a CPU profile went: self time by function and by module, the bundle's places
 * told as those of the sources. Pure, but for source maps that it is given.
 */
import type { SourceMap } from 'node:module'

/** What is read of a profile as V8 writes it (Chrome DevTools Protocol, Profiler.Profile). */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  /** In microseconds, before each sample. */
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
    readonly columnNumber: number
  }
}

export interface ProfileRow {
  readonly name: string
  readonly place: string
  /** Of the time in which the thread did something. */
  readonly share: number
}

export interface ProfileSummary {
  readonly busyMs: number
  readonly functions: readonly ProfileRow[]
  readonly modules: readonly ProfileRow[]
  readonly kinds: readonly ProfileRow[]
}

/** The source map of a bundle's file; undefined where there is none. */
export type FindMap = (url: string) => SourceMap | undefined

const IDLE = '(idle)'
/** How V8 names what is no function of JavaScript. */
const NATIVE: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(program)', 'native: system calls, libuv, V8']
])

export function summarize (profile: CpuProfile, findMap: FindMap): ProfileSummary {
  const byId = new Map(profile.nodes.map(node => [node.id, node]))
  const functions = new Map<string, Sum>()
  const modules = new Map<string, Sum>()
  const kinds = new Map<string, Sum>()
  let busyUs = 0
  for (const [at, id] of profile.samples.entries()) {
    const node = byId.get(id)
    const us = profile.timeDeltas[at] ?? 0
    if (node === undefined || us <= 0 || node.callFrame.functionName === IDLE) continue
    busyUs += us
    const { name, module, line, kind } = placeOf(node, findMap)
    const place = line === 0 ? module : `${module}:${line}`
    add(functions, `${name} ${place}`, { name, place }, us)
    add(modules, module, { name: module, place: kind }, us)
    add(kinds, kind, { name: kind, place: '' }, us)
  }
  const rows = (sums: ReadonlyMap<string, Sum>): ProfileRow[] => [...sums.values()]
    .map(({ us, ...row }) => ({ ...row, share: us / busyUs }))
    .sort((a, b) => b.share - a.share)
  return {
    busyMs: busyUs / 1000, functions: rows(functions), modules: rows(modules), kinds: rows(kinds)
  }
}

interface Sum { readonly name: string, readonly place: string, us: number }

function add (
  sums: Map<string, Sum>, key: string, row: Pick<Sum, 'name' | 'place'>, us: number
): void {
  const sum = sums.get(key) ?? { ...row, us: 0 }
  sum.us += us
  sums.set(key, sum)
}

interface Place {
  readonly name: string
  readonly module: string
  readonly line: number
  readonly kind: string
}

function placeOf ({ callFrame }: ProfileNode, findMap: FindMap): Place {
  const { functionName, url, lineNumber, columnNumber } = callFrame
  const name = functionName === '' ? '(anonymous)' : functionName
  const native = NATIVE.get(functionName)
  if (native !== undefined || url === '') {
    const module = native ?? 'native: functions of V8 and Node'
    return { name, module, line: 0, kind: module }
  }
  if (url.startsWith('node:')) return { name, module: url, line: lineNumber + 1, kind: 'node' }
  if (url.includes('/node_modules/')) {
    const module = url.slice(url.lastIndexOf('/node_modules/') + '/node_modules/'.length)
    return { name, module, line: lineNumber + 1, kind: 'npm\'s packages' }
  }
  const entry = findMap(url)?.findEntry(lineNumber, columnNumber)
  const isMapped = entry !== undefined && 'originalSource' in entry
  const source = (isMapped ? entry.originalSource : url)
    .replace(/^.*?(?=(packages|scripts|html|dist)\/)/, '')
  const line = (isMapped ? entry.originalLine : lineNumber) + 1
  return { name, module: source, line, kind: 'ours' }
}
