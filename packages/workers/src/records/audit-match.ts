/**
 * Whether an entry of the audit matches a search: by any part of the line that the console shows
 * for it, ignoring case. Pure.
 */
import type { AuditRow } from '../database/rows.ts'

/**
 * What the console says of an action; the target stands where the dots are, or else behind. The
 * console's own texts are held to these by test/tidy.test.ts.
 */
export const AUDIT_WORDS: Readonly<Record<string, string>> = {
  login: 'logged in',
  'login-failed': 'failed to log in',
  logout: 'logged out',
  'session-ended': 'ended a session from',
  'token-made': 'made the token',
  'token-revoked': 'revoked the token',
  'account-added': 'added the account',
  'account-removed': 'removed the account',
  'sessions-ended': 'ended the sessions of',
  'all-sessions-ended': 'ended the sessions of everybody',
  'permission-changed': 'changed the permission of',
  'password-changed': 'changed the password of',
  disconnect: 'disconnected',
  'disconnect-and-deny': 'disconnected and denied',
  deny: 'denied',
  allow: 'allowed',
  drain: 'started draining',
  ready: 'made … ready',
  'drain-node': 'started draining the node',
  'ready-node': 'made the node … ready',
  restart: 'restarted',
  'server-added': 'added the server',
  'server-changed': 'changed the server',
  'server-removed': 'removed the server'
}

export function auditTest (search: string): (row: AuditRow) => boolean {
  const wanted = search.toLowerCase()
  return row => lineOf(row).toLowerCase().includes(wanted)
}

/** Who, what, to whom and why as it is read, so that words of two columns are found together. */
function lineOf ({ who, action, target, detail, address: from }: AuditRow): string {
  const { deny, address, reason, note, user_agent: userAgent, token, url } = detail === null
    ? {}
    : JSON.parse(detail) as Record<string, unknown>
  const key = action === 'disconnect' && deny === true ? 'disconnect-and-deny' : action
  const words = Object.hasOwn(AUDIT_WORDS, key) ? AUDIT_WORDS[key]! : ''
  const [before = '', after = ''] = words.split(' … ')
  const also = [address, token, reason, note, userAgent, url].filter(value => typeof value === 'string')
  return [who, before, target ?? '', after, ...also, from, action].join(' ')
}
