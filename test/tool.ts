/** One of the tools in dist/tools/, run to its end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ROOT } from './cluster.ts'

export interface ToolEnd {
  readonly code: number | null
  /** Both streams, as a person sees them. */
  readonly printed: string
}

export async function runTool (name: string, ...args: string[]): Promise<ToolEnd> {
  const child = spawn(process.execPath, [join(ROOT, `dist/tools/${name}.js`), ...args])
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => { printed += text.toString() })
  }
  const [code] = await once(child, 'close') as [number | null]
  return { code, printed }
}
