import { join } from 'node:path'
import t from 'tap'
import { checkCluster } from '@usher/shared/settings/cluster-check.ts'
import type { GivenByName } from '@usher/shared/settings/consistency.ts'
import { SETTING_ROWS } from '@usher/shared/settings/setting-rows.ts'
import type { ValidValues } from '@usher/shared/settings/setting-table.ts'

const GIVEN = Object.fromEntries(SETTING_ROWS.map(row =>
  [row.name, { row, text: 'T', origin: 'environment' }])) as GivenByName
const SECRET = 'hunter2-hunter2-hunter2-hunter2-'
const ALONE: ValidValues = {
  CLUSTER_URL: '', NODE_NAME: '', CLUSTER_SECRET: '', CLUSTER_SECRET_FILE: '', POLICY: 'round-robin'
}
const FLEET: ValidValues = {
  ...ALONE, CLUSTER_URL: 'redis://a', NODE_NAME: 'a', CLUSTER_SECRET: SECRET, POLICY: 'fewest-users'
}
const LONG = 'at least 32 visible ASCII characters without blanks'

t.test('cluster-check: a program that is alone needs nothing, and a fleet a secret', async t => {
  t.strictSame(checkCluster(ALONE, GIVEN), { secret: '', problems: [] })
  t.strictSame(checkCluster({}, GIVEN), { secret: '', problems: [] })
  t.strictSame(checkCluster(FLEET, GIVEN), { secret: SECRET, problems: [] })
  t.strictSame(checkCluster({ ...FLEET, CLUSTER_SECRET: '' }, GIVEN).problems,
    [`CLUSTER_URL (environment) needs a secret; allowed: CLUSTER_SECRET of ${LONG}, or CLUSTER_SECRET_FILE`])
  const { CLUSTER_SECRET: _refused, ...others } = FLEET
  t.strictSame(checkCluster(others, GIVEN).problems, [], 'one that was refused is complained of already')
})

t.test('cluster-check: the secret may be in a file, and no complaint shows it', async t => {
  const dir = t.testdir({
    right: SECRET, ended: `${SECRET}\r\n`, short: 'hunter2\n', two: `${SECRET}\n${SECRET}\n`, empty: '\n', folder: {}
  })
  const check = (name: string, more: ValidValues = {}) => checkCluster(
    { ...FLEET, CLUSTER_SECRET: '', CLUSTER_SECRET_FILE: join(dir, name), ...more }, GIVEN)
  for (const name of ['right', 'ended']) t.strictSame(check(name), { secret: SECRET, problems: [] })
  const complaint = (refusal: string) =>
    `CLUSTER_SECRET_FILE (environment) is "T": ${refusal}; allowed: a file with ${LONG}`
  for (const name of ['short', 'two', 'empty']) {
    t.strictSame(check(name), { secret: '', problems: [complaint('what it holds (not shown) is none')] })
  }
  for (const [name, why] of [['folder', 'is a folder'], ['missing', 'does not exist']] as const) {
    t.strictSame(check(name).problems, [complaint(`${join(dir, name)} ${why}`)])
  }
  t.strictSame(check('right', { CLUSTER_SECRET: SECRET }).problems,
    ['CLUSTER_SECRET_FILE (environment) is "T": CLUSTER_SECRET (environment) is given, too; allowed: one of both'])
})

t.test('cluster-check: a node has a name, and a fleet is balanced by load', async t => {
  t.strictSame(checkCluster({ ...FLEET, NODE_NAME: '', POLICY: 'round-robin' }, GIVEN).problems, [
    'NODE_NAME (environment) is "T": the machine\'s name makes none; allowed: a name of 1 to 63 characters: ' +
    'small letters, digits, dots, underscores and hyphens, the first a letter or a digit',
    'POLICY (environment) is "T": with CLUSTER_URL (environment) the whole fleet is balanced by load; allowed: fewest-users'
  ])
})
