/**
 * The monitor's error answers: a code that programs match on and a sentence for people.
 * docs/errors.md has a row for each code.
 */
import { objectOf, oneOf, text, type Wire } from './fields.ts'

/** Every code, with the status that it comes with. */
export const API_ERRORS = {
  bad_request: 400,
  not_logged_in: 401,
  invalid_token: 401,
  forged_action: 403,
  forbidden: 403,
  denied: 403,
  password_change_required: 403,
  wrong_password: 403,
  password_expired: 403,
  not_found: 404,
  method_not_allowed: 405,
  not_acceptable_here: 409,
  account_changed: 409,
  precondition_failed: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  misdirected_request: 421,
  too_many_attempts: 429,
  too_many_at_once: 429,
  internal_error: 500,
  busy: 503,
  database_unavailable: 503,
  not_ready: 503,
  node_away: 504
} as const

export type ApiErrorCode = keyof typeof API_ERRORS

export const ErrorAnswer = objectOf({
  error: oneOf(Object.keys(API_ERRORS) as ApiErrorCode[]),
  message: text
}, { description: 'What was asked is not done: a code and a sentence' })
export type ErrorAnswer = Wire<typeof ErrorAnswer>
