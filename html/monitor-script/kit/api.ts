/**
 * The monitor's interface, as its pages use it: JSON out, JSON in, and one kind of value for
 * whatever goes wrong. A browser that is no longer logged in is taken to the login page.
 */
import type { ReceivedByMost } from '@usher/shared/api/server-entries.ts'

export interface Failure {
  readonly isOk: false
  /** Zero when there was no answer at all. */
  readonly status: number
  readonly error: string
  readonly message: string
  readonly retryAfterS: number | undefined
}

export type Answer<T> = { readonly isOk: true, readonly body: T } | Failure

export interface ApiParts {
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>
  /** Leaves for another page; not given where a refusal is an ordinary answer. */
  readonly leaveFor?: (page: string) => void
  /** Tests walk through it. */
  readonly pause?: (ms: number) => Promise<void>
}

const ANSWER_MS_MAX = 15_000
/** By then the new cookie of a password that another tab has changed is here. */
const COOKIE_PAUSE_MS = 1000
const LOGIN_PAGE = '/login.html'
const PASSWORD_PAGE = '/password.html'

export class Api {
  readonly #parts: ApiParts

  constructor (parts: ApiParts) {
    this.#parts = parts
  }

  get<T> (path: string): Promise<Answer<T>> {
    return this.#ask<T>(path, {})
  }

  post<T> (path: string, body: object): Promise<Answer<T>> {
    return this.#ask<T>(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body)
    })
  }

  /** What a 401 refuses is not done, so it may be asked for again. */
  async #ask<T> (path: string, init: RequestInit): Promise<Answer<T>> {
    const { leaveFor, pause = wait } = this.#parts
    const first = await this.#askOnce<T>(path, init)
    if (leaveFor === undefined || first.isOk) return first
    if (first.error === 'password_change_required') leaveFor(PASSWORD_PAGE)
    if (first.status !== 401) return first
    await pause(COOKIE_PAUSE_MS)
    const second = await this.#askOnce<T>(path, init)
    if (!second.isOk && second.status === 401) leaveFor(LOGIN_PAGE)
    return second
  }

  async #askOnce<T> (path: string, init: RequestInit): Promise<Answer<T>> {
    try {
      const response = await this.#parts.fetch(path, {
        ...init, cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS_MAX)
      })
      const body: unknown = await response.json()
      return response.ok ? { isOk: true, body: body as T } : failureOf(response, body)
    } catch {
      return { isOk: false, status: 0, error: 'unreachable', message: '', retryAfterS: undefined }
    }
  }
}

/** Threads that do not know yet what was done; they will. */
export function lateOf (answer: Answer<unknown>): readonly string[] {
  if (!answer.isOk) return []
  return (answer.body as Partial<ReceivedByMost> | undefined)?.late ?? []
}

function wait (ms: number): Promise<void> {
  return new Promise(resolve => { setTimeout(resolve, ms) })
}

function failureOf (response: Response, body: unknown): Failure {
  const { error = '', message = '' } = body as { error?: string, message?: string }
  const retryAfter = response.headers.get('Retry-After')
  const seconds = retryAfter === null ? NaN : Number(retryAfter)
  return {
    isOk: false,
    status: response.status,
    error,
    message,
    retryAfterS: Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined
  }
}
