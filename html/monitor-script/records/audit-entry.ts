/** An entry of the audit as a sentence, in parts: words, and names that are shown as such. Pure. */
import type { AuditEntry } from '@usher/shared/api/audit.ts'
import { browserName } from '../kit/browser-name.ts'
import { AUDIT } from '../kit/texts.ts'

/** Spaces and all: the parts follow one another as they are. */
export interface Part {
  readonly text: string
  /** A client is an id, an address or a range; a name is an account's or a server's. */
  readonly kind: 'word' | 'name' | 'client'
}

/** Whose targets are clients. */
const CLIENT_ACTIONS = ['deny', 'allow', 'disconnect', 'session-ended']

/** `denied 203.0.113.7 for 1 h: Flooding the search form`. */
export function sentenceOf ({ action, target, detail = {} }: AuditEntry): Part[] {
  const isDenial = action === 'deny' || (action === 'disconnect' && detail['deny'] === true)
  const key = action === 'disconnect' && isDenial ? 'disconnect-and-deny' : action
  const words = Object.hasOwn(AUDIT.actions, key) ? AUDIT.actions[key]! : action
  const [before = '', after = ''] = words.split(' … ')
  const { address, note, reason = note, server, user_agent: userAgent, token } = detail
  return [
    word(before),
    ...targetParts(target ?? '', CLIENT_ACTIONS.includes(action) ? 'client' : 'name'),
    ...(after === '' ? [] : [word(` ${after}`)]),
    ...(typeof address === 'string' ? targetParts(address, 'client', ` ${AUDIT.and} `) : []),
    ...(isDenial ? [word(` ${AUDIT.terms(numberIn(detail, 'minutes'))}`)] : []),
    ...(typeof server === 'string' && server.includes('/') ? targetParts(server, 'name', ` ${AUDIT.at('')}`) : []),
    ...(action === 'drain' || action === 'drain-node' ? moveParts(numberIn(detail, 'minutes')) : []),
    ...reachParts(numberIn(detail, 'users')),
    ...permissionParts(detail),
    ...scopeParts(detail['scopes']),
    ...(typeof detail['url'] === 'string' ? [word(` ${AUDIT.at(detail['url'])}`)] : []),
    ...(typeof token === 'string' ? targetParts(token, 'name', `, ${AUDIT.byToken} `) : []),
    ...attemptParts(numberIn(detail, 'attempts'), detail['more_names'] === true),
    ...(typeof userAgent === 'string' ? [word(`, ${browserName(userAgent)}`)] : []),
    ...(typeof reason === 'string' && reason !== '' ? [word(`: ${reason}`)] : [])
  ]
}

function targetParts (text: string, kind: Part['kind'], before = ' '): Part[] {
  return text === '' ? [] : [word(before), { text, kind }]
}

function moveParts (minutes: number | undefined): Part[] {
  return minutes === undefined ? [] : [word(` ${AUDIT.moved(minutes)}`)]
}

function reachParts (users: number | undefined): Part[] {
  return users === undefined ? [] : [word(`, ${AUDIT.reached(users)}`)]
}

function scopeParts (scopes: unknown): Part[] {
  return Array.isArray(scopes) ? [word(` ${AUDIT.forScopes(scopes.map(String))}`)] : []
}

function attemptParts (attempts: number | undefined, hasMoreNames: boolean): Part[] {
  return attempts === undefined ? [] : [word(` ${AUDIT.attempts(attempts, hasMoreNames)}`)]
}

function permissionParts (detail: Readonly<Record<string, unknown>>): Part[] {
  const permission = numberIn(detail, 'permission')
  const from = numberIn(detail, 'from')
  if (permission === undefined) return []
  return [word(` ${from === undefined
    ? AUDIT.withPermission(permission)
    : AUDIT.fromTo(from, permission)}`)]
}

function numberIn (detail: Readonly<Record<string, unknown>>, key: string): number | undefined {
  const value = detail[key]
  return typeof value === 'number' ? value : undefined
}

function word (text: string): Part {
  return { text, kind: 'word' }
}
