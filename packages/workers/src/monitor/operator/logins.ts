/**
 * Logging in, logging out, ending a session elsewhere, changing a password: who may, how often, and
 * what is recorded in the audit. Owns no state; the stores, the pool, the throttles and the lines
 * do. Runs in the monitor's thread.
 */
import type { PasswordChange } from '@usher/shared/api/account.ts'
import type { Address } from '@usher/shared/client.ts'
import { formatAddress } from '@usher/shared/client.ts'
import { AccountChanged } from '@usher/shared/errors.ts'
import { passwordProblem } from '@usher/shared/password-policy.ts'
import { quoteName } from '@usher/shared/quote.ts'
import type { CredentialsPool } from '../../credentials/pool.ts'
import { isExpired, type Account, type Accounts } from '../../accounts/accounts.ts'
import { ApiError } from '../errors/api-error.ts'
import { LOGIN, type AuditLog } from '../../records/audit-log.ts'
import type { LoginThrottle } from '../access/login-throttle.ts'
import type { VerificationLines } from './verification-lines.ts'
import type { CurrentSession, SessionStore } from '../../accounts/session-store.ts'
import { sessionHandle } from '../../accounts/session-token.ts'

export interface LoginsParts {
  readonly accounts: Pick<Accounts, 'find'>
  readonly sessions: Pick<SessionStore, 'open' | 'close' | 'endOther' | 'changePassword'>
  readonly throttle: Pick<LoginThrottle, 'begin'>
  /** Of changes of passwords: attempts to log in count for nothing there. */
  readonly passwordThrottle: Pick<LoginThrottle, 'begin'>
  readonly lines: Pick<VerificationLines, 'logIn' | 'withSession' | 'remember'>
  readonly credentials: Pick<CredentialsPool, 'verify' | 'hash'>
  readonly audit: Pick<AuditLog, 'add' | 'addFailedLogin'>
  /** Told of every attempt, for /metrics. */
  readonly count: (outcome: LoginOutcome) => void
  /** The session clock. */
  readonly now: () => number
}

export type LoginOutcome = 'ok' | 'failed' | 'throttled'

/** Where an operator acts from. */
export interface Origin {
  readonly address: Address
  readonly userAgent: string
}

interface Entered {
  /** Whose password it is. */
  readonly account?: Account
  readonly token?: string
  readonly isPastUse?: boolean
}

/** Of one account, one after another while its password is verified. */
const ENTER_TRIES_MAX = 3

export class Logins {
  readonly #parts: LoginsParts

  constructor (parts: LoginsParts) {
    this.#parts = parts
  }

  /**
   * The token of a new session, or undefined when name and password do not match. Throws
   * `too_many_attempts`, `password_expired`, and the pool's and the database's own errors.
   */
  async logIn (username: string, password: string, from: Origin): Promise<string | undefined> {
    const { lines, audit, count } = this.#parts
    const address = formatAddress(from.address)
    const { account, token, isPastUse } = await this.#enter(username, password, from)
    count(token === undefined ? 'failed' : 'ok')
    const who = account?.username ?? username
    if (token === undefined) {
      await audit.addFailedLogin(who, address)
      if (isPastUse) throw expired(who)
    } else {
      lines.remember({ address: from.address, username })
      await audit.add({ who, action: LOGIN, address })
    }
    return token
  }

  /**
   * What was verified may stand no more when the session is to be opened. It is verified again: the
   * password may be the same, as where nodes of a fleet that start together agree on an account.
   */
  async #enter (username: string, password: string, from: Origin): Promise<Entered> {
    const { throttle, lines, sessions, now } = this.#parts
    const origin = { address: formatAddress(from.address), userAgent: from.userAgent }
    let entered: Entered = {}
    for (let tries = 0; tries < ENTER_TRIES_MAX; tries++) {
      const account = await this.#attempt(throttle, username, from, () =>
        lines.logIn({ address: from.address, username }, () => this.#verify(username, password)))
      if (account === undefined) return {}
      entered = { account }
      if (isExpired(account, now())) return { account, isPastUse: true }
      const token = await sessions.open(account, origin).catch(undefinedIfChanged)
      if (token !== undefined) return { account, token }
    }
    return entered
  }

  async logOut (session: CurrentSession, token: string, from: Origin): Promise<void> {
    await this.#parts.sessions.close(token)
    const address = formatAddress(from.address)
    await this.#parts.audit.add({ who: session.username, action: 'logout', address })
  }

  /**
   * Ends the session whose cookie came along with a login; it is never reused (session fixation).
   */
  async forget (token: string): Promise<void> {
    await this.#parts.sessions.close(token)
  }

  /** Another session of the same account. Throws `not_found`, and `bad_request` for one's own. */
  async endSession (session: CurrentSession, handle: string, from: Origin): Promise<void> {
    const { sessions, audit } = this.#parts
    if (sessionHandle(session.sessionHash) === handle) {
      throw new ApiError('bad_request', 'This is your current session: use POST /logout to end it.')
    }
    const ended = await sessions.endOther(session, handle)
    if (ended === undefined) throw new ApiError('not_found', 'This account has no such session.')
    await audit.add({
      who: session.username,
      action: 'session-ended',
      target: ended.address,
      detail: { user_agent: ended.userAgent },
      address: formatAddress(from.address)
    })
  }

  /**
   * Every session of the account ends; returns the token of the one that goes on in place of this.
   * Throws `wrong_password`, `password_expired`, `bad_request`, and the errors of
   * SessionStore.changePassword.
   */
  async changePassword (
    session: CurrentSession, change: PasswordChange, from: Origin
  ): Promise<string> {
    const { passwordThrottle, lines, credentials, sessions, audit } = this.#parts
    const { username } = session
    const account = await this.#attempt(passwordThrottle, username, from, () =>
      lines.withSession({ address: from.address, username },
        () => this.#verify(username, change.current)))
    if (account === undefined) {
      throw new ApiError('wrong_password', 'The current password is wrong.')
    }
    if (isExpired(account, this.#parts.now())) throw expired(username)
    const problem = change.next === change.current
      ? 'The new password must differ from the current one.'
      : passwordProblem(change.next, username)
    if (problem !== undefined) throw new ApiError('bad_request', problem)
    const passwordHash = await credentials.hash(change.next)
    const address = formatAddress(from.address)
    const origin = { address, userAgent: from.userAgent }
    const token = await sessions.changePassword(session, account, passwordHash, origin)
    await audit.add({ who: username, action: 'password-changed', target: username, address })
    return token
  }

  /** The account, if there is one and this is its password. */
  async #verify (username: string, password: string): Promise<Account | undefined> {
    const { accounts, credentials } = this.#parts
    const found = await accounts.find(username)
    const isRight = await credentials.verify(found?.passwordHash, password, username)
    return isRight ? found : undefined
  }

  /** An attempt counts from its start, so that concurrent attempts count too. */
  async #attempt<T> (
    throttle: Pick<LoginThrottle, 'begin'>, username: string, { address }: Origin,
    verify: () => Promise<T | undefined>
  ): Promise<T | undefined> {
    const attempt = throttle.begin(address, username)
    if (attempt.kind === 'wait') {
      this.#parts.count('throttled')
      throw new ApiError('too_many_attempts',
        `Too many attempts for this account. Try again in ${attempt.retryAfterS} s.`,
        { 'Retry-After': String(attempt.retryAfterS) })
    }
    let outcome: 'right' | 'wrong' | 'failed' = 'failed'
    try {
      const verified = await verify()
      outcome = verified === undefined ? 'wrong' : 'right'
      return verified
    } finally {
      attempt.end(outcome)
    }
  }
}

function expired (username: string): ApiError {
  return new ApiError('password_expired', 'This generated password was not changed in time. Start ' +
    `the program again, which shows another, or use: npm run account -- passwd ${quoteName(username)}`)
}

/** The password was changed or the account removed since it was verified: the login fails. */
function undefinedIfChanged (error: unknown): undefined {
  if (!(error instanceof AccountChanged)) throw error
}
