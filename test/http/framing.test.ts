/**
 * RFC 9112 on every port of the running program: each case whole, cut in two at each line end, and
 * byte by byte, with the same outcome every time.
 */
import t from 'tap'
import { ALL_CASES } from '../../packages/shared/test/http/cases/all-cases.ts'
import { SECOND, type HttpCase } from '../../packages/shared/test/http/cases/http-case.ts'
import { exchange } from './exchange.ts'
import { PORT_KINDS, startKnownCluster } from './known-cluster.ts'
import { expectedAt } from './port-answers.ts'

/** Connections that are open at a time. */
const LANES = 40
/** Longer cases are not cut in so many pieces. */
const BYTEWISE_LENGTH_MAX = 250
const CUTS_MAX = 8

const cluster = await startKnownCluster(t)

for (const kind of PORT_KINDS) {
  t.test(`framing: the ${kind} holds to every case, whole and in pieces`, async t => {
    const port = cluster.portOf(kind)
    const wrong: string[] = []
    const runs = ALL_CASES.flatMap(given => waysOf(given).map(way => ({ given, way })))
    await inLanes(runs, async ({ given, way }) => {
      const outcome = await exchange(port, way.pieces, given)
      const expected = expectedAt(kind, given)
      if (!expected.includes(outcome)) {
        wrong.push(`${given.name}, ${way.name}: ${outcome}; RFC ${given.rfc}: ${expected.join(' or ')}`)
      }
    })
    t.strictSame(wrong, [], `${ALL_CASES.length} cases in ${runs.length} exchanges`)
  })
}

interface Way {
  readonly name: string
  readonly pieces: readonly string[]
}

function waysOf ({ bytes, isKnownWholeOnly = false }: HttpCase): Way[] {
  const whole = { name: 'whole', pieces: [bytes] }
  if (isKnownWholeOnly) return [whole]
  // By turns between CR and LF, and behind them.
  const cuts = [...bytes.matchAll(/\r\n/g)].map(({ index }, at) => index + 1 + at % 2)
    .filter(cut => cut < bytes.length).slice(0, CUTS_MAX)
  const halves = cuts.map(cut =>
    ({ name: `cut at ${cut}`, pieces: [bytes.slice(0, cut), bytes.slice(cut)] }))
  const followed = bytes.endsWith(SECOND) ? SECOND : ''
  const single = bytes.slice(0, bytes.length - followed.length)
  if (single.length > BYTEWISE_LENGTH_MAX) return [whole, ...halves]
  return [whole, ...halves, { name: 'byte by byte', pieces: [...single, followed] }]
}

async function inLanes<T> (all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values()
  await Promise.all(Array.from({ length: LANES }, async () => {
    for (const one of rest) await work(one)
  }))
}
