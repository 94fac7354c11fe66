/**
 * The text that Prometheus reads (exposition format 0.0.4): families with their samples, escaped
 * and in order. Knows no metric of Usher's. Computes only.
 */
import { bucketStartMs } from '@usher/shared/duration-buckets.ts'
import type { Durations } from '@usher/shared/memory/meters.ts'

export type Labels = Readonly<Record<string, string | number>>
export type Sample = readonly [labels: Labels, value: number | undefined]

/** A sample without value is left out, and so is a family without samples. */
export function family (
  name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]
): string {
  const lines = samples
    .filter(([, value]) => value !== undefined)
    .map(([labels, value]) => sampleLine(name, labels, value!))
  return lines.length === 0 ? '' : headLines(name, type, help) + lines.join('')
}

/** Durations as a histogram in seconds. */
export function histogram (
  name: string, help: string, samples: ReadonlyArray<readonly [Labels, Durations]>
): string {
  if (samples.length === 0) return ''
  return headLines(name, 'histogram', help) +
    samples.map(([labels, durations]) => histogramLines(name, labels, durations)).join('')
}

/**
 * Upper bounds: each is an edge of duration-buckets.ts. 350 and its neighbours tell whether a
 * visitor's wait of that length was kept.
 */
export const BOUNDS_MS = [
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 350, 360, 400, 500, 1000, 2500, 5000,
  10_000
] as const

function histogramLines (name: string, labels: Labels, { buckets, sumMs }: Durations): string {
  let lines = ''
  let bucket = 0
  let count = 0
  const countTo = (boundMs: number): number => {
    while (bucket < buckets.length && bucketStartMs(bucket) < boundMs) count += buckets[bucket++]!
    return count
  }
  for (const boundMs of BOUNDS_MS) {
    const le = { ...labels, le: boundMs / 1000 }
    lines += sampleLine(`${name}_bucket`, le, countTo(boundMs))
  }
  return lines +
    sampleLine(`${name}_bucket`, { ...labels, le: '+Inf' }, countTo(Infinity)) +
    sampleLine(`${name}_sum`, labels, sumMs / 1000) +
    sampleLine(`${name}_count`, labels, count)
}

function headLines (name: string, type: string, help: string): string {
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`
}

function sampleLine (name: string, labels: Labels, value: number): string {
  const texts = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text))}"`)
  return `${name}${texts.length === 0 ? '' : `{${texts.join(',')}}`} ${value}\n`
}

function escaped (text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
