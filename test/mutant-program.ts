/**
 * The built program with one source file changed, in a folder of its own: what a test shows to
 * fail without something.
 */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from './cluster.ts'
import { AS_COMMONJS } from './commonjs.ts'

export interface Mutation {
  /** The end of the source file's path. */
  readonly file: string
  readonly from: string
  readonly to: string
}

/** Returns the path of the program. Rejects when there is nothing to change. */
export async function buildMutant (dir: string, { file, from, to }: Mutation): Promise<string> {
  cpSync(join(ROOT, 'dist'), dir, { recursive: true })
  let isChanged = false
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['packages/coordinator/src/main.ts'],
    outfile: join(dir, 'main.js'),
    bundle: true,
    platform: 'node',
    ...AS_COMMONJS,
    alias: { '@usher/shared': join(ROOT, 'packages/shared/src') },
    logLevel: 'error',
    plugins: [{
      name: 'mutation',
      setup ({ onLoad }) {
        onLoad({ filter: /\.ts$/ }, ({ path }) => {
          if (!path.endsWith(file)) return undefined
          const source = readFileSync(path, 'utf8')
          isChanged = source.includes(from)
          return { contents: source.replace(from, to), loader: 'ts' }
        })
      }
    }]
  })
  if (!isChanged) throw new Error(`${file} has no: ${from}`)
  return join(dir, 'coordinator.js')
}
