/**
 * Which content coding a client likes best, RFC 9110 section 12.5.3. The reading of the header is
 * negotiator's; this keeps the few answers that browsers make it give. One chooser per server.
 */
import { createRequire } from 'node:module'
import { remembering } from '../../remembering.ts'
import type Negotiator from 'negotiator'

const require = createRequire(import.meta.url)

export type Coding = 'identity' | 'br' | 'zstd' | 'gzip'

/** Gives the codings that a client accepts, best first; identity is last where it is not named. */
export type CodingChooser = (acceptEncoding: string | undefined) => readonly Coding[]

/** At equal preference the smaller result wins: browsers name gzip before br out of habit. */
const PREFERRED: readonly Coding[] = ['br', 'zstd', 'gzip', 'identity']
/** RFC 9110 section 8.4.1.3. We have none of `compress`, under its old name either. */
const OLD_NAME = /(?<![^\s,])x-gzip(?![^\s,;])/g
const IDENTITY_ONLY: readonly Coding[] = ['identity']

/** Browsers send a handful of different texts. */
const REMEMBERED_MAX = 64

export function codingChooser (): CodingChooser {
  const choose = remembering(REMEMBERED_MAX, negotiate)
  // A client that does not mention codings may be one that knows none.
  return acceptEncoding => acceptEncoding === undefined ? IDENTITY_ONLY : choose(acceptEncoding)
}

/**
 * `identity;q=0` and `*;q=0` rule out the plain form; it stays the last resort all the same. The
 * standard lets a server answer 406 or disregard the header: an uncompressed page is of more use to
 * the client than an error.
 */
function negotiate (acceptEncoding: string): readonly Coding[] {
  const wanted = acceptEncoding.toLowerCase().replace(OLD_NAME, 'gzip')
  // Loaded here, with the first request that names a coding, and not with each server's thread.
  const NegotiatorClass = require('negotiator') as typeof Negotiator
  const negotiator: unknown = new NegotiatorClass({ headers: { 'accept-encoding': wanted } })
  const accepted = (negotiator as PreferringNegotiator)
    .encodings(PREFERRED, { preferred: PREFERRED })
  return accepted.includes('identity') ? accepted : [...accepted, 'identity']
}

/** Since 1.0 negotiator breaks ties by a list of ours; its types do not know that yet. */
interface PreferringNegotiator {
  encodings (available: readonly Coding[], options: { preferred: readonly Coding[] }): Coding[]
}
