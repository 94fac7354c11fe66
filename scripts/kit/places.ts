/** Where tools and tests find the program and the sources, wherever they are built to. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The repository. */
export const ROOT = rootAbove(import.meta.dirname)
/** The folder of coordinator.js. */
export const PROGRAM_DIR = join(ROOT, 'dist')
/** The built tools. */
export const TOOLS_DIR = join(PROGRAM_DIR, 'tools')

function rootAbove (folder: string): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : rootAbove(dirname(folder))
}
