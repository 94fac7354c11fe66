/** An entry of the audit as a sentence, in parts: words, and names that are shown as such. Pure. */
import { AUDIT } from './texts.ts'

/** As in `GET /audit`. */
export interface AuditEntry {
  readonly at: string
  readonly who: string
  readonly action: string
  readonly target?: string | null
  readonly detail?: Readonly<Record<string, unknown>>
  readonly address: string
}

export interface Part {
  readonly text: string
  readonly isName: boolean
}

/** `denied 203.0.113.7 for 1 h: Flooding the search form`. */
export function sentenceOf ({ action, target, detail = {} }: AuditEntry): Part[] {
  const isDenial = action === 'deny' || (action === 'disconnect' && detail['deny'] === true)
  const key = action === 'disconnect' && isDenial ? 'disconnect-and-deny' : action
  const verb = Object.hasOwn(AUDIT.actions, key) ? AUDIT.actions[key]! : action
  const { minutes, reason, address } = detail
  return [
    { text: verb, isName: false },
    ...(target == null || target === '' ? [] : [{ text: target, isName: true }]),
    ...(typeof address === 'string' ? [{ text: AUDIT.andAddress(address), isName: false }] : []),
    ...(isDenial
      ? [{ text: AUDIT.terms(typeof minutes === 'number' ? minutes : undefined), isName: false }]
      : []),
    ...(typeof reason === 'string' && reason !== '' ? [{ text: `(${reason})`, isName: false }] : [])
  ]
}
