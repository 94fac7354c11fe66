/**
 * The request target, RFC 9112 section 3.2: origin-form as it stands, absolute-form taken apart,
 * everything else refused. Decodes nothing. Holds no state.
 */
import { parseAuthority } from './authority.ts'

export interface Target {
  /** Starts with `/`, or is `*` (asked with OPTIONS only). As received. */
  readonly pathAndQuery: string
  /** What an absolute-form target names; it wins over `Host` (RFC 9112 section 3.2.2). */
  readonly authority: string | undefined
}

/**
 * Visible ASCII but `"`, `#`, `<` and `>`. That is wider than RFC 3986 by the characters that
 * browsers send as they are (`| [ ] ^ { }` and others): a visitor must not get 400 for those.
 */
const TARGET = /^[!\x24-\x3b=\x3f-\x7e]+$/
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i

/** The parts of a target, or undefined when it is malformed or not for this method. */
export function parseTarget (method: string, target: string): Target | undefined {
  if (!TARGET.test(target)) return undefined
  // Two slashes at the start are still a path: an authority stands behind a scheme only.
  if (target.startsWith('/')) return { pathAndQuery: target, authority: undefined }
  if (target === '*') return method === 'OPTIONS' ? asterisk(undefined) : undefined
  const parts = ABSOLUTE.exec(target)
  if (parts === null || parseAuthority(parts[1]!) === undefined) return undefined
  const rest = parts[2]!
  // RFC 9112 section 3.2.4: this is how `OPTIONS *` reaches a server through a proxy.
  if (rest === '' && method === 'OPTIONS') return asterisk(parts[1])
  return { pathAndQuery: rest.startsWith('/') ? rest : `/${rest}`, authority: parts[1] }
}

function asterisk (authority: string | undefined): Target {
  return { pathAndQuery: '*', authority }
}
