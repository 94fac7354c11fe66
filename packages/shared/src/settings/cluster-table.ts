/** The rows of a fleet: several programs that count as one, by way of an engine that all reach. */
import { ENGINE_URL_ALLOWED, parseEngineUrl } from '../fleet/engine-url.ts'
import { filePath, optional, plain, refused, token, type Kind } from './kinds.ts'
import { FLEET_WORD } from './server-kinds.ts'
import type { Definition } from './setting-definition.ts'

const SECRET_LENGTH_MIN = 32

export const CLUSTER_TABLE = {
  CLUSTER_URL: {
    kind: optional(engineUrl()),
    default: '',
    defaultShown: 'none: this program is alone',
    meaning: 'The Valkey or Redis, version 7 or later, by which several programs on several machines are one fleet.',
    isSecret: true
  },
  CLUSTER_NAME: {
    kind: fleetWord(),
    default: 'usher',
    meaning: 'The fleet\'s name: programs with the same one at the same engine belong together.'
  },
  NODE_NAME: {
    kind: optional(fleetWord()),
    default: '',
    defaultShown: 'the machine\'s name',
    meaning: 'What this program is called in its fleet, whose other nodes have other names.'
  },
  CLUSTER_SECRET: {
    kind: optional(token(SECRET_LENGTH_MIN)),
    default: '',
    meaning: 'By it the nodes of a fleet know each other, and their tickets; the same on every node.',
    isSecret: true
  },
  CLUSTER_SECRET_FILE: {
    kind: optional(filePath()),
    default: '',
    meaning: 'A file with that secret in it, in the place of CLUSTER_SECRET.'
  }
} as const satisfies Record<string, Definition<unknown>>

/** Where the engine of a fleet is. */
function engineUrl (): Kind<string> {
  return plain(ENGINE_URL_ALLOWED, text => {
    const { refusal } = parseEngineUrl(text)
    return refusal === undefined ? { value: text } : refused(refusal)
  })
}

/** What a fleet or one of its nodes is called: in keys, in cookies and before servers' names. */
function fleetWord (): Kind<string> {
  const allowed = 'a name of 1 to 63 characters: small letters, digits, dots, underscores and ' +
    'hyphens, the first a letter or a digit'
  return plain(allowed, text => FLEET_WORD.test(text) ? { value: text } : refused())
}
