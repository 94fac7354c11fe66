/**
 * The monitor's pages, in memory: read once from `html/monitor` of the program. Fills in what a
 * page needs without JavaScript. Runs in the monitor's thread.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { escapeHtml } from '@usher/shared/http/vocabulary/escape-html.ts'
import { loadSites } from '../../static-server/loader/load-sites.ts'
import { openSite, type Site } from '../../static-server/site.ts'

export interface Pages {
  /** Style sheets, scripts, the mark: what is the same for everybody. */
  readonly assets: Pick<Site, 'files'>
  login (error: string | undefined): string
  password (error: string | undefined): string
  console (): string
  noPermission (username: string): string
  /** Goes on to an address of the monitor, see cross-site-link.ts. */
  continue (to: string): string
  denied (address: string): string
}

const ERROR_TOKEN = '__ERROR__'
const USERNAME_TOKEN = '__USERNAME__'
const ADDRESS_TOKEN = '__ADDRESS__'

/** What went wrong, by the code in the address that a form is sent back to. */
const ERROR_TEXTS: Readonly<Record<string, string>> = {
  no_match: 'Name and password do not match.',
  not_logged_in: 'The session has ended. Log in again.',
  password_expired: 'The generated password was not changed in time. Start the program again, which ' +
    'shows another, or use the account command.',
  account_changed: 'The password was changed meanwhile, and this session has ended. Log in again.',
  wrong_password: 'The current password is wrong.',
  bad_request: 'The new password needs at least 12 characters. It must be neither the name of the ' +
    'account, nor a common one, nor the current password.',
  too_many_attempts: 'Too many attempts for this account. Try again in a minute.',
  busy: 'Too many people are logging in right now. Try again in a moment.',
  database_unavailable: 'The accounts cannot be read right now, so nobody can log in. Try again in a moment.',
  internal_error: 'Something went wrong on our side. The log has the details.'
}

export async function loadPages (programDir: string): Promise<Pages> {
  const dir = join(programDir, 'html/monitor')
  const read = (name: string): Promise<string> => readFile(join(dir, name), 'utf8')
  const assetsDir = join(dir, 'assets')
  const [loaded, login, password, console, noPermission, goOn, denied] = await Promise.all([
    loadSites([assetsDir]), read('login.html'), read('password.html'),
    read('tracker.html'), read('no-permission.html'), read('continue.html'), read('denied.html')
  ])
  return {
    assets: await openSite(assetsDir, loaded),
    login: error => login.replace(ERROR_TOKEN, () => errorHtml(error)),
    password: error => password.replace(ERROR_TOKEN, () => errorHtml(error)),
    console: () => console,
    noPermission: username => noPermission.replaceAll(USERNAME_TOKEN, () => escapeHtml(username)),
    continue: to => goOn.replaceAll(ADDRESS_TOKEN, () => escapeHtml(to)),
    denied: address => denied.replace(ADDRESS_TOKEN, () => escapeHtml(address))
  }
}

/** Empty for an unknown code: anybody can put any code into a link. */
function errorHtml (error: string | undefined): string {
  const text = error !== undefined && Object.hasOwn(ERROR_TEXTS, error)
    ? ERROR_TEXTS[error]
    : undefined
  if (text === undefined) return ''
  return `<p class="error" id="error" role="alert">${escapeHtml(text)}</p>`
}
