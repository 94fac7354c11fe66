/**
 * How the account command gets a new password: asked for twice without echo at a terminal, or the
 * first line of standard input. Never shows it. Runs in the account command.
 */
import { AccountRefused } from '@usher/shared/errors.ts'
import { passwordProblem } from '@usher/shared/password-policy.ts'
import { quoteName } from '@usher/shared/quote.ts'
import { read } from 'read'

/** The command's standard streams; a process has them. */
export interface AccountStreams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream
  /** Prompts and complaints. */
  readonly stderr: NodeJS.WritableStream
}

const TRIES_MAX = 3
/** The longest line that is read; the longest password has a quarter of it. */
const LINE_BYTES_MAX = 4096
const LINE_FEED = 0x0a

/** Throws AccountRefused when it is refused, or when none is given. */
export async function enterPassword (streams: AccountStreams, username: string): Promise<string> {
  if (streams.stdin.isTTY === true) return await askForPassword(streams, username)
  const password = await firstLine(streams.stdin)
  const problem = passwordProblem(password, username)
  if (problem !== undefined) throw new AccountRefused(problem)
  return password
}

async function askForPassword (streams: AccountStreams, username: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    const password = await ask(streams, `New password for ${quoteName(username)}:`)
    const problem = passwordProblem(password, username) ??
      (password === await ask(streams, 'Repeat the password:')
        ? undefined
        : 'The two passwords are not the same.')
    if (problem === undefined) return password
    if (tries === TRIES_MAX) throw new AccountRefused(problem)
    streams.stderr.write(`${problem} Try again.\n`)
  }
}

/** Throws AccountRefused for Ctrl-C and Ctrl-D, too; of the latter `read` says nothing. */
async function ask ({ stdin, stderr }: AccountStreams, prompt: string): Promise<string> {
  let onPause = (): void => {}
  const ended = new Promise<never>((_resolve, reject) => {
    // A line pauses its input as well, and then the answer is there in the same turn of the loop.
    onPause = () => { setImmediate(() => reject(new Error('ended'))) }
    stdin.once('pause', onPause)
  })
  try {
    // Even where prompts go to a file: the terminal that is typed at must not echo.
    const answer = read({ prompt, silent: true, input: stdin, output: stderr, terminal: true })
    return await Promise.race([answer, ended])
  } catch {
    throw new AccountRefused('No password was given.')
  } finally {
    stdin.off('pause', onPause)
    stderr.write('\n') // The one that was typed is not echoed either.
  }
}

async function firstLine (stdin: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const data = Buffer.from(chunk)
    const end = data.indexOf(LINE_FEED)
    chunks.push(end === -1 ? data : data.subarray(0, end))
    bytes += data.length
    if (end !== -1 || bytes > LINE_BYTES_MAX) break
  }
  if (bytes === 0) throw new AccountRefused('No password came from standard input.')
  return decode(Buffer.concat(chunks)).replace(/\r$/, '')
}

function decode (line: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(line)
  } catch {
    throw new AccountRefused('The password is not valid text: it must be UTF-8.')
  }
}
