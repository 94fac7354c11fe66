/** How what takes the place of a part of dist/ is built, as scripts/build.mjs builds that. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './cluster.ts'

const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}

export const AS_COMMONJS = {
  format: 'cjs',
  define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__filename' },
  /** What is needed to build only has no CommonJS, and goes into the bundle. */
  external: Object.keys(dependencies).flatMap(name => [name, `${name}/*`])
} as const
