/**
 * What there is to test, as data: a lane is a command, or test files by their path. `npm test` runs
 * all but the long one, `npm run test:long` that one, `.ci/run` all.
 */

/**
 * @typedef {object} Lane
 * @property {string} name
 * @property {string[]} [command] a program of npm's, and what it is told
 * @property {RegExp} [files] which test files
 * @property {number} [filesAtOnce] in one process, one after the other; otherwise each has its own
 * @property {boolean} [isLong] not for every commit
 * @property {Record<string, string>} [env]
 * @property {number} secondsMax of one process
 */

const LINT = ['eslint', '.', '--max-warnings=0']
/** The cache does not see that a type has changed in another file, so CI does without. */
const LINT_CACHE = ['--cache', '--cache-location', 'node_modules/.cache/eslint/']

/**
 * In the order of the start: long jobs first, so that the short ones fill what is left at the end.
 * @type {Lane[]}
 */
export const LANES = [
  {
    name: 'style',
    command: process.env.CI === 'true' ? LINT : [...LINT, ...LINT_CACHE],
    secondsMax: 1500
  },
  { name: 'types', command: ['tsc', '-b'], secondsMax: 1500 },
  {
    name: 'long',
    files: new RegExp(`^(${[
      'packages/shared/test/memory/recovery',
      'test/(bench-peers|chaos|crash|fuzz|greedy|soak|verify)',
      'test/http/framing(-bytewise)?'
    ].join('|')})\\.test\\.ts$`),
    isLong: true,
    env: { USHER_TEST_LENGTH: 'long' },
    secondsMax: 1800
  },
  { name: 'browser', files: /^test\/browser\//, filesAtOnce: 4, secondsMax: 1200 },
  { name: 'cluster', files: /^test\/(?!browser\/)/, filesAtOnce: 3, secondsMax: 900 },
  { name: 'unit', files: /^(packages\/[^/]+|html)\/test\//, filesAtOnce: 16, secondsMax: 600 },
  { name: 'dead-code', command: ['knip'], secondsMax: 300 }
]
