/** Every line of HTTP that is held against doors and ports, by subject. */
import { CHUNKS } from './chunks.ts'
import { CONNECTIONS } from './connections.ts'
import { EXPECTATIONS } from './expectations.ts'
import { FIELDS } from './fields.ts'
import { HOSTS } from './hosts.ts'
import type { HttpCase } from './http-case.ts'
import { LENGTHS } from './lengths.ts'
import { METHODS } from './methods.ts'
import { REFUSED_HEADS } from './refused-heads.ts'
import { REQUEST_LINES } from './request-lines.ts'
import { SEQUENCES } from './sequences.ts'
import { TARGETS } from './targets.ts'
import { TRANSFER_CODINGS } from './transfer-codings.ts'

export const ALL_CASES: readonly HttpCase[] = [
  ...REQUEST_LINES, ...TARGETS, ...HOSTS, ...METHODS, ...FIELDS, ...LENGTHS, ...TRANSFER_CODINGS,
  ...CHUNKS, ...REFUSED_HEADS, ...EXPECTATIONS, ...CONNECTIONS, ...SEQUENCES
]
/** Those of which every request is answered. */
export const VALID = ALL_CASES.filter(({ statuses }) => statuses.every(status => status < 400))
export const REFUSED = ALL_CASES.filter(given => !VALID.includes(given))
