/** `GET /sessions` and `POST /sessions/end`: where the own account is logged in. */
import { Type } from 'typebox'
import { flag, listOf, objectOf, text, time, type Wire } from './fields.ts'

/** Longer than any handle: a malformed one is answered like an unknown one. */
const HANDLE_LENGTH_MAX = 64

export const Session = objectOf({
  id: text,
  user_agent: text,
  address: text,
  created: time,
  last_seen: time,
  /** Whether it is the session that sent this request. */
  current: flag
})
export type Session = Wire<typeof Session>

export const SessionList = objectOf({ sessions: listOf(Session) }, {
  description: 'The session used last first'
})
export type SessionList = Wire<typeof SessionList>

export const SessionEnd = objectOf({
  id: Type.String({ minLength: 1, maxLength: HANDLE_LENGTH_MAX })
})
