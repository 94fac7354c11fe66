/**
 * `/login`, `/logout`, `/user-info` and `/password`: logging in and out, who is logged in, and
 * changing the password.
 */
import { Type } from 'typebox'
import { flag, integer, listOf, objectOf, text, type Wire } from './fields.ts'

const NAME_LENGTH_MAX = 64
const PASSWORD_LENGTH_MAX = 1024

const password = Type.String({ maxLength: PASSWORD_LENGTH_MAX })

export const Credentials = objectOf({
  username: Type.String({ minLength: 1, maxLength: NAME_LENGTH_MAX }), password
})
export type Credentials = Wire<typeof Credentials>

export const LoggedIn = objectOf({ success: flag, message: text, redirect: text }, {
  description: 'The session is in the cookie',
  headers: { 'Set-Cookie': { type: 'string', description: 'The session' } }
})

export const NotLoggedIn = objectOf({ success: flag, message: text }, {
  description: 'Name and password do not match'
})

export const PasswordChange = objectOf({ current: password, next: password })
export type PasswordChange = Wire<typeof PasswordChange>

/** What an account's permission allows. */
const permission = { permission: integer, can_view: flag, can_disconnect: flag }

export const UserInfo = objectOf({
  username: text,
  ...permission,
  must_change_password: flag,
  /** All that there are, in the order of their numbers. */
  permissions: listOf(objectOf(permission))
}, { description: 'The account of this session' })
export type UserInfo = Wire<typeof UserInfo>
