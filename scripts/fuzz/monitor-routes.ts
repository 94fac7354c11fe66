/** What the monitor takes, route by route: what requests to it are made of. */
import { PORT_MARKS } from './inputs.ts'
import { ADDED_NAMES, SHOP_NAME } from './shop.ts'
import type { Fields } from './json-bodies.ts'

/** What a parameter of a query holds. */
export type ParameterKind = 'count' | 'text' | 'client' | 'address' | 'port' | 'sort' | 'cursor'

export interface MonitorRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query?: Readonly<Record<string, ParameterKind>>
  readonly body?: Fields
  /** Takes a form besides JSON. */
  readonly takesForm?: boolean
  /** How often it is tried, beside 1 for the others: passwords take their time. */
  readonly weight?: number
}

const TERMS = { url: 'url', weight: 'amount', capacity: 'amount', health: 'health' } as const
const DENIAL = { reason: 'reason', minutes: 'minutes' } as const

export const MONITOR_ROUTES: readonly MonitorRoute[] = [
  { method: 'GET', path: '/' },
  { method: 'GET', path: '/tracker.html' },
  { method: 'GET', path: '/login.html', query: { error: 'text' } },
  { method: 'GET', path: '/password.html', query: { error: 'text' } },
  { method: 'GET', path: '/assets/tracker.js' },
  { method: 'GET', path: '/healthz' },
  { method: 'GET', path: '/readyz' },
  { method: 'GET', path: '/openapi.json' },
  { method: 'GET', path: '/metrics' },
  { method: 'GET', path: '/user-info' },
  { method: 'GET', path: '/sessions' },
  { method: 'GET', path: '/tokens' },
  { method: 'GET', path: '/denied' },
  { method: 'GET', path: '/servers' },
  { method: 'GET', path: '/events' },
  { method: 'GET', path: '/stats', query: { limit: 'count' }, weight: 3 },
  { method: 'GET', path: '/history', query: { minutes: 'count' }, weight: 2 },
  {
    method: 'GET',
    path: '/users',
    query: { server: 'port', q: 'client', sort: 'sort', cursor: 'cursor', limit: 'count' },
    weight: 4
  },
  { method: 'GET', path: '/users', query: { q: 'text', sort: 'sort', offset: 'count' }, weight: 2 },
  { method: 'GET', path: '/users/sharing', query: { address: 'address' }, weight: 2 },
  { method: 'GET', path: '/users/reach', query: { address: 'address' }, weight: 2 },
  { method: 'GET', path: '/audit', query: { q: 'text', cursor: 'cursor', limit: 'count' }, weight: 2 },
  {
    method: 'POST',
    path: '/login',
    body: { username: 'name', password: 'password' },
    takesForm: true,
    weight: 0.3
  },
  {
    method: 'POST',
    path: '/password',
    body: { current: 'password', next: 'password' },
    takesForm: true,
    weight: 0.3
  },
  { method: 'POST', path: '/logout', body: {}, takesForm: true, weight: 0.05 },
  { method: 'POST', path: '/sessions/end', body: { id: 'handle' } },
  { method: 'POST', path: '/tokens', body: { name: 'reason', scopes: 'scopes', days: 'days' }, weight: 2 },
  { method: 'POST', path: '/tokens/revoke', body: { id: 'tokenId' }, weight: 2 },
  {
    method: 'POST',
    path: '/disconnect',
    body: { userId: 'client', ...DENIAL, deny: 'flag', address: 'flag' },
    weight: 3
  },
  { method: 'POST', path: '/disconnect', body: { userId: 'client' }, weight: 2 },
  { method: 'POST', path: '/deny', body: { userId: 'client', ...DENIAL }, weight: 2 },
  { method: 'POST', path: '/deny', body: { address: 'address', ...DENIAL, force: 'flag' }, weight: 2 },
  { method: 'POST', path: '/allow', body: { userId: 'client' }, weight: 2 },
  { method: 'POST', path: '/allow', body: { address: 'address' }, weight: 2 },
  ...PORT_MARKS.flatMap((port): MonitorRoute[] => [
    {
      method: 'POST',
      path: `/servers/${port}/drain`,
      body: { force: 'flag', note: 'reason', minutes: 'minutes' },
      weight: 0.3
    },
    { method: 'POST', path: `/servers/${port}/ready`, body: { force: 'flag' }, weight: 0.3 }
  ]),
  ...PORT_MARKS.map((port): MonitorRoute => (
    { method: 'POST', path: `/servers/${port}/users`, body: { users: 'reports' } })),
  {
    method: 'POST',
    path: `/servers/${SHOP_NAME}/drain`,
    body: { maintenance: 'flag', force: 'flag', note: 'reason', minutes: 'minutes' },
    weight: 0.5
  },
  { method: 'POST', path: `/servers/${SHOP_NAME}/ready`, body: { force: 'flag' }, weight: 0.5 },
  { method: 'POST', path: `/servers/${SHOP_NAME}/users`, body: { users: 'reports' } },
  { method: 'POST', path: '/servers', body: { name: 'added', ...TERMS } },
  { method: 'POST', path: '/servers', body: { name: 'added', url: 'url' } },
  ...[...ADDED_NAMES, SHOP_NAME].flatMap((name): MonitorRoute[] => [
    { method: 'POST', path: `/servers/${name}/change`, body: TERMS, weight: 0.5 },
    { method: 'POST', path: `/servers/${name}/remove`, body: { force: 'flag' }, weight: 0.2 }
  ]),
  // Of no server: a port may be closed for a moment.
  { method: 'POST', path: '/servers/0/restart', body: { force: 'flag' }, weight: 0.3 },
  ...['drain', 'ready'].map((action): MonitorRoute => (
    { method: 'POST', path: `/servers/elm/8000/${action}`, body: { force: 'flag' }, weight: 0.2 })),
  {
    method: 'POST',
    path: '/nodes/elm/drain',
    body: { force: 'flag', note: 'reason', minutes: 'minutes' },
    weight: 0.2
  },
  { method: 'POST', path: '/nodes/elm/ready', body: {}, weight: 0.2 }
]
