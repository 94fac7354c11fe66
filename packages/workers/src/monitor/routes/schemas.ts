/** JSON schemas that several routes share: what comes in is checked by them, what goes out too. */

/** Nothing that steers a terminal, and nothing invisible at the edges of a log line. */
const NO_CONTROL = '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$'

export const NAME_LENGTH_MAX = 64
export const PASSWORD_LENGTH_MAX = 1024
const REASON_LENGTH_MAX = 200
/** Ten years. */
const MINUTES_MAX = 5_256_000
/** The longest text of an IPv6 range. */
const ADDRESS_LENGTH_MAX = 64

export const reason = { type: 'string', maxLength: REASON_LENGTH_MAX, pattern: NO_CONTROL } as const
export const minutes = { type: 'integer', minimum: 1, maximum: MINUTES_MAX } as const
export const userId = { type: 'string', minLength: 1, maxLength: ADDRESS_LENGTH_MAX } as const
export const flag = { type: 'boolean' } as const

/** A whole number in a query, which is text. */
export const countText = { type: 'string', pattern: '^\\d{1,7}$' } as const

/** An object of exactly these fields. */
export function objectOf<Properties extends object> (
  properties: Properties, required: ReadonlyArray<keyof Properties & string> = []
) {
  return { type: 'object', additionalProperties: false, required, properties } as const
}

/** What an action answers when every thread has applied it. */
export const received = objectOf({ response: { type: 'string' } }, ['response'])

export const text = { type: 'string' } as const
export const time = { type: 'string', format: 'date-time' } as const
export const count = { type: 'integer', minimum: 0 } as const
export const figure = { type: 'number', minimum: 0 } as const
