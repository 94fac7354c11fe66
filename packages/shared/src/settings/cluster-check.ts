/**
 * Whether the settings of a fleet agree with each other and with the rest, and its secret, which
 * may be in a file. Each problem is one line, and none shows the secret. Runs on the main thread at
 * start.
 */
import { CLUSTER_TABLE } from './cluster-table.ts'
import type { GivenByName } from './consistency.ts'
import { complain, describe } from './given.ts'
import { readSmallFile } from './path-check.ts'
import type { ValidValues } from './setting-table.ts'

export interface ClusterSecret {
  /** Empty without one, or when there is a problem with it. */
  readonly secret: string
  readonly problems: readonly string[]
}

/** Paths must be absolute. */
export function checkCluster (values: ValidValues, given: GivenByName): ClusterSecret {
  const { secret, problems } = readSecret(values, given)
  if (values.CLUSTER_URL === undefined || values.CLUSTER_URL === '') return { secret, problems }
  return { secret, problems: [...problems, ...disagreements(values, given, secret)] }
}

function readSecret (
  { CLUSTER_SECRET: text, CLUSTER_SECRET_FILE: path }: ValidValues, given: GivenByName
): ClusterSecret {
  if (text === undefined || path === undefined) return { secret: '', problems: [] }
  if (path === '') return { secret: text, problems: [] }
  const refuse = (refusal: string, allowed: string): ClusterSecret =>
    ({ secret: '', problems: [complain(given.CLUSTER_SECRET_FILE, refusal, allowed)] })
  if (text !== '') return refuse(`${describe(given.CLUSTER_SECRET)} is given, too`, 'one of both')
  const file = readSmallFile(path)
  const allowed = `a file with ${CLUSTER_TABLE.CLUSTER_SECRET.kind.allowed.replace(', or empty', '')}`
  if (file.refusal !== undefined) return refuse(`${path} ${file.refusal}`, allowed)
  // Editors and `echo` end a line.
  const secret = file.text.replace(/\r?\n$/, '')
  const parsed = CLUSTER_TABLE.CLUSTER_SECRET.kind.parse(secret)
  if (secret === '' || parsed.refusal !== undefined) {
    return refuse('what it holds (not shown) is none', allowed)
  }
  return { secret, problems: [] }
}

function disagreements (
  values: ValidValues, given: GivenByName, secret: string
): readonly string[] {
  const problems: string[] = []
  const isRefused = values.CLUSTER_SECRET === undefined || values.CLUSTER_SECRET_FILE === undefined
  if (!isRefused && secret === '' && values.CLUSTER_SECRET_FILE === '') {
    problems.push(`${describe(given.CLUSTER_URL)} needs a secret; allowed: CLUSTER_SECRET of ` +
      `${CLUSTER_TABLE.CLUSTER_SECRET.kind.allowed}, or CLUSTER_SECRET_FILE`.replace(', or empty', ''))
  }
  if (values.NODE_NAME === '') {
    problems.push(complain(given.NODE_NAME, 'the machine\'s name makes none',
      CLUSTER_TABLE.CLUSTER_NAME.kind.allowed))
  }
  if (values.POLICY === 'round-robin') {
    problems.push(complain(given.POLICY, `with ${describe(given.CLUSTER_URL)} the whole fleet is balanced by load`,
      'fewest-users'))
  }
  return problems
}
