/** RFC 9112 on every port of the running program: each case whole, and cut in two at line ends. */
import t from 'tap'
import { isLong } from '../../packages/shared/test/length.ts'
import type { HttpCase } from '../../packages/shared/test/http/cases/http-case.ts'
import { holdCases, ownBytes, type Way } from './hold-cases.ts'
import { PORT_KINDS, startKnownCluster } from './known-cluster.ts'

/** The first so many line ends; behind them are mostly alike ones. */
const CUTS_MAX = isLong ? 8 : 2

const cluster = await startKnownCluster(t)

for (const kind of PORT_KINDS) {
  t.test(`framing: the ${kind} holds to every case, whole and in two pieces`, async t => {
    await holdCases(t, kind, cluster.portOf(kind), wholeAndHalves)
  })
}

t.test('framing: the other servers hold to every case, whole', async t => {
  for (const port of cluster.ports.slice(1)) await holdCases(t, 'server', port, wholeOnly)
})

function wholeOnly ({ bytes }: HttpCase): Way[] {
  return [{ name: 'whole', pieces: [bytes] }]
}

function wholeAndHalves (given: HttpCase): Way[] {
  const { bytes } = given
  // By turns between CR and LF, and behind them.
  const cuts = [...ownBytes(given).matchAll(/\r\n/g)].map(({ index }, at) => index + 1 + at % 2)
    .filter(cut => cut < bytes.length).slice(0, CUTS_MAX)
  const halves = cuts.map(cut =>
    ({ name: `cut at ${cut}`, pieces: [bytes.slice(0, cut), bytes.slice(cut)] }))
  return [...wholeOnly(given), ...halves]
}
