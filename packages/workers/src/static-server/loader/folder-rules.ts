/**
 * The rules of a folder: `_headers` and `_redirects` in its root, read and checked before any other
 * file is. They are no files of the site.
 */
import { join } from 'node:path'
import { SiteRulesInvalid, SiteUnreadable } from '@usher/shared/errors.ts'
import type { SiteRules } from '@usher/shared/site-rules.ts'
import { SiteChanged } from '../disk-file.ts'
import { parseHeadersFile } from '../rules/headers-file.ts'
import { parseRedirectsFile } from '../rules/redirects-file.ts'
import { targetProblems } from '../rules/redirect-targets.ts'
import type { Problem } from '../rules/rule-lines.ts'
import { openFound, readInto } from './site-files.ts'
import type { FoundFile, FoundFiles } from './site-walk.ts'

const HEADERS = '_headers'
const REDIRECTS = '_redirects'
/** Far more than so many rules need. */
const FILE_BYTES_MAX = 4 * 1024 * 1024
/** For one message. */
const PROBLEMS_NAMED_MAX = 50
/** As the walk lists what is left out: a folder without its rules is another site. */
const LEFT_OUT = /^_(?:headers|redirects) \(/

/** A walk's files, without those that hold rules. */
export interface FolderRules extends FoundFiles {
  readonly dir: string
  readonly rules: SiteRules
}

/**
 * Throws USHER_SITE_RULES_INVALID, which names each line that is wrong, in all of the folders, and
 * USHER_SITE_UNREADABLE for rules that cannot be read.
 */
export async function readRules (
  folders: ReadonlyArray<{ readonly dir: string, readonly walked: FoundFiles }>
): Promise<FolderRules[]> {
  const problems: string[] = []
  const read: FolderRules[] = []
  for (const { dir, walked } of folders) {
    const leftOut = walked.skipped.find(entry => LEFT_OUT.test(entry))
    if (leftOut !== undefined) throw new SiteUnreadable(`the rules of the site could not be read: ${join(dir, leftOut)}`)
    const files = walked.files.filter(({ path }) => path !== HEADERS && path !== REDIRECTS)
    const textOf = async (name: string): Promise<string> =>
      await readText(dir, walked.files.find(({ path }) => path === name))
    const headers = parseHeadersFile(await textOf(HEADERS))
    const redirects = parseRedirectsFile(await textOf(REDIRECTS))
    const targets = targetProblems(redirects.rules, files.map(({ path }) => path))
    problems.push(
      ...inFile(join(dir, HEADERS), headers.problems),
      ...inFile(join(dir, REDIRECTS), [...redirects.problems, ...targets]))
    const rules = { headers: headers.rules, redirects: redirects.rules }
    read.push({ dir, files, skipped: walked.skipped, rules })
  }
  if (problems.length > 0) throw new SiteRulesInvalid(listed(problems))
  return read
}

function inFile (file: string, problems: readonly Problem[]): string[] {
  return [...problems].sort((a, b) => a.line - b.line)
    .map(({ line, what }) => `${file} line ${line} ${what}`)
}

function listed (problems: readonly string[]): string {
  const named = problems.slice(0, PROBLEMS_NAMED_MAX)
  const unnamed = problems.length - named.length
  return [...named, ...unnamed > 0 ? [`and ${unnamed} more`] : []].join('\n')
}

async function readText (dir: string, file: FoundFile | undefined): Promise<string> {
  if (file === undefined) return ''
  const name = join(dir, file.path)
  try {
    const { handle, facts } = await openFound(file)
    const bytes = Number(facts.size)
    try {
      if (bytes > FILE_BYTES_MAX) throw new SiteRulesInvalid(`${name} has ${bytes} bytes; ${FILE_BYTES_MAX} are allowed`)
      const body = Buffer.alloc(bytes)
      return body.toString('utf8', 0, await readInto(handle, body))
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof SiteRulesInvalid) throw error
    if (error instanceof SiteChanged) throw new SiteChanged(name)
    throw new SiteUnreadable(`${name} could not be read: ${(error as Error).message}`)
  }
}
