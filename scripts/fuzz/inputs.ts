/**
 * What the fuzzer feeds to the program, and its text: one line of JSON each, in which bytes are
 * characters of Latin-1. Findings and the corpus are kept as such lines. Pure.
 */

/** Who asks; the last two bring a session along. */
export const ASKED =
  ['router', 'server', 'decision', 'monitor', 'viewer', 'administrator'] as const
export type Asked = typeof ASKED[number]

export interface RequestInput {
  readonly to: Asked
  /** Which server; the first if left out. */
  readonly server?: number
  /** From a proxy, to the program that believes what it says. */
  readonly isProxied?: boolean
  /** What the proxy says first; if left out, that it speaks for itself. */
  readonly header?: string
  /** Bytes, in pieces that are written one after the other. */
  readonly send: readonly string[]
  /** What follows: our half is closed, the connection is reset, or nothing. */
  readonly end: 'finish' | 'reset' | 'wait'
  /** So many requests it can be taken for at most. */
  readonly requestsMax: number
  /** Nothing about it is wrong: there must be `requestsMax` answers. */
  readonly isIntact?: boolean
  readonly note?: string
}

export interface SettingsInput {
  readonly to: 'settings'
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Bytes of usher.env; undefined for none. */
  readonly file?: string
  /** A text that must be shown nowhere. */
  readonly secret?: string
  readonly note?: string
}

export interface AccountInput {
  readonly to: 'account'
  readonly argv: readonly string[]
  /** Bytes. */
  readonly stdin: string
  readonly secret?: string
  readonly note?: string
}

/** What is tried in a thread of the fuzzer's own. */
export type ThreadInput = SettingsInput | AccountInput
export type Input = RequestInput | ThreadInput

/** What was wrong with an input, or with the program after these inputs. */
export interface Finding {
  readonly wrong: string
  readonly inputs: readonly Input[]
}

/** Stands for the session's token in what is sent, and is as long. */
export const SESSION_MARK = 'session-token-of-whoever-asks-session-token'
/** Stands for the token of a program of whoever asks, and is as long. */
export const TOKEN_MARK = 'usher_token-of-a-program-of-whoever-asks-for-a-th'
/** Stands for a ticket of that server: good for the first who sends it, and used for all others. */
export const TICKET_MARK = 'ticket-of-the-program'
/** Stands for one whose minute is over. */
export const EXPIRED_TICKET_MARK = 'expired-ticket-of-it'
/** Stand for the ports of the servers, and are as long as those that the kernel chooses. */
export const PORT_MARKS = ['10001', '10002', '10003'] as const

export function lineOf (input: Input): string {
  return JSON.stringify(input)
}

/** Throws an Error that names the line. Comments are in `note`; empty lines do not count. */
export function inputsOf (text: string): Input[] {
  return text.split('\n').flatMap((line, at) => {
    if (line === '') return []
    try {
      return [JSON.parse(line) as Input]
    } catch (error) {
      throw new Error(`line ${at + 1} is no input: ${(error as Error).message}`)
    }
  })
}

export function isRequest (input: Input): input is RequestInput {
  return input.to !== 'settings' && input.to !== 'account'
}

/** The name under which an input is counted. */
export function targetOf (input: Input): string {
  return isRequest(input) && input.isProxied === true ? `proxied ${input.to}` : input.to
}
