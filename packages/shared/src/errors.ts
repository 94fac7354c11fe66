/**
 * The catalogue of errors: one entry per cause, matched on `code`, never on text. Each code has its
 * row in docs/errors.md, and a test fails when the two differ. Starts nothing; used by every
 * thread.
 */
import { inspect } from 'node:util'
import createError, { type FastifyErrorConstructor } from '@fastify/error'

type DefinedError = FastifyErrorConstructor<{ code: string }, string[]>

/**
 * An error class whose message takes `%s` arguments in order; `status` is the HTTP status, if any.
 */
function defineError (code: `USHER_${string}`, message: string, status?: number): DefinedError {
  return createError<string[]>(code, message, status)
}

// Settings: the program ends with exit code 2.
export const SettingsInvalid = defineError('USHER_SETTINGS_INVALID', '%s')

// Start: the program ends with exit code 1.
export const NodeTooOld = defineError(
  'USHER_NODE_TOO_OLD', 'this is Node %s; Usher needs %s or newer, 24 at best: older ones read HTTP too leniently'
)
export const PortsUnavailable = defineError('USHER_PORTS_UNAVAILABLE', '%s')

// The static servers' files: a start ends with exit code 1, a reload keeps the files it had.
export const SiteTooLarge = defineError('USHER_SITE_TOO_LARGE', '%s')
export const SiteRulesInvalid = defineError('USHER_SITE_RULES_INVALID', '%s')
export const SiteUnreadable = defineError('USHER_SITE_UNREADABLE', '%s')
export const PageScriptInvalid = defineError('USHER_PAGE_SCRIPT_INVALID', '%s')

// The database: a start ends with exit code 1.
export const DatabaseDamaged = defineError('USHER_DATABASE_DAMAGED', '%s')
export const DatabaseUnavailable = defineError('USHER_DATABASE_UNAVAILABLE', '%s cannot be used: %s')
export const DatabaseMissing = defineError('USHER_DATABASE_MISSING', 'there is no database at %s. ' +
  'The first start of the program makes it; DB_PATH or --db-path says which one is meant')

// The database of a running program: the monitor answers 503, and the next call tries again.
export const DatabaseBusy = defineError(
  'USHER_DATABASE_BUSY', 'the database is locked by another program', 503
)
export const DatabaseFailed = defineError(
  'USHER_DATABASE_FAILED', 'the database cannot be used: %s', 503
)

// Accounts: nothing is changed.
export const AccountNameInvalid = defineError(
  'USHER_ACCOUNT_NAME_INVALID',
  'a name has 1 to 64 printable characters, all of them visible, and no space at either end', 400
)
export const AccountExists = defineError(
  'USHER_ACCOUNT_EXISTS', 'an account named %s exists already', 409
)
export const AccountUnknown = defineError('USHER_ACCOUNT_UNKNOWN', 'there is no such account', 404)
export const AccountChanged = defineError(
  'USHER_ACCOUNT_CHANGED', 'the password was changed or the account removed meanwhile', 409
)
export const LastAdministrator = defineError(
  'USHER_LAST_ADMINISTRATOR', '%s is the last account that may view and disconnect', 409
)
export const PermissionUnknown = defineError(
  'USHER_PERMISSION_UNKNOWN', 'there is no permission %s; there are %s', 400
)

// Sessions: what was asked for is not done.
export const SessionEnded = defineError(
  'USHER_SESSION_ENDED', 'the session ended before this was done', 401
)
export const RightWithdrawn = defineError(
  'USHER_RIGHT_WITHDRAWN', 'the permission for this was withdrawn before it was done', 403
)

// Tokens of programs.
export const TokenUnknown = defineError(
  'USHER_TOKEN_UNKNOWN', 'this token is not valid: it was never made here, or has been revoked', 401
)
export const TokenExpired = defineError('USHER_TOKEN_EXPIRED', 'the token %s has expired', 401)
export const TokenExists = defineError('USHER_TOKEN_EXISTS', 'there is a token %s already', 409)
export const TokensFull = defineError(
  'USHER_TOKENS_FULL', 'there are %s tokens, as many as there may be: revoke one first', 409
)

// The deny list: the list that stood before stays in force.
export const DenyEntryInvalid = defineError('USHER_DENY_ENTRY_INVALID', '%s', 400)
export const DenyListFull = defineError('USHER_DENY_LIST_FULL', 'the deny list is full: %s', 409)

// The audit.
export const AuditCursorInvalid = defineError(
  'USHER_AUDIT_CURSOR_INVALID', 'the cursor is not one from an earlier answer', 400
)

// The account command: nothing is changed, and it ends with exit code 1.
export const AccountRefused = defineError('USHER_ACCOUNT_REFUSED', '%s')

// The monitor's logins: try again in a moment.
export const CredentialsBusy = defineError(
  'USHER_CREDENTIALS_BUSY', 'too many logins are being checked', 503
)
export const CredentialsFailed = defineError(
  'USHER_CREDENTIALS_FAILED', 'the password was not verified: %s', 503
)

// Talk between threads.
export const OrderTimedOut = defineError('USHER_ORDER_TIMED_OUT', '%s did not answer %s in time')
export const RestartFailed = defineError(
  'USHER_RESTART_FAILED', 'server %s was not restarted: %s', 503
)
export const WorkerGone = defineError('USHER_WORKER_GONE', '%s ended before it answered %s')

// A worker's end: at the start with exit code 1, later it is replaced.
export const WorkerEnded = defineError('USHER_WORKER_ENDED', '%s ended by itself with code %s')
export const LayoutMismatch = defineError(
  'USHER_LAYOUT_MISMATCH', '%s was built with another layout of the user table'
)
export const MemoryExhausted = defineError(
  'USHER_MEMORY_EXHAUSTED', 'memory is nearly exhausted: %s of %s MB'
)

// The fleet's engine: a node goes on by itself meanwhile.
export const EngineAway = defineError('USHER_ENGINE_AWAY', 'the fleet\'s engine is away: %s')
export const EngineRefused = defineError(
  'USHER_ENGINE_REFUSED', 'the fleet\'s engine at %s cannot be used: %s'
)

// The user table: such an error ends the thread that meets it.
export const TableStuck = defineError('USHER_TABLE_STUCK', 'a shard of the user table stayed locked')

/**
 * Any thrown value as the plain object that crosses threads: an Error posted would lose its code.
 */
export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly stack: string
}

export function reportOf (thrown: unknown): ErrorReport {
  if (!(thrown instanceof Error)) {
    const message = typeof thrown === 'string' ? thrown : inspect(thrown)
    return { code: 'USHER_UNKNOWN', message, stack: '' }
  }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name
  return { code, message: thrown.message, stack: thrown.stack ?? '' }
}

/** The error that another thread reported, as one to throw here: code and message are kept. */
export function errorOf ({ code, message, stack }: ErrorReport): Error {
  return Object.assign(new Error(message), { code, stack })
}
