import neostandard from 'neostandard'

/**
 * The one-place rule: each dangerous thing is touched in one file or folder, and this says so.
 * A row names what is restricted and where it may be used all the same.
 */
const onePlace = [
  {
    syntax: 'Identifier[name=/^(Atomics|SharedArrayBuffer)$/]',
    message: 'Shared memory is touched in packages/shared/src/memory/ only.',
    allowedIn: [
      'packages/shared/src/memory/**', 'scripts/chaos/crash-on-write.ts',
      'scripts/chaos/worker-faults.ts', '**/test/**'
    ]
  },
  {
    syntax: "MemberExpression[object.name='process'][property.name=/^(env|argv)$/]",
    message: 'Settings come from packages/shared/src/settings/settings.ts only.',
    allowedIn: [
      'packages/shared/src/settings/settings.ts', 'packages/shared/src/unused-signals.ts', // NODE_OPTIONS
      'scripts/**', '**/test/**'
    ]
  },
  {
    syntax: "CallExpression[callee.object.name='process'][callee.property.name='exit']",
    message: 'Only main.ts and shutdown.ts end the process.',
    allowedIn: [
      'packages/coordinator/src/main.ts', 'packages/coordinator/src/shutdown.ts', 'scripts/**',
      'scripts/chaos/crash-on-write.ts', 'scripts/chaos/worker-faults.ts', '**/test/**'
    ]
  },
  {
    syntax: "NewExpression[callee.name='Worker']",
    message: 'Workers are started in packages/coordinator/src/supervisor.ts and early-server.ts only.',
    allowedIn: [
      'packages/coordinator/src/supervisor.ts', 'packages/coordinator/src/early-server.ts',
      'scripts/**', '**/test/**'
    ]
  },
  {
    syntax: 'ImportSpecifier[imported.name=/^(parentPort|workerData)$/]',
    message: 'A worker talks to the coordinator through worker-host.ts, task-host.ts or thread-entry.ts in packages/workers/src only.',
    allowedIn: [
      'packages/workers/src/worker-host.ts', 'packages/workers/src/task-host.ts',
      'packages/workers/src/thread-entry.ts', 'scripts/**', '**/test/**'
    ]
  },
  {
    syntax: importOf('/^node:(http|https|http2|net|tls|dgram)$/'),
    message: 'Sockets are opened in packages/shared/src/http/ (the doors) only.',
    allowedIn: ['packages/shared/src/http/**', 'packages/coordinator/src/port-check.ts', 'scripts/**', '**/test/**']
  },
  {
    syntax: "CallExpression[callee.name='fetch'], NewExpression[callee.name=/^(WebSocket|EventSource)$/], " +
      'MemberExpression[object.name=/^(http|https|net|tls|globalThis)$/]' +
      '[property.name=/^(request|get|connect|createConnection|fetch|WebSocket|EventSource)$/], ' +
      'ImportDeclaration[source.value=/^node:(http|https|net|tls)$/][importKind!="type"] > ' +
      'ImportSpecifier[imported.name=/^(request|get|connect|createConnection|Socket|TLSSocket)$/][importKind!="type"]',
    message: 'The product connects to nothing.',
    allowedIn: ['html/**', 'scripts/**', '**/test/**']
  },
  {
    syntax: importOf('/^node:dns/'),
    message: 'Names are looked up in packages/shared/src/settings/host-lookup.ts only.',
    allowedIn: ['packages/shared/src/settings/host-lookup.ts', 'scripts/**', '**/test/**']
  },
  {
    syntax: importOf('/^node:(child_process|cluster)$/'),
    message: 'The product starts no process but chrt, in packages/workers/src/thread-priority.ts.',
    allowedIn: ['packages/workers/src/thread-priority.ts', 'scripts/**', '**/test/**']
  },
  {
    syntax: importOf('/^node:fs/'),
    message: 'Which files are read and written is listed in eslint.config.js.',
    allowedIn: [
      'packages/coordinator/src/router-door.ts', // error pages
      'packages/coordinator/src/start-order.ts', // whether there is a database
      'packages/shared/src/bundle.ts', // the program's own code
      'packages/shared/src/stack-places.ts', // its maps
      'packages/shared/src/descriptors.ts', // /proc
      'packages/shared/src/fleet/usher-library.ts', // the library itself
      'packages/shared/src/log.ts', 'packages/workers/src/thread-priority.ts',
      'packages/shared/src/log-outlet.ts',
      'packages/shared/src/password-policy.ts', // the list of common ones
      'packages/shared/src/settings/path-check.ts', // settings, certificate and key
      'packages/workers/src/database/open.ts',
      'packages/workers/src/static-server/**', // sites, the page script
      'packages/workers/src/monitor/monitor.ts', // the first password, to the console
      'packages/workers/src/monitor/routes/pages.ts',
      'scripts/**', '**/test/**'
    ]
  },
  {
    syntax: "ImportDeclaration[source.value='ioredis'][importKind!='type'], ImportExpression[source.value='ioredis'], " +
      "CallExpression[callee.name='require'][arguments.0.value='ioredis']",
    message: 'The fleet\'s engine is spoken to in packages/shared/src/fleet/engine.ts only.',
    allowedIn: ['packages/shared/src/fleet/engine.ts']
  },
  {
    syntax: "ImportDeclaration[source.value='better-sqlite3'][importKind!='type']",
    message: 'SQLite is spoken in packages/workers/src/database/open.ts only.',
    allowedIn: ['packages/workers/src/database/open.ts', '**/test/**']
  },
  {
    syntax: "ImportDeclaration[source.value='piscina'][importKind!='type'], ImportExpression[source.value='piscina']",
    message: 'Threads for passwords are started in packages/workers/src/credentials/pool.ts only.',
    allowedIn: ['packages/workers/src/credentials/pool.ts', '**/test/**']
  },
  {
    syntax: "ImportDeclaration[source.value='@node-rs/argon2']",
    message: 'Passwords are hashed in packages/workers/src/credentials/password-hash.ts only.',
    allowedIn: ['packages/workers/src/credentials/password-hash.ts', '**/test/**']
  }
]

/** An import of a module, for more than its types. @param name a pattern */
function importOf (name) {
  return `ImportDeclaration[source.value=${name}][importKind!="type"], ImportExpression[source.value=${name}]`
}

/** What a package must not import: coordinator -> shared <- workers. */
const packages = [
  { name: 'coordinator', others: ['workers'] },
  { name: 'workers', others: ['coordinator'] },
  { name: 'shared', others: ['coordinator', 'workers'] }
]

/**
 * The order of folders: a file imports from its own folder and from rows above it. The files of
 * the root itself are last, or else may be imported by all.
 */
const rooms = [
  {
    root: 'html/monitor-script',
    order: [
      ['kit'], ['charts'], ['servers'], ['live'], ['records', 'users', 'account'], ['actions']
    ],
    isRootLast: true
  },
  {
    root: 'packages/shared/src/http',
    order: [['vocabulary'], ['connection', 'checks', 'files']],
    isRootLast: true,
    patterns: ['coordinator', 'workers'].map(isPackage)
  },
  {
    root: 'packages/workers/src',
    order: [
      ['database', 'credentials', 'static-server'], ['accounts', 'records'], ['fleet'],
      ['account-command', 'monitor']
    ],
    isRootLast: false,
    patterns: [isPackage('coordinator')]
  },
  {
    root: 'packages/workers/src/monitor',
    order: [['errors'], ['access'], ['operator'], ['figures'], ['routes']],
    isRootLast: true,
    patterns: [isPackage('coordinator'), ...isLater(['account-command'])]
  }
]

function isPackage (name) {
  return { group: [`@usher/${name}/*`], message: 'See the order of packages in eslint.config.js.' }
}

function isLater (folders) {
  if (folders.length === 0) return []
  const message = 'See the order of folders in eslint.config.js.'
  return [{ regex: `^(\\.\\./)+(.*/)?(${folders.join('|')})/`, message }]
}

const isRoot = {
  regex: '^\\.\\./[^/]+$',
  message: 'The files of this root import from its folders, not the other way round.'
}

const source = ['packages/**/*.ts', 'html/**/*.ts', 'scripts/**/*.ts', 'test/**/*.ts']

/** The rule for a place: all rows but those that allow it. */
function restrictions (allowedPlace) {
  const rows = onePlace
    .filter(row => !row.allowedIn.includes(allowedPlace))
    .map(({ syntax, message }) => ({ selector: syntax, message }))
  return rows.length === 0 ? 'off' : ['error', ...rows]
}

const places = [...new Set(onePlace.flatMap(row => row.allowedIn))]
const placesFromWideToNarrow = places.sort((a, b) => a.length - b.length)

export default [
  { ignores: ['dist/', 'node_modules/', '.tap/'] },
  ...neostandard({ ts: true }),
  {
    rules: {
      '@stylistic/max-len': ['error', {
        code: 100,
        ignoreUrls: true,
        ignoreRegExpLiterals: true,
        ignoreStrings: true,
        ignoreTemplateLiterals: true
      }]
    }
  },
  {
    files: source,
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', {
        // A subtest runs in its place whether or not it is awaited; tap waits for all of them.
        allowForKnownSafePromises: [{ from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' }]
      }],
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': restrictions('')
    }
  },
  ...placesFromWideToNarrow.map(place => ({
    files: [place],
    rules: { 'no-restricted-syntax': restrictions(place) }
  })),
  ...packages.map(({ name, others }) => ({
    files: [`packages/${name}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: others.map(isPackage) }] }
  })),
  ...rooms.flatMap(({ root, order, isRootLast, patterns = [] }) => order.flatMap((row, at) =>
    row.map(folder => ({
      files: [`${root}/${folder}/**/*.ts`],
      rules: {
        'no-restricted-imports': ['error', {
          patterns: [
            ...patterns,
            ...isLater(order.slice(at).flat().filter(other => other !== folder)),
            ...(isRootLast ? [isRoot] : [])
          ]
        }]
      }
    }))
  )),
  {
    // A schema and the type that it describes have one name.
    files: ['packages/shared/src/api/*.ts'],
    rules: { '@typescript-eslint/no-redeclare': 'off' }
  }
]
