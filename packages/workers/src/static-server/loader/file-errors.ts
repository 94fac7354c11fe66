/** What a system's error says of one file of a site, and what it says of the machine. Pure. */

/** Another file would fail as well: a site with holes must not come of it. */
const OUT_OF_RESOURCES = ['EMFILE', 'ENFILE', 'ENOMEM']

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'may not be read',
  EPERM: 'may not be read',
  ENOENT: 'is gone',
  ENAMETOOLONG: 'has a path that is too long'
}

export function isOutOfResources (error: unknown): boolean {
  return OUT_OF_RESOURCES.includes(codeOf(error))
}

/** Why a file is left out. */
export function reasonOf (error: unknown): string {
  const code = codeOf(error)
  return REASONS[code] ?? `could not be read: ${code}`
}

function codeOf (error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
