/** Parts of the report that other benchmarks measure, by the name that `--only` knows. */
import type { BenchPart } from '../bench/report/report.ts'
import { benchBeats } from '../bench/beats.ts'
import { benchFirstRedirect } from '../bench/first-redirect.ts'
import { benchTable } from '../bench/table-growth.ts'
import { benchTouch } from '../bench/touch.ts'

export const OTHER_PARTS: Readonly<Record<string, BenchPart>> = {
  touch: benchTouch,
  table: benchTable,
  start: benchFirstRedirect,
  beats: benchBeats
}
