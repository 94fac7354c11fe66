/**
 * The error that routes and checks throw for a request that they refuse; `answer-errors.ts` renders
 * it. The codes are part of the wire: `api/error-answer.ts` has them.
 */
import { API_ERRORS, type ApiErrorCode } from '@usher/shared/api/error-answer.ts'

export class ApiError extends Error {
  readonly code: ApiErrorCode
  /** Names and values in turn. */
  readonly headers: Readonly<Record<string, string>>

  constructor (
    code: ApiErrorCode, message: string, headers: Readonly<Record<string, string>> = {}
  ) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.headers = headers
  }

  get status (): number {
    return API_ERRORS[this.code]
  }
}
