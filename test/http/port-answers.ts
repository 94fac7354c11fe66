/** What each port answers to a request that reaches it, so that one case tells of all of them. */
import type { HttpCase } from '../../packages/shared/test/http/cases/http-case.ts'
import type { PortKind } from './known-cluster.ts'

type Answers = (method: string, path: string) => number

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'
/** Of a visitors' port: it says what it allows when it is asked, and when it refuses. */
const notRead = (method: string): number => method === 'OPTIONS' ? 204 : 405

const ANSWERS: Readonly<Record<PortKind, Answers>> = {
  router: method => isRead(method) ? 302 : notRead(method),
  server: (method, path) => isRead(method) ? path === '/' ? 200 : 404 : notRead(method),
  decision: (method, path) => isRead(method) ? path === '/decide' ? 200 : 404 : notRead(method),
  // Without a session: pages lead to the login, a POST that is not JSON is refused before all else.
  monitor: (method, path) => {
    if (method === 'POST') return 415
    if (path !== '/') return 401
    return isRead(method) ? 302 : 405
  }
}

/** What `exchange` may say of a case at such a port. */
export function expectedAt (kind: PortKind, given: HttpCase): string[] {
  const seen = given.seen.map(request => answerAt(kind, request))
  const after = given.isKept ? `, then ${answerAt(kind, 'GET /last')}` : ''
  let at = 0
  const statuses = given.statuses.map(status => status === 200 ? seen[at++]! : status)
  const expected = [`${statuses.join(' ')}${after} closed`]
  if (kind === 'monitor' && given.isBodyAtFault === true) {
    // It may have answered the head by then, and ends the connection all the same.
    const [method] = given.bytes.split(' ', 1)
    expected.push(`${answerAt(kind, `${method} /`)} closed, not said to close`)
  }
  return expected
}

function answerAt (kind: PortKind, request: string): number {
  const [method = '', target = ''] = request.split(' ')
  return ANSWERS[kind](method, target.split('?', 1)[0]!)
}
