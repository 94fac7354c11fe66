/** The benchmark: that each part works to its end, with few of everything; never a speed. */
import t from 'tap'
import { isLong } from '../packages/shared/test/length.ts'
import { findProgram } from '../scripts/bench-peers/peers/peer.ts'
import { runTool, type ToolEnd } from './tool.ts'

const TITLES = [
  '4 KB page, keep-alive, same head', '4 KB page, keep-alive, heads that differ',
  'Redirect, delay 0', 'Heartbeat', 'Decision for a proxy, heads that differ', '4 KB page, a new connection per request',
  'Redirect, a new connection per request', '4 KB page over TLS, keep-alive',
  '4 KB page, keep-alive: how long 64 connections wait for it',
  'A page of nginx that asks Usher who goes where',
  'TLS handshake, nothing resumed', 'An idle connection', 'A burst of 300 visitors',
  'A touch, beside a postMessage to a Map on the main thread',
  'The user table, from a thousand users to four million',
  'A choice with its reservation, among 3 servers and among 256',
  'From the start to the first redirect', 'Beats of 100000 pages that came in one second'
]

/** All but `wait` and `flood`, in which a machine that is too busy fails. */
const PARTS = 'page,differ,redirect,beat,decision,latency,auth,connect,connect-redirect,tls,handshake,idle,burst,touch,table,start,beats'

const bench = (...args: string[]): Promise<ToolEnd> => runTool('bench-peers', ...args)

t.test('bench: wrong words end with 2', async t => {
  for (const args of [['--rounds', '0'], ['--only', 'nothing'], ['--trial', '--write']]) {
    const { code, printed } = await bench(...args)
    t.equal(code, 2)
    t.match(printed, /^bench:peers: /)
  }
})

const isThere = findProgram('wrk') !== undefined && findProgram('taskset') !== undefined
t.test('bench: every part gives rows, and no request of any fails', {
  skip: isLong ? !isThere && 'no wrk or no taskset' : false
}, async t => {
  if (!isLong) return
  const { code, printed } = await bench('--rounds', '1', '--seconds', '1', '--trial', '--only', PARTS)
  t.equal(code, 0, printed)
  for (const title of TITLES) t.ok(rowsOf(printed, title) > 0, `${title}: ${printed}`)
})

/** How many lines stand below the rule of the table. */
function rowsOf (printed: string, title: string): number {
  const lines = printed.split('\n')
  const body = lines.slice(lines.indexOf(title) + 3)
  const end = body.findIndex(line => !/ {2,}/.test(line))
  return lines.includes(title) ? end : 0
}
